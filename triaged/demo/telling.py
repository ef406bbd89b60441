"""How the story is told: each letter as a line, or whole. Text in, text out; no control character of a letter gets through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr

from triaged.message.clean import clean_header, clean_text

WIDTH = 180  # columns, where nobody says how many there are
_DETAIL = re.compile(r"\+[^@]*@")


@dataclass(frozen=True, slots=True)
class Told:
    """One letter as it stands in somebody's mailbox."""

    at: datetime
    to: str
    message: EmailMessage

    @property
    def text(self) -> str:
        """The words, without what is attached."""
        part = self.message.get_body(("plain",))
        return clean_text(str(part.get_content())) if isinstance(part, EmailMessage) else ""

    @property
    def attached(self) -> tuple[str, ...]:
        """Names of what is attached."""
        return tuple(part.get_filename() or "" for part in self.message.iter_attachments())


def line(told: Told, width: int = WIDTH) -> str:
    """Date, from, to, subject, first words; the key of a reply address is left out."""
    name, address = parseaddr(str(told.message["From"]))
    to = _DETAIL.sub("+…@", told.to)
    head = f"{told.at:%Y-%m-%d %H:%M}  {clean_header(name or address)} → {to}: {clean_header(str(told.message['Subject']))}"
    said = f"{head} | {' '.join(told.text.split())}"
    return said if len(said) <= width else f"{said[: width - 1]}…"


def whole(told: Told) -> Iterator[str]:
    """The fields that a reader looks at, and all the words."""
    yield "-" * 80
    yield f"{told.at:%Y-%m-%d %H:%M} UTC"
    for name in ("From", "To", "Subject"):
        yield f"{name}: {clean_header(str(told.message[name] or ''))}"
    if told.attached:
        yield f"Attached: {clean_header(', '.join(told.attached))}"
    yield ""
    yield told.text.rstrip("\n")


def deed(at: datetime, words: str) -> str:
    """What a member does that is no letter."""
    return f"{at:%Y-%m-%d %H:%M}  * {words}"
