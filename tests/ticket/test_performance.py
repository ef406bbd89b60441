"""What came of promises, how long they took, and the ten measures: from rows as values, at a given instant."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import AT
from triaged.ticket.events import State
from triaged.ticket.performance import Outcome, Report, Round, by_version, measures, outcome, records, times

DAY = timedelta(days=1)
ONE = Round("IMS-7F3K-9QXD", "security", "ims-network", "1", "assess", 1, AT, AT + 7 * DAY)
ONCE = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("changes", "at", "expected"),
    [
        ({"met_at": AT + 7 * DAY}, 30, Outcome.KEPT),
        ({"met_at": AT + 7 * DAY, "unchanged": True}, 30, Outcome.KEPT_UNCHANGED),
        ({"met_at": AT + 7 * DAY + ONCE}, 30, Outcome.LATE),
        ({"met_at": AT + 8 * DAY, "unchanged": True}, 30, Outcome.LATE),
        ({}, 6, Outcome.OPEN),
        ({}, 7, Outcome.MISSED),
        ({}, 30, Outcome.MISSED),
        ({"paused": True}, 30, Outcome.OPEN),
        ({"waived_at": AT + 6 * DAY}, 30, Outcome.WAIVED),
        ({"waived_at": AT + 8 * DAY}, 30, Outcome.MISSED),  # nobody can waive a miss away
    ],
)
def test_each_promise_has_one_outcome(changes: dict[str, object], at: int, expected: Outcome) -> None:
    """Missed: due passed unmet, whether or not a row says so yet. Late: met after that."""
    assert outcome(replace(ONE, **changes), AT + at * DAY) is expected  # type: ignore[arg-type]


instants = st.integers(0, 40).map(lambda days: AT + days * DAY)
rounds = st.builds(
    Round,
    ref=st.just("A"),
    mailbox=st.just("m"),
    policy=st.just("p"),
    version=st.sampled_from(["1", "2"]),
    promise=st.sampled_from(["acknowledge", "assess", "update"]),
    number=st.just(1),
    started_at=st.just(AT),
    due_at=instants,
    met_at=st.none() | instants,
    waived_at=st.none() | instants,
    paused=st.booleans(),
    unchanged=st.booleans(),
)


@given(st.lists(rounds, max_size=30), instants)
def test_outcomes_add_up_to_what_was_made(some: list[Round], at: datetime) -> None:
    """In all, and by version."""
    kept = records(some, at)
    assert Counter(one.promise for one in some) == {one.promise: one.made for one in kept}
    assert all(sum(one.counts.values()) == one.made and set(one.counts) == set(Outcome) for one in kept)
    assert sum(one.made for _, _, group in by_version(some, at) for one in group) == len(some)


def test_times_are_the_median_the_nearest_rank_and_the_worst() -> None:
    found = times(n * DAY for n in range(10, 0, -1))
    assert (found.count, found.median, found.p90, found.worst) == (10, 5.5 * DAY, 9 * DAY, 10 * DAY)
    assert times([]).median is None
    assert times([DAY]) == replace(times([DAY, DAY]), count=1)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=900)), min_size=1))
def test_nine_in_ten_took_no_longer_than_the_90th_percentile(spans: list[timedelta]) -> None:
    found = times(spans)
    assert found.median is not None and found.p90 is not None and found.worst is not None
    assert sum(span <= found.p90 for span in spans) * 10 >= len(spans) * 9
    assert min(spans) <= found.median <= found.p90 <= found.worst == max(spans) or len(spans) == 1


def test_late_ones_count_among_the_times_and_open_ones_do_not() -> None:
    some = [replace(ONE, met_at=AT + 2 * DAY), replace(ONE, met_at=AT + 9 * DAY), ONE]
    (record,) = records(some, AT + 30 * DAY)
    assert (record.times.count, record.times.worst) == (2, 9 * DAY)


def measured(*reports: Report) -> dict[str, object]:
    found = measures(reports, AT + 100 * DAY)
    assert len(found) == 10 and all(bool(one.why) is (one.value is None) for one in found)
    return {one.name: one.value for one in found}


def test_the_ten_measures_of_bod_20_01() -> None:
    """CISA BOD 20-01: counts, ages of open valid reports, and median times."""
    fixed = Report(AT, State.FIXED, AT + 2 * DAY, True, AT + 40 * DAY, AT + DAY)
    old = Report(AT, State.FIXING, AT + 4 * DAY, True, None, AT + 3 * DAY)
    young = Report(AT + 90 * DAY, State.ACCEPTED, AT + 91 * DAY, True, None, AT + 90 * DAY)
    declined = Report(AT, State.DECLINED, AT + 6 * DAY)
    unread = Report(AT, State.RECEIVED)
    assert measured(fixed, old, young, declined, unread) == {
        "reports": 5,
        "valid": 3,
        "open_valid": 2,
        "open_valid_median_age": 55 * DAY,
        "open_valid_over_90_days": 1,
        "open_valid_over_90_days_by_priority": None,
        "open_valid_over_90_days_median_age": 100 * DAY,
        "median_time_to_validate": 3 * DAY,
        "median_time_to_remediate": 40 * DAY,
        "median_time_to_respond": DAY,
    }


def test_what_cannot_be_known_is_none_with_the_reason() -> None:
    found = measured(Report(AT, State.RECEIVED))
    assert found["reports"] == 1 and found["median_time_to_validate"] is None
    assert found["open_valid_over_90_days_by_priority"] is None


def test_ninety_days_to_the_instant_are_not_over_90_days() -> None:
    edge = Report(AT + 10 * DAY, State.ACCEPTED, AT + 11 * DAY, True)
    assert measured(edge)["open_valid_over_90_days"] == 0
    assert measured(replace(edge, received_at=edge.received_at - ONCE))["open_valid_over_90_days"] == 1
