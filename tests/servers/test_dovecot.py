"""What Dovecot's fixture promises the other tests."""

from __future__ import annotations

import imaplib
import os
import ssl
import sys
from multiprocessing import get_context

import pytest

from tests.conftest import required
from tests.servers.dovecot import Dovecot, dovecot
from tests.servers.process import HOST, alive

RAW = b"Subject: hi\r\n\r\nhello\r\n"


def test_delivery_adds_the_trace_and_drops_the_detail(dovecot: Dovecot) -> None:
    dovecot.deliver(RAW, "dovecot-trace+abc@example.test", "noa@elsewhere.test")
    [raw] = dovecot.fetch_all("dovecot-trace@example.test")
    assert raw.startswith(b"Return-Path: <noa@elsewhere.test>\r\nDelivered-To: dovecot-trace+abc@example.test\r\n")
    assert raw.endswith(RAW)


def test_junk_and_sent_are_there_from_the_start(dovecot: Dovecot) -> None:
    dovecot.append(RAW, "dovecot-folders@example.test", "Sent")
    assert (
        dovecot.count("dovecot-folders@example.test", "Sent"),
        dovecot.count("dovecot-folders@example.test", "Junk"),
    ) == (1, 0)
    assert dovecot.fetch_all("dovecot-folders@example.test", "Sent") == [RAW]


def test_a_renumbered_folder_has_the_same_mail_under_a_new_uidvalidity(dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.deliver(b"Subject: %d\r\n\r\n" % number, "renumbered@example.test")
    before, mail = dovecot.uidvalidity("renumbered@example.test"), dovecot.fetch_all("renumbered@example.test")
    dovecot.renumber("renumbered@example.test")
    assert dovecot.uidvalidity("renumbered@example.test") > before
    assert sorted(dovecot.fetch_all("renumbered@example.test")) == sorted(mail)


def test_a_kicked_user_is_disconnected(dovecot: Dovecot) -> None:
    peer = imaplib.IMAP4(HOST, dovecot.imap_port, timeout=5)
    peer.login("kicked@example.test", dovecot.password)
    assert dovecot.connections() >= 1
    dovecot.kick("kicked@example.test")
    with pytest.raises(imaplib.IMAP4.abort):
        peer.noop()
        peer.noop()
    peer.shutdown()


def test_a_changed_password_is_asked_for(dovecot: Dovecot) -> None:
    dovecot.set_password("changed@example.test", "another")
    try:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            dovecot.count("changed@example.test")
        assert dovecot.count("unchanged@example.test") == 0
    finally:
        dovecot.set_password("changed@example.test", dovecot.password)
    assert dovecot.count("changed@example.test") == 0


def test_wrong_passwords_are_refused_without_a_growing_delay(dovecot: Dovecot) -> None:
    for _ in range(3):
        with imaplib.IMAP4(HOST, dovecot.imap_port, timeout=1) as peer:
            with pytest.raises(imaplib.IMAP4.error):
                peer.login("impatient@example.test", "wrong")
            peer.login("impatient@example.test", dovecot.password)


def test_tls_holds_with_the_right_certificate_and_fails_with_the_expired_one(dovecot: Dovecot) -> None:
    client = ssl.create_default_context(cafile=str(dovecot.certificates.ca))
    with imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=client, timeout=5) as peer:
        peer.login("tls@example.test", dovecot.password)
    with imaplib.IMAP4("localhost", dovecot.imap_port, timeout=5) as peer:
        peer.starttls(client)
        peer.login("tls@example.test", dovecot.password)
    dovecot.use_certificate(dovecot.certificates.expired)
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=client, timeout=5)
    finally:
        dovecot.use_certificate(dovecot.certificates.certificate)


def test_mail_and_ports_outlive_a_restart_and_no_process_outlives_a_stop() -> None:
    with required(dovecot()) as server:
        server.deliver(RAW, "kept@example.test")
        before, port = server.processes(), server.imap_port
        assert len(before) > 3
        server.restart()
        assert not [pid for pid in before if alive(pid)]
        assert (server.imap_port, server.count("kept@example.test")) == (port, 1)
        last, directory = server.processes(), server.directory
    assert not [pid for pid in last if alive(pid)]
    assert not directory.exists()


def deliver_unprivileged() -> None:
    """Exit code 7 when one delivery went through."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    with dovecot() as server:
        server.deliver(RAW, "nobody@example.test")
        assert server.count("nobody@example.test") == 1
    sys.exit(7)


def test_who_is_not_root_has_a_dovecot_as_well(dovecot: Dovecot) -> None:
    child = get_context("fork").Process(target=deliver_unprivileged)
    child.start()
    child.join(60)
    assert child.exitcode == 7
