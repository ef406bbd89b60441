"""What is due, and the next wake-up, are found by the index over mailbox and wake-up, whatever else is in the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, insert, text

from tests.ticket.scene import AT, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.ticket.clocks import Clock
from triaged.tracker import clocks, tending
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, ticket

INDEX = "ix_clock_wake"


def plans(tracked: Tracked, ask: Any) -> list[str]:
    """How the database looks up what `ask` wants, statement by statement."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.lstrip().upper().startswith("SELECT"):
            asked.append((sql, values))

    event.listen(tracked.engine, "before_cursor_execute", note)
    with reading(tracked.engine) as connection:
        ask(connection)
    event.remove(tracked.engine, "before_cursor_execute", note)
    sqlite = tracked.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    with reading(tracked.engine) as connection:
        rows = [connection.exec_driver_sql(explain + sql, values).all() for sql, values in asked]
    return ["\n".join(str(row[3] if sqlite else row[0]) for row in plan) for plan in rows]


def crowded(engine: Engine) -> Tracked:
    """Many clocks that are not due, most of them ended: a table that nobody would want to walk."""
    tracked = open_tracker(engine)
    tracked.receive(mail(proven=True))
    (row,) = tracked.rows(ticket)
    one = Clock("update", "We write.", "14 days", AT, AT + timedelta(days=14), False, "14 days")
    with writing(engine) as connection:
        values = clocks.row(row.id, "security", one)
        far = AT + timedelta(days=400)
        rows = [{**values, "round": n + 100, "wake_at": far if n % 4 else None} for n in range(4000)]
        connection.execute(insert(clock), rows)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE clock"))
    return tracked


def test_due_work_and_the_next_wake_up_are_found_by_the_index(engine: Engine) -> None:
    tracked = crowded(engine)
    now = AT + timedelta(days=1)
    found = plans(tracked, lambda connection: clocks.due(connection, "security", now, 100))
    found += plans(tracked, lambda connection: clocks.next_wake(connection, ["security"]))
    assert len(found) == 2 and all(INDEX in plan for plan in found), found
    assert not any("Seq Scan" in plan or "SCAN" in plan for plan in found), found


def test_no_statement_about_one_ticket_walks_a_table(sqlite_engine: Engine) -> None:
    tracked = crowded(sqlite_engine)
    found = plans(tracked, lambda connection: tending.load(connection, 1))
    steps = [step for plan in found for step in plan.split("\n")]
    assert len(found) >= 6
    assert [step for step in steps if step.startswith("SCAN") or "AUTOMATIC" in step] == []
