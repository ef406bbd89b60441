"""Bytes kept once, by hash. Never interprets them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from triaged.tracker.engine import insert_new
from triaged.tracker.schema import blob


def digest(data: bytes) -> str:
    """The SHA-256 that bytes are kept under."""
    return hashlib.sha256(data).hexdigest()


def keep(connection: Connection, contents: Iterable[bytes]) -> dict[str, int]:
    """Store the contents; SHA-256 -> row id."""
    rows = {}
    for data in contents:
        name = digest(data)
        rows[name] = {"sha256": name, "size": len(data), "data": data}
    insert_new(connection, blob, list(rows.values()))
    found = connection.execute(select(blob.c.sha256, blob.c.id).where(blob.c.sha256.in_(rows)))
    return {name: row for name, row in found}


def load(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, bytes]]:
    """Row id -> (SHA-256, bytes)."""
    found = connection.execute(select(blob.c.id, blob.c.sha256, blob.c.data).where(blob.c.id.in_(ids)))
    return {row: (name, data) for row, name, data in found}
