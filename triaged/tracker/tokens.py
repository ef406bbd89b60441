"""What the token endpoints gave for each mailbox, sealed by who keeps it. Never opens a seal, and knows no secret."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from triaged.tracker.engine import insert_if_new
from triaged.tracker.schema import installation, lease


def kept(connection: Connection, mailbox: str) -> bytes | None:
    """What was last kept for the mailbox."""
    return connection.execute(select(installation.c.value).where(installation.c.name == _name(mailbox))).scalar()


def keep(connection: Connection, mailbox: str, sealed: bytes, now: datetime) -> None:
    """Keep it in the place of what was there."""
    row = {"name": _name(mailbox), "value": sealed, "at": now}
    if not insert_if_new(connection, installation, row):
        connection.execute(update(installation).where(installation.c.name == _name(mailbox)).values(row))


def renewing(mailbox: str) -> str:
    """The lease of who renews the mailbox's token."""
    return _name(mailbox)


def renewed(connection: Connection, mailbox: str, owner: str) -> None:
    """Give that lease back."""
    connection.execute(delete(lease).where(lease.c.name == renewing(mailbox), lease.c.owner == owner))


def _name(mailbox: str) -> str:
    """The column is as long as a mailbox's name may be: a hash leaves room for the word before it."""
    return "token " + hashlib.sha256(mailbox.encode()).hexdigest()[:32]
