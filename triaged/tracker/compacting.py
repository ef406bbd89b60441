"""After an erasure: the database's own files hold nothing of it any more, or it is said what may. Changes no row."""

from __future__ import annotations

from sqlalchemy import Engine

from triaged.tracker.schema import metadata


def compact(engine: Engine) -> list[str]:
    """Rewrite the files; what could not be done, in words, for the certificate."""
    return _sqlite(engine) if engine.dialect.name == "sqlite" else _postgres(engine)


def _sqlite(engine: Engine) -> list[str]:
    """VACUUM writes every page anew; the checkpoint brings it into the file and cuts the log off."""
    import sqlite3

    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA temp_store=FILE")  # the copy that VACUUM makes is as large as the tracker
        cursor.execute("INSERT INTO likeness_index (likeness_index) VALUES ('optimize')")
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:
        return [f"free pages of the database file: it could not be rewritten ({error}); {_HOW}"]
    finally:
        raw.detach()
        raw.close()
    return [f"the write-ahead log: another process reads the database; {_HOW}"] if busy else []


_HOW = "stop `triaged run` and give `triaged forget --compact`"


def _postgres(engine: Engine) -> list[str]:
    """VACUUM frees what was deleted and does not rewrite the pages; that would lock the tables out."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in metadata.sorted_tables:
            connection.exec_driver_sql(f'VACUUM "{table.name}"')
        connection.exec_driver_sql("VACUUM likeness, likeness_term, likeness_index")
    return [
        "pages of PostgreSQL's own files, and its write-ahead log and replicas, until they are reused: VACUUM FULL rewrites them"
    ]
