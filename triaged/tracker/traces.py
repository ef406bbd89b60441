"""Finds what names a person in every column of a tenant that can hold words, and in its raw bytes, and takes it out.

Knows no table by name but for its exceptions: a column that is added later is looked at without a word here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Connection, String, Table, select, update

from triaged.ticket.consequence import Outcome
from triaged.ticket.letters import Audience
from triaged.ticket.redacting import FORGOTTEN, Marks, holds, in_bytes, needles_of, redacted, redacted_value
from triaged.tracker import blobs
from triaged.tracker.schema import attachment, blob, event, journal, letter, message, metadata, receipt, ticket
from triaged.tracker.scope import Scope

LEAST_WIDTH = 300  # of a String column that can hold words; below are kinds, states, hashes and names of ours
# Tables whose words are the organisation's, the installation's or keyed hashes, and those that are erased in another way.
APART = frozenset(
    {
        "policy_text",
        "installation",
        "chain_root",
        "tombstone",
        "content",
        "blob",
        "event",
        "journal",
        "journal_head",
        "erasure",
    }
    | {"person", "absence", "lease", "cursor", "board", "tally"}
)
# Who of the team did something, where our mail goes, what threads it: never another person's.
MEMBERS = frozenset({"assigned", "forwarded_by", "author", "by", "second", "envelope_from", "to_address", "to_lower"})
OURS = MEMBERS | {"message_id", "clause", "text_hash"}
Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Suspects:
    """Raw bytes that name somebody, found before the transaction that erases: what came later is looked at in it."""

    strings: tuple[str, ...]  # that were looked for
    receipts: frozenset[int]
    letters: frozenset[int]
    last_receipt: int
    last_letter: int


def suspects(connection: Connection, scope: Scope, before: Suspects | None = None) -> Suspects:
    """Look through all raw bytes of the tenant but those of tickets that go whole."""
    strings = (*scope.naming.strings, *scope.within.strings)
    if before is not None and before.strings != strings:
        before = None
    after = (before.last_receipt, before.last_letter) if before else (0, 0)
    receipts, last_receipt = _receipts(connection, scope, after[0])
    letters, last_letter = _letters(connection, scope, after[1])
    if before is not None:
        receipts, letters = receipts | before.receipts, letters | before.letters
    return Suspects(strings, frozenset(receipts), frozenset(letters), last_receipt, last_letter)


def _receipts(connection: Connection, scope: Scope, after: int) -> tuple[set[int], int]:
    team = select(message.c.receipt_id).where(message.c.audience == Audience.TEAM, message.c.receipt_id.is_not(None))
    columns = (receipt.c.id, receipt.c.ticket_id, receipt.c.outcome, receipt.c.id.in_(team).label("team"), blob.c.data)
    rows = select(*columns).join(blob, blob.c.id == receipt.c.blob_id)
    rows = rows.where(receipt.c.tenant == scope.subject.tenant, receipt.c.id > after).order_by(receipt.c.id)
    outside, naming, within = (needles_of(marks) for marks in (scope.outside, scope.naming, scope.within))
    found, last = set(), after
    for row in connection.execute(rows, execution_options={"yield_per": 20}):
        last = row.id
        if row.ticket_id in scope.whole:
            continue
        internal = row.team or row.ticket_id is None  # what is on no ticket answers the board, or is a copy
        needles = within if row.ticket_id in scope.shared else naming if internal else outside
        if in_bytes(row.data, needles):
            found.add(row.id)
    return found, last


def _letters(connection: Connection, scope: Scope, after: int) -> tuple[set[int], int]:
    columns = (letter.c.id, letter.c.ticket_id, letter.c.audience, blob.c.data)
    rows = select(*columns).join(blob, blob.c.id == letter.c.blob_id)
    rows = rows.where(letter.c.tenant == scope.subject.tenant, letter.c.id > after).order_by(letter.c.id)
    outside, naming, within = (needles_of(marks) for marks in (scope.outside, scope.naming, scope.within))
    found, last = set(), after
    for row in connection.execute(rows, execution_options={"yield_per": 20}):
        last = row.id
        if row.ticket_id in scope.whole:
            continue
        needles = within if row.ticket_id in scope.shared else naming if row.audience == Audience.TEAM else outside
        if in_bytes(row.data, needles):
            found.add(row.id)
    return found, last


def erase(
    connection: Connection,
    scope: Scope,
    found: Suspects,
    receipts: Collection[int],
    letters: Collection[int],
    counts: Counts,
) -> list[int]:
    """Take out every trace outside the tickets that go whole; the blobs that may be unneeded now.

    `receipts`, `letters`: what has gone already.
    """
    _told(connection, scope, counts)
    for table in metadata.sorted_tables:
        if table.name not in APART:
            _words(connection, table, scope, counts)
    _chains(connection, scope, counts)
    held = drop_receipts(connection, found.receipts - {*receipts}, counts)
    return [*held, *drop_letters(connection, found.letters - {*letters}, counts)]


def _told(connection: Connection, scope: Scope, counts: Counts) -> None:
    """Our own mail to the team about several tickets, such as the board: what names one that goes, goes whole."""
    ours = (message.c.direction == "out", message.c.audience == Audience.TEAM, message.c.tenant == scope.subject.tenant)
    rows = select(message.c.id, message.c.subject, message.c.text).where(*ours)
    named = [row.id for row in _stream(connection, rows) if holds(f"{row.subject}\n{row.text}", scope.naming)]
    for number in named:
        blank = {"subject": "", "text": FORGOTTEN}
        counts["message"] += connection.execute(update(message).where(message.c.id == number).values(blank)).rowcount


def _stream(connection: Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execute(query, execution_options={"yield_per": 1000}))


def columns_with_words(table: Table) -> list[Column[Any]]:
    """The columns that can hold words of people."""
    return [column for column in table.columns if _wordy(column)]


def _wordy(column: Column[Any]) -> bool:
    if column.name in OURS or column.foreign_keys or column.primary_key:
        return False
    if isinstance(column.type, JSON):
        return True
    return isinstance(column.type, String) and (column.type.length is None or column.type.length >= LEAST_WIDTH)


def _words(connection: Connection, table: Table, scope: Scope, counts: Counts) -> None:
    columns, key = columns_with_words(table), list(table.primary_key.columns)
    if not columns:
        return
    by = _ticket_of(table)
    query = select(*key, *columns, by.label("of_ticket"), _internal(table).label("internal"))
    changed = []
    for row in _stream(connection, query.where(_of_tenant(table, scope.subject.tenant))):
        marks = scope.within if row.of_ticket in scope.shared else scope.subjects if row.internal else scope.outside
        values = row._mapping
        new = {c.name: _without(values[c.name], marks) for c in columns if _named(values[c.name], marks)}
        if new:
            changed.append(([values[c.name] for c in key], new))
    for place, new in changed:
        here = [column == value for column, value in zip(key, place, strict=True)]
        counts[table.name] += connection.execute(update(table).where(*here).values(new)).rowcount


def _ticket_of(table: Table) -> ColumnElement[Any]:
    from sqlalchemy import null

    if table.name == "ticket":
        return ticket.c.id
    if "ticket_id" in table.c:
        return table.c.ticket_id
    if "message_id" in table.c and table.c.message_id.foreign_keys:
        return select(message.c.ticket_id).where(message.c.id == table.c.message_id).scalar_subquery()
    return null()


def _internal(table: Table) -> ColumnElement[Any]:
    """Whether the team talks among itself there: a subject that it quotes is one report's."""
    from sqlalchemy import true

    return table.c.audience == Audience.TEAM if "audience" in table.c else true()


def _of_tenant(table: Table, tenant: str) -> ColumnElement[bool]:
    from sqlalchemy import true

    if "tenant" in table.c:
        return table.c.tenant == tenant
    own = select(ticket.c.id).where(ticket.c.tenant == tenant)
    place = _ticket_of(table)
    return place.in_(own) if table.name == "attachment" or "ticket_id" in table.c else true()


def _named(value: Any, marks: Marks) -> bool:
    if value is None or value == "":
        return False
    return holds(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), marks)


def _without(value: Any, marks: Marks) -> Any:
    change: Callable[[str], str] = lambda text: redacted(text, marks)  # noqa: E731
    return redacted_value(value, change)


def _chains(connection: Connection, scope: Scope, counts: Counts) -> None:
    """An event or entry that names them loses body and salt; its seal and its hash stay."""
    columns = (event.c.ticket_id, event.c.seq, event.c.body)
    rows = select(*columns).join(ticket, ticket.c.id == event.c.ticket_id)
    rows = rows.where(ticket.c.tenant == scope.subject.tenant, event.c.body.is_not(None))
    named = []
    for row in _stream(connection, rows):
        marks = scope.within if row.ticket_id in scope.shared else scope.subjects
        if _named(row.body, marks):
            named.append((row.ticket_id, row.seq))
    for number, seq in named:
        here = (event.c.ticket_id == number, event.c.seq == seq)
        counts["event"] += connection.execute(update(event).where(*here).values(body=None, salt=None)).rowcount
    written = select(journal.c.seq, journal.c.body)
    written = written.where(journal.c.tenant == scope.subject.tenant, journal.c.body.is_not(None))
    for seq in [row.seq for row in _stream(connection, written) if _named(row.body, scope.subjects)]:
        entry = (journal.c.tenant == scope.subject.tenant, journal.c.seq == seq)
        counts["journal"] += connection.execute(update(journal).where(*entry).values(body=None, salt=None)).rowcount


SETTLED = (Outcome.TICKET, Outcome.APPENDED, Outcome.SET_ASIDE)  # others' mail: it stays what it was, without its bytes


def drop_receipts(
    connection: Connection, numbers: Collection[int], counts: Counts, settled: Collection[str] = SETTLED
) -> list[int]:
    """Receipts lose their bytes, and their messages the files that lay in those. `settled`: outcomes that stay."""
    held = []
    for number in sorted(numbers):
        row = connection.execute(select(receipt.c.blob_id, receipt.c.outcome).where(receipt.c.id == number)).one()
        if row.outcome in (Outcome.WAITING, Outcome.HISTORY):
            continue
        held += [row.blob_id] if row.blob_id is not None else []
        outcome = row.outcome if row.outcome in settled else Outcome.FORGOTTEN
        values: Mapping[str, Any] = {"blob_id": None, "outcome": outcome, "reason": "its bytes were forgotten"}
        counts["receipt"] += connection.execute(update(receipt).where(receipt.c.id == number).values(values)).rowcount
        of = select(message.c.id).where(message.c.receipt_id == number)
        gone = connection.execute(attachment.delete().where(attachment.c.message_id.in_(of)))
        counts["attachment"] += gone.rowcount
    return held


UNSENT = ("queued", "held", "unknown", "failed", "dropped")


def drop_letters(connection: Connection, numbers: Collection[int], counts: Counts) -> list[int]:
    """Letters lose their bytes; what has not gone never goes."""
    if not numbers:
        return []
    nothing = blobs.keep(connection, [b""])[blobs.digest(b"")]
    held = []
    for number in sorted(numbers):
        row = connection.execute(select(letter.c.blob_id, letter.c.state).where(letter.c.id == number)).one()
        held.append(row.blob_id)
        state = "dropped" if row.state in UNSENT else row.state
        values = {"blob_id": nothing, "last_reply": "", "hold_reason": "", "state": state, "sent_copy": None}
        counts["letter"] += connection.execute(update(letter).where(letter.c.id == number).values(values)).rowcount
    return [number for number in held if number != nothing]
