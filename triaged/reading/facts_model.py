"""What a fact is, and the text that facts are read from. Knows no kind of fact by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaged.message.model import Message
from triaged.reading.cues import Text, cued, small


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a report says, and the words that say it."""

    # url | host | ip_address | tester_ip_address | cve | cwe | cvss | product | weakness | credit_as | anonymity
    # | disclosure_date | exploited | contact | other_party
    kind: str
    value: str  # normal form: refanged, CVE-2026-1234, CWE-79, 2027-01-15, "90 days"
    at: tuple[int, int]  # offsets into the message's text


# Footers that gateways and organisations add below every mail: their links and names say nothing of the report.
_FOOTER = cued(
    "virus-free|unsubscribe|scanned by|scanned for|originated outside|originated from outside|confidentiality notice"
    "|intended solely for|intended only for|intended exclusively for|view this email in|manage your subscription"
    "|manage your preferences",
    r"[^\n]{0,80}(?:virus-free|unsubscribe|scanned (?:by|for)|originated (?:from )?outside|confidentiality notice"
    r"|intended (?:solely|only|exclusively) for|view this email in|manage your (?:subscription|preferences))",
)


def written(message: Message) -> str:
    """The text with every character outside the sender's own lines blanked, so that offsets stay those of `text`.

    A forwarded report is kept whole: what matters in it is the quoted part.
    """
    if message.forwarded is not None:
        return message.text
    footed = Text.of(message.new_text).holds(_FOOTER.cues)
    if not footed and message.text == message.new_text:
        return message.text
    return "\n".join(_own_lines(message.text.split("\n"), message.new_text.split("\n"), footed=footed))


def said(message: Message) -> str:
    """The sender's own words, footers and all; of a forwarded message all of it. Without offsets."""
    return message.text if message.forwarded is not None else message.new_text


def _own_lines(everything: list[str], own: list[str], *, footed: bool) -> list[str]:
    """The new text's lines at their places; they come in the order of the text, so that one pass finds them."""
    waiting, kept = 0, []
    for line in everything:
        mine = waiting < len(own) and line.rstrip() == own[waiting].rstrip()
        waiting += mine
        kept.append(line if mine and not (footed and _is_footer(line)) else " " * len(line))
    return kept


def _is_footer(line: str) -> bool:
    return _FOOTER.pattern.match(small(line[:200])) is not None


def words(text: str) -> frozenset[str]:
    """A table of words, as one writes it."""
    return frozenset(text.split())


_SENTENCE = re.compile(r"(?<!\b[A-Za-z])[.!?](?=\s)|\n\s*\n|[。！？]")  # noqa: RUF001 - full-width marks end sentences too


def sentence(text: str, first: int, last: int, reach: int = 160) -> tuple[str, str]:
    """What stands before and after a span in the same sentence, at most `reach` characters each."""
    before, after = text[max(0, first - reach) : first], text[last : last + reach]
    ends = [found.end() for found in _SENTENCE.finditer(before)]
    stop = _SENTENCE.search(after)
    return before[ends[-1] if ends else 0 :], after[: stop.start()] if stop else after
