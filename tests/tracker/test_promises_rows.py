"""How promises were kept, read from a tracker whose clocks ran: on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, update

from tests.ticket.scene import AT, DESK, POLICY, STRANGER, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon.tending import Tender, tend_due
from triaged.policy.load import load_policy
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.performance import Outcome, Report, Round, outcome
from triaged.tracker import chaining, promises
from triaged.tracker.engine import reading, writing
from triaged.tracker.promises import Span
from triaged.tracker.schema import clock, letter, ticket

DAYS_UNTIL_ASSESS_IS_MISSED = 9


def walk(tracked: Tracked, days: int) -> None:
    """Half a day at a time: what is due is done, and what may go is accepted."""
    for _ in range(days * 2):
        tracked.later(hours=12)
        tend_due(Tender(tracked.engine, tracked.desks, {}, lambda: tracked.at, tracked.entropy))
        tracked.send_all()


def rounds(tracked: Tracked, span: Span = Span()) -> list[Round]:  # noqa: B008 - frozen
    with reading(tracked.engine) as connection:
        return promises.rounds(connection, span)


def reports(tracked: Tracked) -> list[Report]:
    with reading(tracked.engine) as connection:
        return promises.reports(connection, Span())


def stands(tracked: Tracked) -> list[tuple[str, int, str]]:
    return [(one.promise, one.number, outcome(one, tracked.at).value) for one in rounds(tracked)]


def test_each_round_is_read_with_what_came_of_it(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    tracked.send_all()
    assert stands(tracked) == [("acknowledge", 1, "kept"), ("assess", 1, "open"), ("update", 1, "open")]
    walk(tracked, 20)
    assert ("assess", 1, "missed") in stands(tracked) and ("update", 1, "missed") in stands(tracked)
    (first, *_) = rounds(tracked)
    assert (first.policy, first.version, first.mailbox) == (POLICY.name, POLICY.version, "security")
    assert first.met_at == first.started_at == AT


def test_a_promise_is_missed_whether_or_not_a_row_says_so(tracked: Tracked) -> None:
    """No wake-up came: missed_at is empty."""
    tracked.receive(mail(proven=True))
    tracked.later(days=DAYS_UNTIL_ASSESS_IS_MISSED)
    assert [row.missed_at for row in tracked.rows(clock, promise="assess")] == [None]
    assert ("assess", 1, "missed") in stands(tracked)


def test_updates_that_say_that_nothing_changed_are_counted_apart(engine: Engine, tmp_path: Path) -> None:
    """Where the policy lets them keep the promise."""
    text = POLICY.source.replace("[calendar]", "updates_unchanged_keep = true\n\n[calendar]", 1)
    (tmp_path / POLICY.text_name).write_text(POLICY.text or "", encoding="utf-8")
    (tmp_path / "keeping.toml").write_text(text, encoding="utf-8")
    tracked = open_tracker(engine, replace(DESK, policy=load_policy(tmp_path / "keeping.toml")))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    walk(tracked, 20)
    assert ("update", 1, Outcome.KEPT_UNCHANGED) in stands(tracked)
    with reading(engine) as connection:
        assert len(promises.unchanged_letters(connection, Span())) >= 1


def test_where_such_letters_keep_nothing_they_are_counted_all_the_same(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    tracked.send_all()
    walk(tracked, 20)
    assert ("update", 1, Outcome.MISSED) in stands(tracked)
    with reading(tracked.engine) as connection:
        assert len(promises.unchanged_letters(connection, Span())) >= 1


def test_what_is_looked_at_is_bounded_by_receipt_and_mailbox(engine: Engine) -> None:
    other = replace(DESK, mailbox="other", address="other@example.test")
    tracked = open_tracker(engine, DESK, other)
    tracked.receive(mail(proven=True))
    tracked.receive(mail(STRANGER, proven=True), mailbox="other")
    received = {row.mailbox: row.received_at for row in tracked.rows(ticket)}
    here = received["security"]
    assert {one.mailbox for one in rounds(tracked, Span(mailbox="other"))} == {"other"}
    assert rounds(tracked, Span(since=here, until=here)) == []
    assert len(rounds(tracked, Span(since=here, until=here + timedelta(microseconds=1)))) >= 3
    assert rounds(tracked, Span(since=max(received.values()) + timedelta(seconds=1))) == []


def test_reports_tell_when_they_were_answered_judged_and_fixed(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    tracked.receive(mail(STRANGER, proven=True, subject="Question about your policy", text="Do you pay? A question."))
    assert [one.answered_at for one in reports(tracked)] == [None] * len(reports(tracked))
    tracked.send_all()
    (first, *_) = reports(tracked)
    assert (first.answered_at, first.validated_at, first.valid, first.state) == (AT, None, False, State.RECEIVED)
    number = tracked.rows(ticket)[0].id
    move(tracked, number, EventKind.VALID, State.ACCEPTED)
    tracked.later(days=1)
    move(tracked, number, EventKind.FIXED, State.FIXED)
    (first, *_) = reports(tracked)
    assert (first.validated_at, first.fixed_at, first.valid) == (AT, AT + timedelta(days=1), True)
    move(tracked, number, EventKind.DECLINED, State.DECLINED)
    assert reports(tracked)[0].valid is False, "declined after all"


def test_a_letter_that_came_back_answered_nobody(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    tracked.send_all()
    with writing(tracked.engine) as connection:
        connection.execute(update(letter).values(undelivered_at=tracked.at))
    assert [one.answered_at for one in reports(tracked)] == [None]


def move(tracked: Tracked, number: int, kind: EventKind, state: State) -> None:
    with writing(tracked.engine) as connection:
        chaining.append(connection, {number: [(tracked.at, Event(kind, "member:dana", {}))]}, tracked.entropy)
        connection.execute(update(ticket).where(ticket.c.id == number).values(state=state.value))
