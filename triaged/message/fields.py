"""Header blocks -> fields in order, by one linear scan of the raw bytes. Nothing here decodes or interprets a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triaged.message.charsets import decode
from triaged.message.model import Limits

_FIELD = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.M)
_BLANK = re.compile(rb"\n\r?\n")
# A line that is no field ends the header, unless one of these still follows before the first empty line.
_KNOWN = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-type|content-transfer-encoding|received"
    rb"|return-path|reply-to|in-reply-to):",
    re.M | re.I,
)
_FOLD = re.compile(r"\r?\n")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: lower-case name, value unfolded; octets that are not UTF-8 are read by what they look like."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one header block, topmost first."""

    fields: tuple[Field, ...]
    defects: tuple[str, ...]

    def all(self, name: str) -> list[str]:
        """Values of every field of this lower-case name, topmost first."""
        return [field.value for field in self.fields if field.name == name]

    def first(self, name: str) -> str:
        """Value of the topmost field of this name; "" where there is none."""
        return next((field.value for field in self.fields if field.name == name), "")

    def names(self) -> frozenset[str]:
        """The names that occur."""
        return frozenset(field.name for field in self.fields)


def start_of_header(raw: bytes) -> int:
    """Offset of the first field: past a byte order mark, empty lines and the "From " line of an mbox."""
    start = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    while raw[start : start + 1] in (b"\r", b"\n"):
        start += 1
    if raw.startswith((b"From ", b">From "), start):
        line_end = raw.find(b"\n", start)
        return len(raw) if line_end < 0 else line_end + 1
    return start


def read_header(raw: bytes, start: int, end: int, limits: Limits) -> tuple[Header, int]:
    """The header block that begins at `start`, and the offset where its body begins (RFC 5322 section 2.2)."""
    if raw.startswith(b"\n", start) or raw.startswith(b"\r\n", start):
        return Header((), ()), min(start + (1 if raw.startswith(b"\n", start) else 2), end)
    blank = _BLANK.search(raw, start, end)
    stop, body = (blank.start() + 1, blank.end()) if blank else (end, end)
    block = raw[start : min(stop, start + limits.header_block_bytes)]
    defects = ["truncated: header"] if stop - start > limits.header_block_bytes else []
    fields: list[Field] = []
    for field, garbage in _scan(block):
        if field is None:
            defects.append("no-empty-line")
            return Header(tuple(fields), tuple(dict.fromkeys(defects))), start + garbage
        if len(fields) >= limits.header_fields:
            defects.append("truncated: header-fields")
            break
        defects.extend(["garbage-in-header"] if garbage else [])
        fields.append(_field(field, limits, defects))
    return Header(tuple(fields), tuple(dict.fromkeys(defects))), body


def _scan(block: bytes) -> Iterator[tuple[tuple[bytes, bytes] | None, int]]:
    """Each field with the number of foreign bytes before it; (None, offset) where the header ended without an empty
    line.
    """
    last_known = (
        max((match.start() for match in _KNOWN.finditer(block)), default=-1) if _has_foreign(block) else len(block)
    )
    position = 0
    for match in _FIELD.finditer(block):
        foreign = block[position : match.start()].strip()
        if foreign and match.start() > last_known:
            yield None, position
            return
        yield (match[1], match[2]), len(foreign)
        position = match.end() + 1
    if block[position:].strip():
        yield None, position


def _has_foreign(block: bytes) -> bool:
    position = 0
    for match in _FIELD.finditer(block):
        if block[position : match.start()].strip():
            return True
        position = match.end() + 1
    return False


def _field(found: tuple[bytes, bytes], limits: Limits, defects: list[str]) -> Field:
    name = found[0].decode("ascii").lower()
    value = found[1]
    if len(value) > limits.header_bytes:
        defects.append(f"truncated: {name[:40]}")
        value = value[: limits.header_bytes]
    text = (
        _FOLD.sub("", _text(value, name, defects)) if b"\n" in value or b"\r" in value else _text(value, name, defects)
    )
    return Field(name, text.strip(" \t\r"))


def _text(value: bytes, name: str, defects: list[str]) -> str:
    try:
        return value.decode("utf-8")  # RFC 6532
    except UnicodeDecodeError:
        defects.append(f"8bit-header: {name[:40]}")
        return decode(value, "")[0]
