"""The outbox: letters claimed for an attempt, and what became of it. Never decides what to say, never dials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from triaged.ticket.events import Event, EventKind
from triaged.ticket.letters import Audience
from triaged.ticket.reference import Entropy
from triaged.tracker import chaining
from triaged.tracker.schema import blob, clock, letter

CLAIM = timedelta(minutes=30)  # longer than every timeout of one SMTP transaction together
REPLY_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed letter: what goes over the wire."""

    id: int
    mailbox: str
    sender: str
    recipient: str
    data: bytes
    attempts: int  # this one included
    first_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to."""

    letter: int
    state: str  # accepted | queued (again) | unknown | failed
    reply: str
    at: datetime
    not_before: datetime  # of the next attempt, where there is one


def claim(connection: Connection, owner: str, now: datetime, most: int, mailboxes: Sequence[str]) -> list[Parcel]:
    """Letters that may go now, oldest first. The attempt is on record before anybody dials (SM-1)."""
    due = _due(now, mailboxes).limit(most).with_for_update(skip_locked=True)
    claimed = connection.execute(
        update(letter)
        .where(letter.c.id.in_(due))
        .values(
            state="sending",
            attempts=letter.c.attempts + 1,
            first_attempt_at=func.coalesce(letter.c.first_attempt_at, now),
            # An attempt whose end nobody knows may have delivered: what follows may be a second copy (RFC 1047).
            repeats=letter.c.repeats + _ended_unknown(),
            claimed_by=owner,
            claimed_until=now + CLAIM,
        )
        .returning(letter.c.id)
    ).scalars()
    return _load(connection, sorted(claimed))


def _ended_unknown() -> Any:
    from sqlalchemy import case

    return case((letter.c.state.in_(("unknown", "sending")), 1), else_=0)


def _due(now: datetime, mailboxes: Sequence[str]) -> Any:
    ready = and_(letter.c.state.in_(("queued", "unknown")), letter.c.not_before <= now)
    lapsed = and_(letter.c.state == "sending", letter.c.claimed_until < now)
    here = letter.c.mailbox.in_(mailboxes)
    return select(letter.c.id).where(here, or_(ready, lapsed)).order_by(letter.c.not_before, letter.c.id)


def _load(connection: Connection, ids: Sequence[int]) -> list[Parcel]:
    columns = (letter.c.id, letter.c.mailbox, letter.c.envelope_from, letter.c.to_address, blob.c.data)
    tried = (letter.c.attempts, letter.c.first_attempt_at)
    rows = select(*columns, *tried).join(blob, blob.c.id == letter.c.blob_id).where(letter.c.id.in_(ids))
    return [Parcel(*row) for row in connection.execute(rows.order_by(letter.c.id))]


def next_due(connection: Connection, mailboxes: Sequence[str]) -> datetime | None:
    """When the next letter may go; None where none waits."""
    waits = and_(letter.c.mailbox.in_(mailboxes), letter.c.state.in_(("queued", "unknown")))
    return connection.execute(select(func.min(letter.c.not_before)).where(waits)).scalar()


def record(connection: Connection, results: Sequence[Result], entropy: Entropy, copies: frozenset[str]) -> None:
    """Settle attempts. Acceptance keeps the promises that the letter carries, at that instant (SM-10).

    `copies`: mailboxes whose accepted letters are copied to a Sent folder.
    """
    rows = {r.id: r for r in _letters(connection, [r.letter for r in results])}
    for result in results:
        _settle(connection, rows[result.letter], result, copies)
    # One chain entry a result; several results of one ticket keep their order.
    for result in results:
        row = rows[result.letter]
        events = _events(connection, row, result)
        if row.ticket_id is not None and events:
            chaining.append(connection, {row.ticket_id: events}, result.at, entropy)


def _letters(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    columns = (
        letter.c.id,
        letter.c.ticket_id,
        letter.c.mailbox,
        letter.c.audience,
        letter.c.message_id,
        letter.c.meets,
        letter.c.template,
    )
    return connection.execute(select(*columns).where(letter.c.id.in_(ids))).all()


def _settle(connection: Connection, row: Any, result: Result, copies: frozenset[str]) -> None:
    accepted = result.state == "accepted"
    values: dict[str, Any] = {
        "state": result.state,
        "last_reply": result.reply[:REPLY_CHARACTERS],
        "not_before": result.not_before,
        "claimed_by": None,
        "claimed_until": None,
    }
    if accepted:
        values["accepted_at"] = result.at
        values["sent_copy"] = "wanted" if row.mailbox in copies else None
    connection.execute(update(letter).where(letter.c.id == row.id, letter.c.state == "sending").values(values))


def _events(connection: Connection, row: Any, result: Result) -> list[Event]:
    if row.audience != Audience.RESEARCHER or result.state not in ("accepted", "failed"):
        return []
    data: dict[str, Any] = {"letter": row.message_id, "template": row.template, "reply": result.reply[:100]}
    if result.state == "failed":
        return [Event(EventKind.FAILED, "triaged", data)]
    kept = _keep_promises(connection, row, result.at)
    met = [Event(EventKind.MET, "triaged", {"promise": p, "letter": row.message_id}) for p in kept]
    return [Event(EventKind.ACCEPTED, "triaged", data), *met]


def _keep_promises(connection: Connection, row: Any, at: datetime) -> list[str]:
    if not row.meets:
        return []
    open_ones = (clock.c.ticket_id == row.ticket_id, clock.c.promise.in_(row.meets), clock.c.met_at.is_(None))
    kept = update(clock).where(*open_ones).values(met_at=at).returning(clock.c.promise)
    return sorted(connection.execute(kept).scalars())


def release(connection: Connection, owner: str, now: datetime) -> int:
    """A process died while sending: whether its letters went is not known. They go again, same bytes, and are counted."""
    mine = and_(letter.c.claimed_by == owner, letter.c.state == "sending")
    values = {"state": "unknown", "not_before": now, "claimed_by": None, "claimed_until": None}
    return connection.execute(update(letter).where(mine).values(values)).rowcount


def retry(connection: Connection, letter_id: int, now: datetime) -> bool:
    """Let a letter go again now. False where it is not one that can."""
    stuck = and_(letter.c.id == letter_id, letter.c.state.in_(("queued", "unknown", "failed", "held")))
    return connection.execute(update(letter).where(stuck).values(state="queued", not_before=now)).rowcount == 1


def copies_wanted(connection: Connection, mailbox: str, most: int = 50) -> list[tuple[int, str, bytes]]:
    """Accepted letters whose copy is not in the Sent folder yet: (id, Message-ID, bytes)."""
    wanted = and_(letter.c.sent_copy == "wanted", letter.c.mailbox == mailbox)
    rows = select(letter.c.id, letter.c.message_id, blob.c.data).join(blob, blob.c.id == letter.c.blob_id)
    return [tuple(r) for r in connection.execute(rows.where(wanted).order_by(letter.c.id).limit(most))]


def copied(connection: Connection, letter_id: int) -> None:
    """The Sent folder has the copy."""
    connection.execute(update(letter).where(letter.c.id == letter_id).values(sent_copy="done"))
