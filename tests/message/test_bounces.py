"""Delivery reports, of the standard and of none (RFC 3464, NT-1, NT-2)."""

from __future__ import annotations

import pytest

from triaged.message.model import Bounce, Limits
from triaged.message.parse import parse

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)
HEAD = """Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: security+b@example.test
Subject: Undelivered Mail Returned to Sender
"""
STANDARD = (
    HEAD
    + """Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: letter-17

Final-Recipient: rfc822; noa@example.org
Original-Recipient: rfc822;Noa@example.org
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1 <noa@example.org>: no such user

Final-Recipient: rfc822; <dana@example.org>
Action: Delayed (will retry)
Status: 4.4.1

--b
Content-Type: message/rfc822

From: security@example.test
Message-ID: <letter-17@example.test>
Subject: We received your report

secret of the letter
--b--
"""
)


def read(text: str) -> Bounce:
    message = parse(text.replace("\n", "\r\n").encode(), LIMITS)
    assert message.kind == "bounce"
    assert not message.answerable
    assert message.bounce is not None
    return message.bounce


def test_nt1_recipients_action_status_and_what_bounced() -> None:
    bounce = read(STANDARD)
    assert [(item.address, item.action, item.status) for item in bounce.recipients] == [
        ("Noa@example.org", "failed", "5.1.1"),
        ("dana@example.org", "delayed", "4.4.1"),
    ]
    assert bounce.recipients[0].reason == "550 5.1.1 <noa@example.org>: no such user"
    assert (bounce.message_id, bounce.envelope_id) == ("<letter-17@example.test>", "letter-17")


def test_the_returned_letter_does_not_stand_in_the_text() -> None:
    message = parse(STANDARD.encode(), LIMITS)
    assert "could not be delivered" in message.text
    assert "secret of the letter" not in message.text
    assert [item.media_type for item in message.attachments] == ["message/delivery-status", "message/rfc822"]


@pytest.mark.parametrize(
    "body",
    [
        "Hi. This is the mail program at mx.example.net.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<noa@example.org>:\n550 5.1.1 user unknown\n\n"
        "--- Below this line is a copy of the message.\n\nMessage-ID: <l@example.test>\n",
        "The following address(es) failed:\n\n"
        "  noa@example.org\n    SMTP error from remote mail server: 550 5.1.1 unknown user\n\n"
        "------ This is a copy of the message ------\n\nMessage-ID: <l@example.test>\n",
        "   ----- The following addresses had permanent fatal errors -----\n<noa@example.org>\n"
        "    (reason: 550 5.1.1 User unknown)\n\nMessage-ID: <l@example.test>\n",
    ],
)
def test_nt2_reports_of_old_mailers(body: str) -> None:
    bounce = read(HEAD + "\n" + body)
    assert [(item.address, item.action, item.status) for item in bounce.recipients] == [
        ("noa@example.org", "failed", "5.1.1")
    ]
    assert bounce.message_id == "<l@example.test>"


def test_a_report_whose_structure_was_lost_is_read_from_its_text() -> None:
    text = STANDARD.replace('Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n', "")
    assert [item.status for item in read(text).recipients] == ["5.1.1", "4.4.1"]


def test_a_quoted_local_part_is_a_recipient() -> None:
    text = STANDARD.replace("Noa@example.org", '"noa..x"@example.org').replace("rfc822; noa@", 'rfc822; "noa..x"@')
    assert read(text).recipients[0].address == '"noa..x"@example.org'


def test_a_person_who_writes_about_bounces_is_a_person() -> None:
    text = "From: noa@example.org\nSubject: Mail delivery failed? backscatter on your server\n\n"
    text += "550 user unknown is leaked, message could not be delivered\n"
    message = parse(text.encode(), LIMITS)
    assert (message.kind, message.bounce, message.answerable) == ("person", None, True)


@pytest.mark.parametrize(
    ("status", "diagnostic", "words", "wanted"),
    [
        ("5.1.1", "smtp; 550 5.7.1 blacklisted", "", "5.7.1"),  # the remote server's word, RFC 2034
        ("4.5.0", "smtp; 550 5.5.0 refused", "", "5.5.0"),
        ("5.1.1", "smtp; 550 4.7.1 contradicts its own class", "", "5.1.1"),
        ("5.1.1", "smtp; 550 no such user", "", "5.1.1"),
        ("4.0.0", "", "421 4.7.0 temporarily deferred", "4.7.0"),
        ("5.0.0", "x-unix; 255", "554 5.3.0 unknown mailer error 255", "5.3.0"),
        ("5.0.0", "", "seen at 4.1.1 only", "5.0.0"),
    ],
)
def test_nt1_the_status_is_the_most_telling_that_is_stated(
    status: str, diagnostic: str, words: str, wanted: str
) -> None:
    report = (
        f"{HEAD}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n{words}\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; noa@example.org\n"
        f"Action: failed\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n\n--b--\n"
    )
    bounce = parse(report.encode(), LIMITS).bounce
    assert bounce is not None
    assert [item.status for item in bounce.recipients] == [wanted]


def test_at26_no_control_character_of_a_report_gets_through() -> None:
    report = STANDARD.replace("Action: failed", "Action: \x1b]0;x\x07failed").replace("no such user", "\x1b[31mno")
    bounce = parse(report.encode(), LIMITS).bounce
    assert bounce is not None
    assert [item.action for item in bounce.recipients] == ["failed", "delayed"]
    assert all(item.reason.isprintable() and item.action.isalpha() for item in bounce.recipients)


LIST_WRAPPER = (
    "From: mailman-bounces@lists.example.net\nTo: security@example.test\nSubject: Uncaught bounce notification\n"
    "List-Id: <x.lists.example.net>\nContent-Type: multipart/mixed; boundary=w\n\n--w\n\n"
    "The attached message was received as a bounce, but the format was not recognized.\n--w\n"
    "Content-Type: message/rfc822\n\n" + STANDARD + "\n--w--\n"
)


def test_nt1_a_report_within_the_wrapper_of_a_list_is_read() -> None:
    bounce = read(LIST_WRAPPER)
    assert [(item.address, item.action, item.status) for item in bounce.recipients] == [
        ("Noa@example.org", "failed", "5.1.1"),
        ("dana@example.org", "delayed", "4.4.1"),
    ]
    assert bounce.message_id == "<letter-17@example.test>"


def test_nt1_a_report_with_the_footer_of_a_list_is_read() -> None:
    head, _, body = STANDARD.partition("Content-Type: multipart/report")
    footed = (
        head + "List-Id: <x.lists.example.net>\nContent-Type: multipart/mixed; boundary=w\n\n--w\n"
        "Content-Type: multipart/report" + body + "\n--w\n\n____\nthe list's own footer\n--w--\n"
    )
    assert read(footed).message_id == "<letter-17@example.test>"


def test_p3_a_person_who_attaches_a_report_is_a_person() -> None:
    """On a list or not: what the words of a person come with makes no machine of them."""
    for sender, wanted in (("noa@example.org", "list"), ("noa@example.org", "person")):
        raw = LIST_WRAPPER.replace("mailman-bounces@lists.example.net", sender)
        raw = raw if wanted == "list" else raw.replace("List-Id: <x.lists.example.net>\n", "")
        message = parse(raw.encode(), LIMITS)
        assert (message.kind, message.bounce) == (wanted, None)
