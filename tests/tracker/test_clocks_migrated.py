"""Clocks of a tracker that is older than rounds and wake-ups: after the upgrade, what runs is looked at once."""

from __future__ import annotations

from sqlalchemy import text

from tests.ticket.scene import AT
from triaged import resources
from triaged.tracker import clocks, migrate
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.schema import ticket

TICKET = (
    "insert into ticket (id, token, ref, tenant, mailbox, kind, state, waiting, subject, received_at, opened_at, policy_sha256, "
    "unannounced, event_count, head) values (1, 't', 'T', 'default', 'security', 'report', 'received', false, '', :at, :at, 'p', "
    "false, 0, :head)"
)
POLICY = "insert into policy_text (sha256, name, version, organisation, source, seen_at) values ('p', 'p', '1', 'o', '', :at)"
CLOCK = (
    "insert into clock (ticket_id, promise, clause, every, started_at, due_at, met_at, waived, pauses) "
    "values (1, :promise, 'We do.', :every, :at, :at, :met, :waived, false)"
)


def test_what_runs_wakes_and_what_ended_does_not(tracker_url: str) -> None:
    from alembic import command

    engine = connect(tracker_url)
    with engine.connect() as connection:
        command.upgrade(migrate._configuration(resources.migrations(), connection), "0002")
        connection.commit()
    at = AT.replace(tzinfo=None) if engine.dialect.name == "sqlite" else AT
    rows = (
        ("acknowledge", None, at, None),
        ("assess", None, None, None),
        ("update", "14 days", None, "null"),
        ("fix", None, None, '{"by": "member:x", "why": "y", "at": "2026-11-20T09:12:00+00:00"}'),
    )
    with writing(engine) as connection:
        connection.execute(text(POLICY), {"at": at})
        connection.execute(text(TICKET), {"at": at, "head": bytes(32)})
        for promise, every, met, waived in rows:
            values = {"promise": promise, "every": every, "met": met, "waived": waived, "at": at}
            connection.execute(text(CLOCK), values)
    assert migrate.upgrade(engine, resources.migrations()) == migrate.HEAD
    with reading(engine) as connection:
        found = {one.promise: one for one in clocks.load(connection, [1])[1].values()}
        since = connection.execute(ticket.select()).one().since
        due = clocks.due(connection, "security", AT, 10)
    engine.dispose()
    assert {name: one.wake_at for name, one in found.items()} == {
        "acknowledge": None, "assess": AT, "update": AT, "fix": None,
    }  # fmt: skip
    assert [(one.round, one.period) for one in found.values()] == [(1, ""), (1, ""), (1, "14 days"), (1, "")]
    assert (since, due) == (AT, [1])
