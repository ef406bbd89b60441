"""A text as the terms that tell it from others: word stems, identifiers, weakness classes. Linear; never compares anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

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
    roots: list[str] = []
    for chunk in _CHUNK.findall(_plain(text)):
        for term, written, root in _pieces(chunk) if len(chunk) <= LONGEST else _taken_apart(chunk):
            if term:
                yield term, written
            if root:
                roots.append(root)
                for phrase, name in _PHRASES.get(root, ()):
                    if tuple(roots[-len(phrase) :]) == phrase:
                        yield WEAKNESS + name, name


def _plain(text: str) -> str:
    """Full-width letters, ligatures and the like as plain ones. One letter may stand for eighteen: the length is bounded."""
    return unicodedata.normalize("NFKC", _ENCODED.sub(" ", text))[: 2 * len(text) + 100]


def _parts(chunk: str) -> list[str]:
    """camelCase, snake_case, HTTPServer and dotted names, taken apart."""
    return [part.casefold() for part in _PARTS.findall(_CAPITALS.sub(r"\1_\2", chunk))]


def _taken_apart(chunk: str) -> tuple[tuple[str, str, str], ...]:
    """(term or nothing, what was written, stem that may be part of a phrase or nothing) of each piece of a chunk."""
    if cwe := _CWE.fullmatch(chunk):
        return tuple(_class_of(int(cwe[1]), chunk))
    if _NUMBER.fullmatch(chunk):
        return (((IDENTIFIER if "." in chunk else "") + chunk[:LONGEST], chunk[:LONGEST], ""),)
    parts = _parts(chunk)
    name = "".join(parts)
    whole = ((IDENTIFIER + name, chunk, ""),) if len(parts) > 1 and len(name) < LONGEST else ()
    return (*whole, *(piece for part in parts for piece in _word(part)))


_pieces = lru_cache(maxsize=8192)(_taken_apart)  # reports share most of their words; long chunks are kept by nobody


def _word(part: str) -> Iterator[tuple[str, str, str]]:
    if _UNSPACED.match(part):
        yield from ((part[i : i + 2], part[i : i + 2], "") for i in range(max(1, len(part) - 1)))
    elif len(part) <= LONGEST:
        root = stem(part)
        yield "" if part in _STOP else root, part, root


def _class_of(number: int, chunk: str) -> Iterator[tuple[str, str, str]]:
    yield f"{IDENTIFIER}cwe{number}", chunk, ""
    if number in BY_CWE:
        yield WEAKNESS + BY_CWE[number], chunk, ""


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """By the last word of each phrase, in stems."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, (_, written) in WEAKNESSES.items():
        for phrase in {tuple(stem(word) for word in words.split()) for words in written.split("|")}:
            found.setdefault(phrase[-1], []).append((phrase, name))
    return found


_PHRASES = _phrases()
