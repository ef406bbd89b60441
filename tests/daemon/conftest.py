"""The tracker's fixtures, for what the daemon does with one."""

from tests.tracker.conftest import (
    engine,
    postgres_engine,
    postgres_template,
    sqlite_engine,
    sqlite_template,
    tracked_sqlite,
)

__all__ = ["engine", "postgres_engine", "postgres_template", "sqlite_engine", "sqlite_template", "tracked_sqlite"]
