"""The policies that ship: each loads, and each promise stands in its text or says that it was added."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from triaged.policy.load import PolicyError, load_policy
from triaged.policy.preview import preview

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
NAMES = ["ims-network", "responsible-disclosure", "good-faith-rules"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_policy_loads_with_its_published_text(name):
    policy = load_policy(POLICIES / f"{name}.toml")
    assert policy.name == name
    assert policy.text == (POLICIES / f"{name}.txt").read_bytes().decode()
    assert [promise.name for promise in policy.promises] == ["acknowledge", "assess", "update"]


def test_the_assessment_within_3_business_days_is_kept_by_a_person_only():
    """S1-6: the automatic acknowledgement does not satisfy it."""
    assess = load_policy(POLICIES / "responsible-disclosure.toml").promise("assess")
    assert assess is not None
    assert (str(assess.within), assess.met_by, assess.source) == ("3 business days", "human", "text")


def test_the_rules_without_promises_gain_only_added_ones():
    """S2-x: no clock stands in that text."""
    promises = load_policy(POLICIES / "good-faith-rules.toml").promises
    assert {(promise.source, promise.number) for promise in promises} == {("added", "chosen")}


def test_a_number_that_no_text_gives_says_that_it_was_chosen():
    """S0-8, S0-9: the text gives a number for the acknowledgement only."""
    promises = load_policy(POLICIES / "ims-network.toml").promises
    assert [(promise.name, promise.number) for promise in promises] == [
        ("acknowledge", "text"),
        ("assess", "chosen"),
        ("update", "chosen"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_promise_stands_still_because_no_text_allows_it(name):
    assert not any(promise.pauses for promise in load_policy(POLICIES / f"{name}.toml").promises)


def test_a_report_of_friday_noon_is_owed_its_acknowledgement_by_tuesday_night_in_jerusalem():
    policy = load_policy(POLICIES / "ims-network.toml")
    assert preview(policy, datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) == {
        "received": "2026-11-20T10:00:00Z",
        "promises": [
            {
                "promise": name,
                "clause": policy.promise(name).clause,
                "due_at": due_at,
                "due_local": due_local,
                "calendar": "Asia/Jerusalem, holidays of IL, weekend fri sat, closing 24:00",
            }
            for name, due_at, due_local in [
                ("acknowledge", "2026-11-24T22:00:00Z", "2026-11-25T00:00+02:00"),
                ("assess", "2026-11-27T22:00:00Z", "2026-11-28T00:00+02:00"),
                ("update", "2026-12-03T22:00:00Z", "2026-12-04T00:00+02:00"),
            ]
        ],
    }


@pytest.mark.parametrize("year", [1, 1970, 9900, 9999])
def test_an_instant_at_the_end_of_time_is_a_sentence(year):
    with pytest.raises(PolicyError, match="lies outside the years 1971 to 9899"):
        preview(load_policy(POLICIES / "ims-network.toml"), datetime(year, 12, 31, tzinfo=UTC))
