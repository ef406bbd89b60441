"""Handing letters to a submission server: every reply, every way to lose the connection (SM-2 to SM-9, SM-11)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from tests.mail.accounts import Smtp, Word
from tests.servers import certificates
from tests.servers import sink as sinks
from tests.servers.sink import Answer, Sink
from triaged.mail.ports import Outcome, Parcel, Permanent, Sent, Temporary, Unknown
from triaged.mail.smtp import Submission, helo_name
from triaged.mail.transaction import Timeouts, unfit, xtext

T = TypeVar("T")
QUICK = Timeouts(greeting=0.4, mail=0.4, rcpt=0.4, data=0.4, block=0.4, final_dot=0.4)
LETTER = Parcel("b@example.test", "noa@example.org", b"Subject: hello\r\n\r\n.a line\r\nend\r\n", "letter-1")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def send_over(account: Smtp, *parcels: Parcel, timeouts: Timeouts = QUICK, **more: Any) -> list[Outcome]:
    submission = Submission(account, 1, timeouts, **more)
    try:
        return [await submission.send(parcel) for parcel in parcels]
    finally:
        await submission.close()


def send(sink: Sink, *parcels: Parcel, **more: Any) -> list[Outcome]:
    return run(send_over(Smtp(sink.port), *parcels, **more))


def test_the_octets_arrive_as_they_are_dots_and_all(sink: Sink) -> None:
    """SM-11: dot-stuffing is undone at the other end, and nothing else is touched."""
    (outcome,) = send(sink, LETTER)
    assert outcome == Sent("250 2.0.0 taken")
    assert [(mail.sender, mail.recipients, mail.data) for mail in sink.mails] == [
        ("b@example.test", ("noa@example.org",), LETTER.data)
    ]


def test_the_null_return_path_is_an_empty_one(sink: Sink) -> None:
    send(sink, replace(LETTER, sender=""))
    assert any(command.startswith("MAIL FROM:<> ") for command in sink.commands)


def test_one_connection_serves_many_letters_and_each_is_a_transaction(sink: Sink) -> None:
    """SM-6: one recipient each."""
    outcomes = send(sink, *[LETTER] * 20)
    assert {type(outcome) for outcome in outcomes} == {Sent}
    assert sink.behaviour.connections == 1
    assert all(len(mail.recipients) == 1 for mail in sink.mails)


def test_no_more_connections_are_opened_than_allowed(sink: Sink) -> None:
    async def flood() -> list[Outcome]:
        submission = Submission(Smtp(sink.port), 3)
        outcomes = await asyncio.gather(*(submission.send(LETTER) for _ in range(60)))
        await submission.close()
        return list(outcomes)

    assert {type(outcome) for outcome in run(flood())} == {Sent}
    assert sink.count == 60
    assert sink.behaviour.connections <= 3


def test_an_unused_connection_is_closed_with_quit(sink: Sink) -> None:
    async def idle() -> None:
        submission = Submission(Smtp(sink.port), 1, QUICK, idle_seconds=0.05)
        await submission.send(LETTER)
        await asyncio.sleep(0.3)
        assert sink.behaviour.open == 0
        await submission.close()

    run(idle())
    assert sink.commands[-1] == "QUIT"


def test_a_connection_that_the_server_closed_between_letters_costs_nothing(sink: Sink) -> None:
    async def two() -> list[Outcome]:
        submission = Submission(Smtp(sink.port), 1, QUICK)
        first = await submission.send(LETTER)
        sink.stop()
        sink.start()
        second = await submission.send(LETTER)
        await submission.close()
        return [first, second]

    assert {type(outcome) for outcome in run(two())} == {Sent}
    assert sink.count == 2


def test_a_server_that_hangs_up_at_mail_on_a_kept_connection_gets_the_letter_on_a_new_one(sink: Sink) -> None:
    sink.script("mail", Answer(), Answer(drop=True))
    assert {type(outcome) for outcome in send(sink, LETTER, LETTER)} == {Sent}
    assert sink.behaviour.connections == 2


REPLIES: list[tuple[str, int, Outcome]] = [
    ("greeting", 421, Temporary("421 scripted", "server")),
    ("greeting", 450, Temporary("450 scripted", "server")),
    ("greeting", 554, Temporary("554 scripted", "server")),
    ("ehlo", 421, Temporary("421 scripted", "server")),
    ("mail", 421, Temporary("421 scripted", "server")),
    ("mail", 450, Temporary("450 scripted", "letter")),
    ("mail", 451, Temporary("451 scripted", "letter")),
    ("mail", 452, Temporary("452 scripted", "letter")),
    ("mail", 530, Temporary("530 scripted", "login")),
    ("mail", 535, Temporary("535 scripted", "login")),
    ("mail", 550, Permanent("550 scripted")),
    ("mail", 552, Permanent("552 scripted")),
    ("mail", 553, Permanent("553 scripted")),
    ("mail", 555, Permanent("555 scripted")),
    ("rcpt", 421, Temporary("421 scripted", "server")),
    ("rcpt", 450, Temporary("450 scripted", "letter")),
    ("rcpt", 451, Temporary("451 scripted", "letter")),
    ("rcpt", 452, Temporary("452 scripted", "letter")),
    ("rcpt", 530, Temporary("530 scripted", "login")),
    ("rcpt", 550, Permanent("550 scripted")),
    ("rcpt", 551, Permanent("551 scripted")),
    ("rcpt", 552, Temporary("552 scripted", "letter")),
    ("rcpt", 553, Permanent("553 scripted")),
    ("rcpt", 251, Sent("250 2.0.0 taken")),
    ("data", 421, Temporary("421 scripted", "server")),
    ("data", 451, Temporary("451 scripted", "letter")),
    ("data", 554, Permanent("554 scripted")),
    ("dot", 421, Temporary("421 scripted", "server")),
    ("dot", 451, Temporary("451 scripted", "letter")),
    ("dot", 452, Temporary("452 scripted", "letter")),
    ("dot", 550, Permanent("550 scripted")),
    ("dot", 552, Permanent("552 scripted")),
    ("dot", 554, Permanent("554 scripted")),
    ("dot", 200, Sent("200 scripted")),
    ("dot", 699, Unknown("699 scripted")),
]


@pytest.mark.parametrize(("phase", "code", "expected"), REPLIES)
def test_every_reply_has_one_meaning(sink: Sink, phase: Any, code: int, expected: Outcome) -> None:
    """SM-4: the first digit decides; 552 on RCPT is temporary; 421 is the server's, 53x the login's."""
    sink.script(phase, Answer(code))
    (outcome, after) = send(sink, LETTER, LETTER)
    assert type(outcome) is type(expected)
    assert expected.reply in outcome.reply
    assert getattr(outcome, "scope", "") == getattr(expected, "scope", "")
    assert isinstance(after, Sent), "a refused letter must leave the way free for the next"


LOSSES: list[tuple[str, str]] = [
    ("greeting", "server"),
    ("ehlo", "server"),
    ("mail", "server"),
    ("rcpt", "server"),
    ("data", "letter"),
    ("dot", "unknown"),
]


@pytest.mark.parametrize("how", [Answer(drop=True), Answer(delay=1.5)], ids=["drops", "sleeps"])
@pytest.mark.parametrize(("phase", "scope"), LOSSES)
def test_a_server_that_drops_or_sleeps_at_any_phase_is_found_out(
    sink: Sink, phase: Any, scope: str, how: Answer
) -> None:
    """SM-2, SM-3: only after the final dot is it unknown whether the letter was taken (RFC 1047)."""
    sink.script(phase, how)
    (outcome,) = send(sink, LETTER)
    assert isinstance(outcome, Unknown) if scope == "unknown" else outcome == Temporary(outcome.reply, scope)  # type: ignore[arg-type]


def test_a_letter_taken_without_a_reply_is_unknown_and_goes_again_with_the_same_octets(sink: Sink) -> None:
    """SM-2: the copy can be told to be one by its octets."""
    sink.script("dot", Answer(drop=True, keep=True))
    (first, second) = send(sink, LETTER, LETTER)
    assert isinstance(first, Unknown)
    assert isinstance(second, Sent)
    assert sink.mails[0].data == sink.mails[1].data == LETTER.data


def test_nobody_there_is_the_servers_fault(sink: Sink) -> None:
    sink.stop()
    (outcome,) = send(sink, LETTER)
    assert isinstance(outcome, Temporary) and outcome.scope == "server"


def test_a_cancelled_letter_leaves_no_half_connection_behind(sink: Sink) -> None:
    sink.script("rcpt", Answer(delay=0.3))

    async def cancelled() -> Outcome:
        submission = Submission(Smtp(sink.port), 1)
        task = asyncio.create_task(submission.send(LETTER))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        outcome = await submission.send(replace(LETTER, recipient="second@example.org"))
        await submission.close()
        return outcome

    assert isinstance(run(cancelled()), Sent)
    assert [mail.recipients for mail in sink.mails] == [("second@example.org",)]
    assert sink.behaviour.connections == 2


def test_size_is_declared_and_obeyed() -> None:
    """SM-7: over the server's SIZE nothing is sent, and a person must look."""
    with sinks.sink(extensions=("SIZE 1000",)) as sink:
        big = replace(LETTER, data=b"a: b\r\n\r\n" + b"x" * 900 + b"\r\n" + b"y" * 200 + b"\r\n")
        (small, large, after) = send(sink, LETTER, big, LETTER)
    assert isinstance(small, Sent) and isinstance(after, Sent)
    assert isinstance(large, Permanent) and "SIZE" in large.reply
    assert sink.mails[0].parameters == f"SIZE={len(LETTER.data)}"


@pytest.mark.parametrize("most", ["SIZE", "SIZE 0", "SIZE lots"])
def test_a_size_without_a_number_limits_nothing(most: str) -> None:
    with sinks.sink(extensions=(most,)) as sink:
        assert isinstance(send(sink, LETTER)[0], Sent)


def test_smtputf8_is_asked_for_only_where_a_local_part_needs_it() -> None:
    """SM-8, RFC 6531 section 3.2."""
    foreign = replace(LETTER, recipient="ü@x.test")
    with sinks.sink(extensions=("SMTPUTF8",)) as sink:
        assert {type(outcome) for outcome in send(sink, foreign, LETTER)} == {Sent}
        assert [mail.parameters for mail in sink.mails] == ["SMTPUTF8", ""]
    with sinks.sink(extensions=()) as sink:
        assert isinstance(send(sink, foreign)[0], Permanent)
        assert sink.count == 0


def test_a_foreign_domain_is_sent_in_its_ascii_form(sink: Sink) -> None:
    send(sink, replace(LETTER, recipient="noa@bücher.example"))
    assert sink.mails[0].recipients == ("noa@xn--bcher-kva.example",)


def test_an_eight_bit_letter_needs_8bitmime() -> None:
    eight = replace(LETTER, data="Subject: ü\r\n\r\nü\r\n".encode())
    with sinks.sink(extensions=("8BITMIME",)) as sink:
        assert isinstance(send(sink, eight)[0], Sent)
        assert sink.mails[0].parameters == "BODY=8BITMIME"
    with sinks.sink(extensions=()) as sink:
        assert isinstance(send(sink, eight)[0], Permanent)


def test_delivery_reports_are_asked_for_where_dsn_is_offered() -> None:
    """SM-9: ENVID in xtext, NOTIFY=FAILURE, RET=HDRS; nothing of it without DSN."""
    with sinks.sink(extensions=("DSN",)) as sink:
        send(sink, replace(LETTER, envelope_id="a+b=c d"))
        assert sink.mails[0].parameters == "RET=HDRS ENVID=a+2Bb+3Dc+20d"
        assert "RCPT TO:<noa@example.org> NOTIFY=FAILURE" in sink.commands
    with sinks.sink(extensions=()) as sink:
        send(sink, LETTER)
        assert (sink.mails[0].parameters, "NOTIFY" in " ".join(sink.commands)) == ("", False)


def test_xtext_keeps_what_is_printable_and_marks_the_rest() -> None:
    assert xtext("aZ09!~") == "aZ09!~"
    assert xtext("+= \x7f") == "+2B+3D+20+7F"


@pytest.mark.parametrize(
    "data",
    [b"a:\r\n\r\nx\n.\r\n", b"a:\r\n\r\nx\r.\r\n", b"a:\r\n\r\n\0\r\n", b"a:\r\n\r\n" + b"x" * 999 + b"\r\n", b"x"],
)
def test_a_letter_with_lone_line_ends_or_overlong_lines_never_leaves(sink: Sink, data: bytes) -> None:
    """SM-11."""
    assert isinstance(send(sink, replace(LETTER, data=data))[0], Permanent)
    assert sink.behaviour.connections == 0


@pytest.mark.parametrize("address", ["a b@x.test", "a@x.test> SIZE=1", "a@x\r\nRCPT TO:<b@x>", "nobody", "", "<a@x>"])
def test_an_address_with_anything_else_in_it_never_leaves(sink: Sink, address: str) -> None:
    """AT-1: no second command rides on an address."""
    assert isinstance(send(sink, replace(LETTER, recipient=address))[0], Permanent)
    assert sink.behaviour.connections == 0


def test_a_long_letter_arrives_whole(sink: Sink) -> None:
    long = replace(LETTER, data=b"a: b\r\n\r\n" + b".dot and text\r\n" * 200_000)
    assert isinstance(send(sink, long, timeouts=Timeouts())[0], Sent)
    assert sink.mails[0].data == long.data


ENDINGS: list[tuple[bytes, Outcome]] = [
    (b"552 5.3.4 enough\r\n", Permanent("552 5.3.4 enough")),
    (b"451 4.3.0 scanner down\r\n", Temporary("451 4.3.0 scanner down", "letter")),
    (b"421 4.3.2 going down\r\n", Temporary("421 4.3.2 going down", "server")),
    (b"250 2.0.0 taken?\r\n", Temporary("data: ", "letter")),
    (b"", Temporary("data: ", "letter")),
]


async def dialogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything up to the go-ahead for the content."""
    for line in (b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n"):
        writer.write(line)
        await reader.readline()
    writer.write(b"354 go\r\n")


@pytest.mark.parametrize(("words", "expected"), ENDINGS)
def test_a_server_that_hangs_up_before_the_final_dot_has_not_taken_the_letter(words: bytes, expected: Outcome) -> None:
    """SM-2: what it said last, where it said something, decides; nothing of it is unknown."""
    long = replace(LETTER, data=b"a: b\r\n\r\n" + (b"x" * 68 + b"\r\n") * 300_000)

    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await dialogue(reader, writer)
        await reader.read(1000)
        writer.write(words)
        with suppress(OSError):
            await writer.drain()
            await asyncio.sleep(0.1)
        writer.transport.abort()
        gone.set()

    async def offer() -> Outcome:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            (outcome,) = await send_over(Smtp(server.sockets[0].getsockname()[1]), long, timeouts=Timeouts())
            await gone.wait()
            return outcome

    outcome = run(offer())
    assert type(outcome) is type(expected)
    assert outcome.reply.startswith(expected.reply)
    assert getattr(outcome, "scope", "") == getattr(expected, "scope", "")


def test_a_server_that_stops_reading_is_given_up() -> None:
    """SM-3: a block that isn't taken in its time; the connection is not left open with what it didn't take."""
    given_up, gone = asyncio.Event(), asyncio.Event()
    long = replace(LETTER, data=b"a: b\r\n\r\n" + (b"x" * 68 + b"\r\n") * 300_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await dialogue(reader, writer)
        await given_up.wait()
        writer.transport.abort()
        gone.set()

    async def offer() -> Outcome:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            (outcome,) = await send_over(Smtp(server.sockets[0].getsockname()[1]), long)
            given_up.set()
            await gone.wait()
            return outcome

    outcome = run(offer())
    assert isinstance(outcome, Temporary) and outcome.scope == "letter"


def test_a_long_letter_without_a_reply_is_unknown_too(sink: Sink) -> None:
    """SM-2."""
    long = replace(LETTER, data=b"a: b\r\n\r\n" + b".dot and text\r\n" * 20_000)
    for how in (Answer(drop=True), Answer(delay=1.5)):
        sink.script("dot", how)
        assert isinstance(send(sink, long)[0], Unknown)


def test_helo_says_the_senders_domain_and_never_this_hosts_name(sink: Sink) -> None:
    """AR-18."""
    send(sink, LETTER)
    assert sink.commands[0] == "EHLO example.test"
    assert helo_name("") == helo_name("nobody") == helo_name("a@ü.test") == "localhost"


def test_login_happens_once_and_a_refused_one_concerns_everything() -> None:
    """SM-4: 535 holds the outbox, not each letter."""
    with sinks.sink(login=("security@example.test", "right")) as sink:
        account = Smtp(sink.port, username="security@example.test", password=Word("right"))
        assert isinstance(run(send_over(account, LETTER))[0], Sent)
        assert sink.mails[0].username == "security@example.test"
        (wrong,) = run(send_over(replace(account, password=Word("wrong")), LETTER))
        assert wrong == Temporary("login: 535 5.7.8 no such login", "login")
        (none,) = run(send_over(Smtp(sink.port), LETTER))
        assert isinstance(none, Temporary) and none.scope == "login"
    assert sum(command.startswith("AUTH") for command in sink.commands) == 2


def test_a_server_without_login_is_no_place_for_a_password(sink: Sink) -> None:
    account = Smtp(sink.port, username="u", password=Word("secret"))
    (outcome,) = run(send_over(account, LETTER))
    assert isinstance(outcome, Temporary) and outcome.scope == "login"
    assert not any("AUTH" in command for command in sink.commands)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


def serving(made: certificates.Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_is_verified(made: certificates.Certificates, security: str) -> None:
    known = ssl.create_default_context(cafile=str(made.ca))
    where = {"tls": serving(made)} if security == "tls" else {"starttls": serving(made)}
    with sinks.sink(**where) as sink:  # type: ignore[arg-type]
        account = Smtp(sink.port, security=security)
        patient = Timeouts()
        assert isinstance(run(send_over(account, LETTER, timeouts=patient, tls=known))[0], Sent)
        (stranger,) = run(send_over(account, LETTER, timeouts=patient))
        assert isinstance(stranger, Temporary) and stranger.scope == "server"
        assert sink.count == 1


def test_starttls_missing_means_nothing_is_sent_in_clear(sink: Sink) -> None:
    account = Smtp(sink.port, security="starttls", username="u", password=Word("secret"))
    (outcome,) = run(send_over(account, LETTER))
    assert isinstance(outcome, Temporary) and outcome.scope == "server"
    assert sink.count == 0 and not any("AUTH" in command for command in sink.commands)


def test_check_says_whether_a_letter_could_go(sink: Sink) -> None:
    async def check(account: Smtp) -> Outcome:
        return await Submission(account, 1, QUICK).check()

    assert isinstance(run(check(Smtp(sink.port))), Sent)
    sink.stop()
    assert isinstance(run(check(Smtp(sink.port))), Temporary)


def test_an_envelope_can_be_tried_without_sending_anything(sink: Sink) -> None:
    """Plus-addressing is found out before it is relied on."""

    async def accepts() -> Outcome:
        return await Submission(Smtp(sink.port), 1, QUICK).accepts("", "security+x@example.test")

    assert isinstance(run(accepts()), Sent)
    sink.script("rcpt", Answer(550), Answer(450), Answer(drop=True))
    assert [type(run(accepts())) for _ in range(3)] == [Permanent, Temporary, Temporary]
    assert sink.count == 0 and not any("DATA" in command for command in sink.commands)


def test_a_long_letter_is_checked_in_linear_time() -> None:
    """50 MB of short lines: a pattern that looks for a long line at each octet takes minutes."""
    parcel = replace(LETTER, data=b"a: b\r\n\r\n" + (b"x" * 68 + b"\r\n") * 700_000)
    start = time.process_time()
    assert unfit(parcel) == ""
    assert time.process_time() - start < 3
