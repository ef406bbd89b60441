"""Patterns that are only tried where a text holds a word that they can't match without. Knows no pattern of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

MOST_MATCHES = 2000  # of one pattern in one text: what comes after that is a dump, and an attacker's time is bounded

# Letters that match an English one where case is ignored, and would not become it, or not one letter, by lower().
_SMALL = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s"})


def small(text: str) -> str:
    """The text in small letters, as long as it was."""
    return (text if text.isascii() else text.translate(_SMALL)).lower()


@dataclass(frozen=True, slots=True)
class Cues:
    """Pieces of text in small letters, one of which must stand in a text for something to be there."""

    words: tuple[str, ...]  # without white space
    phrases: tuple[tuple[str, str], ...]  # with white space: the first word, and the whole


def cues(listed: str) -> Cues:
    """Cues from a list with | between them."""
    each = [cue for cue in listed.split("|") if cue]
    phrases = tuple(((cue.split() or [""])[0], cue) for cue in each if cue.split() != [cue])
    return Cues(tuple(cue for cue in each if cue.split() == [cue]), phrases)


@dataclass(frozen=True, slots=True)
class Text:
    """A text, read once for all patterns."""

    text: str
    small: str  # the same in small letters, at the same offsets: what patterns of small letters read
    words: str  # every run without white space once, in small letters: far shorter than what repeats them

    @classmethod
    def of(cls, text: str) -> Text:
        """Linear in the text."""
        lower = small(text)
        return cls(text, lower, " ".join(set(lower.split())))

    def without(self, spans: Iterable[tuple[int, int]]) -> Text:
        """The same with these spans (in order, disjoint) as spaces; `words` stay, for they only rule patterns out."""
        spans = list(spans)
        return replace(self, text=blanked(self.text, spans), small=blanked(self.small, spans)) if spans else self

    def holds(self, cues: Cues) -> bool:
        """Whether one of the cues stands in it."""
        words = self.words
        for word in cues.words:
            if word in words:
                return True
        return any(first in words and phrase in self.small for first, phrase in cues.phrases)

    def written(self, at: tuple[int, int]) -> str:
        """What stands at a match's span, as it was written."""
        return self.text[at[0] : at[1]]


@dataclass(frozen=True, slots=True)
class Cued:
    """A pattern and its cues: where it matches in a text, the text holds one of them."""

    pattern: re.Pattern[str]
    cues: Cues
    as_written: bool  # reads the text as it was written; else in small letters, as the pattern then is

    def found(self, text: Text) -> bool:
        """Whether it matches anywhere."""
        return text.holds(self.cues) and self.pattern.search(self._read(text)) is not None

    def matches(self, text: Text) -> Iterable[re.Match[str]]:
        """Its first matches, at the offsets of the text."""
        return matches(self.pattern, self._read(text)) if text.holds(self.cues) else ()

    def _read(self, text: Text) -> str:
        return text.text if self.as_written else text.small


def cued(listed: str, pattern: str, *, as_written: bool = False) -> Cued:
    """A pattern and its cues, those with | between them. In it, ^ and $ stand for a line's ends."""
    return Cued(re.compile(pattern, re.M), cues(listed), as_written)


def matches(pattern: re.Pattern[str], text: str) -> Iterable[re.Match[str]]:
    """The first matches of a pattern that has no cues."""
    return islice(pattern.finditer(text), MOST_MATCHES)


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with these spans (in order, disjoint) as spaces: what one finder has read, the next one leaves."""
    pieces, end = [], 0
    for first, last in spans:
        pieces += [text[end:first], " " * (last - first)]
        end = last
    return "".join([*pieces, text[end:]])
