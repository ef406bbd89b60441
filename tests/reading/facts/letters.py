"""Messages for these tests, made from raw bytes by the real parser."""

from __future__ import annotations

from triaged.message.model import Limits, Message
from triaged.message.parse import parse
from triaged.reading.facts import Fact, facts

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)


def letter(text: str, subject: str = "Report", more: str = "", media_type: str = "text/plain") -> Message:
    head = (
        "From: Noa <noa@example.org>\nTo: security@ims.example\n"
        f"Subject: {subject}\n{more}MIME-Version: 1.0\nContent-Type: {media_type}; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\n"
    )
    return parse((head + text).encode(), LIMITS)


def found(text: str, *kinds: str) -> list[tuple[str, str]]:
    """Kind and value of the facts of a text, of these kinds only where any is named."""
    return [(fact.kind, fact.value) for fact in facts(letter(text)) if not kinds or fact.kind in kinds]


def values(text: str, kind: str) -> list[str]:
    return [value for _, value in found(text, kind)]


def words(message: Message, fact: Fact) -> str:
    return message.text[slice(*fact.at)]
