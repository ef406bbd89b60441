"""All that is held of one person, and a ticket without the people in it. Reads only; writes no file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from triaged.message.transfer import decode_transfer
from triaged.ticket.consent import Purpose, may_share, named
from triaged.ticket.letters import Audience
from triaged.ticket.redacting import Marks, Person, marks_of, redacted
from triaged.tracker import consents
from triaged.tracker.schema import (
    attachment,
    blob,
    clock,
    consent,
    event,
    fact,
    letter,
    message,
    participant,
    person,
    policy_text,
    receipt,
    request,
    reward,
    ticket,
)
from triaged.tracker.scope import NAMING, Subject
from triaged.tracker.showing import instant

TAKEN_OUT = "[taken out]"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """What a person is given: a document, and raw messages by their file's name."""

    document: Document
    files: Mapping[str, bytes]
    tickets: tuple[str, ...]


def of_person(connection: Connection, subject: Subject) -> Held | None:
    """Of all tickets of the tenant; None where nothing is held. What is of others is taken out."""
    here = (person.c.tenant == subject.tenant, person.c.address == subject.address)
    row = connection.execute(select(person).where(*here)).one_or_none()
    rows = _tickets(connection, subject, row.id if row else None)
    if row is None and not rows:
        return None
    others = _marks(connection, [one.id for one in rows], lambda address: address != subject.address)
    files: dict[str, bytes] = {}
    document = {
        "form": "triaged-export/1",
        "tenant": subject.tenant,
        "address": subject.address,
        "person": _person(row),
        "tickets": [_ticket(connection, one, subject, others, files) for one in rows],
    }
    return Held(document, files, tuple(one.ref for one in rows))


def _person(row: Any) -> Document | None:
    if row is None:
        return None
    return {"name": row.name, "written": row.written, "proven_at": instant(row.proven_at)}


def _tickets(connection: Connection, subject: Subject, person_id: int | None) -> Sequence[Any]:
    part = select(participant.c.ticket_id).where(participant.c.person_id == (person_id or 0))
    wrote = select(message.c.ticket_id).where(message.c.counterpart == subject.address, message.c.direction == "in")
    got = select(letter.c.ticket_id).where(letter.c.to_lower == subject.address)
    some = or_(ticket.c.id.in_(part), ticket.c.id.in_(wrote), ticket.c.id.in_(got))
    rows = select(ticket).where(ticket.c.tenant == subject.tenant, some).order_by(ticket.c.id)
    return connection.execute(rows).all()


def _marks(connection: Connection, tickets: Collection[int], chosen: Any) -> Marks:
    """Of the people on these tickets whose address is `chosen`."""
    rows = select(person.c.address, person.c.name, participant.c.credit, participant.c.ticket_id)
    rows = rows.join(participant, participant.c.person_id == person.c.id).where(participant.c.ticket_id.in_(tickets))
    found = [row for row in connection.execute(rows) if chosen(row.address)]
    people = [Person((row.address,), tuple(filter(None, (row.name, row.credit)))) for row in found]
    theirs = _said(connection, tickets, chosen)
    return marks_of((*people, *theirs), parts=True)


def _said(connection: Connection, tickets: Collection[int], chosen: Any) -> list[Person]:
    """Names that they wrote under, and what their messages say of who they are."""
    came = (message.c.ticket_id.in_(tickets), message.c.direction == "in", message.c.audience == Audience.RESEARCHER)
    called = select(message.c.counterpart, message.c.counterpart_name).where(*came).distinct()
    people = [
        Person((row.counterpart,), tuple(filter(None, (row.counterpart_name,))))
        for row in connection.execute(called)
        if chosen(row.counterpart)
    ]
    facts = select(message.c.counterpart, fact.c.kind, fact.c.value).join(message, message.c.id == fact.c.message_id)
    for row in connection.execute(facts.where(*came, fact.c.kind.in_(NAMING)).distinct()):
        if chosen(row.counterpart):
            named_by = Person(names=(row.value,)) if row.kind == "credit_as" else Person(others=(row.value,))
            people.append(named_by)
    return people


def _ticket(connection: Connection, row: Any, subject: Subject, others: Marks, files: dict[str, bytes]) -> Document:
    part = select(participant).join(person, person.c.id == participant.c.person_id)
    part = part.where(participant.c.ticket_id == row.id, person.c.address == subject.address)
    own = connection.execute(part).one_or_none()
    messages = _messages(connection, row, subject, others, files)
    return {
        "ref": row.ref,
        "kind": row.kind,
        "state": row.state,
        "subject": redacted(row.subject, others, TAKEN_OUT),
        "received_at": instant(row.received_at),
        "severity": row.severity or None,
        "cvss": row.cvss or None,
        "role": own.role if own else None,
        "proven": bool(own.proven) if own else None,
        "credit": own.credit if own else "",
        "anonymous": bool(own.anonymous) if own else None,
        "messages": messages,
        "facts": _facts(connection, row.id, subject),
        "requests": _requests(connection, row.id, subject),
        "consents": _consents(connection, row.id, subject),
        "rewards": _rewards(connection, row.id) if own is not None and own.role == "reporter" else [],
    }


def _messages(
    connection: Connection, row: Any, subject: Subject, others: Marks, files: dict[str, bytes]
) -> list[Document]:
    """What they sent, and our letters to them; never a note."""
    wrote = and_(message.c.direction == "in", message.c.counterpart == subject.address)
    got = and_(message.c.direction == "out", message.c.counterpart == subject.address)
    here = (message.c.ticket_id == row.id, message.c.audience == Audience.RESEARCHER, or_(wrote, got))
    columns = (message, receipt.c.blob_id.label("came"), letter.c.blob_id.label("went"), letter.c.accepted_at)
    joined = message.outerjoin(receipt, receipt.c.id == message.c.receipt_id)
    joined = joined.outerjoin(letter, letter.c.message_row == message.c.id)
    rows = connection.execute(select(*columns).select_from(joined).where(*here).order_by(message.c.id)).all()
    return [_message(connection, row.ref, one, others, files) for one in rows]


def _message(connection: Connection, ref: str, row: Any, others: Marks, files: dict[str, bytes]) -> Document:
    number = row.came if row.direction == "in" else row.went
    data = connection.execute(select(blob.c.data).where(blob.c.id == number)).scalar() if number else None
    name = f"{ref}/{row.id}-{'sent-by-you' if row.direction == 'in' else 'sent-to-you'}.eml"
    if data:
        files[name] = data
    parts = select(attachment.c.name, attachment.c.detected_type, attachment.c.size, attachment.c.sha256)
    found = connection.execute(parts.where(attachment.c.message_id == row.id).order_by(attachment.c.number))
    return {
        "direction": row.direction,
        "at": instant(row.at),
        "sent_at": instant(row.accepted_at),
        "subject": redacted(row.subject, others, TAKEN_OUT),
        "text": redacted(row.text, others, TAKEN_OUT),
        "proven": bool(row.proven),
        "attachments": [dict(one._mapping) for one in found],
        "file": name if data else None,
    }


def _facts(connection: Connection, ticket_id: int, subject: Subject) -> list[Document]:
    rows = select(fact.c.kind, fact.c.value).join(message, message.c.id == fact.c.message_id)
    own = (fact.c.ticket_id == ticket_id, message.c.counterpart == subject.address)
    return [dict(row._mapping) for row in connection.execute(rows.where(*own).order_by(fact.c.id))]


def _requests(connection: Connection, ticket_id: int, subject: Subject) -> list[Document]:
    own = (request.c.ticket_id == ticket_id, request.c.address == subject.address)
    rows = connection.execute(select(request).where(*own).order_by(request.c.id))
    return [{"kind": r.kind, "value": r.value, "at": instant(r.at), "settled_at": instant(r.settled_at)} for r in rows]


def _consents(connection: Connection, ticket_id: int, subject: Subject) -> list[Document]:
    rows = select(consent).join(person, person.c.id == consent.c.person_id)
    own = (consent.c.ticket_id == ticket_id, person.c.address == subject.address)
    return [
        {"purpose": r.purpose, "third_party": r.third_party, "state": r.state, "at": instant(r.at)}
        for r in connection.execute(rows.where(*own).order_by(consent.c.id))
    ]


def _rewards(connection: Connection, ticket_id: int) -> list[Document]:
    """What was decided; the team's reasons are its own."""
    rows = connection.execute(select(reward).where(reward.c.ticket_id == ticket_id).order_by(reward.c.id))
    return [
        {"state": r.state, "amount": r.amount, "currency": r.currency, "severity": r.severity, "at": instant(r.at)}
        for r in rows
    ]


# --- a ticket without the people in it ---


@dataclass(frozen=True, slots=True)
class Bundle:
    """A report for a third party. `people` holds only those who agreed to exactly that."""

    ticket_id: int
    tenant: str
    ref: str
    document: Document
    texts: tuple[Document, ...]
    attachments: Mapping[str, bytes]
    people: tuple[Document, ...]


def for_third_party(
    connection: Connection, token: str, third_party: str, *, attachments: bool, words: bool = False
) -> Bundle | None:
    """None where there is no such ticket, or everything of it was forgotten. `words`: also of those who did not agree, for what
    names somebody without a word that tells so ("I am quorvax elsewhere") can't be known, and can't be taken out.
    """
    columns = (ticket, policy_text.c.organisation, policy_text.c.name.label("policy"), policy_text.c.version)
    joined = ticket.join(policy_text, policy_text.c.sha256 == ticket.c.policy_sha256)
    here = (ticket.c.token == token, ticket.c.forgotten_at.is_(None))
    row = connection.execute(select(*columns).select_from(joined).where(*here)).one_or_none()
    if row is None:
        return None
    wishes = consents.wishes_on(connection, row.id)
    agreed = {address for address, one in wishes.items() if may_share(one, third_party)}
    hidden = _marks(connection, [row.id], lambda address: address not in agreed)
    people = [
        {"address": address, "name": named(Purpose.SHARE, wishes[address], third_party)} for address in sorted(agreed)
    ]
    return Bundle(
        ticket_id=row.id,
        tenant=row.tenant,
        ref=row.ref,
        document=_without_people(connection, row, third_party, hidden, agreed),
        texts=tuple(_texts(connection, row.id, hidden, None if words else agreed)),
        attachments=_attachments(connection, row.id, hidden) if attachments else {},
        people=tuple(people),
    )


def _without_people(
    connection: Connection, row: Any, third_party: str, hidden: Marks, agreed: Collection[str]
) -> Document:
    said = select(fact.c.kind, fact.c.value).join(message, message.c.id == fact.c.message_id)
    said = said.where(fact.c.ticket_id == row.id, fact.c.kind.not_in((*NAMING, "anonymity")))
    may_be_theirs = and_(
        fact.c.kind == "ip_address", message.c.counterpart.not_in(agreed)
    )  # or a machine's: nothing tells
    facts = connection.execute(said.where(~may_be_theirs).order_by(fact.c.id)).all()
    promised = select(clock).where(clock.c.ticket_id == row.id).order_by(clock.c.id)
    happened = select(event.c.at, event.c.kind).where(event.c.ticket_id == row.id).order_by(event.c.seq)
    return {
        "form": "triaged-hand-over/1",
        "organisation": row.organisation,
        "to": third_party,
        "reference": row.ref,
        "policy": {"name": row.policy, "version": row.version},
        "subject": redacted(row.subject, hidden, TAKEN_OUT),
        "received_at": instant(row.received_at),
        "state": row.state,
        "severity": row.severity or None,
        "cvss": row.cvss or None,
        "cwe": row.cwe or None,
        "product": redacted(row.product, hidden, TAKEN_OUT) or None,
        "affected": redacted(row.affected, hidden, TAKEN_OUT) or None,
        "fixed_in": redacted(row.fixed_in, hidden, TAKEN_OUT) or None,
        "facts": [{"kind": f.kind, "value": redacted(f.value, hidden, TAKEN_OUT)} for f in facts],
        "promises": [
            {"promise": c.promise, "due_at": instant(c.due_at), "met_at": instant(c.met_at)}
            for c in connection.execute(promised)
        ],
        "timeline": [{"at": instant(e.at), "what": e.kind} for e in connection.execute(happened)],
    }


def _texts(connection: Connection, ticket_id: int, hidden: Marks, authors: Collection[str] | None) -> list[Document]:
    """What participants wrote (`authors`: these alone), without quoted mail and signatures; no note, nor whom we wrote to."""
    on_it = select(person.c.address).join(participant, participant.c.person_id == person.c.id)
    part = message.c.counterpart.in_(on_it.where(participant.c.ticket_id == ticket_id))
    came = (message.c.ticket_id == ticket_id, message.c.direction == "in", message.c.audience == Audience.RESEARCHER)
    found = select(message).where(*came, part).order_by(message.c.id)
    if authors is not None:
        found = found.where(message.c.counterpart.in_(authors))
    rows = connection.execute(found).all()
    return [
        {
            "at": instant(row.at),
            "subject": redacted(row.subject, hidden, TAKEN_OUT),
            "text": redacted(row.new_text or row.text, hidden, TAKEN_OUT),
        }
        for row in rows
    ]


def _attachments(connection: Connection, ticket_id: int, hidden: Marks) -> dict[str, bytes]:
    """As they came: what is in them nobody has looked through."""
    rows = select(attachment, receipt.c.blob_id).join(message, message.c.id == attachment.c.message_id)
    rows = rows.join(receipt, receipt.c.id == message.c.receipt_id)
    came = (message.c.ticket_id == ticket_id, message.c.direction == "in", message.c.audience == Audience.RESEARCHER)
    found: dict[str, bytes] = {}
    for number, row in enumerate(connection.execute(rows.where(*came).order_by(attachment.c.id)), start=1):
        raw = connection.execute(select(blob.c.data).where(blob.c.id == row.blob_id)).scalar()
        if raw is not None and row.offset >= 0:
            ending = row.name.rpartition(".")[2].lower() if "." in row.name else "bin"
            plain = ending if ending.isalnum() and len(ending) <= 8 and ending.isascii() else "bin"
            data = decode_transfer(raw[row.offset : row.offset + row.length], row.encoding)[0]
            found[f"attachments/{number}.{plain}"] = data
    return found
