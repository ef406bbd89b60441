"""Who takes part in a ticket as researchers do: rows added and taken away. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from triaged.ticket.worked import Person
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import participant, person


def changed(
    connection: Connection, ticket_id: int, before: Sequence[Person], after: Sequence[Person], tenant: str, at: datetime
) -> None:
    """Write the difference between two lists of people."""
    known, wanted = {one.address for one in before}, {one.address for one in after}
    _join(connection, ticket_id, [one for one in after if one.address not in known], tenant, at)
    _leave(connection, ticket_id, known - wanted, tenant)


def _join(connection: Connection, ticket_id: int, new: Sequence[Person], tenant: str, at: datetime) -> None:
    if not new:
        return
    rows = [{"tenant": tenant, "address": p.address, "written": p.written, "name": p.name} for p in new]
    insert_new(connection, person, rows)
    numbers = _numbers(connection, {p.address for p in new}, tenant)
    joined = [
        {"ticket_id": ticket_id, "person_id": numbers[p.address], "role": p.role, "proven": p.proven, "since": at}
        for p in new
    ]
    connection.execute(participant.insert(), joined)


def _leave(connection: Connection, ticket_id: int, gone: set[str], tenant: str) -> None:
    if gone:
        numbers = _numbers(connection, gone, tenant).values()
        here = (participant.c.ticket_id == ticket_id, participant.c.person_id.in_(numbers))
        connection.execute(delete(participant).where(*here))


def _numbers(connection: Connection, addresses: set[str], tenant: str) -> dict[str, int]:
    rows = select(person.c.address, person.c.id).where(person.c.tenant == tenant, person.c.address.in_(addresses))
    return {address: number for address, number in connection.execute(rows)}
