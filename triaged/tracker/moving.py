"""Running clocks beside the policy that they count under: what another policy, or newer calendar data, would move. Moves none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from triaged.policy.difference import Moved, Started, as_if, moved
from triaged.policy.model import Policy
from triaged.tracker.schema import clock, event, ticket

ADJUSTING = ("extended", "shortened", "resumed")  # kinds of events after which a due instant is no plain count any more


@dataclass(frozen=True, slots=True)
class Running:
    """An open clock of one ticket."""

    ref: str
    clock: Started
    plain: bool  # counted from its start alone: nobody moved it


def running(connection: Connection, policy: Policy) -> list[Running]:
    """The open clocks of tickets that came in under exactly this policy, by ticket."""
    joined = clock.join(ticket, ticket.c.id == clock.c.ticket_id)
    still = (ticket.c.policy_sha256 == policy.sha256, clock.c.met_at.is_(None), clock.c.waived.is_(None))
    columns = (ticket.c.id, ticket.c.ref, clock.c.promise, clock.c.round, clock.c.started_at, clock.c.due_at)
    rows = connection.execute(
        select(*columns).select_from(joined).where(*still).order_by(ticket.c.id, clock.c.id)
    ).all()
    adjusted = set(_adjusted(connection, {row.id for row in rows}))
    return [Running(row.ref, Started(row.promise, row.started_at, row.due_at), _plain(row, adjusted)) for row in rows]


def _plain(row: Any, adjusted: set[tuple[int, str]]) -> bool:
    """A later round counts from a letter, or from a due instant that passed."""
    return row.round == 1 and (row.id, row.promise) not in adjusted


def _adjusted(connection: Connection, ids: set[int]) -> Iterator[tuple[int, str]]:
    wanted = (event.c.ticket_id.in_(ids), event.c.kind.in_(ADJUSTING), event.c.body.is_not(None))
    for row in connection.execute(select(event.c.ticket_id, event.c.body).where(*wanted)):
        yield row.ticket_id, str(json.loads(row.body)["data"].get("promise", ""))


def moves(old: Policy, new: Policy, clocks: list[Running]) -> list[tuple[str, Moved]]:
    """Reference and move, of each open clock that the new policy would give another due instant."""
    return [(one.ref, shift) for one in clocks for shift in moved(old, new, [one.clock])]


def drifted(policy: Policy, clocks: list[Running]) -> list[tuple[str, Moved]]:
    """The same policy counted again today: what newer holiday or zone data would move. First rounds that nobody moved."""
    found = []
    for one in clocks:
        again = next((c for c in as_if(policy, one.clock.started_at) if c.promise == one.clock.promise), None)
        if one.plain and again is not None and again.due_at != one.clock.due_at:
            found.append((one.ref, Moved(one.clock.promise, one.clock.started_at, one.clock.due_at, again.due_at)))
    return found
