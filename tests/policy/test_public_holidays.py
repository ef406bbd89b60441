"""Public holidays by country: the same as the package gives, at a part of its cost, and never a silent guess."""

import subprocess
import sys
from datetime import date

import holidays
import pytest

from triaged.policy import public_holidays
from triaged.policy.calendar import Calendar, doubts


@pytest.mark.parametrize("country", ["IL", "NL", "CH", "US", "GB", "AE", "IN", "NP", "CN", "AX", "PR", "GU"])
def test_a_country_imported_alone_has_the_same_holidays(country):
    for year in (2026, 2027):
        assert public_holidays.year(country, "", year).holidays == frozenset(
            holidays.country_holidays(country, years=year)
        )


def test_a_canton_has_holidays_of_its_own():
    assert date(2026, 5, 1) in public_holidays.year("CH", "ZH", 2026).holidays
    assert date(2026, 5, 1) not in public_holidays.year("CH", "", 2026).holidays


def test_every_known_country_can_be_read():
    for country in public_holidays.countries():
        assert isinstance(public_holidays.weekend(country), frozenset)


def test_only_the_countries_that_are_named_are_imported_and_the_rest_stays_importable():
    program = """
import sys
from triaged.policy import public_holidays
public_holidays.year("IL", "", 2026)
countries = [name for name in sys.modules if name.startswith("holidays.countries")]
assert countries == ["holidays.countries.israel"], countries
import holidays
assert len(holidays.country_holidays("FR", years=2026)) == 11
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_year_beyond_the_data_is_said():
    where = Calendar(
        zone="Asia/Kolkata",
        country="IN",
        subdivision="",
        weekend=frozenset({6}),
        country_weekend=False,
        closed=frozenset(),
        worked=frozenset(),
        closing=1440,
    )
    assert doubts(where, range(2026, 2028)) == ()
    assert "2035" in " ".join(doubts(where, range(2035, 2038)))
