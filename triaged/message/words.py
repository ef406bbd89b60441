"""Encoded words of RFC 2047 in unstructured text. It never raises; what can't be decoded stays as it was sent."""

from __future__ import annotations

import binascii
import re

from triaged.message.charsets import decode

# [^?] makes each word end at the next question mark, so that the search stays linear (AT-14).
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?=]{0,60}){0,3})\?=")


def decode_words(text: str) -> str:
    """The text with its encoded words decoded; white space between two of them is not text (RFC 2047 section 6.2)."""
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        if not pending or between.strip():
            out.append(_flush(pending) + between)
            pending = []
        # Octets that were already read as UTF-8 in the raw field are that, whatever the word says.
        charset = match[1].partition("*")[0].lower() if match[3].isascii() else "utf-8"
        pending.append((charset, _octets(match[2], match[3])))
        end = match.end()
    return "".join(out) + _flush(pending) + text[end:]


def _flush(pending: list[tuple[str, bytes]]) -> str:
    """Neighbours of one charset are decoded together: many writers split a character between two words."""
    out: list[str] = []
    charset, data = "", b""
    for label, octets in pending:
        if label != charset and data:
            out.append(decode(data, charset)[0])
            data = b""
        charset = label
        data += octets
    if data:
        out.append(decode(data, charset)[0])
    return "".join(out)


def _octets(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(data.replace(b" ", b"_"), header=True)
    return base64_octets(data)


def base64_octets(data: bytes) -> bytes:
    """As many octets as the base64 holds; foreign characters are skipped, missing padding is forgiven (AT-16)."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        usable = len(kept) - (1 if len(kept) % 4 == 1 else 0)
        return binascii.a2b_base64(kept[:usable] + b"=" * (-usable % 4))
