"""Closed tickets that their policy keeps no longer. Reads only: nothing is erased by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from triaged.policy.model import Policy
from triaged.policy.terms import Retention
from triaged.ticket.events import State
from triaged.tracker import policies
from triaged.tracker.schema import ticket


@dataclass(frozen=True, slots=True)
class Due:
    """One ticket that is kept too long."""

    ref: str
    closed_at: datetime
    due_at: datetime
    clause: str  # "" where the policy counts it without saying so


def due(connection: Connection, mailbox: str, today: Policy | None, at: datetime) -> list[Due]:
    """The longest due first. The shorter of two times counts: that of the ticket's own policy, and of the one of today."""
    here = (ticket.c.mailbox == mailbox, ticket.c.state == State.CLOSED, ticket.c.forgotten_at.is_(None))
    rows = connection.execute(select(ticket.c.ref, ticket.c.since, ticket.c.policy_sha256).where(*here)).all()
    known = policies.kept(connection, {row.policy_sha256 for row in rows})
    found = [one for row in rows if (one := _due(row, known[row.policy_sha256], today)) and one.due_at <= at]
    return sorted(found, key=lambda one: (one.due_at, one.ref))


def _due(row: Any, own: Policy | None, today: Policy | None) -> Due | None:
    terms = [policy.retention for policy in (own, today) if policy is not None and policy.retention.after_close]
    kept = [(_until(one, row.since), one.clauses[0] if one.clauses else "") for one in terms]
    if not kept:
        return None
    until, clause = min(kept)
    return Due(row.ref, row.since, until, clause)


def _until(terms: Retention, closed_at: datetime) -> datetime:
    assert terms.after_close is not None  # noqa: S101 - chosen by the caller
    return terms.after_close.after(closed_at)
