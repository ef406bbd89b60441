"""The embedded server is mail as a first look and the quick tests need it: real protocols on the loopback."""

import gc
import smtplib
import socket
import threading
import time
from email.message import EmailMessage

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from triaged.demo.server import EmbeddedMail


@pytest.fixture
def mail():
    with EmbeddedMail() as running:
        yield running


def login(mail, address, password="demo"):
    client = IMAPClient("127.0.0.1", mail.imap_port, ssl=False, timeout=5)
    client.login(address, password)
    return client


def send(mail, sender="noa@example.org", to="security@example.test", header_from=None, extra=b"", credentials=None):
    message = EmailMessage()
    message["From"] = header_from or f"Noa <{sender}>"
    message["To"] = to
    message["Subject"] = "XSS in login"
    message.set_content("hello\n")
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=5) as client:
        if credentials:
            client.login(*credentials)
        client.sendmail(sender, to, extra + message.as_bytes().replace(b"\n", b"\r\n"))


def inbox(mail, address, folder="INBOX"):
    with login(mail, address) as client:
        client.select_folder(folder, readonly=True)
        found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
        return [found[uid][b"BODY[]"] for uid in sorted(found)]


def test_a_delivered_message_is_in_the_recipients_inbox(mail):
    send(mail)
    (raw,) = inbox(mail, "security@example.test")
    assert b"Subject: XSS in login\r\n" in raw and raw.endswith(b"\r\n\r\nhello\r\n")


def test_idle_hears_of_a_delivery_within_a_second(mail):
    with login(mail, "security@example.test") as client:
        client.select_folder("INBOX")
        client.idle()
        begun = time.monotonic()
        send(mail)
        assert (1, b"EXISTS") in client.idle_check(timeout=5)
        assert time.monotonic() - begun < 1
        client.idle_done()


def test_idle_is_heard_a_hundred_times_without_half_a_line(mail):
    with login(mail, "security@example.test") as client, smtplib.SMTP("127.0.0.1", mail.smtp_port) as sender:
        client.select_folder("INBOX")
        for number in range(1, 101):
            client.idle()
            sender.sendmail("noa@example.org", "security@example.test", b"From: noa@example.org\r\n\r\nhello\r\n")
            seen = client.idle_check(timeout=5)
            seen += client.idle_done()[1]
            assert (number, b"EXISTS") in seen


@pytest.mark.parametrize("address", ["anyone@anywhere.example", "UPPER@Example.Test", "x+token@example.test"])
def test_any_address_logs_in(mail, address):
    assert inbox(mail, address) == []


@pytest.mark.parametrize(
    ("address", "password"), [("noa@example.org", "wrong"), ("noa@example.org", ""), ("noa", "demo")]
)
def test_a_wrong_password_or_no_address_is_refused(mail, address, password):
    client = IMAPClient("127.0.0.1", mail.imap_port, ssl=False, timeout=5)
    with pytest.raises(LoginError):
        client.login(address, password)
    client.shutdown()


@pytest.mark.parametrize("folder", ["Junk", "Sent"])
def test_each_mailbox_has_its_folders_from_the_start(mail, folder):
    assert inbox(mail, "noa@example.org", folder) == []


def test_a_copy_can_be_appended_to_sent(mail):
    with login(mail, "security@example.test") as client:
        client.append("Sent", b"Subject: kept\r\n\r\nhello\r\n")
    assert inbox(mail, "security@example.test", "Sent") == [b"Subject: kept\r\n\r\nhello\r\n"]


def test_plus_addressing_reaches_the_plain_mailbox_and_tells_the_token(mail):
    send(mail, to="Security+7f3k9qxd.r.abc@example.test")
    (raw,) = inbox(mail, "security@example.test")
    assert b"\r\nDelivered-To: Security+7f3k9qxd.r.abc@example.test\r\n" in raw


def test_each_recipient_has_their_own_copy_and_sees_nobody_elses(mail):
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client:
        client.sendmail("noa@example.org", ["a@example.test", "b@example.test"], b"Subject: two\r\n\r\nhello\r\n")
    (first,), (second,) = inbox(mail, "a@example.test"), inbox(mail, "b@example.test")
    assert b"b@example.test" not in first and b"a@example.test" not in second
    assert inbox(mail, "c@example.test") == []


def test_return_path_and_results_stand_on_top_and_received_beneath(mail):
    send(mail)
    lines = inbox(mail, "security@example.test")[0].split(b"\r\n")
    assert lines[0] == b"Return-Path: <noa@example.org>"
    assert lines[1] == b"Authentication-Results: mx.example.test; dmarc=pass header.from=example.org"
    assert lines[3].startswith(b"Received: from ") and b"by mx.example.test" in lines[3]


def test_another_domain_in_from_than_in_the_envelope_is_not_proven(mail):
    send(mail, sender="mallory@evil.example", header_from="Dana <dana@example.test>")
    assert b"; dmarc=none header.from=example.test\r\n" in inbox(mail, "security@example.test")[0]


def test_the_null_return_path_is_kept_and_proves_nothing(mail):
    send(mail, sender="", header_from="MAILER-DAEMON@example.org")
    raw = inbox(mail, "security@example.test")[0]
    assert raw.startswith(b"Return-Path: <>\r\n") and b"dmarc=none header.from=example.org" in raw


def test_results_and_return_paths_that_a_sender_brings_are_taken_out(mail):
    forged = (
        b"Authentication-Results: MX.example.test;\r\n dmarc=pass header.from=example.test\r\n"
        b"Authentication-Results: mx.example.test.evil.example; dmarc=pass\r\n"
        b"Return-Path: <dana@example.test>\r\n"
    )
    send(mail, sender="mallory@evil.example", header_from="dana@example.test", extra=forged)
    raw = inbox(mail, "security@example.test")[0]
    assert raw.count(b"Return-Path:") == 1 and raw.count(b"dmarc=pass") == 1
    assert b"Authentication-Results: mx.example.test.evil.example; dmarc=pass\r\n" in raw


@pytest.mark.parametrize("user", ["security@example.test", "whoever"])
def test_submission_takes_the_password_and_does_without(mail, user):
    send(mail, credentials=(user, "demo"))
    send(mail)
    assert len(inbox(mail, "security@example.test")) == 2


def test_submission_refuses_a_wrong_password(mail):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(mail, credentials=("security@example.test", "wrong"))


def test_a_message_over_the_size_limit_is_refused_when_announced(mail):
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client:
        client.ehlo()
        assert client.mail("noa@example.org", [f"SIZE={61 * 1024 * 1024}"])[0] == 552


def test_a_large_message_with_long_lines_and_any_byte_arrives_unchanged(mail):
    body = b"x" * 60000 + b"\r\n" + bytes(byte for byte in range(256) if byte not in b"\r\n") + b"\r\n"
    body += (b"y" * 998 + b"\r\n") * 5000
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client:
        client.sendmail("noa@example.org", "security@example.test", b"Subject: big\r\n\r\n" + body, ["BODY=8BITMIME"])
    assert inbox(mail, "security@example.test")[0].endswith(b"Subject: big\r\n\r\n" + body)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"no header at all", b"\x00\xff\r\n\r\n", b"From: a@x, b@y\r\n\r\n"])
def test_whatever_the_bytes_are_they_are_delivered(mail, content):
    with smtplib.SMTP("127.0.0.1", mail.smtp_port) as client:
        client.sendmail("noa@example.org", "security@example.test", content)
    (raw,) = inbox(mail, "security@example.test")
    assert raw.startswith(b"Return-Path: <noa@example.org>\r\nAuthentication-Results: mx.example.test; dmarc=none\r\n")


def test_a_port_that_is_taken_is_replaced_by_a_free_one():
    with EmbeddedMail() as first, EmbeddedMail(first.smtp_port, first.imap_port) as second:
        assert {first.smtp_port, first.imap_port}.isdisjoint({second.smtp_port, second.imap_port})
        send(second)
        assert len(inbox(second, "security@example.test")) == 1
        assert inbox(first, "security@example.test") == []


def test_twenty_starts_and_stops_leave_no_thread_and_no_port():
    before = threading.active_count()
    begun = time.monotonic()
    for _ in range(20):
        with EmbeddedMail() as mail:
            client = login(mail, "security@example.test")
            client.select_folder("INBOX")
            client.idle()
        client.shutdown()
    assert time.monotonic() - begun < 5
    assert threading.active_count() == before
    for port in (mail.smtp_port, mail.imap_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_connections_that_clients_keep_open_are_closed_by_the_stop():
    with EmbeddedMail() as mail:
        reading, idle = login(mail, "a@example.test"), login(mail, "b@example.test")
        reading.select_folder("INBOX")
        idle.select_folder("INBOX")
        idle.idle()
        sending = smtplib.SMTP("127.0.0.1", mail.smtp_port)
        in_data = smtplib.SMTP("127.0.0.1", mail.smtp_port)
        in_data.ehlo()
        in_data.mail("noa@example.org")
        in_data.rcpt("a@example.test")
        in_data.docmd("DATA")
        in_data.send(b"Subject: half\r\n")
    for client in (reading.socket(), idle.socket(), sending.sock, in_data.sock):
        client.settimeout(2)
        while client.recv(4096):
            continue
    for close in (reading.shutdown, idle.shutdown, sending.close, in_data.close):
        close()
    gc.collect()  # an unclosed transport would warn here, and warnings are errors


def test_only_the_loopback_is_listened_on(mail):
    for port in (mail.smtp_port, mail.imap_port):
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=1):
            pass
