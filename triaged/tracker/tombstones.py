"""Keyed hashes of what was forgotten: kept, and recognised when a mailbox brings it again. Never says what it was."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from triaged.ticket.consequence import Outcome
from triaged.ticket.reference import Entropy
from triaged.tracker import installation
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import blob, letter, receipt, tombstone

CONTENT, MESSAGE_ID = "content", "message_id"
REASON = "forgotten: it lies in the mailbox still"


def mark(key: bytes, tenant: str, kind: str, value: str) -> str:
    """What stands for a content or a Message-ID. A tenant's marks tell another's nothing."""
    return hmac.digest(key, f"{tenant}\0{kind}\0{value}".encode(errors="surrogateescape"), "sha256").hex()


def keep(
    connection: Connection, tenant: str, values: Mapping[str, Iterable[str]], at: datetime, entropy: Entropy
) -> int:
    """Keep marks of these, by kind; how many."""
    key = installation.tombstone_key(connection, at, entropy)
    marks = {(kind, mark(key, tenant, kind, value)) for kind, some in values.items() for value in some if value}
    rows = [{"tenant": tenant, "kind": kind, "mark": one, "at": at} for kind, one in sorted(marks)]
    insert_new(connection, tombstone, rows)
    return len(rows)


def forgotten(connection: Connection, tenant: str, contents: Mapping[int, str]) -> set[int]:
    """Those receipts whose content (receipt -> hash) was forgotten. A Message-ID alone makes nothing forgotten (law 1)."""
    key = installation.kept_tombstone_key(connection)
    if key is None or not contents:
        return set()
    marks = {mark(key, tenant, CONTENT, content): number for number, content in contents.items()}
    here = (tombstone.c.tenant == tenant, tombstone.c.kind == CONTENT, tombstone.c.mark.in_(marks))
    found = set(connection.execute(select(tombstone.c.mark).where(*here)).scalars())
    return {number for number, content in contents.items() if mark(key, tenant, CONTENT, content) in found}


def settle(connection: Connection, receipts: Sequence[int], received: Mapping[int, datetime]) -> None:
    """The outcome and the loss of the bytes, in one transaction; nothing of them was read."""
    held = select(receipt.c.blob_id).where(receipt.c.id.in_(receipts), receipt.c.blob_id.is_not(None))
    blobs = list(connection.execute(held).scalars())
    for number in receipts:
        here = (receipt.c.id == number, receipt.c.outcome == Outcome.WAITING)
        values = {"outcome": Outcome.FORGOTTEN, "reason": REASON, "blob_id": None, "received_at": received[number]}
        connection.execute(update(receipt).where(*here).values(**values, claimed_by=None, claimed_until=None))
    drop_unused(connection, blobs)


def drop_unused(connection: Connection, candidates: Iterable[int]) -> tuple[int, int]:
    """Delete those bytes that no row needs any more; how many rows, and how many bytes."""
    numbers = sorted(set(candidates))
    rows = size = 0
    for first in range(0, len(numbers), 500):
        some = numbers[first : first + 500]
        needed = (
            select(receipt.c.blob_id)
            .where(receipt.c.blob_id.in_(some))
            .union(select(letter.c.blob_id).where(letter.c.blob_id.in_(some)))
        )
        still = set(connection.execute(needed).scalars())
        going = [number for number in some if number not in still]
        sizes = connection.execute(select(blob.c.size).where(blob.c.id.in_(going))).scalars().all()
        rows, size = rows + len(sizes), size + sum(sizes)
        connection.execute(delete(blob).where(blob.c.id.in_(going)))
    return rows, size
