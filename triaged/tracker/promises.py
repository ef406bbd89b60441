"""What the tracker knows of how promises were kept, as the values of ticket/performance.py. Reads only, judges nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from triaged.ticket.events import STATE_AFTER, EventKind, State, event_of
from triaged.ticket.letters import Audience
from triaged.ticket.performance import Report, Round
from triaged.tracker.schema import clock, event, letter, policy_text, ticket

# States that say that a report is valid, that somebody has judged it, that it is mended.
_VALID = (State.ACCEPTED, State.FIXING, State.FIXED, State.DISCLOSED)
_VALIDATED = (*_VALID, State.DECLINED)
_FIXED = (State.FIXED,)  # what is published on its day need not be


@dataclass(frozen=True, slots=True)
class Span:
    """Which tickets are looked at: received since, and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None
    mailbox: str | None = None


def rounds(connection: Connection, span: Span) -> list[Round]:
    """Every promise of these tickets, in every round."""
    columns = (clock, ticket.c.ref, policy_text.c.name.label("policy"), policy_text.c.version)
    joined = select(*columns).join(ticket, ticket.c.id == clock.c.ticket_id)
    joined = joined.join(policy_text, policy_text.c.sha256 == ticket.c.policy_sha256)
    unchanged = unchanged_letters(connection, span)
    rows = connection.execute(_within(joined, span).order_by(clock.c.ticket_id, clock.c.id))
    return [_round(row, row.kept_by in unchanged) for row in rows]


def _within(query: Select[Any], span: Span) -> Select[Any]:
    if span.since is not None:
        query = query.where(ticket.c.received_at >= span.since)
    if span.until is not None:
        query = query.where(ticket.c.received_at < span.until)
    return query if span.mailbox is None else query.where(ticket.c.mailbox == span.mailbox)


def _round(row: Any, unchanged: bool) -> Round:
    return Round(
        ref=row.ref,
        mailbox=row.mailbox,
        policy=row.policy,
        version=row.version,
        promise=row.promise,
        number=row.round,
        started_at=row.started_at,
        due_at=row.due_at,
        met_at=row.met_at,
        waived_at=datetime.fromisoformat(row.waived["at"]) if row.waived else None,
        paused=row.paused_at is not None,
        unchanged=unchanged,
    )


def unchanged_letters(connection: Connection, span: Span) -> frozenset[str]:
    """Message-IDs of the letters that told a researcher that nothing had changed."""
    told = select(event.c.kind, event.c.body).join(ticket, ticket.c.id == event.c.ticket_id)
    rows = connection.execute(_within(told.where(event.c.kind == EventKind.TOLD, event.c.body.is_not(None)), span))
    said = (event_of(row.kind, row.body).data for row in rows)
    return frozenset(str(data["letter"]) for data in said if data.get("news") == 0)


def reports(connection: Connection, span: Span) -> list[Report]:
    """Every ticket that is a report."""
    chosen = _within(select(ticket.c.id, ticket.c.received_at, ticket.c.state).where(ticket.c.kind == "report"), span)
    rows = connection.execute(chosen.order_by(ticket.c.id)).all()
    validated, valid, fixed = (_first(connection, states, span) for states in (_VALIDATED, _VALID, _FIXED))
    answered = _answered(connection, span)
    return [
        Report(
            received_at=row.received_at,
            state=State(row.state),
            validated_at=validated.get(row.id),
            valid=row.id in valid and row.state != State.DECLINED,
            fixed_at=fixed.get(row.id),
            answered_at=answered.get(row.id),
        )
        for row in rows
    ]


def _first(connection: Connection, states: Iterable[State], span: Span) -> dict[int, datetime]:
    """Ticket -> when it first came into one of the states."""
    kinds = [kind for kind, state in STATE_AFTER.items() if state in states]
    first = select(event.c.ticket_id, func.min(event.c.at)).join(ticket, ticket.c.id == event.c.ticket_id)
    rows = connection.execute(_within(first.where(event.c.kind.in_(kinds)), span).group_by(event.c.ticket_id))
    return {number: at for number, at in rows}


def _answered(connection: Connection, span: Span) -> dict[int, datetime]:
    """Ticket -> when the server took the first letter to the researcher that did not come back."""
    first = select(letter.c.ticket_id, func.min(letter.c.accepted_at)).join(ticket, ticket.c.id == letter.c.ticket_id)
    arrived = (letter.c.audience == Audience.RESEARCHER, letter.c.accepted_at.is_not(None))
    first = first.where(*arrived, letter.c.undelivered_at.is_(None))
    return {number: at for number, at in connection.execute(_within(first, span).group_by(letter.c.ticket_id))}
