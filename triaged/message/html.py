"""HTML -> readable text, quoted parts marked with "> ". It fetches nothing, runs nothing and keeps where links go (AT-20)."""

from __future__ import annotations

import re

_LINE = re.compile(r"[ \t\u00a0]+\n")
_MANY = re.compile(r"\n{3,}")
_BLOCKQUOTE = re.compile(
    r"<(/?)(blockquote|title|textarea|xmp|noscript|noembed|noframes|iframe|plaintext)\b([^<>]{0,2000})>", re.I
)
# What clients write on the blockquote of a reply: type="cite", a class of theirs, the bar at its side. Without any of it,
# the element may as well be an indented paragraph.
_REPLY = re.compile(r"cite|quote|border-left|replied|reply|original", re.I)
_NO_BAR = re.compile(r"border(?:-left)?\s*:\s*(?:none|0)\b", re.I)
# Word's paragraphs have no space between them: each of them is a line, and an empty one is the blank line.
_WORD = re.compile(
    r"<p\b([^<>]{0,200}\bclass\s*=\s*[\"']?Mso(?:Normal|PlainText)\b[^<>]{0,2000})>((?:(?!</?p\b).)*)</p\s*>",
    re.I | re.S,
)
# Private characters that stand for where a quote opens and closes while the library makes text of the rest.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKS = dict.fromkeys((0xE000, 0xE001))
# The same characters as a client with an old charset writes them: what a stranger put into the text must not end a quote.
_REFERENCES = re.compile(r"&#(?:x0*e00[01](?![0-9a-f])|0*5734[45](?!\d));?", re.I)
_CITE = re.compile(r"\btype\s*=\s*[\"']?cite\b", re.I)
_DEEPEST = 20  # levels of quotes that are shown


def html_to_text(html: str, limit: int) -> tuple[str, bool]:
    """The text of at most `limit` characters of HTML, and whether the limit cut it."""
    from resiliparse.extract.html2text import extract_plain_text  # 18 MB: only where a message has HTML alone

    text = extract_plain_text(
        _marked(html[:limit]), preserve_formatting=True, links=True, alt_texts=False, noscript=True
    )
    text = _quoted(text) if _OPEN in text else text.translate(_MARKS)
    return _MANY.sub("\n\n", _LINE.sub("\n", text.replace("\u00a0", " "))).strip("\n").removeprefix(" "), len(
        html
    ) > limit


def _marked(html: str) -> str:
    """The same HTML with a mark in a paragraph of its own at both ends of each quote."""
    html = html.translate(_MARKS) if _OPEN in html or _CLOSE in html else html
    html = _WORD.sub(r"<div\1>\2</div>", html) if "Mso" in html else html
    html = _REFERENCES.sub(" ", html)  # a space, so that what stands around it makes no other
    opened: list[bool] = []  # of each blockquote that is open: whether it is a quote
    raw = ""  # the open element whose content is no markup: a tag that stands in it closes nothing

    def mark(match: re.Match[str]) -> str:
        nonlocal raw
        name = match[2].lower()
        if raw or name != "blockquote":
            raw = ("" if match[1] and name == raw else raw) if raw else "" if match[1] else name
            return match[0]
        if match[1]:
            return f"<p>{_CLOSE}</p>{match[0]}" if opened and opened.pop() else match[0]
        opened.append(_is_reply(match[3]) or (bool(opened) and opened[-1]))  # within a quote everything is one
        return f"{match[0]}<p>{_OPEN}</p>" if opened[-1] else match[0]

    return _BLOCKQUOTE.sub(mark, html)


def _is_reply(attributes: str) -> bool:
    if _CITE.search(attributes):
        return True
    return _REPLY.search(attributes) is not None and _NO_BAR.search(attributes) is None


def _quoted(text: str) -> str:
    """Lines between the marks get a "> " for each level."""
    out: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(_OPEN)
        content = line.translate(_MARKS).strip() if depth else line.translate(_MARKS)
        quoted = f"{'>' * min(depth, _DEEPEST)} {content}".rstrip() if depth else content
        if content or not depth or (out and out[-1] != quoted and not (_OPEN in line or _CLOSE in line)):
            out.append(quoted)
        depth = max(0, depth - line.count(_CLOSE))
    return "\n".join(out)
