"""What watching a folder promises, held against three makes of server: the embedded one, Dovecot and Cyrus."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.mail.accounts import LIMITS, Imap, Store, Word, now, stopped_after, until
from tests.servers.dovecot import Dovecot
from triaged.demo.server import EmbeddedMail
from triaged.mail.imap import LoginRefused, Timeouts, connect
from triaged.mail.ports import FetchLimits
from triaged.mail.sent import append_once
from triaged.mail.watcher import WatchEvent, listing, look, sweep_all, watch

NUMBERS = count(1)


@dataclass
class Mailbox:
    """One fresh address at a server, seen by a colleague over plain imaplib."""

    account: Imap
    kind: str

    @contextlib.contextmanager
    def colleague(self, folder: str = "INBOX", readonly: bool = False) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(self.account.host, self.account.port, timeout=20) as peer:
            peer.login(self.account.username, self.account.password.reveal())
            peer.select(f'"{folder}"', readonly=readonly)
            yield peer

    def append(self, *raws: bytes, folder: str = "INBOX", when: datetime | None = None, flags: str = "") -> None:
        with self.colleague() as peer:
            for raw in raws:
                stamp = imaplib.Time2Internaldate(when) if when else ""
                kind, answer = peer.append(f'"{folder}"', flags, stamp, raw)
                assert kind == "OK", answer

    def create(self, folder: str) -> None:
        with self.colleague() as peer:
            assert peer.create(f'"{folder}"')[0] == "OK"

    def expunge(self, uids: str) -> None:
        with self.colleague() as peer:
            peer.uid("STORE", uids, "+FLAGS", r"(\Deleted)")
            peer.expunge()

    def flags(self, folder: str = "INBOX") -> list[bytes]:
        with self.colleague(folder, readonly=True) as peer:
            return [row for row in peer.fetch("1:*", "(FLAGS)")[1] if isinstance(row, bytes)]

    def raws(self, folder: str = "INBOX") -> list[bytes]:
        with self.colleague(folder, readonly=True) as peer:
            return [row[1] for row in peer.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(row, tuple)]


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedMail]:
    with EmbeddedMail() as mail:
        yield mail


@pytest.fixture(params=["embedded", "dovecot", "cyrus"])
def mailbox(request: pytest.FixtureRequest) -> Mailbox:
    """A fresh address at each server."""
    server: Any = request.getfixturevalue(request.param)
    return Mailbox(Imap(server.imap_port, username=f"watched{next(NUMBERS)}@example.test"), request.param)


def message(number: int, size: int = 0) -> bytes:
    head = f"From: noa@example.org\r\nSubject: report {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
    return head.encode() + b"text\r\n" + b"0123456789abcde\r\n" * (size // 17)


def sweep(mailbox: Mailbox, store: Store, limits: FetchLimits = LIMITS, account: Imap | None = None) -> None:
    result = sweep_all(account or mailbox.account, store, limits, now)
    assert result.ok, result


@contextlib.contextmanager
def watching(account: Imap, store: Store, limits: FetchLimits = LIMITS, **more: Any) -> Iterator[list[WatchEvent]]:
    """A watcher in a thread; it must end by itself soon after it is asked to."""
    stop, events = threading.Event(), list[WatchEvent]()
    arguments = {"arrived": lambda: None, "report": events.append, "random": lambda: 0.5} | more
    thread = threading.Thread(
        target=watch, args=(account, store, limits), kwargs={"now": now, "stop": stop} | arguments, daemon=True
    )
    thread.start()
    try:
        yield events
    finally:
        stop.set()
        assert stopped_after(5, thread), "the watcher didn't stop"


def test_everything_is_taken_in_once_whole_and_in_order(mailbox: Mailbox) -> None:
    raws = [message(number) for number in range(5)]
    mailbox.append(*raws)
    store = Store()
    sweep(mailbox, store)
    sweep(mailbox, store)
    assert store.raws() == raws
    assert [one.size for _, _, one in store.kept] == [len(raw) for raw in raws]
    assert store.sweeps == [("INBOX", 5), ("INBOX", 5)]


def test_an_empty_folder_and_an_empty_poll_bring_nothing(mailbox: Mailbox) -> None:
    """IM-2: "N:*" names the last message even where there is no new one."""
    store = Store()
    sweep(mailbox, store)
    mailbox.append(message(1))
    for _ in range(3):
        sweep(mailbox, store)
    assert len(store.kept) == 1


def test_reading_leaves_no_trace_and_what_a_colleague_read_is_taken_in_all_the_same(mailbox: Mailbox) -> None:
    """IM-1."""
    mailbox.append(message(1))
    mailbox.append(message(2), flags=r"(\Seen)")
    before = [b"Seen" in flags for flags in mailbox.flags()]
    store = Store()
    sweep(mailbox, store)
    assert len(store.kept) == 2
    assert [b"Seen" in flags for flags in mailbox.flags()] == before == [False, True]


def test_gaps_and_expunged_messages_are_normal(mailbox: Mailbox) -> None:
    """IM-5."""
    mailbox.append(*(message(number) for number in range(6)))
    uids = sorted(listing_of(mailbox)[1])
    mailbox.expunge(f"{uids[1]},{uids[3]}")
    store = Store()
    sweep(mailbox, store)
    assert [one.uid for _, _, one in store.kept] == [uids[0], uids[2], uids[4], uids[5]]


def listing_of(mailbox: Mailbox, folder: str = "INBOX") -> tuple[int, list[int]]:
    session = connect(mailbox.account)
    try:
        return listing(session, folder)
    finally:
        session.logout()


def test_batches_stay_within_their_limits_and_each_is_committed(mailbox: Mailbox) -> None:
    mailbox.append(*(message(number, 1000) for number in range(25)))
    store = Store()
    sweep(mailbox, store, replace(LIMITS, fetch_messages=10))
    assert store.batches == [10, 10, 5]
    small = Store()
    sweep(mailbox, small, replace(LIMITS, fetch_bytes=3500))
    assert max(small.batches) == 3 and sum(small.batches) == 25


def test_a_message_larger_than_a_batch_goes_alone_and_whole(mailbox: Mailbox) -> None:
    mailbox.append(message(1), message(2, 50_000), message(3))
    store = Store()
    sweep(mailbox, store, replace(LIMITS, fetch_bytes=2000))
    assert store.batches == [1, 1, 1]
    assert not any(one.truncated for _, _, one in store.kept)


def test_a_failed_commit_loses_nothing_and_repeats_nothing(mailbox: Mailbox) -> None:
    """The cursor moves with the receipts or not at all."""
    mailbox.append(*(message(number) for number in range(30)))
    store = Store(failures=1)
    with watching(mailbox.account, store, replace(LIMITS, fetch_messages=10)) as events:
        until(lambda: len(store.kept) == 30)
    assert store.raws() == [message(number) for number in range(30)]
    assert [event.kind for event in events if event.kind == "failed"] == ["failed"]


def test_an_oversize_message_comes_as_its_header_and_the_first_of_its_body(mailbox: Mailbox) -> None:
    """IM-12."""
    large = message(1, 40_000)
    mailbox.append(large, message(2))
    store = Store()
    sweep(mailbox, store, replace(LIMITS, message_bytes=20_000, oversize_body_bytes=1000))
    (first, second) = [one for _, _, one in store.kept]
    header, _, body = large.partition(b"\r\n\r\n")
    assert first.raw == header + b"\r\n\r\n" + body[:1000]
    assert (first.truncated, first.size) == (True, len(large))
    assert (second.truncated, second.raw) == (False, message(2))


def test_an_oversize_header_is_cut_too(mailbox: Mailbox) -> None:
    """IM-12, AT-14."""
    mailbox.append(b"X-Long: " + b"\r\n ".join([b"y" * 900] * 60) + b"\r\nSubject: z\r\n\r\nbody\r\n")
    store = Store()
    sweep(mailbox, store, replace(LIMITS, message_bytes=20_000, header_block_bytes=5000))
    (one,) = [one for _, _, one in store.kept]
    assert one.truncated and one.raw is not None
    assert len(one.raw) <= 5000 + 4 + LIMITS.oversize_body_bytes
    assert one.raw.startswith(b"X-Long: yyy")


def test_history_is_recorded_and_not_fetched(mailbox: Mailbox) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    old = today - timedelta(days=30)
    mailbox.append(message(1), message(2), when=old)
    mailbox.append(message(3), when=today)
    store = Store(history_before=today - timedelta(days=7))
    sweep(mailbox, store)
    assert store.raws() == [None, None, message(3)]
    assert [one.internal_date for _, _, one in store.kept] == [old, old, today]


def test_the_hour_of_receipt_is_aware_utc(mailbox: Mailbox) -> None:
    when = datetime(2026, 3, 29, 3, 30, tzinfo=UTC)
    mailbox.append(message(1), when=when.astimezone())
    store = Store()
    sweep(mailbox, store)
    internal = store.kept[0][2].internal_date
    assert internal == when and internal.tzinfo is UTC


def test_malformed_octets_come_as_they_are(mailbox: Mailbox) -> None:
    """IM-14: nothing about a message's content can stop the sweep."""
    raws = [b"no header\r\n", b"Subject: \xff\xfe\r\n\r\n\x80\x81 {5}\r\n", b"a: b\r\n\r\n)\r\n* BYE\r\nA1 OK\r\n"]
    for raw in raws:
        with contextlib.suppress(AssertionError):  # Cyrus refuses what has no header at all
            mailbox.append(raw)
    store = Store()
    sweep(mailbox, store)
    assert store.raws() == mailbox.raws() != []


def test_every_folder_is_swept_and_junk_is_marked(mailbox: Mailbox) -> None:
    """IM-13: a report in Junk has a running clock."""
    for folder in ("Junk", "Söme Folder"):
        with contextlib.suppress(AssertionError):
            mailbox.create("S&APY-me Folder" if folder != "Junk" else folder)
    mailbox.append(message(1))
    mailbox.append(message(2), folder="Junk")
    mailbox.append(message(3), folder="S&APY-me Folder")
    store = Store()
    sweep(mailbox, store, account=replace(mailbox.account, folders=("INBOX", "Junk", "Söme Folder")))
    assert {(folder, one.raw, one.junk) for folder, _, one in store.kept} == {
        ("INBOX", message(1), False),
        ("Junk", message(2), True),
        ("Söme Folder", message(3), False),
    }


def test_a_missing_folder_is_told_and_the_others_go_on(mailbox: Mailbox) -> None:
    mailbox.append(message(1))
    store = Store()
    account = replace(mailbox.account, folders=("No such", "INBOX"))
    result = sweep_all(account, store, LIMITS, now)
    assert [(one.folder, bool(one.error)) for one in result.folders] == [("No such", True), ("INBOX", False)]
    assert not result.ok and len(store.kept) == 1
    with watching(replace(account, poll_seconds=1), store) as events:
        mailbox.append(message(2))
        until(lambda: len(store.kept) == 2)
        until(lambda: len(store.sweeps) > 4)
    assert [event.folder for event in events if event.kind == "folder_refused"] == ["No such"]


def test_a_watched_message_arrives_at_once(mailbox: Mailbox) -> None:
    """IM-4: IDLE, not the poll, brings it."""
    store, woken = Store(), threading.Event()
    with watching(mailbox.account, store, arrived=woken.set):
        until(lambda: store.sweeps)
        time.sleep(0.2)
        for number in range(5):
            woken.clear()
            start = time.monotonic()
            mailbox.append(message(number))
            assert woken.wait(5)
            assert time.monotonic() - start < 2
    assert store.raws() == [message(number) for number in range(5)]


def test_other_folders_are_swept_within_the_period(mailbox: Mailbox) -> None:
    mailbox.create("Reports")
    store = Store()
    with watching(replace(mailbox.account, folders=("INBOX", "Reports"), poll_seconds=1), store):
        until(lambda: store.sweeps)
        mailbox.append(message(1), folder="Reports")
        until(lambda: store.raws("Reports"), 5)
        mailbox.append(message(2))
        until(lambda: store.raws("INBOX"), 5)


def test_a_flood_while_watching_is_taken_in_once_each(mailbox: Mailbox) -> None:
    store = Store()
    with watching(mailbox.account, store):
        with mailbox.colleague() as peer:
            for number in range(120):
                peer.append("INBOX", "", "", message(number))
        until(lambda: len(store.kept) >= 120)
    assert sorted(raw for raw in store.raws() if raw) == sorted(message(number) for number in range(120))


def test_a_refused_login_says_so(mailbox: Mailbox) -> None:
    wrong = replace(mailbox.account, password=Word("wrong"))
    with pytest.raises(LoginRefused):
        connect(wrong)
    result = sweep_all(wrong, Store(), LIMITS, now)
    assert not result.ok and result.folders[0].error


def test_look_counts_and_takes_nothing(mailbox: Mailbox) -> None:
    mailbox.append(message(1), when=datetime.now(UTC) - timedelta(days=30))
    mailbox.append(message(2), message(3))
    account = replace(mailbox.account, folders=("INBOX", "No such"))
    (inbox, missing) = look(account, (datetime.now(UTC) - timedelta(days=7)).date())
    assert (inbox.exists, inbox.older, inbox.error) == (3, 1, "")
    assert missing.error


def keep_copy(mailbox: Mailbox, folder: str, message_id: str, letter: bytes) -> bool:
    with contextlib.closing(connect(mailbox.account)) as session:
        return append_once(session, folder, message_id, letter)


def test_a_sent_copy_is_kept_once_and_read(mailbox: Mailbox) -> None:
    """IM-15: a second try after a crash adds none."""
    mailbox.create("Sent items")
    letter = message(7).replace(b"<7@example.org>", b"<r.7f3k.9qxd@example.test>")
    for expected in (True, False):
        assert keep_copy(mailbox, "Sent items", "<r.7f3k.9qxd@example.test>", letter) is expected
    assert mailbox.raws("Sent items") == [letter]
    assert [b"Seen" in flags for flags in mailbox.flags("Sent items")] == [True]


def test_a_sent_folder_that_is_not_there_says_what_to_do(mailbox: Mailbox) -> None:
    with pytest.raises(Exception, match="create it"):
        keep_copy(mailbox, "No such", "<a@example.test>", message(1))


def test_the_sent_folder_is_taken_in_first_and_never_held_by_idle(mailbox: Mailbox) -> None:
    """What people answered from the mailbox is known before the answers to it are."""
    mailbox.create("Sent items")
    account = replace(mailbox.account, sent_folder="Sent items", poll_seconds=1)
    mailbox.append(message(1))
    mailbox.append(message(2), folder="Sent items", flags=r"(\Seen)")
    store = Store()
    sweep(mailbox, store, account=account)
    assert [(folder, one.raw) for folder, _, one in store.kept] == [("Sent items", message(2)), ("INBOX", message(1))]
    with watching(account, store):
        until(lambda: {folder for folder, _ in store.sweeps[2:]} == {"Sent items", "INBOX"})
        mailbox.append(message(3))
        until(lambda: store.raws("INBOX") == [message(1), message(3)])
        mailbox.append(message(4), folder="Sent items")
        until(lambda: store.raws("Sent items") == [message(2), message(4)])


@pytest.mark.parametrize("hostile", ['<a@x>"\r\nA9 DELETE INBOX', "<a b@x>", "", "<a@x\r\n>", "<ä@x>"])
def test_no_foreign_message_id_is_ever_searched_for(mailbox: Mailbox, hostile: str) -> None:
    with pytest.raises(ValueError, match="that we made"):
        keep_copy(mailbox, "INBOX", hostile, message(1))


# What only Dovecot can show.


def test_renumbered_folders_are_read_again_from_the_start(dovecot: Dovecot) -> None:
    """IM-3: the store tells the copies by their content."""
    mailbox = Mailbox(Imap(dovecot.imap_port, username=f"renumbered{next(NUMBERS)}@example.test"), "dovecot")
    mailbox.append(message(1), message(2))
    store = Store()
    sweep(mailbox, store)
    dovecot.renumber(mailbox.account.username)
    sweep(mailbox, store)
    assert store.raws() == [message(1), message(2)] * 2
    assert len({uidvalidity for _, uidvalidity, _ in store.kept}) == 2


def test_a_kicked_connection_comes_back_by_itself(dovecot: Dovecot) -> None:
    """IM-11: BYE."""
    mailbox = Mailbox(Imap(dovecot.imap_port, username=f"kicked{next(NUMBERS)}@example.test"), "dovecot")
    store = Store()
    with watching(mailbox.account, store) as events:
        until(lambda: store.sweeps)
        dovecot.kick(mailbox.account.username)
        until(lambda: sum(event.kind == "connected" for event in events) == 2)
        mailbox.append(message(1))
        until(lambda: store.kept)
    assert [event.kind for event in events] == ["connected", "lost", "connected"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificates_are_verified(dovecot: Dovecot, security: str) -> None:
    """IM-9: a stranger's certificate gets no password."""
    port = dovecot.imaps_port if security == "tls" else dovecot.imap_port
    mailbox = Mailbox(Imap(dovecot.imap_port, username=f"tls{next(NUMBERS)}@example.test"), "dovecot")
    account = replace(mailbox.account, port=port, security=security)
    mailbox.append(message(1))
    store, known = Store(), ssl.create_default_context(cafile=str(dovecot.certificates.ca))
    assert sweep_all(account, store, LIMITS, now, tls=known).ok
    assert store.raws() == [message(1)]
    result = sweep_all(account, Store(), LIMITS, now)
    assert "CERTIFICATE_VERIFY_FAILED" in result.folders[0].error


def test_idle_over_tls_wakes_and_rests(dovecot: Dovecot) -> None:
    """IM-4: octets inside the TLS layer are seen, and TLS records without data wake nobody for long."""
    mailbox = Mailbox(Imap(dovecot.imap_port, username=f"idle{next(NUMBERS)}@example.test"), "dovecot")
    known = ssl.create_default_context(cafile=str(dovecot.certificates.ca))
    store = Store()
    account = replace(mailbox.account, port=dovecot.imaps_port, security="tls")
    with watching(account, store, tls=known):
        until(lambda: store.sweeps)
        time.sleep(2.5)
        assert len(store.sweeps) <= 3
        for number in range(10):
            mailbox.append(message(number))
            until(lambda: len(store.kept) == len(mailbox.raws()), 3)


def test_a_password_outside_ascii_logs_in(dovecot: Dovecot) -> None:
    """AUTHENTICATE PLAIN carries UTF-8 (RFC 4616); LOGIN couldn't."""
    user = f"umlaut{next(NUMBERS)}@example.test"
    dovecot.set_password(user, "pässwörd")
    account = Imap(dovecot.imap_port, username=user, password=Word("pässwörd"))
    connect(account, Timeouts(read=5, command=5)).logout()
