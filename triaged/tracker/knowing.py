"""Loads what the tracker knows about arriving messages. Reads only; decides nothing; never looks past the tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from triaged.ticket.address import Keyed, Role
from triaged.ticket.answering import proven
from triaged.ticket.clocks import needs
from triaged.ticket.desk import Desk
from triaged.ticket.hearing import NOBODY
from triaged.ticket.known import Arrival, Clues, Known, KnownMessage, OpenPromise, TicketView
from triaged.ticket.letters import Audience, TicketName
from triaged.tracker import absences, policies, requests
from triaged.tracker.schema import clock, content, gap, letter, message, participant, person, receipt, tally, ticket

ACKNOWLEDGEMENTS = ("acknowledgement", "acknowledgement_minimal")
DAY = timedelta(hours=24)
RECENTLY = timedelta(minutes=10)  # AR-11
FIRST_ROWS = 12  # the report, its acknowledgement, and the first letters to the team's addresses
THREAD_ROWS = 60  # the nearest messages of a conversation; References hold fewer
_OF_A_TICKET = (
    ticket.c.id,
    ticket.c.token,
    ticket.c.ref,
    ticket.c.subject,
    ticket.c.received_at,
    ticket.c.assigned,
    ticket.c.forwarded_by,
    ticket.c.policy_sha256,
    ticket.c.forgotten_at,
)


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
    away = absences.away(connection, desk.tenant) if tickets else NOBODY
    spent = _acknowledged(connection, items, desk.tenant, at)
    left = budgets(connection, desk, at)
    return [_known(connection, item, copies, ids, same, tickets, away, spent, left) for item in items]


def _known(
    connection: Connection,
    item: Item,
    copies: set[str],
    ids: dict[str, KnownMessage],
    same: dict[tuple[str, str], str],
    tickets: dict[str, Any],
    away: frozenset[str],
    spent: dict[tuple[str, bool], int],
    left: tuple[int, int],
) -> Known:
    clues = item.clues
    own = {i: ids[i] for i in (*clues.ids, clues.own_id, clues.bounced_id) if i in ids}
    tokens = {known.token for known in own.values()}
    tokens |= {clues.keyed.token} if isinstance(clues.keyed, Keyed) else set()
    same_text = same.get((clues.author, clues.text_hash)) if clues.text_hash else None
    tokens |= {same_text} if same_text else set()
    asks = clues.request is not None
    writer = _Writer(clues.author, proven(item.arrival), item.arrival.received_at, asks)
    views = {t: _view(connection, tickets[t], writer, away) for t in tokens if t in tickets}
    if same_text and clues.author not in (views[same_text].reporter, views[same_text].forwarded_by):
        same_text = None
    return Known(
        tickets=views,
        ids={i: k for i, k in own.items() if k.token in views},
        copy=item.arrival.content_sha256 in copies,
        same_text=same_text,
        acknowledged_today=spent.get((clues.author, proven(item.arrival)), 0),
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
            message.c.id,
            message.c.message_id,
            ticket.c.token,
            message.c.direction,
            message.c.audience,
            message.c.answers,
            message.c.counterpart,
            message.c.proven,
            letter.c.meets,
            letter.c.template,
            receipt.c.reason,
        )
        .join(ticket, message.c.ticket_id == ticket.c.id)
        .outerjoin(receipt, receipt.c.id == message.c.receipt_id)
        .outerjoin(letter, and_(letter.c.message_id == message.c.message_id, message.c.direction == "out"))
        .where(message.c.tenant == tenant, message.c.message_id.in_(wanted))
    ).all()
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
            proven=bool(row.proven),
            reason=row.reason or "",
        )
        # A stranger who repeats an id does not hide its first use, nor ours. Ordered here: SQLite would walk the table instead.
        for row in sorted(rows, key=lambda row: (row.direction == "out", -row.id))
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
    here = (ticket.c.tenant == tenant, ticket.c.token.in_(wanted))
    rows = connection.execute(select(*_OF_A_TICKET, ticket.c.merged_into).where(*here))
    found = {row.token: _survivor(connection, row) for row in rows}
    # What comes to a forgotten ticket is new mail: nothing of it is left that it could join.
    return {token: row for token, row in found.items() if row.forgotten_at is None}


_MERGES = 20  # one after the other


def _survivor(connection: Connection, row: Any) -> Any:
    """TH-8: mail for a ticket that was merged goes to the one that it was merged into."""
    for _ in range(_MERGES):
        if row.merged_into is None:
            break
        row = connection.execute(
            select(*_OF_A_TICKET, ticket.c.merged_into).where(ticket.c.id == row.merged_into)
        ).one()
    return row


def tenant_of(connection: Connection, token: str) -> str | None:
    """Whose ticket it is; None where there is none, or everything of it was forgotten."""
    here = (ticket.c.token == token, ticket.c.forgotten_at.is_(None))
    return connection.execute(select(ticket.c.tenant).where(*here)).scalar()


def view_of(connection: Connection, ticket_id: int, at: datetime) -> TicketView:
    """One ticket as decisions see it."""
    row = connection.execute(select(*_OF_A_TICKET, ticket.c.tenant).where(ticket.c.id == ticket_id)).one()
    return _view(connection, row, _Writer("", False, at), absences.away(connection, row.tenant))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Who writes now. What others wrote under the same name without proof silences no proven one (AR-11)."""

    author: str
    proven: bool
    received_at: datetime  # mail that waited while nobody read it did not come all at once
    asks: bool = False  # the first line is a request

    def heard(self, thread: Sequence[Any]) -> list[datetime]:
        """When messages of this author, proven alike, came."""
        said = (m for m in thread if m.direction == "in" and m.counterpart == self.author)
        return [m.received_at or m.at for m in said if bool(m.proven) is self.proven]


def _view(connection: Connection, row: Any, writer: _Writer, away: frozenset[str]) -> TicketView:
    people = people_of(connection, row.id)
    reporter = next((p for p in people if p.role == "reporter"), None)
    thread = thread_of(connection, row.id)
    heard = writer.heard(thread)
    return TicketView(
        name=TicketName(row.token, row.ref),
        subject=row.subject,
        reporter=reporter.address if reporter else "",
        reporter_written=reporter.written if reporter else "",
        reporter_proven=bool(reporter and reporter.proven),
        participants=frozenset(p.address for p in people),
        received_at=row.received_at,
        forwarded_by=row.forwarded_by,
        researcher_ids=researcher_ids_of(thread, people),
        team_ids=team_ids_of(thread),
        recent=1 + sum(abs(writer.received_at - at) < RECENTLY for at in heard),
        **_held(connection, row.id, writer.received_at),
        gaps=_gaps(connection, row.id),
        promises=_promises(connection, row.id, row.policy_sha256),
        heard_at=max(heard, default=None),
        asking=requests.asking(connection, row.id, writer.author, writer.received_at) if writer.asks else None,
        assigned=row.assigned,
        away=away,
    )


def _held(connection: Connection, ticket_id: int, at: datetime) -> dict[str, Any]:
    """Counted apart from what participants wrote: a stranger's flood must not silence the researcher (AR-11)."""
    here = (receipt.c.ticket_id == ticket_id, receipt.c.outcome == "held")
    lately = func.count().filter(receipt.c.received_at > at - RECENTLY, receipt.c.received_at < at + RECENTLY)
    row = connection.execute(select(func.count().label("ever"), lately.label("lately")).where(*here)).one()
    return {"held_ever": row.ever, "held_lately": row.lately}


def _gaps(connection: Connection, ticket_id: int) -> tuple[str, ...]:
    """What is asked for and nobody brought yet."""
    open_gaps = select(gap.c.item).where(gap.c.ticket_id == ticket_id, gap.c.brought_at.is_(None))
    return tuple(connection.execute(open_gaps.order_by(gap.c.item)).scalars())


def people_of(connection: Connection, ticket_id: int) -> Sequence[Any]:
    rows = (
        select(person.c.address, person.c.written, participant.c.role, participant.c.proven)
        .join(participant, participant.c.person_id == person.c.id)
        .where(participant.c.ticket_id == ticket_id)
    )
    return connection.execute(rows).all()


def researcher_ids_of(thread: Sequence[Any], people: Sequence[Any]) -> tuple[str, ...]:
    """The conversation's Message-IDs that its letters name, oldest first. A Message-ID names the host or the domain that it was
    written at: where several take part, or did, only ours are named, so that none of them reads another's (AT-3).
    """
    said = [m for m in thread if m.audience == Audience.RESEARCHER]
    writers = {m.counterpart for m in said if m.direction == "in"} | {one.address for one in people}
    shared = len(writers) > 1
    return tuple(m.message_id for m in said if m.message_id and not (shared and m.direction == "in"))


def thread_of(connection: Connection, ticket_id: int) -> list[Any]:
    """The first message and the last ones: what References keep (TH-4)."""
    columns = (
        message.c.id,
        message.c.message_id,
        message.c.direction,
        message.c.audience,
        message.c.counterpart,
        message.c.proven,
        message.c.at,
        receipt.c.received_at,
    )
    came = message.outerjoin(receipt, receipt.c.id == message.c.receipt_id)
    on_ticket = select(*columns).select_from(came).where(message.c.ticket_id == ticket_id)
    last = connection.execute(on_ticket.order_by(message.c.id.desc()).limit(THREAD_ROWS)).all()
    if len(last) < THREAD_ROWS:
        return list(reversed(last))
    earlier = on_ticket.where(message.c.id < last[-1].id)
    first = connection.execute(earlier.order_by(message.c.id).limit(FIRST_ROWS)).all()
    return [*first, *reversed(last)]


def team_ids_of(thread: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in thread:
        if row.audience == Audience.TEAM and row.message_id:
            found[row.counterpart] = (*found.get(row.counterpart, ()), row.message_id)
    return found


def _promises(connection: Connection, ticket_id: int, policy_sha256: str) -> tuple[OpenPromise, ...]:
    policy = policies.kept(connection, [policy_sha256])[policy_sha256]
    columns = (clock.c.promise, clock.c.clause, clock.c.due_at, clock.c.met_at, clock.c.every)
    more = (clock.c.waived, clock.c.kept_by)
    rows = connection.execute(select(*columns, *more).where(clock.c.ticket_id == ticket_id).order_by(clock.c.id))
    return tuple(
        OpenPromise(
            promise=r.promise,
            clause=r.clause,
            due_at=r.due_at,
            met=r.met_at is not None,
            every=bool(r.every),
            over=bool(r.waived),
            kept_by=r.kept_by,
            holds=needs(policy, r.promise) if policy else frozenset(),
        )
        for r in rows
    )


def _acknowledged(
    connection: Connection, items: Sequence[Item], tenant: str, at: datetime
) -> dict[tuple[str, bool], int]:
    """Acknowledgements of a day to each address, apart for proven and unproven. A clock that was set back counts as well."""
    authors = {item.clues.author for item in items if item.clues.author}
    counted = (
        select(letter.c.to_lower, letter.c.proven, func.count())
        .where(
            letter.c.tenant == tenant,
            letter.c.template.in_(ACKNOWLEDGEMENTS),
            letter.c.to_lower.in_(authors),
            letter.c.queued_at > at - DAY,
            letter.c.queued_at < at + DAY,
        )
        .group_by(letter.c.to_lower, letter.c.proven)
    )
    return {(address, bool(proved)): count for address, proved, count in connection.execute(counted)}


def budgets(connection: Connection, desk: Desk, at: datetime) -> tuple[int, int]:
    """Acknowledgements left in this hour, (proven, unproven)."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    this_hour = and_(tally.c.tenant == desk.tenant, tally.c.hour == hour)
    names = or_(tally.c.name == "proven", tally.c.name == "unproven")
    spent = {n: c for n, c in connection.execute(select(tally.c.name, tally.c.count).where(this_hour, names))}
    caps = desk.caps
    return caps.proven_per_hour - spent.get("proven", 0), caps.unproven_per_hour - spent.get("unproven", 0)
