"""The daily board: the open tickets of one mailbox by what is promised next. Moves nothing, and tells nobody by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from triaged.message.clean import clean_header
from triaged.policy.calendar import in_letters
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock, Standing, is_open, standing
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.letters import TeamLetter
from triaged.ticket.shown import TEAM_GUIDE
from triaged.ticket.tended import Tended

MOST_LINES = 200
SUBJECT_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One ticket on the board."""

    ref: str
    subject: str
    state: str
    promise: str
    words: str  # "by the end of …", "MISSED: it was due …", "stands still …", "nothing is promised"
    due_at: datetime | None


def board(tickets: Iterable[Tended], desk: Desk, at: datetime) -> tuple[TeamLetter, ...]:
    """One letter to each team address; none where no ticket is open. What is missed comes first, then by due instant."""
    shown = [(_entry(t, desk), t.since, t.name) for t in tickets if _is_open(t)]
    if not shown:
        return ()
    shown.sort(key=lambda one: (one[0].due_at is None, one[0].due_at or one[1], one[0].ref))
    entries = [entry for entry, _, _ in shown]
    missed = sum(e.words.startswith("MISSED") for e in entries)
    values = {
        "mailbox": desk.mailbox,
        "count": len(entries),
        "missed": missed,
        "entries": entries[:MOST_LINES],
        "left": max(len(entries) - MOST_LINES, 0),
        "guide": TEAM_GUIDE,
    }
    subject = f"Board of {desk.mailbox}: {len(entries)} open, {missed} with a missed promise"
    name = shown[0][2]
    return tuple(TeamLetter("board", name, to, subject, values, Role.TEAM, ()) for to in desk.notify)


def _is_open(ticket: Tended) -> bool:
    return ticket.state is not State.CLOSED or any(is_open(c) for c in ticket.clocks)


def _entry(ticket: Tended, desk: Desk) -> Entry:
    clock = min((c for c in ticket.clocks if is_open(c)), key=_urgency, default=None)
    subject = clean_header(ticket.subject)[:SUBJECT_SHOWN] or "(no subject)"
    promise, words = ("", "nothing is promised") if clock is None else (clock.promise, _words(clock, desk))
    due_at = None if clock is None or standing(clock) is Standing.PAUSED else clock.due_at
    return Entry(ticket.name.ref, subject, ticket.state.value, promise, words, due_at)


def _urgency(clock: Clock) -> tuple[bool, datetime]:
    return standing(clock) is Standing.PAUSED, clock.due_at


def _words(clock: Clock, desk: Desk) -> str:
    by = in_letters(clock.due_at, desk.policy.calendar)
    if standing(clock) is Standing.PAUSED:
        return "stands still: we wait on the researcher"
    return f"MISSED: it was due {by}" if standing(clock) is Standing.MISSED else by
