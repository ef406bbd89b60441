"""Appends events to tickets' chains and checks chains. The only writer of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from triaged.ticket.events import GENESIS, SALT_BYTES, STATE_AFTER, Event, EventKind, fold, link, payload, sealed
from triaged.ticket.reference import Entropy
from triaged.tracker.schema import chain_root, event, journal_head, ticket

Chain = Mapping[int, Sequence[tuple[datetime, Event]]]  # ticket row id -> its new events with their instants, in order


def append(connection: Connection, new: Chain, entropy: Entropy) -> None:
    """Append to each ticket's chain. Locks the tickets' rows, so that two writers can't fork one."""
    if not new:
        return
    held = select(ticket.c.id, ticket.c.event_count, ticket.c.head).where(ticket.c.id.in_(new))
    held = held.with_for_update(key_share=True)  # who adds a message or a clock to the ticket meanwhile does not wait
    rows: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    for ticket_id, count, head in connection.execute(held.order_by(ticket.c.id)).all():
        seq, last = count, head
        for at, happening in new[ticket_id]:
            seq += 1
            rows.append(row := _row(ticket_id, seq, last, happening, at, entropy))
            last = row["hash"]
        heads.append({"b_id": ticket_id, "b_count": seq, "b_head": last})
    connection.execute(event.insert(), rows)
    moved = update(ticket).where(ticket.c.id == bindparam("b_id"))
    connection.execute(moved.values(event_count=bindparam("b_count"), head=bindparam("b_head")), heads)


def _row(ticket_id: int, seq: int, last: bytes, happening: Event, at: datetime, entropy: Entropy) -> dict[str, Any]:
    salt = entropy(SALT_BYTES)
    body = payload(happening.actor, happening.data)
    seal = sealed(salt, body)
    return {
        "ticket_id": ticket_id,
        "seq": seq,
        "at": at,
        "kind": happening.kind.value,
        "body": body,
        "salt": salt,
        "seal": seal,
        "hash": link(last, happening.kind.value, at, seal),
    }


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where a chain does not hold."""

    ref: str
    seq: int
    why: str


BLOCK = 1000  # rows read at a time
Tell = Callable[[int], None]  # is told now and then how many events have been looked at


def broken(connection: Connection, tell: Tell | None = None) -> Iterator[Broken]:
    """Every place where a ticket's chain, its counter or its state does not agree with its events. A row at a time, however
    many there are, and however many one ticket has.
    """
    rows = connection.execution_options(yield_per=BLOCK).execute(
        select(ticket.c.id, ticket.c.ref, ticket.c.event_count, ticket.c.head, ticket.c.state, event)
        .join(event, event.c.ticket_id == ticket.c.id, isouter=True)
        .order_by(ticket.c.id, event.c.seq)
    )
    walk: _Walk | None = None
    for number, row in enumerate(rows, start=1):
        if walk is None or walk.ticket_id != row.id:
            if walk is not None:
                yield from walk.end()
            walk = _Walk(row)
        yield from walk.step(row)
        if tell is not None and number % BLOCK == 0:
            tell(number)
    if walk is not None:
        yield from walk.end()


class _Walk:
    """Along one ticket's chain: what has to be remembered of the events before."""

    def __init__(self, row: Any) -> None:
        self.ticket_id: int = row.id
        self._ref, self._kept, self._wanted_state = row.ref, (row.event_count, row.head), row.state
        self._seq, self._last, self._state, self._over = 0, GENESIS, fold(()), False

    def step(self, row: Any) -> Iterator[Broken]:
        if self._over:
            return
        if row.seq is None:
            self._over = True
            yield Broken(self._ref, 0, "the ticket has no events")
            return
        self._seq += 1
        if row.seq != self._seq:
            self._over = True
            yield Broken(self._ref, self._seq, "an event is missing")
            return
        if not data_holds(row):
            yield Broken(self._ref, row.seq, "the event's data was changed")
        self._last = link(self._last, row.kind, row.at, row.seal)
        if self._last != row.hash:
            yield Broken(self._ref, row.seq, "the event was changed")
            self._last = row.hash
        if row.kind in _KINDS:
            self._state = STATE_AFTER.get(EventKind(row.kind), self._state)

    def end(self) -> Iterator[Broken]:
        if self._over:
            return
        if (self._seq, self._last) != self._kept:
            yield Broken(self._ref, self._seq, "events are missing at the end")
        if self._wanted_state != self._state:
            yield Broken(self._ref, self._seq, "the state is not what the events amount to")


_KINDS = frozenset(kind.value for kind in EventKind)


def data_holds(row: Any) -> bool:
    """Redaction takes data and salt out together: without its salt, other data could stand there unseen."""
    if row.body is None or row.salt is None:
        return row.body is None and row.salt is None
    return bool(sealed(row.salt, row.body) == row.seal)


def write_root(connection: Connection, at: datetime) -> None:
    """A hash over every ticket's head and every journal's: neither can vanish unseen."""
    import hashlib

    hasher, tickets = hashlib.sha256(), 0
    for ref, head in connection.execute(select(ticket.c.ref, ticket.c.head).order_by(ticket.c.id)):
        hasher.update(ref.encode() + head)
        tickets += 1
    for tenant, head in connection.execute(
        select(journal_head.c.tenant, journal_head.c.head).order_by(journal_head.c.tenant)
    ):
        hasher.update(tenant.encode() + head)
    events = connection.execute(select(func.coalesce(func.sum(ticket.c.event_count), 0))).scalar_one()
    connection.execute(chain_root.insert().values(at=at, tickets=tickets, events=events, hash=hasher.digest()))
