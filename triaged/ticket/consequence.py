"""What one message causes: its outcome, events, letters and clocks, committed together or not at all (law 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triaged.message.replies import Own
from triaged.reading.facts_model import Fact
from triaged.reading.noise import Noise
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock
from triaged.ticket.consent import Word
from triaged.ticket.events import Event
from triaged.ticket.known import TicketView
from triaged.ticket.letters import Audience, Letter, TicketName


class Outcome(StrEnum):
    """What became of a receipt."""

    WAITING = "waiting"  # not read yet
    TICKET = "ticket"  # opened one
    APPENDED = "appended"  # joined one
    FILED = "filed"  # kept; concerns no ticket
    COPY = "copy"  # this content has been taken in before
    HISTORY = "history"  # older than the first sweep's horizon
    HELD = "held"  # came to a ticket's address from somebody else; waits for the team
    SET_ASIDE = "set_aside"  # could not be read twice; the team sees it
    FORGOTTEN = "forgotten"  # its place in the mailbox is known, its bytes were erased


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to be opened."""

    name: TicketName
    kind: str  # report | question | other
    subject: str
    reporter_name: str
    reporter: str  # lower-case address; "" where there is none
    reporter_written: str  # as its owner writes it
    reporter_proven: bool
    received_at: datetime
    forwarded_by: str = ""  # the member who sent it on


@dataclass(frozen=True, slots=True)
class Placed:
    """How the message itself stands on its ticket."""

    audience: Audience
    proven: bool
    text_hash: str | None


@dataclass(frozen=True, slots=True)
class Bounced:
    """A believed delivery report: the letter, and the promises that it no longer keeps (SM-10)."""

    message_id: str
    reply: str
    reopens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """A member is away, or here again."""

    address: str  # lower-case
    away: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """A letter that a person sent to a participant from the mailbox itself."""

    message_id: str  # "" where it has none
    to: str  # lower-case; the reporter where they are among its recipients
    at: datetime
    meets: tuple[str, ...]  # promises that it keeps


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A report that a member sent on: its sender's words stand in the one conversation, the member's in the other."""

    author: str  # lower-case address of the original sender; "" where none can be read
    author_name: str
    message_id: str  # the original's own; "" where it is not known
    subject: str
    text: str
    remarks: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a new ticket's report leaves out of what the policy asks for."""

    items: tuple[str, ...]
    asked: bool  # whether the acknowledgement asks for them


@dataclass(frozen=True, slots=True)
class ToStudy:
    """What waits for the second step: the noise of the message by itself, and the mail to the team, if there will be one."""

    noise: Noise
    announcement: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Said:
    """A proven member's own words on a ticket: what they do is decided with the ticket at hand (`ticket/obeying.py`)."""

    by: str  # lower-case address
    role: Role  # the conversation that they came to
    own: Own
    passed_on: str  # where they forward something, all of it with their remark: a note holds it
    ticket: TicketView
    ours: bool = True  # in a conversation of ours: else it is a note, whatever it says
    board: str = ""  # Message-ID of the daily board that it answers


@dataclass(frozen=True, slots=True)
class Named:
    """How a participant wants to be named. `anonymous` wins over the name, which stays for a change of mind."""

    credit: str | None  # None: as it was
    anonymous: bool
    pending: bool = False  # the name waits for a member's word


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """A request that waits for the code which was mailed to the address."""

    ask: str  # credit | withdraw
    value: str
    code: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a participant's one-line request changes. Law 6: nothing but what is theirs."""

    address: str  # lower-case: whose
    named: Named | None = None
    opens: ToConfirm | None = None
    settles: int | None = None  # row of the request that is confirmed
    withdraws: bool = False  # what the researcher was promised need not be kept
    words: tuple[Word, ...] = ()  # of consent, theirs


@dataclass(frozen=True, slots=True)
class Granted:
    """What follows from a one-line request, beside the message's joining the ticket."""

    said: str  # what was asked and what was done, for the team
    events: tuple[Event, ...] = ()
    letters: tuple[Letter, ...] = ()
    asks: Asked | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """All that one receipt causes."""

    outcome: Outcome
    reason: str = ""
    ticket: TicketName | None = None
    opens: NewTicket | None = None
    placed: Placed | None = None
    events: tuple[Event, ...] = ()
    clocks: tuple[Clock, ...] = ()
    letters: tuple[Letter, ...] = ()
    bounced: Bounced | None = None
    facts: tuple[Fact, ...] = ()  # of the placed message
    gaps: Gaps | None = None
    brought: tuple[str, ...] = ()  # gaps that this message fills
    study: ToStudy | None = None
    said: Said | None = None
    asks: Asked | None = None
    absent: Absence | None = None
    answered: Answered | None = None
    passed_on: PassedOn | None = None
