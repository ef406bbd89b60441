"""What must hold in the tracker whatever has happened. Reads only; each finding is a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from triaged.ticket.clocks import ACKNOWLEDGE, ASSESS
from triaged.ticket.consequence import Outcome
from triaged.ticket.events import EventKind
from triaged.tracker import answers, blobs, chaining, known_issues, rewards
from triaged.tracker.journal import broken_journal
from triaged.tracker.knowing import ACKNOWLEDGEMENTS
from triaged.tracker.schema import blob, clock, event, journal, letter, message, receipt, ticket

IN_HAND = timedelta(minutes=1)  # a receipt younger than this is being read


def findings(connection: Connection, now: datetime, tell: chaining.Tell | None = None) -> Iterator[str]:
    """Everything in the tracker that does not hold. `tell` hears how many events have been looked at."""
    yield from _receipts_without_outcome(connection, now)
    yield from _rows(connection, _tickets_without_receipt(), "ticket {} has no receipt")
    yield from _rows(connection, _opened_twice(), "ticket {} was opened by more than one receipt")
    yield from _rows(connection, _acknowledged_twice(), "ticket {} has more than one acknowledgement")
    yield from _rows(connection, _met_by_nothing(), "ticket {} has a promise met though no letter was accepted")
    for broken in chaining.broken(connection, tell):
        yield f"ticket {broken.ref}, event {broken.seq}: {broken.why}"
    for tenant, seq, why in broken_journal(connection):
        yield f"journal of {tenant}, entry {seq}: {why}"
    for name, why in known_issues.changed(connection):
        yield f"known issue {name}: it {why}"
    for ref, why in rewards.unproven(connection):
        yield f"ticket {ref}: {why}"
    yield from _changed_bytes(connection)


def _rows(connection: Connection, query: Select[Any], words: str) -> Iterator[str]:
    for (name,) in connection.execute(query):
        yield words.format(name)


def _receipts_without_outcome(connection: Connection, now: datetime) -> Iterator[str]:
    waiting = (receipt.c.outcome == Outcome.WAITING, receipt.c.taken_at < now - IN_HAND)
    for row in connection.execute(select(receipt.c.id, receipt.c.mailbox, receipt.c.reason).where(*waiting)):
        why = f" ({row.reason})" if row.reason else ""
        yield f"receipt {row.id} of {row.mailbox} has no outcome yet{why}: is `triaged run` running?"


def _tickets_without_receipt() -> Select[Any]:
    """But those that a member split off: the receipt of their report is the first ticket's."""
    came = select(receipt.c.id).where(receipt.c.ticket_id == ticket.c.id)
    began = (event.c.ticket_id == ticket.c.id, event.c.kind == EventKind.RECEIVED)
    split = select(event.c.ticket_id).where(*began, event.c.body.like('%"split_from":%'))
    return select(ticket.c.ref).where(~came.exists(), ~split.exists(), ticket.c.forgotten_at.is_(None))


def _opened_twice() -> Select[Any]:
    opening = receipt.c.outcome == Outcome.TICKET
    return _more_than_one(select(ticket.c.ref).join(receipt, receipt.c.ticket_id == ticket.c.id).where(opening))


def _acknowledged_twice() -> Select[Any]:
    acknowledgement = letter.c.template.in_(ACKNOWLEDGEMENTS)
    return _more_than_one(select(ticket.c.ref).join(letter, letter.c.ticket_id == ticket.c.id).where(acknowledgement))


def _more_than_one(query: Select[Any]) -> Select[Any]:
    return query.group_by(ticket.c.ref).having(func.count() > 1)


def _met_by_nothing() -> Select[Any]:
    accepted = select(letter.c.id).where(letter.c.ticket_id == ticket.c.id, letter.c.accepted_at.is_not(None))
    by_letters = (clock.c.promise.in_((ACKNOWLEDGE, ASSESS)), clock.c.met_at.is_not(None))
    met = select(ticket.c.ref).join(clock, clock.c.ticket_id == ticket.c.id).where(*by_letters)
    past = select(message.c.id).where(message.c.ticket_id == ticket.c.id, answers.is_one())
    word = select(event.c.ticket_id).where(
        event.c.ticket_id == ticket.c.id, event.c.kind == EventKind.MET, _by_people()
    )
    # Of a forgotten ticket, the messages that would show it are gone.
    shown = (~accepted.exists(), ~past.exists(), ~word.exists(), ticket.c.forgotten_at.is_(None))
    return met.where(*shown).distinct()


def _by_people() -> ColumnElement[bool]:
    """A member said so (`/keep`): the actor stands first in the canonical JSON of an event."""
    return or_(*(event.c.body.like(f'{{"actor":"{who}%') for who in ("member:", 'operator"')))


def _changed_bytes(connection: Connection) -> Iterator[str]:
    rows = connection.execution_options(yield_per=20).execute(select(blob.c.id, blob.c.sha256, blob.c.data))
    for row in rows:
        if blobs.digest(row.data) != row.sha256:
            yield f"stored bytes {row.id} are not the bytes that were stored"


def receipts_of(connection: Connection, mailbox: str, folder: str, uidvalidity: int) -> set[int]:
    """The UIDs of a folder that have their receipt."""
    here = (receipt.c.mailbox == mailbox, receipt.c.folder == folder, receipt.c.uidvalidity == uidvalidity)
    return set(connection.execute(select(receipt.c.uid).where(*here)).scalars())


def counts(connection: Connection) -> dict[str, int]:
    """How many rows the audit looked at."""
    tables = {"receipts": receipt, "tickets": ticket, "messages": message, "letters": letter, "clocks": clock}
    tables |= {"events": event, "journal_entries": journal}
    return {name: connection.execute(select(func.count()).select_from(t)).scalar_one() for name, t in tables.items()}
