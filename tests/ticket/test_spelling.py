"""Days as people write them: read right, or not at all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ticket.spelling import day_of

TODAY = date(2026, 11, 28)  # a Saturday


@pytest.mark.parametrize(
    ("words", "day", "rest"),
    [
        ("2026-12-24 the vendor needs it", date(2026, 12, 24), "the vendor needs it"),
        ("24.12.2026", date(2026, 12, 24), ""),
        ("24/12/2026", date(2026, 12, 24), ""),
        ("12/24/2026", date(2026, 12, 24), ""),
        ("4/4/2027", date(2027, 4, 4), ""),
        ("24 December 2026 because", date(2026, 12, 24), "because"),
        ("24 Dec", date(2026, 12, 24), ""),
        ("December 24th, 2026 x", date(2026, 12, 24), "x"),
        ("dec. 24", date(2026, 12, 24), ""),
        ("1 January", date(2027, 1, 1), ""),
        ("28 November", date(2027, 11, 28), ""),
        ("29 feb", date(2028, 2, 29), ""),
        ("by 24 Dec 2026", date(2026, 12, 24), ""),
        ("today", TODAY, ""),
        ("tomorrow morning", date(2026, 11, 29), "morning"),
        ("friday", date(2026, 12, 4), ""),
        ("Saturday", date(2026, 12, 5), ""),
        ("next fri", date(2026, 12, 4), ""),
        ("in 2 weeks we know more", date(2026, 12, 12), "we know more"),
        ("3 days", date(2026, 12, 1), ""),
        ("in 1 month", date(2026, 12, 28), ""),
        ("in 3 months", date(2027, 2, 28), ""),
    ],
)
def test_a_day_is_read_as_people_write_it(words: str, day: date, rest: str) -> None:
    assert day_of(words, TODAY) == (day, rest)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "soon",
        "3/4/2026",
        "31 February",
        "2026-13-01",
        "32.1.2027",
        "ju 3",
        "t 1",
        "maybe 5",
        "week",
        "in 2000 days",
        "24",
    ],
)
def test_what_could_be_two_days_or_none_is_no_day(words: str) -> None:
    assert day_of(words, TODAY) is None


@given(
    st.dates(date(2026, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["{:%Y-%m-%d}", "{:%d.%m.%Y}", "{:%-d %B %Y}", "{:%B %-d, %Y}", "{:%-d %b %Y}"]),
)
def test_every_day_written_whole_is_read_as_itself(day: date, form: str) -> None:
    assert day_of(f"{form.format(day)} and a reason", TODAY) == (day, "and a reason")


@given(st.text(max_size=60))
def test_no_words_make_it_raise(words: str) -> None:
    found = day_of(words, TODAY)
    assert found is None or found[0] >= TODAY - timedelta(days=366 * 9999)
