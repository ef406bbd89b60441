"""The daily board: the open tickets of one mailbox by what is promised next. Moves nothing, and tells nobody by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from triaged.message.clean import clean_header
from triaged.policy.calendar import in_letters
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock, Standing, is_open, standing
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.hearing import NOBODY, board_hearers, shown_member
from triaged.ticket.letters import TeamLetter
from triaged.ticket.shown import TEAM_GUIDE
from triaged.ticket.tended import Tended

MOST_LINES = 200
SUBJECT_SHOWN = 60
EXAMPLE = timedelta(days=14)  # how far from now the date of the example lies


@dataclass(frozen=True, slots=True)
class Entry:
    """One ticket on the board."""

    ref: str
    subject: str
    state: str
    promise: str
    words: str  # "by the end of …", "MISSED: it was due …", "stands still …", "nothing is promised"
    due_at: datetime | None
    assigned: str = ""  # the member's name; "" where it is nobody's
    unasked: bool = False  # how its people want to be named


def board(
    tickets: Iterable[Tended], desk: Desk, at: datetime, away: Collection[str] = NOBODY, overdue: int = 0
) -> tuple[TeamLetter, ...]:
    """One letter to each who gets it; none where no ticket is open. What is missed comes first, then by due instant.

    `away`: members, lower-case. `overdue`: closed tickets that the policy keeps no longer.
    """
    shown = [(_entry(t, desk, away), t.since, t.name) for t in tickets if _is_open(t)]
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
        "overdue": overdue,
        "away": [shown_member(a, desk) for a in desk.members if a in away],
        "example": entries[0].ref,
        "day": (at.astimezone(desk.policy.calendar.tzinfo) + EXAMPLE).date().isoformat(),
        "guide": TEAM_GUIDE,
    }
    subject = f"Board of {desk.mailbox}: {len(entries)} open, {missed} with a missed promise"
    name = shown[0][2]
    return tuple(TeamLetter("board", name, to, subject, values, Role.TEAM, ()) for to in board_hearers(desk, away))


def _is_open(ticket: Tended) -> bool:
    return ticket.state is not State.CLOSED or any(is_open(c) for c in ticket.clocks)


def _entry(ticket: Tended, desk: Desk, away: Collection[str]) -> Entry:
    clock = min((c for c in ticket.clocks if is_open(c)), key=_urgency, default=None)
    subject = clean_header(ticket.subject)[:SUBJECT_SHOWN] or "(no subject)"
    promise, words = ("", "nothing is promised") if clock is None else (clock.promise, _words(clock, desk))
    due_at = None if clock is None or standing(clock) is Standing.PAUSED else clock.due_at
    # Who is named unless they decline has to be asked, since silence names nobody.
    unasked = ticket.unasked and desk.policy.credit.terms == "named-unless-declined"
    whose = _assigned(ticket.assigned, desk, away)
    return Entry(ticket.name.ref, subject, ticket.state.value, promise, words, due_at, whose, unasked)


def _assigned(address: str, desk: Desk, away: Collection[str]) -> str:
    if not address:
        return ""
    return f"{shown_member(address, desk)} (away)" if address in away else shown_member(address, desk)


def _urgency(clock: Clock) -> tuple[bool, datetime]:
    return standing(clock) is Standing.PAUSED, clock.due_at


def _words(clock: Clock, desk: Desk) -> str:
    by = in_letters(clock.due_at, desk.policy.calendar)
    if standing(clock) is Standing.PAUSED:
        return "stands still: we wait on the researcher"
    return f"MISSED: it was due {by}" if standing(clock) is Standing.MISSED else by
