"""What the numbers say follows from the rows, on both databases; asking for them walks no table and changes nothing."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, text, update
from sqlalchemy.exc import DBAPIError

from tests.ticket.scene import AT, RESEARCHER, STRANGER, mail
from tests.tracker.tracked import Tracked
from triaged import resources
from triaged.daemon.metrics import Seen, exposition
from triaged.tracker import migrate
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.measuring import HURRY, Measures, Totals, bound, measure, total
from triaged.tracker.schema import clock, letter, receipt

BOXES, TENANTS = ["security"], ["default"]


def measured(tracked: Tracked) -> Measures:
    with reading(tracked.engine) as connection:
        bound(connection, HURRY)
        return measure(connection, BOXES, TENANTS, tracked.at)


def totals(tracked: Tracked) -> Totals:
    with reading(tracked.engine) as connection:
        bound(connection, HURRY)
        return total(connection)


def test_an_empty_tracker_has_nothing_waiting(tracked: Tracked) -> None:
    found = measured(tracked)
    assert found.revision == migrate.HEAD
    assert (found.oldest_unprocessed, found.oldest_due, found.next_due) == (None, None, None)
    assert (found.unprocessed, found.set_aside, found.missed, found.unannounced, found.swept) == (0, 0, 0, 0, {})
    assert set(found.outbox.values()) == {0} and totals(tracked).tickets == {} and totals(tracked).database_bytes > 0


def test_a_receipt_that_waits_is_as_old_as_its_arrival(tracked: Tracked) -> None:
    tracked.deliver(mail())
    tracked.later(minutes=3)
    found = measured(tracked)
    assert (found.oldest_unprocessed, found.unprocessed) == (AT, 1)
    tracked.take_in()
    assert (measured(tracked).oldest_unprocessed, measured(tracked).unprocessed) == (None, 0)


def test_what_was_set_aside_is_counted(tracked: Tracked) -> None:
    tracked.receive(mail())
    with writing(tracked.engine) as connection:
        connection.execute(update(receipt).values(outcome="set_aside"))
    assert measured(tracked).set_aside == 1


def test_a_letter_that_is_retried_grows_no_younger(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    assert (measured(tracked).oldest_due, measured(tracked).outbox["queued"]) == (AT, 2)
    tracked.record(tracked.claim(), "queued", "451 later")
    tracked.later(minutes=40)
    assert (measured(tracked).oldest_due, measured(tracked).outbox["queued"]) == (AT, 2)
    tracked.send_all()
    assert (measured(tracked).oldest_due, measured(tracked).outbox["queued"]) == (None, 0)


def test_a_letter_that_may_not_go_yet_does_not_stand(tracked: Tracked) -> None:
    """A member's letter in its undo time is no trouble of the outbox."""
    tracked.receive(mail(proven=True))
    with writing(tracked.engine) as connection:
        connection.execute(update(letter).values(not_before=AT + timedelta(hours=1)))
    assert measured(tracked).oldest_due is None
    tracked.later(hours=2)
    assert measured(tracked).oldest_due == AT + timedelta(hours=1)


def test_the_next_promise_is_the_first_that_runs_and_a_missed_one_is_counted_apart(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    dues = sorted(row.due_at for row in tracked.rows(clock))
    assert (measured(tracked).next_due, measured(tracked).missed) == (dues[0], 0)
    tracked.send_all()  # keeps the promise to acknowledge
    rest = sorted(row.due_at for row in tracked.rows(clock) if row.met_at is None)
    tracked.live(rest[0] + timedelta(minutes=1))
    found = measured(tracked)
    assert found.missed == 1 and found.next_due is not None and found.next_due > tracked.at


def test_acknowledgements_of_this_hour_are_counted_apart(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True), mail(STRANGER, text="another report of something else"))
    assert measured(tracked).acknowledged == {"proven": 1, "unproven": 1}
    tracked.later(hours=1)
    assert measured(tracked).acknowledged == {"proven": 0, "unproven": 0}


def test_a_letter_that_may_have_gone_twice_is_counted(tracked: Tracked) -> None:
    """RFC 1047."""
    tracked.receive(mail(proven=True))
    tracked.record(tracked.claim(), "unknown", "lost after the final dot")
    assert totals(tracked).repeats == 0
    tracked.send_all()
    assert totals(tracked).repeats == 2


def test_a_sweep_is_told_by_mailbox_and_folder(tracked: Tracked) -> None:
    tracked.folders().open("INBOX", 1)
    assert measured(tracked).swept == {("security", "INBOX"): None}
    tracked.folders().swept("INBOX", 3)
    assert measured(tracked).swept == {("security", "INBOX"): AT}


def test_who_measures_can_write_nothing(postgres_engine: Engine) -> None:
    """PostgreSQL sees to it; a reader of SQLite begins without the write lock."""
    with pytest.raises(DBAPIError), reading(postgres_engine) as connection:
        bound(connection, HURRY)
        connection.execute(text("delete from receipt"))


def test_what_is_asked_often_walks_no_table_that_grows(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/triaged.db")
    migrate.upgrade(engine, resources.migrations())
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked.append((sql, values)))
    with reading(engine) as connection:
        measure(connection, BOXES, TENANTS, AT)
        plans = {
            sql: connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in asked[1:]
        }
    engine.dispose()
    walks = [str(step[3]) for plan in plans.values() for step in plan if str(step[3]).startswith("SCAN")]
    assert len(plans) >= 10
    assert [walk for walk in walks if walk.split()[1] not in ("part", "alembic_version")] == []


def page(tracked: Tracked) -> str:
    folders = (("security", "INBOX"), ("security", "Junk"))
    parts = {"intake": "running", "outbox": "failing"}
    limits = {"proven": 2000, "unproven": 60}
    seen = Seen(measured(tracked), totals(tracked), folders, parts, limits, 5000, "0.1.0", tracked.at)
    return exposition(seen).decode()


def test_the_page_is_read_by_the_librarys_own_parser(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    tracked.folders().open("INBOX", 1)
    tracked.folders().swept("INBOX", 1)
    tracked.later(seconds=90)
    samples = {
        (s.name, *sorted(s.labels.items())): s.value
        for f in text_string_to_metric_families(page(tracked))
        for s in f.samples
    }
    inbox, junk = (("folder", name) for name in ("INBOX", "Junk"))
    assert samples[("triaged_folder_swept_seconds", inbox, ("mailbox", "security"))] == 90
    assert samples[("triaged_folder_swept_seconds", junk, ("mailbox", "security"))] == math.inf, "never swept"
    assert samples[("triaged_outbox_oldest_seconds",)] == 90
    assert samples[("triaged_outbox_letters", ("state", "queued"))] == 2
    assert samples[("triaged_tickets", ("state", "received"))] == 1
    assert samples[("triaged_part_up", ("part", "outbox"))] == 0
    assert samples[("triaged_build_info", ("version", "0.1.0"))] == 1
    assert samples[("triaged_next_promise_due_seconds",)] > 0


def test_the_page_names_no_person_and_quotes_nobody(tracked: Tracked) -> None:
    tracked.receive(
        mail(f"Opensesame <{RESEARCHER}>", subject="wonderwall", text="wonderwall and more of it", proven=True)
    )
    said = page(tracked)
    assert "@" not in said and "wonderwall" not in said and "Opensesame" not in said
    assert all(ref not in said for ref in tracked.refs())
