"""The tracker's fixtures, for what the daemon does with one."""

from tests.tracker.conftest import sqlite_engine, sqlite_template, tracked_sqlite

__all__ = ["sqlite_engine", "sqlite_template", "tracked_sqlite"]
