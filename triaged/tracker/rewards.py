"""The ledger of rewards: each decision a row, the last one of a ticket counts. Changes no row; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select

from triaged.ticket.events import EventKind, event_of
from triaged.ticket.reward import Decided, Decision, standing
from triaged.tracker.instants import instant
from triaged.tracker.schema import event, proposal, reward, ticket

Document = dict[str, Any]
_SAID = ("state", "amount", "currency", "severity", "quality", "why", "second", "reference")  # in the event too
_REWARD = "reward"  # the verb that proposes


def append(connection: Connection, ticket_id: int, tenant: str, new: Sequence[Decision]) -> None:
    """Add these decisions to the ledger."""
    rows = [{"ticket_id": ticket_id, "tenant": tenant, **asdict(one), "state": one.state.value} for one in new]
    if rows:
        connection.execute(reward.insert(), rows)


def of(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Decision, ...]]:
    """Ticket row -> its decisions, oldest first."""
    found: dict[int, tuple[Decision, ...]] = {}
    for row in connection.execute(select(reward).where(reward.c.ticket_id.in_(ids)).order_by(reward.c.id)):
        found[row.ticket_id] = (*found.get(row.ticket_id, ()), _decision(row))
    return found


def _decision(row: Any) -> Decision:
    said = {name: getattr(row, name) for name in Decision.__slots__}
    return Decision(**{**said, "state": Decided(row.state)})


def shown(connection: Connection, ids: Sequence[int]) -> dict[int, Document]:
    """Ticket row -> how its reward stands: the decision that counts, and what waits for a second member; only where one is."""
    found = {number: _standing(rows) for number, rows in of(connection, ids).items()}
    for row in connection.execute(_proposed().where(proposal.c.ticket_id.in_(ids))):
        found.setdefault(row.ticket_id, {})["proposed"] = {"words": row.words, "by": row.by, "at": instant(row.at)}
    return found


def _standing(rows: Sequence[Decision]) -> Document:
    """Approval and payment are two rows of one reward: each has its instant."""
    last = standing(rows)
    if last is None:
        return {"state": Decided.REOPENED.value}
    approved = next((one for one in reversed(rows) if one.state is not Decided.PAID), last)
    kept = ("amount", "currency", "severity", "quality", "why")
    return {
        "state": last.state.value,
        **{name: getattr(last, name) for name in kept},
        "by": approved.by,
        "second": approved.second,
        "decided_at": instant(approved.at),
        "reference": last.reference,
        "paid_by": last.by if last.state is Decided.PAID else "",
        "paid_at": instant(last.at) if last.state is Decided.PAID else None,
    }


def _proposed() -> Select[Any]:
    waiting = (proposal.c.verb == _REWARD, proposal.c.settled_at.is_(None))
    return select(proposal).where(*waiting).order_by(proposal.c.id)


def ledger(connection: Connection, tenant: str) -> list[Document]:
    """How every reward of the tenant stands, in the order of the first word about it: one document a ticket."""
    decided = select(reward.c.ticket_id).where(reward.c.tenant == tenant)
    waiting = _proposed().with_only_columns(proposal.c.ticket_id).order_by(None)
    rows = select(ticket.c.id, ticket.c.ref).where(ticket.c.tenant == tenant, ticket.c.id.in_(decided.union(waiting)))
    refs = {row.id: row.ref for row in connection.execute(rows.order_by(ticket.c.id))}
    found: dict[int, Document] = {}
    for some in batched(refs, 1000):
        found |= shown(connection, some)
    return [{"ref": ref, "tenant": tenant, **_whole(found[number])} for number, ref in refs.items()]


def batched(numbers: Iterable[int], most: int) -> Iterator[list[int]]:
    """So many at a time: a database takes only so many values in one statement."""
    rest = iter(numbers)
    while some := list(islice(rest, most)):
        yield some


_EMPTY: Document = {
    "amount": None,
    "currency": "",
    "severity": "",
    "quality": "",
    "why": "",
    "by": "",
    "second": "",
    "decided_at": None,
    "reference": "",
    "paid_by": "",
    "paid_at": None,
    "proposed": None,
}


def _whole(found: Document) -> Document:
    """Every document of the ledger has every key."""
    return {"state": "proposed", **_EMPTY, **found}


def unproven(connection: Connection) -> Iterator[tuple[str, str]]:
    """Tickets whose ledger is not what their events say: reference, why. An event that was redacted says nothing any more."""
    happened: dict[int, list[Document | None]] = {}
    rows = select(event.c.ticket_id, event.c.kind, event.c.body).where(event.c.kind == EventKind.REWARDED)
    for row in connection.execute(rows.order_by(event.c.ticket_id, event.c.seq)):
        said = dict(event_of(row.kind, row.body).data) if row.body is not None else None
        happened.setdefault(row.ticket_id, []).append(said)
    kept: dict[int, list[Document]] = {}
    for row in connection.execute(select(reward).order_by(reward.c.id)):
        kept.setdefault(row.ticket_id, []).append({name: getattr(row, name) for name in _SAID})
    wrong = [n for n in sorted({*kept, *happened}) if not _agree(kept.get(n, []), happened.get(n, []))]
    refs = select(ticket.c.ref).where(ticket.c.id.in_(wrong), ticket.c.forgotten_at.is_(None)).order_by(ticket.c.id)
    yield from ((ref, "its ledger of rewards is not what its events say") for ref in connection.execute(refs).scalars())


def _agree(kept: list[Document], happened: list[Document | None]) -> bool:
    if len(kept) != len(happened):
        return not kept and not any(happened)  # forgotten, both
    return all(said is None or said == row for row, said in zip(kept, happened, strict=True))
