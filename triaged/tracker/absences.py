"""Who of a tenant's team is away: rows, written with what a mail causes and read with a ticket. Judges no mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, select

from triaged.ticket.consequence import Absence
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import absence

# Who is away is mailed little, and so may never write: after this they hear again, and their server may say it again.
AWAY_FOR = timedelta(days=7)


def away(connection: Connection, tenant: str) -> frozenset[str]:
    """Lower-case addresses."""
    return frozenset(connection.execute(select(absence.c.address).where(absence.c.tenant == tenant)).scalars())


def write(connection: Connection, tenant: str, said: Iterable[tuple[Absence, datetime]], at: datetime) -> None:
    """What mails say of members, each with the instant that it came, in order."""
    for one, came_at in said:
        _end(connection, tenant, one.address, came_at)
        if one.away and came_at > at - AWAY_FOR:
            insert_new(connection, absence, [{"tenant": tenant, "address": one.address, "since": came_at}])


def forget(connection: Connection, tenant: str, at: datetime) -> None:
    """End the absences that nothing has confirmed for long."""
    here = and_(absence.c.tenant == tenant, absence.c.since <= at - AWAY_FOR)
    connection.execute(delete(absence).where(here))


def _end(connection: Connection, tenant: str, address: str, until: datetime) -> None:
    """A mail that is older than the absence, and was only read later, does not end it."""
    here = (absence.c.tenant == tenant, absence.c.address == address, absence.c.since <= until)
    connection.execute(delete(absence).where(*here))
