"""Receipts: messages as they arrived, stored before anything reads them, and claimed for reading. Parses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, and_, or_, select, update

from triaged.ticket.consequence import Outcome
from triaged.tracker import blobs
from triaged.tracker.engine import insert_new, writing
from triaged.tracker.schema import cursor, receipt

CLAIM = timedelta(minutes=5)  # a reading that takes longer has died with its process


class Arrived(Protocol):
    """One message as the mailbox gave it."""

    @property
    def uid(self) -> int: ...
    @property
    def internal_date(self) -> datetime: ...
    @property
    def size(self) -> int: ...
    @property
    def raw(self) -> bytes | None: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def junk(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder has been taken in."""

    uidvalidity: int
    last_uid: int
    history_before: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A receipt that is ours to read now."""

    id: int
    mailbox: str
    folder: str
    internal_date: datetime
    size: int
    blob_id: int | None
    truncated: bool
    junk: bool
    sent: bool
    starts_clocks: bool
    sends_letters: bool
    attempts: int  # this one included


class Folders:
    """The receipts and cursors of one mailbox, as its watcher needs them."""

    def __init__(
        self,
        engine: Engine,
        tenant: str,
        mailbox: str,
        horizon: datetime,
        now: Callable[[], datetime],
        sent_folder: str = "",
    ) -> None:
        """`horizon`: what the server received before it is history, if this is the folder's first sweep. What lies in
        `sent_folder` is marked so for good: settings may have changed by the time that it is read.
        """
        self._engine, self._tenant, self._mailbox, self._horizon, self._now = engine, tenant, mailbox, horizon, now
        self._sent_folder = sent_folder

    def open(self, folder: str, uidvalidity: int) -> Position:
        """Where to go on. A new UIDVALIDITY forgets the UIDs and keeps the horizon of the first sweep ever (IM-3)."""
        with writing(self._engine) as connection:
            row = connection.execute(select(cursor).where(self._here(folder))).one_or_none()
            if row is None:
                position = Position(uidvalidity, 0, self._horizon)
                connection.execute(cursor.insert().values(mailbox=self._mailbox, folder=folder, **_columns(position)))
                return position
            if row.uidvalidity == uidvalidity:
                return Position(uidvalidity, row.last_uid, row.history_before)
            position = Position(uidvalidity, 0, row.history_before)
            connection.execute(update(cursor).where(self._here(folder)).values(**_columns(position)))
            return position

    def keep(self, folder: str, uidvalidity: int, batch: Sequence[Arrived], last_uid: int) -> None:
        """Store a batch and move the cursor, in one transaction (law 1)."""
        with writing(self._engine) as connection:
            stored = blobs.keep(connection, (m.raw for m in batch if m.raw is not None))
            rows = [self._row(connection, folder, uidvalidity, m, stored) for m in batch]
            insert_new(connection, receipt, rows)
            here = and_(self._here(folder), cursor.c.uidvalidity == uidvalidity, cursor.c.last_uid < last_uid)
            connection.execute(update(cursor).where(here).values(last_uid=last_uid))

    def swept(self, folder: str, at_count: int) -> None:
        """A sweep of the folder ended well; the server had `at_count` messages."""
        with writing(self._engine) as connection:
            values = {"swept_at": self._now(), "server_count": at_count}
            connection.execute(update(cursor).where(self._here(folder)).values(values))

    def _here(self, folder: str) -> Any:
        return and_(cursor.c.mailbox == self._mailbox, cursor.c.folder == folder)

    def _row(
        self, connection: Connection, folder: str, uidvalidity: int, message: Arrived, stored: dict[str, int]
    ) -> dict[str, Any]:
        history = message.raw is None
        return {
            "tenant": self._tenant,
            "mailbox": self._mailbox,
            "folder": folder,
            "uidvalidity": uidvalidity,
            "uid": message.uid,
            "internal_date": message.internal_date,
            "taken_at": self._now(),
            "size": message.size,
            "blob_id": None if message.raw is None else stored[blobs.digest(message.raw)],
            "truncated": message.truncated,
            "junk": message.junk,
            "sent": bool(self._sent_folder) and folder == self._sent_folder,
            "outcome": Outcome.HISTORY if history else Outcome.WAITING,
            "reason": "older than the first sweep's horizon" if history else "",
        }


def _columns(position: Position) -> dict[str, Any]:
    return {
        "uidvalidity": position.uidvalidity,
        "last_uid": position.last_uid,
        "history_before": position.history_before,
    }


_CLAIMED = (
    receipt.c.id,
    receipt.c.mailbox,
    receipt.c.folder,
    receipt.c.internal_date,
    receipt.c.size,
    receipt.c.blob_id,
    receipt.c.truncated,
    receipt.c.junk,
    receipt.c.sent,
    receipt.c.starts_clocks,
    receipt.c.sends_letters,
    receipt.c.attempts,
)


def claim_fresh(
    connection: Connection, owner: str, now: datetime, most: int, mailboxes: Sequence[str]
) -> list[Claimed]:
    """Receipts that nobody has tried to read, oldest first. Their attempt is counted here, before it starts (law 1)."""
    return _claim(connection, owner, now, most, and_(receipt.c.attempts == 0, receipt.c.mailbox.in_(mailboxes)))


def claim_failed(connection: Connection, owner: str, now: datetime, mailboxes: Sequence[str]) -> list[Claimed]:
    """One receipt whose last reading did not end: read alone, so that it takes nobody with it."""
    lapsed = or_(receipt.c.claimed_until.is_(None), receipt.c.claimed_until < now)
    return _claim(connection, owner, now, 1, and_(receipt.c.attempts > 0, lapsed, receipt.c.mailbox.in_(mailboxes)))


def _claim(connection: Connection, owner: str, now: datetime, most: int, which: Any) -> list[Claimed]:
    waiting = (
        select(receipt.c.id)
        .where(receipt.c.outcome == Outcome.WAITING, which)
        .order_by(receipt.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(receipt)
        .where(receipt.c.id.in_(waiting))
        .values(attempts=receipt.c.attempts + 1, claimed_by=owner, claimed_until=now + CLAIM)
        .returning(*_CLAIMED)
    )
    return sorted((Claimed(*row) for row in connection.execute(claimed)), key=lambda c: c.id)


def release(connection: Connection, owner: str) -> int:
    """Give back what this owner had claimed and not finished, at a clean stop or a restart on the same machine."""
    mine = and_(receipt.c.claimed_by == owner, receipt.c.outcome == Outcome.WAITING)
    return connection.execute(update(receipt).where(mine).values(claimed_by=None, claimed_until=None)).rowcount


def give_back(connection: Connection, ids: Sequence[int], reason: str) -> None:
    """A reading failed in our hands: it may be tried again, alone."""
    values = {"claimed_by": None, "claimed_until": None, "reason": reason}
    connection.execute(update(receipt).where(receipt.c.id.in_(ids)).values(values))


def set_aside(connection: Connection, receipt_id: int, reason: str) -> None:
    """The last resort for a receipt that nothing can be made of: it shows in the list, with its bytes."""
    values = {"outcome": Outcome.SET_ASIDE, "reason": reason, "claimed_by": None, "claimed_until": None}
    connection.execute(update(receipt).where(receipt.c.id == receipt_id).values(values))


def forget_attempts(connection: Connection, owner: str) -> None:
    """Readings of this owner that the tracker's own trouble ended: they were not the messages' fault."""
    mine = and_(receipt.c.claimed_by == owner, receipt.c.outcome == Outcome.WAITING, receipt.c.attempts > 0)
    values = {"attempts": receipt.c.attempts - 1, "claimed_by": None, "claimed_until": None}
    connection.execute(update(receipt).where(mine).values(values))
