"""Writes that a member takes a ticket for something else: its kind, its clocks and the event, together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from triaged.ticket.reclassifying import reclassify
from triaged.ticket.reference import Entropy
from triaged.ticket.verbs import VerbError
from triaged.tracker import chaining, clocks, policies
from triaged.tracker.schema import clock, ticket

_BY_KIND = "taken for a "  # how a waiver of ours begins


def take_for(
    connection: Connection, token: str, kind: str, actor: str, at: datetime, entropy: Entropy
) -> list[str] | None:
    """The promises that run for the ticket after it; None where there is no such ticket. Raises VerbError."""
    row = connection.execute(
        select(ticket).where(ticket.c.token == token).with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        return None
    here = clock.c.ticket_id == row.id
    known = frozenset(connection.execute(select(clock.c.promise).where(here)).scalars())
    policy = policies.kept(connection, [row.policy_sha256])[row.policy_sha256]
    if policy is None:
        raise VerbError(f"{row.ref} came in under a policy that this version can't read: install the one that made it")
    change = reclassify(row.kind, kind, known, row.received_at, policy, actor)
    if row.kind != kind:
        connection.execute(update(ticket).where(ticket.c.id == row.id).values(kind=kind))
        if change.starts:
            begun = [replace(one, wake_at=at) for one in change.starts]  # some of it may be due already
            clocks.insert(connection, [clocks.row(row.id, row.mailbox, one) for one in begun])
        _waive(connection, row.id, change.waives, {"by": actor, "why": change.why, "at": at.isoformat()})
        _resume(connection, row.id, change.resumes, at)
        chaining.append(connection, {row.id: [(at, change.event)]}, entropy)
    running = select(clock.c.promise).where(here, clock.c.met_at.is_(None), clock.c.waived.is_(None))
    return sorted(set(connection.execute(running).scalars()))


def _waive(connection: Connection, ticket_id: int, promises: tuple[str, ...], waiver: dict[str, str]) -> None:
    standing = (clock.c.met_at.is_(None), clock.c.waived.is_(None))
    which = (clock.c.ticket_id == ticket_id, clock.c.promise.in_(promises), *standing)
    connection.execute(update(clock).where(*which).values(waived=waiver, wake_at=None))


def _resume(connection: Connection, ticket_id: int, promises: tuple[str, ...], at: datetime) -> None:
    """Only what was waived for this reason: a waiver that a member gave for another stays."""
    which = (clock.c.ticket_id == ticket_id, clock.c.promise.in_(promises), clock.c.waived.is_not(None))
    for row in connection.execute(select(clock.c.id, clock.c.waived).where(*which)).all():
        if row.waived and str(row.waived.get("why", "")).startswith(_BY_KIND):
            connection.execute(update(clock).where(clock.c.id == row.id).values(waived=None, wake_at=at))
