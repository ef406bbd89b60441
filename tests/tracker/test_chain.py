"""A changed past shows, a redacted event does not break it, and writers side by side fork nothing (DESIGN: Storage)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, func, select, update

from tests.ticket.scene import AT, mail
from tests.tracker.tracked import Tracked, body_of
from triaged.ticket.events import Event, EventKind
from triaged.tracker import chaining
from triaged.tracker.engine import writing
from triaged.tracker.schema import chain_root, event, ticket


@pytest.fixture
def whole(tracked: Tracked) -> Tracked:
    """Two tickets with several events each."""
    tracked.receive(mail(proven=True), mail("ada@example.org", text="a second report, of somebody else"))
    tracked.send_all()
    assert tracked.broken() == []
    return tracked


def _swap(connection: Connection) -> None:
    here = event.c.ticket_id == 1
    for before, after in ((1, 99), (2, 1), (99, 2)):
        connection.execute(update(event).where(here, event.c.seq == before).values(seq=after))


def _change(**values: Any) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        connection.execute(update(event).where(event.c.ticket_id == 1, event.c.seq == 2).values(**values))

    return change


def _remove(seq: Any) -> Callable[[Connection], None]:
    def remove(connection: Connection) -> None:
        connection.execute(delete(event).where(event.c.ticket_id == 1, event.c.seq == seq))

    return remove


def _remove_last(connection: Connection) -> None:
    last = select(func.max(event.c.seq)).where(event.c.ticket_id == 1).scalar_subquery()
    connection.execute(delete(event).where(event.c.ticket_id == 1, event.c.seq == last))


def _remove_all(connection: Connection) -> None:
    connection.execute(delete(event).where(event.c.ticket_id == 1))


def _change_the_state(connection: Connection) -> None:
    connection.execute(update(ticket).where(ticket.c.id == 1).values(state="closed"))


TAMPERING = {
    "data changed": _change(body='{"actor":"triaged","data":{}}'),
    "data changed, salt gone": _change(body='{"actor":"triaged","data":{}}', salt=None),
    "data gone, salt kept": _change(body=None),
    "kind changed": _change(kind="met"),
    "kind changed to none that there is": _change(kind="nonsense"),
    "instant changed": _change(at=AT - timedelta(days=1)),
    "seal changed": _change(seal=bytes(32)),
    "hash changed": _change(hash=bytes(32)),
    "first removed": _remove(1),
    "one removed": _remove(2),
    "last removed": _remove_last,
    "all removed": _remove_all,
    "two reordered": _swap,
    "state changed": _change_the_state,
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_changed_past_shows(whole: Tracked, what: str) -> None:
    with writing(whole.engine) as connection:
        TAMPERING[what](connection)
    assert whole.broken() != []
    assert any("IMS-" in finding for finding in whole.findings()), "`audit` says so"


def test_a_redacted_event_leaves_the_chain_whole(whole: Tracked) -> None:
    """Data and salt are taken out together; the event's kind, instant and place stay."""
    with writing(whole.engine) as connection:
        connection.execute(update(event).values(body=None, salt=None))
    assert whole.broken() == []
    whole.later(minutes=1)
    whole.receive(mail(text="another one, to a chain that was redacted"))
    assert whole.broken() == []


def test_events_hold_ids_and_no_words_of_a_report(whole: Tracked) -> None:
    whole.receive(mail("Secret Name <secret@example.org>", subject="opensesame", text="wonderwall wonderwall and more"))
    for row in whole.rows(event):
        for secret in ("opensesame", "wonderwall", "secret@example.org", "Secret Name"):
            assert secret not in str(body_of(row))


def test_the_hourly_root_changes_with_every_event(tracked: Tracked) -> None:
    hashes = set()
    for number in range(3):
        tracked.receive(mail(f"r{number}@example.org", text=f"report number {number} of these three"))
        with writing(tracked.engine) as connection:
            chaining.write_root(connection, tracked.at)
        root = tracked.rows(chain_root)[-1]
        assert root.tickets == number + 1 and root.events == len(tracked.rows(event))
        hashes.add(root.hash)
    assert len(hashes) == 3


def test_writers_side_by_side_do_not_fork_a_chain(tracked: Tracked) -> None:
    """Eight writers, one ticket: on PostgreSQL they wait at the ticket's row."""
    tracked.receive(mail(proven=True))
    before, errors = len(tracked.rows(event)), []

    def append(number: int) -> None:
        entropy = tracked.another(f"here:{number}:x").entropy
        try:
            for _ in range(10):
                with writing(tracked.engine) as connection:
                    noted = Event(EventKind.MESSAGE, "triaged", {"writer": number})
                    chaining.append(connection, {1: [(tracked.at, noted)]}, entropy)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=append, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [row.seq for row in tracked.rows(event)] == list(range(1, before + 81))
    assert tracked.broken() == []


def test_an_event_that_is_there_twice_is_refused_by_the_database(engine: Engine, whole: Tracked) -> None:
    from sqlalchemy.exc import IntegrityError

    row = whole.rows(event)[0]
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(event.insert().values(**row._mapping))
