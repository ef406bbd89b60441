"""What the mail clients of people promise the other tests."""

from __future__ import annotations

from email import message_from_bytes

from tests.conftest import installed
from tests.servers import mutt, swaks
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Server

LETTER = (
    b"From: Security <security+k3y@example.test>\r\nTo: Noa <noa@proven.test>\r\n"
    b"Subject: [IMS-7F3K-9QXD] XSS in login\r\n"
    b"Message-ID: <letter.2@example.test>\r\nIn-Reply-To: <report@proven.test>\r\nReferences: <report@proven.test>\r\n"
    b"Date: Fri, 20 Nov 2026 09:12:00 +0000\r\n\r\nWe have your report.\r\nFrom here on we work.\r\n"
)


def test_a_reply_by_mutt_is_threaded_by_mutt(mail_server: Server, dovecot: Dovecot) -> None:
    installed("mutt", mutt.MEND)
    mutt.reply(LETTER, "Thank you, one more thing.", "Noa <noa@proven.test>", mail_server.mx_port)
    [raw] = dovecot.wait_for("security@example.test")
    seen = message_from_bytes(raw)
    assert seen["In-Reply-To"] == "<letter.2@example.test>"
    assert seen["References"].split() == ["<report@proven.test>", "<letter.2@example.test>"]
    assert seen["From"] == "Noa <noa@proven.test>"
    assert seen["To"] == "Security <security+k3y@example.test>"
    assert seen["Subject"] == "Re: [IMS-7F3K-9QXD] XSS in login"
    assert seen["Authentication-Results"] == "mx.example.test; dmarc=pass header.from=proven.test"
    assert seen["Return-Path"] == "<noa@proven.test>"
    body = seen.get_payload()
    assert isinstance(body, str)
    assert body.startswith("Thank you, one more thing.")
    assert "> We have your report." in body


def test_swaks_sends_a_report(mail_server: Server, dovecot: Dovecot) -> None:
    installed("swaks", swaks.MEND)
    swaks.send(mail_server.mx_port, "noa@elsewhere.test", "swaks@example.test", subject="XSS", body="here")
    [raw] = dovecot.wait_for("swaks@example.test")
    assert message_from_bytes(raw)["Subject"] == "XSS"
