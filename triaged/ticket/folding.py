"""Values folded into a letter's column, so that no terminal does it: strangers' words never begin a line. Text in, text out."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import combining, east_asian_width

COLUMNS = 60  # a folded line with its indent stays within 78
INDENT = 16
_WIDE = frozenset("WF")


def folded(value: str) -> str:
    """Lines of at most 60 columns, wide letters counted as two; from the second on 16 spaces stand before each."""
    return f"\n{' ' * INDENT}".join(_lines(value))


def _lines(value: str) -> Iterator[str]:
    line, used = "", 0
    for word in value.split(" "):
        for piece in _pieces(word):
            width = columns(piece)
            if line and used + 1 + width > COLUMNS:
                yield line
                line, used = piece, width
            else:
                line, used = (f"{line} {piece}", used + 1 + width) if line else (piece, width)
    yield line


def _pieces(word: str) -> Iterator[str]:
    """The word, or where it is wider than a line its parts."""
    piece, used = "", 0
    for letter in word:
        width = columns(letter)
        if piece and used + width > COLUMNS:
            yield piece
            piece, used = "", 0
        piece, used = piece + letter, used + width
    yield piece


def columns(text: str) -> int:
    """How many columns a terminal takes for it."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(letter) in _WIDE else 0 if combining(letter) else 1 for letter in text)
