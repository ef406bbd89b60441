"""What `triaged audit` says of a tenant's journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.cli.conftest import Triaged
from tests.ticket.scene import AT
from tests.tracker.tracked import Entropy
from triaged.ticket.events import JournalKind
from triaged.tracker.engine import connect, writing
from triaged.tracker.journal import note
from triaged.tracker.schema import journal


@pytest.fixture
def journalled(imported: Triaged, installation: Path) -> Triaged:
    """Three entries were written."""
    engine, entropy = connect(f"sqlite:///{installation}/triaged.db"), Entropy("journalled")
    with writing(engine) as connection:
        for number in range(3):
            note(connection, "default", JournalKind.PUBLISHED, "operator", {"number": number}, AT, entropy)
    engine.dispose()
    return imported


def test_audit_counts_events_and_entries(journalled: Triaged) -> None:
    looked_at = journalled("audit", "--offline", "--json").document["looked_at"]
    assert looked_at["journal_entries"] == 3
    assert looked_at["events"] > looked_at["tickets"]
    said = journalled("audit", "--offline")
    assert "3 journal entries looked at" in said.out and "all holds" in said.out


def test_audit_names_the_entry_that_does_not_hold(journalled: Triaged, installation: Path) -> None:
    engine = connect(f"sqlite:///{installation}/triaged.db")
    with writing(engine) as connection:
        connection.execute(delete(journal).where(journal.c.seq == 2))
    engine.dispose()
    said = journalled("audit", "--offline")
    assert "journal of default, entry 3: an entry before it is missing" in said.out
    assert said.code == 1
