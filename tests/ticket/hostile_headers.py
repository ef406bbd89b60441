"""Hostile values through the makers of headers, and what must hold of the bytes. Needs nothing but Python, so that it runs on
each CPython that is there: `python -m tests.ticket.hostile_headers 100000`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header

from triaged.message.clean import clean_header
from triaged.ticket.wire import chain, compose, date_value, ids_value, mailbox_value, text_value

AT = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
ADDRESS = "security+7f3k9qxd.r.0123456789abcdef@example.test"
NAMES = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted")
ALL_NAMES = [*NAMES, "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]

# What injections are made of: line ends of every kind, encoded words that decode to them, field names, quotes, bidi, NULs.
PIECES = (
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0b",
    "\x1b[31m",
    "Bcc: x@evil.test",
    "\r\nBcc: x@evil.test",
    "\n\nbody",
    "\r\n\r\n",
    "=?utf-8?q?ok=0D=0ABcc=3A_x=40evil.test?=",
    "=?utf-8?b?DQpCY2M6IHhAZXZpbC50ZXN0?=",
    "=?x-nope?q?a?=",
    "=?utf-8?q?",
    "?=",
    "=?",
    "{{7*7}}",
    "{0.__class__}",
    "%(x)s",
    "\u202e",
    "\u200b",
    "\u061c",
    "\ufeff",
    "\ud800",
    "\udcff",
    '"',
    "\\",
    "\\\r\n",
    "<x@evil.test>",
    ",",
    ";",
    ":",
    "(",
    ")",
    "@",
    " ",
    "\t",
    "  ",
    "a" * 80,
    "a" * 1100,
    "é",
    "שלום",
    "漢字" * 30,
    "😀",
    "e\u0301",
    "XSS in login",
    ".",
    "..",
    "[IMS-7F3K-9QXD]",
    "Re: ",
)


def hostile(draw: random.Random) -> str:
    """One value: some pieces, some characters from anywhere."""
    if draw.random() < 0.3:
        return "".join(chr(draw.randrange(0x11000)) for _ in range(draw.randrange(60)))
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(1, 12)))


def letters(count: int, seed: int = 20261120) -> Iterator[tuple[str, str, bytes]]:
    """(subject as meant, name as given, final bytes) of `count` letters: a hostile value in every field that may hold one."""
    draw = random.Random(seed)
    for _ in range(count):
        subject, name, text = hostile(draw), hostile(draw), hostile(draw)
        # The callers cut a subject before it is encoded (AR-17); the parser takes nothing with white space for an id.
        meant = clean_header(subject)[: draw.choice((78, 600))]
        ids = chain([f"<{''.join(hostile(draw).split())[:240]}>" for _ in range(draw.randrange(4))], 20, 900) or (
            "<a@b>",
        )
        fields = [
            ("From", mailbox_value(name, ADDRESS)),
            ("To", mailbox_value("", "noa@example.org")),
            ("Reply-To", mailbox_value(hostile(draw), ADDRESS)),
            ("Subject", text_value(meant)),
            ("Date", date_value(AT)),
            ("Message-ID", "<0123@example.test>"),
            ("In-Reply-To", ids[-1]),
            ("References", ids_value(ids)),
            ("Auto-Submitted", "auto-replied"),
        ]
        yield meant, name, compose(fields, text)


def faults(meant: str, data: bytes) -> Iterator[str]:
    """Everything that is wrong with a letter's bytes; nothing, where it may go."""
    head = data.partition(b"\r\n\r\n")[0]
    if not head.isascii():
        yield "a header holds octets over 127"
    if b"\0" in data or data.count(b"\r\n") != data.count(b"\r") or data.count(b"\r\n") != data.count(b"\n"):
        yield "a bare CR, LF or NUL"
    if any(len(line) > 998 for line in data.split(b"\r\n")):
        yield "a line over 998 octets"
    field = b""
    for line in head.split(b"\r\n"):
        field = field if line.startswith(b" ") else line.partition(b":")[0]
        if b"=?" in line and len(line) > 76 and field in (b"From", b"Reply-To", b"Subject"):
            yield f"a line of {field!r} with encoded words, and over 76 columns"
    for reader in (policy.compat32, policy.default):
        read = message_from_bytes(data, policy=reader)
        if read.keys() != ALL_NAMES:
            yield f"other fields than were meant: {read.keys()}"
    shown = str(make_header(decode_header(message_from_bytes(data)["Subject"].replace("\r\n", ""))))
    if " ".join(shown.split()) != " ".join(meant.split()):
        yield f"the subject reads {shown!r}"
    if [a.addr_spec for a in message_from_bytes(data, policy=policy.default)["From"].addresses] != [ADDRESS]:
        yield "From is not the one address"


def main() -> int:
    """Try as many letters as the command line says; the number of those that must not go is the exit code, at most 1."""
    for number, (meant, name, data) in enumerate(letters(int(sys.argv[1]))):
        found = list(faults(meant, data))
        if found:
            print(f"letter {number}: {found}\n  subject {meant!r}\n  name {name!r}\n{data[:1500]!r}")
            return 1
    print(f"Python {sys.version.split()[0]}: {sys.argv[1]} letters, none unsafe")
    return 0


if __name__ == "__main__":
    sys.exit(main())
