"""Who read personal data at the command line: an event of the ticket, or an entry of the journal. Never what was read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from triaged.ticket.events import Event, EventKind, JournalKind, event_body
from triaged.ticket.reference import Entropy
from triaged.tracker import chaining, journal
from triaged.tracker.schema import event, ticket
from triaged.tracker.schema import journal as entry

ONCE = timedelta(hours=1)  # the same person, place and command are told once in that time


def at_ticket(connection: Connection, ref: str, command: str, actor: str, at: datetime, entropy: Entropy) -> None:
    """An event, unless there is one of the last hour. Of a forgotten ticket there is nothing to read."""
    here = (ticket.c.ref == ref, ticket.c.forgotten_at.is_(None))
    number = connection.execute(select(ticket.c.id).where(*here)).scalar()
    if number is None:
        return
    told = select(event.c.body).where(event.c.ticket_id == number, event.c.kind == EventKind.LOOKED)
    if not _told(connection, told.where(event.c.at > at - ONCE, event.c.at <= at), command, actor):
        happened = Event(EventKind.LOOKED, actor, {"command": command})
        chaining.append(connection, {number: [(at, happened)]}, entropy)


def at_lists(
    connection: Connection, tenants: Collection[str], command: str, actor: str, at: datetime, entropy: Entropy
) -> None:
    """An entry of each tenant's journal, unless there is one of the last hour."""
    for tenant in sorted(tenants):
        told = select(entry.c.body).where(entry.c.tenant == tenant, entry.c.kind == JournalKind.LOOKED)
        if not _told(connection, told.where(entry.c.at > at - ONCE, entry.c.at <= at), command, actor):
            journal.note(connection, tenant, JournalKind.LOOKED, actor, {"command": command}, at, entropy)


def _told(connection: Connection, rows: Select[Any], command: str, actor: str) -> bool:
    bodies = [body for body in connection.execute(rows).scalars() if body is not None]
    return (actor, {"command": command}) in [event_body(body) for body in bodies]
