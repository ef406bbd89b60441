"""The journal of each tenant: what happened to it rather than to a ticket, chained by hash as events are. Changes no entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from triaged.ticket.events import GENESIS, JSON, SALT_BYTES, JournalKind, event_body, link, payload, sealed
from triaged.ticket.reference import Entropy
from triaged.tracker.chaining import data_holds
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import journal, journal_head

SKEW = timedelta(minutes=5)  # that the clocks of two machines may differ by


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands. What was redacted has no actor and no data."""

    tenant: str
    seq: int
    at: datetime
    kind: str
    actor: str
    data: Mapping[str, JSON]
    hash: bytes


def note(
    connection: Connection,
    tenant: str,
    kind: JournalKind,
    actor: str,
    data: Mapping[str, JSON],
    at: datetime,
    entropy: Entropy,
) -> int:
    """Append an entry; its number. Other writers of this journal wait until the transaction ends: call it near its end."""
    seq, last = _end(connection, tenant)
    salt, body = entropy(SALT_BYTES), payload(actor, data)
    seal = sealed(salt, body)
    row = {"tenant": tenant, "seq": seq + 1, "at": at, "kind": kind.value, "body": body, "salt": salt, "seal": seal}
    head = link(last, kind.value, at, seal)
    connection.execute(journal.insert().values(**row, hash=head))
    moved = update(journal_head).where(journal_head.c.tenant == tenant)
    connection.execute(moved.values(entries=seq + 1, head=head))
    return seq + 1


def _end(connection: Connection, tenant: str) -> tuple[int, bytes]:
    """How many entries there are, and the hash of the last. Locks the row: on SQLite, the transaction is the lock."""
    insert_new(connection, journal_head, [{"tenant": tenant, "entries": 0, "head": GENESIS}])
    here = select(journal_head.c.entries, journal_head.c.head).where(journal_head.c.tenant == tenant)
    row = connection.execute(here.with_for_update()).one()
    return row.entries, row.head


def entries(connection: Connection, tenant: str, *kinds: JournalKind) -> list[Entry]:
    """The entries of a tenant in their order; of these kinds, where any is named."""
    query = select(journal).where(journal.c.tenant == tenant).order_by(journal.c.seq)
    if kinds:
        query = query.where(journal.c.kind.in_([kind.value for kind in kinds]))
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Any) -> Entry:
    actor, data = event_body(row.body) if row.body is not None else ("", {})
    return Entry(row.tenant, row.seq, row.at, row.kind, actor, data, row.hash)


def broken_journal(connection: Connection) -> Iterator[tuple[str, int, str]]:
    """Every place where a journal does not hold: tenant, entry, why. A row at a time, whatever its length."""
    heads = {row.tenant: row for row in connection.execute(select(journal_head).order_by(journal_head.c.tenant))}
    ends: dict[str, _End] = {}
    rows = connection.execution_options(yield_per=1000).execute(
        select(journal).order_by(journal.c.tenant, journal.c.seq)
    )
    for row in rows:
        yield from ((row.tenant, row.seq, why) for why in _faults(row, *ends.get(row.tenant, _START)))
        ends[row.tenant] = (row.seq, row.hash, row.at)
    for tenant in sorted({*heads, *ends}):
        seq, last, _ = ends.get(tenant, _START)
        kept = heads.get(tenant)
        if kept is None or (kept.entries, kept.head) != (seq, last):
            yield tenant, seq, "entries are missing at the end"


_End = tuple[int, bytes, datetime]  # of a journal as far as it was read
_START: _End = (0, GENESIS, datetime.min.replace(tzinfo=UTC))


def _faults(row: Any, seq: int, last: bytes, last_at: datetime) -> Iterator[str]:
    """A seal is worth its instant: one that lies before the entry before it was made on a machine whose clock was set back."""
    if row.seq != seq + 1:
        yield "an entry before it is missing"
    if not data_holds(row):
        yield "its data was changed"
    if row.seq == seq + 1 and link(last, row.kind, row.at, row.seal) != row.hash:
        yield "it was changed"
    if row.kind == JournalKind.KNOWN_SEALED and row.at + SKEW < last_at:
        yield "its instant lies before that of the entry before it"
