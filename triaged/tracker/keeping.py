"""What accepted letters do to clocks: promises are kept, and repeated ones go on. Never decides what a letter keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from triaged.policy.model import Policy
from triaged.ticket import rounds, transitions
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.events import Event, State
from triaged.ticket.rounds import Rows
from triaged.tracker import clocks, policies
from triaged.tracker.schema import ticket

Kept = Mapping[int, Sequence[Event]]  # letter row id -> what its acceptance did


@dataclass(frozen=True, slots=True)
class Accepted:
    """A letter to a researcher that the server took."""

    letter: int
    ticket: int
    message_id: str
    meets: tuple[str, ...]
    at: datetime


def keep(connection: Connection, letters: Sequence[Accepted]) -> Kept:
    """Keep the promises that these letters answer for, each at its own instant (SM-10)."""
    if not letters:
        return {}
    tickets = _held(connection, sorted({one.ticket for one in letters}))
    held = clocks.load(connection, sorted(tickets))
    known = policies.kept(connection, (row.policy_sha256 for row in tickets.values()))
    now = {number: tuple(rows.values()) for number, rows in held.items()}
    happened: dict[int, Sequence[Event]] = {}
    for one in sorted(letters, key=lambda one: (one.at, one.letter)):
        row = tickets[one.ticket]
        kept = _kept(now[one.ticket], one, row, known[row.policy_sha256])
        now[one.ticket], happened[one.letter] = kept.clocks, kept.events
    for number, row in tickets.items():
        clocks.write(connection, number, row.mailbox, held[number], now[number])
    return happened


def _held(connection: Connection, numbers: Sequence[int]) -> dict[int, Any]:
    """The tickets, locked before their clocks are: who tends a ticket takes them in the same order."""
    columns = (ticket.c.id, ticket.c.mailbox, ticket.c.state, ticket.c.since, ticket.c.policy_sha256)
    rows = select(*columns).where(ticket.c.id.in_(numbers)).order_by(ticket.c.id).with_for_update(key_share=True)
    return {row.id: row for row in connection.execute(rows)}


def _kept(now: tuple[Clock, ...], one: Accepted, row: Any, policy: Policy | None) -> Rows:
    """What starts or was missed by this is looked at at once; what ended needs no look."""
    if policy is None:
        rows = _met(now, one)
    else:
        rows = rounds.keep(now, one.meets, one.at, one.message_id, State(row.state), row.since, policy)
    before = {rounds.key(c): c for c in now}
    return replace(rows, clocks=tuple(_looked_at(c, before.get(rounds.key(c)), one.at) for c in rows.clocks))


def _looked_at(clock: Clock, before: Clock | None, at: datetime) -> Clock:
    if clock == before:
        return clock
    return replace(clock, wake_at=at if is_open(clock) else None)


def _met(now: tuple[Clock, ...], one: Accepted) -> Rows:
    """Under a policy that can't be read any more, no round follows."""
    moves = [(c, transitions.meet(c, one.at, one.message_id) if c.promise in one.meets else None) for c in now]
    return Rows(tuple(m.clock if m else c for c, m in moves), tuple(m.event for _, m in moves if m))
