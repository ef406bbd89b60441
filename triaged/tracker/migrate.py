"""Brings the database to this program's schema, by Alembic. Refuses a database that is newer than the program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"  # the newest revision in migrations/versions; a test holds the two together


class DatabaseError(Exception):
    """The database can't be used as it is. The message says the mend."""


def current(engine: Engine) -> str | None:
    """The database's revision; None where it holds no tracker yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def upgrade(engine: Engine, scripts: Path) -> str:
    """Run the migrations that are missing; returns the revision reached."""
    revision = current(engine)
    if revision == HEAD:
        return HEAD  # without importing Alembic: start-up stays fast
    refuse_newer(revision, scripts)
    from alembic import command

    with engine.connect() as connection:
        _alone(connection)
        try:
            command.upgrade(_configuration(scripts, connection), "head")
        finally:
            connection.invalidate()  # it holds the lock, and its foreign keys are off: nobody else may get it
    return HEAD


def refuse_newer(revision: str | None, scripts: Path) -> None:
    """Raise DatabaseError where the database is at a revision that this program does not have."""
    known = {path.name.partition("_")[0] for path in (scripts / "versions").glob("*.py")}
    if revision is not None and revision not in known:
        raise DatabaseError(
            f"the database is newer than this program: it is at revision {revision}, the program knows up to {HEAD}. "
            "Install the triaged that made it, or restore the backup from before the upgrade"
        )


def _configuration(scripts: Path, connection: Connection) -> Config:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(scripts).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _alone(connection: Connection) -> None:
    """One migration at a time on PostgreSQL. SQLite rebuilds a table to alter it: dropping a parent with foreign keys on
    would delete its children's rows."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA foreign_keys=OFF")  # past SQLAlchemy, whose BEGIN would make it do nothing
    else:
        connection.exec_driver_sql("SELECT pg_advisory_lock(7311830)")  # until this connection closes
        connection.rollback()


def mend(error: SQLAlchemyError) -> str:
    """A database error in words, with what to do."""
    said = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
    for sign, words in _MENDS:
        if sign in said:
            return f"{words} ({said})"
    return f"the database refused: {said}"


_MENDS = (
    (
        "readonly database",
        "the database can't be written: give triaged's user the right to write the file and its folder",
    ),
    (
        "read-only transaction",
        "the database can't be written: end its read-only mode, or name the server that writes in [tracker] url",
    ),
    (
        "disk I/O error",
        "the disk can't be written, because it is full or failing: make room or mend it, then go on; nothing that was "
        "accepted is lost",
    ),
    ("disk is full", "the disk is full: make room, then go on; nothing that was accepted is lost"),
    ("No space left", "the disk is full: make room, then go on; nothing that was accepted is lost"),
    ("unable to open database file", "the database file can't be opened: make its folder, or mend [tracker] url"),
    (
        "file is not a database",
        "the file named by [tracker] url is no SQLite database: name another, or restore a backup",
    ),
    ("database is locked", "another program holds the database for longer than 30 s: stop it"),
    ("Connection refused", "no PostgreSQL answers there: start it, or mend [tracker] url"),
    ("password authentication failed", "PostgreSQL refuses the password: mend [tracker] url"),
    ("does not exist", "that database or user does not exist: create it, or mend [tracker] url"),
    ("could not translate host name", "the database's host name is not known: mend [tracker] url"),
    ("failed to resolve host", "the database's host name is not known: mend [tracker] url"),
)
