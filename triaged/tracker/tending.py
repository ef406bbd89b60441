"""A ticket as its clocks see it, locked and loaded, and what follows written back. Decides nothing about a clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from triaged.policy.model import Policy
from triaged.ticket.clocks import Clock
from triaged.ticket.deeds_advisory import DRAFT
from triaged.ticket.deeds_reward import LETTERS as ABOUT_REWARDS
from triaged.ticket.desk import Desk
from triaged.ticket.events import JSON, Event, EventKind, State, event_of
from triaged.ticket.granting import TEMPLATES
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.news import Happening, happenings
from triaged.ticket.reference import Entropy
from triaged.ticket.tended import Tended
from triaged.tracker import absences, answers, chaining, clocks, policies
from triaged.tracker.clocks import Held
from triaged.tracker.consents import ASKING
from triaged.tracker.consequences import queue_letters, queued_event
from triaged.tracker.knowing import people_of, researcher_ids_of, team_ids_of, thread_of
from triaged.tracker.schema import event, letter, ticket

_GONE = ("failed", "dropped")  # letters that never arrived
_ANSWER = "answer"
_NO_NEWS = frozenset({*TEMPLATES, ASKING, *ABOUT_REWARDS, DRAFT})


@dataclass(frozen=True, slots=True)
class Loaded:
    """One ticket, its row locked until the transaction ends."""

    ticket_id: int
    mailbox: str
    ticket: Tended
    held: Held
    policy: Policy | None  # that it came in under; None where this program can't read it any more
    received_at: datetime
    kind: str


def load(connection: Connection, ticket_id: int, *, wait: bool = False) -> Loaded | None:
    """The ticket, locked; None where there is none or, unless told to `wait`, where somebody else holds it."""
    rows = select(ticket).where(ticket.c.id == ticket_id).with_for_update(key_share=True, skip_locked=not wait)
    row = connection.execute(rows).one_or_none()
    if row is None:
        return None
    held = clocks.load(connection, [ticket_id])[ticket_id]
    policy = policies.kept(connection, [row.policy_sha256])[row.policy_sha256]
    tended = _tended(connection, row, tuple(held.values()))
    return Loaded(ticket_id, row.mailbox, tended, held, policy, row.received_at, row.kind)


def _tended(connection: Connection, row: Any, running: tuple[Clock, ...]) -> Tended:
    people = people_of(connection, row.id)
    reporter = next((p for p in people if p.role == "reporter"), None)
    thread = thread_of(connection, row.id)
    written_at, since = _last_written(connection, row.id)
    return Tended(
        name=TicketName(row.token, row.ref),
        subject=row.subject,
        state=State(row.state),
        since=row.since,
        reporter=reporter.written if reporter else "",
        reporter_proven=bool(reporter and reporter.proven),
        reachable=_reachable(connection, row.id, reporter, thread),
        clocks=running,
        waiting=row.waiting,
        happenings=_happenings(connection, row.id, since),
        written_at=written_at,
        researcher_ids=researcher_ids_of(thread, people),
        team_ids=team_ids_of(thread),
        assigned=row.assigned,
        away=absences.away(connection, row.tenant),
    )


def _last_written(connection: Connection, ticket_id: int) -> tuple[datetime | None, ColumnElement[bool]]:
    """When the last letter that told the researcher of news was queued, or sent past us; and which events came after it."""
    ours, past = _last_of_ours(connection, ticket_id), answers.last(connection, ticket_id)
    if past is not None and (ours is None or past > ours.at):
        return past, event.c.at > past
    return (ours.at, event.c.seq > ours.seq) if ours else (None, event.c.seq > 0)


def _last_of_ours(connection: Connection, ticket_id: int) -> Any | None:
    """The event of the last letter that was queued, and that nobody dropped or holds back. An answer to a one-line request, and
    letters about credit, rewards and drafts, tell no news, so what happened before them is still to be told.
    """
    queued = (event.c.ticket_id == ticket_id, event.c.kind == EventKind.QUEUED, event.c.body.is_not(None))
    back = (letter.c.ticket_id == ticket_id, letter.c.state.in_(("dropped", "held")))
    stopped = set(connection.execute(select(letter.c.message_id).where(*back)).scalars())
    rows = connection.execute(
        select(event.c.seq, event.c.at, event.c.kind, event.c.body).where(*queued).order_by(event.c.seq.desc())
    )
    return next((row for row in rows if _told_news(event_of(row.kind, row.body).data, stopped)), None)


def _told_news(data: Mapping[str, JSON], stopped: Collection[str]) -> bool:
    return data.get("letter") not in stopped and data.get("template") not in _NO_NEWS


def _happenings(connection: Connection, ticket_id: int, since: ColumnElement[bool]) -> tuple[Happening, ...]:
    columns = select(event.c.at, event.c.kind, event.c.body)
    rows = columns.where(event.c.ticket_id == ticket_id, since, event.c.body.is_not(None))
    return happenings((row.at, event_of(row.kind, row.body)) for row in connection.execute(rows.order_by(event.c.seq)))


def _reachable(connection: Connection, ticket_id: int, reporter: Any, thread: Sequence[Any]) -> bool:
    """Law 5: a member wrote to them; or we could answer, and they have proven themselves, then or since."""
    to_them = (letter.c.ticket_id == ticket_id, letter.c.audience == Audience.RESEARCHER, letter.c.state.not_in(_GONE))
    written = connection.execute(select(letter.c.template, letter.c.author).where(*to_them).distinct()).all()
    if reporter is None:
        return False
    if answers.reached(connection, ticket_id, reporter.address):
        return True
    if not written:
        return False
    by_a_member = any(row.author or row.template == _ANSWER for row in written)
    said = (m for m in thread if m.direction == "in" and m.counterpart == reporter.address)
    return by_a_member or bool(reporter.proven) or any(m.proven for m in said)


def write(
    connection: Connection,
    loaded: Loaded,
    after: Sequence[Clock],
    events: Sequence[Event],
    letters: Sequence[Letter],
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> None:
    """Clocks, events and letters of one ticket, in the caller's transaction: all of them or none (law 2)."""
    clocks.write(connection, loaded.ticket_id, loaded.mailbox, loaded.held, after)
    queue_letters(connection, letters, desk, at, {loaded.ticket.name.token: loaded.ticket_id})
    queued = [queued_event(x) for x in letters if x.audience is Audience.RESEARCHER]
    if happened := [(at, one) for one in (*events, *queued)]:
        chaining.append(connection, {loaded.ticket_id: happened}, entropy)
