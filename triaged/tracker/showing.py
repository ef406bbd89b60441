"""What the tracker holds, as the documents that scripts hold on to. Reads only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from triaged.ticket.clocks import Clock, standing
from triaged.ticket.consent import Standing, Word
from triaged.ticket.consent import standing as standing_of
from triaged.tracker import clocks, consents, rewards, saying
from triaged.tracker.instants import instant
from triaged.tracker.schema import (
    attachment,
    blob,
    event,
    letter,
    message,
    participant,
    person,
    policy_text,
    receipt,
    study,
    ticket,
)

Document = dict[str, Any]
__all__ = ["instant"]  # documents of other modules are written with it too
ENDED = ("declined", "disclosed", "closed")


def tickets(connection: Connection, most: int = 1000) -> list[Document]:
    """The newest tickets first, without messages, attachments and events."""
    newest = select(ticket.c.id).order_by(ticket.c.id.desc()).limit(most)
    ids = list(connection.execute(newest).scalars())
    return _tickets(connection, ids)


def queue(connection: Connection, most: int = 1000) -> list[Document]:
    """Open tickets in the order of work: the least noisy first, in steps of a quarter, then the oldest."""
    step = case((study.c.noise >= 0.75, 3), (study.c.noise >= 0.5, 2), (study.c.noise >= 0.25, 1), else_=0)
    rows = select(ticket.c.id).outerjoin(study, study.c.ticket_id == ticket.c.id).where(ticket.c.state.not_in(ENDED))
    ids = list(connection.execute(rows.order_by(step, ticket.c.received_at, ticket.c.id).limit(most)).scalars())
    return _tickets(connection, ids)


def one_ticket(connection: Connection, token: str) -> Document | None:
    """One ticket whole; None where there is none."""
    ticket_id = connection.execute(select(ticket.c.id).where(ticket.c.token == token)).scalar()
    if ticket_id is None:
        return None
    document = _tickets(connection, [ticket_id])[0]
    document["messages"] = _messages(connection, ticket_id)
    document["attachments"] = _attachments(connection, ticket_id)
    document["events"] = _events(connection, ticket_id)
    return document


def _tickets(connection: Connection, ids: Sequence[int]) -> list[Document]:
    columns = (ticket, policy_text.c.name.label("policy_name"), policy_text.c.version.label("policy_version"))
    joined = select(*columns).join(policy_text, policy_text.c.sha256 == ticket.c.policy_sha256)
    rows = {row.id: row for row in connection.execute(joined.where(ticket.c.id.in_(ids)))}
    people, running = _people(connection, ids), _clocks(connection, ids)
    said, money = saying.found(connection, ids), rewards.shown(connection, ids)
    return [_ticket(rows[i], people.get(i, []), running.get(i, []), said[i], money.get(i, {})) for i in ids]


def _ticket(row: Any, people: list[Document], running: list[Document], said: Document, money: Document) -> Document:
    reporter = next((p for p in people if p["role"] == "reporter"), None)
    return {
        "ref": row.ref,
        "kind": row.kind,
        "tenant": row.tenant,
        "mailbox": row.mailbox,
        "state": row.state,
        "waiting": row.waiting,
        "subject": row.subject,
        "reporter": None if reporter is None else {k: reporter[k] for k in ("name", "address", "proven")},
        "forwarded_by": row.forwarded_by or None,
        "participants": people,
        "received_at": instant(row.received_at),
        "policy": {"name": row.policy_name, "version": row.policy_version},
        "severity": row.severity or None,
        "cvss": row.cvss or None,
        "cwe": row.cwe or None,
        "product": row.product or None,
        "affected": row.affected or None,
        "fixed_in": row.fixed_in or None,
        "assigned": row.assigned or None,
        "clocks": running,
        **said,
        "credit": {} if reporter is None else reporter["credit"],
        "reward": money,
    }


def _people(connection: Connection, ids: Sequence[int]) -> dict[int, list[Document]]:
    wishes = (participant.c.credit, participant.c.credit_pending, participant.c.anonymous, participant.c.person_id)
    rows = connection.execute(
        select(
            participant.c.ticket_id, participant.c.role, participant.c.proven, person.c.name, person.c.address, *wishes
        )
        .join(person, person.c.id == participant.c.person_id)
        .where(participant.c.ticket_id.in_(ids))
    )
    found: dict[int, list[Document]] = {}
    words = consents.words_on(connection, ids)
    for row in rows:
        entry = {"name": row.name, "address": row.address, "role": row.role, "proven": row.proven}
        entry["credit"] = _credit(row, words.get((row.ticket_id, row.person_id), ()))
        found.setdefault(row.ticket_id, []).append(entry)
    return found


def _credit(row: Any, words: Sequence[Word]) -> Document:
    """How somebody wants to be named, and for what; {} where they said nothing and were not asked."""
    purposes = [_purpose(one) for one in standing_of(words).values()]
    if not (row.credit or row.anonymous or purposes):
        return {}
    return {"name": row.credit, "anonymous": row.anonymous, "pending": row.credit_pending, "purposes": purposes}


def _purpose(one: Standing) -> Document:
    return {
        "purpose": one.purpose.value,
        "third_party": one.third_party,
        "state": one.state.value,
        "at": instant(one.at),
        "open": one.open,
    }


def _clocks(connection: Connection, ids: Sequence[int]) -> dict[int, list[Document]]:
    """Soonest due first."""
    found = clocks.load(connection, ids)
    return {number: [_clock(one) for one in sorted(rows.values(), key=_order)] for number, rows in found.items()}


def _order(one: Clock) -> tuple[datetime, str, int]:
    return one.due_at, one.promise, one.round


def _clock(one: Clock) -> Document:
    return {
        "promise": one.promise,
        "round": one.round,
        "clause": one.clause,
        "every": one.every,
        "standing": standing(one).value,
        "started_at": instant(one.started_at),
        "due_at": instant(one.due_at),
        "warned_at": instant(one.warned_at),
        "met_at": instant(one.met_at),
        "missed_at": instant(one.missed_at),
        "again_at": instant(one.again_at),
        "paused": one.paused_at is not None,
        "waived": clocks.waived(one.waived),
    }


def _messages(connection: Connection, ticket_id: int) -> list[Document]:
    rows = connection.execute(
        select(message, func.coalesce(letter.c.mailbox, receipt.c.mailbox).label("sent_by"), letter.c.accepted_at)
        .outerjoin(letter, letter.c.message_row == message.c.id)
        .outerjoin(receipt, receipt.c.id == message.c.receipt_id)
        .where(message.c.ticket_id == ticket_id)
        .order_by(message.c.id)
    )
    return [_message(row) for row in rows]


def _message(row: Any) -> Document:
    counterpart = {"name": row.counterpart_name, "address": row.counterpart}
    sent = row.direction == "out"
    return {
        "direction": row.direction,
        "audience": row.audience,
        "from": {"name": "", "address": row.sent_by or ""} if sent else counterpart,
        "to": row.addressed,
        "subject": row.subject,
        "at": instant(row.at),
        "message_id": row.message_id,
        "text": row.text,
        "new_text": row.new_text,
        "kind": row.kind,
        "proven": row.proven,
        "accepted_at": instant(row.accepted_at),
        "defects": row.defects,
    }


def _attachments(connection: Connection, ticket_id: int) -> list[Document]:
    rows = connection.execute(
        select(attachment, message.c.message_id.label("of"))
        .join(message, message.c.id == attachment.c.message_id)
        .where(message.c.ticket_id == ticket_id)
        .order_by(attachment.c.id)
    )
    names = ("name", "media_type", "detected_type", "size", "sha256", "inline")
    found = [{**{name: getattr(row, name) for name in names}, "message_id": row.of} for row in rows]
    known = saying.attachments_elsewhere(connection, ticket_id, {one["sha256"] for one in found})
    return [{**one, "also_on": known.get(one["sha256"], [])} for one in found]


def _events(connection: Connection, ticket_id: int) -> list[Document]:
    rows = connection.execute(select(event).where(event.c.ticket_id == ticket_id).order_by(event.c.seq))
    return [_event(row) for row in rows]


def _event(row: Any) -> Document:
    body = json.loads(row.body) if row.body is not None else {"actor": None, "data": None}
    return {
        "seq": row.seq,
        "at": instant(row.at),
        "actor": body["actor"],
        "kind": row.kind,
        "data": body["data"],
        "hash": row.hash.hex(),
    }


def receipts(connection: Connection, outcome: str | None = None, most: int = 10_000) -> list[Document]:
    """What arrived, the newest first."""
    columns = (receipt, blob.c.sha256, ticket.c.ref)
    rows = select(*columns).outerjoin(blob, blob.c.id == receipt.c.blob_id)
    rows = rows.outerjoin(ticket, ticket.c.id == receipt.c.ticket_id).order_by(receipt.c.id.desc()).limit(most)
    if outcome is not None:
        rows = rows.where(receipt.c.outcome == outcome)
    return [_receipt(row) for row in connection.execute(rows)]


def _receipt(row: Any) -> Document:
    return {
        "id": row.id,
        "mailbox": row.mailbox,
        "folder": row.folder,
        "uidvalidity": row.uidvalidity,
        "uid": row.uid,
        "received_at": instant(row.received_at or row.internal_date),
        "sha256": row.sha256,
        "size": row.size,
        "outcome": row.outcome,
        "ref": row.ref,
        "reason": row.reason,
        "truncated": row.truncated,
        "attempts": row.attempts,
    }


_LETTER_COLUMNS = (
    letter.c.id,
    ticket.c.ref,
    letter.c.audience,
    letter.c.to_address,
    letter.c.message_id,
    letter.c.state,
    letter.c.not_before,
    letter.c.attempts,
    letter.c.accepted_at,
    letter.c.last_reply,
    letter.c.template,
    letter.c.template_version,
    letter.c.language,
    letter.c.repeats,
    letter.c.undelivered_at,
)


def letters(connection: Connection, state: str | None = None, most: int = 10_000) -> list[Document]:
    """The outbox, the newest first."""
    rows = select(*_LETTER_COLUMNS).outerjoin(ticket, ticket.c.id == letter.c.ticket_id)
    if state is not None:
        rows = rows.where(letter.c.state == state)
    return [_letter(row) for row in connection.execute(rows.order_by(letter.c.id.desc()).limit(most))]


def one_letter(connection: Connection, letter_id: int) -> tuple[Document, bytes] | None:
    """A letter and its final bytes."""
    rows = select(*_LETTER_COLUMNS, blob.c.data).join(blob, blob.c.id == letter.c.blob_id)
    found = rows.outerjoin(ticket, ticket.c.id == letter.c.ticket_id).where(letter.c.id == letter_id)
    row = connection.execute(found).one_or_none()
    return None if row is None else (_letter(row), row.data)


def _letter(row: Any) -> Document:
    return {
        "id": row.id,
        "ref": row.ref,
        "audience": row.audience,
        "to": row.to_address,
        "message_id": row.message_id,
        "state": row.state,
        "not_before": instant(row.not_before),
        "attempts": row.attempts,
        "accepted_at": instant(row.accepted_at),
        "last_reply": row.last_reply,
        "template": row.template,
        "template_version": row.template_version,
        "language": row.language,
        "repeats": row.repeats,
        "undelivered_at": instant(row.undelivered_at),
    }
