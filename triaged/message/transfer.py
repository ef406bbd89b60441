"""Content transfer encodings undone (RFC 2045 section 6, uuencode). It never raises; broken input gives what can be
had (AT-16).
"""

from __future__ import annotations

import binascii
import io
import re
from itertools import islice

from triaged.message.words import base64_octets

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
_UU_LINES = 1_000_000  # 45 MB of what any writer makes
_KNOWN = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable", *UUENCODE})


def decode_transfer(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The octets, and the defect met ("" for none)."""
    if encoding == "base64":
        return base64_octets(data), "broken-base64" if _NOT_BASE64.search(data) or _length_is_off(data) else ""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data), ""
    if encoding in UUENCODE:
        return uudecode(data), "truncated: uuencode" if data.count(b"\n") > _UU_LINES else ""
    return data, "" if encoding in _KNOWN else f"unknown-encoding: {encoding[:40]}"


def _length_is_off(data: bytes) -> bool:
    return len(data.translate(None, b" \t\r\n")) % 4 != 0


def uudecode(data: bytes) -> bytes:
    """The octets between "begin" and "end"; lines that are not uuencode are passed over, and so is what follows the
    millionth line.
    """
    out = bytearray()
    for line in islice(io.BytesIO(data), _UU_LINES):
        line = line.rstrip(b"\r\n")
        if line in (b"end", b"`", b"") or line.startswith(b"begin "):
            continue
        wanted = ((line[0] - 32) & 63) * 4 // 3 + 2
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            try:
                out += binascii.a2b_uu(line[:wanted])
            except binascii.Error:
                continue
    return bytes(out)
