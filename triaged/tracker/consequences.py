"""Writes what messages cause, several messages in one transaction. Every row of one message, or none (law 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from triaged.ticket.consequence import NewTicket, Outcome
from triaged.ticket.desk import Desk
from triaged.ticket.events import GENESIS, Event, EventKind, State
from triaged.ticket.letters import Audience, Letter
from triaged.ticket.reference import Entropy
from triaged.tracker import absences, answers, blobs, chaining, clocks, findings, passing, requests
from triaged.tracker.engine import insert_new
from triaged.tracker.keeping import Kept
from triaged.tracker.knowing import ACKNOWLEDGEMENTS
from triaged.tracker.schema import (
    attachment,
    clock,
    content,
    letter,
    message,
    participant,
    person,
    receipt,
    tally,
    ticket,
)
from triaged.tracker.written import Written


def write(connection: Connection, batch: Sequence[Written], desk: Desk, at: datetime, entropy: Entropy) -> None:
    """Write the batch. Raises on any conflict, and then the caller rolls all of it back."""
    ids = _tickets(connection, batch, desk, at)
    _clocks(connection, batch, desk, ids)
    findings.write(connection, batch, _messages(connection, batch, desk, at, ids), desk, at, ids)
    _letters(connection, batch, desk, at, ids)
    _bounces(connection, batch, at, ids)
    _requests(connection, batch, at, ids)
    said = [(w.consequence.absent, w.item.arrival.received_at) for w in batch if w.consequence.absent]
    absences.write(connection, desk.tenant, said, at)
    kept = answers.keep(connection, batch, ids)
    chaining.append(connection, _events(batch, at, ids, kept), entropy)
    _contents(connection, batch, desk)
    _receipts(connection, batch, ids)


def _tickets(connection: Connection, batch: Sequence[Written], desk: Desk, at: datetime) -> dict[str, int]:
    """Open the new tickets; token -> row id of every ticket that the batch concerns."""
    opened = [w.consequence.opens for w in batch if w.consequence.opens]
    capped = {w.consequence.opens.name.token for w in batch if w.consequence.opens and _waits_for_digest(w)}
    open_tickets(connection, opened, desk, at, capped)
    tokens = {w.consequence.ticket.token for w in batch if w.consequence.ticket}
    if not tokens:
        return {}
    found = connection.execute(select(ticket.c.token, ticket.c.id).where(ticket.c.token.in_(tokens)))
    return {token: row for token, row in found}


def open_tickets(
    connection: Connection, opened: Sequence[NewTicket], desk: Desk, at: datetime, unannounced: Collection[str] = ()
) -> dict[str, int]:
    """Rows of new tickets and their reporters; token -> ticket row. `unannounced`: tokens that wait for the digest."""
    if not opened:
        return {}
    connection.execute(ticket.insert(), [_ticket_row(new, desk, at, new.name.token in unannounced) for new in opened])
    tokens = [new.name.token for new in opened]
    found = connection.execute(select(ticket.c.token, ticket.c.id).where(ticket.c.token.in_(tokens)))
    ids = {token: row for token, row in found}
    _participants(connection, opened, desk, at, ids)
    return ids


def _waits_for_digest(written: Written) -> bool:
    if written.quiet:
        return False
    events = written.consequence.events
    return any(e.kind is EventKind.UNANSWERED and e.data.get("gathered") for e in events)


def _ticket_row(new: NewTicket, desk: Desk, at: datetime, unannounced: bool) -> dict[str, Any]:
    return {
        "token": new.name.token,
        "ref": new.name.ref,
        "tenant": desk.tenant,
        "mailbox": desk.mailbox,
        "kind": new.kind,
        "state": State.RECEIVED,
        "since": new.received_at,
        "subject": new.subject,
        "received_at": new.received_at,
        "opened_at": at,
        "policy_sha256": desk.policy.sha256,
        "unannounced": unannounced,
        "forwarded_by": new.forwarded_by,
        "head": GENESIS,
    }


def _participants(
    connection: Connection, opened: Sequence[NewTicket], desk: Desk, at: datetime, ids: dict[str, int]
) -> None:
    named = [new for new in opened if new.reporter]
    if not named:
        return
    people = {
        n.reporter: {
            "tenant": desk.tenant,
            "address": n.reporter,
            "written": n.reporter_written,
            "name": n.reporter_name,
        }
        for n in named
    }
    insert_new(connection, person, list(people.values()))
    found = connection.execute(
        select(person.c.address, person.c.id).where(person.c.tenant == desk.tenant, person.c.address.in_(people))
    )
    persons = {address: row for address, row in found}
    rows = [
        {
            "ticket_id": ids[new.name.token],
            "person_id": persons[new.reporter],
            "role": "reporter",
            "proven": new.reporter_proven,
            "since": at,
        }
        for new in named
    ]
    connection.execute(participant.insert(), rows)


def _clocks(connection: Connection, batch: Sequence[Written], desk: Desk, ids: dict[str, int]) -> None:
    rows = [
        clocks.row(ids[w.consequence.ticket.token], desk.mailbox, c)
        for w in batch
        if w.consequence.ticket
        for c in w.consequence.clocks
    ]
    clocks.insert(connection, rows)


def _messages(
    connection: Connection, batch: Sequence[Written], desk: Desk, at: datetime, ids: dict[str, int]
) -> dict[int, int]:
    """Receipt -> row of its message, for all that stand on a ticket."""
    placed = [w for w in batch if w.consequence.placed and w.consequence.ticket]
    if not placed:
        return {}
    rows = [
        {**_message_row(w, desk, at, ids), **answers.columns(w.consequence.answered), **passing.columns(w)}
        for w in placed
    ]
    inserted = message.insert().returning(message.c.id, sort_by_parameter_order=True)
    numbers = connection.execute(inserted, rows).scalars().all()
    slices = [
        _attachment_row(number, place, part)
        for number, w in zip(numbers, placed, strict=True)
        for place, part in enumerate(w.item.arrival.message.attachments, start=1)
    ]
    if slices:
        connection.execute(attachment.insert(), slices)
    if remarks := [passing.remarks(row, w) for row, w in zip(rows, placed, strict=True) if w.consequence.passed_on]:
        connection.execute(message.insert(), remarks)
    return {w.item.arrival.receipt: number for w, number in zip(placed, numbers, strict=True)}


def _message_row(written: Written, desk: Desk, at: datetime, ids: dict[str, int]) -> dict[str, Any]:
    arrival, consequence = written.item.arrival, written.consequence
    placed, name, read = consequence.placed, consequence.ticket, arrival.message
    assert placed is not None and name is not None  # noqa: S101 - chosen by the caller
    return {
        "ticket_id": ids[name.token],
        "receipt_id": arrival.receipt,
        "tenant": desk.tenant,
        "direction": "in",
        "audience": placed.audience,
        "answers": "r" if placed.audience is Audience.RESEARCHER else "t",
        "message_id": read.message_id,
        "counterpart": written.item.clues.author,
        "counterpart_name": read.author.name if read.author else "",
        "addressed": [{"name": a.name, "address": a.address} for a in read.to],
        "subject": read.subject,
        "kind": read.kind,
        "proven": placed.proven,
        "at": at,
        "text": read.text,
        "new_text": read.new_text,
        "text_hash": placed.text_hash,
        "defects": list(read.defects),
    }


def _attachment_row(message_row: int, number: int, part: Any) -> dict[str, Any]:
    return {
        "message_id": message_row,
        "number": number,
        "name": part.name,
        "media_type": part.media_type[:255],
        "detected_type": part.detected_type[:255],
        "size": part.size,
        "sha256": part.sha256,
        "inline": part.inline,
        "offset": part.offset,
        "length": part.length,
        "encoding": part.encoding[:32],
    }


def _letters(connection: Connection, batch: Sequence[Written], desk: Desk, at: datetime, ids: dict[str, int]) -> None:
    queue_letters(connection, [x for w in batch for x in w.consequence.letters], desk, at, ids)


def queue_letters(
    connection: Connection, letters: Sequence[Letter], desk: Desk, at: datetime, ids: dict[str, int]
) -> None:
    """Put letters into the outbox. `ids`: token -> ticket row."""
    if not letters:
        return
    stored = blobs.keep(connection, (x.data for x in letters))
    inserted = message.insert().returning(message.c.id, sort_by_parameter_order=True)
    rows = [_sent_row(x, desk, at, ids[x.token]) for x in letters]
    numbers = connection.execute(inserted, rows).scalars().all()
    queued = [
        _letter_row(x, desk, at, ids[x.token], number, stored[blobs.digest(x.data)])
        for x, number in zip(letters, numbers, strict=True)
    ]
    connection.execute(letter.insert(), queued)
    _count(connection, letters, desk, at)


def _sent_row(queued: Letter, desk: Desk, at: datetime, ticket_id: int) -> dict[str, Any]:
    return {
        "ticket_id": ticket_id,
        "tenant": desk.tenant,
        "direction": "out",
        "audience": queued.audience,
        "answers": queued.answers,
        "message_id": queued.message_id,
        "counterpart": queued.to.lower(),
        "addressed": [{"name": "", "address": queued.to}],
        "subject": queued.subject,
        "kind": "letter",
        "proven": True,
        "at": at,
        "text": queued.text,
        "new_text": "",
        "defects": [],
    }


def _letter_row(
    queued: Letter, desk: Desk, at: datetime, ticket_id: int, message_row: int, blob_id: int
) -> dict[str, Any]:
    return {
        "ticket_id": ticket_id,
        "message_row": message_row,
        "tenant": desk.tenant,
        "mailbox": desk.mailbox,
        "audience": queued.audience,
        "to_address": queued.to,
        "to_lower": queued.to.lower(),
        "envelope_from": queued.envelope_from,
        "message_id": queued.message_id,
        "blob_id": blob_id,
        "template": queued.template,
        "template_version": queued.template_version,
        "language": queued.language,
        "meets": list(queued.meets),
        "proven": queued.proven,
        "state": "held" if queued.hold_reason else "queued",
        "queued_at": at,
        "not_before": queued.not_before or at,
        "author": queued.author,
        "hold_reason": queued.hold_reason[:500],
    }


def _count(connection: Connection, letters: Sequence[Letter], desk: Desk, at: datetime) -> None:
    """Acknowledgements of this hour, for the overall budgets (AR-10)."""
    acknowledged = [x.proven for x in letters if x.template in ACKNOWLEDGEMENTS]
    hour = at.replace(minute=0, second=0, microsecond=0)
    for name, count in (("proven", sum(acknowledged)), ("unproven", len(acknowledged) - sum(acknowledged))):
        if count:
            key = {"tenant": desk.tenant, "name": name, "hour": hour}
            insert_new(connection, tally, [{**key, "count": 0}])
            here = (tally.c.tenant == desk.tenant, tally.c.name == name, tally.c.hour == hour)
            connection.execute(update(tally).where(*here).values(count=tally.c.count + count))


def _bounces(connection: Connection, batch: Sequence[Written], at: datetime, ids: dict[str, int]) -> None:
    for w in batch:
        bounced, name = w.consequence.bounced, w.consequence.ticket
        if bounced is None or name is None:
            continue
        returned = {"undelivered_at": at, "last_reply": bounced.reply}
        connection.execute(update(letter).where(letter.c.message_id == bounced.message_id).values(returned))
        # Of the rounds of a promise, those that this letter kept; "" is of rows that are older than the column.
        kept = and_(clock.c.promise.in_(bounced.reopens), clock.c.kept_by.in_((bounced.message_id, "")))
        here = (clock.c.ticket_id == ids[name.token], clock.c.met_at.is_not(None), kept)
        connection.execute(update(clock).where(*here).values(met_at=None, kept_by="", wake_at=at))


def _requests(connection: Connection, batch: Sequence[Written], at: datetime, ids: dict[str, int]) -> None:
    for w in batch:
        asks, name = w.consequence.asks, w.consequence.ticket
        if asks is not None and name is not None:
            requests.write(connection, ids[name.token], asks, at)


def _events(
    batch: Sequence[Written], at: datetime, ids: dict[str, int], kept: Kept
) -> dict[int, list[tuple[datetime, Event]]]:
    """`kept`: receipt -> what its letter did to clocks."""
    new: dict[int, list[tuple[datetime, Event]]] = {}
    for w in batch:
        name, answered = w.consequence.ticket, w.consequence.answered
        if name is not None:
            queued = [queued_event(x) for x in w.consequence.letters if x.audience is Audience.RESEARCHER]
            events = (*w.consequence.events, *queued, *kept.get(w.item.arrival.receipt, ()))
            new.setdefault(ids[name.token], []).extend((answered.at if answered else at, e) for e in events)
    return {ticket_id: events for ticket_id, events in new.items() if events}


def queued_event(queued: Letter) -> Event:
    """What a ticket's chain says of a letter to its researcher."""
    data = {
        "letter": queued.message_id,
        "template": queued.template,
        "version": queued.template_version,
        "language": queued.language,
        "sha256": blobs.digest(queued.data),
    }
    return Event(EventKind.QUEUED, "triaged", data)


def _contents(connection: Connection, batch: Sequence[Written], desk: Desk) -> None:
    """Plain inserts: the primary key refuses a content that another process took in meanwhile."""
    rows = [
        {"tenant": desk.tenant, "sha256": w.item.arrival.content_sha256, "receipt_id": w.item.arrival.receipt}
        for w in batch
        if w.consequence.outcome is not Outcome.COPY
    ]
    if rows:
        connection.execute(content.insert(), rows)


def _receipts(connection: Connection, batch: Sequence[Written], ids: dict[str, int]) -> None:
    rows = [
        {
            "b_id": w.item.arrival.receipt,
            "b_outcome": w.consequence.outcome.value,
            "b_reason": w.consequence.reason[:500],
            "b_ticket": ids[w.consequence.ticket.token] if w.consequence.ticket else None,
            "b_received": w.item.arrival.received_at,
        }
        for w in batch
    ]
    settled = update(receipt).where(receipt.c.id == bindparam("b_id"), receipt.c.outcome == Outcome.WAITING)
    values = settled.values(
        outcome=bindparam("b_outcome"),
        reason=bindparam("b_reason"),
        ticket_id=bindparam("b_ticket"),
        received_at=bindparam("b_received"),
        claimed_by=None,
        claimed_until=None,
    )
    connection.execute(values, rows)
