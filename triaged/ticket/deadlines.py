"""Fix-by and disclosure dates, what brings them nearer or moves them on, and the legal duties that exploitation starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from types import MappingProxyType

from triaged.policy.calendar import Calendar, due
from triaged.policy.model import Policy
from triaged.policy.period import Period, parse_period
from triaged.ticket import transitions
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.rounds import Rows, started

FIX, DISCLOSE = "fix", "disclose"
EXPLOITED_FIX = Period(7, "days")  # from awareness: what coordinators give where attacks are seen
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)

# What such a date means, in a letter. The policy's own clauses on disclosure mostly bind the researcher.
CLAUSES: Mapping[str, str] = MappingProxyType(
    {
        FIX: "We mean to have the problem fixed.",
        DISCLOSE: "After this date the details may be published.",
    }
)

# Regulation (EU) 2024/2847 (Cyber Resilience Act), Article 14(2): name -> period, clause.
LEGAL: Mapping[str, tuple[Period, str]] = MappingProxyType(
    {
        "cra_early_warning": (
            Period(24, "hours"),
            "Regulation (EU) 2024/2847, Article 14(2)(a): early warning, 24 hours",
        ),
        "cra_notification": (
            Period(72, "hours"),
            "Regulation (EU) 2024/2847, Article 14(2)(b): notification, 72 hours",
        ),
        "cra_final": (
            Period(14, "days"),
            "Regulation (EU) 2024/2847, Article 14(2)(c): final report, 14 days after a fix is available",
        ),
    }
)
_FROM_AWARENESS = ("cra_early_warning", "cra_notification")


def is_told(clock: Clock) -> bool:
    """Whether a researcher may read of the clock: of the team's legal duties never."""
    return clock.promise not in LEGAL


def start_deadlines(policy: Policy, received_at: datetime) -> tuple[Clock, ...]:
    """The dates of the policy's disclosure profile, where no promise of the same name states them."""
    given = ((FIX, policy.disclosure.fix_by_days), (DISCLOSE, policy.disclosure.disclose_days))
    return tuple(
        _clock(name, CLAUSES[name], Period(days, "days"), received_at, policy.calendar)
        for name, days in given
        if days and policy.promise(name) is None
    )


def _clock(name: str, clause: str, period: Period, start: datetime, calendar: Calendar) -> Clock:
    return Clock(name, clause, None, start, due(start, period, calendar), False, str(period))


def from_facts(clocks: Iterable[Clock], facts: Iterable[tuple[str, str]], at: datetime, policy: Policy) -> Rows:
    """What a report's facts (kind, value) mean for its dates: seen in attacks, or to be published by its writer."""
    rows = Rows(tuple(clocks))
    for kind, value in facts:
        if kind == "exploited":
            rows = _after(rows, exploited(rows.clocks, at, policy))
        elif kind == "disclosure_date":
            rows = _after(rows, announced(rows.clocks, value, at, policy))
    return rows


def _after(before: Rows, then: Rows) -> Rows:
    return Rows(then.clocks, (*before.events, *then.events))


def exploited(clocks: Iterable[Clock], aware_at: datetime, policy: Policy) -> Rows:
    """The problem is used in attacks: the fix is due sooner, and, where the policy says so, the law's clocks run. Once."""
    rows = _shortened(clocks, (FIX,), due(aware_at, EXPLOITED_FIX, policy.calendar), "it is exploited")
    if not policy.exploited or any(c.promise in _FROM_AWARENESS for c in rows.clocks):
        return rows
    duties = tuple(_duty(name, aware_at, policy.calendar) for name in _FROM_AWARENESS)
    return Rows((*rows.clocks, *duties), (*rows.events, *map(started, duties)))


def _duty(name: str, start: datetime, calendar: Calendar) -> Clock:
    period, clause = LEGAL[name]
    return _clock(name, clause, period, start, calendar)


def announced(clocks: Iterable[Clock], said: str, said_at: datetime, policy: Policy) -> Rows:
    """The researcher named the day ("2027-01-15") or the time ("90 days") of their own publication: ours come before it.
    What is past, or nobody can read, changes nothing."""
    publication = _publication(said, said_at, policy.calendar)
    if publication is None or publication <= said_at:
        return Rows(tuple(clocks))
    return _shortened(clocks, (FIX, DISCLOSE), publication, "the researcher's own date")


def _publication(said: str, said_at: datetime, calendar: Calendar) -> datetime | None:
    period, written = parse_period(said), _DATE.fullmatch(said.strip())
    if period is not None:
        return due(said_at, period, calendar)
    if written is None:
        return None
    try:
        day = date(*map(int, written.groups()))
    except ValueError:
        return None
    return datetime.combine(day, time(), calendar.tzinfo).astimezone(said_at.tzinfo)


def _shortened(clocks: Iterable[Clock], names: tuple[str, ...], due_at: datetime, why: str) -> Rows:
    rows, events = [], []
    for clock in clocks:
        moved = transitions.shorten(clock, due_at, why) if clock.promise in names else None
        rows.append(moved.clock if moved else clock)
        events += [moved.event] if moved else []
    return Rows(tuple(rows), tuple(events))


def after_fix(clocks: Iterable[Clock], state: State, since: datetime, policy: Policy) -> Rows:
    """What a fix moves, `since` being when it was there: details follow after the days of grace where it came in time, and
    the law's final report falls due. Called twice, the second changes nothing."""
    rows = tuple(clocks)
    if state is not State.FIXED:
        return Rows(rows)
    graced = [(_graced(c, since, policy), c) for c in rows]
    events = [_moved_on(new, old) for new, old in graced if new != old]
    final = _final(rows, since, policy.calendar)
    return Rows((*(new for new, _ in graced), *final), (*events, *map(started, final)))


def _graced(clock: Clock, fixed_at: datetime, policy: Policy) -> Clock:
    grace = policy.disclosure.grace_days
    period = Period(grace, "days")
    wanted = clock.promise == DISCLOSE and grace and policy.promise(DISCLOSE) is None and is_open(clock)
    if not wanted or clock.period == str(period) or fixed_at > clock.due_at:
        return clock
    return replace(clock, period=str(period), due_at=due(fixed_at, period, policy.calendar))


def _moved_on(new: Clock, old: Clock) -> Event:
    kind = EventKind.EXTENDED if new.due_at > old.due_at else EventKind.SHORTENED
    dates = {"from": old.due_at.isoformat(), "to": new.due_at.isoformat()}
    return Event(kind, "triaged", {"promise": new.promise, "round": new.round, "why": "the days after a fix", **dates})


def _final(clocks: tuple[Clock, ...], fixed_at: datetime, calendar: Calendar) -> tuple[Clock, ...]:
    names = {c.promise for c in clocks}
    due_now = "cra_early_warning" in names and "cra_final" not in names
    return (_duty("cra_final", fixed_at, calendar),) if due_now else ()
