"""Who reads personal data at the command line stands in the ticket's chain, or in the journal."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cli.conftest import Triaged
from tests.ticket.scene import RESEARCHER
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.schema import journal

LOGIN = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture
def ref(imported: Triaged) -> str:
    found = imported("ticket", "list", "--json").document
    return next(str(d["ref"]) for d in found if d["reporter"] and d["reporter"]["address"] == RESEARCHER)


def looks(triaged: Triaged, ref: str) -> list[tuple[str, str]]:
    events = triaged("ticket", "show", ref, "--json").document["events"]
    return [(e["actor"], e["data"]["command"]) for e in events if e["kind"] == "looked"]


def test_a_look_at_a_ticket_is_an_event_once_an_hour(imported: Triaged, ref: str) -> None:
    assert looks(imported, ref) == [], "what is shown is the ticket before the look"
    assert looks(imported, ref) == looks(imported, ref) == [(LOGIN, "ticket show")]
    assert imported("ticket", "show", ref, "--as", "Dana Levi").code == 0
    letter = next(d["id"] for d in imported("outbox", "list", "--json").document if d["ref"] == ref)
    assert imported("outbox", "show", letter).code == 0
    assert looks(imported, ref) == [
        (LOGIN, "ticket show"),
        ("operator:Dana Levi", "ticket show"),
        (LOGIN, "outbox show"),
    ]
    assert imported("audit", "--offline").code == 0


def test_a_list_is_an_entry_of_the_journal_once_an_hour(imported: Triaged, ref: str, installation: Path) -> None:
    for _ in range(3):
        imported("ticket", "list")
        imported("outbox", "list")
    engine = connect(f"sqlite:///{installation / 'triaged.db'}")
    with reading(engine) as connection:
        kinds = connection.execute(select(journal.c.kind)).scalars().all()
    engine.dispose()
    assert kinds == ["looked", "looked"]
    assert imported("audit", "--offline").code == 0


def test_what_can_not_be_recorded_is_shown_all_the_same(imported: Triaged, ref: str, installation: Path) -> None:
    engine = connect(f"sqlite:///{installation / 'triaged.db'}")
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TRIGGER closed BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END")
    engine.dispose()
    said = imported("ticket", "show", ref)
    assert said.code == 0 and RESEARCHER in said.out and "could not be recorded" in said.err


def test_a_member_that_is_none_reads_nothing(imported: Triaged, ref: str) -> None:
    said = imported("ticket", "show", ref, "--as", "Nobody")
    assert said.code == 1 and RESEARCHER not in said.out
