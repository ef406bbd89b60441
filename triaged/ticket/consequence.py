"""What one message causes: its outcome, events, letters and clocks, committed together or not at all (law 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triaged.ticket.clocks import Clock
from triaged.ticket.events import Event
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
