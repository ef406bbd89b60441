"""Which alarms ops have heard, and when: facts of the installation, so that a restart repeats none. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from triaged.tracker.schema import installation

_PREFIX = "alarm "


def said(connection: Connection) -> dict[str, datetime]:
    """Key of each alarm that ops have heard and no all-clear has followed -> when they heard of it last."""
    rows = select(installation.c.value, installation.c.at).where(installation.c.name.startswith(_PREFIX))
    return {row.value.decode(): row.at for row in connection.execute(rows)}


def replace(connection: Connection, now_said: Mapping[str, datetime]) -> None:
    """These are all that ops have heard."""
    connection.execute(delete(installation).where(installation.c.name.startswith(_PREFIX)))
    rows = [{"name": _name(key), "value": key.encode(), "at": at} for key, at in sorted(now_said.items())]
    if rows:
        connection.execute(installation.insert(), rows)


def _name(key: str) -> str:
    """A folder's name may be longer than the column."""
    return _PREFIX + hashlib.sha256(key.encode()).hexdigest()[:40]
