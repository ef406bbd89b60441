"""What is affected and where it is fixed, in the team's words: read, bounded, and as letters show it. Judges no version."""

from __future__ import annotations

import re
import unicodedata

from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Worked

MOST_PRODUCT = 100  # characters
MOST_VERSIONS = 200

# "<2.3" and "<v2" are versions; an element, a comment, an entity or a link of Markdown is markup.
_MARKUP = re.compile(r"<(?!v?\d)[A-Za-z/!?]|</|&#|&[A-Za-z]{2,30};|\]\(|`|javascript:", re.ASCII | re.IGNORECASE)
_NOT_SHOWN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})  # controls, marks of direction, no character at all


def read_product(words: str) -> tuple[str, str]:
    """Product and versions of "Gateway: before 2.3.1"; the versions may be left out. Raises VerbError."""
    product, _, versions = (part.strip() for part in words.partition(":"))
    if not product:
        raise MisreadError("name what is affected: /affects Gateway: before 2.3.1")
    return plain(product, "the product", MOST_PRODUCT), plain(versions, "the versions", MOST_VERSIONS)


def read_fixed_in(words: str) -> str:
    """The version of "in 2.3.2"; "" for no words. Raises VerbError."""
    first, _, version = words.partition(" ")
    if not words:
        return ""
    if first.lower() != "in" or not version.strip():
        raise MisreadError(f"{words[:40]!r} means nothing here: write /fixed, or /fixed in 2.3.2")
    return plain(version.strip(), "the version", MOST_VERSIONS)


def plain(words: str, what: str, most: int) -> str:
    """The words, where they are text on one line and nothing else. Raises VerbError."""
    if len(words) > most:
        raise VerbError(f"{what} may have {most} characters, and it has {len(words):,}: write it shorter")
    if any(unicodedata.category(sign) in _NOT_SHOWN for sign in words):
        raise VerbError(f"{what} holds characters that can't be seen: write it anew by hand")
    if found := _MARKUP.search(words):
        raise VerbError(f"{what} holds markup ({found[0]!r}): write plain words")
    return words


def affected_words(product: str, affected: str) -> str:
    """ "Gateway: before 2.3.1"."""
    return f"{product}: {affected}" if affected else product


def described_lines(worked: Worked) -> tuple[str, ...]:
    """As the letter with an assessment shows it, a line each."""
    lines = []
    if worked.product:
        lines.append(f"Affected:     {affected_words(worked.product, worked.affected)}")
    if worked.fixed_in:
        lines.append(f"Fixed in:     {worked.fixed_in}")
    return tuple(lines)
