"""Content-Type and Content-Disposition values with their parameters (RFC 2045, RFC 2231). It never raises."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from triaged.message.charsets import decode
from triaged.message.clean import clean_header
from triaged.message.words import decode_words

# Each alternative stops at a character that the others can't take, so that matching is linear.
_PARAMETER = re.compile(r'[;\s]\s*([^\s=;"*]{1,60})(\*[0-9]{0,4}\*?)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))')
_ESCAPED = re.compile(r"\\(.)")
_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+|[a-z-]+)", re.I)


def parse_value(value: str, segments: int) -> tuple[str, dict[str, str]]:
    """The lower-case value before the parameters, and the parameters by lower-case name; at most `segments`
    continuations each (ML-4).
    """
    head = _TYPE.match(value)
    parts: dict[str, dict[int, tuple[str, bool]]] = {}
    plain: dict[str, str] = {}
    for match in _PARAMETER.finditer(value, head.end() if head else 0):
        name, star = match[1].lower(), match[2]
        text = _ESCAPED.sub(r"\1", match[3]) if match[3] is not None else match[4].strip()
        if star is None:
            plain.setdefault(name, text)
        else:
            number = star.strip("*")
            kept = parts.setdefault(name, {})
            if len(kept) < segments:
                kept.setdefault(int(number or 0), (text, star.endswith("*")))
    for name, kept in parts.items():
        plain[name] = _joined(kept)  # RFC 2231 section 3: the extended form is preferred
    return (head[1].lower() if head else ""), plain


def _joined(segments: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 sections 3 and 4: numbered pieces, percent-encoded or not, with the charset in the first."""
    ordered = [segments[number] for number in sorted(segments)]
    charset, data = "", b""
    for index, (text, extended) in enumerate(ordered):
        if extended and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return decode(data, charset)[0]


def file_name(disposition: dict[str, str], content_type: dict[str, str]) -> str:
    """The name as claimed: data, never a path (AT-24). Encoded words are decoded though RFC 2047 forbids them here:
    most mailers send them.
    """
    claimed = disposition.get("filename") or content_type.get("name") or ""
    return clean_header(decode_words(claimed), 255)
