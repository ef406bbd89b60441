"""What may happen to a clock, move by move; how pauses, extensions and reopenings count."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.ticket.scene import AT
from tests.ticket.tending_scene import DAY, HOUR, OFFICE, WORKED, at
from triaged.policy.calendar import due
from triaged.policy.period import parse_period
from triaged.ticket import transitions
from triaged.ticket.clocks import Clock, Standing, Waiver, standing
from triaged.ticket.transitions import TABLE, Move, Moved

DUE = AT + 7 * DAY
CLOCK = Clock("assess", "We assess.", None, AT, DUE, True, "7 days")
EXAMPLES = {
    Standing.RUNNING: CLOCK,
    Standing.PAUSED: replace(CLOCK, paused_at=AT + DAY),
    Standing.MISSED: replace(CLOCK, missed_at=DUE),
    Standing.MET: replace(CLOCK, met_at=DUE),
    Standing.LATE: replace(CLOCK, met_at=DUE + DAY, missed_at=DUE),
    Standing.WAIVED: replace(CLOCK, waived=Waiver("member:Dana", "spam", AT)),
}


def made(move: Move, clock: Clock) -> Moved | None:
    later = clock.due_at + DAY
    return {
        Move.MISS: lambda: transitions.miss(clock),
        Move.MEET: lambda: transitions.meet(clock, AT + DAY, "<a@b>"),
        Move.REOPEN: lambda: transitions.reopen(clock),
        Move.WAIVE: lambda: transitions.waive(clock, "member:Dana", "spam", AT),
        Move.PAUSE: lambda: transitions.pause(clock, AT + DAY),
        Move.RESUME: lambda: transitions.resume(clock, AT + 2 * DAY, WORKED),
        Move.EXTEND: lambda: transitions.extend(clock, later, "member:Dana", "the vendor is slow"),
        Move.SHORTEN: lambda: transitions.shorten(clock, AT + DAY, "it is exploited"),
    }[move]()


@pytest.mark.parametrize("stands", EXAMPLES)
def test_how_a_clock_stands_follows_from_its_instants(stands: Standing) -> None:
    assert standing(EXAMPLES[stands]) is stands


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("stands", EXAMPLES)
def test_a_move_happens_where_the_table_says_so_and_each_is_one_event(stands: Standing, move: Move) -> None:
    moved = made(move, EXAMPLES[stands])
    allowed, kind = TABLE[move]
    assert (moved is not None) == (stands in allowed)
    if moved is not None:
        assert moved.event.kind is kind and moved.clock != EXAMPLES[stands]
        assert (moved.event.data["promise"], moved.event.data["round"]) == ("assess", 1)


def test_a_letter_at_the_due_instant_is_in_time_and_one_after_it_is_late() -> None:
    in_time, late = transitions.meet(CLOCK, DUE), transitions.meet(CLOCK, DUE + timedelta(microseconds=1))
    assert in_time and standing(in_time.clock) is Standing.MET
    assert late and standing(late.clock) is Standing.LATE


def test_only_a_promise_that_says_so_stands_still_and_only_before_it_is_due() -> None:
    assert transitions.pause(replace(CLOCK, pauses=False), AT) is None
    assert transitions.pause(CLOCK, DUE) is None


# period, calendar, due without a pause, paused, resumed, due with it: days of November 2026, the 21st and 22nd a weekend
PAUSES = {
    "days: by the dates between": ("7 days", WORKED, "28 00:00", "23 10:00", "25 08:00", "30 00:00"),
    "days: within one day by nothing": ("7 days", WORKED, "28 00:00", "23 01:00", "23 23:00", "28 00:00"),
    "days: to the closing": ("7 days", OFFICE, "27 17:00", "23 10:00", "25 08:00", "29 17:00"),
    "business days: by the days worked": ("3 business days", WORKED, "26 00:00", "24 10:00", "26 08:00", "28 00:00"),
    "business days: over a weekend": ("2 business days", WORKED, "25 00:00", "20 10:00", "23 08:00", "26 00:00"),
    "business days: a weekend alone": ("5 business days", WORKED, "28 00:00", "21 10:00", "22 10:00", "28 00:00"),
    "hours: by the hours": ("48 hours", WORKED, "22 09:12", "21 10:00", "21 10:30", "22 09:42"),
    "hours: by nothing, the clock set back": ("48 hours", WORKED, "22 09:12", "21 10:00", "20 10:30", "22 09:12"),
}


def november(text: str) -> datetime:
    return at(f"2026-11-{text}")


@pytest.mark.parametrize("name", PAUSES)
def test_a_pause_moves_the_due_instant_in_the_promises_own_counting(name: str) -> None:
    written, calendar, before, paused, resumed, after = PAUSES[name]
    period = parse_period(written)
    assert period is not None
    clock = replace(CLOCK, period=written, due_at=due(AT, period, calendar))
    assert clock.due_at == november(before)
    stopped = transitions.pause(clock, november(paused))
    assert stopped is not None
    moved = transitions.resume(stopped.clock, november(resumed), calendar)
    assert moved is not None
    assert (moved.clock.due_at, moved.clock.paused_at) == (november(after), None)


def test_only_a_member_moves_a_date_later_and_never_by_nothing() -> None:
    assert transitions.extend(CLOCK, DUE, "member:Dana", "no reason") is None
    assert transitions.shorten(CLOCK, DUE + HOUR, "no reason") is None
    moved = transitions.extend(replace(CLOCK, missed_at=DUE), DUE + DAY, "member:Dana", "the vendor is slow")
    assert moved is not None
    assert standing(moved.clock) is Standing.RUNNING and moved.clock.missed_at == DUE, (
        "that it was missed stays on record"
    )
    assert (moved.event.actor, moved.event.data["why"]) == ("member:Dana", "the vendor is slow")


def test_a_bounce_opens_the_promise_again_with_its_due_instant() -> None:
    met = transitions.meet(CLOCK, AT + HOUR, "<a@b>")
    assert met is not None and met.event.data["letter"] == "<a@b>"
    again = transitions.reopen(met.clock)
    assert again is not None and again.clock == CLOCK
