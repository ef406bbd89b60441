"""Erases what is of a person or of a ticket, in the caller's one transaction. Decides neither whom nor whether."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, false, func, or_, select, text, update

from triaged.message.content import content_sha256
from triaged.ticket.events import Event, EventKind
from triaged.ticket.letters import Audience
from triaged.ticket.redacting import FORGOTTEN
from triaged.ticket.reference import Entropy
from triaged.tracker import blobs, chaining, likeness, tombstones, traces
from triaged.tracker import scope as scoping
from triaged.tracker.schema import (
    advisory,
    attachment,
    blob,
    clock,
    consent,
    content,
    event,
    fact,
    gap,
    letter,
    likely,
    message,
    participant,
    person,
    proposal,
    receipt,
    request,
    reward,
    study,
    ticket,
)
from triaged.tracker.scope import Scope
from triaged.tracker.traces import Counts, Suspects

WHY = "everything of the ticket was forgotten"
ENDED = ("closed",)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies in a mailbox: what the operator needs to delete it there."""

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Chain:
    """One ticket's chain, before and after."""

    ref: str
    whole: bool
    events: int
    before: str  # hexadecimal
    after: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What went, and what was left behind."""

    counts: Mapping[str, int]  # table -> rows
    bytes: int
    tombstones: int
    chains: tuple[Chain, ...]
    places: tuple[Place, ...]
    letters_gone: int  # letters that left before
    copies: tuple[tuple[str, int], ...]  # mailbox, letters of which a copy was put into its sent folder
    published: tuple[str, ...]  # advisories that the world has


Reach = Callable[[str], None]


def erase(
    connection: Connection, scope: Scope, found: Suspects, actor: str, at: datetime, entropy: Entropy, reach: Reach
) -> Erased:
    """All of it. The caller commits, or rolls back what was a look."""
    counts: Counts = Counter()
    heads = _heads(connection, scope)
    own = _receipts_of(connection, scope)
    receipts = own | found.receipts
    letters = _letters_of(connection, scope)
    left = _left(connection, scope, receipts, letters | found.letters)
    kept = _tombstones(connection, scope, receipts, letters | found.letters, at, entropy)
    held: list[int] = []
    if scope.whole:
        _whole(connection, scope, at, counts)
    reach("erasure-tickets")
    if scope.shared:
        _shared(connection, scope, counts)
    _people(connection, scope, counts)
    held += traces.drop_receipts(connection, own, counts, settled=())
    held += traces.drop_letters(connection, letters, counts)
    _no_content(connection, receipts)
    held += traces.erase(connection, scope, found, own, letters, counts)
    _unlike(connection, scope, counts)
    reach("erasure-traces")
    counts["blob"], size = tombstones.drop_unused(connection, held)
    chaining.append(connection, _happened(connection, scope, actor, at, counts), entropy)
    after = _heads(connection, scope)
    chains = tuple(
        Chain(ref, number in scope.whole, after[number][0], heads[number][1].hex(), after[number][1].hex())
        for number, ref in {**scope.whole, **scope.shared}.items()
    )
    return Erased({n: c for n, c in sorted(counts.items()) if c}, size, kept, chains, *left)


def _heads(connection: Connection, scope: Scope) -> dict[int, tuple[int, bytes]]:
    rows = select(ticket.c.id, ticket.c.event_count, ticket.c.head).where(
        ticket.c.id.in_([*scope.whole, *scope.shared])
    )
    locked = rows.order_by(ticket.c.id).with_for_update(key_share=True)
    return {row.id: (row.event_count, row.head) for row in connection.execute(locked)}


def _receipts_of(connection: Connection, scope: Scope) -> set[int]:
    """Receipts that go whole: those of the tickets, and on shared ones those that the person sent."""
    of_whole = select(receipt.c.id).where(receipt.c.ticket_id.in_(scope.whole))
    theirs = select(message.c.receipt_id).where(_theirs(scope), message.c.receipt_id.is_not(None))
    return {*connection.execute(of_whole).scalars(), *connection.execute(theirs).scalars()}


def _letters_of(connection: Connection, scope: Scope) -> set[int]:
    to_them = letter.c.ticket_id.in_(scope.shared) & letter.c.to_lower.in_(_addresses(scope))
    going = or_(letter.c.ticket_id.in_(scope.whole), to_them)
    return set(connection.execute(select(letter.c.id).where(going)).scalars())


def _addresses(scope: Scope) -> set[str]:
    return {*scope.people.values(), scope.subject.address} - {""}


def _theirs(scope: Scope) -> ColumnElement[bool]:
    """Messages of the person on tickets that stay, and our letters to them there."""
    if not scope.shared:
        return false()
    to_them = select(letter.c.message_row).where(letter.c.to_lower.in_(_addresses(scope)))
    wrote = (message.c.direction == "in") & message.c.counterpart.in_(_addresses(scope))
    past = (message.c.direction == "out") & message.c.counterpart.in_(_addresses(scope))
    return message.c.ticket_id.in_(scope.shared) & or_(wrote, past, message.c.id.in_(to_them))


def _left(
    connection: Connection, scope: Scope, receipts: Collection[int], letters: Collection[int]
) -> tuple[tuple[Place, ...], int, tuple[tuple[str, int], ...], tuple[str, ...]]:
    columns = (receipt.c.mailbox, receipt.c.folder, receipt.c.uidvalidity, receipt.c.uid)
    order = (receipt.c.mailbox, receipt.c.folder, receipt.c.uidvalidity, receipt.c.uid)
    rows = _some(connection, select(*columns).order_by(*order), receipt.c.id, receipts)
    gone = _some(
        connection,
        select(letter.c.id, letter.c.mailbox, letter.c.sent_copy, letter.c.accepted_at),
        letter.c.id,
        letters,
    )
    went = [row for row in gone if row.accepted_at is not None]
    copies = Counter(row.mailbox for row in went if row.sent_copy == "done")
    known = (advisory.c.ticket_id.in_(scope.whole), advisory.c.published_at.is_not(None))
    published = connection.execute(select(advisory.c.name).where(*known).order_by(advisory.c.name)).scalars()
    places = tuple(sorted((Place(*row) for row in rows), key=lambda p: (p.mailbox, p.folder, p.uidvalidity, p.uid)))
    return places, len(went), tuple(sorted(copies.items())), tuple(published)


def _some(connection: Connection, query: Any, column: ColumnElement[Any], numbers: Collection[int]) -> list[Any]:
    """The rows of these numbers, a bounded number of parameters at a time."""
    wanted = sorted(numbers)
    blocks = (wanted[first : first + 500] for first in range(0, len(wanted), 500))
    return [row for block in blocks for row in connection.execute(query.where(column.in_(block)))]


def _tombstones(
    connection: Connection,
    scope: Scope,
    receipts: Collection[int],
    letters: Collection[int],
    at: datetime,
    entropy: Entropy,
) -> int:
    """Of what lies in the mailbox, and of our letters as they would come back or be found in the sent folder."""
    taken = _some(connection, select(content.c.sha256), content.c.receipt_id, receipts)
    contents = {row.sha256 for row in taken}
    ids = {row.message_id for row in _some(connection, select(message.c.message_id), message.c.receipt_id, receipts)}
    for row in _some(
        connection, select(blob.c.data).join(receipt, receipt.c.blob_id == blob.c.id), receipt.c.id, receipts
    ):
        contents |= _forms(row.data)
    for row in _some(connection, select(letter.c.message_id, blob.c.data).join(blob), letter.c.id, letters):
        contents |= _forms(row.data)
        ids.add(row.message_id)
    values = {tombstones.CONTENT: contents, tombstones.MESSAGE_ID: ids}
    return tombstones.keep(connection, scope.subject.tenant, values, at, entropy)


def _forms(data: bytes) -> set[str]:
    """As the intake knows a content, in a folder and in the sent folder."""
    if not data:
        return set()
    whole = content_sha256(data)
    return {whole, blobs.digest(f"sent {whole}".encode())}


def _whole(connection: Connection, scope: Scope, at: datetime, counts: Counts) -> None:
    here = list(scope.whole)
    on_it = select(message.c.id).where(message.c.ticket_id.in_(here))
    connection.execute(update(letter).where(letter.c.message_row.in_(on_it)).values(message_row=None))
    _delete(connection, attachment, attachment.c.message_id.in_(on_it), counts)
    for table in (fact, gap, study, likely, request, proposal, consent, participant):
        _delete(connection, table, table.c.ticket_id.in_(here), counts)
    _delete(connection, likely, likely.c.name.in_(scope.whole.values()), counts)
    _delete(connection, advisory, advisory.c.ticket_id.in_(here) & advisory.c.published_at.is_(None), counts)
    _delete(connection, message, message.c.ticket_id.in_(here), counts)
    own = update(letter).where(letter.c.ticket_id.in_(here), letter.c.audience == Audience.RESEARCHER)
    connection.execute(own.values(to_address="", to_lower=""))
    connection.execute(update(reward).where(reward.c.ticket_id.in_(here)).values(why="", reference=""))
    _waive(connection, here, at, counts)
    bodies = (event.c.ticket_id.in_(here), event.c.body.is_not(None))
    counts["event"] += connection.execute(update(event).where(*bodies).values(body=None, salt=None)).rowcount
    _blank(connection, here, at, counts)


def _delete(connection: Connection, table: Table, which: ColumnElement[bool], counts: Counts) -> None:
    counts[table.name] += connection.execute(delete(table).where(which)).rowcount


def _waive(connection: Connection, tickets: Sequence[int], at: datetime, counts: Counts) -> None:
    here = clock.c.ticket_id.in_(tickets)
    still = (clock.c.met_at.is_(None), clock.c.waived.is_(None))
    said = {"by": "operator", "why": WHY, "at": at.isoformat()}
    counts["clock"] += connection.execute(update(clock).where(here, *still).values(waived=said)).rowcount
    waived = select(clock.c.id, clock.c.waived).where(here, clock.c.waived.is_not(None))
    for row in connection.execute(waived).all():
        words = {**row.waived, "why": WHY}
        connection.execute(update(clock).where(clock.c.id == row.id).values(waived=words))
    connection.execute(update(clock).where(here).values(wake_at=None))


def _blank(connection: Connection, tickets: Sequence[int], at: datetime, counts: Counts) -> None:
    """The row keeps its reference, dates, severity and decision. What an advisory told the world stays with it."""
    told = select(advisory.c.ticket_id).where(advisory.c.ticket_id.in_(tickets))
    here = ticket.c.id.in_(tickets)
    unsaid = update(ticket).where(here, ticket.c.id.not_in(told))
    connection.execute(unsaid.values(product="", affected="", fixed_in=""))
    values = {"subject": "", "waiting": False, "unannounced": False, "forgotten_at": at}
    counts["ticket"] += connection.execute(update(ticket).where(here).values(values)).rowcount


def _shared(connection: Connection, scope: Scope, counts: Counts) -> None:
    """Their messages lose everything and keep their place; they take part no more."""
    theirs = select(message.c.id).where(_theirs(scope))
    numbers = list(connection.execute(theirs).scalars())
    reported = list(connection.execute(select(study.c.ticket_id).where(study.c.message_id.in_(numbers))).scalars())
    _delete(connection, attachment, attachment.c.message_id.in_(numbers), counts)
    _delete(connection, fact, fact.c.message_id.in_(numbers), counts)
    for table in (study, likely):
        _delete(connection, table, table.c.ticket_id.in_(reported), counts)
    for row in connection.execute(select(ticket.c.tenant, ticket.c.ref).where(ticket.c.id.in_(reported))).all():
        likeness.forget(connection, row.tenant, row.ref)
    nothing = {"text": "", "new_text": "", "subject": "", "counterpart": "", "counterpart_name": "", "addressed": []}
    more: dict[str, Any] = {"message_id": "", "text_hash": None, "defects": []}
    counts["message"] += connection.execute(
        update(message).where(message.c.id.in_(numbers)).values({**nothing, **more})
    ).rowcount
    going = (letter.c.ticket_id.in_(scope.shared), letter.c.to_lower.in_(_addresses(scope)))
    connection.execute(update(letter).where(*going).values(to_address="", to_lower=""))
    own = scoping.reported(connection, scope.shared, scope.people)
    connection.execute(update(ticket).where(ticket.c.id.in_(own)).values(subject=FORGOTTEN))
    asked = request.c.ticket_id.in_(scope.shared) & request.c.address.in_(_addresses(scope))
    _delete(connection, request, asked, counts)


def _people(connection: Connection, scope: Scope, counts: Counts) -> None:
    _delete(connection, consent, consent.c.person_id.in_(scope.people), counts)
    _delete(connection, participant, participant.c.person_id.in_(scope.people), counts)
    _delete(connection, person, person.c.id.in_(scope.people), counts)


def _no_content(connection: Connection, receipts: Collection[int]) -> None:
    """Content hashes go: keyed ones stand in their place."""
    for number in sorted(receipts):
        connection.execute(delete(content).where(content.c.receipt_id == number))


def _unlike(connection: Connection, scope: Scope, counts: Counts) -> None:
    for ref in scope.whole.values():
        likeness.forget(connection, scope.subject.tenant, ref)
    connection.execute(text("DELETE FROM likeness_term WHERE descriptions <= 0"))


def _happened(
    connection: Connection, scope: Scope, actor: str, at: datetime, counts: Counts
) -> dict[int, list[tuple[datetime, Event]]]:
    states = select(ticket.c.id, ticket.c.state).where(ticket.c.id.in_([*scope.whole, *scope.shared]))
    new: dict[int, list[tuple[datetime, Event]]] = {}
    for row in connection.execute(states).all():
        whole = row.id in scope.whole
        events = [Event(EventKind.FORGOTTEN, actor, {"whole": whole})]
        if whole and row.state not in ENDED:
            events.insert(0, Event(EventKind.CLOSED, actor, {"why": WHY}))
            connection.execute(update(ticket).where(ticket.c.id == row.id).values(state="closed", since=at))
        new[row.id] = [(at, one) for one in events]
    return new


def in_hand(connection: Connection, scope: Scope, at: datetime) -> str:
    """Why it can't be done at this moment, in words; "" where it can."""
    here = [*scope.whole, *scope.shared]
    sending = (letter.c.ticket_id.in_(here), letter.c.state == "sending", letter.c.claimed_until > at)
    if connection.execute(select(func.count()).select_from(letter).where(*sending)).scalar_one():
        return "a letter is on its way to the server at this moment: try again in a minute"
    studied = (study.c.ticket_id.in_(here), study.c.studied_at.is_(None), study.c.claimed_until > at)
    if connection.execute(select(func.count()).select_from(study).where(*studied)).scalar_one():
        return "a report of it is being studied at this moment: try again in a minute"
    return ""
