"""Well and ready follow from what parts and sweeps say; each complaint names what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.ticket.scene import AT
from triaged.daemon.health import unready, unwell
from triaged.tracker import migrate
from triaged.tracker.measuring import Measures

PATIENCE = timedelta(minutes=15)
FOLDERS = (("security", "INBOX"), ("security", "Junk"))
WELL = Measures(
    revision=migrate.HEAD,
    oldest_unprocessed=None,
    unprocessed=0,
    set_aside=0,
    swept={place: AT for place in FOLDERS},
    outbox={},
    oldest_due=None,
    next_due=None,
    missed=0,
    acknowledged={},
    unannounced=0,
    parts=(),
)


def test_a_part_that_does_not_run_is_named() -> None:
    assert unwell({"intake": "running"}) == []
    assert unwell({"intake": "running", "outbox": "failing"}) == ["part outbox: failing"]


def test_swept_lately_and_of_this_version_is_ready() -> None:
    assert unready(WELL, FOLDERS, PATIENCE, AT + PATIENCE) == []


def test_one_folder_that_is_not_swept_is_named_with_its_minutes() -> None:
    late = replace(WELL, swept={("security", "INBOX"): AT - timedelta(minutes=16), ("security", "Junk"): AT})
    assert unready(late, FOLDERS, PATIENCE, AT) == ["mailbox security: INBOX was not swept for 16 minutes"]


def test_a_folder_that_was_never_swept_is_not_ready() -> None:
    assert unready(replace(WELL, swept={}), FOLDERS[:1], PATIENCE, AT) == ["mailbox security: INBOX was never swept"]


def test_a_database_of_another_version_or_none_is_not_ready() -> None:
    assert unready(None, FOLDERS, PATIENCE, AT) == ["database: it does not answer"]
    assert "another version" in unready(replace(WELL, revision="0001"), FOLDERS, PATIENCE, AT)[0]
