"""Tickets over a cap, told to the team in one mail a day and mailbox (AR-10). Sends nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.ticket.hearing import hearers
from triaged.ticket.letters import TicketName
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import to_team
from triaged.ticket.shown import guide, shown_instant
from triaged.tracker import absences
from triaged.tracker.consequences import queue_letters
from triaged.tracker.schema import letter, study, ticket

EVERY = timedelta(hours=24)
MOST_LINES = 200
TEMPLATE = "caps"


def queue_digest(connection: Connection, desk: Desk, at: datetime, entropy: Entropy) -> int:
    """Queue the digest if one is due; how many tickets it names."""
    waiting = (ticket.c.unannounced.is_(True), ticket.c.mailbox == desk.mailbox)
    columns = (ticket.c.id, ticket.c.token, ticket.c.ref, ticket.c.kind, ticket.c.received_at, study.c.noise)
    found = select(*columns).outerjoin(study, study.c.ticket_id == ticket.c.id).where(*waiting)
    rows = connection.execute(found.order_by(study.c.noise, ticket.c.id)).all()
    if not rows or _told_lately(connection, desk, at):
        return 0
    first = TicketName(rows[0].token, rows[0].ref)
    values = {
        "mailbox": desk.mailbox,
        "count": len(rows),
        "lines": _lines(rows, desk),
        "example": first.ref,
        "guide": guide(Role.TEAM, first, desk),
    }
    subject = f"{len(rows)} unanswered report(s) wait for a person"
    to = hearers(desk, away=absences.away(connection, desk.tenant))
    letters = to_team(TEMPLATE, first, subject, values, Role.TEAM, desk, at, entropy, {}, to=to)
    queue_letters(connection, letters, desk, at, {first.token: rows[0].id})
    connection.execute(update(ticket).where(*waiting).values(unannounced=False))
    return len(rows)


def _told_lately(connection: Connection, desk: Desk, at: datetime) -> bool:
    """A digest that a clock since set back dates into the future is no reason to be silent until then."""
    here = (letter.c.template == TEMPLATE, letter.c.mailbox == desk.mailbox)
    lately = (letter.c.queued_at > at - EVERY, letter.c.queued_at < at + EVERY)
    return connection.execute(select(func.count()).where(*here, *lately)).scalar_one() > 0


def _lines(rows: Sequence[Any], desk: Desk) -> list[str]:
    """References and what reading makes of them: nothing that the senders wrote."""
    lines = [_line(row, desk) for row in rows[:MOST_LINES]]
    return lines if len(rows) <= MOST_LINES else [*lines, f"and {len(rows) - MOST_LINES} more"]


def _line(row: Any, desk: Desk) -> str:
    noise = "" if row.noise is None else f"  noise {row.noise:.2f}"
    return f"{row.ref}  {row.kind:8}  {shown_instant(row.received_at, desk)}{noise}"
