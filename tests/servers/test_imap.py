"""What both makes of IMAP server promise the other tests."""

from __future__ import annotations

import imaplib

import pytest

from tests.conftest import required
from tests.servers.cyrus import cyrus
from tests.servers.imap import ImapServer
from tests.servers.process import HOST, alive

RAW = b"Subject: hi\r\nMessage-ID: <1@b.test>\r\nDate: Fri, 20 Nov 2026 09:12:00 +0000\r\n\r\nhello\r\n"


def test_delivery_adds_the_return_path_and_drops_the_detail(imap_server: ImapServer) -> None:
    imap_server.deliver(RAW, "trace+abc@example.test", "noa@elsewhere.test")
    [raw] = imap_server.wait_for("trace@example.test")
    assert raw.startswith(b"Return-Path: <noa@elsewhere.test>\r\n")
    assert raw.endswith(RAW)


def test_many_deliveries_are_counted(imap_server: ImapServer) -> None:
    imap_server.deliver_many([(RAW, "many@example.test", "")] * 50)
    assert imap_server.count("many@example.test") == 50


def test_junk_and_sent_are_there_from_the_first_mail_on(imap_server: ImapServer) -> None:
    imap_server.deliver(RAW, "folders@example.test")
    imap_server.append(RAW, "folders@example.test", "Sent")
    assert (imap_server.count("folders@example.test", "Sent"), imap_server.count("folders@example.test", "Junk")) == (
        1,
        0,
    )
    assert imap_server.fetch_all("folders@example.test", "Sent") == [RAW]


def test_flags_and_expunges_of_a_colleague(imap_server: ImapServer) -> None:
    imap_server.deliver_many([(RAW, "colleague@example.test", "")] * 3)
    imap_server.flag("colleague@example.test")
    with imap_server.session("colleague@example.test") as peer:
        assert peer.search(None, "SEEN")[1] == [b"1 2 3"]
    imap_server.expunge("colleague@example.test", uids="2")
    assert imap_server.count("colleague@example.test") == 2


def test_a_folder_made_anew_has_another_uidvalidity(imap_server: ImapServer) -> None:
    imap_server.deliver(RAW, "anew@example.test")
    seen = set()
    for _ in range(2):
        imap_server.create_folder("anew@example.test", "Reports")
        seen.add(imap_server.uidvalidity("anew@example.test", "Reports"))
        imap_server.delete_folder("anew@example.test", "Reports")
    assert len(seen) == 2


def test_a_wrong_password_is_refused(imap_server: ImapServer) -> None:
    with imaplib.IMAP4(HOST, imap_server.imap_port, timeout=5) as peer, pytest.raises(imaplib.IMAP4.error):
        peer.login("someone@example.test", "wrong")


def test_idle_hears_of_a_delivery(imap_server: ImapServer) -> None:
    imap_server.deliver(RAW, "idle@example.test")
    with imap_server.session("idle@example.test") as peer:
        assert "IDLE" in peer.capabilities
        peer.send(b"t1 IDLE\r\n")
        assert peer.readline().startswith(b"+")
        imap_server.deliver(RAW, "idle@example.test")
        assert b"EXISTS" in peer.readline()
        peer.send(b"DONE\r\n")
        while not peer.readline().startswith(b"t1 OK"):
            continue


def test_mail_outlives_a_restart_of_cyrus_and_no_process_outlives_its_stop() -> None:
    with required(cyrus()) as server:
        server.deliver(RAW, "kept@example.test")
        before, port = server.processes(), server.imap_port
        assert len(before) > 2
        server.restart()
        assert not [pid for pid in before if alive(pid)]
        assert (server.imap_port, server.count("kept@example.test")) == (port, 1)
        last, directory = server.processes(), server.directory
    assert not [pid for pid in last if alive(pid)]
    assert not directory.exists()
