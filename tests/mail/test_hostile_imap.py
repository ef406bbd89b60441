"""What a broken, overloaded or hostile IMAP server does must not stop the watching, hang it or make it allocate."""

from __future__ import annotations

import resource
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mail.accounts import LIMITS, Imap, Store, Word, now, until
from tests.mail.scripted_imap import DATE, Connection, Hangup, ScriptedImap, drip, scripted
from tests.mail.test_watcher_contract import message, watching
from tests.servers import certificates
from triaged.mail.imap import ConnectionLost, LoginRefused, Refused, Timeouts, connect
from triaged.mail.watcher import SweepResult, WatchEvent, listing, sweep_all

QUICK = Timeouts(connect=1, read=0.5, command=1)
Act = Callable[[Connection, bytes, bytes], None]


def account(server: ScriptedImap, **more: object) -> Imap:
    return replace(Imap(server.port), **more)  # type: ignore[arg-type]


def sweep(server: ScriptedImap, store: Store, **more: object) -> SweepResult:
    return sweep_all(account(server), store, replace(LIMITS, **more), now, QUICK)  # type: ignore[arg-type]


def three() -> dict[int, bytes]:
    return {uid: message(uid) for uid in (3, 5, 9)}


def taken(store: Store, count: int) -> Callable[[], bool]:
    return lambda: len(store.kept) == count


def hangup(connection: Connection, tag: bytes, rest: bytes) -> None:
    raise Hangup


def black_hole(connection: Connection, tag: bytes, rest: bytes) -> None:
    connection.hang()


def after_continuation(*octets: bytes, then: Act = hangup) -> Act:
    def act(connection: Connection, tag: bytes, rest: bytes) -> None:
        for piece in octets:
            connection.say_raw(piece)
        then(connection, tag, rest)

    return act


IDLES: dict[str, Act] = {
    "closes": after_continuation(b"+ idling\r\n"),
    "closes before the +": hangup,
    "black hole": after_continuation(b"+ idling\r\n", then=black_hole),
    "black hole before the +": black_hole,
    "half a line": after_continuation(b"+ idling\r\n", b"* 4 EXI"),
    "half a line, then nothing": after_continuation(b"+ idling\r\n", b"* 4 EXI", then=black_hole),
    "says BYE": after_continuation(b"+ idling\r\n", b"* BYE shutting down\r\n"),
    "not IMAP": after_continuation(b"+ idling\r\n", b"\x00\xff\xfe garbage\r\n"),
    "a line without end": after_continuation(b"+ idling\r\n", b"* " + b"x" * 2_000_000),
    "refuses": after_continuation(b"", then=lambda connection, tag, rest: connection.say(tag + b" NO not now")),
}


@pytest.mark.parametrize("how", IDLES)
def test_whatever_happens_in_idle_the_next_message_is_taken_in(how: str) -> None:
    """IM-4, IM-11: a broken IDLE is a new connection, soon, and never a busy loop."""
    with scripted(messages=three()) as server:
        server.once(b"IDLE", IDLES[how])
        store = Store()
        with watching(account(server, poll_seconds=2), store, timeouts=QUICK) as events:
            until(lambda: len(store.kept) == 3)
            server.messages[12] = message(12)
            until(lambda: len(store.kept) == 4)
        assert server.connections <= 3
    assert len([event for event in events if event.kind == "lost"]) <= 2


def test_what_comes_before_or_with_the_continuation_is_news_at_once() -> None:
    """IM-4: octets read together with the "+" are in no poll's sight."""
    for octets in (b"* 4 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 4 EXISTS\r\n"):
        with scripted(messages=three()) as server:

            def idle(
                connection: Connection, tag: bytes, rest: bytes, server: ScriptedImap = server, octets: bytes = octets
            ) -> None:
                server.messages[12] = message(12)
                connection.say_raw(octets)
                next(connection.lines)
                connection.say(tag + b" OK done")

            store = Store()
            with watching(account(server), store, timeouts=QUICK) as events:
                until(taken(store, 3))
                server.once(b"IDLE", idle)
                until(taken(store, 4), 4)
            assert server.connections == 1, events


def test_waiting_in_idle_outlasts_the_deadline_of_a_command() -> None:
    """IM-4: the wait is the period's, not the deadline's."""
    with scripted(messages=three()) as server:
        store = Store()
        with watching(account(server, poll_seconds=4), store, timeouts=QUICK) as events:
            until(lambda: len(store.sweeps) == 3)
        assert [event.kind for event in events] == ["connected"]
        assert server.connections == 1


def test_a_dead_connection_is_found_within_two_periods() -> None:
    """IM-4: half-open TCP."""
    with scripted(messages=three()) as server:
        store = Store()
        with watching(account(server, poll_seconds=1), store, timeouts=QUICK) as events:
            until(lambda: store.sweeps)
            start = time.monotonic()
            server.act = dict.fromkeys((b"IDLE", b"EXAMINE", b"NOOP"), black_hole)
            until(lambda: any(event.kind == "lost" for event in events))
            assert time.monotonic() - start < 2 + QUICK.command


def test_without_idle_folders_are_polled() -> None:
    """IM-4."""
    with scripted(messages=three(), capabilities=b"IMAP4rev1") as server:
        store = Store()
        with watching(account(server, poll_seconds=1), store, timeouts=QUICK) as events:
            until(lambda: len(store.kept) == 3)
            server.messages[12] = message(12)
            until(lambda: len(store.kept) == 4, 3)
        assert "polling" in [event.kind for event in events]
        assert b"IDLE" not in server.commands


def test_a_literal_of_four_gigabytes_is_never_allocated_and_blocks_no_other_message() -> None:
    """IM-12, IM-14: the message is set aside after a few connections, the others arrive."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        for uid in connection.asked(rest):
            if uid == 5 and b"BODY.PEEK[]" in rest:
                connection.say_raw(b"* 1 FETCH (UID 5 BODY[] {4294967296}\r\n" + b"x" * 100_000)
                raise Hangup
            connection.fetch_one(uid, rest)
        connection.say(tag + b" OK done")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
    assert [(one.uid, one.raw, one.truncated) for _, _, one in store.kept] == [
        (3, message(3), False),
        (5, message(5), True),
        (9, message(9), False),
    ]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_message_that_kills_every_connection_is_set_aside_without_its_octets() -> None:
    """IM-14: one bad message, and the others are normal."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"BODY" in rest and 5 in connection.asked(rest):
            raise Hangup
        connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
    assert [(one.uid, one.raw) for _, _, one in store.kept] == [(3, message(3)), (5, b""), (9, message(9))]


def test_a_message_that_is_refused_takes_only_itself_down() -> None:
    """IM-14: NO to the batch, then to the one."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"BODY" in rest and 5 in connection.asked(rest):
            connection.say(tag + b" NO message is damaged")
        else:
            connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
        assert server.connections == 1
    assert [(one.uid, one.raw) for _, _, one in store.kept] == [(3, message(3)), (5, b""), (9, message(9))]


def test_a_message_whose_size_cannot_be_told_is_taken_in_all_the_same() -> None:
    """IM-14: NO to the announcement of a whole block."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"SIZE" in rest and 5 in connection.asked(rest):
            connection.say(tag + b" NO damaged index")
        else:
            connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
    assert store.raws() == [message(3), message(5), message(9)]


def test_a_servers_bug_is_given_time_and_not_for_ever() -> None:
    """IM-11, IM-14: SERVERBUG may pass, and may be the message's."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"BODY" in rest and 5 in connection.asked(rest):
            connection.say(tag + b" NO [SERVERBUG] internal error")
        else:
            connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
        assert server.connections > 3
    assert store.raws() == [message(3), b"", message(9)]


def test_a_busy_server_is_asked_again_later_and_no_message_is_set_aside() -> None:
    """IM-11: UNAVAILABLE says nothing about a message."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(tag + b" NO [UNAVAILABLE] later")

    with scripted(messages=three(), act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert not sweep(server, store).ok
        assert store.kept == []
        server.act.clear()
        assert sweep(server, store).ok
    assert store.raws() == [message(3), message(5), message(9)]


@pytest.mark.parametrize("empty", [b'BODY[] ""', b"BODY[] NIL", b"FLAGS (\\Seen)"])
def test_an_empty_answer_is_asked_for_again_and_then_kept_as_empty(empty: bytes) -> None:
    """IM-5: three attempts, and the receipt is there even so."""
    with scripted(messages=three()) as server:

        def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
            for uid in connection.asked(rest):
                if uid == 5 and b"BODY" in rest:
                    connection.say(b"* 1 FETCH (UID 5 " + empty + b")")
                else:
                    connection.fetch_one(uid, rest)
            connection.say(tag + b" OK done")

        server.act[b"UID FETCH"] = fetch
        store, events = Store(), list[WatchEvent]()
        with watching(account(server), store, timeouts=QUICK, report=events.append):
            until(lambda: len(store.kept) == 3)
        asked = sum(b"BODY.PEEK[]" in command and b"5" in command for command in server.commands)
    assert [one.raw for _, _, one in store.kept] == [message(3), b"", message(9)]
    assert asked == 3
    assert [event.kind for event in events if event.kind == "unfetched"] == ["unfetched"]


def test_a_message_gone_between_search_and_fetch_is_normal() -> None:
    """IM-5: no receipt, no error, and the cursor goes on."""
    with scripted(messages=three()) as server:

        def search(connection: Connection, tag: bytes, rest: bytes) -> None:
            connection.usual(b"UID SEARCH", tag, rest)
            server.messages.pop(5, None)

        server.once(b"UID SEARCH", search)
        store = Store()
        assert sweep(server, store).ok
    assert [one.uid for _, _, one in store.kept] == [3, 9]
    assert store.cursors["INBOX"].last_uid == 9


def test_an_answer_without_date_or_with_other_peoples_flags_is_taken_as_it_is() -> None:
    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(b"* 9 FETCH (UID 77 FLAGS (\\Seen))", b"* 2 EXPUNGE", b"* 8 EXISTS")
        if b"SIZE" in rest:
            connection.say(b'* 1 FETCH (UID 3 RFC822.SIZE 5 INTERNALDATE "99-Foo-0000 99:99:99 +9999" FLAGS ($Junk))')
            connection.say(tag + b" OK done")
        else:
            connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages={3: message(3)}, act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store).ok
    (one,) = [one for _, _, one in store.kept]
    assert one.raw == message(3) and one.junk
    assert abs((now() - one.internal_date).total_seconds()) < 60


def test_what_is_larger_than_announced_is_cut_all_the_same() -> None:
    """IM-12: the announced size is a claim."""

    def fetch(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"SIZE" in rest:
            connection.say(b"* 1 FETCH (UID 3 RFC822.SIZE 10 INTERNALDATE %s FLAGS ())" % DATE, tag + b" OK done")
        else:
            connection.usual(b"UID FETCH", tag, rest)

    with scripted(messages={3: message(3, 100_000)}, act={b"UID FETCH": fetch}) as server:
        store = Store()
        assert sweep(server, store, message_bytes=50_000).ok
    assert [one.truncated for _, _, one in store.kept] == [True]


GREETINGS: dict[str, Callable[[Connection], None]] = {
    "silence": lambda connection: connection.hang(),
    "BYE": lambda connection: connection.say(b"* BYE too many connections"),
    "junk": lambda connection: connection.say(b"HTTP/1.1 400 Bad Request"),
    "a literal": lambda connection: connection.say(b"* OK {99999999999}"),
    "drip": lambda connection: drip(connection, b"* OK " + b"x" * 200, 0.05),
    "flood": lambda connection: connection.say_raw(b"* OK x\r\n" * 2_000_000),
}


@pytest.mark.parametrize("how", GREETINGS)
def test_a_strange_greeting_ends_in_time(how: str) -> None:
    with scripted(greet=GREETINGS[how]) as server:
        start = time.monotonic()
        with pytest.raises(ConnectionLost):
            connect(account(server), QUICK)
        assert time.monotonic() - start < 8


@pytest.mark.parametrize("word", [b"EXAMINE", b"UID SEARCH", b"UID FETCH", b"LOGIN"])
@pytest.mark.parametrize("how", ["drips", "hangs", "closes", "junk", "other tag", "flood"])
def test_a_command_that_is_never_answered_well_ends_in_time(word: bytes, how: str) -> None:
    """IM-4, IM-14: a server that sends one octet now and then is not waited for, for ever."""
    acts: dict[str, Act] = {
        "drips": lambda connection, tag, rest: drip(connection, b"* OK " + b"x" * 200, 0.05),
        "hangs": black_hole,
        "closes": hangup,
        "junk": lambda connection, tag, rest: connection.say(b"\xff\x00\x01 ((((", tag + b" OK done"),
        "other tag": lambda connection, tag, rest: connection.say(b"ZZ99 OK done"),
        "flood": lambda connection, tag, rest: connection.say_raw(b"* 5 EXISTS\r\n" * 2_000_000),
    }
    with scripted(messages=three(), act={word: acts[how]}) as server:
        start = time.monotonic()
        result = sweep_all(account(server), Store(), replace(LIMITS, literal_bytes=1_000_000), now, QUICK)
        assert time.monotonic() - start < 30
    assert not result.ok or word == b"UID FETCH"


def test_close_from_another_thread_wakes_a_blocked_read() -> None:
    with scripted(messages=three(), act={b"EXAMINE": black_hole}) as server:
        session = connect(account(server), Timeouts())
        timer = threading.Timer(0.2, session.close)
        timer.start()
        start = time.monotonic()
        with pytest.raises(ConnectionLost):
            session.examine("INBOX")
        assert time.monotonic() - start < 2


def test_a_server_that_disables_login_gets_no_password() -> None:
    """IM-9."""
    for capabilities in (b"IMAP4rev1 LOGINDISABLED", b"IMAP4rev1 LOGINDISABLED AUTH=PLAIN"):
        with scripted(capabilities=capabilities) as server:
            with pytest.raises(LoginRefused, match="starttls"):
                connect(account(server), QUICK)
            assert not any(b"LOGIN" in command or b"AUTH" in command for command in server.commands)


def test_preauth_needs_no_login_and_forbids_starttls() -> None:
    """IM-9: PREAUTH on a connection that should get TLS is an attack."""
    with scripted(messages=three(), greet=lambda connection: connection.say(b"* PREAUTH welcome")) as server:
        with closing(connect(account(server), QUICK)) as session:
            assert listing(session, "INBOX") == (7, [3, 5, 9])
        assert not any(b"LOGIN" in command for command in server.commands)
        with pytest.raises(LoginRefused, match="PREAUTH"):
            connect(account(server, security="starttls"), QUICK)


def test_starttls_that_is_not_offered_gets_no_password() -> None:
    """IM-9."""
    with scripted(messages=three()) as server:
        with pytest.raises(LoginRefused, match="STARTTLS"):
            connect(account(server, security="starttls"), QUICK)
        assert not any(b"LOGIN" in command for command in server.commands)


def test_what_is_said_before_tls_is_forgotten(tmp_path: Path) -> None:
    """IM-9: octets that came in the clear with the answer to STARTTLS are somebody else's."""
    made = certificates.make(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(made.certificate, made.key)

    def starttls(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say_raw(tag + b" OK go\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* BYE\r\n")
        connection.server.capabilities = b"IMAP4rev1 IDLE"
        connection.secure(serving)

    with scripted(messages=three(), capabilities=b"IMAP4rev1 STARTTLS", act={b"STARTTLS": starttls}) as server:
        known = ssl.create_default_context(cafile=str(made.ca))
        with closing(connect(account(server, security="starttls"), Timeouts(), tls=known)) as session:
            assert listing(session, "INBOX") == (7, [3, 5, 9])
            assert session.can_idle
        first = server.commands.index(b"STARTTLS")
        assert not any(b"LOGIN" in command for command in server.commands[:first])


LOGINS = [
    (b"AUTHENTICATIONFAILED", "login_refused", 900.0),
    (b"AUTHORIZATIONFAILED", "login_refused", 900.0),
    (b"EXPIRED", "login_refused", 900.0),
    (b"UNAVAILABLE", "lost", 1.0),
    (b"INUSE", "lost", 1.0),
    (b"LIMIT", "limited", 300.0),
    (b"OVERQUOTA", "limited", 300.0),
]


@pytest.mark.parametrize(("code", "kind", "seconds"), LOGINS)
def test_a_refused_login_is_tried_again_as_its_reason_allows(code: bytes, kind: str, seconds: float) -> None:
    """IM-11, RFC 5530: a wrong password slowly, or the account is locked; a busy server soon."""

    def login(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(tag + b" NO [" + code + b"] no")

    with scripted(act={b"LOGIN": login}) as server, watching(account(server), Store(), timeouts=QUICK) as events:
        until(lambda: events)
    assert (events[0].kind, events[0].retry_seconds, events[0].code) == (kind, seconds, code.decode())


ENDS_AT_LOGIN = [
    (b"", "lost", 1.0),
    (b"* BYE the server is going down\r\n", "lost", 1.0),
    (b"* BYE [UNAVAILABLE] later\r\n", "lost", 1.0),
    (b"* BYE [AUTHENTICATIONFAILED] no\r\n", "login_refused", 900.0),
]


@pytest.mark.parametrize("capabilities", [b"IMAP4rev1 IDLE", b"IMAP4rev1 IDLE AUTH=PLAIN"])
@pytest.mark.parametrize(("said", "kind", "seconds"), ENDS_AT_LOGIN)
def test_a_line_that_ends_at_login_is_no_refused_password(
    capabilities: bytes, said: bytes, kind: str, seconds: float
) -> None:
    """IM-11: the mailbox is not left alone for a quarter of an hour because a line was cut in the wrong moment."""

    def login(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say_raw(said)
        raise Hangup

    acts = {b"LOGIN": login, b"AUTHENTICATE": login}
    with (
        scripted(capabilities=capabilities, act=acts) as server,
        watching(account(server), Store(), timeouts=QUICK) as events,
    ):
        until(lambda: events)
    assert (events[0].kind, events[0].retry_seconds) == (kind, seconds)


def test_reconnecting_waits_longer_each_time_and_starts_over_when_it_works() -> None:
    """IM-11: a server that hangs up at once isn't hammered."""
    with scripted(act={b"EXAMINE": hangup}) as server, watching(account(server), Store(), timeouts=QUICK) as events:
        until(lambda: len([event for event in events if event.kind == "lost"]) == 3)
    assert [event.retry_seconds for event in events if event.kind == "lost"] == [1.0, 1.5, 3.0]


def test_a_folder_that_ends_every_connection_keeps_no_other_waiting() -> None:
    """IM-14: what ended one connection comes last on the next, and the waits grow."""

    def examine(connection: Connection, tag: bytes, rest: bytes) -> None:
        if b"Bad" in rest:
            raise Hangup
        connection.usual(b"EXAMINE", tag, rest)

    with scripted(messages=three(), act={b"EXAMINE": examine}) as server:
        store = Store()
        with watching(account(server, folders=("INBOX", "Bad", "Good")), store, timeouts=QUICK) as events:
            until(lambda: len([event for event in events if event.kind == "lost"]) == 3)
    assert len(store.raws("INBOX")) == len(store.raws("Good")) == 3
    assert [event.retry_seconds for event in events if event.kind == "lost"] == [1.0, 1.5, 3.0]


def test_no_line_end_in_a_name_ever_reaches_the_server() -> None:
    """AT-1: a folder name is a word of a command."""
    with scripted(messages=three()) as server, closing(connect(account(server), QUICK)) as session:
        for name in ("INBOX\r\nA9 DELETE INBOX", "a\x00b", "a\x7fb"):
            with pytest.raises(Refused):
                session.examine(name)
            with pytest.raises(Refused):
                session.append(name, b"x\r\n")
        assert not any(b"DELETE" in command for command in server.commands)
        with pytest.raises(Refused):
            connect(account(server, password=Word("a\r\nA9 DELETE INBOX")), QUICK)


def test_a_user_name_is_quoted() -> None:
    with scripted(messages=three()) as server:
        connect(account(server, username='DOMAIN\\some "one"'), QUICK).logout()
        assert rb'LOGIN "DOMAIN\\some \"one\"" "demo"' in server.commands


def test_a_million_uids_fit_in_one_answer() -> None:
    """IM-2: the library alone stops at a line of 1 MB, some 140,000 UIDs."""
    uids = range(4_000_000_000, 4_000_300_000)
    with scripted() as server:

        def examine(connection: Connection, tag: bytes, rest: bytes) -> None:
            connection.say(b"* %d EXISTS" % len(uids), b"* OK [UIDVALIDITY 1] ok", tag + b" OK done")

        def search(connection: Connection, tag: bytes, rest: bytes) -> None:
            connection.say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids), tag + b" OK done")

        server.act = {b"EXAMINE": examine, b"UID SEARCH": search}
        with closing(connect(account(server), Timeouts())) as session:
            assert listing(session, "INBOX") == (1, list(uids))


def test_what_the_mailbox_sees_is_reading_only() -> None:
    """IM-1, IM-6, IM-7: EXAMINE and PEEK, and no command that changes anything."""
    with scripted(messages=three()) as server:
        store = Store()
        with watching(account(server), store, timeouts=QUICK):
            until(lambda: len(store.kept) == 3)
    words = {command.split(b" ")[0] for command in server.commands}
    assert words <= {b"CAPABILITY", b"LOGIN", b"EXAMINE", b"UID", b"LIST", b"IDLE", b"LOGOUT"}
    assert all(b"PEEK" in command for command in server.commands if b"BODY" in command)
    assert not any(word in command for command in server.commands for word in (b"STORE", b"MOVE", b"EXPUNGE"))
