"""What may happen to a clock, as a table: each move gives the new row and its event. What is not in the table never happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from triaged.policy.calendar import Calendar, due, is_worked
from triaged.policy.period import Period, parse_period
from triaged.ticket.clocks import Clock, Standing, Waiver, standing
from triaged.ticket.events import JSON, Event, EventKind

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


class Move(StrEnum):
    """What happens to a clock."""

    MISS = "miss"
    MEET = "meet"
    REOPEN = "reopen"
    WAIVE = "waive"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    SHORTEN = "shorten"


_RUNNING, _PAUSED, _MISSED = Standing.RUNNING, Standing.PAUSED, Standing.MISSED

TABLE: Mapping[Move, tuple[frozenset[Standing], EventKind]] = MappingProxyType(
    {
        Move.MISS: (frozenset({_RUNNING}), EventKind.MISSED),
        Move.MEET: (frozenset({_RUNNING, _PAUSED, _MISSED}), EventKind.MET),
        Move.REOPEN: (frozenset({Standing.MET, Standing.LATE}), EventKind.REOPENED),
        Move.WAIVE: (frozenset({_RUNNING, _PAUSED, _MISSED}), EventKind.WAIVED),
        Move.PAUSE: (frozenset({_RUNNING}), EventKind.PAUSED),
        Move.RESUME: (frozenset({_PAUSED}), EventKind.RESUMED),
        Move.EXTEND: (frozenset({_RUNNING, _PAUSED, _MISSED}), EventKind.EXTENDED),
        Move.SHORTEN: (frozenset({_RUNNING, _PAUSED, _MISSED}), EventKind.SHORTENED),
    }
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock after a move, and the event that says so."""

    clock: Clock
    event: Event


def may(clock: Clock, move: Move) -> bool:
    """Whether the table lets that happen to the clock as it stands."""
    return standing(clock) in TABLE[move][0]


def meet(clock: Clock, at: datetime, letter: str = "", by: str = "triaged") -> Moved | None:
    """The promise is kept: in time or late, by the letter with that Message-ID, or by a state or a member's word."""
    if not may(clock, Move.MEET):
        return None
    met = replace(clock, met_at=at, kept_by=letter, paused_at=None)
    return _moved(met, Move.MEET, by, **({"letter": letter} if letter else {}))


def miss(clock: Clock) -> Moved | None:
    """The due instant has passed unmet."""
    if not may(clock, Move.MISS):
        return None
    return _moved(replace(clock, missed_at=clock.due_at), Move.MISS, "triaged", due_at=_instant(clock.due_at))


def reopen(clock: Clock) -> Moved | None:
    """The letter that seemed to keep the promise did not arrive."""
    return _moved(replace(clock, met_at=None, kept_by=""), Move.REOPEN, "triaged") if may(clock, Move.REOPEN) else None


def waive(clock: Clock, by: str, why: str, at: datetime) -> Moved | None:
    """The promise need not be kept."""
    if not may(clock, Move.WAIVE):
        return None
    return _moved(replace(clock, waived=Waiver(by, why, at), paused_at=None), Move.WAIVE, by, why=why)


def pause(clock: Clock, at: datetime) -> Moved | None:
    """We wait on the researcher, and the promise says that it stands still then. One that has fallen due does not."""
    if not clock.pauses or at >= clock.due_at or not may(clock, Move.PAUSE):
        return None
    return _moved(replace(clock, paused_at=at), Move.PAUSE, "triaged")


def resume(clock: Clock, at: datetime, calendar: Calendar) -> Moved | None:
    """The researcher has answered: the due instant moves by what was missed, in the promise's own counting."""
    if clock.paused_at is None or not may(clock, Move.RESUME):
        return None
    due_at = _later(clock, max(at - clock.paused_at, timedelta()), calendar)
    again = replace(clock, paused_at=None, due_at=due_at)
    return _moved(again, Move.RESUME, "triaged", **_dates(clock, due_at))


def extend(clock: Clock, due_at: datetime, by: str, why: str) -> Moved | None:
    """A member gives more time, with a reason. Nothing else moves a date later."""
    if due_at <= clock.due_at or not may(clock, Move.EXTEND):
        return None
    return _moved(replace(clock, due_at=due_at), Move.EXTEND, by, why=why, **_dates(clock, due_at))


def shorten(clock: Clock, due_at: datetime, why: str) -> Moved | None:
    """The date comes nearer."""
    if due_at >= clock.due_at or not may(clock, Move.SHORTEN):
        return None
    return _moved(replace(clock, due_at=due_at), Move.SHORTEN, "triaged", why=why, **_dates(clock, due_at))


def _moved(clock: Clock, move: Move, by: str, **data: JSON) -> Moved:
    return Moved(clock, Event(TABLE[move][1], by, {"promise": clock.promise, "round": clock.round, **data}))


def _dates(clock: Clock, due_at: datetime) -> dict[str, JSON]:
    return {"from": _instant(clock.due_at), "to": _instant(due_at)}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _later(clock: Clock, span: timedelta, calendar: Calendar) -> datetime:
    period = parse_period(clock.period)
    if period is None or clock.paused_at is None or period.unit == "hours":
        return clock.due_at + span
    first = clock.paused_at.astimezone(calendar.tzinfo).date()
    last = (clock.paused_at + span).astimezone(calendar.tzinfo).date()
    missed = _worked(first, last, calendar) if period.unit == "business days" else (last - first).days
    if not missed:
        return clock.due_at
    # The due instant belongs to the day that ends with it: closing "24:00" is the next day's midnight.
    return due(clock.due_at - _TICK, Period(missed, period.unit), calendar, every=clock.every is not None)


def _worked(first: date, last: date, calendar: Calendar) -> int:
    """Days worked after `first`, up to and with `last`."""
    return sum(is_worked(first + n * _DAY, calendar) for n in range(1, (last - first).days + 1))
