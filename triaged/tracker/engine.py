"""Opens the tracker's database with the settings that its promises need. Writes no rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit is on the disk, or it was not
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=30000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-8192",
    "PRAGMA journal_size_limit=67108864",
)


def connect(url: str) -> Engine:
    """An engine for `url`; connections are opened when they are needed."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"isolation_level": None, "check_same_thread": False})
        event.listen(engine, "connect", _configure_sqlite)
        # The driver does not BEGIN before SELECT: two readers that then write would lose one update.
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10)


def file_of(url: str) -> Path | None:
    """SQLite's file; None where the database is a server's."""
    made = make_url(url)
    return Path(made.database) if made.get_backend_name() == "sqlite" and made.database else None


def _configure_sqlite(connection: Any, _record: object) -> None:
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_immediate(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading alone: takes no write lock on SQLite."""
    with engine.connect().execution_options(reading=True) as connection, connection.begin():
        yield connection


_SQLITE_WRITER = Lock()  # SQLite has one writer: waiting here is fair, its busy handler is not


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: commits when the block ends well, rolls back when it raises."""
    if engine.dialect.name == "sqlite":
        with _SQLITE_WRITER, engine.begin() as connection:
            yield connection
    else:
        with engine.begin() as connection:
            yield connection


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet, leave the others as they are."""
    if rows:
        connection.execute(_insert(connection, table), rows)


def insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert the row unless its key is there; whether it was new."""
    key = next(iter(table.primary_key.columns))
    return connection.execute(_insert(connection, table).values(row).returning(key)).first() is not None


def _insert(connection: Connection, table: Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
