"""The MIME tree -> the text a person would read, and everything else as attachments that stay slices of the raw
message.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from triaged.message.charsets import decode
from triaged.message.clean import clean_text, whole_quotes
from triaged.message.filetype import detect
from triaged.message.html import html_to_text
from triaged.message.model import Attachment, Limits
from triaged.message.structure import Part
from triaged.message.tnef import SIGNATURE, inner_files
from triaged.message.transfer import decode_transfer, uudecode

_READ_AS_TEXT = frozenset(
    {"text/plain", "text/html", "text/enriched", "text/markdown", "text/x-markdown", "text/watch-html"}
)
_HTML_TAG = re.compile(r"<[^>]{1,2000}>")
_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n([!-`])([^\r\n]{0,90})\r?\n", re.M)
_END = re.compile(rb"\n[ `]?(?:\r?\n)?end[ \t]*(?=\r?\n|\r?\Z)")
_GUESSED = 8  # parts of one message whose charset is guessed by counting letters
_INSIDE = (-1, 0)  # no slice of the raw message
_NO_HTML_HERE = re.compile(r"html|mime|view|anzeig|affich", re.I)


@dataclass(slots=True)
class Body:
    """What the parts of one message hold."""

    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    guessed: int = 0  # parts whose charset could not be told by their label
    html: str = ""  # the source of the HTML that the text was made from; "" where it was plain
    garbled: set[int] = field(default_factory=set)  # id() of text parts whose octets are no text


def read_body(raw: bytes, root: Part, parts: list[Part], limits: Limits) -> Body:
    """The whole text and the attachments of the message, in the order of its parts."""
    body = Body()
    texts = {id(part) for part in parts if is_text(part)}
    body.text = _render(raw, root, texts, body, limits)
    for part in parts:
        if part.is_leaf() and (id(part) not in texts or id(part) in body.garbled or _is_also_a_file(part)):
            body.attachments.extend(_attachments(raw, part, body, limits))
    if len(body.text) > limits.text_bytes:
        body.text = body.text[: limits.text_bytes]
        body.defects.append("truncated: text")
    return body


def _is_also_a_file(part: Part) -> bool:
    """Text that was sent under a file name, and a multipart without its boundary: read as text, and kept as a file
    too.
    """
    return part.media_type.startswith("multipart/") or bool(part.name and part.disposition)


def is_text(part: Part) -> bool:
    """Whether a mail client shows this part as part of the message itself (the rule of RFC 8621 section 4.1.4)."""
    if not part.is_leaf():
        return False
    if part.media_type.startswith("multipart/"):
        return True  # without a boundary nothing but text can be made of it
    if part.media_type not in _READ_AS_TEXT or part.disposition == "attachment":
        return False
    if part.parent is None:
        return True
    if part.media_type == "text/enriched" and part is not part.parent.children[0]:
        return False
    if part.parent.media_type == "multipart/report":
        return part is part.parent.children[0]
    first = part is part.parent.children[0]
    if part.parent.media_type == "multipart/related" and not first:
        return False
    return not part.name or (first and not _heads_words(part))


def _heads_words(part: Part) -> bool:
    """A file that was put above the words of the mail itself: what it says is not what the sender says."""
    others = part.parent.children[1:] if part.parent is not None else []
    return part.disposition == "inline" and any(
        other.media_type.startswith("multipart/") or (other.media_type in _READ_AS_TEXT and not other.name)
        for other in others
    )


def _render(raw: bytes, part: Part, texts: set[int], body: Body, limits: Limits) -> str:
    """Depth is bounded by `limits.depth`, so plain recursion is safe here."""
    if part.is_leaf():
        return _leaf_text(raw, part, body, limits) if id(part) in texts else ""
    if part.media_type == "multipart/alternative":
        return _alternative(raw, part, texts, body, limits)
    found = (_render(raw, child, texts, body, limits) for child in part.children)
    return "\n\n".join(text for text in (item.strip("\n") for item in found) if text)


def _alternative(raw: bytes, part: Part, texts: set[int], body: Body, limits: Limits) -> str:
    """The plain form where it says something, else the richest one (RFC 2046 section 5.1.4 has them in rising order)."""
    plain = next((child for child in part.children if child.media_type == "text/plain" and id(child) in texts), None)
    text = _render(raw, plain, texts, body, limits) if plain is not None else ""
    others = [child for child in part.children if child is not plain]
    if text.strip() and not (len(text) < 200 and others and _NO_HTML_HERE.search(text) and _is_rich(others)):
        return text
    for child in reversed(others):
        if rich := _render(raw, child, texts, body, limits).strip("\n"):
            return rich
    return text


def _is_rich(others: list[Part]) -> bool:
    return any(child.end - child.start > 2000 for child in others)


def _leaf_text(raw: bytes, part: Part, body: Body, limits: Limits) -> str:
    data, broken = decode_transfer(raw[part.start : part.end], part.encoding)
    body.defects.extend([broken] if broken else [])
    if part.encoding in ("7bit", "8bit", "binary") and b"begin " in data:
        data = _without_uuencoded(part, data, body, limits)
    cap = 4 * (limits.html_bytes if part.media_type == "text/html" else limits.text_bytes)
    text, defect = decode(data[:cap], part.parameters.get("charset", ""), statistics=body.guessed < _GUESSED)
    body.guessed += bool(defect or "charset" not in part.parameters) and not data.isascii()
    body.defects.extend([defect] if defect else [])
    if broken and defect:  # what came out is no text in its own charset: the octets are kept for people to see (AT-16)
        body.garbled.add(id(part))
    if part.media_type in ("text/html", "text/watch-html"):
        return _html(text, body, limits)
    if part.media_type == "text/enriched":
        text = _HTML_TAG.sub("", text)
    if part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return clean_text(whole_quotes(text))


def _html(text: str, body: Body, limits: Limits) -> str:
    body.html = body.html or text[: limits.html_bytes]
    converted, cut = html_to_text(clean_text(text), limits.html_bytes)
    body.defects.extend(["truncated: html"] if cut else [])
    return clean_text(whole_quotes(converted))


def unflow(text: str, *, delete_space: bool) -> str:
    """Paragraphs of format=flowed on one line each (RFC 3676 section 4.2); quotes keep one "> " a level."""
    out: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0
    for line in text.replace("\r\n", "\n").split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing, section 4.4
        flowed = content.endswith(" ") and content != "-- "
        if paragraph and depth != paragraph_depth:
            out.append(_quoted(paragraph, paragraph_depth))
            paragraph = []
        paragraph.append(content[:-1] if flowed and delete_space else content)
        paragraph_depth = depth
        if not flowed:
            out.append(_quoted(paragraph, depth))
            paragraph = []
    return "\n".join([*out, _quoted(paragraph, paragraph_depth)] if paragraph else out)


def _quoted(paragraph: list[str], depth: int) -> str:
    text = "".join(paragraph)
    return f"{'>' * depth} {text}" if depth else text


def _without_uuencoded(part: Part, data: bytes, body: Body, limits: Limits) -> bytes:
    """Files that old mailers put into the text itself leave it and become attachments."""
    kept: list[bytes] = []
    end = 0
    for name, start, content_start, stop in _uuencoded(data, limits.parts - len(body.attachments)):
        kept.append(data[end:start])
        end = stop
        content = uudecode(data[content_start:stop])
        span = (part.start + start, stop - start)
        body.attachments.append(_described(name, "application/octet-stream", content, False, span, "x-uuencode"))
    return b"".join(kept) + data[end:]


def _uuencoded(data: bytes, limit: int) -> Iterator[tuple[str, int, int, int]]:
    """(name, start, start of the first line of content, end) of at most `limit` files. The first line must be as long as
    its first octet says; each end is looked for once.
    """
    position, last, found = 0, None, 0
    while found < limit and (begin := _BEGIN.search(data, position)) is not None:
        position = begin.start(2)
        if not _is_uuencode(begin[2][0], len(begin[3].rstrip())):
            continue
        if last is None or last.start() < begin.end() - 1:
            last = _END.search(data, begin.end() - 1)
        if last is None:
            return
        yield clean_text(decode(begin[1], "")[0]).strip(), begin.start(), begin.start(2), last.end()
        position, found = last.end(), found + 1


def _is_uuencode(first: int, length: int) -> bool:
    wanted = (((first - 32) & 63) + 2) // 3 * 4
    return wanted - 2 <= length <= wanted + 2  # writers that trim blanks, or add a check character


def _attachments(raw: bytes, part: Part, body: Body, limits: Limits) -> list[Attachment]:
    """The part as a file, and behind it the files within it where it is a winmail.dat (AT-15: no other container is opened)."""
    content, defect = decode_transfer(raw[part.start : part.end], part.encoding)
    body.defects.extend([defect] if defect else [])
    in_related = part.parent is not None and part.parent.media_type == "multipart/related"
    inline = part.disposition == "inline" or (in_related and part.disposition != "attachment")
    span = (part.start, part.end - part.start)
    inner = inner_files(content, limits.parts - len(body.attachments)) if content.startswith(SIGNATURE) else []
    return [
        _described(part.name, part.media_type, content, inline, span, part.encoding),
        *(_described(name, "application/octet-stream", data, False, _INSIDE, "") for name, data in inner),
    ]


def _described(
    name: str, media_type: str, content: bytes, inline: bool, span: tuple[int, int], encoding: str
) -> Attachment:
    return Attachment(
        name=name,
        media_type=media_type,
        detected_type=detect(content),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        inline=inline,
        offset=span[0],
        length=span[1],
        encoding=encoding,
    )
