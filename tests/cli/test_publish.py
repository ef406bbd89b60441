"""`triaged publish`: files of the site below a directory, the same bytes each time, and nothing of anybody else's touched."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from tests.cli.conftest import Triaged
from triaged.cli.publish import LIST
from triaged.tracker.schema import advisory, journal, letter


@pytest.fixture
def www(tmp_path: Path) -> Path:
    return tmp_path / "www"


def held(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def test_a_site_without_any_advisory_says_so_and_is_written_once(imported: Triaged, www: Path) -> None:
    first = imported("publish", www, "--json")
    assert first.code == 0, first.err
    before = held(www)
    assert set(first.document["written"]) == set(before) - {LIST}
    assert "index.html" in before and ".well-known/security.txt" in before
    again = imported("publish", www, "--json").document
    assert again == {"published": [], "waiting": [], "written": [], "removed": []}
    assert held(www) == before


def test_a_dry_run_writes_nothing_and_says_what_it_would(imported: Triaged, www: Path) -> None:
    said = imported("publish", www, "--dry-run")
    assert said.code == 0 and "would be written: index.html" in said.out
    assert not www.exists()


def test_what_is_no_more_is_taken_away_and_what_is_not_ours_stays(imported: Triaged, www: Path) -> None:
    imported("publish", www)
    (www / "old.html").write_text("of an earlier publication")
    (www / "mine.html").write_text("somebody else's")
    listed = json.loads((www / LIST).read_text())
    (www / LIST).write_text(json.dumps([*listed, "old.html"]))
    assert imported("publish", www, "--json").document["removed"] == ["old.html"]
    assert not (www / "old.html").exists() and (www / "mine.html").exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", ""])
def test_a_list_that_names_a_file_outside_takes_nothing_away(imported: Triaged, www: Path, path: str) -> None:
    outside = www.parent / "outside"
    outside.write_text("here before")
    imported("publish", www)
    (www / LIST).write_text(json.dumps([path]))
    assert imported("publish", www).code == 0
    assert outside.read_text() == "here before"


def test_a_list_that_is_no_list_is_said_and_nothing_is_written(imported: Triaged, www: Path) -> None:
    www.mkdir()
    (www / LIST).write_text("{")
    said = imported("publish", www)
    assert said.code == 1 and "remove it" in said.err
    assert set(held(www)) == {LIST}


def test_a_mailbox_that_is_none_is_refused_in_words(imported: Triaged, www: Path) -> None:
    said = imported("publish", www, "--mailbox", "nobody")
    assert said.code == 1 and "there is no mailbox 'nobody'" in said.err
    assert not www.exists()


def test_a_document_that_fails_its_schema_stops_all_and_nothing_becomes_public(
    imported: Triaged, installation: Path, www: Path
) -> None:
    """An advisory whose row was changed by hand: neither files, nor an entry of the journal, nor a letter."""
    (file,) = installation.rglob("*.db")
    at, row = datetime.now(UTC), {"ticket_id": 1, "tenant": "default", "name": "IMS-2026-0001", "revisions": []}
    words = {"title": "A hole", "text": "It is mended.", "cve": "CVE-26-1", "written_at": at, "published_at": at}
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(advisory.insert().values(**row, **words))
        before = [connection.execute(select(func.count()).select_from(one)).scalar() for one in (journal, letter)]
    said = imported("publish", www)
    assert said.code == 1 and "nothing was published or written" in said.err and "IMS-2026-0001" in said.err
    assert not www.exists()
    with engine.begin() as connection:
        after = [connection.execute(select(func.count()).select_from(one)).scalar() for one in (journal, letter)]
    assert after == before
    engine.dispose()


def test_where_no_file_can_be_written_nothing_becomes_public(imported: Triaged, installation: Path, www: Path) -> None:
    """Else its researcher reads that it is published, and the page is not there."""
    www.write_text("a file where the web root should be")
    said = imported("publish", www / "below")
    assert said.code == 1
    (file,) = installation.rglob("*.db")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        assert connection.execute(select(journal.c.kind).where(journal.c.kind == "published")).all() == []
    engine.dispose()


def test_an_instant_before_the_last_event_is_refused(imported: Triaged, www: Path) -> None:
    said = imported("publish", www, "--at", "2001-01-01T00:00:00Z")
    assert said.code == 1 and "not earlier" in said.err
    assert not www.exists()


@pytest.mark.parametrize("at", ["2099-01-01T00:00:00Z", None])
def test_a_day_is_played_only_where_all_time_is_played(imported: Triaged, www: Path, at: str | None) -> None:
    """Else --at would publish what is under embargo, or put on a day that passed what never was."""
    said = imported("publish", www, "--at", at or datetime.now(UTC).isoformat())
    assert said.code == 1 and "--dry-run" in said.err
    assert not www.exists()


def test_a_look_at_a_day_to_come_changes_nothing(imported: Triaged, installation: Path, www: Path) -> None:
    (file,) = installation.rglob("*.db")
    assert imported("publish", www, "--dry-run", "--at", "2099-01-01T00:00:00Z").code == 0
    with closing(sqlite3.connect(file)) as connection:
        (played,) = connection.execute("SELECT count(*) FROM installation WHERE name LIKE 'rehearsed%'").fetchone()
    assert played == 0
    assert not www.exists()
