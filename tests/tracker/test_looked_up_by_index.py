"""What is known of an arriving message is looked up by index: no statement walks a table, however large it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.ticket.scene import AT, DESK, REPORT, TO_RESEARCHER, arrive, mail
from triaged import resources
from triaged.ticket.known import clues
from triaged.tracker import migrate
from triaged.tracker.engine import connect, reading
from triaged.tracker.knowing import Item, load_known


def test_no_statement_about_an_arrival_walks_a_table(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/triaged.db")
    migrate.upgrade(engine, resources.migrations())
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked.append((sql, values)))
    one = arrive(mail(fields=(f"References: {REPORT} {TO_RESEARCHER}",)))
    with reading(engine) as connection:
        load_known(connection, [Item(one, clues(one.message, DESK))], DESK, AT)
        lookups = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in lookups]
    engine.dispose()
    steps = [str(step[3]) for plan in plans for step in plan]
    assert len(plans) >= 4
    assert [step for step in steps if step.startswith("SCAN") or "AUTOMATIC" in step] == []
