"""Accounts, a store in memory and waiting, for the tests of mail transport."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from triaged.mail.ports import Cursor, Fetched, FetchLimits

LIMITS = FetchLimits(
    message_bytes=52_428_800,
    header_block_bytes=262_144,
    oversize_body_bytes=65_536,
    fetch_messages=50,
    fetch_bytes=8_388_608,
    literal_bytes=134_217_728,
)
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Word:
    """A secret that tests know."""

    value: str

    def reveal(self) -> str:
        return self.value


@dataclass(frozen=True)
class Imap:
    port: int
    host: str = "127.0.0.1"
    security: str = "none"
    username: str = "security@example.test"
    password: Word = Word("demo")
    folders: tuple[str, ...] = ("INBOX",)
    poll_seconds: int = 60
    sent_folder: str = ""


@dataclass(frozen=True)
class Smtp:
    port: int
    host: str = "127.0.0.1"
    security: str = "none"
    username: str = ""
    password: Word | None = None


@dataclass
class Store:
    """A FolderStore in memory that remembers every call, and fails where it is told to."""

    history_before: datetime = LONG_AGO
    cursors: dict[str, Cursor] = field(default_factory=dict)
    kept: list[tuple[str, int, Fetched]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    sweeps: list[tuple[str, int]] = field(default_factory=list)
    failures: int = 0  # the next that many keeps raise

    def open(self, folder: str, uidvalidity: int) -> Cursor:
        known = self.cursors.get(folder)
        if known is None or known.uidvalidity != uidvalidity:
            self.cursors[folder] = Cursor(uidvalidity, 0, self.history_before)
        return self.cursors[folder]

    def keep(self, folder: str, uidvalidity: int, batch: Sequence[Fetched], last_uid: int) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the disk is full")
        self.kept += [(folder, uidvalidity, one) for one in batch]
        self.batches.append(len(batch))
        self.cursors[folder] = Cursor(uidvalidity, last_uid, self.history_before)

    def swept(self, folder: str, at_count: int) -> None:
        self.sweeps.append((folder, at_count))

    def raws(self, folder: str = "INBOX") -> list[bytes | None]:
        return [one.raw for where, _, one in self.kept if where == folder]


def now() -> datetime:
    return datetime.now(UTC)


def until(condition: Callable[[], object], seconds: float = 15, what: str = "") -> None:
    """Wait; AssertionError when it doesn't become true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what or "waited in vain"
        time.sleep(0.01)


def stopped_after(seconds: float, thread: threading.Thread) -> bool:
    thread.join(seconds)
    return not thread.is_alive()
