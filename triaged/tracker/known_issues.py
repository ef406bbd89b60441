"""What the team knows without a report: kept by name, sealed, and compared with every new report. Decides no duplicate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from triaged.reading.facts import facts_of
from triaged.reading.inventory import pairs
from triaged.reading.likeness import Description, profile
from triaged.ticket.events import JournalKind
from triaged.ticket.reference import Entropy
from triaged.ticket.sealing import SALT_BYTES, Issue, Sealed, canonical, digest, opening, seal_of
from triaged.ticket.worked import KnownBefore
from triaged.tracker import journal, likeness
from triaged.tracker.engine import insert_if_new
from triaged.tracker.schema import known_issue


class KnownError(Exception):
    """Why an issue can't be sealed or opened; says the mend."""


def add(connection: Connection, tenant: str, name: str, title: str, text: str, at: datetime) -> bool:
    """Keep an issue; False where the tenant has one of that name."""
    row = {"tenant": tenant, "name": name, "title": title, "text": text, "known_at": at}
    if not insert_if_new(connection, known_issue, row):
        return False
    said = Description(likeness.KNOWN + name, title, text, pairs(facts_of(f"{title}\n{text}")))
    likeness.index(connection, tenant, profile(said))
    return True


def remove(connection: Connection, tenant: str, name: str, actor: str, at: datetime, entropy: Entropy) -> bool:
    """Keep it no more; whether it was there. A seal stays in the journal: when something was known, and never again what."""
    row = _row(connection, tenant, name)
    if row is None:
        return False
    connection.execute(delete(known_issue).where(known_issue.c.id == row.id))
    likeness.forget(connection, tenant, likeness.KNOWN + name)
    if row.seal is not None:
        data = {"seal": row.seal.hex(), "opened": row.opened_at is not None}
        journal.note(connection, tenant, JournalKind.KNOWN_REMOVED, actor, data, at, entropy)
    return True


def seal(connection: Connection, tenant: str, name: str, actor: str, at: datetime, entropy: Entropy) -> str:
    """Commit to the issue as it stands: the seal goes into the journal, and the seal alone. Raises KnownError."""
    row = _of_that_name(connection, tenant, name)
    if row.seal is not None:
        raise KnownError(f"{name} was sealed already, on {row.sealed_at:%Y-%m-%d}: what is sealed stays as it is")
    salt = entropy(SALT_BYTES)
    made = seal_of(salt, canonical(_issue(row)))
    kept = {"salt": salt, "seal": made, "sealed_at": at}
    connection.execute(update(known_issue).where(known_issue.c.id == row.id).values(kept))
    journal.note(connection, tenant, JournalKind.KNOWN_SEALED, actor, {"seal": made.hex()}, at, entropy)
    return made.hex()


def open_(
    connection: Connection, tenant: str, name: str, actor: str, at: datetime, entropy: Entropy
) -> dict[str, object]:
    """The document that opens its seal; the journal has salt and hashes from now on. Again: the same one. Raises KnownError."""
    row = _of_that_name(connection, tenant, name)
    if row.seal is None:
        raise KnownError(f"{name} was never sealed: `triaged known seal {name}` seals it from now on")
    issue, sealed = _issue(row), _sealed(connection, row)
    if seal_of(row.salt, canonical(issue)) != row.seal:
        raise KnownError(f"{name} was changed in the database after it was sealed: its seal can't be opened")
    if row.opened_at is None:
        connection.execute(update(known_issue).where(known_issue.c.id == row.id).values(opened_at=at))
        said = {
            "seal": row.seal.hex(),
            "salt": row.salt.hex(),
            "name": name,
            "title_sha256": digest(row.title),
            "text_sha256": digest(row.text),
        }
        journal.note(connection, tenant, JournalKind.KNOWN_OPENED, actor, said, at, entropy)
    return opening(issue, sealed)


def _sealed(connection: Connection, row: Any) -> Sealed:
    entries = journal.entries(connection, row.tenant, JournalKind.KNOWN_SEALED)
    entry = next((one for one in entries if one.data.get("seal") == row.seal.hex()), None)
    if entry is None:
        raise KnownError(f"the seal of {row.name} is in no entry of the journal: `triaged audit` says what is missing")
    return Sealed(row.salt, row.seal, entry.at, entry.seq, entry.hash)


def _row(connection: Connection, tenant: str, name: str) -> Any | None:
    """The issue, locked until the transaction ends."""
    here = select(known_issue).where(known_issue.c.tenant == tenant, known_issue.c.name == name)
    return connection.execute(here.with_for_update()).one_or_none()


def _of_that_name(connection: Connection, tenant: str, name: str) -> Any:
    row = _row(connection, tenant, name)
    if row is None:
        raise KnownError(f"there is no known issue {name}: `triaged known list` shows them all")
    return row


def _issue(row: Any) -> Issue:
    return Issue(row.name, row.title, row.text, row.known_at)


def named(connection: Connection, tenant: str, names: Sequence[str]) -> dict[str, KnownBefore]:
    """Lower-case name -> issue, of these. Names that differ in case alone are told apart by nobody: the one known first counts."""
    if not names:
        return {}
    here = (known_issue.c.tenant == tenant, func.lower(known_issue.c.name).in_(names))
    rows = connection.execute(select(known_issue).where(*here).order_by(known_issue.c.known_at.desc())).all()
    seals = {r.id: r.seal.hex() if r.seal is not None else "" for r in rows}
    return {r.name.lower(): KnownBefore(r.name, r.known_at, r.sealed_at, seals[r.id]) for r in rows}


def issues(connection: Connection) -> list[dict[str, Any]]:
    """All of them, by tenant and name."""
    rows = connection.execute(select(known_issue).order_by(known_issue.c.tenant, known_issue.c.name))
    kept = ("tenant", "name", "title", "text", "known_at", "sealed_at", "opened_at")
    return [{**{k: getattr(r, k) for k in kept}, "seal": r.seal.hex() if r.seal is not None else None} for r in rows]


def changed(connection: Connection) -> Iterator[tuple[str, str]]:
    """Sealed issues that are not what was sealed, and seals that the journal has not: name, why."""
    seals: dict[str, set[Any]] = {}
    for row in connection.execute(select(known_issue).where(known_issue.c.seal.is_not(None))):
        if row.tenant not in seals:
            noted = journal.entries(connection, row.tenant, JournalKind.KNOWN_SEALED)
            seals[row.tenant] = {(one.data.get("seal"), one.at) for one in noted}
        if row.salt is None or seal_of(row.salt, canonical(_issue(row))) != row.seal:
            yield row.name, "was changed after it was sealed"
        if (row.seal.hex(), row.sealed_at) not in seals[row.tenant]:
            yield row.name, "has a seal that the journal has not, or not of that instant"
