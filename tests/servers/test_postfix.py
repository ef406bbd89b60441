"""What Postfix, and its stand-in, promise the other tests."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator

import pytest

from tests.conftest import required
from tests.servers.dovecot import Dovecot
from tests.servers.imap import PASSWORD
from tests.servers.postfix import Postfix, Server, postfix, stand_in
from tests.servers.process import HOST, alive

RAW = b"From: Noa <%s>\r\nTo: s@example.test\r\nMessage-ID: <1@proven.test>\r\nSubject: hi\r\n\r\nhello\r\n"


@pytest.fixture(params=["postfix", "stand_in"])
def server(request: pytest.FixtureRequest, dovecot: Dovecot) -> Iterator[Server]:
    if request.param == "postfix":
        yield request.getfixturevalue("postfix")
    else:
        with stand_in(dovecot) as ours:
            yield ours


def headers(raw: bytes) -> list[str]:
    return [line.decode() for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")]


def names(raw: bytes) -> list[str]:
    return [line.partition(":")[0] for line in headers(raw) if not line.startswith(("\t", " "))]


def test_a_proven_sender_has_the_verdict_above_the_received_of_the_server(server: Server, dovecot: Dovecot) -> None:
    to = f"proven-{type(server).__name__}@example.test".lower()
    server.send(RAW % b"noa@proven.test", "noa@proven.test", to)
    [raw] = dovecot.wait_for(to)
    assert names(raw)[:5] == ["Return-Path", "Delivered-To", "Received", "Authentication-Results", "Received"]
    assert "Authentication-Results: mx.example.test; dmarc=pass header.from=proven.test" in headers(raw)
    assert raw.startswith(b"Return-Path: <noa@proven.test>\r\n")


def test_an_unproven_sender_has_none(server: Server, dovecot: Dovecot) -> None:
    to = f"unproven-{type(server).__name__}@example.test".lower()
    server.send(RAW % b"noa@proven.test", "noa@elsewhere.test", to)
    [raw] = dovecot.wait_for(to)
    assert "Authentication-Results" not in names(raw)


def test_a_sender_can_become_proven(server: Server, dovecot: Dovecot) -> None:
    to = f"later-{type(server).__name__}@example.test".lower()
    server.prove("late@elsewhere.test")
    server.send(RAW % b"late@elsewhere.test", "late@elsewhere.test", to)
    [raw] = dovecot.wait_for(to)
    assert "Authentication-Results: mx.example.test; dmarc=pass header.from=elsewhere.test" in headers(raw)


def test_the_detail_of_an_address_is_dropped_on_delivery_and_kept_in_the_trace(
    server: Server, dovecot: Dovecot
) -> None:
    user = f"plus-{type(server).__name__}".lower()
    server.send(RAW % b"noa@proven.test", "noa@proven.test", f"{user}+t0k3n@example.test")
    [raw] = dovecot.wait_for(f"{user}@example.test")
    assert f"Delivered-To: {user}+t0k3n@example.test" in headers(raw)


def test_the_null_return_path_stays_null(server: Server, dovecot: Dovecot) -> None:
    to = f"null-{type(server).__name__}@example.test".lower()
    server.send(RAW % b"daemon@elsewhere.test", "", to)
    [raw] = dovecot.wait_for(to)
    assert raw.startswith(b"Return-Path: <>\r\n")


def test_an_unknown_recipient_is_refused(server: Server) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.send(RAW % b"noa@proven.test", "noa@proven.test", "unknown.person@elsewhere.test")
    assert refused.value.recipients["unknown.person@elsewhere.test"][0] == 550


def test_submission_wants_a_login_and_delivers(server: Server, dovecot: Dovecot) -> None:
    to = f"submitted-{type(server).__name__}@elsewhere.test".lower()
    with smtplib.SMTP(HOST, server.submission_port, timeout=10) as peer:
        with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused)):
            peer.sendmail("security@example.test", [to], RAW % b"security@example.test")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            peer.login("security@example.test", "wrong")
        peer.login("security@example.test", PASSWORD)
        peer.sendmail("security@example.test", [to], RAW % b"security@example.test")
    [raw] = dovecot.wait_for(to)
    assert "Authentication-Results" not in names(raw)


def test_postfix_keeps_mail_while_dovecot_is_away(postfix: Postfix, dovecot: Dovecot) -> None:
    dovecot.stop()
    try:
        postfix.send(RAW % b"noa@proven.test", "noa@proven.test", "away@example.test")
        assert postfix.queued("away@example.test") == 1
    finally:
        dovecot.start()
    end = time.monotonic() + 60
    while dovecot.count("away@example.test") == 0:
        postfix.flush()
        assert time.monotonic() < end
        time.sleep(0.5)
    assert len(dovecot.fetch_all("away@example.test")) == 1


def test_a_stopped_postfix_leaves_no_process_and_comes_back_on_its_ports(dovecot: Dovecot) -> None:
    with required(postfix(dovecot)) as server:
        server.send(RAW % b"noa@proven.test", "noa@proven.test", "back@example.test")
        before, ports = server.processes(), (server.mx_port, server.submission_port)
        assert before
        server.restart()
        assert not [pid for pid in before if alive(pid)]
        assert (server.mx_port, server.submission_port) == ports
        server.send(RAW % b"noa@proven.test", "noa@proven.test", "back@example.test")
        dovecot.wait_for("back@example.test", 2)
        last, directory = server.processes(), server.directory
    assert not [pid for pid in last if alive(pid)]
    assert not directory.exists()
