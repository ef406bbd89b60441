"""The final bytes of a letter: headers encoded, body encoded, header block scanned. The only maker of outgoing bytes."""

from __future__ import annotations

import hashlib
import re
from base64 import encodebytes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.quoprimime import body_encode
from email.utils import format_datetime, formataddr
from urllib.parse import quote

from triaged.message.clean import clean_header, clean_text
from triaged.ticket.filenames import safe_name

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
PART_NAMES = ("Content-Type", "Content-Transfer-Encoding")


class UnsafeLetterError(Exception):
    """The final bytes are not what was meant: the letter must not be sent."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a letter. Text is of our own making and goes as UTF-8; bytes may be anybody's and go as base64."""

    media_type: str  # ours, with its parameters but the charset: text/… for text, application/… for bytes
    name: str  # anybody's: made safe (AT-24) and encoded here
    content: str | bytes


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


def compose(fields: Iterable[tuple[str, str]], text: str, enclosed: Iterable[Enclosure] = ()) -> bytes:
    """The letter: `fields` in order (values already encoded), then `text` as text/plain UTF-8 in 7-bit clean form (SM-8);
    with enclosures, all as multipart/mixed, the text first (RFC 2046 section 5.1.3).
    """
    parts = [_text_entity(_PLAIN, text), *map(_enclosed, enclosed)]
    described, body = parts[0]
    boundary = ""
    if len(parts) > 1:
        boundary = _boundary(parts)
        described, body = [("Content-Type", f'multipart/mixed; boundary="{boundary}"')], _joined(parts, boundary)
    head = [*fields, ("MIME-Version", "1.0"), *described]
    data = _block(head) + b"\r\n" + body
    scan(data, [name for name, _ in head])
    if len(parts) > 1:
        _scan_parts(body, boundary, len(parts) - 1)
    return data


_PLAIN = "text/plain; charset=utf-8"
_Entity = tuple[list[tuple[str, str]], bytes]  # the fields that describe it, its encoded body


def _text_entity(content_type: str, text: str) -> _Entity:
    body, encoding = _body(clean_text(text))
    return [("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)], body


_TEXT = re.compile(r"text/[a-z0-9.+-]+(?:; [a-z-]+=[A-Za-z0-9-]+)*")
_BINARY = re.compile(r"application/[a-z0-9.+-]+")  # message/… and multipart/… may not be base64 (RFC 2046 section 5)


def _enclosed(file: Enclosure) -> _Entity:
    text = isinstance(file.content, str)
    if not (_TEXT if text else _BINARY).fullmatch(file.media_type):
        raise UnsafeLetterError("the type of an enclosure is none that a letter may have")
    if isinstance(file.content, str):
        fields, body = _text_entity(f"{file.media_type}; charset=utf-8", file.content)
    else:
        fields = [("Content-Type", file.media_type), ("Content-Transfer-Encoding", "base64")]
        body = encodebytes(file.content).replace(b"\n", b"\r\n") or b"\r\n"
    return [*fields, ("Content-Disposition", f"attachment;{_filename(safe_name(file.name))}")], body


_TOKEN = re.compile(r"[\w .()+,=@#~-]+", re.ASCII)  # what needs no escape between quotes


def _filename(name: str) -> str:
    """RFC 2183; RFC 2231 section 4 for any other letter, in pieces (section 3) where the line would be long."""
    if _TOKEN.fullmatch(name) and len(name) <= _SOFT_COLUMNS - len('attachment; filename=""'):
        return f' filename="{name}"'
    whole = f"utf-8''{quote(name, safe='')}"
    pieces = _FILENAME_PIECES.findall(whole)
    if len(pieces) == 1:
        return f"\r\n filename*={whole}"
    return ";".join(f"\r\n filename*{n}*={piece}" for n, piece in enumerate(pieces))


_FILENAME_PIECES = re.compile(r"(?:%[0-9A-F]{2}|[^%]){1,20}")  # no octet is cut in two


def _block(fields: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def _boundary(parts: Iterable[_Entity]) -> str:
    """Made from what it separates, so that a letter's bytes follow from its words; "=_" stands in no quoted-printable."""
    digest = hashlib.sha256()
    for _, body in parts:
        digest.update(body)
    return f"=_{digest.hexdigest()[:32]}"


def _joined(parts: Iterable[_Entity], boundary: str) -> bytes:
    opened = b"".join(b"--%s\r\n%s\r\n%s\r\n" % (boundary.encode(), _block(f), b) for f, b in parts)
    return opened + f"--{boundary}--\r\n".encode()


def _scan_parts(body: bytes, boundary: str, enclosed: int) -> None:
    """Exactly the parts that were meant, each described by the fields that were meant."""
    before, first, *others, end = (b"\r\n" + body).split(f"\r\n--{boundary}".encode())
    if before or len(others) != enclosed or end != b"--\r\n":
        raise UnsafeLetterError("the letter has other parts than were meant")
    _scan_head(first.removeprefix(b"\r\n"), PART_NAMES)
    for part in others:
        _scan_head(part.removeprefix(b"\r\n"), (*PART_NAMES, "Content-Disposition"))


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
    expected = tuple(expected)
    _scan_head(data, expected)
    if not NAMES.issuperset(expected):
        raise UnsafeLetterError("the header block holds other fields than were meant")
    if b"\0" in data or data.count(b"\r") != data.count(b"\r\n") or data.count(b"\n") != data.count(b"\r\n"):
        raise UnsafeLetterError("a bare CR, LF or NUL stands in the letter")
    if any(len(line) > LINE_OCTETS for line in data.split(b"\r\n")):
        raise UnsafeLetterError("a line is longer than 998 octets")


def _scan_head(data: bytes, expected: tuple[str, ...]) -> None:
    names, at, end = [], 0, data.find(b"\r\n\r\n") + 2
    while at < end:
        field = _FIELD.match(data, at, end)
        if field is None:
            raise UnsafeLetterError("a header field is not well formed")
        names.append(field.group(1).decode("ascii"))
        at = field.end()
    if tuple(names) != expected:
        raise UnsafeLetterError("the header block holds other fields than were meant")


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
