"""The final bytes of a letter: headers encoded, body encoded, header block scanned. The only maker of outgoing bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.quoprimime import body_encode
from email.utils import format_datetime, formataddr

from triaged.message.clean import clean_header, clean_text

LINE_OCTETS = 998  # RFC 5322 section 2.1.1, "MUST"
_SOFT_COLUMNS = 76  # RFC 2047 section 2 for lines with encoded words; below the 78 of RFC 5322
_NAME_CHARACTERS = 120

# Every header name that a letter of ours may have. AT-1: what else stands in the final bytes was injected.
NAMES = frozenset(
    {
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
)


class UnsafeLetterError(Exception):
    """The final bytes are not what was meant: the letter must not be sent."""


def text_value(value: str) -> str:
    """An unstructured value (RFC 5322 section 2.2.1) as folded ASCII, encoded words where needed (RFC 2047)."""
    clean = clean_header(value)
    # A decoded subject may itself read "=?utf-8?q?…?=": encode it, so that nobody decodes it a second time.
    charset = "us-ascii" if clean.isascii() and "=?" not in clean else "utf-8"
    return Header(clean, charset, maxlinelen=_SOFT_COLUMNS, header_name="Subject").encode(linesep="\r\n")


def mailbox_value(name: str, address: str) -> str:
    """A mailbox (RFC 5322 section 3.4) with its display name quoted or encoded."""
    shown = clean_header(name)[:_NAME_CHARACTERS].strip()
    if not address.isascii():  # SM-8: only a non-ASCII local part needs SMTPUTF8; the sender refuses without it
        return f"<{address}>"
    if shown.isascii() and "=?" not in shown:
        return formataddr((shown, address))
    words = Header(shown, "utf-8", maxlinelen=_SOFT_COLUMNS, header_name="Reply-To").encode(linesep="\r\n")
    return f"{words}\r\n <{address}>"


def ids_value(ids: Iterable[str]) -> str:
    """Message-IDs, folded one a line: an id is never encoded and never split."""
    return "\r\n ".join(ids)


def date_value(at: datetime) -> str:
    """RFC 5322 section 3.3."""
    return format_datetime(at)


def compose(fields: Iterable[tuple[str, str]], text: str) -> bytes:
    """The letter: `fields` in order (values already encoded), then `text` as text/plain UTF-8 in 7-bit clean form (SM-8)."""
    body, encoding = _body(clean_text(text))
    head = [*fields, *_MIME, ("Content-Transfer-Encoding", encoding)]
    data = "".join(f"{name}: {value}\r\n" for name, value in head).encode() + b"\r\n" + body
    scan(data, [name for name, _ in head])
    return data


_MIME = (("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"))


def _body(text: str) -> tuple[bytes, str]:
    lines = text.rstrip("\n").split("\n")
    plain = "\r\n".join(lines) + "\r\n"
    if plain.isascii() and all(len(line) <= LINE_OCTETS for line in lines):
        return plain.encode("ascii"), "7bit"
    # quoprimime reads one character an octet.
    encoded = body_encode("\n".join(lines).encode().decode("latin-1"), maxlinelen=_SOFT_COLUMNS, eol="\r\n")
    return encoded.encode("ascii") + b"\r\n", "quoted-printable"


_FIELD = re.compile(rb"([!-9;-~]+): ?(?:[^\r\n\0]*)(?:\r\n[ \t][^\r\n\0]*)*\r\n")


def scan(data: bytes, expected: Iterable[str]) -> None:
    """Check the final header block: exactly the `expected` names, in order, all known; no bare CR, LF or NUL, no long line.

    A linear scan of the bytes, not a second MIME parse (AT-1, SM-11). Raises UnsafeLetterError.
    """
    names, at, end = [], 0, data.find(b"\r\n\r\n") + 2
    while at < end:
        field = _FIELD.match(data, at, end)
        if field is None:
            raise UnsafeLetterError("a header field is not well formed")
        names.append(field.group(1).decode("ascii"))
        at = field.end()
    if names != list(expected) or not NAMES.issuperset(names):
        raise UnsafeLetterError("the header block holds other fields than were meant")
    if b"\0" in data or data.count(b"\r") != data.count(b"\r\n") or data.count(b"\n") != data.count(b"\r\n"):
        raise UnsafeLetterError("a bare CR, LF or NUL stands in the letter")
    if any(len(line) > LINE_OCTETS for line in data.split(b"\r\n")):
        raise UnsafeLetterError("a line is longer than 998 octets")


_PRINTED = re.compile(r"<[!-~]+>")


def chain(ids: Iterable[str], most: int, octets: int) -> tuple[str, ...]:
    """References trimmed (TH-4): the first and the last ones, at most `most` ids and `octets` octets.

    Left out: long ids, and those that are no printable ASCII, which only an SMTPUTF8 server would take (SM-8).
    """
    whole = list(dict.fromkeys(i for i in ids if len(i) <= 250 and _PRINTED.fullmatch(i)))
    if len(whole) > most:
        whole = [whole[0], *whole[1 - most :]]
    while len(whole) > 1 and sum(len(i) + 3 for i in whole) > octets:
        del whole[1 if len(whole) > 4 else 0]
    return tuple(whole)
