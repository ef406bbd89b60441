"""Text from strangers made safe to store and to show. It never decides what the text means."""

from __future__ import annotations

import re
import unicodedata

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
# Line breaks become spaces before the rest is dropped, so that two words never grow together.
_HEADER = dict.fromkeys((*_CONTROLS, *_BIDI, 0xFEFF, *range(0xD800, 0xE000))) | dict.fromkeys(
    (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " "
)
_TEXT = dict.fromkeys((*_CONTROLS, 0xFEFF, *range(0xD800, 0xE000)))
_TEXT.update({0x09: "\t", 0x0A: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"})
_UNCLEAN = re.compile("[" + "".join(re.escape(chr(code)) for code in _TEXT if code not in (0x09, 0x0A)) + "]")

_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x20\x7f]{1,248}>")


def clean_header(text: str, limit: int = 998) -> str:
    """One line, NFC, at most `limit` characters, without controls, surrogates and bidi controls (AT-1)."""
    if text.isascii() and text.isprintable():
        return " ".join(text[:limit].split())
    spaced = text[: limit * 2].translate(_HEADER)
    return " ".join(unicodedata.normalize("NFC", spaced).split())[:limit]


def clean_text(text: str) -> str:
    """Lines that end in LF, without NUL, C0/C1 controls (TAB stays) and lone surrogates (AT-18)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_TEXT) if _UNCLEAN.search(text) else text  # looking is ten times as fast as translating


_QUOTED_BREAK = re.compile("(?m)^[ \t]{0,3}>[^\n]*?[\r\f\x0b\x85\u2028\u2029][^\n]*")
_BREAKS = dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " ")


def whole_quotes(text: str) -> str:
    """The same text with every quoted line in one piece: what stands behind a break of another kind than LF, which a client
    took for a letter, has no mark of its own and would become the words of who quotes it (AT-29).
    """
    if text.isascii() and "\r" not in text and "\f" not in text and "\x0b" not in text:
        return text
    return _QUOTED_BREAK.sub(lambda line: line[0].translate(_BREAKS), text.replace("\r\n", "\n"))


def parse_message_ids(value: str) -> tuple[str, ...]:
    """Every well-formed msg-id of the field, in order, once each, with its angle brackets (RFC 5322 section 3.6.4,
    TH-4).
    """
    found = (match.group() for match in _MESSAGE_ID.finditer(value))
    return tuple(
        dict.fromkeys(item for item in found if item.isprintable() and len(item.encode("utf-8", "replace")) <= 250)
    )
