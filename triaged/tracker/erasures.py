"""Erasures asked for, confirmed, done: their rows, and the one transaction that does one. Never decides who may."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from triaged.ticket import certifying
from triaged.ticket.certifying import Words
from triaged.ticket.events import JournalKind
from triaged.ticket.redacting import in_bytes, needles_of
from triaged.ticket.reference import Entropy
from triaged.tracker import erasing, journal, scope, traces
from triaged.tracker.engine import reading, writing
from triaged.tracker.erasing import Erased, Reach
from triaged.tracker.schema import blob, erasure, receipt, ticket
from triaged.tracker.scope import Scope, Subject

LAPSE = timedelta(days=14)


class NotNowError(Exception):
    """It can't be done at this moment; the text says why and what to do. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An erasure that waits for a second member."""

    number: int
    tenant: str
    subject: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """What an erasure would do now."""

    scope: Scope
    erased: Erased


def look(engine: Engine, subject: Subject, never: Collection[str], at: datetime, entropy: Entropy) -> Looked | None:
    """Do it and roll it back: what is shown is what will be done. None where nothing is held."""
    with reading(engine) as connection:
        found = scope.find(connection, subject, never)
        suspects = traces.suspects(connection, found) if found else None
    if found is None:
        return None
    with engine.connect() as connection, connection.begin() as transaction:
        erased = erasing.erase(connection, found, _now(connection, found, suspects), "operator", at, entropy, _nowhere)
        transaction.rollback()
    return Looked(found, erased) if erased.counts else None


def _nowhere(_point: str) -> None:
    """A look has no points to be killed at."""


def _now(connection: Connection, found: Scope, before: traces.Suspects | None) -> traces.Suspects:
    return traces.suspects(connection, found, before)


def open_proposal(connection: Connection, subject: Subject, at: datetime) -> Proposal | None:
    """The proposal of this erasure that waits. Those that lapsed are dropped with their subjects."""
    lapsed = (erasure.c.done_at.is_(None), erasure.c.at < at - LAPSE)
    connection.execute(delete(erasure).where(*lapsed))
    here = (erasure.c.tenant == subject.tenant, erasure.c.subject == subject.name, erasure.c.done_at.is_(None))
    row = connection.execute(select(erasure).where(*here).order_by(erasure.c.id).limit(1)).one_or_none()
    return Proposal(row.id, row.tenant, row.subject, row.by, row.at) if row else None


def propose(connection: Connection, subject: Subject, by: str, at: datetime) -> int:
    """The number of the new proposal."""
    row = {"tenant": subject.tenant, "subject": subject.name, "by": by, "at": at, "counts": {}}
    return int(connection.execute(erasure.insert().values(row).returning(erasure.c.id)).scalar_one())


def perform(
    engine: Engine,
    subject: Subject,
    never: Collection[str],
    by: str,
    at: datetime,
    entropy: Entropy,
    called: Callable[[str], str] = str,
    reach: Reach = _nowhere,
) -> dict[str, Any] | None:
    """Erase, in one transaction; the certificate, which stays with the erasure's row. None where nothing is held.

    Raises NotNowError. `by`: who confirms, or does it alone; whoever proposed stands in the proposal. `called`: how events name
    a member's address.
    """
    with reading(engine) as connection:
        before = scope.find(connection, subject, never)
        suspects = traces.suspects(connection, before) if before else None
    if before is None:
        return None
    with writing(engine) as connection:
        _overwrite(connection)
        found = scope.find(connection, subject, never)
        if found is None:
            return None
        _refuse_what_is_in_hand(connection, found, at)
        proposal = open_proposal(connection, subject, at)
        number = proposal.number if proposal else propose(connection, subject, by, at)
        words = Words(called(proposal.by), proposal.at, called(by)) if proposal else Words(called(by), at)
        since = _since(connection, found, at)
        erased = erasing.erase(connection, found, _now(connection, found, suspects), called(by), at, entropy, reach)
        if not erased.counts:
            connection.execute(delete(erasure).where(erasure.c.id == number))
            return None
        certificate = _certificate(number, found, words, at, erased, since)
        _done(connection, number, subject, by, at, certificate)
        data = {"erasure": number, "of": certificate["of"], "rows": certificate["removed"]["rows"]}
        journal.note(connection, subject.tenant, JournalKind.FORGOTTEN, called(by), data, at, entropy)
    reach("erasure-committed")
    return certificate


def _overwrite(connection: Connection) -> None:
    """SQLite writes zeros over what it deletes, in this connection from here on."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _refuse_what_is_in_hand(connection: Connection, found: Scope, at: datetime) -> None:
    if why := erasing.in_hand(connection, found, at):
        raise NotNowError(why)
    needles = needles_of(found.outside)
    rows = select(receipt.c.id, blob.c.data).join(blob, blob.c.id == receipt.c.blob_id)
    unread = rows.where(receipt.c.tenant == found.subject.tenant, receipt.c.outcome == "waiting")
    with connection.execute(unread, execution_options={"yield_per": 20}) as waiting:
        named = next((row.id for row in waiting if in_bytes(row.data, needles)), None)
    if named is not None:
        raise NotNowError(f"receipt {named} names them and nobody has read it yet: let `triaged run` take it in first")


def _since(connection: Connection, found: Scope, at: datetime) -> datetime:
    """Backups from then on may hold it."""
    here = [*found.whole, *found.shared]
    first = connection.execute(select(func.min(receipt.c.taken_at)).where(receipt.c.ticket_id.in_(here))).scalar()
    opened = connection.execute(select(func.min(ticket.c.opened_at)).where(ticket.c.id.in_(here))).scalar()
    return min(one for one in (first, opened, at) if one is not None)


def _certificate(
    number: int, found: Scope, words: Words, at: datetime, erased: Erased, since: datetime
) -> dict[str, Any]:
    chains = [
        {"ref": c.ref, "whole": c.whole, "events": c.events, "head_before": c.before, "head_after": c.after}
        for c in erased.chains
    ]
    left = {
        "mailbox": [
            {"mailbox": p.mailbox, "folder": p.folder, "uidvalidity": p.uidvalidity, "uid": p.uid}
            for p in erased.places
        ],
        "sent_copies": [{"mailbox": mailbox, "letters": count} for mailbox, count in erased.copies],
        "letters_sent": erased.letters_gone,
        "published": list(erased.published),
        "backups_since": since.strftime("%Y-%m-%d"),
        "storage": [],
    }
    of = "person" if found.subject.address else "ticket"
    tenant, kept = found.subject.tenant, erased.tombstones
    return certifying.document(number, tenant, of, words, at, erased.counts, erased.bytes, kept, chains, left)


def _done(connection: Connection, number: int, subject: Subject, by: str, at: datetime, certificate: Any) -> None:
    values = {"subject": "", "second": by, "done_at": at, "counts": certificate}
    connection.execute(update(erasure).where(erasure.c.id == number).values(values))
    same = (erasure.c.tenant == subject.tenant, erasure.c.subject == subject.name)
    connection.execute(delete(erasure).where(*same))


def certificate_of(connection: Connection, number: int) -> dict[str, Any] | None:
    """The certificate of an erasure that was done."""
    row = connection.execute(
        select(erasure).where(erasure.c.id == number, erasure.c.done_at.is_not(None))
    ).one_or_none()
    return dict(row.counts) if row else None
