"""A ticket as its clocks see it, and what they have to say. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triaged.ticket.clocks import Clock
from triaged.ticket.events import State
from triaged.ticket.letters import TicketName
from triaged.ticket.news import Happening


@dataclass(frozen=True, slots=True)
class Tended:
    """A ticket as its clocks see it."""

    name: TicketName
    subject: str
    state: State
    since: datetime  # when it came into that state
    reporter: str  # as its owner writes it; "" where the report named none
    reporter_proven: bool
    # Law 5: may be written to without being asked. The report could be answered, and its sender is proven, has answered to
    # the key since, or was written to by a member.
    reachable: bool
    clocks: tuple[Clock, ...]  # all of them, ended ones too
    happenings: tuple[Happening, ...] = ()  # since the last letter to the researcher, in the order of the events
    waiting: bool = False  # on the researcher: promises that pause stand still
    written_at: datetime | None = None  # when the last letter to the researcher was queued
    researcher_ids: tuple[str, ...] = ()  # the conversation's Message-IDs, oldest first
    team_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # team address -> letters about this ticket
    assigned: str = ""  # whose it is: a member's address, lower-case
    away: frozenset[str] = frozenset()  # members, lower-case
    unasked: bool = False  # it was accepted, and how its people want to be named was neither said nor asked

    @property
    def may_be_told(self) -> bool:
        """Whether a letter that nobody asked for may go to the researcher."""
        return self.reachable and bool(self.reporter)


@dataclass(frozen=True, slots=True)
class Speaking:
    """One clock, and the instants at which something is to be said now."""

    clock: Clock
    team: tuple[datetime, ...]
    researcher: tuple[datetime, ...]
    fell: bool  # missed just now
