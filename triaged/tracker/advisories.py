"""Advisories as rows: drafts kept, what may be published now, what is public. Moves no ticket and writes no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from triaged.ticket.consent import Purpose, named
from triaged.ticket.deadlines import DISCLOSE
from triaged.ticket.desk import Desk
from triaged.ticket.draft import Draft, Person, Ripe, When, named_in, ripe
from triaged.ticket.events import EventKind, State, event_of
from triaged.ticket.letters import Audience
from triaged.tracker import consents
from triaged.tracker.schema import advisory, clock, event, letter, message, participant, person, proposal, ticket


def of(connection: Connection, ticket_id: int) -> Draft | None:
    """What is to be published of the ticket, or was."""
    row = connection.execute(select(advisory).where(advisory.c.ticket_id == ticket_id)).one_or_none()
    return _draft(row) if row is not None else None


def _draft(row: Any) -> Draft:
    revisions = tuple(datetime.fromisoformat(one) for one in row.revisions)
    return Draft(row.title, row.text, row.written_at, row.cve, row.published_at, revisions)


def revise(connection: Connection, ticket_id: int, draft: Draft) -> None:
    """The instants of its revisions, as they are now."""
    row = update(advisory).where(advisory.c.ticket_id == ticket_id)
    connection.execute(row.values(revisions=_instants(draft)))


def _instants(draft: Draft) -> list[str]:
    return [one.astimezone(UTC).isoformat() for one in draft.revisions]


def changed(
    connection: Connection, ticket_id: int, ref: str, tenant: str, before: Draft | None, after: Draft | None
) -> None:
    """The row as it is after a command."""
    if after is None or after == before:
        return
    values = {
        "title": after.title, "text": after.text, "cve": after.cve,
        "written_at": after.written_at, "published_at": after.published_at, "revisions": _instants(after),
    }  # fmt: skip
    if before is None:
        connection.execute(advisory.insert().values(ticket_id=ticket_id, tenant=tenant, name=ref, **values))
    else:
        connection.execute(update(advisory).where(advisory.c.ticket_id == ticket_id).values(values))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A draft that is not published, and whether it may be."""

    ticket_id: int
    ref: str
    token: str
    mailbox: str
    title: str
    when: When
    why: str


_BESIDE = ("ref", "token", "mailbox", "kind", "state", "agreed_for", "product", "affected", "fixed_in")  # of its ticket


def candidates(connection: Connection, tenant: str, desks: Mapping[str, Desk], at: datetime) -> list[Candidate]:
    """Every draft of the tenant, oldest first."""
    rows = (
        select(advisory, *(ticket.c[column] for column in _BESIDE))
        .join(ticket, ticket.c.id == advisory.c.ticket_id)
        .where(advisory.c.tenant == tenant, advisory.c.published_at.is_(None))
        .order_by(advisory.c.id)
    )
    return [_candidate(connection, row, desks.get(row.mailbox), at) for row in connection.execute(rows).all()]


def _candidate(connection: Connection, row: Any, desk: Desk | None, at: datetime) -> Candidate:
    if desk is None:
        when, why = When.NOT, f"its mailbox {row.mailbox!r} is not in the configuration: add it again"
    else:
        when, why = ripe(_ripe(connection, row, desk), desk.policy.calendar, at)
    return Candidate(row.ticket_id, row.ref, row.token, row.mailbox, row.title, when, why)


def _ripe(connection: Connection, row: Any, desk: Desk) -> Ripe:
    here = row.ticket_id
    still = (clock.c.ticket_id == here, clock.c.promise == DISCLOSE, clock.c.met_at.is_(None), clock.c.waived.is_(None))
    proposed = (proposal.c.ticket_id == here, proposal.c.verb == "disclose", proposal.c.settled_at.is_(None))
    reader = connection.execute(_reporter(here)).scalar()
    return Ripe(
        state=State(row.state),
        agreed_for=row.agreed_for,
        due_at=connection.execute(select(clock.c.due_at).where(*still).order_by(clock.c.round.desc())).scalar(),
        has_reader=bool(reader),
        read_at=_read_at(connection, here, reader or "", row.written_at),
        proposed=connection.execute(select(proposal.c.id).where(*proposed).limit(1)).first() is not None,
        is_report=row.kind == "report",
        written_at=row.written_at,
        agreed_at=_agreed_at(connection, here),
        two_person=desk.two_person,
        names=bool(named_in(_words(row), _people(connection, here))),
    )


def _words(row: Any) -> str:
    """All that is published of it in the team's words."""
    return "\n".join((row.title, row.text, row.product, row.affected, row.fixed_in))


def _people(connection: Connection, ticket_id: int) -> list[Person]:
    """Who takes part now, by each name that their mail bears, and that they gave and took back: some came, or went back on it,
    after the words were written.
    """
    rows = select(person.c.name, person.c.address).join(participant, participant.c.person_id == person.c.id)
    called = [Person(*row) for row in connection.execute(rows.where(participant.c.ticket_id == ticket_id))]
    wrote = (message.c.ticket_id == ticket_id, message.c.direction == "in", message.c.audience == Audience.RESEARCHER)
    names = connection.execute(select(message.c.counterpart_name).where(*wrote).distinct()).scalars()
    wishes = consents.wishes_on(connection, ticket_id).values()
    back = [one.name for one in wishes if one.name and not named(Purpose.ADVISORY, one)]
    return [*called, *(Person(one, "") for one in (*names, *back))]


def _agreed_at(connection: Connection, ticket_id: int) -> datetime | None:
    """When a second member last confirmed a day of publication."""
    rows = select(event.c.at, event.c.body).where(event.c.ticket_id == ticket_id, event.c.kind == EventKind.CONFIRMED)
    said = connection.execute(rows.order_by(event.c.seq.desc())).all()
    events = ((row.at, event_of(EventKind.CONFIRMED, row.body)) for row in said if row.body)
    return next((at for at, one in events if one.data.get("verb") == "disclose"), None)


def _reporter(ticket_id: int) -> Any:
    joined = select(person.c.address).join(participant, participant.c.person_id == person.c.id)
    return joined.where(participant.c.ticket_id == ticket_id, participant.c.role == "reporter")


def _read_at(connection: Connection, ticket_id: int, reader: str, written_at: datetime) -> datetime | None:
    """When the server took the draft as it stands: a letter that was queued before it was changed shows other words."""
    went = (
        letter.c.ticket_id == ticket_id,
        letter.c.template == "draft",
        letter.c.to_lower == reader,
        letter.c.queued_at >= written_at,
        letter.c.accepted_at.is_not(None),
        letter.c.undelivered_at.is_(None),
    )
    return connection.execute(select(func.max(letter.c.accepted_at)).where(*went)).scalar()


def number(connection: Connection, ticket_id: int, desk: Desk, at: datetime) -> str:
    """Publish the row under the next number of the year, and give that name. Of two publications at once the second hits the
    unique name, and its transaction is tried again.
    """
    year = at.astimezone(desk.policy.calendar.tzinfo).year
    begins = f"{desk.policy.prefix}-{year}-"
    named = (advisory.c.tenant == desk.tenant, advisory.c.name.startswith(begins, autoescape=True))
    names = connection.execute(select(advisory.c.name).where(*named, advisory.c.published_at.is_not(None))).scalars()
    last = max((int(one) for name in names if (one := name.removeprefix(begins)).isdigit()), default=0)
    given = f"{begins}{last + 1:04}"
    row = update(advisory).where(advisory.c.ticket_id == ticket_id)
    connection.execute(row.values(name=given, published_at=at))
    return given


@dataclass(frozen=True, slots=True)
class Public:
    """One published advisory with its ticket, as rows have them. No person."""

    ticket_id: int
    name: str
    draft: Draft
    product: str
    affected: str
    fixed_in: str
    severity: str
    cvss: str
    cwe: str
    received_at: datetime
    fixed_on: date | None


def public(connection: Connection, tenant: str, zone: Any) -> Iterator[Public]:
    """What is published, the newest first."""
    rows = (
        select(advisory, ticket)
        .join(ticket, ticket.c.id == advisory.c.ticket_id)
        .where(advisory.c.tenant == tenant, advisory.c.published_at.is_not(None))
        .order_by(advisory.c.published_at.desc(), advisory.c.id.desc())
    )
    for row in connection.execute(rows).all():
        fixed = _fixed_on(connection, row.ticket_id, zone)
        yield Public(
            row.ticket_id, row.name, _draft(row), row.product, row.affected, row.fixed_in,
            row.severity, row.cvss, row.cwe, row.received_at, fixed,
        )  # fmt: skip


# What changes the facts that stand beside an advisory's words.
_FACTS = (EventKind.ASSESSED, EventKind.DESCRIBED, EventKind.FIXED)


def facts_since(connection: Connection, ticket_id: int, at: datetime) -> bool:
    """Whether what the world reads of the ticket, or whether it still names anybody, may be other than it was at that instant."""
    after = (event.c.ticket_id == ticket_id, event.c.at > at)
    merged = ticket.c.merged_into.is_not(None) & (event.c.kind == EventKind.MERGED)  # itself, not another one into it
    rows = select(event.c.seq).join(ticket, ticket.c.id == event.c.ticket_id).where(*after)
    return connection.execute(rows.where(event.c.kind.in_(_FACTS) | merged).limit(1)).first() is not None


def _fixed_on(connection: Connection, ticket_id: int, zone: Any) -> date | None:
    fixed = (event.c.ticket_id == ticket_id, event.c.kind == "fixed")
    at = connection.execute(select(func.max(event.c.at)).where(*fixed)).scalar()
    return at.astimezone(zone).date() if at else None
