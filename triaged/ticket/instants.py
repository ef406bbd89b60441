"""When a clock speaks: its warnings, its due instant, the days after, the researcher's letters. Says nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from triaged.policy.calendar import Calendar, due, is_worked
from triaged.policy.model import Policy, Warn
from triaged.policy.period import Period
from triaged.ticket.clocks import Clock, Standing, standing

DISCLOSURE = ("fix", "disclose")  # dates of the policy's disclosure profile
OWN_WARN = (Warn(50, None), Warn(75, None), Warn(90, None))  # of dates that the policy states no reminders for
LEAD = timedelta(hours=4)  # of a scheduled update before it is due, so that it is accepted in time
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_YEAR = 366


@dataclass(frozen=True, slots=True)
class Quiet:
    """When the team is not to be warned: warnings go earlier then, never later (law 8). Local time of the policy's zone."""

    begins: time | None = None  # both or none
    ends: time | None = None
    business_days: bool = False  # warnings only on days that the organisation works


NEVER_QUIET = Quiet()


def warnings(clock: Clock, policy: Policy, quiet: Quiet = NEVER_QUIET) -> tuple[datetime, ...]:
    """The instants at which the team is warned before the clock is due, in order."""
    found = {_earlier(i, clock.started_at, quiet, policy.calendar) for i in _as_written(clock, policy)}
    return tuple(sorted(i for i in found if clock.started_at < i < clock.due_at))


def reminders(clock: Clock, policy: Policy) -> tuple[datetime, ...]:
    """The instants at which the researcher is reminded of a fix-by or disclosure date, in order."""
    if clock.promise not in DISCLOSURE or policy.promise(clock.promise):
        return ()
    return tuple(sorted(i for i in _as_written(clock, policy) if clock.started_at < i < clock.due_at))


def _as_written(clock: Clock, policy: Policy) -> Iterator[datetime]:
    promise = policy.promise(clock.promise)
    if promise is None and (stated := _stated(clock, policy)):
        yield from stated
        return
    for warn in OWN_WARN if promise is None else promise.warn:
        yield _instant(warn, clock, policy.calendar)


def _stated(clock: Clock, policy: Policy) -> list[datetime]:
    """The policy's reminders of a disclosure date; none where the date came nearer than the first of them."""
    if clock.promise not in DISCLOSURE:
        return []
    days = (due(clock.started_at, Period(n, "days"), policy.calendar) for n in policy.disclosure.reminders)
    return [i for i in days if i < clock.due_at]


def _instant(warn: Warn, clock: Clock, calendar: Calendar) -> datetime:
    if warn.before is not None:
        return _before(clock.due_at, warn.before, calendar)
    share = (clock.due_at - clock.started_at) * (warn.percent or 0) / 100
    return (clock.started_at + share).replace(microsecond=0)


def _before(due_at: datetime, period: Period, calendar: Calendar) -> datetime:
    """So long before: elapsed hours, or the same local time that many days (worked, where it says business) earlier."""
    if period.unit == "hours":
        return due_at - timedelta(hours=period.count)
    day = (due_at - _TICK).astimezone(calendar.tzinfo).date()  # closing "24:00" belongs to the day that it ends
    back = period.count
    if period.unit == "business days":
        back = (day - _worked_back(day, period.count, calendar)).days
    return _days_earlier(due_at, back, calendar)


def _worked_back(day: date, count: int, calendar: Calendar) -> date:
    while count:
        day -= _DAY
        count -= is_worked(day, calendar)
    return day


def _days_earlier(instant: datetime, days: int, calendar: Calendar) -> datetime:
    """The same local time `days` days before."""
    local = instant.astimezone(calendar.tzinfo)
    return (local.replace(tzinfo=None) - days * _DAY).replace(tzinfo=calendar.tzinfo).astimezone(UTC)


def _earlier(instant: datetime, started_at: datetime, quiet: Quiet, calendar: Calendar) -> datetime:
    """Out of the quiet hours and off closed days, by going back; where that would be before the start, unmoved."""
    moved = _off_closed_days(_out_of_hours(instant, quiet, calendar), quiet, calendar)
    return moved if moved > started_at else instant


def _out_of_hours(instant: datetime, quiet: Quiet, calendar: Calendar) -> datetime:
    if quiet.begins is None or quiet.ends is None or quiet.begins == quiet.ends:
        return instant
    local = instant.astimezone(calendar.tzinfo)
    now = local.time()
    over_midnight = quiet.begins > quiet.ends
    evening, morning = now > quiet.begins, now < quiet.ends
    if not (evening or morning if over_midnight else evening and morning):
        return instant
    day = local.date() - _DAY if over_midnight and morning else local.date()
    return datetime.combine(day, quiet.begins, calendar.tzinfo).astimezone(UTC)


def _off_closed_days(instant: datetime, quiet: Quiet, calendar: Calendar) -> datetime:
    if not quiet.business_days:
        return instant
    day = instant.astimezone(calendar.tzinfo).date()
    back = next((n for n in range(_YEAR) if is_worked(day - n * _DAY, calendar)), 0)
    return _days_earlier(instant, back, calendar)


def lead(clock: Clock) -> datetime:
    """When the scheduled update of a repeated promise goes out."""
    return clock.due_at - min(LEAD, (clock.due_at - clock.started_at) / 4)


def team_due(clock: Clock, at: datetime, policy: Policy, quiet: Quiet, *, fell: bool) -> tuple[datetime, ...]:
    """The team's instants up to `at` at which nothing has been said yet, in order: warnings, the due instant where the
    clock `fell` just now, and the last of the days after."""
    said = clock.warned_at
    unsaid = [i for i in warnings(clock, policy, quiet) if i <= at and (said is None or i > said)]
    if fell:
        unsaid.append(clock.due_at)
    last = _daily_until(at, policy, quiet)
    after = max(said or clock.due_at, clock.due_at)
    if clock.missed_at == clock.due_at and last is not None and last > after:
        unsaid.append(last)
    return tuple(unsaid)


def wake(clock: Clock, at: datetime, policy: Policy, quiet: Quiet, *, told: bool) -> datetime | None:
    """The next instant after `at` at which something is to be done for the clock. `told`: researchers read of it."""
    stands = standing(clock)
    if stands in (Standing.MET, Standing.LATE, Standing.WAIVED, Standing.PAUSED):
        return None
    said = max(at, clock.warned_at or at)
    if stands is Standing.MISSED:
        return _daily_after(max(said, clock.due_at), policy, quiet)
    waiting = [i for i in warnings(clock, policy, quiet) if i > said]
    heard = max(at, clock.told_at or at)
    if told:
        waiting += [i for i in reminders(clock, policy) if i > heard]
        waiting += [lead(clock)] if clock.every and lead(clock) > heard else []
    return min([*waiting, clock.due_at])


def _daily(day: date, policy: Policy, quiet: Quiet) -> datetime:
    """When the team hears of what is missed on that day: at the end of its quiet hours, else at closing."""
    closing = policy.calendar.closing
    minutes = closing if quiet.ends is None else quiet.ends.hour * 60 + quiet.ends.minute
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=policy.calendar.tzinfo).astimezone(UTC)


def _daily_after(instant: datetime, policy: Policy, quiet: Quiet) -> datetime:
    """The first such instant after `instant`."""
    day = instant.astimezone(policy.calendar.tzinfo).date() - _DAY
    following = (_daily(d, policy, quiet) for n in range(_YEAR) if _told_on(d := day + n * _DAY, policy, quiet))
    return next((i for i in following if i > instant), instant + _DAY)


def _daily_until(instant: datetime, policy: Policy, quiet: Quiet) -> datetime | None:
    """The last such instant up to `instant`."""
    day = instant.astimezone(policy.calendar.tzinfo).date()
    before = (_daily(d, policy, quiet) for n in range(_YEAR) if _told_on(d := day - n * _DAY, policy, quiet))
    return next((i for i in before if i <= instant), None)


def _told_on(day: date, policy: Policy, quiet: Quiet) -> bool:
    return not quiet.business_days or is_worked(day, policy.calendar)
