"""Writes what a member does to a ticket, with what its clocks say to it, in one transaction. Decides neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, select, update

from triaged.ticket.desk import Desk
from triaged.ticket.reference import Entropy
from triaged.ticket.tended import Tended
from triaged.ticket.tending import tend
from triaged.ticket.verbs import Done
from triaged.tracker import tending
from triaged.tracker.schema import ticket
from triaged.tracker.tending import Loaded

Deed = Callable[[Tended, Desk], Done]


def act(
    connection: Connection, token: str, deed: Deed, desk_of: Callable[[Loaded], Desk], at: datetime, entropy: Entropy
) -> Tended | None:
    """The ticket after it; None where there is none of that token. Raises VerbError, and then nothing is written."""
    number = connection.execute(select(ticket.c.id).where(ticket.c.token == token)).scalar()
    loaded = tending.load(connection, number, wait=True) if number is not None else None
    if loaded is None:
        return None
    desk = desk_of(loaded)
    done = deed(loaded.ticket, desk)
    result = tend(done.ticket, desk, at, entropy)
    events, letters = (*done.events, *result.events), (*done.letters, *result.letters)
    if done.ticket.state is not loaded.ticket.state:
        moved = update(ticket).where(ticket.c.id == loaded.ticket_id)
        connection.execute(moved.values(state=done.ticket.state, since=done.ticket.since))
    tending.write(connection, loaded, result.clocks, events, letters, desk, at, entropy)
    return done.ticket
