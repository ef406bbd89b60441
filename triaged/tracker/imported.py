"""Receipts for mail that came from files. Reads nothing in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from triaged.ticket.consequence import Outcome
from triaged.tracker import blobs
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import receipt


def keep_imported(
    connection: Connection,
    tenant: str,
    mailbox: str,
    folder: str,
    found: Sequence[tuple[str, bytes, int, datetime]],
    clocks: bool,
    letters: bool,
    now: datetime,
) -> list[int]:
    """Store messages as (place, bytes, size, date); receipt ids. The same bytes at the same place are the same receipt."""
    stored = blobs.keep(connection, (raw for _, raw, _, _ in found))
    rows = [
        {
            "tenant": tenant,
            "mailbox": mailbox,
            "folder": folder,
            "uidvalidity": 0,
            "uid": _number(place, raw),
            "internal_date": date,
            "taken_at": now,
            "size": size,
            "blob_id": stored[blobs.digest(raw)],
            "truncated": len(raw) < size,
            "outcome": Outcome.WAITING,
            "reason": "",
            "starts_clocks": clocks,
            "sends_letters": letters,
        }
        for place, raw, size, date in found
    ]
    insert_new(connection, receipt, rows)
    here = (receipt.c.mailbox == mailbox, receipt.c.folder == folder, receipt.c.uidvalidity == 0)
    numbers = [row["uid"] for row in rows]
    ids = connection.execute(select(receipt.c.uid, receipt.c.id).where(*here, receipt.c.uid.in_(numbers)))
    known = {uid: row for uid, row in ids}
    return [known[number] for number in numbers]


def _number(place: str, raw: bytes) -> int:
    """A stable number for what stands at a place: 62 bits of a hash. A file of the same name may hold other mail tomorrow."""
    what = place.encode(errors="surrogateescape") + b"\0" + blobs.digest(raw).encode()
    return int.from_bytes(hashlib.sha256(what).digest()[:8], "big") >> 2
