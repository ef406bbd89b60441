"""The outbox: letters claimed for an attempt, and what became of it. Never decides what to say, never dials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from triaged.ticket.events import Event, EventKind
from triaged.ticket.letters import Audience
from triaged.ticket.reference import Entropy
from triaged.tracker import chaining, keeping
from triaged.tracker.keeping import Accepted
from triaged.tracker.schema import blob, letter

CLAIM = timedelta(minutes=30)  # longer than every timeout of one SMTP transaction together
REPLY_CHARACTERS = 500

Rows = Mapping[int, Any]  # letter row id -> what settling it needs


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
    """Settle attempts, all with a few statements. Acceptance keeps the promises that a letter carries, at its instant (SM-10).

    `copies`: mailboxes whose accepted letters are copied to a Sent folder.
    """
    if not results:
        return
    rows = {row.id: row for row in _letters(connection, [r.letter for r in results])}
    _settle(connection, rows, results, copies)
    told = [r for r in results if rows[r.letter].audience == Audience.RESEARCHER and r.state in ("accepted", "failed")]
    letters = [_accepted(rows[r.letter], r) for r in told if r.state == "accepted"]
    kept = keeping.keep(connection, [one for one in letters if one is not None])
    chaining.append(connection, _events(rows, told, kept), entropy)


def _accepted(row: Any, result: Result) -> Accepted | None:
    """A letter that goes twice (RFC 1047) keeps its promises once."""
    if not row.meets or row.ticket_id is None or row.state == "accepted":
        return None
    return Accepted(row.id, row.ticket_id, row.message_id, tuple(row.meets), result.at)


def _letters(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    columns = (
        letter.c.state,
        letter.c.id,
        letter.c.ticket_id,
        letter.c.mailbox,
        letter.c.audience,
        letter.c.message_id,
        letter.c.meets,
        letter.c.template,
    )
    held = select(*columns).where(letter.c.id.in_(ids)).order_by(letter.c.id).with_for_update()
    return connection.execute(held).all()


# Taken for dead while it was sending, a slow process may still hear that the server has the letter: it must not go again.
_LATE = and_(bindparam("b_state") == "accepted", or_(letter.c.state == "unknown", letter.c.state == "queued"))
_SETTLED = (
    update(letter)
    .where(letter.c.id == bindparam("b_id"), or_(letter.c.state == "sending", _LATE))
    .values(
        state=bindparam("b_state"),
        last_reply=bindparam("b_reply"),
        not_before=bindparam("b_not_before"),
        accepted_at=bindparam("b_accepted_at"),
        sent_copy=bindparam("b_copy"),
        claimed_by=None,
        claimed_until=None,
    )
)


def _settle(connection: Connection, rows: Rows, results: Sequence[Result], copies: frozenset[str]) -> None:
    values = [
        {
            "b_id": result.letter,
            "b_state": result.state,
            "b_reply": result.reply[:REPLY_CHARACTERS],
            "b_not_before": result.not_before,
            "b_accepted_at": result.at if result.state == "accepted" else None,
            "b_copy": "wanted" if result.state == "accepted" and rows[result.letter].mailbox in copies else None,
        }
        for result in sorted(results, key=lambda result: result.letter)
    ]
    connection.execute(_SETTLED, values)


def _events(rows: Rows, results: Sequence[Result], kept: keeping.Kept) -> dict[int, list[tuple[datetime, Event]]]:
    new: dict[int, list[tuple[datetime, Event]]] = {}
    for result in sorted(results, key=lambda result: result.at):
        row = rows[result.letter]
        if row.ticket_id is not None:
            happened = [(result.at, event) for event in _told(row, result, kept.get(row.id, ()))]
            new.setdefault(row.ticket_id, []).extend(happened)
    return new


def _told(row: Any, result: Result, kept: Sequence[Event]) -> list[Event]:
    data: dict[str, Any] = {"letter": row.message_id, "template": row.template, "reply": result.reply[:100]}
    if result.state == "failed":
        return [Event(EventKind.FAILED, "triaged", data)]
    return [Event(EventKind.ACCEPTED, "triaged", data), *kept]


def release(connection: Connection, owner: str, now: datetime) -> int:
    """A process died while sending: whether its letters went is not known. They go again, same bytes, and are counted."""
    mine = and_(letter.c.claimed_by == owner, letter.c.state == "sending")
    values = {"state": "unknown", "not_before": now, "claimed_by": None, "claimed_until": None}
    return connection.execute(update(letter).where(mine).values(values)).rowcount


def retry(connection: Connection, letter_id: int, now: datetime) -> bool:
    """Let a letter go again now. False where it is not one that can."""
    stuck = and_(letter.c.id == letter_id, letter.c.state.in_(("queued", "unknown", "failed", "held")))
    again = {"state": "queued", "not_before": now, "hold_reason": ""}
    return connection.execute(update(letter).where(stuck).values(again)).rowcount == 1


def hold(connection: Connection, letter_id: int) -> bool:
    """Keep a letter back until `retry`. False where it is not one that waits."""
    waits = and_(letter.c.id == letter_id, letter.c.state.in_(("queued", "unknown")))
    values = {"state": "held", "hold_reason": "held by an operator"}
    return connection.execute(update(letter).where(waits).values(values)).rowcount == 1


def drop(connection: Connection, letter_id: int) -> bool:
    """Never send a letter; what it would have kept stays open. False where it is not one that waits, or is held."""
    waits = and_(letter.c.id == letter_id, letter.c.state.in_(("queued", "unknown", "held", "failed")))
    return connection.execute(update(letter).where(waits).values(state="dropped")).rowcount == 1


def copies_wanted(connection: Connection, mailbox: str, most: int = 50) -> list[tuple[int, str, bytes]]:
    """Accepted letters whose copy is not in the Sent folder yet: (id, Message-ID, bytes)."""
    wanted = and_(letter.c.sent_copy == "wanted", letter.c.mailbox == mailbox)
    rows = select(letter.c.id, letter.c.message_id, blob.c.data).join(blob, blob.c.id == letter.c.blob_id)
    return [tuple(r) for r in connection.execute(rows.where(wanted).order_by(letter.c.id).limit(most))]


def copied(connection: Connection, letter_id: int) -> None:
    """The Sent folder has the copy."""
    connection.execute(update(letter).where(letter.c.id == letter_id).values(sent_copy="done"))
