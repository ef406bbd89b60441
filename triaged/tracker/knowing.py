"""Loads what the tracker knows about arriving messages. Reads only; decides nothing; never looks past the tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from triaged.ticket.address import Keyed, Role
from triaged.ticket.answering import proven
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival, Clues, Known, KnownMessage, OpenPromise, TicketView
from triaged.ticket.letters import Audience, TicketName
from triaged.tracker.schema import clock, content, letter, message, participant, person, receipt, tally, ticket

ACKNOWLEDGEMENTS = ("acknowledgement", "acknowledgement_minimal")
DAY = timedelta(hours=24)
RECENTLY = timedelta(minutes=10)  # AR-11
THREAD_ROWS = 60  # the nearest messages of a conversation; References hold fewer


@dataclass(frozen=True, slots=True)
class Item:
    """An arrival with its clues."""

    arrival: Arrival
    clues: Clues


def keys_of(item: Item) -> set[str]:
    """What two messages must not share to be decided side by side: one could change what is known of the other."""
    clues = item.clues
    keyed = {f"token:{clues.keyed.token}"} if isinstance(clues.keyed, Keyed) else set()
    ids = {f"id:{i}" for i in (*clues.ids, clues.own_id, clues.bounced_id) if i}
    author = {f"author:{clues.author}"} if clues.author else set()
    return {f"content:{item.arrival.content_sha256}"} | keyed | ids | author


def load_known(connection: Connection, items: Sequence[Item], desk: Desk, at: datetime) -> list[Known]:
    """What is known about each item, with a handful of statements for all."""
    copies = _copies(connection, items, desk.tenant)
    ids = _messages(connection, items, desk.tenant)
    same = _same_texts(connection, items, desk.tenant)
    tokens = {i.clues.keyed.token for i in items if isinstance(i.clues.keyed, Keyed)}
    tokens |= {known.token for known in ids.values()} | set(same.values())
    tickets = _tickets(connection, tokens, desk.tenant)
    spent = _acknowledged(connection, items, desk.tenant, at)
    left = budgets(connection, desk, at)
    known = []
    for item in items:
        known.append(_known(connection, item, copies, ids, same, tickets, spent, left, at))
        left = _spend(left, item)
    return known


def _spend(left: tuple[int, int], item: Item) -> tuple[int, int]:
    """Items decided side by side share one budget: each counts as if it were acknowledged."""
    return (left[0] - 1, left[1]) if proven(item.arrival) else (left[0], left[1] - 1)


def _known(
    connection: Connection,
    item: Item,
    copies: set[str],
    ids: dict[str, KnownMessage],
    same: dict[tuple[str, str], str],
    tickets: dict[str, Any],
    spent: dict[str, int],
    left: tuple[int, int],
    at: datetime,
) -> Known:
    clues = item.clues
    own = {i: ids[i] for i in (*clues.ids, clues.own_id, clues.bounced_id) if i in ids}
    tokens = {known.token for known in own.values()}
    tokens |= {clues.keyed.token} if isinstance(clues.keyed, Keyed) else set()
    same_text = same.get((clues.author, clues.text_hash)) if clues.text_hash else None
    tokens |= {same_text} if same_text else set()
    views = {t: _view(connection, tickets[t], clues.author, at) for t in tokens if t in tickets}
    if same_text and views[same_text].reporter != clues.author:
        same_text = None
    return Known(
        tickets=views,
        ids={i: k for i, k in own.items() if k.token in views},
        copy=item.arrival.content_sha256 in copies,
        same_text=same_text,
        acknowledged_today=spent.get(clues.author, 0),
        budget_proven=left[0],
        budget_unproven=left[1],
    )


def _copies(connection: Connection, items: Sequence[Item], tenant: str) -> set[str]:
    hashes = [item.arrival.content_sha256 for item in items]
    found = select(content.c.sha256).where(content.c.tenant == tenant, content.c.sha256.in_(hashes))
    return set(connection.execute(found).scalars())


def _messages(connection: Connection, items: Sequence[Item], tenant: str) -> dict[str, KnownMessage]:
    wanted = {i for item in items for i in (*item.clues.ids, item.clues.own_id, item.clues.bounced_id) if i}
    if not wanted:
        return {}
    rows = connection.execute(
        select(
            message.c.message_id,
            ticket.c.token,
            message.c.direction,
            message.c.audience,
            message.c.answers,
            message.c.counterpart,
            letter.c.meets,
            letter.c.template,
        )
        .join(ticket, message.c.ticket_id == ticket.c.id)
        .outerjoin(letter, letter.c.message_row == message.c.id)
        .where(message.c.tenant == tenant, message.c.message_id.in_(wanted))
        .order_by(message.c.id.desc())  # a stranger who repeats an id does not hide its first use
    )
    return {
        row.message_id: KnownMessage(
            message_id=row.message_id,
            token=row.token,
            sent=row.direction == "out",
            audience=Audience(row.audience),
            answers=Role(row.answers),
            counterpart=row.counterpart,
            meets=tuple(row.meets or ()),
            template=row.template or "",
        )
        for row in rows
    }


def _same_texts(connection: Connection, items: Sequence[Item], tenant: str) -> dict[tuple[str, str], str]:
    pairs = {(i.clues.author, i.clues.text_hash) for i in items if i.clues.author and i.clues.text_hash}
    if not pairs:
        return {}
    rows = connection.execute(
        select(message.c.counterpart, message.c.text_hash, ticket.c.token)
        .join(ticket, message.c.ticket_id == ticket.c.id)
        .where(
            message.c.tenant == tenant,
            message.c.direction == "in",
            message.c.counterpart.in_({author for author, _ in pairs}),
            message.c.text_hash.in_({text for _, text in pairs}),
        )
        .order_by(message.c.id.desc())
    )
    return {(row.counterpart, row.text_hash): row.token for row in rows}


def _tickets(connection: Connection, tokens: Iterable[str], tenant: str) -> dict[str, Any]:
    wanted = set(tokens)
    if not wanted:
        return {}
    rows = connection.execute(
        select(ticket.c.id, ticket.c.token, ticket.c.ref, ticket.c.subject, ticket.c.received_at).where(
            ticket.c.tenant == tenant, ticket.c.token.in_(wanted)
        )
    )
    return {row.token: row for row in rows}


def view_of(connection: Connection, ticket_id: int, at: datetime) -> TicketView:
    """One ticket as decisions see it."""
    columns = (ticket.c.id, ticket.c.token, ticket.c.ref, ticket.c.subject, ticket.c.received_at)
    return _view(connection, connection.execute(select(*columns).where(ticket.c.id == ticket_id)).one(), "", at)


def _view(connection: Connection, row: Any, author: str, at: datetime) -> TicketView:
    people = _people(connection, row.id)
    reporter = next((p for p in people if p.role == "reporter"), None)
    thread = _thread(connection, row.id)
    heard = [m.at for m in thread if m.direction == "in" and m.counterpart == author]
    return TicketView(
        name=TicketName(row.token, row.ref),
        subject=row.subject,
        reporter=reporter.address if reporter else "",
        reporter_written=reporter.written if reporter else "",
        reporter_proven=bool(reporter and reporter.proven),
        participants=frozenset(p.address for p in people),
        received_at=row.received_at,
        researcher_ids=tuple(m.message_id for m in thread if m.audience == Audience.RESEARCHER and m.message_id),
        team_ids=_team_ids(thread),
        recent=1 + sum(at_ > at - RECENTLY for at_ in heard),
        **_held(connection, row.id, at),
        promises=_promises(connection, row.id),
        heard_at=max(heard, default=None),
    )


def _held(connection: Connection, ticket_id: int, at: datetime) -> dict[str, int]:
    """Counted apart from what participants wrote: a stranger's flood must not silence the researcher (AR-11)."""
    here = (receipt.c.ticket_id == ticket_id, receipt.c.outcome == "held")
    lately = func.count().filter(receipt.c.taken_at > at - RECENTLY)
    row = connection.execute(select(func.count().label("ever"), lately.label("lately")).where(*here)).one()
    return {"held_ever": row.ever, "held_lately": row.lately}


def _people(connection: Connection, ticket_id: int) -> Sequence[Any]:
    rows = (
        select(person.c.address, person.c.written, participant.c.role, participant.c.proven)
        .join(participant, participant.c.person_id == person.c.id)
        .where(participant.c.ticket_id == ticket_id)
    )
    return connection.execute(rows).all()


def _thread(connection: Connection, ticket_id: int) -> list[Any]:
    """The first message and the last ones: what References keep (TH-4)."""
    columns = (
        message.c.id,
        message.c.message_id,
        message.c.direction,
        message.c.audience,
        message.c.counterpart,
        message.c.at,
    )
    on_ticket = select(*columns).where(message.c.ticket_id == ticket_id)
    last = connection.execute(on_ticket.order_by(message.c.id.desc()).limit(THREAD_ROWS)).all()
    if len(last) < THREAD_ROWS:
        return list(reversed(last))
    first = connection.execute(on_ticket.order_by(message.c.id).limit(2)).all()
    return [*first, *reversed(last)]


def _team_ids(thread: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in thread:
        if row.audience == Audience.TEAM and row.message_id:
            found[row.counterpart] = (*found.get(row.counterpart, ()), row.message_id)
    return found


def _promises(connection: Connection, ticket_id: int) -> tuple[OpenPromise, ...]:
    rows = select(clock.c.promise, clock.c.clause, clock.c.due_at, clock.c.met_at).where(clock.c.ticket_id == ticket_id)
    return tuple(OpenPromise(r.promise, r.clause, r.due_at, r.met_at is not None) for r in connection.execute(rows))


def _acknowledged(connection: Connection, items: Sequence[Item], tenant: str, at: datetime) -> dict[str, int]:
    authors = {item.clues.author for item in items if item.clues.author}
    counted = (
        select(letter.c.to_lower, func.count())
        .where(
            letter.c.tenant == tenant,
            letter.c.template.in_(ACKNOWLEDGEMENTS),
            letter.c.to_lower.in_(authors),
            letter.c.queued_at > at - DAY,
        )
        .group_by(letter.c.to_lower)
    )
    return {address: count for address, count in connection.execute(counted)}


def budgets(connection: Connection, desk: Desk, at: datetime) -> tuple[int, int]:
    """Acknowledgements left in this hour, (proven, unproven)."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    this_hour = and_(tally.c.tenant == desk.tenant, tally.c.hour == hour)
    names = or_(tally.c.name == "proven", tally.c.name == "unproven")
    spent = {n: c for n, c in connection.execute(select(tally.c.name, tally.c.count).where(this_hour, names))}
    caps = desk.caps
    return caps.proven_per_hour - spent.get("proven", 0), caps.unproven_per_hour - spent.get("unproven", 0)
