"""Forwards as mail clients write them: a member's mail with a report that came to a wrong address in it."""

from __future__ import annotations

from tests.ticket.scene import MAILBOX, MEMBER, mail

REMARK = "This came to info@. Our db7.corp.example.test is the one that they mean, keep it quiet."
REPORTER = "noa@example.org"
REPORTED = (
    "Opening https://app.example.test/login?next=%3Cscript%3E runs what stands in it.\n"
    "Steps to reproduce:\n1. open the page\n2. look at it"
)


def inline(
    author: str = MEMBER,
    sender: str = f"Noa Barak <{REPORTER}>",
    *,
    proven: bool = True,
    remark: str = REMARK,
    **more: str,
) -> bytes:
    """As Gmail does it."""
    head = f"---------- Forwarded message ---------\nFrom: {sender}\nDate: Fri, 20 Nov 2026 at 09:00\n"
    head += "Subject: XSS in login\nTo: <info@example.test>\n\n\n"
    text = f"{remark}\n\n{head}{more.get('reported', REPORTED)}"
    return mail(author, more.get("to", MAILBOX), proven=proven, subject="Fwd: XSS in login", text=text)


def attached(sender: str = f"From: Noa Barak <{REPORTER}>", *, remark: str = REMARK) -> bytes:
    """As Thunderbird does it."""
    inner = f"{sender}\r\nSubject: XSS in login\r\nMessage-ID: <original@example.org>\r\n\r\n" + REPORTED.replace(
        "\n", "\r\n"
    )
    return (
        "Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\r\n"
        f"From: {MEMBER}\r\nTo: {MAILBOX}\r\nSubject: Fwd: XSS in login\r\nMessage-ID: <attached@example.test>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{remark}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    ).encode()
