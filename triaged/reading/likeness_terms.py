"""A text as the terms that tell it from others: word stems, identifiers, weakness classes. Linear; never compares anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from triaged.reading.likeness_weaknesses import BY_CWE, WEAKNESSES

LONGEST = 60  # characters of a term; longer ones are keys, hashes and base64

IDENTIFIER = "="  # a term that begins so is a whole name: color_cmyk_to_rgb, CGI::Cookie.parse, 7.55.0
WEAKNESS = "#"

# A chunk is letters and digits with what holds names together. Possessive, so that nothing is tried twice.
_CHUNK = re.compile(r"[^\W_]++(?:[_\-.:/]++[^\W_]++)*+")
_NUMBER = re.compile(r"\d++(?:\.\d++)*+")
_PARTS = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?+[a-z]++|\d++|[^\W\d_a-zA-Z]++")
_CAPITALS = re.compile(r"([A-Z])([A-Z][a-z])")  # of a fixed length: a search for a run tries again at each letter of it
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")  # of a URL: %3Cscript is no name 3Cscript
_CWE = re.compile(r"cwe-(\d{1,4})", re.IGNORECASE)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts that put no space between words

# What every report holds, and the words of report forms.
_COMMON = """
    a about above after all also although an and any are as at be because been before being but by can could did do
    does doing done during each for from further had has have having he her here him his how however i if in into is it
    its itself just may me might more most must my no nor not of off on once only or other our out over own per please
    same she should since so some such than that the their them then there these they this those through thus to too
    under until up use used uses using very via was we were what when where which while who whom why will with within
    without would you your yes hi hello team thanks thank regards com https http www org html net cve hackerone
    bugcrowd report reports reported summary impact description steps reproduce
"""
_STOP = frozenset(_COMMON.split())
_ENDINGS = """
    ization isation ations ation ating ated ates ate ingly edly ments ment ing ed ion able ible ness ity ive ly er or al
    ous ence ance
"""
_SUFFIXES = tuple(_ENDINGS.split())


def stem(word: str) -> str:
    """An English word without its ending, so that `overflows`, `overflowing` and `overflowed` are one term."""
    if len(word) <= 3 or not word.isascii():
        return word
    bare = _without_suffix(_singular(word))
    if len(bare) > 4 and bare[-1] == bare[-2] and bare[-1] not in "sl":
        bare = bare[:-1]
    if len(bare) > 4 and bare.endswith("e"):
        bare = bare[:-1]
    return bare[:-1] + "i" if bare.endswith("y") else bare


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _without_suffix(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    return word


def terms(text: str) -> Iterator[tuple[str, str]]:
    """(term, what was written), in the order of the text, as often as they stand there."""
    recent: list[str] = []
    for chunk in _CHUNK.findall(_plain(text)):
        if cwe := _CWE.fullmatch(chunk):
            yield from _class_of(int(cwe[1]), chunk)
            continue
        if _NUMBER.fullmatch(chunk):
            yield (IDENTIFIER if "." in chunk else "") + chunk[:LONGEST], chunk[:LONGEST]
            continue
        parts = _parts(chunk)
        name = "".join(parts)
        if len(parts) > 1 and len(name) < LONGEST:
            yield IDENTIFIER + name, chunk
        for part in parts:
            yield from _word(part, recent)


def _plain(text: str) -> str:
    """Full-width letters, ligatures and the like as plain ones. One letter may stand for eighteen: the length is bounded."""
    return unicodedata.normalize("NFKC", _ENCODED.sub(" ", text))[: 2 * len(text) + 100]


def _parts(chunk: str) -> list[str]:
    """camelCase, snake_case, HTTPServer and dotted names, taken apart."""
    return [part.casefold() for part in _PARTS.findall(_CAPITALS.sub(r"\1_\2", chunk))]


def _word(part: str, recent: list[str]) -> Iterator[tuple[str, str]]:
    if _UNSPACED.match(part):
        yield from ((part[i : i + 2], part[i : i + 2]) for i in range(max(1, len(part) - 1)))
        return
    if len(part) > LONGEST:
        return
    root = stem(part)
    if part not in _STOP:
        yield root, part
    recent.append(root)
    del recent[:-_LONGEST_PHRASE]
    for phrase, name in _PHRASES.get(root, ()):
        if tuple(recent[-len(phrase) :]) == phrase:
            yield WEAKNESS + name, name


def _class_of(number: int, chunk: str) -> Iterator[tuple[str, str]]:
    yield f"{IDENTIFIER}cwe{number}", chunk
    if number in BY_CWE:
        yield WEAKNESS + BY_CWE[number], chunk


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """By the last word of each phrase, in stems."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, (_, written) in WEAKNESSES.items():
        for phrase in {tuple(stem(word) for word in words.split()) for words in written.split("|")}:
            found.setdefault(phrase[-1], []).append((phrase, name))
    return found


_PHRASES = _phrases()
_LONGEST_PHRASE = max(len(phrase) for phrases in _PHRASES.values() for phrase, _ in phrases)
