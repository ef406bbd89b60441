"""A ticket as members work on it, loaded with its row locked, and what became of it written back. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from triaged.message.transfer import decode_transfer
from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind, event_of
from triaged.ticket.grammar import Orders
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.obeying import named_issues, named_tickets, wants_contents
from triaged.ticket.reference import Entropy, token_of
from triaged.ticket.spoken import notes_of, said_of
from triaged.ticket.tending import tend
from triaged.ticket.worked import Case, File, Obeyed, Other, Person, Proposal, Split, WaitingLetter, Worked
from triaged.tracker import advisories, chaining, clocks, consents, known_issues, people, rewards, tending
from triaged.tracker.consequences import open_tickets, queue_letters, queued_event
from triaged.tracker.knowing import ACKNOWLEDGEMENTS
from triaged.tracker.schema import (
    absence,
    attachment,
    blob,
    event,
    letter,
    message,
    participant,
    person,
    proposal,
    receipt,
    ticket,
)
from triaged.tracker.spoken import elsewhere, reasons_on, spoken_on
from triaged.tracker.tending import Loaded

GONE = ("dropped", "failed")
_COLUMNS = (
    *("kind", "assigned", "severity", "cvss", "decision", "cwe", "product", "affected", "fixed_in"),
    "agreed_for",
)
MOST_CONTENTS = 20 * 1024 * 1024  # bytes of files that one letter carries


@dataclass(frozen=True, slots=True)
class Bench:
    """One ticket with its row locked until the transaction ends, and the desk that it is worked on at."""

    loaded: Loaded
    desk: Desk
    worked: Worked


def load(connection: Connection, token: str, orders: Orders, desk_of: Callable[[Loaded], Desk]) -> Bench | None:
    """The ticket with all that `orders` need to know; None where there is none of that token, or it was forgotten."""
    kept = (ticket.c.token == token, ticket.c.forgotten_at.is_(None))
    row = connection.execute(select(ticket).where(*kept)).one_or_none()
    loaded = tending.load(connection, row.id, wait=True) if row is not None else None
    if row is None or loaded is None:
        return None
    row = connection.execute(select(ticket).where(ticket.c.id == row.id)).one()  # as it is now that it is ours
    spoken = spoken_on(connection, row.id)
    files = _files(connection, row.id)
    worked = Worked(
        tended=loaded.ticket,
        kind=row.kind,
        received_at=row.received_at,
        people=_people(connection, row.id),
        assigned=row.assigned,
        severity=row.severity,
        cvss=row.cvss,
        decision=row.decision,
        cwe=row.cwe,
        product=row.product,
        affected=row.affected,
        fixed_in=row.fixed_in,
        forwarded_by=row.forwarded_by,
        report_id=_report_id(connection, row.id),
        acknowledged=_acknowledged(connection, row.id),
        waiting=_waiting(connection, row.id),
        proposals=_proposals(connection, row.id),
        files=tuple(file for file, _ in files),
        contents=_contents(connection, files, orders) if wants_contents(orders) else {},
        notes=(*notes_of(spoken), *reasons_on(connection, [row.id]).get(row.id, ())),
        said=said_of(spoken),
        elsewhere=elsewhere(connection, row.tenant, row.id),
        others=_others(connection, row.tenant, orders),
        rewards=rewards.of(connection, [row.id]).get(row.id, ()),
        known=known_issues.named(connection, row.tenant, named_issues(orders)),
        away=frozenset(connection.execute(select(absence.c.address).where(absence.c.tenant == row.tenant)).scalars()),
        merged_into=_token(connection, row.merged_into),
        draft=advisories.of(connection, row.id),
        agreed_for=row.agreed_for,
        wishes=consents.wishes_on(connection, row.id),
        withdrawn=consents.withdrawn(connection, row.id),
    )
    return Bench(loaded, desk_of(loaded), worked)


def _people(connection: Connection, ticket_id: int) -> tuple[Person, ...]:
    rows = (
        select(person.c.address, person.c.written, person.c.name, participant.c.role, participant.c.proven)
        .join(participant, participant.c.person_id == person.c.id)
        .where(participant.c.ticket_id == ticket_id)
        .order_by(participant.c.since, person.c.id)
    )
    return tuple(Person(r.address, r.written, r.name, r.role, r.proven) for r in connection.execute(rows))


def _report_id(connection: Connection, ticket_id: int) -> str:
    came = (message.c.ticket_id == ticket_id, message.c.direction == "in", message.c.audience == Audience.RESEARCHER)
    first = select(message.c.message_id).where(*came).order_by(message.c.id).limit(1)
    return connection.execute(first).scalar() or ""


def _acknowledged(connection: Connection, ticket_id: int) -> bool:
    went = (letter.c.ticket_id == ticket_id, letter.c.template.in_(ACKNOWLEDGEMENTS), letter.c.state.not_in(GONE))
    return connection.execute(select(letter.c.id).where(*went).limit(1)).first() is not None


def _waiting(connection: Connection, ticket_id: int) -> tuple[WaitingLetter, ...]:
    """Letters with a member's words that have not been tried: locked, so that none leaves while it is being dropped. The one that
    tells the researcher of a ticket which was split off is among them: it was announced where `/cancel` is written.
    """
    split = and_(letter.c.ticket_id.in_(_split_off(connection, ticket_id)), letter.c.template.in_(ACKNOWLEDGEMENTS))
    still = (or_(letter.c.ticket_id == ticket_id, split), letter.c.author != "", letter.c.attempts == 0)
    here = (letter.c.audience == Audience.RESEARCHER, letter.c.state.in_(("queued", "held")))
    rows = select(letter, message.c.subject).join(message, message.c.id == letter.c.message_row)
    found = connection.execute(rows.where(*still, *here).order_by(letter.c.id).with_for_update(of=letter))
    return tuple(
        WaitingLetter(
            number=r.id,
            message_id=r.message_id,
            to=r.to_address,
            subject=r.subject,
            template=r.template,
            state=r.state,
            not_before=r.not_before,
            reason=r.hold_reason,
            author=r.author,
        )
        for r in found
    )


def _split_off(connection: Connection, ticket_id: int) -> list[int]:
    """The tickets that were split off from this one."""
    split = select(event.c.body).where(event.c.ticket_id == ticket_id, event.c.kind == EventKind.SPLIT)
    opened = [event_of(EventKind.SPLIT, body).data.get("opens") for body in connection.execute(split).scalars() if body]
    own = select(ticket.c.tenant).where(ticket.c.id == ticket_id).scalar_subquery()
    rows = select(ticket.c.id).where(ticket.c.ref.in_(opened), ticket.c.tenant == own) if opened else None
    return list(connection.execute(rows).scalars()) if rows is not None else []


def _proposals(connection: Connection, ticket_id: int) -> tuple[Proposal, ...]:
    still = select(proposal).where(proposal.c.ticket_id == ticket_id, proposal.c.settled_at.is_(None))
    rows = connection.execute(still.order_by(proposal.c.id))
    return tuple(Proposal(r.id, r.verb, r.words, r.text, r.by, r.at) for r in rows)


Sliced = tuple[File, Any]  # a file, and the row that says where its bytes lie


def _files(connection: Connection, ticket_id: int) -> list[Sliced]:
    rows = (
        select(attachment, receipt.c.blob_id)
        .join(message, message.c.id == attachment.c.message_id)
        .join(receipt, receipt.c.id == message.c.receipt_id)
        .where(message.c.ticket_id == ticket_id, message.c.audience == Audience.RESEARCHER, message.c.direction == "in")
        .order_by(attachment.c.id)
    )
    return [
        (File(number, r.name, r.detected_type, r.size, r.sha256), r)
        for number, r in enumerate(connection.execute(rows), start=1)
    ]


def _contents(connection: Connection, files: Sequence[Sliced], orders: Orders) -> dict[int, bytes]:
    """Number -> bytes, of the files that the orders name, as far as one letter carries them."""
    named = {order.words for order in orders.orders if order.verb.name == "attachments"}
    wanted = [(file, row) for file, row in files if "" in named or str(file.number) in named]
    if sum(file.size for file, _ in wanted) > MOST_CONTENTS:
        return {}
    found = {}
    for file, row in wanted:
        raw = connection.execute(select(blob.c.data).where(blob.c.id == row.blob_id)).scalar()
        if raw is not None and row.offset >= 0:  # -1: within a winmail.dat, which is a file itself
            found[file.number] = decode_transfer(raw[row.offset : row.offset + row.length], row.encoding)[0]
    return found


def _others(connection: Connection, tenant: str, orders: Orders) -> dict[str, Other]:
    tokens = {token for words in named_tickets(orders) if (token := token_of(words))}
    if not tokens:
        return {}
    reporter = (
        select(participant.c.ticket_id, person.c.address)
        .join(person, person.c.id == participant.c.person_id)
        .where(participant.c.role == "reporter")
        .subquery()
    )
    rows = (
        select(ticket, func.coalesce(reporter.c.address, "").label("reporter"))
        .outerjoin(reporter, reporter.c.ticket_id == ticket.c.id)
        .where(ticket.c.tenant == tenant, ticket.c.token.in_(tokens))
    )
    return {
        r.token: Other(
            TicketName(r.token, r.ref), r.reporter, r.received_at, r.merged_into is not None, r.state == "closed"
        )
        for r in connection.execute(rows)
    }


def _token(connection: Connection, ticket_id: int | None) -> str:
    if ticket_id is None:
        return ""
    return connection.execute(select(ticket.c.token).where(ticket.c.id == ticket_id)).scalar() or ""


def write(
    connection: Connection,
    bench: Bench,
    done: Obeyed,
    events: Sequence[Event],
    told: Sequence[Letter],
    at: datetime,
    entropy: Entropy,
) -> None:
    """All of it in the caller's transaction. `events`: what came before the deed; `told`: letters to the team."""
    loaded, desk = bench.loaded, bench.desk
    result = tend(done.worked.tended, desk, at, entropy)
    _columns(connection, bench, done.worked)
    advisories.changed(
        connection, loaded.ticket_id, loaded.ticket.name.ref, desk.tenant, bench.worked.draft, done.worked.draft
    )
    people.changed(connection, loaded.ticket_id, bench.worked.people, done.worked.people, desk.tenant, at)
    consents.changed(connection, loaded.ticket_id, bench.worked.wishes, done.worked.wishes)
    _letters_moved(connection, bench.worked.waiting, done.worked.waiting)
    _proposals_moved(connection, loaded.ticket_id, bench.worked.proposals, done.worked.proposals, at)
    rewards.append(connection, loaded.ticket_id, desk.tenant, done.worked.rewards[len(bench.worked.rewards) :])
    ids = {loaded.ticket.name.token: loaded.ticket_id, **open_tickets(connection, _opened(done.splits), desk, at)}
    clocks.write(connection, loaded.ticket_id, loaded.mailbox, loaded.held, result.clocks)
    clocks.insert(
        connection, [clocks.row(ids[s.new.name.token], desk.mailbox, c) for s in done.splits for c in s.clocks]
    )
    letters = (*done.letters, *result.letters, *told)
    queue_letters(connection, letters, desk, at, ids)
    chained: dict[int, list[tuple[datetime, Event]]] = {}
    for number, happened in _happened(
        connection, done, (*events, *done.events, *result.events), letters, ids, loaded.ticket_id
    ):
        chained.setdefault(number, []).append((at, happened))
    chaining.append(connection, chained, entropy)


def noted(connection: Connection, bench: Bench, text: str, case: Case, at: datetime) -> tuple[Event, ...]:
    """A note that came by no mail: its text is kept like one, and its event says who wrote it."""
    row = {
        "ticket_id": bench.loaded.ticket_id,
        "tenant": bench.desk.tenant,
        "direction": "in",
        "audience": Audience.TEAM,
        "answers": Role.TEAM,
        "message_id": "",
        "counterpart": case.by,
        "counterpart_name": case.shown,
        "addressed": [],
        "subject": "",
        "kind": "note",
        "proven": True,
        "at": at,
        "text": text,
        "new_text": text,
        "defects": [],
    }
    connection.execute(message.insert(), [row])
    return (Event(EventKind.MESSAGE, case.actor, {"audience": "team", "note": "a note", "proven": True}),)


def _opened(splits: Sequence[Split]) -> list[Any]:
    return [split.new for split in splits]


def _happened(
    connection: Connection,
    done: Obeyed,
    events: Sequence[Event],
    letters: Sequence[Letter],
    ids: Mapping[str, int],
    own: int,
) -> Iterator[tuple[int, Event]]:
    """Ticket row and event, of this ticket and of the others that it touches."""
    yield from ((own, event) for event in events)
    for split in done.splits:
        yield from ((ids[split.new.name.token], event) for event in split.events)
    for token, happened in done.elsewhere:
        number = connection.execute(select(ticket.c.id).where(ticket.c.token == token)).scalar()
        if number is not None:
            yield number, happened
    yield from ((ids[x.token], queued_event(x)) for x in letters if x.audience is Audience.RESEARCHER)


def _columns(connection: Connection, bench: Bench, after: Worked) -> None:
    """The ticket's own columns, where they changed."""
    before, changed = bench.worked, dict[str, Any]()
    for name in _COLUMNS:
        if getattr(before, name) != getattr(after, name):
            changed[name] = getattr(after, name)
    if before.tended.state is not after.tended.state:
        changed |= {"state": after.tended.state, "since": after.tended.since}
    if before.tended.waiting is not after.tended.waiting:
        changed["waiting"] = after.tended.waiting
    if before.merged_into != after.merged_into:
        into = select(ticket.c.id).where(ticket.c.token == after.merged_into).scalar_subquery()
        changed["merged_into"] = into
    if changed:
        connection.execute(update(ticket).where(ticket.c.id == bench.loaded.ticket_id).values(changed))


def _letters_moved(connection: Connection, before: Sequence[WaitingLetter], after: Sequence[WaitingLetter]) -> None:
    known = {one.number: one for one in before}
    for one in after:
        if known.get(one.number) not in (None, one):
            values = {"state": one.state, "not_before": one.not_before, "hold_reason": one.reason[:500]}
            connection.execute(update(letter).where(letter.c.id == one.number).values(values))


def _proposals_moved(
    connection: Connection, ticket_id: int, before: Sequence[Proposal], after: Sequence[Proposal], at: datetime
) -> None:
    new = [one for one in after if not one.number]
    if new:
        rows = [
            {"ticket_id": ticket_id, "verb": p.verb, "words": p.words, "text": p.text, "by": p.by, "at": p.at}
            for p in new
        ]
        connection.execute(proposal.insert(), rows)
    gone = {one.number for one in before} - {one.number for one in after}
    if gone:
        connection.execute(update(proposal).where(proposal.c.id.in_(gone)).values(settled_at=at))
