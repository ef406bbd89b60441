"""Writes what a member does to a ticket, with what its clocks say to it, in one transaction. Decides neither."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, ScalarSelect, func, select, update

from triaged.ticket.desk import Desk
from triaged.ticket.events import EventKind, State
from triaged.ticket.reference import Entropy
from triaged.ticket.tended import Tended
from triaged.ticket.tending import tend
from triaged.ticket.verbs import Done, reopened, resumed, withdrawn
from triaged.tracker import tending
from triaged.tracker.schema import event, ticket
from triaged.tracker.tending import Loaded

Deed = Callable[[Tended, Desk], Done]
REPORT = "report"  # the kind of ticket that a further mail opens again; what was no report stays closed
MOST_A_DAY = 3  # after that a person takes it up
DAY = timedelta(hours=24)


def go_on(
    connection: Connection,
    heard: Collection[str],
    desk_of: Callable[[Loaded], Desk],
    at: datetime,
    entropy: Entropy,
) -> None:
    """Researchers wrote on the tickets with the tokens `heard`: those that waited for them wait no more."""
    if not heard:
        return
    waited = select(ticket.c.token).where(ticket.c.token.in_(heard), ticket.c.waiting.is_(True))
    for token in connection.execute(waited.order_by(ticket.c.id)).scalars().all():
        act(connection, token, lambda one, desk: resumed(one, "researcher", desk, at), desk_of, at, entropy)


def take_up(
    connection: Connection,
    heard: Collection[str],
    desk_of: Callable[[Loaded], Desk],
    at: datetime,
    entropy: Entropy,
) -> None:
    """Proven researchers wrote on the tickets with the tokens `heard`: a closed report is open again, three times a day (TH-8)."""
    shut = (ticket.c.token.in_(heard), ticket.c.state == State.CLOSED, ticket.c.kind == REPORT)
    here = (ticket.c.merged_into.is_(None), _taken_up_lately(at) < MOST_A_DAY)
    closed = select(ticket.c.token).where(*shut, *here).order_by(ticket.c.id) if heard else None
    for token in connection.execute(closed).scalars().all() if closed is not None else ():
        act(connection, token, lambda one, _: reopened(one, "researcher", at), desk_of, at, entropy)


def _taken_up_lately(at: datetime) -> ScalarSelect[int]:
    """How often within a day; a clock that was set back counts as well."""
    lately = (event.c.kind == EventKind.TAKEN_UP, event.c.at > at - DAY, event.c.at < at + DAY)
    return select(func.count()).where(event.c.ticket_id == ticket.c.id, *lately).scalar_subquery()


def take_back(
    connection: Connection,
    tokens: Collection[str],
    desk_of: Callable[[Loaded], Desk],
    at: datetime,
    entropy: Entropy,
) -> None:
    """The researchers of these tickets withdrew."""
    for token in sorted(tokens):
        act(connection, token, lambda one, _: withdrawn(one, at), desk_of, at, entropy)


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
    if done.ticket.waiting is not loaded.ticket.waiting:
        waits = update(ticket).where(ticket.c.id == loaded.ticket_id)
        connection.execute(waits.values(waiting=done.ticket.waiting))
    tending.write(connection, loaded, result.clocks, events, letters, desk, at, entropy)
    return done.ticket
