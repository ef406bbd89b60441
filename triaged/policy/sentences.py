"""A published text → its sentences, each with what it does: promise, ask or neither. English only; linear; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from triaged.policy.wording import PERIOD

_HEADING = re.compile(r"#{1,6}\s+(.*)")
_BULLET = re.compile(r"\s{0,12}(?:[-*+•‣▪◦]|[0-9]{1,3}[.)])\s+(.*)")
_END = re.compile(r"[.!?:][\"')\]]{0,3}\s+(?=[\"'(\[]{0,2}[A-Z])")
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|Mr|Ms|Dr|No|St|incl|approx))\.$")
_STOPS = ".!?:"


class Sense(StrEnum):
    """What a sentence does to whom."""

    PROMISE = "promise"  # binds the organisation
    ASK = "ask"  # asks or forbids the researcher something
    NONE = ""


# What a sentence says of itself. The first that matches decides; the words are those that policies are written in.
_SENSES = (
    (
        Sense.PROMISE,
        re.compile(
            r"\b(?:we|i)(?:['\u2019]ll| will| won['\u2019]t| shall| promise| pledge| commit| guarantee| undertake| offer| strive"
            r"| (?:aim|try|intend) (?:to|for)| endeavou?r| recogni[sz]e| respond| reply| confirm| acknowledge| welcome| thank"
            r"| (?:do not|don['\u2019]t) (?:share|sue|pursue|offer|pay)| (?:would|['\u2019]d) like to play"
            r"| (?:fix|release|publish|keep|treat|credit|name|notify|inform|pay|assess|maintain|reward)"
            r"| consider (?:this|your))\b"
            r"|\bwill (?:not )?(?:acknowledge|respond|reply|answer|confirm|keep|treat|credit|notify|inform|publish|release|face"
            r"|remediate|fix|resolve|assess|review|be (?:in touch|treated|credited|named))\b"
            r"|\bi['\u2019]m acknowledging\b|\bcommitted to\b|\bsubject to (?:periodic|regular) \b"
            r"|\byou(?: (?:can|may) expect| will (?:receive|hear|get)|['\u2019]ll (?:receive|hear|get))\b"
            r"|\bwe can take measures\b|\breward\b|\bbount(?:y|ies)\b|\bmay be (?:named|credited|acknowledged)\b"
            r"|\bwithin [0-9]{1,4} (?:business |working )?(?:hour|day|week|month)s?\b",
            re.I,
        ),
    ),
    (
        Sense.ASK,
        re.compile(
            r"^(?:please|do|never|no|not|avoid|refrain|provide|include|send|e-?mail|report|submit|specify|use|give|allow|wait"
            r"|keep|make|stop|delete|contact|follow|when possible|only|perform|notify|limit|respect|comply|ensure|cease)\b"
            r"|\b(?:do (?:not|neither)|don['\u2019]t|must|may not|should|please|prohibited|forbidden"
            r"|not (?:allowed|permitted|authori[sz]ed)|encourage|we ask|abide by|if you follow|are (?:expected|required) to)\b",
            re.I,
        ),
    ),
    (Sense.PROMISE, PERIOD),  # a period that asks nobody for patience is the organisation's
)
# What a heading, or a line that ends with a colon, says of the list below it.
_LEADS = (
    (
        Sense.ASK,
        re.compile(
            r"\b(?:what to (?:include|send)|please|follow|rules|guidelines|you (?:must|should|agree)|we (?:ask|expect)|in which you"
            r"|our expectations|prohibited|forbidden|not (?:allowed|permitted|authori[sz]ed)|do not|out[ -]of[ -]scope)\b",
            re.I,
        ),
    ),
    (
        Sense.PROMISE,
        re.compile(
            r"\b(?:what to expect|you can expect|our (?:response|promise|commitment)s?|we (?:promise|will|commit)"
            r"|safe harbou?r|service level)\b",
            re.I,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, white space folded."""

    text: str
    line: int  # of the text, from 1: where it begins
    sense: Sense


def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text in order, headings left out."""
    found: list[Sentence] = []
    heading = lead = ""
    for block in _blocks(text):
        if block.form == "heading":
            heading, lead = block.text, ""
            continue
        inherited = (_lead_sense(lead) or _lead_sense(heading)) if block.form == "item" else Sense.NONE
        parts = tuple(_split(block.text))
        found += [Sentence(part, block.line, _sense(part) or inherited) for part in parts]
        if block.form == "text":
            lead = parts[-1] if parts and parts[-1].endswith(":") else ""
    return tuple(found)


def _sense(sentence: str) -> Sense:
    return next((sense for sense, words in _SENSES if words.search(sentence)), Sense.NONE)


def _lead_sense(lead: str) -> Sense:
    return next((sense for sense, words in _LEADS if words.search(lead)), Sense.NONE)


@dataclass(frozen=True, slots=True)
class _Block:
    form: str  # heading | item | text
    text: str
    line: int


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, list items and headings; a paragraph of one line that ends as no sentence does is a heading."""
    form, lines, start = "", list[str](), 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        opened = _opened(line)
        goes_on = form == "text" or line[:1].isspace()
        if lines and opened is None and line.strip() and form != "heading" and goes_on:
            lines.append(line)
            continue
        if lines:
            yield _block(form, lines, start)
        form, first = opened or ("text", line)
        lines, start = ([first], number) if first.strip() else ([], 0)


def _opened(line: str) -> tuple[str, str] | None:
    """The form that a line begins and the words after its mark; None for a line without a mark."""
    heading, item = _HEADING.fullmatch(line), _BULLET.fullmatch(line)
    if heading:
        return "heading", heading[1]
    return ("item", item[1]) if item else None


def _block(form: str, lines: list[str], start: int) -> _Block:
    text = " ".join(" ".join(lines).split())
    bare = form == "text" and len(lines) == 1 and text[-1:] not in _STOPS
    return _Block("heading" if bare else form, text, start)


def _split(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        if text[end.start()] == ":" or _ABBREVIATED.search(text, max(0, end.start() - 8), end.start() + 1):
            continue
        yield text[start : end.end()].strip()
        start = end.end()
    if text[start:].strip():
        yield text[start:].strip()
