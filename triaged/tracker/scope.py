"""What an erasure concerns: whose tickets, and the strings that name them elsewhere. Reads only; erases nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from triaged.ticket.redacting import LEAST_LINE, Marks, Person, fold, marks_of
from triaged.tracker.schema import fact, letter, message, participant, person, receipt, request, ticket

NAMING = ("contact", "credit_as", "tester_ip_address")  # facts that tell who somebody is
LEAST_SUBJECT = 12  # characters of a subject that is one report's for certain
LEAST_NAMING = 6  # characters of a fact that names somebody elsewhere too
MOST_LINES = 20_000  # of somebody's own words that are looked for
LONG_LINE = 40  # characters of a line that is looked for on other tickets too: what is shorter, anybody may write


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked for: a person, by address, or one ticket."""

    tenant: str
    address: str = ""  # lower-case
    token: str = ""

    @property
    def name(self) -> str:
        """As the row of the proposal keeps it."""
        return self.address or self.token


@dataclass(frozen=True, slots=True)
class Scope:
    """What goes whole, what goes in part, and what is looked for everywhere else."""

    subject: Subject
    whole: Mapping[int, str]  # ticket row -> reference: everything of it goes
    shared: Mapping[int, str]  # others take part: what is of the person goes
    people: Mapping[int, str]  # person row -> address, of those whose identity goes
    outside: Marks  # on every other row of the tenant
    subjects: Marks  # and where the team talks among itself
    naming: Marks  # and in our own mail to the team, which is about several tickets
    within: Marks  # on the shared tickets


def find(connection: Connection, subject: Subject, never: Collection[str]) -> Scope | None:
    """None where there is no such ticket. `never`: names and addresses of the team, which no report makes anybody else's."""
    if subject.token:
        return _of_ticket(connection, subject, never)
    return _of_person(connection, subject, never)


def tenants_with(connection: Connection, address: str) -> list[str]:
    """Whose trackers hold something of the address."""
    rows = [
        select(person.c.tenant).where(person.c.address == address),
        select(message.c.tenant).where(message.c.counterpart == address, message.c.direction == "in"),
        select(letter.c.tenant).where(letter.c.to_lower == address),
    ]
    return sorted({tenant for one in rows for tenant in connection.execute(one.distinct()).scalars()})


def _of_ticket(connection: Connection, subject: Subject, never: Collection[str]) -> Scope | None:
    here = (ticket.c.token == subject.token, ticket.c.tenant == subject.tenant, ticket.c.forgotten_at.is_(None))
    row = connection.execute(select(ticket.c.id, ticket.c.ref).where(*here)).one_or_none()
    if row is None:
        return None
    elsewhere = select(participant.c.person_id).where(participant.c.ticket_id != row.id)
    on_it = select(person.c.id, person.c.address).join(participant, participant.c.person_id == person.c.id)
    alone = on_it.where(participant.c.ticket_id == row.id, person.c.id.not_in(elsewhere))
    people = {one.id: one.address for one in connection.execute(alone)}
    return _scope(connection, subject, {row.id: row.ref}, {}, people, never)


def _of_person(connection: Connection, subject: Subject, never: Collection[str]) -> Scope:
    """Also of somebody who never wrote and whom others name by their address."""
    mine = select(participant.c.ticket_id).join(person, person.c.id == participant.c.person_id)
    mine = mine.where(person.c.address == subject.address, person.c.tenant == subject.tenant)
    others = select(participant.c.ticket_id).join(person, person.c.id == participant.c.person_id)
    others = others.where(person.c.address != subject.address)
    wrote = select(message.c.ticket_id).where(message.c.counterpart == subject.address, message.c.direction == "in")
    got = select(letter.c.ticket_id).where(letter.c.to_lower == subject.address)
    refs = select(ticket.c.id, ticket.c.ref).where(ticket.c.tenant == subject.tenant, ticket.c.forgotten_at.is_(None))
    whole = {r.id: r.ref for r in connection.execute(refs.where(ticket.c.id.in_(mine), ticket.c.id.not_in(others)))}
    some = or_(ticket.c.id.in_(mine), ticket.c.id.in_(wrote), ticket.c.id.in_(got))
    shared = {r.id: r.ref for r in connection.execute(refs.where(some)) if r.id not in whole}
    here = (person.c.tenant == subject.tenant, person.c.address == subject.address)
    people = {r.id: r.address for r in connection.execute(select(person.c.id, person.c.address).where(*here))}
    return _scope(connection, subject, whole, shared, people, never)


def _scope(
    connection: Connection,
    subject: Subject,
    whole: Mapping[int, str],
    shared: Mapping[int, str],
    people: Mapping[int, str],
    never: Collection[str],
) -> Scope:
    addresses = {*people.values(), subject.address} - {""}
    names, others = _names(connection, subject.tenant, addresses), _others(connection, subject.tenant, addresses)
    barred = {fold(one) for one in (*never, *_of_others(connection, subject.tenant, addresses))}
    theirs = Person(
        tuple(sorted(addresses)),
        _unbarred(names, barred),
        _unbarred([o for o in others if len(o) >= LEAST_NAMING], barred),
    )
    ids = Person(others=_ids(connection, whole, shared, addresses))
    subjects = Person(others=_subjects(connection, subject.tenant, [*whole, *reported(connection, shared, people)]))
    refs = Person(others=tuple(sorted(whole.values())))
    said = _unbarred(_lines(connection, [*whole, *shared], addresses), barred)
    long = Person(lines=tuple(line for line in said if len(line) >= LONG_LINE))
    outside, lines = (theirs, ids, long), Person(lines=said)
    return Scope(
        subject=subject,
        whole=whole,
        shared=shared,
        people=people,
        outside=marks_of(outside, parts=False),
        subjects=marks_of((*outside, subjects), parts=False),
        naming=marks_of((*outside, subjects, refs), parts=False),
        within=marks_of((*outside, subjects, lines), parts=True),
    )


def _unbarred(strings: Iterable[str], barred: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in strings if fold(one) not in barred))


def _of_others(connection: Connection, tenant: str, addresses: Collection[str]) -> list[str]:
    """What names somebody else as well, who stays: it can't tell the two apart."""
    called = select(person.c.name).where(person.c.tenant == tenant, person.c.address.not_in(addresses))
    wrote = (message.c.tenant == tenant, message.c.direction == "in", message.c.counterpart.not_in(addresses))
    said = select(fact.c.value).join(message, message.c.id == fact.c.message_id).where(*wrote)
    said = said.where(fact.c.kind.in_(NAMING))
    return [one for query in (called, said) for one in connection.execute(query.distinct()).scalars() if one]


def _names(connection: Connection, tenant: str, addresses: Collection[str]) -> list[str]:
    """What they are called, and asked to be called."""
    known = select(person.c.name).where(person.c.tenant == tenant, person.c.address.in_(addresses))
    wrote = (message.c.tenant == tenant, message.c.direction == "in", message.c.counterpart.in_(addresses))
    written = select(message.c.counterpart_name).where(*wrote).distinct()
    credit = select(participant.c.credit).join(person, person.c.id == participant.c.person_id)
    credit = credit.where(person.c.tenant == tenant, person.c.address.in_(addresses))
    asked = select(request.c.value).where(request.c.address.in_(addresses), request.c.kind == "credit")
    return [name for query in (known, written, credit, asked) for name in connection.execute(query).scalars() if name]


def _others(connection: Connection, tenant: str, addresses: Collection[str]) -> list[str]:
    wrote = (message.c.tenant == tenant, message.c.direction == "in", message.c.counterpart.in_(addresses))
    said = select(fact.c.value).join(message, message.c.id == fact.c.message_id).where(*wrote)
    return list(connection.execute(said.where(fact.c.kind.in_(NAMING)).distinct()).scalars())


def _ids(
    connection: Connection, whole: Collection[int], shared: Collection[int], addresses: Collection[str]
) -> tuple[str, ...]:
    """Message-IDs of all that goes: they stand in References, in events, and mark a copy of it."""
    to_them = message.c.id.in_(select(letter.c.message_row).where(letter.c.to_lower.in_(addresses)))
    theirs = or_(message.c.counterpart.in_(addresses), to_them)
    going = or_(message.c.ticket_id.in_(whole), message.c.ticket_id.in_(shared) & theirs)
    rows = connection.execute(select(message.c.message_id).where(going, message.c.message_id != "").distinct())
    return tuple(sorted(one.strip("<>") for one in rows.scalars() if len(one) >= LEAST_SUBJECT))


def reported(connection: Connection, shared: Collection[int], people: Collection[int]) -> list[int]:
    """The shared tickets whose subject is their own words."""
    theirs = (
        participant.c.ticket_id.in_(shared),
        participant.c.person_id.in_(people),
        participant.c.role == "reporter",
    )
    return list(connection.execute(select(participant.c.ticket_id).where(*theirs)).scalars())


def _subjects(connection: Connection, tenant: str, tickets: Collection[int]) -> tuple[str, ...]:
    """Those that no other ticket has: a subject of many says nothing of one."""
    long = func.length(ticket.c.subject) >= LEAST_SUBJECT
    others = select(ticket.c.subject).where(ticket.c.tenant == tenant, ticket.c.id.not_in(tickets))
    own = select(ticket.c.subject).where(ticket.c.id.in_(tickets), long, ticket.c.subject.not_in(others))
    return tuple(connection.execute(own).scalars())


def _lines(connection: Connection, tickets: Collection[int], addresses: Collection[str]) -> list[str]:
    """Lines of theirs, as others quote them."""
    theirs = (message.c.ticket_id.in_(tickets), message.c.direction == "in", message.c.counterpart.in_(addresses))
    texts = connection.execute(select(message.c.text).where(*theirs)).scalars()
    lines = {" ".join(line.split()) for text in texts for line in text.split("\n") if not line.lstrip().startswith(">")}
    return sorted((one for one in lines if len(one) >= LEAST_LINE), key=len, reverse=True)[:MOST_LINES]


def waiting(connection: Connection, tenant: str) -> Sequence[Any]:
    """Receipts that nobody has read yet: (id, blob row)."""
    here = (receipt.c.tenant == tenant, receipt.c.outcome == "waiting", receipt.c.blob_id.is_not(None))
    return connection.execute(select(receipt.c.id, receipt.c.blob_id).where(*here)).all()
