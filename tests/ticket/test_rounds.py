"""Repeated promises, what ends a promise, and what is missed before anybody looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ticket.scene import AT
from tests.ticket.tending_scene import ASSESS, DAY, HOUR, OFFICE, UPDATE, at, clock, desk, kept, opened, promise, tended
from triaged.ticket import transitions
from triaged.ticket.clocks import Standing, is_open, standing
from triaged.ticket.events import EventKind, State
from triaged.ticket.rounds import BY_STATE, MOST_ROUNDS, catch_up, keep
from triaged.ticket.tended import Tended

HOUSE = desk(ASSESS, UPDATE)


def rounds(ticket: Tended, name: str = "update") -> list[tuple[str, str]]:
    return [(f"{c.due_at:%m-%d %H:%M}", standing(c).value) for c in ticket.clocks if c.promise == name]


def test_a_letter_ends_the_round_and_the_next_counts_from_it() -> None:
    ticket = kept(opened(HOUSE), HOUSE, at("2026-11-24 15:00"), "update")
    assert rounds(ticket) == [("12-05 00:00", "met"), ("12-09 00:00", "running")]
    assert clock(ticket, "update", 2).started_at == at("2026-11-24 15:00")


def test_a_missed_round_stays_missed_and_the_next_counts_from_its_due_instant() -> None:
    """No drift: 14 days after the day that ends with the due instant, whichever hour is closing."""
    ticket, result = tended(opened(HOUSE), HOUSE, at("2026-12-05 00:00"))
    assert rounds(ticket) == [("12-05 00:00", "missed"), ("12-19 00:00", "running")]
    for closing, ends in ((1440, ("12-05 00:00", "12-19 00:00")), (17 * 60, ("12-04 17:00", "12-18 17:00"))):
        house = desk(UPDATE, calendar=replace(OFFICE, weekend=frozenset(), closing=closing))
        ticket, _ = tended(opened(house), house, at("2026-12-05 00:00"))
        assert rounds(ticket) == [(ends[0], "missed"), (ends[1], "running")]
    assert {e.kind for e in result.events} >= {EventKind.MISSED, EventKind.STARTED}


def test_silence_adds_up_and_one_letter_ends_it_late() -> None:
    ticket, _ = tended(opened(HOUSE), HOUSE, at("2027-01-05 00:00"))
    assert [s for _, s in rounds(ticket)] == ["missed", "missed", "missed", "running"]
    ticket = kept(ticket, HOUSE, at("2027-01-06 00:00"), "update")
    assert [s for _, s in rounds(ticket)] == ["late", "late", "late", "met", "running"]


def test_a_round_that_ends_on_a_closed_day_ends_on_the_business_day_before() -> None:
    """2026-12-25 is closed: 14 days after 11 December end on the 24th."""
    house = desk(UPDATE, calendar=OFFICE)
    ticket = kept(opened(house), house, at("2026-12-11 10:00"), "update")
    assert rounds(ticket)[-1] == ("12-24 17:00", "running")


def test_a_letter_that_comes_before_the_wake_up_leaves_the_rows_that_an_earlier_wake_up_would_have() -> None:
    woken, _ = tended(opened(HOUSE), HOUSE, at("2026-12-05 00:00"))
    woken, asleep = (kept(t, HOUSE, at("2026-12-06 00:00"), "update") for t in (woken, opened(HOUSE)))
    assert (
        rounds(woken) == rounds(asleep) == [("12-05 00:00", "late"), ("12-19 00:00", "met"), ("12-19 00:00", "running")]
    )
    assert clock(asleep, "update").missed_at == clock(woken, "update").missed_at


def test_a_round_that_only_a_row_says_is_met_goes_on() -> None:
    """Acceptance writes `met_at`; the next call starts the next round."""
    ticket = opened(HOUSE)
    rows = tuple(replace(c, met_at=AT + DAY) if c.promise == "update" else c for c in ticket.clocks)
    ticket, _ = tended(replace(ticket, clocks=rows), HOUSE, AT + 2 * DAY)
    assert rounds(ticket) == [("12-05 00:00", "met"), ("12-05 00:00", "running")]


def test_a_row_that_was_met_late_before_anybody_looked_was_missed_all_the_same() -> None:
    ticket = opened(HOUSE)
    rows = tuple(replace(c, met_at=at("2026-12-06 00:00")) for c in ticket.clocks)
    ticket, result = tended(replace(ticket, clocks=rows), HOUSE, at("2026-12-07 00:00"))
    assert [clock(ticket, n).missed_at for n in ("assess", "update")] == [
        at("2026-11-28 00:00"),
        at("2026-12-05 00:00"),
    ]
    assert rounds(ticket) == [("12-05 00:00", "late"), ("12-19 00:00", "met"), ("12-19 00:00", "running")]
    assert [e.kind for e in result.events].count(EventKind.MISSED) == 2 and result.letters == ()


def test_a_bounce_opens_the_round_again_beside_the_next() -> None:
    ticket = kept(opened(HOUSE), HOUSE, at("2026-11-24 15:00"), "update")
    again = transitions.reopen(clock(ticket, "update"))
    assert clock(ticket, "update").kept_by == "<letter@example.test>"
    assert again is not None and again.clock.kept_by == ""
    rows = tuple(again.clock if (c.promise, c.round) == ("update", 1) else c for c in ticket.clocks)
    ticket, _ = tended(replace(ticket, clocks=rows), HOUSE, at("2026-12-05 00:00"))
    assert rounds(ticket) == [("12-05 00:00", "missed"), ("12-09 00:00", "running")]


def test_a_letter_keeps_what_it_is_for_and_nothing_else() -> None:
    """What fell due among the others is left for `tend` to say."""
    ticket = kept(opened(HOUSE), HOUSE, at("2026-11-30 00:00"), "update")
    assert clock(ticket, "assess").missed_at is None
    ticket, result = tended(ticket, HOUSE, at("2026-11-30 00:00"))
    assert standing(clock(ticket, "assess")) is Standing.MISSED and result.letters


OWN = promise("retest", "30 days")
FIX, DISCLOSE = promise("fix", "60 days"), promise("disclose", "90 days")
ENDS = {
    State.ASSESSING: {},
    State.ACCEPTED: {},
    State.FIXING: {},
    State.FIXED: {"fix": "met"},
    State.DECLINED: {"update": "waived", "fix": "waived", "disclose": "waived", "retest": "waived"},
    State.DISCLOSED: {"disclose": "met"},  # what is published on its day need not be fixed
    State.CLOSED: {"update": "waived", "fix": "waived", "disclose": "waived", "retest": "waived"},
}


@pytest.mark.parametrize("state", ENDS)
def test_the_state_ends_promises(state: State) -> None:
    """To acknowledge and to assess is owed until a letter goes: no state ends it."""
    house = desk(promise("acknowledge", "3 business days"), ASSESS, UPDATE, OWN, FIX, DISCLOSE)
    ticket, _ = tended(opened(house, state=state, since=AT + HOUR), house, AT + 2 * HOUR)
    names = ("acknowledge", "assess", "update", "retest", "fix", "disclose")
    assert {n: standing(clock(ticket, n)).value for n in names} == {**dict.fromkeys(names, "running"), **ENDS[state]}
    ended = [c for c in ticket.clocks if c.waived]
    assert all(c.waived and c.waived.by == BY_STATE and state in c.waived.why and c.wake_at is None for c in ended)
    assert len(ticket.clocks) == len(names), "what is over starts no further round"


def test_a_fix_counts_from_when_the_ticket_was_fixed_and_not_from_when_somebody_looked() -> None:
    house = desk(FIX)
    ticket, _ = tended(opened(house, state=State.FIXED, since=AT + DAY), house, AT + 100 * DAY)
    assert standing(clock(ticket, "fix")) is Standing.MET and clock(ticket, "fix").met_at == AT + DAY


def test_a_ticket_that_is_opened_again_owes_its_promises_again() -> None:
    house = desk(UPDATE, FIX)
    ticket, _ = tended(opened(house, state=State.CLOSED, since=AT + HOUR), house, AT + DAY)
    assert not any(map(is_open, ticket.clocks))
    ticket = replace(ticket, state=State.FIXING, since=at("2026-12-21 10:00"))
    ticket, result = tended(ticket, house, at("2026-12-21 10:00"))
    assert rounds(ticket) == [("12-05 00:00", "waived"), ("01-05 00:00", "running")]
    assert standing(clock(ticket, "fix")) is Standing.RUNNING
    assert [e.kind for e in result.events].count(EventKind.STARTED) == 2


def test_the_round_that_runs_when_the_problem_is_fixed_is_the_last() -> None:
    """It is for telling that; no further one starts, kept or missed, unless the fix turns out to be none."""
    fixed = opened(HOUSE, state=State.FIXED, since=AT + DAY)
    silent, _ = tended(fixed, HOUSE, at("2027-03-01 00:00"))
    assert rounds(silent) == [("12-05 00:00", "missed")]
    ticket, _ = tended(kept(fixed, HOUSE, AT + 2 * DAY, "update"), HOUSE, at("2027-03-01 00:00"))
    assert rounds(ticket) == [("12-05 00:00", "met")]
    ticket, _ = tended(replace(ticket, state=State.FIXING, since=at("2027-03-01 10:00")), HOUSE, at("2027-03-01 10:00"))
    assert rounds(ticket) == [("12-05 00:00", "met"), ("03-16 00:00", "running")]


def test_what_a_person_waived_stays_waived() -> None:
    ticket = opened(HOUSE)
    rows = tuple(m.clock for c in ticket.clocks if (m := transitions.waive(c, "member:Dana", "spam", AT)))
    ticket, result = tended(replace(ticket, clocks=rows), HOUSE, at("2027-06-01 00:00"))
    assert (ticket.clocks, result.letters, result.events, result.wake_at) == (rows, (), (), None)


def test_a_clock_centuries_ahead_starts_rounds_by_the_thousand_and_no_more_at_one_call() -> None:
    house = desk(promise("update", "1 day", every=True))
    ticket = opened(house)
    found = catch_up(ticket.clocks, at("2400-01-01 00:00"), State.RECEIVED, AT, house.policy)
    assert len(found.clocks) == MOST_ROUNDS + 1


def test_a_letter_that_keeps_nothing_changes_nothing() -> None:
    ticket = opened(HOUSE)
    assert keep(ticket.clocks, (), AT + DAY, "<a@b>", State.RECEIVED, AT, HOUSE.policy).clocks == ticket.clocks
