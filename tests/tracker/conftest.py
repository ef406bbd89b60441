"""A migrated tracker on each kind of database: migrated once in the session, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.servers.postgres import Postgres
from tests.tracker.tracked import Tracked, open_tracker
from triaged import resources
from triaged.tracker import migrate
from triaged.tracker.engine import connect


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "triaged.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        _migrated(url)
        yield url.partition("@/")[2].partition("?")[0]


def _migrated(url: str) -> None:
    engine = connect(url)
    migrate.upgrade(engine, resources.migrations())
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "triaged.db"
    shutil.copy(sqlite_template, path)
    engine = connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres: Postgres, postgres_template: str) -> Iterator[Engine]:
    name = next(postgres.names)
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    engine = connect(postgres.url(name))
    yield engine
    engine.dispose()
    postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


@pytest.fixture
def tracked(engine: Engine) -> Tracked:
    """A tracker with one mailbox, on each kind of database."""
    return open_tracker(engine)


@pytest.fixture
def tracked_sqlite(sqlite_engine: Engine) -> Tracked:
    """For what no database can change: the quick one."""
    return open_tracker(sqlite_engine)
