"""The MIME tree of raw bytes as slices, within bounds, without recursion (RFC 2046, AT-12, AT-13). It decodes no body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from triaged.message.fields import Header, read_header
from triaged.message.model import Limits
from triaged.message.parameters import file_name, parse_value

_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r?\Z)")
_NEAR_MISSES = 2000  # lines that begin as the delimiter does and are none, within one multipart
_GUESS = re.compile(rb"^--([0-9A-Za-z'()+_,./:=?-]{1,70})[ \t]*\r?$", re.M)


@dataclass(slots=True)
class Part:
    """One entity: its header and the slice of the raw message that is its encoded body."""

    header: Header
    media_type: str
    parameters: dict[str, str]
    disposition: str  # inline, attachment, another word, or ""
    name: str
    encoding: str  # lower-case content transfer encoding; 7bit where none is stated
    start: int
    end: int
    depth: int
    parent: Part | None = None
    children: list[Part] = field(default_factory=list)

    def is_leaf(self) -> bool:
        """True where the body is content, not further parts."""
        return not self.children


def read_structure(raw: bytes, start: int, limits: Limits) -> tuple[Part, list[Part], list[str]]:
    """The root, every part in order (root first), and the defects met. At most `limits.parts` parts, `limits.depth`
    deep.
    """
    defects: list[str] = []
    root = _entity(raw, start, len(raw), None, limits, defects)
    found: list[Part] = []
    stack = [root]
    budget = limits.parts
    while stack:
        part = stack.pop()
        found.append(part)
        if part.media_type.startswith("multipart/"):
            part.children = _children(raw, part, limits, budget, defects)
            budget -= len(part.children)
            stack.extend(reversed(part.children))
    return root, found, list(dict.fromkeys(defects))


def _entity(raw: bytes, start: int, end: int, parent: Part | None, limits: Limits, defects: list[str]) -> Part:
    header, body = read_header(raw, start, end, limits)
    defects.extend(header.defects)
    declared = header.first("content-type")
    media_type, parameters = parse_value(declared, limits.parameter_segments)
    disposition, names = parse_value(header.first("content-disposition"), limits.parameter_segments)
    default = "message/rfc822" if parent is not None and parent.media_type == "multipart/digest" else "text/plain"
    return Part(
        header=header,
        media_type=media_type
        if "/" in media_type
        else {"text": "text/plain", "multipart": "multipart/mixed"}.get(media_type, default),
        parameters=parameters,
        disposition=disposition,
        name=file_name(names, parameters),
        encoding=header.first("content-transfer-encoding").split("(")[0].split(";")[0].strip(" \t\"'").lower()
        or "7bit",
        start=min(body, end),
        end=end,
        depth=parent.depth + 1 if parent is not None else 0,
        parent=parent,
    )


def _children(raw: bytes, part: Part, limits: Limits, budget: int, defects: list[str]) -> list[Part]:
    if part.depth >= limits.depth:
        defects.append("truncated: depth")
        return []
    boundary = part.parameters.get("boundary", "").rstrip(" ").encode("utf-8", "replace") or _guessed(raw, part)
    spans, closed = _spans(raw, part.start, part.end, boundary, budget) if boundary else ([], True)
    if not spans:
        defects.append("no-boundary")
    elif not closed:
        defects.append("truncated: parts" if len(spans) >= budget else "no-closing-boundary")
    return [_entity(raw, start, end, part, limits, defects) for start, end in spans]


def _guessed(raw: bytes, part: Part) -> bytes:
    match = _GUESS.search(raw, part.start, min(part.end, part.start + 65536))
    return match[1] if match else b""


def _spans(raw: bytes, start: int, end: int, boundary: bytes, budget: int) -> tuple[list[tuple[int, int]], bool]:
    """The slices between delimiter lines, and whether the closing one was there (RFC 2046 section 5.1.1)."""
    needle = b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened = -1
    misses = 0
    position = start
    while (at := raw.find(needle, position, end)) >= 0:
        position = at + len(needle)
        if at > start and raw[at - 1] not in b"\n":
            continue
        tail = _DELIMITER_END.match(raw, position, end)
        if tail is None:
            misses += 1
            if misses > _NEAR_MISSES:
                break
            continue
        if opened >= 0:
            spans.append((opened, max(opened, _before_line_break(raw, at))))
        if tail[1] or len(spans) >= budget:
            return spans, bool(tail[1])
        opened = tail.end()
    if opened >= 0:
        spans.append((opened, end))
    return spans, False


def _before_line_break(raw: bytes, at: int) -> int:
    """The line break before a delimiter belongs to the delimiter."""
    return at - 2 if raw[at - 2 : at] == b"\r\n" else at - 1
