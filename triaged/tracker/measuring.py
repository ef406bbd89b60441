"""What the tracker's rows say of how the work stands, as numbers. Reads only; knows no address and no subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from triaged.ticket.consequence import Outcome
from triaged.tracker import migrate
from triaged.tracker.schema import clock, cursor, letter, part, receipt, tally, ticket

# Accepted letters are left out: there are millions of them, and nothing is to be done for them.
OUTSTANDING = ("queued", "held", "sending", "unknown", "failed", "dropped")
WAITING = ("queued", "unknown")  # letters that go by themselves
SENDERS = ("proven", "unproven")
HURRY = timedelta(seconds=4)  # PostgreSQL ends a longer question itself; whoever asks has given up by then
PATIENCE = timedelta(seconds=60)  # for a walk over a table


@dataclass(frozen=True, slots=True)
class Running:
    """A part of a process, as it last said that it fares."""

    name: str
    owner: str
    state: str  # running | failing | stopped
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Measures:
    """What is asked often, each by an index: nothing here grows with the number of tickets."""

    revision: str | None
    oldest_unprocessed: datetime | None  # when the oldest receipt that waits for reading was taken in
    unprocessed: int
    set_aside: int
    swept: Mapping[tuple[str, str], datetime | None]  # (mailbox, folder) -> its last sweep that ended well
    outbox: Mapping[str, int]  # state -> letters
    oldest_due: datetime | None  # since when the oldest letter could have gone: neither accepted nor refused
    next_due: datetime | None  # of the promises that run and were not missed
    missed: int  # promises that were missed and still wait to be kept
    acknowledged: Mapping[str, int]  # proven | unproven -> automatic ones of this hour, of the tenant with most
    unannounced: int  # tickets over a cap or in Junk that wait for the digest
    parts: tuple[Running, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What takes a walk over a table: asked for every few minutes."""

    tickets: Mapping[str, int]  # state -> tickets
    repeats: int  # attempts after one whose end nobody knows (RFC 1047)
    database_bytes: int


def bound(connection: Connection, longest: timedelta) -> None:
    """Read only, and not for long. SQLite's statements are bounded by what they look at."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {longest // timedelta(milliseconds=1)}"))


def measure(connection: Connection, mailboxes: Sequence[str], tenants: Sequence[str], now: datetime) -> Measures:
    """How the work of these mailboxes and tenants stands."""
    outbox = _counts(connection, letter.c.state, letter.c.state.in_(OUTSTANDING))
    return Measures(
        revision=connection.execute(text("select version_num from alembic_version")).scalar(),
        oldest_unprocessed=_one(connection, func.min(receipt.c.taken_at), receipt.c.outcome == Outcome.WAITING),
        unprocessed=_one(connection, func.count(receipt.c.id), receipt.c.outcome == Outcome.WAITING),
        set_aside=_one(connection, func.count(receipt.c.id), receipt.c.outcome == Outcome.SET_ASIDE),
        swept=_swept(connection, mailboxes),
        outbox={state: outbox.get(state, 0) for state in OUTSTANDING},
        oldest_due=_oldest_due(connection, mailboxes, now),
        next_due=_next_due(connection, mailboxes),
        missed=_missed(connection, mailboxes),
        acknowledged=_acknowledged(connection, tenants, now),
        unannounced=_one(connection, func.count(ticket.c.id), ticket.c.unannounced.is_(True)),
        parts=_parts(connection),
    )


def total(connection: Connection) -> Totals:
    """What is counted over whole tables."""
    return Totals(
        tickets=_counts(connection, ticket.c.state, ticket.c.id.is_not(None)),
        repeats=_one(connection, func.coalesce(func.sum(letter.c.repeats), 0)),
        database_bytes=_size(connection),
    )


def _one(connection: Connection, what: Any, *where: Any) -> Any:
    return connection.execute(select(what).where(*where)).scalar()


def _counts(connection: Connection, column: Any, where: Any) -> dict[str, int]:
    return {
        name: count for name, count in connection.execute(select(column, func.count()).where(where).group_by(column))
    }


def _swept(connection: Connection, mailboxes: Sequence[str]) -> dict[tuple[str, str], datetime | None]:
    rows = select(cursor.c.mailbox, cursor.c.folder, cursor.c.swept_at).where(cursor.c.mailbox.in_(mailboxes))
    return {(row.mailbox, row.folder): row.swept_at for row in connection.execute(rows)}


def _oldest_due(connection: Connection, mailboxes: Sequence[str], now: datetime) -> datetime | None:
    """By when it was queued, or was to go where it had to wait: a retry moves `not_before` and makes no letter younger."""
    waits = (letter.c.state.in_(WAITING), letter.c.mailbox.in_(mailboxes))
    fresh = _one(connection, func.min(letter.c.not_before), *waits, letter.c.attempts == 0, letter.c.not_before <= now)
    tried = _one(connection, func.min(letter.c.first_attempt_at), *waits, letter.c.attempts > 0)
    return min((instant for instant in (fresh, tried) if instant is not None), default=None)


# A clock for which nothing is to be done has no `wake_at`; the index is over mailbox and `wake_at`.
def _open(mailboxes: Sequence[str]) -> tuple[Any, ...]:
    running = (clock.c.met_at.is_(None), clock.c.waived.is_(None), clock.c.paused_at.is_(None))
    return (clock.c.mailbox.in_(mailboxes), clock.c.wake_at.is_not(None), *running)


def _next_due(connection: Connection, mailboxes: Sequence[str]) -> datetime | None:
    due: datetime | None = _one(connection, func.min(clock.c.due_at), *_open(mailboxes), ~_is_missed())
    return due


def _missed(connection: Connection, mailboxes: Sequence[str]) -> int:
    count: int = _one(connection, func.count(), *_open(mailboxes), _is_missed())
    return count


def _is_missed() -> Any:
    """As ticket/clocks.py has it: a date that was moved since is not missed."""
    return func.coalesce(clock.c.missed_at >= clock.c.due_at, False)


def _acknowledged(connection: Connection, tenants: Sequence[str], now: datetime) -> dict[str, int]:
    """Each tenant has its own budget (AR-10): the fullest is what matters."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    here = (tally.c.tenant.in_(tenants), tally.c.name.in_(SENDERS), tally.c.hour == hour)
    most = select(tally.c.name, func.max(tally.c.count)).where(*here)
    found = {name: count for name, count in connection.execute(most.group_by(tally.c.name))}
    return {name: found.get(name, 0) for name in SENDERS}


def _parts(connection: Connection) -> tuple[Running, ...]:
    columns = (part.c.name, part.c.owner, part.c.state, part.c.reason, part.c.since)
    return tuple(Running(*row) for row in connection.execute(select(*columns).order_by(part.c.name)))


def _size(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())
    pages, octets = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size"))
    return int(pages) * int(octets)


def is_current(revision: str | None) -> bool:
    """Whether the database is of this program's version."""
    return revision == migrate.HEAD
