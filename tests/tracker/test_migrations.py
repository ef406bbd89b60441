"""The migrations make the tables that the program knows, keep the rows that are there, and go one way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from tests.ticket.scene import mail
from tests.tracker.tracked import Tracked
from triaged import resources
from triaged.tracker import likeness, migrate
from triaged.tracker.engine import connect, writing
from triaged.tracker.schema import attachment, event, metadata


def test_the_migrations_make_exactly_the_tables_of_the_program(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _ours})
        assert compare_metadata(context, metadata) == []


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """The likeness tables are SQL of each database's own: FTS5 with its shadow tables, an array under GIN."""
    return kind != "table" or not str(name).startswith("likeness")


def test_the_migrations_make_the_tables_of_likeness_as_the_program_reads_them(engine: Engine) -> None:
    found = inspect(engine)
    for table in likeness.metadata.sorted_tables:
        assert [c["name"] for c in found.get_columns(table.name)] == list(table.c.keys())
    assert found.has_table("likeness_index")


def test_head_is_the_newest_revision_and_there_is_one_line_of_them() -> None:
    scripts = ScriptDirectory(str(resources.migrations()))
    assert scripts.get_heads() == [migrate.HEAD]


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    assert migrate.upgrade(engine, resources.migrations()) == migrate.HEAD == migrate.current(engine)


def test_an_empty_database_is_at_no_revision(tracker_url: str) -> None:
    engine = connect(tracker_url)
    assert migrate.current(engine) is None
    assert migrate.upgrade(engine, resources.migrations()) == migrate.HEAD == migrate.current(engine)
    engine.dispose()


def test_rebuilding_a_parent_table_keeps_its_childrens_rows(tracked: Tracked, tmp_path: Path) -> None:
    """SQLite rebuilds a table to alter it, and with foreign keys on that deletes the rows that name it."""
    from email.message import EmailMessage

    letter = EmailMessage()
    letter["From"], letter["Subject"], letter["Message-ID"] = "noa@example.org", "with a file", "<a@example.org>"
    letter.set_content("a report with a file and enough words")
    letter.add_attachment(b"PNG", maintype="image", subtype="png", filename="poc.png")
    tracked.receive(letter.as_bytes(), mail(proven=True))
    before = [tracked.rows(table) for table in metadata.sorted_tables]
    assert tracked.rows(attachment) and tracked.rows(event)
    with writing(tracked.engine) as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    assert migrate.upgrade(tracked.engine, _one_behind(tmp_path)) == migrate.current(tracked.engine) == migrate.HEAD
    after = [tracked.rows(table) for table in metadata.sorted_tables]
    assert [len(rows) for rows in after] == [len(rows) for rows in before]
    assert tracked.findings() == []
    with pytest.raises(IntegrityError), writing(tracked.engine) as connection:
        connection.execute(text("delete from message"))  # and the foreign keys are on again


def _one_behind(tmp_path: Path) -> Path:
    """The migrations under an earlier number, and after them one that alters the parents of most tables."""
    scripts = tmp_path / "migrations"
    shutil.copytree(resources.migrations(), scripts)
    first = next((scripts / "versions").glob(f"{migrate.HEAD}_*.py"))
    (scripts / "versions" / "0000_first.py").write_text(first.read_text().replace(f'"{migrate.HEAD}"', '"0000"'))
    first.unlink()
    (scripts / "versions" / f"{migrate.HEAD}_another.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = {migrate.HEAD!r}, '0000', None, None\n"
        "def upgrade():\n"
        "    for name in ('ticket', 'message', 'receipt'):\n"
        "        with op.batch_alter_table(name) as table:\n"
        "            table.alter_column('tenant', existing_type=sa.String(128), type_=sa.String(200))\n"
    )
    return scripts


def test_a_database_that_is_newer_is_refused_with_the_mend(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(migrate.DatabaseError, match=r"newer than this program.*Install the triaged that made it"):
        migrate.upgrade(engine, resources.migrations())


def test_foreign_keys_hold_and_commits_are_on_the_disk_on_sqlite(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        asked = {
            name: connection.execute(text(f"pragma {name}")).scalar()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }
    assert asked == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}


def test_who_reads_on_sqlite_does_not_keep_who_writes_waiting(sqlite_engine: Engine) -> None:
    from triaged.tracker.engine import reading
    from triaged.tracker.schema import lease

    with reading(sqlite_engine) as reader:
        reader.execute(select(lease)).all()
        with writing(sqlite_engine) as writer:
            writer.execute(lease.delete())
