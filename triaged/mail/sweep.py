"""Brings what is new in one folder into the store, batch by batch; it never changes the mailbox nor reads a message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from triaged.mail.imap import Announced, ConnectionLost, ImapSession, Refused, TooLarge
from triaged.mail.ports import Cursor, Fetched, FetchLimits, FolderStore

_ANNOUNCE = 500  # messages asked for size and date at a time
_ATTEMPTS = 3  # at one message that comes without octets, or with a NO
# A message whose fetching cost this many connections is asked for its beginning only, then for nothing.
_STRIKES_BEGINNING, _STRIKES_NOTHING = 5, 8
# RFC 5530: the server's trouble and not the message's.
SERVER_TROUBLE = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA"})
# May be either's: tried again later, like a lost connection, and not for ever.
_EITHERS_TROUBLE = frozenset({"SERVERBUG", "EXPUNGEISSUED"})

Strikes = Counter[tuple[str, int, int]]  # connections lost while fetching, by folder, UIDVALIDITY and UID


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sweeps of one account share over all its connections."""

    store: FolderStore
    limits: FetchLimits
    now: Callable[[], datetime]  # stands in for an INTERNALDATE that the server doesn't give
    stopped: Callable[[], bool]
    arrived: Callable[[], None]  # called after each batch is committed
    unfetched: Callable[[str, int, str], None]  # folder, UID and why it is kept without its octets
    strikes: Strikes


def sweep(session: ImapSession, folder: str, around: Surroundings) -> int:
    """Take in what is new, each batch committed before the next is asked for; how many messages. Raises ImapError."""
    state = session.examine(folder)
    cursor = around.store.open(folder, state.uidvalidity)
    uids = session.uids_after(cursor.last_uid, state)
    fetcher = _Fetcher(session, folder, cursor, session.is_junk(folder) if uids else False, around)
    taken = 0
    for start in range(0, len(uids), _ANNOUNCE):
        block = uids[start : start + _ANNOUNCE]
        announced = fetcher.announced(block)
        for batch in fetcher.batches(block, announced):
            kept = fetcher.fetch(batch, announced)
            around.store.keep(folder, cursor.uidvalidity, kept, batch[-1])
            around.arrived()
            taken += len(kept)
            if around.stopped():
                return taken
    around.store.swept(folder, state.exists)
    return taken


@dataclass(frozen=True, slots=True)
class _Fetcher:
    """One sweep of one folder over one connection."""

    session: ImapSession
    folder: str
    cursor: Cursor
    junk: bool
    around: Surroundings

    def announced(self, uids: Sequence[int]) -> dict[int, Announced]:
        """What the server says of each message, asked again for those that it left out though they are there."""
        found = self._announce(uids)
        missing = [uid for uid in uids if uid not in found]
        if not missing:
            return found
        there = sorted(self.session.present(missing))  # the others were expunged since the search (IM-5)
        again = {uid: said for one in there for uid, said in self._announce([one]).items()}
        return found | {uid: again.get(uid, Announced(0, None, False)) for uid in there}

    def _announce(self, uids: Sequence[int]) -> dict[int, Announced]:
        try:
            return self.session.announce(uids)
        except Refused as error:
            if error.code in SERVER_TROUBLE:
                raise
            return {}  # one of them can't be told of; which one, asking one by one will show

    def batches(self, uids: Sequence[int], announced: dict[int, Announced]) -> Iterator[list[int]]:
        """Cut the UIDs into FETCHes within the limits. History weighs nothing; what cost a connection goes alone."""
        limits = self.around.limits
        batch: list[int] = []
        messages = octets = 0
        for uid in uids:
            size = self._octets(announced.get(uid))
            suspect = self._strikes(uid) > 0
            full = messages == limits.fetch_messages or octets + size > limits.fetch_bytes
            if batch and (suspect or (size and messages and full)):
                yield batch
                batch, messages, octets = [], 0, 0
            batch.append(uid)
            messages += size > 0
            octets += size
            if suspect:
                yield batch
                batch, messages, octets = [], 0, 0
        if batch:
            yield batch

    def fetch(self, uids: Sequence[int], announced: dict[int, Announced]) -> list[Fetched]:
        """The messages of one batch that are still there."""
        wanted = [uid for uid in uids if uid in announced and not self._is_history(announced[uid])]
        raws = self._bodies([uid for uid in wanted if self._whole(uid, announced[uid])], announced)
        kept = []
        for uid in uids:
            if uid not in announced:
                continue
            said = announced[uid]
            one = self._kept(uid, said, None) if self._is_history(said) else self._one(uid, said, raws.get(uid))
            if one is not None:
                kept.append(one)
        return kept

    def _one(self, uid: int, said: Announced, raw: bytes | None) -> Fetched | None:
        """One message: whole, its beginning, or nothing of it after every attempt; None when it is gone."""
        if raw and len(raw) <= self.around.limits.message_bytes:
            return self._kept(uid, said, raw)
        if self._strikes(uid) >= _STRIKES_NOTHING:
            return self._nothing(uid, said, "fetching it ended the connection each time")
        if raw or not self._whole(uid, said):
            return self._beginning(uid, said)
        return self._again(uid, said)

    def _again(self, uid: int, said: Announced) -> Fetched | None:
        for _ in range(_ATTEMPTS - 1):
            raw = self._bodies([uid], {uid: said}).get(uid)
            if raw:
                return self._kept(uid, said, raw)
        if not self.session.present([uid]):
            return None
        return self._nothing(uid, said, "the server gave no octets of it")

    def _beginning(self, uid: int, said: Announced) -> Fetched | None:
        limits = self.around.limits
        try:
            with self._striking([uid]):
                raw = self.session.beginning(uid, limits.header_block_bytes, limits.oversize_body_bytes)
        except Refused as error:
            if error.code in SERVER_TROUBLE:
                raise
            return self._nothing(uid, said, str(error))
        return None if raw is None else self._kept(uid, said, raw, truncated=True)

    def _bodies(self, uids: list[int], announced: dict[int, Announced]) -> dict[int, bytes]:
        """Whole messages. After a NO to several, one by one, so that a bad one takes only itself down (IM-14)."""
        if not uids:
            return {}
        try:
            with self._striking(uids):
                return self.session.bodies(uids, sum(announced[uid].size for uid in uids))
        except Refused as error:
            if error.code in SERVER_TROUBLE:
                raise
        if len(uids) == 1:
            return {}
        return {uid: raw for one in uids for uid, raw in self._bodies([one], announced).items()}

    @contextmanager
    def _striking(self, uids: list[int]) -> Iterator[None]:
        """Remember whose fetching ended the connection, else a poisonous message would end it for ever."""
        keys = [(self.folder, self.cursor.uidvalidity, uid) for uid in uids]
        try:
            yield
        except ConnectionLost as error:
            weight = _STRIKES_BEGINNING if isinstance(error, TooLarge) and len(keys) == 1 else 1
            self.around.strikes.update(dict.fromkeys(keys, weight))
            raise
        except Refused as error:
            if error.code in _EITHERS_TROUBLE and len(keys) == 1:
                self.around.strikes.update(keys)
                raise ConnectionLost(str(error), error.code) from error
            raise
        for key in keys:
            self.around.strikes.pop(key, None)

    def _octets(self, said: Announced | None) -> int:
        """What fetching the message will bring, at least 1; 0 when nothing is fetched."""
        if said is None or self._is_history(said):
            return 0
        limits = self.around.limits
        if said.size > limits.message_bytes:
            return limits.header_block_bytes + limits.oversize_body_bytes
        return max(1, said.size)

    def _is_history(self, said: Announced) -> bool:
        return said.internal_date is not None and said.internal_date < self.cursor.history_before

    def _strikes(self, uid: int) -> int:
        return self.around.strikes.get((self.folder, self.cursor.uidvalidity, uid), 0)

    def _whole(self, uid: int, said: Announced) -> bool:
        return said.size <= self.around.limits.message_bytes and self._strikes(uid) < _STRIKES_BEGINNING

    def _nothing(self, uid: int, said: Announced, why: str) -> Fetched:
        self.around.unfetched(self.folder, uid, why)
        return self._kept(uid, said, b"")

    def _kept(self, uid: int, said: Announced, raw: bytes | None, truncated: bool = False) -> Fetched:
        received = said.internal_date or self.around.now()
        return Fetched(uid, received, said.size, raw, truncated, self.junk or said.junk)
