"""What clocks say, to whom, and what they must not say (laws 2, 5, 7, 8; AR-12, P1, P2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email import message_from_bytes

import pytest

from tests.ticket.scene import AT, DESK, MEMBER, RESEARCHER, TEAM
from tests.ticket.tending_scene import (
    ASSESS,
    DAY,
    HOUR,
    UPDATE,
    at,
    clock,
    covers,
    desk,
    kept,
    opened,
    promise,
    researchers,
    teams,
    tended,
    undisturbed,
)
from triaged.ticket.clocks import Standing, standing
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.news import happenings, moved_to
from triaged.ticket.telling import extended_letter
from triaged.ticket.tended import Tended
from triaged.ticket.tending import Tending, armed, tend
from triaged.ticket.transitions import extend, pause

HOUSE = desk(ASSESS, UPDATE)
MISSED_ASSESS = at("2026-11-28 00:00")
UPDATE_DUE = at("2026-12-05 00:00")
BOSS = "lead@example.test"


def at_wake(ticket: Tended, instant: datetime) -> tuple[Tended, Tending]:
    return tended(ticket, HOUSE, instant)


def moved(ticket: Tended, state: State, instant: datetime) -> Tended:
    return replace(ticket, state=state, since=instant, happenings=(*ticket.happenings, moved_to(state, instant)))


def test_the_team_hears_before_at_and_after_the_due_instant() -> None:
    """Law 8."""
    run = undisturbed(opened(HOUSE), HOUSE, (), MISSED_ASSESS + 2 * DAY)
    heard = [f"{i:%d %H:%M}" for i, x in run.letters if x.to == TEAM]
    assert heard == ["24 04:36", "27 00:00", "27 16:36", "28 00:00", "29 00:00", "30 00:00"]


def test_a_mail_to_the_team_lists_every_open_promise_and_stays_with_the_team() -> None:
    _, result = at_wake(opened(HOUSE), MISSED_ASSESS)
    (letter,) = teams(result.letters)
    assert letter.subject == "MISSED: [IMS-7F3K-9QXD] XSS in login"
    assert "MISSED just now on IMS-7F3K-9QXD: assess" in letter.text
    assert all(c in letter.text for c in ("We promise to assess.", "We promise to update.", "7 days left"))
    assert "A reply to this mail stays with the team." in letter.text
    assert ".t." in message_from_bytes(letter.data)["Reply-To"]


def test_after_an_outage_all_that_is_overdue_is_one_mail_and_one_letter() -> None:
    ticket, result = at_wake(opened(HOUSE), at("2027-03-01 00:00"))
    assert [x.to for x in result.letters] == [RESEARCHER, TEAM]
    letter = researchers(result.letters)[0].text
    assert letter.count("It was due") == 2, "each promise once, however many rounds were missed"
    assert "by the end of Friday, 4 December 2026" in letter and "by the end of Friday, 12 March 2027" in letter
    assert sum(standing(c) is Standing.MISSED for c in ticket.clocks) == 8


def test_an_escalation_address_hears_of_each_miss_once() -> None:
    house = replace(HOUSE, escalate=(BOSS, TEAM))
    ticket = opened(house)
    heard = []
    for instant in (AT + 4 * DAY, MISSED_ASSESS, MISSED_ASSESS + DAY, UPDATE_DUE, UPDATE_DUE + DAY):
        ticket, result = tended(ticket, house, instant)
        heard.append([x.to for x in result.letters if x.to != RESEARCHER])
    assert heard == [[TEAM], [TEAM, BOSS], [TEAM], [TEAM, BOSS], [TEAM]]


def test_the_researcher_hears_once_that_a_promise_was_missed_and_the_new_date() -> None:
    ticket, result = at_wake(opened(HOUSE), MISSED_ASSESS + 3 * HOUR)
    (letter,) = researchers(result.letters)
    assert letter.template == "missed" and letter.meets == ()
    assert (
        "did not keep it" in letter.text and "It was due by the end of Friday, 27 November 2026 (UTC)." in letter.text
    )
    assert "The new date: by the end of Saturday, 5 December 2026 (UTC)." in letter.text.replace("\n    ", " ")
    assert clock(ticket, "assess").again_at == at("2026-12-06 00:00"), "the same period once more, from now"
    run = undisturbed(ticket, HOUSE, (), UPDATE_DUE - HOUR)
    assert researchers([x for _, x in run.letters]) == []


def test_every_automatic_letter_says_what_it_is() -> None:
    """AR-12: periodic letters are auto-generated, never auto-replied; AT-29: their Reply-To is the researcher's address."""
    _, result = at_wake(opened(HOUSE), MISSED_ASSESS)
    for letter in result.letters:
        read = message_from_bytes(letter.data)
        assert read["Auto-Submitted"] == "auto-generated" and read["X-Auto-Response-Suppress"] == "All"
    assert ".r." in message_from_bytes(researchers(result.letters)[0].data)["Reply-To"]


def test_the_scheduled_update_says_what_happened_and_keeps_the_promise() -> None:
    ticket = moved(kept(opened(HOUSE), HOUSE, AT + DAY, "assess"), State.ACCEPTED, AT + 2 * DAY)
    assert at_wake(ticket, UPDATE_DUE - 5 * HOUR)[0].clocks[-1].wake_at == UPDATE_DUE - 4 * HOUR
    ticket, result = at_wake(ticket, UPDATE_DUE - 4 * HOUR)
    (letter,) = researchers(result.letters)
    assert (letter.template, letter.meets) == ("update", ("update",))
    assert "Since our letter of 21 November 2026:" in letter.text
    assert "* 22 November 2026: We assessed your report and accepted it." in letter.text
    assert "Your report is accepted, not being fixed yet." in letter.text
    assert "by the end of Friday, 18 December 2026 (UTC)" in letter.text, "what comes next, counted from this letter"
    assert "nothing has changed" not in letter.text
    assert standing(clock(ticket, "update")) is Standing.MET
    assert next(e for e in result.events if e.kind is EventKind.TOLD).data["news"] == 1


def test_without_news_nothing_goes_before_the_due_instant_and_then_it_says_so_plainly() -> None:
    ticket = kept(opened(HOUSE), HOUSE, AT + DAY, "assess")
    ticket, early = at_wake(ticket, UPDATE_DUE - 4 * HOUR)
    assert researchers(early.letters) == []
    ticket, result = at_wake(ticket, UPDATE_DUE)
    (letter,) = researchers(result.letters)
    assert (letter.template, letter.meets) == ("missed", ())
    assert "On our side, nothing has changed since our letter of 21 November 2026." in letter.text
    assert standing(clock(ticket, "update")) is Standing.MISSED
    assert next(e for e in result.events if e.kind is EventKind.TOLD).data["news"] == 0, "counted apart"


def test_where_the_policy_says_so_an_update_without_news_keeps_the_promise() -> None:
    house = desk(UPDATE, updates_unchanged_keep=True)
    ticket, result = tended(opened(house), house, UPDATE_DUE - 4 * HOUR)
    (letter,) = researchers(result.letters)
    assert (letter.template, letter.meets) == ("update", ("update",))
    assert "On our side, nothing has changed since our letter of 20 November 2026." in letter.text
    assert next(e for e in result.events if e.kind is EventKind.TOLD).data["news"] == 0
    assert standing(clock(ticket, "update")) is Standing.MET


@pytest.mark.parametrize("keeps", [True, False])
def test_an_update_that_waits_in_the_outbox_is_not_written_again(keeps: bool) -> None:
    """Law 2: what was said stands in the row before the server has taken the letter."""
    house = desk(UPDATE, updates_unchanged_keep=keeps)
    ticket = moved(opened(house), State.FIXING, AT + DAY)
    first = tend(ticket, house, UPDATE_DUE - 4 * HOUR, bytes)
    assert [x.template for x in first.letters if x.to == RESEARCHER] == ["update"]
    ticket = replace(ticket, clocks=first.clocks, happenings=() if keeps else ticket.happenings)
    for hours in (4, 3, 1):
        assert tend(ticket, house, UPDATE_DUE - hours * HOUR, bytes).letters == ()


def test_the_last_update_promises_no_further_one() -> None:
    ticket = moved(kept(opened(HOUSE), HOUSE, AT + DAY, "assess"), State.FIXED, AT + 2 * DAY)
    ticket, result = at_wake(ticket, UPDATE_DUE - 4 * HOUR)
    (letter,) = researchers(result.letters)
    assert "The problem was fixed." in letter.text and "What we have promised" not in letter.text
    assert result.wake_at is None
    late = moved(kept(opened(HOUSE), HOUSE, AT + DAY, "assess"), State.FIXED, UPDATE_DUE - HOUR)
    (letter,) = researchers(at_wake(late, UPDATE_DUE + HOUR)[1].letters)
    assert letter.template == "missed" and "ew date" not in letter.text


def test_a_new_date_counts_from_the_letter_where_the_letter_keeps_the_promise() -> None:
    ticket = moved(kept(opened(HOUSE), HOUSE, AT + DAY, "assess"), State.FIXING, AT + 2 * DAY)
    ticket, result = at_wake(ticket, at("2026-12-09 12:00"))
    assert "by the end of Wednesday, 23 December 2026" in " ".join(researchers(result.letters)[0].text.split())
    assert ticket.clocks[-1].due_at == at("2026-12-24 00:00")


def test_what_stands_still_says_so() -> None:
    house = desk(UPDATE, promise("assess", "30 days", pauses=True))
    ticket = opened(house)
    stopped = pause(clock(ticket, "assess"), AT + DAY)
    assert stopped is not None
    ticket = replace(ticket, clocks=(clock(ticket, "update"), stopped.clock))
    (letter,) = researchers(tended(ticket, house, UPDATE_DUE)[1].letters)
    assert "stands still until we hear from you" in letter.text


def test_news_end_a_missed_round_as_soon_as_they_are_there() -> None:
    ticket, _ = at_wake(kept(opened(HOUSE), HOUSE, AT + DAY, "assess"), UPDATE_DUE)
    ticket, result = at_wake(moved(ticket, State.FIXING, UPDATE_DUE + DAY), UPDATE_DUE + DAY)
    assert [x.template for x in researchers(result.letters)] == ["update"]
    assert standing(clock(ticket, "update")) is Standing.LATE and standing(clock(ticket, "update", 2)) is Standing.MET


def test_news_in_a_letter_about_a_missed_promise_keep_the_repeated_ones() -> None:
    _, result = at_wake(moved(opened(HOUSE), State.ASSESSING, AT + DAY), MISSED_ASSESS)
    (letter,) = researchers(result.letters)
    assert (letter.template, letter.meets) == ("missed", ("update",))
    assert "We began to assess your report." in letter.text


def test_a_researchers_own_message_is_told_and_is_no_news() -> None:
    message = Event(EventKind.MESSAGE, "triaged", {"receipt": 2, "audience": "researcher"})
    note = Event(EventKind.MESSAGE, "triaged", {"receipt": 3, "audience": "team", "note": "a secret"})
    ticket = kept(opened(HOUSE), HOUSE, AT + DAY, "assess")
    ticket = replace(ticket, happenings=happenings([(AT + 2 * DAY, message), (AT + 3 * DAY, note)]))
    assert researchers(at_wake(ticket, UPDATE_DUE - HOUR)[1].letters) == []
    (letter,) = researchers(at_wake(ticket, UPDATE_DUE)[1].letters)
    assert "* 22 November 2026: Your message reached us." in letter.text and "nothing has changed" in letter.text


def test_no_note_no_member_and_no_word_of_an_event_reaches_a_researcher() -> None:
    """Law 7: the words are ours; of an event only its kind, a state and a date come through."""
    events = [
        (AT + i * HOUR, Event(kind, "member:Dana Levi", {"why": "a secret", "note": "a secret", "promise": "fix",
                                                           "to": "2027-01-01T00:00:00+00:00", "audience": "researcher"}))
        for i, kind in enumerate(EventKind)
    ]  # fmt: skip
    ticket = replace(opened(HOUSE), happenings=happenings(events))
    for letter in researchers(at_wake(ticket, MISSED_ASSESS)[1].letters):
        assert not any(word in letter.data.decode() for word in ("secret", "Dana", MEMBER, ".t.", "team only"))


@pytest.mark.parametrize("why", ["unproven", "no address"])
def test_who_may_not_be_written_to_is_work_for_the_team(why: str) -> None:
    """Law 5, P1: to an address that never proved itself nothing automatic goes; the promise stays, and the team is told."""
    changes = {"unproven": {"reachable": False, "reporter_proven": False}, "no address": {"reporter": ""}}[why]
    ticket = replace(opened(HOUSE), **changes)
    _, result = at_wake(ticket, MISSED_ASSESS)
    assert researchers(result.letters) == []
    (letter,) = teams(result.letters)
    assert "It is yours to\nwrite." in letter.text
    assert EventKind.UNTOLD in {e.kind for e in result.events}


def test_news_for_who_may_not_be_written_to_are_no_mail_of_their_own() -> None:
    """The team hears of what is missed once a day, not at each call."""
    ticket = moved(replace(opened(HOUSE), reachable=False), State.FIXING, AT + DAY)
    ticket, _ = at_wake(ticket, UPDATE_DUE)
    for minutes in range(5):
        ticket, result = at_wake(ticket, UPDATE_DUE + minutes * HOUR / 60)
        assert (result.letters, result.events) == ((), ())


def test_a_subject_of_a_stranger_comes_back_to_the_proven_only() -> None:
    """P2, AR-17: one that was written to by a member, and is not proven, gets no word of the report."""
    ticket = replace(opened(HOUSE), reporter_proven=False)
    (letter,) = researchers(at_wake(ticket, MISSED_ASSESS)[1].letters)
    assert letter.subject == "Your report [IMS-7F3K-9QXD]" and "XSS" not in letter.data.decode()


def test_a_clock_that_stands_still_is_silent_and_asks_for_no_wake_up() -> None:
    house = desk(replace(ASSESS, pauses=True))
    ticket = opened(house)
    stopped = pause(ticket.clocks[0], AT + DAY)
    assert stopped is not None
    ticket, result = tended(replace(ticket, clocks=(stopped.clock,)), house, AT + 100 * DAY)
    assert (result.letters, result.events, result.wake_at) == ((), (), None)


def test_an_extension_is_told_with_the_members_reason_and_as_a_persons_letter() -> None:
    ticket = opened(HOUSE)
    later = extend(clock(ticket, "assess"), MISSED_ASSESS + 7 * DAY, "member:Dana Levi", "The vendor is slow.")
    assert later is not None
    (letter,) = extended_letter(ticket, later.clock, MISSED_ASSESS, "The vendor is slow.", HOUSE, AT + DAY, bytes)
    assert "now by the end of Friday, 4 December 2026 (UTC)" in letter.text and "The vendor is slow." in letter.text
    assert "Dana" not in letter.text and message_from_bytes(letter.data)["Auto-Submitted"] is None
    assert letter.meets == ("update",)
    assert extended_letter(replace(ticket, reporter=""), later.clock, MISSED_ASSESS, "x", HOUSE, AT, bytes) == ()


def test_nothing_due_says_nothing_and_names_the_next_instant() -> None:
    ticket, result = at_wake(opened(HOUSE), AT + HOUR)
    assert (result.letters, result.events) == ((), ()) and result.wake_at == at("2026-11-24 04:36")
    assert tend(ticket, HOUSE, AT + HOUR, bytes).changed(ticket.clocks) == ()


def test_new_clocks_are_armed_with_what_a_first_call_would_say() -> None:
    ticket = opened(HOUSE)
    assert armed(ticket.clocks, HOUSE, AT) == tend(ticket, HOUSE, AT, bytes).clocks


def test_only_rows_that_changed_are_to_be_written() -> None:
    ticket = opened(HOUSE)
    ended = replace(clock(ticket, "assess"), promise="ended", met_at=AT)
    ticket, _ = at_wake(replace(ticket, clocks=(*ticket.clocks, ended)), AT)
    result = tend(ticket, HOUSE, UPDATE_DUE, bytes)
    assert {(c.promise, c.round) for c in result.changed(ticket.clocks)} == {
        ("assess", 1),
        ("update", 1),
        ("update", 2),
    }


def test_every_letter_answers_for_instants_that_its_event_names() -> None:
    _, result = at_wake(opened(HOUSE), MISSED_ASSESS)
    due = MISSED_ASSESS.isoformat()
    assert {("researcher", "assess", 1, due), ("team", "assess", 1, due)} <= set(covers(result.events))


def test_the_same_ticket_and_instant_give_the_same_bytes() -> None:
    first, second = (at_wake(opened(HOUSE), MISSED_ASSESS)[1] for _ in range(2))
    assert first == second


def test_a_long_clause_and_many_promises_make_a_letter_that_can_be_sent() -> None:
    many = tuple(promise(f"own{n}", "1 day") for n in range(60))
    house = desk(replace(ASSESS, clause="We assess " + "very " * 400 + "soon."), *many)
    _, result = tended(opened(house), house, AT + 30 * DAY)
    for letter in result.letters:
        assert all(len(line) <= 998 for line in letter.data.split(b"\r\n"))
    assert "… and 41 more" in teams(result.letters)[0].text


def test_a_mailbox_without_plus_addressing_says_so_by_itself() -> None:
    house = desk(ASSESS, house=replace(DESK, plus_addressing=False))
    _, result = tended(opened(house), house, MISSED_ASSESS)
    assert all(message_from_bytes(x.data)["Reply-To"] is None for x in result.letters)
