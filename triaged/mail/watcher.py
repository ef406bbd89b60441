"""Watches the folders of one account for ever, by IDLE and by polling; it never changes the mailbox."""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from triaged.mail.imap import USUAL, ConnectionLost, ImapError, ImapSession, LoginRefused, Refused, Timeouts, connect
from triaged.mail.ports import FetchLimits, FolderStore, ImapAccount
from triaged.mail.retry import LOGIN_HOLD, RECONNECT_LONGEST, reconnect_delay
from triaged.mail.sweep import SERVER_TROUBLE, Strikes, Surroundings, sweep

IDLE_LONGEST = 540.0  # seconds; NAT boxes forget a silent connection well before the 29 minutes of RFC 2177 (IM-4)
# A message that arrives between a sweep and the next IDLE is announced by neither at some servers: after a sweep that
# brought something, the first wait is no longer than this.
_SETTLE_SECONDS = 1.0
_SWEEP_CONNECTIONS = 20  # that one sweep of a folder may cost; enough for a poisonous message to be set aside
_LIMITED = frozenset({"LIMIT", "OVERQUOTA"})


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """Something that a person or a log should know; `text` holds what the server said, never mail text."""

    kind: Literal["connected", "polling", "lost", "login_refused", "limited", "folder_refused", "unfetched", "failed"]
    at: datetime
    folder: str = ""
    code: str = ""  # the response code of RFC 5530, where there was one
    text: str = ""
    retry_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FolderSweep:
    """What a sweep of one folder came to; an empty error is a sweep that ended well."""

    folder: str
    taken: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class SweepResult:
    folders: tuple[FolderSweep, ...]

    @property
    def ok(self) -> bool:
        return not any(folder.error for folder in self.folders)


@dataclass(frozen=True, slots=True)
class FolderLook:
    """How much lies in a folder; `older` counts what the server received before the asked day."""

    folder: str
    exists: int
    uidnext: int
    older: int
    error: str = ""


def swept_folders(account: ImapAccount) -> tuple[str, ...]:
    """Every folder that is taken in. The sent folder comes first: what people answered from the mailbox is known before the
    answers to it are. IDLE never holds it.
    """
    return (*((account.sent_folder,) if account.sent_folder else ()), *account.folders)


def watch(
    account: ImapAccount,
    store: FolderStore,
    limits: FetchLimits,
    *,
    now: Callable[[], datetime],
    stop: threading.Event,
    arrived: Callable[[], None],
    report: Callable[[WatchEvent], None],
    random: Callable[[], float],
    timeouts: Timeouts = USUAL,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Keep every folder swept until `stop` is set. Blocks its thread; nothing that a server or the store does ends it.

    `arrived` is called after each committed batch, `random` gives numbers in [0, 1).
    """

    def unfetched(folder: str, uid: int, why: str) -> None:
        report(WatchEvent("unfetched", now(), folder, text=f"UID {uid}: {why}"))

    around = Surroundings(store, limits, now, stop.is_set, arrived, unfetched, Counter())
    watching = _Watch(account, around, report, stop, timeouts)
    while not stop.is_set():
        delay = 0.0
        try:
            watching.once(tls)
        except Exception as error:
            watching.failures += 1
            event = _event(error, now(), watching.failures, random())
            delay = event.retry_seconds
            report(event)
        stop.wait(delay)


def _event(error: Exception, at: datetime, failures: int, chance: float) -> WatchEvent:
    """What ended a connection, and how long to stay away (IM-11)."""
    delay = reconnect_delay(failures, chance)
    if not isinstance(error, ImapError):
        # The store, or a mistake of ours: the mail stays on the server, and the next sweep takes it in.
        return WatchEvent("failed", at, text=type(error).__name__, retry_seconds=delay)
    text, code = str(error), error.code
    if code in _LIMITED:
        return WatchEvent("limited", at, code=code, text=text, retry_seconds=RECONNECT_LONGEST)
    if isinstance(error, LoginRefused) and code not in SERVER_TROUBLE:
        return WatchEvent("login_refused", at, code=code, text=text, retry_seconds=LOGIN_HOLD.total_seconds())
    return WatchEvent("lost", at, code=code, text=text, retry_seconds=delay)


@dataclass(slots=True)
class _Watch:
    """The watching of one account, over all its connections."""

    account: ImapAccount
    around: Surroundings
    report: Callable[[WatchEvent], None]
    stop: threading.Event
    timeouts: Timeouts
    failures: int = 0  # in a row; a round of sweeps that ends well ends the row
    refused: dict[str, str] = field(default_factory=dict)  # by folder, the refusal that was reported
    sweeping: str = ""  # the folder at work; after a connection ended, the one that it ended in

    def once(self, tls: ssl.SSLContext | None) -> None:
        """One connection, from login to its end. Raises what ended it."""
        session = connect(self.account, self.timeouts, self.around.limits.literal_bytes, tls)
        try:
            self.report(WatchEvent("connected", self.around.now()))
            if not session.can_idle:
                self.report(WatchEvent("polling", self.around.now(), text="the server has no IDLE"))
            self._hold(session)
        except BaseException:
            session.close()
            raise
        session.logout()

    def _hold(self, session: ImapSession) -> None:
        """Sweep all, then wait on the first folder: what it announces is taken in at once, the others once a period."""
        first = self.account.folders[0]
        others = [folder for folder in swept_folders(self.account) if folder != first]
        period = min(float(self.account.poll_seconds), IDLE_LONGEST)
        if self.sweeping in others:
            # What ended the last connection may end this one: everything else goes before it.
            others = sorted(others, key=lambda folder: folder == self.sweeping)
            self._sweep(session, first)
        swept, fresh = float("-inf"), True
        while not self.stop.is_set():
            if time.monotonic() - swept >= period:
                # The others come first: the folder that IDLE holds must be the one opened last.
                self._sweep_others(session, others)
                swept = time.monotonic()
            taken = self._sweep(session, first)
            self.failures = 0
            left = max(0.0, swept + period - time.monotonic())
            if taken is None or not session.can_idle:
                self.stop.wait(left)
            elif left:
                session.idle(min(left, _SETTLE_SECONDS) if taken or fresh else left, self.stop)
            fresh = False

    def _sweep_others(self, session: ImapSession, folders: Sequence[str]) -> None:
        for folder in folders:
            if not self.stop.is_set():
                self._sweep(session, folder)

    def _sweep(self, session: ImapSession, folder: str) -> int | None:
        """Sweep one folder; a refusal concerns that folder alone: it is reported when it is news, and gives None."""
        self.sweeping = folder
        try:
            taken = sweep(session, folder, self.around)
        except Refused as error:
            if error.code in SERVER_TROUBLE:
                raise
            if self.refused.get(folder) != str(error):
                self.refused[folder] = str(error)
                self.report(WatchEvent("folder_refused", self.around.now(), folder, error.code, str(error)))
            return None
        self.refused.pop(folder, None)
        return taken


def sweep_all(
    account: ImapAccount,
    store: FolderStore,
    limits: FetchLimits,
    now: Callable[[], datetime],
    timeouts: Timeouts = USUAL,
    tls: ssl.SSLContext | None = None,
    folders: Sequence[str] | None = None,
) -> SweepResult:
    """Sweep every folder once, or those `folders`, each with its own error; raises nothing that a server does."""
    strikes: Strikes = Counter()
    around = Surroundings(store, limits, now, lambda: False, lambda: None, lambda folder, uid, why: None, strikes)
    results = []
    session: ImapSession | None = None
    for folder in folders or swept_folders(account):
        taken, error = 0, ""
        for _ in range(_SWEEP_CONNECTIONS):
            before = strikes.copy()
            try:
                session = session or connect(account, timeouts, limits.literal_bytes, tls)
                taken, error = sweep(session, folder, around), ""
            except ConnectionLost as lost:
                error = str(lost)
                if session:
                    session.close()
                session = None
                if strikes != before:
                    continue  # it was a message's doing, maybe: such a one is set aside after a few
            except ImapError as refused:
                error = str(refused)
            break
        results.append(FolderSweep(folder, taken, error))
    if session:
        session.logout()
    return SweepResult(tuple(results))


def look(
    account: ImapAccount, older_than: date, timeouts: Timeouts = USUAL, tls: ssl.SSLContext | None = None
) -> list[FolderLook]:
    """How much lies in each folder. Raises ImapError when there is no login; a folder has its own error."""
    session = connect(account, timeouts, tls=tls)
    try:
        return [_look(session, folder, older_than) for folder in swept_folders(account)]
    finally:
        session.logout()


def _look(session: ImapSession, folder: str, older_than: date) -> FolderLook:
    try:
        state = session.examine(folder)
        return FolderLook(folder, state.exists, state.uidnext, session.count_before(older_than))
    except Refused as error:
        return FolderLook(folder, 0, 0, 0, str(error))


def listing(session: ImapSession, folder: str) -> tuple[int, list[int]]:
    """UIDVALIDITY and every UID of the folder."""
    state = session.examine(folder)
    return state.uidvalidity, session.uids_after(0, state)
