"""A tenant's journal: what was changed, left out or cut off shows, and writers side by side fork nothing (DESIGN: Storage)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, update

from tests.ticket.scene import AT
from tests.tracker.tracked import Entropy, Tracked
from triaged.ticket.events import JournalKind
from triaged.tracker import chaining
from triaged.tracker.engine import reading, writing
from triaged.tracker.journal import broken_journal, entries, note
from triaged.tracker.schema import chain_root, journal, journal_head

KIND = JournalKind.KNOWN_SEALED


def _noted(tracked: Tracked, *numbers: int, tenant: str = "default") -> None:
    for number in numbers:
        with writing(tracked.engine) as connection:
            note(connection, tenant, KIND, "operator", {"number": number}, tracked.at, tracked.entropy)


def _broken(engine: Engine) -> list[tuple[str, int, str]]:
    with reading(engine) as connection:
        return list(broken_journal(connection))


@pytest.fixture
def kept(tracked: Tracked) -> Tracked:
    """Two journals, of three entries and of one."""
    _noted(tracked, 1, 2, 3)
    _noted(tracked, 9, tenant="other")
    assert _broken(tracked.engine) == []
    return tracked


def _change(**values: Any) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        here = (journal.c.tenant == "default", journal.c.seq == 2)
        connection.execute(update(journal).where(*here).values(**values))

    return change


def _remove(*seqs: int) -> Callable[[Connection], None]:
    def remove(connection: Connection) -> None:
        connection.execute(delete(journal).where(journal.c.tenant == "default", journal.c.seq.in_(seqs)))

    return remove


def _forget_the_end(connection: Connection) -> None:
    connection.execute(delete(journal_head).where(journal_head.c.tenant == "default"))


TAMPERING = {
    "data changed": _change(body='{"actor":"operator","data":{}}'),
    "data changed, salt gone": _change(body='{"actor":"operator","data":{}}', salt=None),
    "data gone, salt kept": _change(body=None),
    "kind changed": _change(kind="published"),
    "instant changed": _change(at=AT.replace(year=2020)),
    "seal changed": _change(seal=bytes(32)),
    "hash changed": _change(hash=bytes(32)),
    "moved to another tenant": _change(tenant="third", seq=1),
    "first removed": _remove(1),
    "one removed": _remove(2),
    "last removed": _remove(3),
    "all removed": _remove(1, 2, 3),
    "its end forgotten": _forget_the_end,
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_changed_journal_shows(kept: Tracked, what: str) -> None:
    with writing(kept.engine) as connection:
        TAMPERING[what](connection)
    assert {tenant for tenant, _, _ in _broken(kept.engine)} >= {"default"}
    assert any(finding.startswith("journal of default, entry ") for finding in kept.findings()), "`audit` says so"


def test_a_redacted_entry_leaves_the_journal_whole(kept: Tracked) -> None:
    with writing(kept.engine) as connection:
        connection.execute(update(journal).values(body=None, salt=None))
    assert _broken(kept.engine) == []
    _noted(kept, 4)
    assert _broken(kept.engine) == []
    with reading(kept.engine) as connection:
        assert [(e.seq, e.actor, e.data) for e in entries(connection, "default")][2:] == [
            (3, "", {}),
            (4, "operator", {"number": 4}),
        ]


def test_each_tenant_has_a_journal_of_its_own(kept: Tracked) -> None:
    with reading(kept.engine) as connection:
        assert [e.seq for e in entries(connection, "default", KIND)] == [1, 2, 3]
        assert [e.data for e in entries(connection, "other")] == [{"number": 9}]
        assert entries(connection, "other", JournalKind.PUBLISHED) == []


def test_writers_side_by_side_do_not_fork_a_journal(tracked: Tracked) -> None:
    """Eight writers, none of whom finds a journal: they wait for each other, and nobody's entry is lost."""
    errors = []

    def write(number: int) -> None:
        entropy = Entropy(f"writer {number}")
        try:
            for _ in range(10):
                with writing(tracked.engine) as connection:
                    note(connection, "default", KIND, "operator", {"writer": number}, tracked.at, entropy)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [row.seq for row in tracked.rows(journal)] == list(range(1, 81))
    assert _broken(tracked.engine) == []


def test_a_seal_that_was_dated_back_shows(kept: Tracked) -> None:
    """By a machine whose clock was set back: its place in the chain gives it away."""
    kept.at -= timedelta(minutes=4)
    _noted(kept, 4)
    assert _broken(kept.engine) == [], "clocks of two machines differ"
    kept.at -= timedelta(days=90)
    _noted(kept, 5)
    assert _broken(kept.engine) == [("default", 5, "its instant lies before that of the entry before it")]


def test_what_is_rolled_back_was_never_in_the_journal(kept: Tracked) -> None:
    with pytest.raises(RuntimeError), writing(kept.engine) as connection:
        note(connection, "default", KIND, "operator", {}, kept.at, kept.entropy)
        raise RuntimeError
    _noted(kept, 4)
    assert len(kept.rows(journal, tenant="default")) == 4
    assert _broken(kept.engine) == []


def test_the_hourly_root_changes_with_every_entry(tracked: Tracked) -> None:
    hashes = set()
    for number in range(3):
        _noted(tracked, number)
        with writing(tracked.engine) as connection:
            chaining.write_root(connection, tracked.at)
        hashes.add(tracked.rows(chain_root)[-1].hash)
    assert len(hashes) == 3
