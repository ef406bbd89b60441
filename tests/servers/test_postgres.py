"""What the PostgreSQL fixture promises the other tests."""

from __future__ import annotations

from sqlalchemy import NullPool, create_engine, text

from tests.conftest import required
from tests.servers.postgres import Postgres, postgres
from tests.servers.process import alive


def test_each_database_is_empty_and_gone_afterwards(postgres: Postgres) -> None:
    with postgres.database() as url:
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (n integer)"))
        with postgres.database() as other:
            assert other != url
            assert postgres.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'").strip() == "0"
        name = url.rpartition("/t")[2].partition("?")[0]
    assert f"t{name}" not in postgres.sql("SELECT datname FROM pg_database")


def test_a_database_is_dropped_under_an_open_connection(postgres: Postgres) -> None:
    with postgres.database() as url:
        engine = create_engine(url)
        connection = engine.connect()
        connection.execute(text("SELECT 1"))
    connection.invalidate()
    connection.close()
    engine.dispose()


def test_both_trackers_answer(tracker_url: str) -> None:
    engine = create_engine(tracker_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_stopped_cluster_leaves_no_process() -> None:
    with required(postgres()) as server:
        before = server.processes()
        server.restart()
        assert not [pid for pid in before if alive(pid)]
        last, directory = server.processes(), server.directory
    assert not [pid for pid in last if alive(pid)]
    assert not directory.exists()
