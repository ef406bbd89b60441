"""The rows of answers that people sent from the mailbox itself, past triaged. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from triaged.ticket.consequence import Answered
from triaged.ticket.events import MAILBOX, EventKind
from triaged.tracker import keeping
from triaged.tracker.keeping import Accepted, Kept
from triaged.tracker.schema import event, message, ticket
from triaged.tracker.written import Written

KEPT_BY = 255  # characters of clock.kept_by


def columns(answered: Answered | None) -> dict[str, Any]:
    """What the message's row says otherwise than of one that came in."""
    if answered is None:
        return {}
    return {"direction": "out", "counterpart": answered.to, "counterpart_name": "", "at": answered.at}


def keep(connection: Connection, batch: Sequence[Written], ids: Mapping[str, int]) -> Kept:
    """Receipt -> the events of the promises that its letter keeps, each letter at its own instant."""
    letters = [_accepted(w, w.consequence.answered, ids) for w in batch if w.consequence.answered]
    if not any(letters):
        return {}
    # All tickets of the batch at once and in order: its events lock them all, and another writer may hold some.
    held = select(ticket.c.id).where(ticket.c.id.in_(ids.values())).order_by(ticket.c.id)
    connection.execute(held.with_for_update(key_share=True)).all()
    return keeping.keep(connection, [one for one in letters if one is not None])


def _accepted(written: Written, answered: Answered, ids: Mapping[str, int]) -> Accepted | None:
    receipt, name = written.item.arrival.receipt, written.consequence.ticket
    if name is None or not answered.meets:
        return None
    by = answered.message_id or f"receipt {receipt}"  # "" is of rows that are older than the column
    return Accepted(receipt, ids[name.token], by[:KEPT_BY], answered.meets, answered.at)


def is_one() -> ColumnElement[bool]:
    """Whether a row of `message` is such a letter: what we send ourselves has no receipt."""
    return and_(message.c.direction == "out", message.c.receipt_id.is_not(None))


def reached(connection: Connection, ticket_id: int, address: str) -> bool:
    """Whether such a letter went to `address` (law 5: a member wrote to them)."""
    rows = select(message.c.id).where(message.c.ticket_id == ticket_id, message.c.counterpart == address, is_one())
    return connection.execute(rows.limit(1)).scalar() is not None


def last(connection: Connection, ticket_id: int) -> datetime | None:
    """When the last of them was sent; the sent folder may have been swept much later."""
    actor = event.c.body.startswith(f'{{"actor":"{MAILBOX}",', autoescape=True)
    theirs = (event.c.ticket_id == ticket_id, event.c.kind == EventKind.MESSAGE, actor)
    return connection.execute(select(event.c.at).where(*theirs).order_by(event.c.at.desc()).limit(1)).scalar()
