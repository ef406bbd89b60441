"""A ticket as members work on it, and what a command makes of it. Values only; nothing is done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from triaged.ticket.clocks import Clock
from triaged.ticket.consent import Wishes
from triaged.ticket.consequence import NewTicket
from triaged.ticket.desk import Desk
from triaged.ticket.draft import Draft
from triaged.ticket.events import Event
from triaged.ticket.gate import Elsewhere
from triaged.ticket.letters import Letter, TicketName
from triaged.ticket.reference import Entropy
from triaged.ticket.reward import Decision
from triaged.ticket.tended import Tended
from triaged.ticket.wire import Enclosure

REPORTER, PARTICIPANT = "reporter", "participant"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part as a researcher."""

    address: str  # lower-case
    written: str  # as its owner writes it: how it is mailed
    name: str
    role: str  # reporter | participant
    proven: bool


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter with a member's words that has not gone yet."""

    number: int
    message_id: str
    to: str
    subject: str
    template: str
    state: str  # queued | held | dropped
    not_before: datetime
    reason: str  # why it is held
    author: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a member wants and a second one has to confirm."""

    number: int  # 0: new
    verb: str
    words: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """One file that a researcher sent."""

    number: int  # on the ticket, from 1
    name: str
    detected_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another ticket of the tenant that a command names."""

    name: TicketName
    reporter: str  # lower-case
    received_at: datetime
    merged: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class KnownBefore:
    """An issue of the team's own list that a command names."""

    name: str
    known_at: datetime
    sealed_at: datetime | None = None
    seal: str = ""  # hexadecimal


@dataclass(frozen=True, slots=True)
class Worked:
    """A ticket as members work on it."""

    tended: Tended
    kind: str  # report | question | other
    received_at: datetime
    people: tuple[Person, ...]
    assigned: str = ""  # lower-case address
    severity: str = ""
    cvss: str = ""
    decision: str = ""  # why it was declined
    cwe: str = ""  # CWE-79
    product: str = ""  # what is affected, in the team's words
    affected: str = ""  # its versions
    fixed_in: str = ""
    forwarded_by: str = ""
    report_id: str = ""  # Message-ID of the report
    acknowledged: bool = False  # an acknowledgement was queued, and not dropped
    waiting: tuple[WaitingLetter, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    files: tuple[File, ...] = ()
    contents: Mapping[int, bytes] = field(default_factory=dict)  # of `files`, where a command wants them
    notes: tuple[str, ...] = ()  # the team's conversation, for the gate
    said: tuple[str, ...] = ()  # the conversation with the researcher
    elsewhere: tuple[Elsewhere, ...] = ()  # other tickets, for the gate
    others: Mapping[str, Other] = field(default_factory=dict)  # by token
    known: Mapping[str, KnownBefore] = field(default_factory=dict)  # by lower-case name
    rewards: tuple[Decision, ...] = ()  # the ticket's rows of the ledger, oldest first
    away: frozenset[str] = frozenset()  # members, lower-case
    merged_into: str = ""  # token
    draft: Draft | None = None  # of its advisory
    agreed_for: datetime | None = None  # the end of the day of publication that was agreed on
    wishes: Mapping[str, Wishes] = field(default_factory=dict)  # by address: how its people are to be named
    withdrawn: bool = False  # the researcher took the report back

    @property
    def name(self) -> TicketName:
        return self.tended.name

    @property
    def reporter(self) -> Person | None:
        return next((p for p in self.people if p.role == REPORTER), None)

    def with_tended(self, tended: Tended) -> Worked:
        return replace(self, tended=tended)


@dataclass(frozen=True, slots=True)
class Case:
    """Who asks, and with what."""

    by: str  # the member's lower-case address, or "operator"
    actor: str  # as events name them: "member:Dana Levi", "operator"
    role: str
    desk: Desk
    at: datetime
    entropy: Entropy
    text: str = ""  # beside the command
    files: tuple[Enclosure, ...] = ()  # of the member's mail
    confirmed: str = ""  # who confirmed it, where another proposed it
    second: str = ""  # their address, or "operator"
    by_mail: bool = False
    read_at: datetime | None = None  # when the mail to the team was written that theirs answers; None: not known

    @property
    def shown(self) -> str:
        """The member's name, as letters to the team show it."""
        return self.desk.named(self.by) if self.by != OPERATOR else "An operator"


def case_of(
    by: str, desk: Desk, at: datetime, entropy: Entropy, *, by_mail: bool = False, files: tuple[Enclosure, ...] = ()
) -> Case:
    """The case of the member with that lower-case address, or of the operator."""
    colleague = desk.members.get(by)
    actor = OPERATOR if by == OPERATOR else f"member:{desk.named(by)}"
    role = colleague.role if colleague else "observer"
    return Case(by, actor, role, desk, at, entropy, files=files, by_mail=by_mail)


@dataclass(frozen=True, slots=True)
class Split:
    """A second ticket out of the first."""

    new: NewTicket
    clocks: tuple[Clock, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The ticket after one command."""

    worked: Worked
    lines: tuple[str, ...]  # what the echo says
    events: tuple[Event, ...] = ()
    letters: tuple[Letter, ...] = ()  # to researchers
    enclosed: tuple[Enclosure, ...] = ()  # that the echo carries, to that member alone
    elsewhere: tuple[tuple[str, Event], ...] = ()  # token of another ticket, what happened to it
    splits: tuple[Split, ...] = ()
    noted: bool = False  # the text beside it is a note
    advises: bool = False  # the text beside it is a draft of what is to be published
    body: str = ""  # that the echo ends with
    basis: tuple[str, ...] = ()  # what a second member reads before they confirm it, and what must still hold then


@dataclass(frozen=True, slots=True)
class Obeyed:
    """All that one mail, or one command line, made of the ticket: written together or not at all."""

    worked: Worked
    lines: tuple[str, ...]
    events: tuple[Event, ...]
    letters: tuple[Letter, ...]  # to researchers, as they will wait or be held
    enclosed: tuple[Enclosure, ...] = ()
    elsewhere: tuple[tuple[str, Event], ...] = ()
    splits: tuple[Split, ...] = ()
    noted: bool = False
    advises: bool = False
    private: bool = False  # nobody else hears of it
    body: str = ""
