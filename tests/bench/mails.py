"""Mails as a security mailbox gets them, the same ones for the same seed. Written by a generator; nobody's mail."""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

MAILBOX = "security@example.test"
AUTHSERV_ID = "mx.example.test"
SMALLEST, LARGEST = 2_000, 60_000  # bytes; sizes between them are spread evenly over their logarithms
PLAIN_BYTES = 3_000
LARGE_BYTES = 1024 * 1024
# Per thousand. Who answers an earlier report joins its ticket; a machine's mail is never answered.
SHARES = (
    ("plain", 300),
    ("html", 150),
    ("alternative", 150),
    ("attached", 200),
    ("reply", 100),
    ("auto_reply", 50),
    ("bounce", 50),
)
# Letters that each kind causes: to the researcher and to the team, to the team alone, none.
LETTERS = {"plain": 2, "html": 2, "alternative": 2, "attached": 2, "reply": 1, "auto_reply": 1, "bounce": 0}
VOCABULARY = """
the a request response parameter header cookie session token endpoint server browser user account page form field value
payload script injection redirect origin domain policy reflected stored blind without with when then attacker victim visits
clicks submits sends receives returns leaks executes bypasses validates encodes upload login password reset invoice export
report admin tenant role permission signature webhook callback https://app.example.test/login /api/v2/invoices 302 403 500
curl -H Content-Type application/json XSS SSRF IDOR
"""
WORDS = VOCABULARY.split()


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it waits in the mailbox."""

    raw: bytes  # LF line ends, as a Maildir holds them
    sender: str  # "" is the null path
    letters: int  # that it causes


def mix(count: int, seed: int, *, large: bool = False) -> list[Mail]:
    """The usual mixture. `large`: every fiftieth message is 1 MiB, most of it an attachment."""
    chance = random.Random(seed)
    kinds = chance.choices([kind for kind, _ in SHARES], [share for _, share in SHARES], k=count)
    desk = _Desk(chance)
    return [desk.large() if large and number % 50 == 25 else desk.make(kind) for number, kind in enumerate(kinds)]


def plain(count: int, seed: int) -> list[Mail]:
    """Reports of 3 KB in plain text and nothing else."""
    desk = _Desk(random.Random(seed))
    return [desk.mail("plain", desk.plain(PLAIN_BYTES)) for _ in range(count)]


class _Desk:
    """Writes mails, each from a researcher of its own, and remembers the reports that can be answered."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.number = 0
        self.reports: list[tuple[str, str]] = []  # (author, Message-ID)

    def make(self, kind: str) -> Mail:
        if kind == "reply" and not self.reports:
            kind = "plain"
        size = round(math.exp(self.chance.uniform(math.log(SMALLEST), math.log(LARGEST))))
        write: Callable[[int], str] = getattr(self, kind)
        return self.mail(kind, write(size))

    def large(self) -> Mail:
        return self.mail("attached", self.attached(LARGE_BYTES))

    def mail(self, kind: str, content: str) -> Mail:
        """`content`: the fields that the kind decides, an empty line, the body."""
        self.number += 1
        author, message_id = f"researcher{self.number}@proven{self.number % 200}.test", self.id()
        if kind == "reply":
            author, answered = self.reports[self.chance.randrange(len(self.reports))]
            content = f"In-Reply-To: {answered}\nReferences: {answered}\n{content}"
        elif LETTERS[kind] == 2:
            self.reports.append((author, message_id))
        sender = "" if kind in ("bounce", "auto_reply") else author
        subject = (
            f"{self.chance.choice(WORDS)} {self.chance.choice(WORDS)} in {self.chance.choice(WORDS)} {self.number}"
        )
        head = (
            f"Return-Path: <{sender}>\n"
            f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from={author.partition('@')[2]}\n"
            f"Received: from out.{author.partition('@')[2]} (out.test [192.0.2.7])\n"
            f"\tby {AUTHSERV_ID} with ESMTPS id {self.number:08x}; Fri, 20 Nov 2026 09:12:00 +0000\n"
            f"Date: Fri, 20 Nov 2026 09:11:{self.number % 60:02d} +0000\nMessage-ID: {message_id}\n"
            f"From: Researcher {self.number} <{author}>\nTo: Security <{MAILBOX}>\n"
            f"Subject: {'Re: ' if kind == 'reply' else ''}{subject}\nUser-Agent: Generator\nMIME-Version: 1.0\n"
        )
        return Mail((head + content).encode(), sender, LETTERS[kind])

    def id(self) -> str:
        return f"<{self.chance.getrandbits(96):024x}@mail.proven.test>"

    def prose(self, size: int) -> str:
        """About `size` characters of lines and paragraphs."""
        return "".join(self.lines(size))

    def lines(self, size: int) -> Iterator[str]:
        written = 0
        while written < size:
            line = " ".join(self.chance.choices(WORDS, k=11)) + ("\n\n" if self.chance.random() < 0.2 else "\n")
            written += len(line)
            yield line

    def plain(self, size: int) -> str:
        return f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{self.prose(size)}"

    def html(self, size: int) -> str:
        return f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{self.page(size)}"

    def page(self, size: int) -> str:
        paragraphs = self.prose(size * 3 // 4).split("\n\n")
        marked = "\n".join(f'<p style="margin:0">{escape(text)}<br><b>so</b></p>' for text in paragraphs)
        return f"<html><head><style>p {{ color: #222 }}</style></head><body>\n{marked}\n</body></html>\n"

    def alternative(self, size: int) -> str:
        parts = [
            f"Content-Type: text/plain; charset=utf-8\n\n{self.prose(size // 3)}",
            f"Content-Type: text/html; charset=utf-8\n\n{self.page(size * 2 // 3)}",
        ]
        return self.multipart("alternative", parts)

    def attached(self, size: int) -> str:
        parts = [f"Content-Type: text/plain; charset=utf-8\n\n{self.prose(min(size // 4, 8_000))}"]
        count = self.chance.choice((1, 1, 2, 3))
        each = max(400, (size - len(parts[0])) // count)
        parts += [self.picture(each, number) for number in range(count)]
        return self.multipart("mixed", parts)

    def picture(self, size: int, number: int) -> str:
        data = b"\x89PNG\r\n\x1a\n" + self.chance.randbytes(size * 3 // 4)
        return (
            f'Content-Type: image/png; name="proof-{number}.png"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="proof-{number}.png"\n\n{base64.encodebytes(data).decode()}'
        )

    def multipart(self, kind: str, parts: list[str], more: str = "") -> str:
        boundary = f"=_{self.chance.getrandbits(64):016x}"
        body = "".join(f"--{boundary}\n{part}\n" for part in parts)
        return f'Content-Type: multipart/{kind}; {more}boundary="{boundary}"\n\n{body}--{boundary}--\n'

    def reply(self, size: int) -> str:
        quoted = "".join(f"> {line}" for line in self.lines(size // 2))
        text = f"{self.prose(size // 2)}\nOn Fri, 20 Nov 2026 at 09:20, Security <{MAILBOX}> wrote:\n{quoted}"
        return f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"

    def auto_reply(self, size: int) -> str:
        text = f"I am out of the office until Monday.\n{self.prose(600)}"
        return f"Auto-Submitted: auto-replied\nContent-Type: text/plain; charset=utf-8\n\n{text}"

    def bounce(self, size: int) -> str:
        lost = f"{self.chance.getrandbits(64):016x}"
        status = (
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.proven.test\n\n"
            f"Final-Recipient: rfc822; gone{lost}@proven.test\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
        )
        returned = f"Content-Type: text/rfc822-headers\n\nMessage-ID: <{lost}@elsewhere.test>\nSubject: hello\n"
        notice = f"Content-Type: text/plain\n\nYour message could not be delivered.\n{self.prose(400)}"
        return self.multipart("report", [notice, status, returned], "report-type=delivery-status; ")
