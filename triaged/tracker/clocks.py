"""The rows of clocks: as values and back, and which are to be looked at next. Moves none by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from triaged.ticket.clocks import Clock, Waiver
from triaged.ticket.rounds import Key, key
from triaged.tracker.schema import clock

Held = Mapping[int, Clock]  # row id -> the clock as it stood when it was loaded

_MOVED = (
    "due_at",
    "period",
    "warned_at",
    "told_at",
    "met_at",
    "kept_by",
    "missed_at",
    "again_at",
    "paused_at",
    "wake_at",
)


def load(connection: Connection, tickets: Sequence[int], *, only_open: bool = False) -> dict[int, dict[int, Clock]]:
    """Ticket row -> its clocks by row id, ended ones too unless `only_open`."""
    rows = select(clock).where(clock.c.ticket_id.in_(tickets)).order_by(clock.c.ticket_id, clock.c.id)
    if only_open:
        rows = rows.where(clock.c.met_at.is_(None), clock.c.waived.is_(None))
    found: dict[int, dict[int, Clock]] = {number: {} for number in tickets}
    for row in connection.execute(rows):
        found[row.ticket_id][row.id] = _value(row)
    return found


def _value(row: Any) -> Clock:
    return Clock(
        promise=row.promise,
        clause=row.clause,
        every=row.every,
        started_at=row.started_at,
        due_at=row.due_at,
        pauses=row.pauses,
        period=row.period,
        round=row.round,
        warned_at=row.warned_at,
        told_at=row.told_at,
        missed_at=row.missed_at,
        again_at=row.again_at,
        met_at=row.met_at,
        kept_by=row.kept_by,
        waived=waiver(row.waived),
        paused_at=row.paused_at,
        wake_at=row.wake_at,
    )


def waiver(kept: Any) -> Waiver | None:
    """A waiver as the row keeps it, as a value."""
    """As it was before the row kept it."""
    return Waiver(kept["by"], kept["why"], datetime.fromisoformat(kept["at"])) if kept else None


def row(ticket_id: int, mailbox: str, one: Clock) -> dict[str, Any]:
    """A clock as it is inserted."""
    moved = {name: getattr(one, name) for name in _MOVED}
    fixed = {name: getattr(one, name) for name in ("promise", "round", "clause", "every", "started_at", "pauses")}
    return {"ticket_id": ticket_id, "mailbox": mailbox, **fixed, **moved, "waived": waived(one.waived)}


def waived(one: Waiver | None) -> dict[str, str] | None:
    """As the row keeps it."""
    return None if one is None else {"by": one.by, "why": one.why, "at": one.at.isoformat()}


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(clock.insert(), list(rows))


def write(connection: Connection, ticket_id: int, mailbox: str, held: Held, after: Iterable[Clock]) -> None:
    """Make the rows of a ticket, whose row is locked, what they are after something. Only what differs is written."""
    numbers: dict[Key, int] = {key(one): number for number, one in held.items()}
    changed, new = [], []
    for one in after:
        number = numbers.get(key(one))
        if number is None:
            new.append(row(ticket_id, mailbox, one))
        elif held[number] != one:
            values = {f"b_{name}": getattr(one, name) for name in _MOVED}
            changed.append({"b_id": number, **values, "b_waived": waived(one.waived)})
    if changed:
        connection.execute(_WRITTEN, changed)
    insert(connection, new)


_WRITTEN = (
    update(clock)
    .where(clock.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in (*_MOVED, "waived")})
)


def due(connection: Connection, mailbox: str, at: datetime, most: int, but: Iterable[int] = ()) -> list[int]:
    """Tickets of the mailbox with a clock to be looked at by now, those that waited longest first, without `but`."""
    waiting = select(clock.c.ticket_id).where(clock.c.mailbox == mailbox, clock.c.wake_at <= at)
    if left := sorted(but):
        waiting = waiting.where(clock.c.ticket_id.not_in(left))
    rows = connection.execute(waiting.order_by(clock.c.wake_at).limit(most)).scalars()
    return list(dict.fromkeys(rows))


def next_wake(connection: Connection, mailboxes: Sequence[str]) -> datetime | None:
    """When a clock of these mailboxes is to be looked at next."""
    found = [connection.execute(_first(mailbox)).scalar() for mailbox in mailboxes]
    return min((instant for instant in found if instant is not None), default=None)


def _first(mailbox: str) -> Any:
    return select(func.min(clock.c.wake_at)).where(clock.c.mailbox == mailbox, clock.c.wake_at.is_not(None))


def unserved(connection: Connection, mailboxes: Sequence[str]) -> dict[str, int]:
    """Mailbox -> clocks that run for it, of mailboxes that are not among these: nobody looks at them."""
    left = (clock.c.mailbox.not_in(mailboxes), clock.c.wake_at.is_not(None))
    counted = select(clock.c.mailbox, func.count()).where(*left).group_by(clock.c.mailbox)
    return {mailbox: count for mailbox, count in connection.execute(counted)}
