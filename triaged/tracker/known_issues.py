"""What the team knows without a report: kept by name, and compared with every new report. Decides no duplicate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from triaged.reading.facts import facts_of
from triaged.reading.inventory import pairs
from triaged.reading.likeness import Description, profile
from triaged.tracker import likeness
from triaged.tracker.engine import insert_if_new
from triaged.tracker.schema import known_issue


def add(connection: Connection, tenant: str, name: str, title: str, text: str, at: datetime) -> bool:
    """Keep an issue; False where the tenant has one of that name."""
    row = {"tenant": tenant, "name": name, "title": title, "text": text, "known_at": at}
    if not insert_if_new(connection, known_issue, row):
        return False
    said = Description(likeness.KNOWN + name, title, text, pairs(facts_of(f"{title}\n{text}")))
    likeness.index(connection, tenant, profile(said))
    return True


def remove(connection: Connection, tenant: str, name: str) -> bool:
    """Keep it no more; whether it was there."""
    gone = delete(known_issue).where(known_issue.c.tenant == tenant, known_issue.c.name == name)
    if connection.execute(gone).rowcount != 1:
        return False
    likeness.forget(connection, tenant, likeness.KNOWN + name)
    return True


def issues(connection: Connection) -> list[dict[str, Any]]:
    """All of them, by tenant and name."""
    rows = connection.execute(select(known_issue).order_by(known_issue.c.tenant, known_issue.c.name))
    return [
        {"tenant": r.tenant, "name": r.name, "title": r.title, "text": r.text, "known_at": r.known_at} for r in rows
    ]
