"""Writes that a member takes a ticket for something else: its kind, its clocks and the event, together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from triaged.policy.load import kept_policy
from triaged.ticket.reclassifying import reclassify
from triaged.ticket.reference import Entropy
from triaged.tracker import chaining, clocks
from triaged.tracker.schema import clock, policy_text, ticket

_BY_KIND = "taken for a "  # how a waiver of ours begins


def take_for(
    connection: Connection, token: str, kind: str, actor: str, at: datetime, entropy: Entropy
) -> list[str] | None:
    """The promises that run for the ticket after it; None where there is no such ticket."""
    joined = ticket.join(policy_text, policy_text.c.sha256 == ticket.c.policy_sha256)
    columns = (
        ticket.c.id,
        ticket.c.mailbox,
        ticket.c.kind,
        ticket.c.received_at,
        policy_text.c.source,
        policy_text.c.published,
    )
    found = select(*columns, policy_text.c.name).select_from(joined).where(ticket.c.token == token)
    row = connection.execute(found.with_for_update(of=ticket, key_share=True)).one_or_none()
    if row is None:
        return None
    here = clock.c.ticket_id == row.id
    known = frozenset(connection.execute(select(clock.c.promise).where(here)).scalars())
    policy = kept_policy(row.source, row.published, row.name)
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
