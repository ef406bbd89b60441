"""Clocks in the tracker when things fail: wake-ups lost, doubled and late, clocks set, letters that bounce, tickets that can't
be tended. Each promise is told of once, and none in silence (laws 2 and 8)."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, insert, text

from tests.ticket.scene import AT, DESK, MEMBER, POLICIES, POLICY, RESEARCHER, TEAM, mail
from tests.tracker.test_outbox import bounce
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.daemon.tending import send_boards, tend_due, unserved
from triaged.policy.load import load_policy
from triaged.policy.period import Period
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.clocks import Clock
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.instants import Quiet
from triaged.ticket.reference import token_of
from triaged.ticket.verbs import move
from triaged.tracker import clocks
from triaged.tracker.engine import writing
from triaged.tracker.schema import board, clock, event, ticket

DAY = timedelta(days=1)
LEAD = "lead@example.test"


ASSESSED = "/assess accepted high\n\nWe could reproduce it, thank you."


def answer(tracked: Tracked, words: str = ASSESSED) -> None:
    """A member writes to the researcher, and the server takes it: with an assessment, where nothing else is said."""
    token = token_of(tracked.refs()[0]) or ""
    to = keyed_address(DESK.address, token, Role.RESEARCHER, DESK.keys[0])
    tracked.receive(mail(MEMBER, to, proven=True, text=words))
    tracked.send_all()


def told(tracked: Tracked) -> Counter[tuple[datetime, str, str]]:
    """What clocks sent: when, to whom, which template."""
    own = ("reminder", "update", "missed", "deadline")
    return Counter((row.queued_at, row.to_address, row.template) for row in tracked.letters() if row.template in own)


@pytest.fixture
def reported(tracked: Tracked) -> Tracked:
    """A proven researcher's report, acknowledged."""
    tracked.receive(mail(proven=True))
    tracked.send_all()
    return tracked


@pytest.fixture
def reported_sqlite(tracked_sqlite: Tracked) -> Tracked:
    tracked_sqlite.receive(mail(proven=True))
    tracked_sqlite.send_all()
    return tracked_sqlite


def rounds(tracked: Tracked, promise: str) -> list[tuple[int, datetime, datetime | None]]:
    return [(row.round, row.started_at, row.met_at) for row in tracked.rows(clock, promise=promise)]


def test_a_members_letter_keeps_what_it_answers_and_the_next_round_counts_from_it(reported: Tracked) -> None:
    """SM-10: by the server's acceptance."""
    reported.at = AT + 2 * DAY
    answer(reported)
    now = reported.at
    assert [row.met_at for row in reported.rows(clock, promise="assess")] == [now]
    assert rounds(reported, "update") == [(1, AT, now), (2, now, None)]
    (letter,) = reported.letters("assessed")[:1]
    kept = [row.kept_by for row in reported.rows(clock) if row.met_at == now]
    assert kept == [letter.message_id] * 2
    assert reported.broken() == [] and reported.findings() == []


def test_a_letter_that_two_processes_hand_in_keeps_a_repeated_promise_once(reported: Tracked) -> None:
    """RFC 1047: the second acceptance is of the same letter."""
    reported.at = AT + 2 * DAY
    token = token_of(reported.refs()[0]) or ""
    to = keyed_address(DESK.address, token, Role.RESEARCHER, DESK.keys[0])
    reported.receive(mail(MEMBER, to, proven=True, text="We could reproduce it."))
    parcels = reported.claim()
    reported.record(parcels)
    reported.later(minutes=40)
    reported.record(parcels)
    assert [number for number, _, _ in rounds(reported, "update")] == [1, 2]


def test_a_bounce_opens_the_rounds_that_its_letter_met_and_they_are_looked_at_at_once(reported: Tracked) -> None:
    """NT-1, SM-10: not the rounds of other letters."""
    reported.at = AT + 2 * DAY
    answer(reported)
    first = reported.letters("assessed")[0]
    reported.at = AT + 5 * DAY
    answer(reported, "We are still at it.")
    reported.later(minutes=5)
    reported.receive(bounce(reported, first.envelope_from, first.message_id, "failed"))
    met = {row.promise: row.met_at for row in reported.rows(clock) if row.round == 1}
    assert met["acknowledge"] is not None, "the acknowledgement arrived"
    assert met["assess"] is None and met["update"] is None
    assert rounds(reported, "update")[1][2] == AT + 5 * DAY, "the second round was met by the letter that arrived"
    assert all(row.wake_at == reported.at for row in reported.rows(clock, round=1) if row.met_at is None)
    reported.tend()
    assert (reported.wake_at() or AT) > reported.at and reported.broken() == []


def test_a_wake_up_that_comes_twice_or_to_two_processes_says_nothing_twice(engine: Engine) -> None:
    tracked = open_tracker(engine)
    tracked.receive(*[mail(f"r{n}@proven.org", proven=True, text=f"report {n} with its own words") for n in range(6)])
    tracked.send_all()
    tracked.at = AT + 8 * DAY
    processes = [tracked.another(f"here:1:{name}") for name in "abc"]
    gate = threading.Barrier(len(processes))

    def work(process: Tracked) -> None:
        gate.wait()
        tend_due(process.tender())

    threads = [threading.Thread(target=work, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tend_due(tracked.tender())
    counted = Counter((row.ticket_id, row.to_address) for row in tracked.letters("reminder"))
    assert len(counted) == 6 and set(counted.values()) == {1}
    assert len(tracked.letters("missed")) == 6, "each researcher hears of the assessment that was missed, once"
    assert tracked.broken() == []


def test_after_an_outage_each_ticket_is_told_once_and_oldest_first(tracked_sqlite: Tracked) -> None:
    tracked = tracked_sqlite
    for day in (2, 0, 1):
        tracked.at = AT + day * DAY
        tracked.receive(mail(f"d{day}@proven.org", proven=True, text=f"the report of day {day}"))
        tracked.send_all()
    tracked.at = AT + 60 * DAY
    assert tend_due(tracked.tender()) == 6, "one mail to the team and one to the researcher for each"
    order = [row.to_address for row in tracked.letters("missed")]
    assert order == ["d0@proven.org", "d1@proven.org", "d2@proven.org"]
    assert tend_due(tracked.tender()) == 0


def test_a_clock_that_is_set_back_says_nothing_again(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    tracked.live(AT + 8 * DAY)
    before = told(tracked)
    tracked.at = AT + 4 * DAY
    tracked.tend()
    tracked.live(AT + 8 * DAY)
    assert told(tracked) == before


def test_a_clock_that_is_set_forward_by_a_year_and_back_loses_no_promise_and_repeats_no_letter(
    reported_sqlite: Tracked,
) -> None:
    tracked = reported_sqlite
    tracked.at = AT + timedelta(days=365)
    tracked.tend()
    ahead = told(tracked)
    assert {template for _, _, template in ahead} == {"reminder", "missed"} and set(ahead.values()) == {1}
    tracked.at = AT + DAY
    tracked.tend()
    tracked.live(AT + 30 * DAY)
    assert told(tracked) == ahead, "it was said; nothing is said again"
    answer(tracked)
    assert [row.met_at for row in tracked.rows(clock, promise="assess")] == [AT + 30 * DAY]


def test_a_mailbox_that_left_the_configuration_keeps_its_clocks_for_its_return(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    other = replace(DESK, mailbox="other", address="other@example.test")
    gone = replace(tracked, desks={"other": other})
    gone.at = AT + 8 * DAY
    before = tracked.rows(clock)
    assert tend_due(gone.tender()) == 0 and tracked.rows(clock) == before
    assert unserved(gone.tender()) == {"security": 2} and gone.wake_at() is None
    tracked.at = gone.at
    assert tend_due(tracked.tender()) == 2 and unserved(tracked.tender()) == {}


def test_a_ticket_that_can_not_be_tended_holds_nobody_up(engine: Engine) -> None:
    """It is the oldest, and there is one after it."""
    tracked = open_tracker(engine)
    tracked.receive(
        mail("bad@proven.org", proven=True), mail("good@proven.org", proven=True, text="other words, same day")
    )
    tracked.send_all()
    with writing(engine) as connection:
        broken = "update clock set waived = '{\"by\": \"x\"}' where ticket_id = 1 and promise = 'assess'"
        connection.execute(text(broken))
        connection.execute(text("update clock set wake_at = started_at where ticket_id = 1"))
    tracked.at = AT + 8 * DAY
    assert tend_due(tracked.tender()) == 2
    assert [row.to_address for row in tracked.letters("missed")] == ["good@proven.org"]
    with writing(engine) as connection:
        connection.execute(text("update clock set waived = null where ticket_id = 1"))
    assert tend_due(tracked.tender()) == 2, "and it is tried again at the next look"


def test_a_ticket_keeps_the_policy_that_it_came_in_under(reported_sqlite: Tracked) -> None:
    """Law 8: a new version moves nothing; the next round is counted as was promised."""
    tracked = reported_sqlite
    update = POLICY.promise("update")
    assert update is not None
    promises = tuple(replace(p, every=Period(90, "days")) if p is update else p for p in POLICY.promises)
    changed = replace(POLICY, promises=promises, version="2", sha256="f" * 64, source="[policy]")
    later = replace(tracked, desks={"security": replace(DESK, policy=changed)})
    later.at = AT + 2 * DAY
    answer(later)
    first, second = later.rows(clock, promise="update")
    assert (second.period, second.due_at - first.due_at < 5 * DAY) == ("14 days", True)
    later.live(AT + 30 * DAY)
    assert len(later.letters("missed")) >= 1


def test_a_policy_that_can_not_be_read_any_more_stops_neither_letters_nor_clocks(tracked_sqlite: Tracked) -> None:
    """As after an upgrade that refuses what an older one took."""
    unreadable = replace(POLICY, source="this is no TOML", sha256="e" * 64, version="0")
    tracked = open_tracker(tracked_sqlite.engine, replace(DESK, policy=unreadable))
    tracked.receive(mail(proven=True))
    tracked = replace(tracked, desks={"security": DESK})
    tracked.send_all()
    assert [row.met_at for row in tracked.rows(clock, promise="acknowledge")] == [AT]
    tracked.live(AT + 8 * DAY)
    assert len(tracked.letters("missed")) == 1


def test_state_ends_promises_and_news_reach_the_researcher(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    tracked.at = AT + 2 * DAY
    answer(tracked)
    tracked.at = AT + 5 * DAY
    at = tracked.at
    tracked.act(tracked.refs()[0], lambda one, _: move(one, State.FIXED, "member:Dana Levi", at))
    tracked.live(AT + 20 * DAY)
    (update,) = tracked.letters("update")
    assert update.meets == ["update"] and update.to_address == RESEARCHER
    at = tracked.at
    tracked.act(tracked.refs()[0], lambda one, _: move(one, State.CLOSED, "member:Dana Levi", at))
    assert tracked.wake_at() is None and tracked.broken() == []


def test_who_is_to_hear_of_a_miss_hears_of_it_once(tracked_sqlite: Tracked) -> None:
    tracked = open_tracker(tracked_sqlite.engine, replace(DESK, escalate=(LEAD,)))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    tracked.live(AT + 10 * DAY)
    assert [row.to_address for row in tracked.letters("reminder")].count(LEAD) == 1


def test_quiet_hours_move_warnings_and_not_the_miss(tracked_sqlite: Tracked) -> None:
    """Law 8."""
    quiet = Quiet(time(18, 0), time(8, 0))
    tracked = open_tracker(tracked_sqlite.engine, replace(DESK, quiet=quiet))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    tracked.live(AT + 10 * DAY)
    missed_at = tracked.rows(clock, promise="assess")[0].missed_at
    zone = POLICY.calendar.tzinfo
    hours = [row.queued_at.astimezone(zone).time() for row in tracked.letters("reminder") if row.queued_at != missed_at]
    assert hours and all(time(8, 0) <= hour <= time(18, 0) for hour in hours)
    assert missed_at in [row.queued_at for row in tracked.letters("reminder")]


def test_what_is_taken_for_a_report_late_owes_what_a_report_is_owed(tracked_sqlite: Tracked) -> None:
    """Its clocks count from the receipt, and say at once what they have to say."""
    tracked = open_tracker(tracked_sqlite.engine, replace(DESK, policy=load_policy(POLICIES / "good-faith-rules.toml")))
    tracked.receive(
        mail(proven=True, subject="a question", text="Do you have a bug bounty? Where can I find its rules?")
    )
    tracked.send_all()
    assert {row.kind for row in tracked.rows(ticket)} == {"question"}
    assert {row.promise for row in tracked.rows(clock)} == {"acknowledge"}
    tracked.at = AT + 30 * DAY
    taken(tracked, "report")
    assert {"fix", "disclose"} < {row.promise for row in tracked.rows(clock)}
    assert {row.started_at for row in tracked.rows(clock) if row.round == 1} == {AT}
    assert len(tracked.letters("missed")) == 1 and (tracked.wake_at() or AT) > tracked.at
    taken(tracked, "other")
    assert tracked.wake_at() is None
    taken(tracked, "report")
    assert (tracked.wake_at() or AT) > tracked.at and tracked.broken() == []


def taken(tracked: Tracked, kind: str) -> None:
    tracked.orders(tracked.refs()[0], f"/{kind}", by=MEMBER)


def test_years_of_silence_are_caught_up_within_bounds(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    tracked.at = AT + timedelta(days=3650)
    assert tend_due(tracked.tender()) == 2
    assert len(rounds(tracked, "update")) > 200 and tend_due(tracked.tender()) == 0


BOARD = 2  # letters: to the team's address, and to the member whatever their setting


def boarded(tracked: Tracked, instant: datetime) -> int:
    tracked.at = instant
    return send_boards(tracked.tender())


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """In November 2026, by the policy's zone."""
    return datetime(2026, 11, day, hour, minute, tzinfo=POLICY.calendar.tzinfo).astimezone(UTC)


def test_the_board_goes_out_once_a_day_at_its_time(reported: Tracked) -> None:
    assert boarded(reported, local(21, 8, 29)) == 0
    assert boarded(reported, local(21, 8, 30)) == BOARD
    assert [boarded(reported, local(21, hour)) for hour in (9, 23)] == [0, 0]
    assert [boarded(reported, local(23, 9)), boarded(reported, local(22, 9))] == [BOARD, BOARD], (
        "the clock was set back"
    )
    assert [boarded(reported, local(21, 10)), boarded(reported, local(24, 12))] == [0, BOARD]
    assert {row.to_address for row in reported.letters("board")} == {TEAM, MEMBER}
    assert [row.day for row in reported.rows(board)] == [f"2026-11-{day}" for day in (21, 22, 23, 24)]


def test_two_processes_send_one_board(reported: Tracked) -> None:
    reported.at = local(21, 9)
    processes = [reported.another(f"here:1:{name}") for name in "ab"]
    threads = [threading.Thread(target=lambda p=p: send_boards(p.tender())) for p in processes]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reported.letters("board")) == BOARD


def test_a_board_that_is_late_has_what_was_open_at_its_time(tracked_sqlite: Tracked) -> None:
    """The team has just been told of what came since."""
    tracked_sqlite.at = local(21, 19)
    tracked_sqlite.receive(mail(proven=True))
    assert boarded(tracked_sqlite, local(21, 20)) == 0
    assert boarded(tracked_sqlite, local(22, 8, 30)) == BOARD


def test_without_open_tickets_no_board_goes_out(tracked_sqlite: Tracked) -> None:
    assert boarded(tracked_sqlite, local(21, 9)) == 0
    assert tracked_sqlite.letters() == []


def test_a_board_has_the_tickets_that_are_open_or_owe_something(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    at = tracked.at
    tracked.act(tracked.refs()[0], lambda one, _: move(one, State.CLOSED, "operator", at))
    assert boarded(tracked, local(21, 9)) == BOARD, "it is closed, and its assessment is owed"
    tracked.at = local(21, 10)
    answer(tracked, "/reopen\n/assess declined\n/close\n\nWe see no harm in it.")
    assert boarded(tracked, local(22, 9)) == 0


def test_with_business_days_only_a_closed_day_has_no_board(tracked_sqlite: Tracked) -> None:
    """The example's weekend is Friday and Saturday."""
    house: Desk = replace(DESK, quiet=Quiet(business_days=True))
    tracked = open_tracker(tracked_sqlite.engine, house)
    tracked.receive(mail(proven=True))
    assert boarded(tracked, local(21, 9)) == 0
    assert boarded(tracked, local(22, 9)) == BOARD


def test_more_tickets_than_one_look_up_finds_are_done_in_one_look(tracked_sqlite: Tracked) -> None:
    tracked = tracked_sqlite
    tracked.receive(*[mail(f"n{n}@proven.org", text=f"the words of report number {n}") for n in range(120)])
    tracked.at = AT + 8 * DAY
    assert tend_due(tracked.tender()) == 120, "nobody of these is proven: the team hears"
    assert {row.kind for row in tracked.rows(event)} >= {"missed", "untold", "warned"}


def test_one_round_of_one_promise_is_one_row(reported: Tracked) -> None:
    from sqlalchemy.exc import IntegrityError

    one = Clock("assess", "", None, AT, AT + DAY, False, "1 day")
    with pytest.raises(IntegrityError), writing(reported.engine) as connection:
        connection.execute(insert(clock), [clocks.row(1, "security", one)])


def test_what_clocks_did_stands_in_the_chain(reported_sqlite: Tracked) -> None:
    tracked = reported_sqlite
    tracked.live(AT + 8 * DAY)
    found = [(row.kind, body_of(row)["data"]) for row in tracked.rows(event)]
    missed = [data for kind, data in found if kind == "missed"]
    assert [(data["promise"], data["round"]) for data in missed] == [("assess", 1)]
    warned = [tuple(one) for kind, data in found if kind == "warned" for one in data["for"]]
    assert len(warned) == len(set(warned)) >= 3, "no instant is answered for twice"
