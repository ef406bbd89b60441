"""What the tracker knows about one arriving message, as the decision needs it: values, loaded before, never fetched from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triaged.message.model import Message
from triaged.reading.findings import NOTHING, Findings
from triaged.reading.original import Original
from triaged.reading.sameness import text_hash
from triaged.reading.thread import answered_ids, recipients
from triaged.ticket.address import GARBLED, Garbled, Keyed, Role, read_address
from triaged.ticket.clocks import Clock
from triaged.ticket.consent import Word
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.letters import Audience, TicketName
from triaged.ticket.requests import Request, read_request


@dataclass(frozen=True, slots=True)
class Arrival:
    """One receipt with what parsing made of it."""

    receipt: int
    received_at: datetime
    folder: str
    junk: bool
    truncated: bool
    size: int
    sha256: str
    content_sha256: str
    message: Message
    findings: Findings = NOTHING
    original: Original | None = None  # of a forward: what was forwarded
    original_findings: Findings = NOTHING
    sent: bool = False  # it lies in the mailbox's own sent folder: nobody sent it to us


@dataclass(frozen=True, slots=True)
class Clues:
    """What in a message may tie it to a ticket: looked up together, before anything is decided."""

    keyed: Keyed | Garbled | None
    ids: tuple[str, ...]  # answered Message-IDs, nearest first
    own_id: str  # the message's own
    author: str  # lower-case; "" where there is none
    text_hash: str | None
    bounced_id: str
    request: Request | None = None  # what the first line asks for


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """A message on a ticket, of either direction."""

    message_id: str
    token: str
    sent: bool  # by us
    audience: Audience
    answers: Role  # where a reply to it goes
    counterpart: str  # the address it came from or went to, lower-case
    meets: tuple[str, ...]
    template: str
    proven: bool = True
    reason: str = ""  # of its receipt; "" where it is ours


@dataclass(frozen=True, slots=True)
class OpenPromise:
    """A clock as the ticket has it: one round of a promise."""

    promise: str
    clause: str
    due_at: datetime
    met: bool
    every: bool = False
    over: bool = False  # waived
    kept_by: str = ""  # the Message-ID of the letter that met it
    holds: frozenset[str] = frozenset()  # what a letter must hold to keep it, says the ticket's own policy


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for its code."""

    number: int  # its row
    ask: str  # credit | withdraw
    value: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Asking:
    """What a participant's one-line request needs to know of the ticket."""

    role: str  # reporter | participant
    written: str  # their address as it stands on the ticket: the only one that is answered
    state: State
    clocks: tuple[Clock, ...]  # open ones
    waiting: tuple[Waiting, ...]  # of theirs, not settled
    answered: Mapping[str, int]  # template -> letters that answered requests on this ticket in a day
    words: tuple[Word, ...] = ()  # theirs about being named, on this ticket
    nameless: bool = False  # they asked not to be named, and chose no name since
    chosen: bool = False  # they chose a name


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket as far as a decision needs it."""

    name: TicketName
    subject: str
    reporter: str  # lower-case address; "" where the report named none
    reporter_written: str  # as its owner writes it: how it is mailed
    reporter_proven: bool
    participants: frozenset[str]
    received_at: datetime
    researcher_ids: tuple[str, ...]  # the conversation with the researcher, oldest first, both directions
    team_ids: Mapping[str, tuple[str, ...]]  # team address -> its letters about this ticket
    recent: int  # messages of this author on this ticket in the last ten minutes (AR-11)
    promises: tuple[OpenPromise, ...]
    heard_at: datetime | None = None  # when this author last wrote on it
    held_lately: int = 0  # messages held on it in the last ten minutes: they silence nobody but themselves
    held_ever: int = 0
    forwarded_by: str = ""  # the member who sent the report on, lower-case
    gaps: tuple[str, ...] = ()  # what the policy asks for and nobody brought yet
    asking: Asking | None = None  # only where the message is a request, and its author a participant
    assigned: str = ""  # whose it is: a member's address, lower-case
    away: frozenset[str] = frozenset()  # members, lower-case


@dataclass(frozen=True, slots=True)
class Known:
    """All that the tracker knows about one arrival."""

    tickets: Mapping[str, TicketView]  # by token
    ids: Mapping[str, KnownMessage]  # by Message-ID
    copy: bool  # this content has been taken in before
    same_text: str | None  # token of the author's ticket that says the same
    acknowledged_today: int  # automatic acknowledgements to this author in 24 hours
    budget_proven: int  # acknowledgements that may still go out this hour
    budget_unproven: int


def clues(message: Message, desk: Desk) -> Clues:
    """What to look up for `message`."""
    return Clues(
        keyed=_keyed(message, desk),
        ids=answered_ids(message),
        own_id=message.message_id,
        author=message.author.address.lower() if message.author else "",
        text_hash=text_hash(message.subject, message.new_text, tuple(a.sha256 for a in message.attachments)),
        bounced_id=message.bounce.message_id if message.bounce else "",
        request=read_request(message),
    )


def _keyed(message: Message, desk: Desk) -> Keyed | Garbled | None:
    """The key that decides: a mail to both the team's and the researcher's address stays with the team."""
    if not desk.plus_addressing:
        return None
    read = [read_address(address, desk.address, desk.keys) for address in recipients(message)]
    checked = [found for found in read if isinstance(found, Keyed)]
    if checked:
        return min(checked, key=lambda found: _INWARD_FIRST.index(found.role))
    return GARBLED if GARBLED in read else None


_INWARD_FIRST = (Role.TEAM, Role.RESEARCHER, Role.BOUNCE)
