"""The worked examples of counting, each through a policy file of its own, and what holds for every calendar."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.policy.calendar import Calendar, due, due_local, in_letters, is_worked, zone
from triaged.policy.load import load_policy
from triaged.policy.period import Period
from triaged.policy.preview import preview

CASES = list(csv.DictReader((Path(__file__).parent.parent / "cases" / "business-days.csv").read_text().splitlines()))


def _quoted(days: str) -> str:
    return "[" + ", ".join(f'"{day}"' for day in days.split(";") if day) + "]"


def policy_file(case: dict[str, str]) -> str:
    return f"""
[policy]
organisation = "Case {case["id"]}"
prefix = "CASE"
contact = "security@example.test"
version = "1"

[calendar]
zone = "{case["zone"]}"
country = "{case["country"]}"
subdivision = "{case["subdivision"]}"
weekend = {_quoted(case["weekend"])}
closed = {_quoted(case["closed"])}
worked = {_quoted(case["worked"])}
closing = "{case["closing"]}"

[[promise]]
name = "acknowledge"
clause = "within {case["within"]}"
source = "added"
within = "{case["within"]}"
"""


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_every_worked_example_is_due_at_its_exact_instant(case, tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(policy_file(case))
    shown = preview(load_policy(path), datetime.fromisoformat(case["received"]))
    assert shown["received"] == case["received"]
    assert shown["promises"][0]["due_at"] == case["due_at"]
    local = datetime.fromisoformat(shown["promises"][0]["due_local"])
    assert local == datetime.fromisoformat(case["due_at"])


def test_there_are_58_worked_examples():
    assert len(CASES) == 58


def calendar(**changes) -> Calendar:
    given_ = {
        "zone": "Asia/Jerusalem",
        "country": "IL",
        "subdivision": "",
        "weekend": frozenset({4, 5}),
        "country_weekend": False,
        "closed": frozenset(),
        "worked": frozenset(),
        "closing": 1440,
    }
    return Calendar(**{**given_, **changes})


DUTCH = calendar(zone="Europe/Amsterdam", country="NL", weekend=frozenset({5, 6}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_closing_of_24_00_is_midnight_locally_and_the_end_of_the_day_in_letters():
    instant = due(at("2026-11-19T21:59:59Z"), Period(3, "business days"), calendar())
    assert due_local(instant, calendar()) == "2026-11-25T00:00+02:00"
    assert in_letters(instant, calendar()) == "by the end of Tuesday, 24 November 2026 (Asia/Jerusalem)"


def test_a_closing_in_the_day_is_named_with_its_time_in_letters():
    office = calendar(closing=17 * 60)
    instant = due(at("2026-11-19T21:59:59Z"), Period(3, "business days"), office)
    assert due_local(instant, office) == "2026-11-24T17:00+02:00"
    assert in_letters(instant, office) == "by 17:00 on Tuesday, 24 November 2026 (Asia/Jerusalem)"


def test_a_fixed_offset_is_named_as_one_in_letters():
    fixed = calendar(zone="+01:00", country="CH", subdivision="ZH", weekend=frozenset({5, 6}))
    instant = due(at("2026-07-15T22:30:00Z"), Period(3, "business days"), fixed)
    assert in_letters(instant, fixed) == "by the end of Monday, 20 July 2026 (UTC+01:00)"


def test_a_midnight_that_does_not_exist_is_the_instant_the_clocks_went_forward():
    cairo = calendar(zone="Africa/Cairo", country="EG")
    instant = due(at("2026-04-22T10:00:00Z"), Period(1, "business days"), cairo)
    assert instant == at("2026-04-23T22:00:00Z")
    assert due_local(instant, cairo) == "2026-04-24T01:00+03:00"
    assert in_letters(instant, cairo) == "by the end of Thursday, 23 April 2026 (Africa/Cairo)"


def test_a_closing_inside_the_gap_of_spring_is_the_first_valid_instant_after_it():
    early = calendar(zone="Europe/Amsterdam", country="NL", weekend=frozenset({0}), closing=150)
    assert due(at("2026-03-28T12:00:00Z"), Period(1, "days"), early) == at("2026-03-29T01:00:00Z")


def test_a_closing_that_comes_twice_in_autumn_is_due_the_first_time():
    early = calendar(zone="Europe/Amsterdam", country="NL", weekend=frozenset({0}), closing=150)
    assert due(at("2026-10-24T10:00:00Z"), Period(1, "days"), early) == at("2026-10-25T00:30:00Z")


def test_a_closing_just_after_a_midnight_that_does_not_exist_is_still_on_its_day():
    early = calendar(zone="Africa/Cairo", weekend=frozenset(), country="", closing=1)
    instant = due(at("2027-04-29T10:00:00Z"), Period(1, "business days"), early)
    assert due_local(instant, early) == "2027-04-30T01:00+03:00"


def test_a_day_that_a_zone_left_out_ends_at_once():
    """Samoa had no 30 December 2011."""
    apia = calendar(zone="Pacific/Apia", country="WS", weekend=frozenset({6}), closing=720)
    assert due(at("2011-12-29T12:00:00Z"), Period(1, "days"), apia) == at("2011-12-30T10:00:00Z")


def test_worked_beats_weekend_holiday_and_closed():
    day = date(2026, 12, 25)
    assert not is_worked(day, DUTCH)
    assert is_worked(
        day, calendar(zone="Europe/Amsterdam", country="NL", worked=frozenset({day}), closed=frozenset({day}))
    )


def test_a_country_that_moves_its_working_days_is_followed_where_the_weekend_is_its_own():
    saturday = date(2024, 2, 4)  # worked in China for the Spring Festival; a Sunday
    china = {"zone": "Asia/Shanghai", "country": "CN", "weekend": frozenset({5, 6})}
    assert is_worked(saturday, calendar(**china, country_weekend=True))
    assert not is_worked(saturday, calendar(**china, country_weekend=False))


def test_days_without_business_end_on_a_closed_day_too():
    assert due(at("2026-11-13T10:00:00Z"), Period(1, "days"), DUTCH) == at("2026-11-14T23:00:00Z")


def test_an_every_that_would_end_on_a_closed_day_ends_on_the_business_day_before():
    fortnight = Period(14, "days")
    assert due(at("2026-11-14T10:00:00Z"), fortnight, DUTCH, every=True) == at("2026-11-27T23:00:00Z")
    assert due(at("2026-11-13T10:00:00Z"), fortnight, DUTCH, every=True) == at("2026-11-27T23:00:00Z")
    assert due(at("2026-11-14T10:00:00Z"), fortnight, DUTCH) == at("2026-11-28T23:00:00Z")


def test_an_every_in_hours_that_would_end_on_a_closed_day_ends_at_the_closing_before():
    assert due(at("2026-11-12T10:00:00Z"), Period(48, "hours"), DUTCH, every=True) == at("2026-11-13T23:00:00Z")
    assert due(at("2026-11-12T10:00:00Z"), Period(48, "hours"), DUTCH) == at("2026-11-14T10:00:00Z")


def test_an_every_is_never_due_before_it_starts():
    assert due(at("2026-11-14T10:00:00Z"), Period(1, "days"), DUTCH, every=True) == at("2026-11-16T23:00:00Z")


def test_hours_are_elapsed_time_whatever_the_clocks_do():
    assert due(at("2026-10-24T23:30:00Z"), Period(24, "hours"), DUTCH) == at("2026-10-25T23:30:00Z")


def test_a_receipt_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        due(datetime(2026, 11, 14), Period(1, "days"), DUTCH)  # noqa: DTZ001 - what is refused


ZONES = ["Asia/Jerusalem", "Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "+01:00"]
PLACES = [("IL", ""), ("NL", ""), ("CH", "ZH"), ("US", "CA"), ("NP", ""), ("", "")]
CALENDARS = st.builds(
    lambda tz, place, weekend, closed, worked, closing: calendar(
        zone=tz,
        country=place[0],
        subdivision=place[1],
        weekend=weekend,
        closed=closed,
        worked=worked,
        closing=closing,
    ),
    st.sampled_from(ZONES),
    st.sampled_from(PLACES),
    st.frozensets(st.integers(0, 6), max_size=5),
    st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20),
    st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=5),
    st.sampled_from([1440, 1020, 1110, 150, 1]),
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
PERIODS = st.builds(Period, st.integers(1, 40), st.sampled_from(["business days", "days", "hours"]))


def last_day(instant: datetime, where: Calendar) -> date:
    """The day whose closing the instant is: with 24:00 the one that ends there, else the one that it lies in."""
    inside = instant - timedelta(seconds=1) if where.closing == 1440 else instant
    return inside.astimezone(zone(where.zone)).date()


@settings(max_examples=4000, deadline=None)
@given(CALENDARS, INSTANTS, PERIODS, st.timedeltas(timedelta(0), timedelta(days=20)), st.booleans())
def test_a_later_report_is_never_due_earlier(where, received, period, later, every):
    if every and period.unit == "hours":
        every = False  # the closing before may lie before a later receipt, which then keeps its hours
    first = due(received, period, where, every=every)
    second = due(received + later, period, where, every=every)
    assert first <= second
    assert first > received or every


@settings(max_examples=4000, deadline=None)
@given(CALENDARS, INSTANTS, st.integers(1, 30))
def test_a_promise_in_business_days_never_ends_on_a_closed_day_and_counts_exactly(where, received, count):
    instant = due(received, Period(count, "business days"), where)
    start = received.astimezone(zone(where.zone)).date()
    last = last_day(instant, where)
    assert is_worked(last, where)
    days = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert sum(is_worked(day, where) for day in days) == count


@settings(max_examples=4000, deadline=None)
@given(CALENDARS, INSTANTS, st.integers(1, 40))
def test_a_repeated_promise_is_due_after_its_start_and_on_a_worked_day(where, received, count):
    instant = due(received, Period(count, "days"), where, every=True)
    assert instant > received
    assert is_worked(last_day(instant, where), where)


@settings(max_examples=2000, deadline=None)
@given(INSTANTS, st.integers(1, 120), st.sampled_from([1440, 1020, 150, 1]), st.sampled_from(ZONES[:5]))
def test_a_due_instant_is_the_closing_of_the_wall_clock_across_changes_of_the_clocks(received, count, closing, name):
    instant = due(received, Period(count, "days"), calendar(zone=name, closing=closing))
    tz = ZoneInfo(name)
    wanted = datetime.combine(received.astimezone(tz).date(), datetime.min.time()) + timedelta(
        days=count, minutes=closing
    )
    local = instant.astimezone(tz).replace(tzinfo=None)
    assert wanted <= local <= wanted + timedelta(hours=1), "a gap moves it on, by the gap at most"
