"""When the team is warned: shares, offsets, quiet hours, business days, the days after (law 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ticket.scene import AT
from tests.ticket.tending_scene import DAY, OFFICE, WORKED, at, opened, promise, tended
from tests.ticket.tending_scene import desk as desk_of
from triaged.ticket import instants
from triaged.ticket.instants import NEVER_QUIET, Quiet

NIGHT = Quiet(time(22), time(7))
LUNCH = Quiet(time(12), time(13, 30))
WORKDAYS = Quiet(business_days=True)

# Received Friday 2026-11-20 09:12 UTC; weekend Saturday and Sunday.
WARNINGS = {
    "a share of the time": ("48 hours", ("50%",), NEVER_QUIET, WORKED, ["2026-11-21 09:12"]),
    "a share to the closing": ("7 days", ("50%",), NEVER_QUIET, WORKED, ["2026-11-24 04:36"]),
    "hours before": ("48 hours", ("6 hours",), NEVER_QUIET, WORKED, ["2026-11-22 03:12"]),
    "a day before, same local time": ("7 days", ("1 day",), NEVER_QUIET, OFFICE, ["2026-11-26 17:00"]),
    "the business day before a Monday": ("10 days", ("1 business day",), NEVER_QUIET, OFFICE, ["2026-11-27 17:00"]),
    "the end of a day belongs to that day": ("10 days", ("1 business day",), NEVER_QUIET, WORKED, ["2026-11-28 00:00"]),
    "in order, each once": ("8 days", ("1 day", "50%", "50%"), NEVER_QUIET, OFFICE, ["2026-11-24 13:06", "2026-11-27 17:00"]),
    "one before the start is none": ("24 hours", ("2 days",), NEVER_QUIET, WORKED, []),
    "out of the night, to its beginning": ("7 days", ("50%",), NIGHT, WORKED, ["2026-11-23 22:00"]),
    "midnight is of the evening before": ("7 days", ("1 day",), NIGHT, WORKED, ["2026-11-26 22:00"]),
    "the beginning is not quiet": ("58 hours", ("50%",), replace(NIGHT, begins=time(14, 12)), WORKED, ["2026-11-21 14:12"]),
    "within one day": ("7 days", ("2 days",), LUNCH, replace(WORKED, closing=13 * 60), ["2026-11-25 12:00"]),
    "off a closed day": ("6 days", ("50%",), WORKDAYS, WORKED, ["2026-11-23 16:36"]),
    "off a Sunday, to the Friday": ("4 days", ("50%",), WORKDAYS, OFFICE, ["2026-11-20 13:06"]),
    "never to before the start": ("20 hours", ("10%",), Quiet(time(9), time(12)), OFFICE, ["2026-11-20 11:12"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNINGS)
def test_the_team_is_warned_at(name: str) -> None:
    period, warns, quiet, calendar, expected = WARNINGS[name]
    house = desk_of(promise("assess", period, *warns), calendar=calendar)
    found = instants.warnings(opened(house).clocks[0], house.policy, quiet)
    assert [f"{i:%Y-%m-%d %H:%M}" for i in found] == expected


def test_quiet_hours_are_those_of_the_policys_zone() -> None:
    house = desk_of(promise("assess", "48 hours", "50%"), calendar=replace(WORKED, zone="Asia/Tokyo"))
    ticket = opened(house, at("2026-11-20 15:00"))  # half is midnight of the 22nd in Tokyo
    assert instants.warnings(ticket.clocks[0], house.policy, NIGHT) == (at("2026-11-21 13:00"),)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 40 * 24 * 60),
    st.sampled_from([("1 day", ("50%",)), ("9 days", ("33%", "2 days", "1 business day")), ("30 hours", ("5 hours",))]),
    st.tuples(st.integers(0, 23), st.integers(0, 23)),
    st.booleans(),
)
def test_quiet_hours_only_move_a_warning_earlier(
    minutes: int, how: tuple[str, tuple[str, ...]], hours: tuple[int, int], business_days: bool
) -> None:
    """Law 8: none is lost, none comes later than without them, none comes before the clock starts or after it is due."""
    house = desk_of(promise("assess", how[0], *how[1]), calendar=replace(OFFICE, zone="Europe/Amsterdam"))
    clock = opened(house, at("2026-03-10 00:00") + minutes * DAY / 1440).clocks[0]
    quiet = Quiet(time(hours[0]), time(hours[1]), business_days)
    plain, moved = (instants.warnings(clock, house.policy, q) for q in (NEVER_QUIET, quiet))
    assert bool(plain) == bool(moved)
    assert all(clock.started_at < i < clock.due_at for i in moved)
    assert all(any(m <= p for m in moved) for p in plain)
    assert all(any(p >= m for p in plain) for m in moved)


def _daily(quiet: Quiet, days: float) -> list[datetime]:
    """When the team hears of a promise that was due on Thursday 26 November, 17:00."""
    house = replace(desk_of(promise("assess", "6 days"), calendar=OFFICE), quiet=quiet)
    ticket, heard = opened(house), []
    wake_at = tended(ticket, house, AT)[1].wake_at
    while wake_at is not None and wake_at < AT + days * DAY:
        ticket, result = tended(ticket, house, wake_at)
        heard += [wake_at] if result.letters else []
        wake_at = result.wake_at
    return heard


@pytest.mark.parametrize(
    ("quiet", "expected"),
    [
        (NEVER_QUIET, ["26 17:00", "27 17:00", "28 17:00", "29 17:00", "30 17:00"]),
        (NIGHT, ["26 17:00", "27 07:00", "28 07:00", "29 07:00", "30 07:00"]),
        (Quiet(time(22), time(7), True), ["26 17:00", "27 07:00", "30 07:00"]),
    ],
)
def test_what_is_missed_is_told_at_the_due_instant_and_every_day_after(quiet: Quiet, expected: list[str]) -> None:
    assert [f"{i:%d %H:%M}" for i in _daily(quiet, 10.5)] == expected


def test_the_mail_at_the_due_instant_is_never_moved() -> None:
    """Law 8: a miss in the night or on a Sunday is told then."""
    house = replace(desk_of(promise("assess", "44 hours")), quiet=Quiet(time(22), time(7), True))
    ticket = opened(house)
    _, result = tended(ticket, house, AT)
    assert result.wake_at == at("2026-11-22 05:12")
    assert tended(ticket, house, at("2026-11-22 05:12"))[1].letters


def test_a_clock_that_was_set_back_is_not_woken_for_what_was_said() -> None:
    house = desk_of(promise("assess", "7 days", "50%", "1 day"), promise("update", "9 days", "50%", every=True))
    ticket, _ = tended(opened(house), house, at("2026-11-27 12:00"))  # every warning has been said
    _, result = tended(ticket, house, AT)
    assert result.wake_at == at("2026-11-27 20:00")
