"""The hash that tells a second copy of the same message: SHA-256 without what each delivery adds. It parses nothing
else.
"""

from __future__ import annotations

import hashlib

_TRACE = (b"return-path", b"received", b"delivered-to", b"x-original-to", b"authentication-results", b"arc-")


def content_sha256(raw: bytes) -> str:
    """SHA-256, in hexadecimal, of the bytes after the leading trace fields (Return-Path, Received, Delivered-To,
    X-Original-To, Authentication-Results, ARC-*).
    """
    return hashlib.sha256(memoryview(raw)[_after_trace(raw) :]).hexdigest()


def _after_trace(raw: bytes) -> int:
    position = 0
    while _is_trace(raw, position):
        position = _end_of_field(raw, position)
    return position


def _is_trace(raw: bytes, position: int) -> bool:
    name, colon, _ = raw[position : position + 64].partition(b":")
    name = name.rstrip(b" \t").lower()
    return bool(colon) and (name in _TRACE or (name.startswith(b"arc-") and b"\n" not in name))


def _end_of_field(raw: bytes, position: int) -> int:
    """The start of the next line that is no continuation (RFC 5322 section 2.2.3)."""
    while True:
        line_end = raw.find(b"\n", position)
        if line_end < 0:
            return len(raw)
        position = line_end + 1
        if raw[position : position + 1] not in (b" ", b"\t"):
            return position
