"""Mail as the clients of researchers and members write it: answers with the letter quoted in many shapes. Bytes out."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Quoted:
    """The letter that is answered."""

    author: str
    to: str
    subject: str
    text: str
    message_id: str


@dataclass(frozen=True)
class Written:
    """What somebody sends."""

    author: str  # as From has it
    to: str
    subject: str
    words: str
    message_id: str
    signature: str = ""
    answers: Quoted | None = None
    shape: str = "plain"
    cc: str = ""
    proven: bool = True
    file: tuple[str, str] | None = None  # name and text
    fields: tuple[tuple[str, str], ...] = ()


def _marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _signed(written: Written) -> str:
    return f"{written.words}\n\n-- \n{written.signature}" if written.signature else written.words


def _wrote(q: Quoted) -> str:
    return f"On Fri, 20 Nov 2026 at 11:12, {q.author} wrote:"


def _head(q: Quoted) -> str:
    return f"From: {q.author}\nSent: Friday, November 20, 2026 11:12 AM\nTo: {q.to}\nSubject: {q.subject}\n"


def _top(w: Written, q: Quoted) -> str:
    return f"{_signed(w)}\n\n{_wrote(q)}\n\n{_marked(q.text)}\n"


def _bottom(w: Written, q: Quoted) -> str:
    return f"{_wrote(q)}\n{_marked(q.text)}\n\n{_signed(w)}\n"


def _outlook(w: Written, q: Quoted) -> str:
    """Without marks, the signature without its line."""
    return f"{w.words}\n\n{w.signature}\n\n________________________________\n{_head(q)}\n{q.text}\n"


def _plain_outlook(w: Written, q: Quoted) -> str:
    return f"{_signed(w)}\n\n{_head(q)}\n{q.text}\n"


def _original(w: Written, q: Quoted) -> str:
    return f"{_signed(w)}\n\n-----Original Message-----\n{_head(q)}\n{q.text}\n"


def _forwarded(w: Written, q: Quoted) -> str:
    return f"{_signed(w)}\n\n---------- Forwarded message ---------\n{_head(q).replace('Sent', 'Date')}\n{q.text}\n"


def _unmarked(w: Written, q: Quoted) -> str:
    return f"{w.words}\n\n{_wrote(q)}\n\n{q.text}\n"


def _bare(w: Written, q: Quoted) -> str:
    """The letter pasted below with nothing that says so."""
    return f"{w.words}\n\n{q.text}\n"


def _phone(w: Written, q: Quoted) -> str:
    return f"{w.words}\n\nSent from my iPhone\n\n> {_wrote(q)}\n{_marked(q.text)}\n"


_TEXTS = {
    "top": _top, "bottom": _bottom, "outlook": _outlook, "plain-outlook": _plain_outlook, "original": _original,
    "forwarded": _forwarded, "unmarked": _unmarked, "bare": _bare, "phone": _phone,
}  # fmt: skip
SHAPES = ("plain", *_TEXTS, "html", "html-outlook", "alternative", "flowed", "eml")


def mail(w: Written) -> bytes:
    """The message as a mailbox holds it. Written by hand: the standard library takes most of a conversation's time."""
    domain = w.author.rpartition("@")[2].rstrip(">")
    fields = [("Authentication-Results", f"mx.example.test; dmarc=pass header.from={domain}")] if w.proven else []
    fields += [*w.fields, ("From", w.author), ("To", w.to), *([("Cc", w.cc)] if w.cc else [])]
    fields += [("Subject", w.subject), ("Message-ID", w.message_id), ("MIME-Version", "1.0")]
    if w.answers is not None and w.shape not in ("outlook", "forwarded"):
        fields += [(name, w.answers.message_id) for name in ("In-Reply-To", "References")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return (head + _body(w).replace("\n", "\r\n")).encode()


def _body(w: Written) -> str:
    q = w.answers or Quoted("Nobody <nobody@example.org>", "somebody@example.org", w.subject, "", "<none@example.org>")
    shape = w.shape if w.answers is not None or w.shape in ("html", "flowed") else "plain"
    if shape in ("html", "html-outlook"):
        whole = _part("text/html", _html(w, q, shape == "html-outlook"))
    elif shape == "alternative":
        whole = _multipart("alternative", _part("text/plain", _top(w, q)), _part("text/html", _html(w, q, False)))
    elif shape == "flowed":
        whole = _part("text/plain; format=flowed", _soft(_top(w, q) if w.answers else _signed(w)))
    else:
        whole = _part("text/plain", _TEXTS[shape](w, q) if shape in _TEXTS else _signed(w))
    files = [] if w.file is None else [_file(*w.file)]
    if shape == "eml":
        files.append(_file("mail.eml", f"Subject: {q.subject}\nFrom: {q.author}\n\n{q.text}"))
    return _multipart("mixed", whole, *files) if files else whole


def _part(kind: str, text: str) -> str:
    return f"Content-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"


def _file(name: str, text: str) -> str:
    return f'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="{name}"\n\n{text}\n'


def _multipart(kind: str, *parts: str) -> str:
    boundary = f"=={kind}=="
    inner = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{inner}--{boundary}--\n'


def _soft(text: str) -> str:
    """RFC 3676: lines are broken with a space at their end; what is a command or an empty line stays."""
    lines = []
    for line in text.split("\n"):
        while len(line) > 60 and not line.startswith(("/", ">", "-- ")) and " " in line[:60]:
            cut = line.rindex(" ", 0, 60) + 1
            lines.append(line[:cut])
            line = line[cut:]
        lines.append(line)
    return "\n".join(lines)


def _html(w: Written, q: Quoted, outlook: bool) -> str:
    def shown(text: str) -> str:
        return "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in text.split("\n"))

    signature = f'<div class="gmail_signature">--&nbsp;<br>{html.escape(w.signature)}</div>' if w.signature else ""
    if outlook:
        head = "<br>".join(
            f"<b>{line.partition(':')[0]}:</b>{html.escape(line.partition(':')[2])}"
            for line in _head(q).strip().split("\n")
        )
        rest = f'<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>{head}</p></div>{shown(q.text)}'
    else:
        rest = f'<div class="gmail_quote">{html.escape(_wrote(q))}<blockquote>{shown(q.text)}</blockquote></div>'
    body = f"{shown(w.words)}{signature}{rest if q.text else ''}"
    return f"<html><head><style>p {{margin:0}}</style></head><body>{body}</body></html>"
