"""The files within a winmail.dat ([MS-OXTNEF]): names and contents. It reads no properties beyond names, and never raises."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from triaged.message.clean import clean_header

SIGNATURE = b"\x78\x9f\x3e\x22"
_ATTACHMENT_LEVEL = 2
# Attributes, section 2.1.3.3: the low half of the identifier.
_BEGINS, _TITLE, _DATA, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
# Properties of an attachment, [MS-OXCMSG] section 2.2.2: the long file name.
_LONG_NAME = 0x3707
_TEXT, _WIDE_TEXT = 0x001E, 0x001F
_VARIABLE = frozenset({0x000D, _TEXT, _WIDE_TEXT, 0x0102})
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}  # property type -> octets, padded
_MANY_VALUES = 0x1000


def inner_files(data: bytes, limit: int) -> list[tuple[str, bytes]]:
    """(name as claimed, content) of each file in order, at most `limit`; what is broken ends the list."""
    found: list[tuple[str, bytes]] = []
    short, long, content = "", "", b""
    opened = False
    for attribute, value in _attributes(data):
        if attribute == _BEGINS:
            if opened:
                found.append((long or short, content))
            if len(found) >= limit:
                return found
            opened, short, long, content = True, "", "", b""
        elif attribute == _TITLE:
            short = _name(value.decode("cp1252", "replace"))
        elif attribute == _DATA:
            content = value
        elif attribute == _PROPERTIES:
            long = _long_name(value) or long
    return [*found, (long or short, content)] if opened else found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Section 2.1.3: level, identifier, length, value, checksum. Those of the message itself are passed over."""
    position = 6 if data.startswith(SIGNATURE) else len(data)
    while position + 9 <= len(data):
        level, attribute, _, length = struct.unpack_from("<BHHI", data, position)
        start = position + 9
        if level not in (1, _ATTACHMENT_LEVEL) or start + length > len(data):
            return
        if level == _ATTACHMENT_LEVEL:
            yield attribute, data[start : start + length]
        position = start + length + 2


def _long_name(data: bytes) -> str:
    """The value of the one property that counts; "" where it is missing or the list is broken."""
    try:
        return next((name for identifier, name in _texts(data) if identifier == _LONG_NAME and name), "")
    except struct.error:
        return ""


def _texts(data: bytes) -> Iterator[tuple[int, str]]:
    """Section 2.1.3.4: every property that is text, by its identifier."""
    (count,) = struct.unpack_from("<I", data, 0)
    position = 4
    for _ in range(count):
        kind, identifier = struct.unpack_from("<HH", data, position)
        position += 4
        if identifier >= 0x8000:  # a named property: a GUID, and a number or a name
            position = _after_name(data, position)
        several = kind & _MANY_VALUES
        kind &= ~_MANY_VALUES
        values = 1
        if several or kind in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, position)
            position += 4
        if kind not in _VARIABLE:
            position += values * _FIXED.get(kind, 4)
            continue
        for _ in range(values):  # each takes four octets at least: the data ends before long
            (length,) = struct.unpack_from("<I", data, position)
            value = data[position + 4 : position + 4 + length]
            position += 4 + length + (-length % 4)
            if kind in (_TEXT, _WIDE_TEXT):
                yield identifier, _name(value.decode("utf-16-le" if kind == _WIDE_TEXT else "cp1252", "replace"))


def _after_name(data: bytes, position: int) -> int:
    kind, length = struct.unpack_from("<II", data, position + 16)
    return position + 24 + (length + (-length % 4) if kind else 0)


def _name(text: str) -> str:
    return clean_header(text.partition("\x00")[0], 255)
