"""Fix-by and disclosure dates, what brings them nearer, and the duties of the Cyber Resilience Act."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.ticket.scene import AT
from tests.ticket.tending_scene import (
    DAY,
    HOUR,
    UPDATE,
    at,
    clock,
    desk,
    opened,
    promise,
    researchers,
    teams,
    tended,
    undisturbed,
)
from triaged.policy.terms import PROFILES, Disclosure
from triaged.ticket.clocks import Standing, standing
from triaged.ticket.deadlines import announced, exploited, from_facts, start_deadlines
from triaged.ticket.events import EventKind, State
from triaged.ticket.tended import Tended

HOUSE = desk(disclosure=PROFILES["days_90_30"])
DUE = at("2027-02-19 00:00")  # 90 days after 20 November 2026


def due(ticket: Tended, name: str) -> datetime:
    return clock(ticket, name).due_at


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_starts_its_dates_with_the_report(name: str) -> None:
    profile = PROFILES[name]
    found = {c.promise: c.due_at for c in opened(desk(disclosure=profile)).clocks}
    closing = at("2026-11-21 00:00")
    assert found == {"fix": closing + profile.fix_by_days * DAY, "disclose": closing + profile.disclose_days * DAY}


def test_a_promise_of_the_same_name_stands_before_the_profile() -> None:
    house = desk(promise("fix", "30 days"), disclosure=PROFILES["days_90_30"])
    assert [c.promise for c in start_deadlines(house.policy, AT)] == ["disclose"]
    assert start_deadlines(desk(disclosure=Disclosure()).policy, AT) == ()


def test_team_and_researcher_are_reminded_after_60_75_and_85_of_90_days() -> None:
    run = undisturbed(opened(HOUSE), HOUSE, (), DUE - HOUR)
    days = [round((i - AT) / DAY) for i, _ in run.letters]
    assert days == [61, 61, 76, 76, 86, 86], "the end of the 60th day after the day of receipt"
    assert {x.template for _, x in run.letters} == {"deadline", "reminder"}
    assert "A date of IMS-7F3K-9QXD comes near." in run.letters[0][1].text
    assert run.letters[0][1].text.count("by the end of Thursday, 18 February 2027") == 2


def test_a_fix_date_that_passes_is_missed_and_a_publication_date_has_come() -> None:
    _, result = tended(opened(HOUSE), HOUSE, DUE)
    (letter,) = researchers(result.letters)
    assert letter.template == "missed" and letter.text.count("It was due") == 1
    assert "A person has to set a new date." in " ".join(letter.text.split()), "a machine gives no new date for a fix"
    house = desk(disclosure=Disclosure(disclose_days=90))
    (letter,) = researchers(tended(opened(house), house, DUE)[1].letters)
    assert letter.template == "deadline" and "The date of publication of IMS-7F3K-9QXD has come." in letter.text


def test_a_fix_in_time_moves_publication_to_the_days_of_grace_after_it() -> None:
    fixed = opened(HOUSE, state=State.FIXED, since=at("2027-01-10 12:00"))
    ticket, result = tended(fixed, HOUSE, at("2027-01-11 00:00"))
    assert standing(clock(ticket, "fix")) is Standing.MET
    assert due(ticket, "disclose") == at("2027-02-10 00:00")
    again, second = tended(ticket, HOUSE, at("2027-01-12 00:00"))
    assert again.clocks == ticket.clocks and second.events == ()
    assert EventKind.SHORTENED in {e.kind for e in result.events}


def test_a_fix_on_the_last_day_gives_the_days_of_grace_beyond_and_a_late_one_none() -> None:
    ticket, _ = tended(opened(HOUSE, state=State.FIXED, since=DUE - HOUR), HOUSE, DUE)
    assert due(ticket, "disclose") == at("2027-03-21 00:00")
    ticket, _ = tended(opened(HOUSE, state=State.FIXED, since=DUE + HOUR), HOUSE, DUE + 2 * HOUR)
    assert due(ticket, "disclose") == DUE


ANNOUNCED = {
    "2027-01-15": ("2027-01-15 00:00", "ours end when that day begins"),
    "45 days": ("2027-01-05 00:00", "counted as ours are"),
    "2027-12-24": ("2027-02-19 00:00", "a later one moves nothing"),
    "2026-11-19": ("2027-02-19 00:00", "one that is past moves nothing"),
    "2027-02-31": ("2027-02-19 00:00", "no such day"),
    "soon": ("2027-02-19 00:00", "nobody can read it"),
}


@pytest.mark.parametrize("said", ANNOUNCED)
def test_the_researchers_own_date_brings_ours_nearer_and_never_later(said: str) -> None:
    rows = announced(opened(HOUSE).clocks, said, AT, HOUSE.policy)
    assert [c.due_at for c in rows.clocks] == [at(ANNOUNCED[said][0])] * 2, ANNOUNCED[said][1]
    assert len(rows.events) == (2 if at(ANNOUNCED[said][0]) < DUE else 0)
    assert all(e.data["why"] == "the researcher's own date" for e in rows.events)


def test_a_day_is_one_of_the_policys_zone() -> None:
    house = desk(disclosure=PROFILES["days_90_30"])
    policy = replace(house.policy, calendar=replace(house.policy.calendar, zone="Asia/Jerusalem"))
    rows = announced(start_deadlines(policy, AT), "2027-01-15", AT, policy)
    assert rows.clocks[0].due_at == at("2027-01-14 22:00")


def test_a_date_that_came_near_is_warned_of_all_the_same() -> None:
    """Law 8: where no reminder of the policy lies before it, shares of the time do."""
    rows = announced(opened(HOUSE).clocks, "2026-12-20", AT, HOUSE.policy)
    run = undisturbed(opened(HOUSE, clocks=rows.clocks), HOUSE, (), at("2026-12-19 23:00"))
    assert len(teams([x for _, x in run.letters])) == 3


def test_exploitation_brings_the_fix_nearer_and_by_itself_starts_no_duty() -> None:
    rows = exploited(opened(HOUSE).clocks, AT + DAY, HOUSE.policy)
    assert {c.promise: c.due_at for c in rows.clocks} == {"fix": at("2026-11-29 00:00"), "disclose": DUE}


CRA = desk(UPDATE, disclosure=PROFILES["days_90_30"], exploited=True)


def aware() -> Tended:
    rows = exploited(opened(CRA).clocks, AT, CRA.policy)
    return opened(CRA, clocks=rows.clocks)


def test_the_law_gives_24_and_72_hours_from_awareness_and_14_days_from_the_fix() -> None:
    """Regulation (EU) 2024/2847, Article 14(2)."""
    ticket = aware()
    assert (due(ticket, "cra_early_warning"), due(ticket, "cra_notification")) == (AT + DAY, AT + 3 * DAY)
    ticket, _ = tended(replace(ticket, state=State.FIXED, since=AT + 5 * DAY), CRA, AT + 5 * DAY)
    assert due(ticket, "cra_final") == at("2026-12-10 00:00"), "14 days after a fix, not after the notification"
    again, _ = tended(ticket, CRA, AT + 6 * DAY)
    assert [c.promise for c in again.clocks].count("cra_final") == 1


def test_awareness_starts_the_duties_once() -> None:
    ticket = aware()
    rows = exploited(ticket.clocks, AT + DAY, CRA.policy)
    assert rows.clocks == ticket.clocks and rows.events == ()


def test_the_team_hears_of_the_laws_hours_in_time() -> None:
    heard = undisturbed(aware(), CRA, (), AT + DAY).letters
    hours = [round((i - AT) / HOUR, 1) for i, x in heard if "cra_early_warning" in x.text]
    assert hours == [12, 18, 21.6, 24]


def test_a_researcher_never_reads_of_the_duties() -> None:
    """Articles 14 and 16 concern the manufacturer and the authorities."""
    run = undisturbed(aware(), CRA, (), AT + 120 * DAY)
    for _, letter in run.letters:
        if letter in researchers([letter]):
            assert not any(word in letter.text for word in ("cra_", "Regulation", "2024/2847"))
    assert any("cra_notification" in x.text for x in teams([x for _, x in run.letters]))


def test_the_facts_of_a_report_do_the_same() -> None:
    facts = [("exploited", "seen in attacks"), ("disclosure_date", "2027-01-15"), ("url", "https://a.example")]
    rows = from_facts(opened(CRA).clocks, facts, AT, CRA.policy)
    found = {c.promise: c.due_at for c in rows.clocks}
    assert (found["fix"], found["disclose"]) == (at("2026-11-28 00:00"), at("2027-01-15 00:00"))
    assert "cra_early_warning" in found
    assert from_facts(opened(CRA).clocks, (), AT, CRA.policy).events == ()
