"""Counting promised time in an organisation's calendar: receipt and period in, UTC instant out. Never reads a clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from triaged.policy import public_holidays
from triaged.policy.period import Period

_DAY = timedelta(days=1)
_OFFSET = re.compile(r"([+-])([01][0-9]):([0-5][0-9])", re.ASCII)
_END_OF_DAY = 1440
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an organisation works, and in which zone its days begin and end."""

    zone: str  # an IANA name, or a fixed offset such as "+01:00"
    country: str  # "" for none: then no public holidays
    subdivision: str
    weekend: frozenset[int]  # Monday is 0
    country_weekend: bool  # the weekend is the country's own, and so are the Saturdays that it works
    closed: frozenset[date]
    worked: frozenset[date]  # beats weekend, holiday and closed
    closing: int  # minutes after local midnight; 1440 is the end of the day

    @property
    def tzinfo(self) -> tzinfo:
        return zone(self.zone)


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The zone of that name. Raises ValueError or KeyError (ZoneInfoNotFoundError) where there is none."""
    offset = _OFFSET.fullmatch(name)
    if not offset:
        return ZoneInfo(name)
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(-span if offset[1] == "-" else span)


def is_worked(day: date, calendar: Calendar) -> bool:
    """Whether the organisation works that day."""
    if day in calendar.worked:
        return True
    if day in calendar.closed:
        return False
    year = public_holidays.year(calendar.country, calendar.subdivision, day.year)
    if day.weekday() in calendar.weekend:
        return calendar.country_weekend and day in year.worked
    return day not in year.holidays


def due(received: datetime, period: Period, calendar: Calendar, *, every: bool = False) -> datetime:
    """The last instant that keeps the promise, UTC. With `every`, one that would end on a closed day ends on the
    business day before, as long as that lies after the start; else on the first business day after it."""
    if received.tzinfo is None:
        raise ValueError("an instant of receipt needs a zone")
    start = received.astimezone(calendar.tzinfo).date()
    if period.unit == "hours":
        return _after_hours(received, period.count, calendar, every)
    if period.unit == "business days":
        return _closing_of(_nth_worked(start, period.count, calendar), calendar)
    last = start + period.count * _DAY
    if every and not is_worked(last, calendar):
        last = _worked_before(last, start, calendar) or _nth_worked(start, 1, calendar)
    return _closing_of(last, calendar)


def _after_hours(received: datetime, hours: int, calendar: Calendar, every: bool) -> datetime:
    instant = received.astimezone(UTC) + timedelta(hours=hours)
    last = instant.astimezone(calendar.tzinfo).date()
    if not every or is_worked(last, calendar):
        return instant
    start = received.astimezone(calendar.tzinfo).date()
    before = _worked_before(last, start - _DAY, calendar)  # the day of receipt itself may do: its closing is later
    closing = _closing_of(before, calendar) if before else instant
    return closing if received < closing < instant else instant


def _nth_worked(start: date, count: int, calendar: Calendar) -> date:
    """The day of receipt is never counted, whatever the hour."""
    day = start
    while count:
        day += _DAY
        count -= is_worked(day, calendar)
    return day


def _worked_before(day: date, start: date, calendar: Calendar) -> date | None:
    """The last day worked before `day` and after `start`."""
    while day > start + _DAY:
        day -= _DAY
        if is_worked(day, calendar):
            return day
    return None


def _closing_of(day: date, calendar: Calendar) -> datetime:
    whole_days, minutes = divmod(calendar.closing, _END_OF_DAY)
    wall = datetime(day.year, day.month, day.day) + whole_days * _DAY + timedelta(minutes=minutes)  # noqa: DTZ001
    return _first_valid(wall, calendar.tzinfo)


def _first_valid(wall: datetime, tz: tzinfo) -> datetime:
    """The instant of a local time, UTC. Of two the first; in a gap, the instant at which the clocks went forward."""
    later = wall.replace(tzinfo=tz).astimezone(UTC)
    earlier = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if earlier >= later:
        return later  # fold=1 lies before fold=0 in a gap only (PEP 495)
    while later - earlier > timedelta(seconds=1):
        middle = earlier + (later - earlier) // 2
        if middle.astimezone(tz).replace(tzinfo=None) < wall:
            earlier = middle
        else:
            later = middle
    return later.replace(microsecond=0)


def due_local(instant: datetime, calendar: Calendar) -> str:
    """The instant in the calendar's zone: 2026-11-24T17:00+02:00; with seconds only where there are any."""
    local = instant.astimezone(calendar.tzinfo).replace(microsecond=0)
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def in_letters(instant: datetime, calendar: Calendar) -> str:
    """The instant as a letter says it: "by the end of Tuesday, 24 November 2026 (Asia/Jerusalem)"."""
    local = instant.astimezone(calendar.tzinfo)
    before = local.date() - _DAY
    if calendar.closing == _END_OF_DAY and _closing_of(before, calendar) == instant:
        return f"by the end of {_long(before)} ({_zone_name(calendar)})"
    return f"by {local:%H:%M} on {_long(local.date())} ({_zone_name(calendar)})"


def _long(day: date) -> str:
    # Not strftime: its names are those of the process's locale.
    return f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}"


def _zone_name(calendar: Calendar) -> str:
    return f"UTC{calendar.zone}" if calendar.zone[0] in "+-" else calendar.zone


def describe(calendar: Calendar) -> str:
    """One line: zone, holidays, weekend, closing."""
    place = "/".join(part for part in (calendar.country, calendar.subdivision) if part)
    weekend = " ".join(WEEKDAYS[day][:3].lower() for day in sorted(calendar.weekend))
    hours, minutes = divmod(calendar.closing, 60)
    return (
        f"{calendar.zone}, holidays of {place or 'none'}, weekend {weekend or 'none'}, closing {hours:02}:{minutes:02}"
    )


def doubts(calendar: Calendar, years: range) -> tuple[str, ...]:
    """Why the holiday data may be incomplete for those years, one sentence a reason."""
    found = (public_holidays.year(calendar.country, calendar.subdivision, year).doubt for year in years)
    return tuple(dict.fromkeys(doubt for doubt in found if doubt))
