"""Words of people → text that every format can hold: no controls, no surrogates, no text turned around. Escapes nothing."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_KEPT = "\n\t"
# Explicit embeddings, overrides and isolates (UAX #9): one that is left open turns what follows it around.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Cc: controls; Cs: lone surrogates, which no encoding holds; Cn holds the noncharacters, which HTML and XML refuse.
_REFUSED = ("Cc", "Cs")


def cleaned(value: T) -> T:
    """The same value with every text within it cleaned; names and titles on one line."""
    if isinstance(value, str):
        return "".join(_characters(value))  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(cleaned(item) for item in value)  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {field.name: cleaned(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


def one_line(text: str) -> str:
    """Text whose white space is single spaces."""
    return " ".join(text.split())


def paragraphs(text: str) -> tuple[tuple[str, ...], ...]:
    """The text's paragraphs, each as its lines; empty lines part them."""
    blocks = "\n".join(line.rstrip() for line in text.split("\n")).split("\n\n")
    return tuple(tuple(line for line in block.split("\n") if line) for block in blocks if block.strip())


def _characters(text: str) -> Iterator[str]:
    for character in text.replace("\r\n", "\n").replace("\r", "\n"):
        if character in _KEPT or not (character in _TURNING or _refused(character)):
            yield character


def _refused(character: str) -> bool:
    code = ord(character)
    noncharacter = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    return noncharacter or unicodedata.category(character) in _REFUSED
