"""The times of retrying, against a table (SM-5, IM-11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from triaged.mail.retry import hold_until, next_attempt, reconnect_delay

FIRST = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_a_letter_is_tried_again_quickly_at_first_then_every_two_hours_for_five_days() -> None:
    """SM-5: two tries and more in the first hour, then patiently."""
    times: list[timedelta] = []
    at = FIRST
    while (due := next_attempt(len(times) + 1, FIRST, at)) is not None:
        times.append(due - FIRST)
        at = due
    assert [time / timedelta(minutes=1) for time in times[:6]] == [1, 6, 21, 51, 171, 291]
    assert times[-1] <= timedelta(days=5) < times[-1] + timedelta(hours=2)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 5), (4, 15), (5, 60), (6, 60), (1000, 60)]
)
def test_an_unreachable_server_is_asked_again_within_a_minute(failures: int, seconds: int) -> None:
    assert hold_until(failures, FIRST, "server") == FIRST + timedelta(seconds=seconds)


def test_a_refused_login_waits_a_quarter_of_an_hour_and_one_letters_refusal_holds_nothing() -> None:
    """IM-11, SM-4: a password tried often locks the account."""
    assert hold_until(1, FIRST, "login") == FIRST + timedelta(minutes=15)
    assert hold_until(9, FIRST, "letter") == FIRST


@pytest.mark.parametrize("failures", [0, 1, 2, 5, 9, 10, 100, 10**6])
def test_reconnecting_waits_between_one_second_and_five_minutes(failures: int) -> None:
    """IM-11."""
    assert all(1 <= reconnect_delay(failures, chance) <= 300 for chance in (0.0, 0.5, 0.999))


def test_reconnecting_waits_longer_each_time() -> None:
    delays = [reconnect_delay(failures, 0.0) for failures in range(1, 12)]
    assert delays == sorted(delays)
    assert delays[0] == 1 and delays[-1] == 300
