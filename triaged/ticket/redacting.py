"""Finds and takes out what names a person, in text and in bytes, however it is spelt. Never reads a database, never guesses who."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

FORGOTTEN = "[forgotten]"
LEAST_NAME = 3  # letters of a part of a name
LEAST_PHONE = 7  # digits
LEAST_LINE = 20  # characters of a line that is somebody's words for certain
# Names and local parts that name nobody: a role, or what a mail client writes where there is no name.
_ROLES = (
    "abuse admin administrator anonymous bounty bug bugs contact cyber hacker hello help info mail mailer me office"
    " postmaster report reporter research researcher security soc support team test tester the user webmaster whitehat"
)
NOBODY = frozenset(_ROLES.split())
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_GAP = r"(?:[\s_.,>|\-]|\\n){1,8}"  # between the words of a name, across a quoted line break too
_AT = r"\s{0,3}(?:@|%40|=40|[\[({<]\s{0,2}(?:at|@)\s{0,2}[\])}>]|\bat\b)\s{0,3}"
_DOT = r"\s{0,3}(?:\.|[\[({<]\s{0,2}(?:dot|\.)\s{0,2}[\])}>]|\bdot\b)\s{0,3}"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known to name one person."""

    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # whole: "Noa Levi", and what they asked to be credited as
    others: tuple[str, ...] = ()  # phones, handles, testers' IP addresses, Message-IDs, subjects
    lines: tuple[str, ...] = ()  # whole lines that are theirs: found wherever they stand alone, quoted or not


@dataclass(frozen=True, slots=True)
class Marks:
    """The strings of some people, made ready to be looked for."""

    pattern: re.Pattern[str] | None
    anchors: tuple[str, ...]  # every match holds one of them, case aside: looked for first, since that is quick
    strings: tuple[str, ...]  # as they are written, for bytes
    lines: frozenset[str] = frozenset()  # folded, without quote marks and runs of white space


def marks_of(people: Iterable[Person], *, parts: bool) -> Marks:
    """`parts`: each part of a name counts by itself, and the local part of an address. Where texts are not theirs, it must not."""
    people = tuple(people)
    lines = frozenset(folded for each in people for line in each.lines if (folded := _line(line)))
    spelt: dict[str, tuple[str, str]] = {}  # regular expression -> (anchor, string)
    for one in people:
        for expression, anchor, string in _spelt(one, parts):
            spelt.setdefault(expression, (anchor, string))
    if not spelt:
        return Marks(None, (), (), lines)
    longest_first = sorted(spelt, key=len, reverse=True)
    anchors = {form for anchor, _ in spelt.values() for form in _forms(anchor)}
    strings = dict.fromkeys(string for _, string in spelt.values())
    return Marks(re.compile("|".join(longest_first)), tuple(sorted(anchors)), tuple(strings), lines)


def _spelt(one: Person, parts: bool) -> Iterator[tuple[str, str, str]]:
    """(expression over folded text, anchor, the string), of each way that a person is written."""
    for address in one.addresses:
        local, at, domain = fold(address).rpartition("@")
        if at and local and domain:
            expression = re.escape(local) + _AT + _DOT.join(map(re.escape, domain.split(".")))
            yield _bounded(expression), max(re.split(r"[^\w]+", f"{local} {domain}"), key=len), address
            if parts and len(local) > LEAST_NAME and local not in NOBODY:
                yield _bounded(re.escape(local)), local, address.rpartition("@")[0]
    for name in one.names:
        yield from _name(name, parts)
    for other in one.others:
        yield from _other(other)


def _name(name: str, parts: bool) -> Iterator[tuple[str, str, str]]:
    words = [w for w in re.split(r"[^\w'\u2019]+", fold(name)) if w]
    if not words or all(w in NOBODY for w in words):
        return
    longest = max(words, key=len)
    if len(words) > 1 or len(words[0]) > LEAST_NAME:
        for order in {tuple(words), tuple(reversed(words)), (*words[-1:], *words[:-1])}:
            yield _bounded(_GAP.join(map(re.escape, order))), longest, name
    if parts:
        for word in words:
            if len(word) >= LEAST_NAME and word not in NOBODY:
                yield _bounded(re.escape(word)), word, word


def _other(other: str) -> Iterator[tuple[str, str, str]]:
    digits = re.sub(r"\D", "", other)
    if len(digits) >= LEAST_PHONE and re.fullmatch(r"[\s\d()+./\-]+", other) and not _address_of(other):
        last = digits[-8:]
        expression = r"(?<!\d)[+\d(][\d\s().\-/]{0,9}?" + r"[\s().\-/]{0,3}".join(last) + r"(?!\d)"
        yield expression, "", other
        yield r"(?<!\d)" + r"[\s().\-/]{0,3}".join(digits) + r"(?!\d)", "", other
        return
    if number := _address_of(other):
        for form in {str(number), number.exploded, other.lower()}:
            yield r"(?<![\w:.])" + re.escape(form) + r"(?![\w:]|\.\d)", form, form
        return
    folded = " ".join(fold(other).lstrip("@").split())
    if len(folded) >= LEAST_NAME and folded not in NOBODY:
        words = folded.split(" ")
        yield _bounded(r"(?:[\s>|]|\\n){1,8}".join(map(re.escape, words))), max(words, key=len), other


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def _bounded(expression: str) -> str:
    return rf"(?<!\w){expression}(?!\w)"


def _forms(anchor: str) -> set[str]:
    return {anchor, unicodedata.normalize("NFC", anchor), unicodedata.normalize("NFD", anchor)}


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character in _INVISIBLE:
        return ""
    apart = unicodedata.normalize("NFKD", character)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def fold(text: str) -> str:
    """Without case, accents, wide forms and invisible characters."""
    return "".join(map(_folded, text))


def spans(text: str, marks: Marks) -> list[tuple[int, int]]:
    """Where the marks stand in the text, in order, none within another."""
    whole = _line_spans(text, marks)
    return _merged([*whole, *_mark_spans(text, marks)]) if whole else _mark_spans(text, marks)


def _line(line: str) -> str:
    return " ".join(fold(line).strip(" \t\r>|").split())


def _line_spans(text: str, marks: Marks) -> list[tuple[int, int]]:
    if not marks.lines:
        return []
    found, at = [], 0
    for line in text.split("\n"):
        if len(line) >= LEAST_LINE and _line(line) in marks.lines:
            found.append((at, at + len(line)))
        at += len(line) + 1
    return found


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _mark_spans(text: str, marks: Marks) -> list[tuple[int, int]]:
    if marks.pattern is None or not _may_hold(text, marks):
        return []
    folded, places = _placed(text)
    found = [
        (places[m.start()], places[m.end() - 1] + 1) for m in marks.pattern.finditer(folded) if m.end() > m.start()
    ]
    return [(first, _to_the_end(text, last)) for first, last in found]


def _may_hold(text: str, marks: Marks) -> bool:
    if "" in marks.anchors:
        return True
    lower = text.lower() if text.isascii() else text.lower() + "\0" + fold(text)
    return any(anchor in lower for anchor in marks.anchors)


def _placed(text: str) -> tuple[str, list[int]]:
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces, places = [], []
    for place, character in enumerate(text):
        folded = _folded(character)
        pieces.append(folded)
        places += [place] * len(folded)
    return "".join(pieces), places


def _to_the_end(text: str, last: int) -> int:
    """Past the combining marks of the last letter."""
    while last < len(text) and (unicodedata.combining(text[last]) or text[last] in _INVISIBLE):
        last += 1
    return last


def holds(text: str, marks: Marks) -> bool:
    """Whether the text names one of them."""
    return bool(spans(text, marks))


def redacted(text: str, marks: Marks, word: str = FORGOTTEN) -> str:
    """The text with `word` in the place of each mark."""
    pieces, at = [], 0
    for first, last in spans(text, marks):
        pieces += [text[at:first], word]
        at = last
    return "".join([*pieces, text[at:]]) if pieces else text


def redacted_value(value: object, change: Callable[[str], str]) -> object:
    """A JSON value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [redacted_value(one, change) for one in value]
    if isinstance(value, dict):
        return {change(str(key)): redacted_value(one, change) for key, one in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Needles:
    """What to look for in bytes."""

    plain: tuple[bytes, ...]  # lower-case, white space as one space
    coded: tuple[bytes, ...]  # as base64 has them
    lines: frozenset[str]


def needles_of(marks: Marks) -> Needles:
    """The marks as raw mail may hold them."""
    plain, coded = set(), set()
    for string in marks.strings:
        composed = unicodedata.normalize("NFD", string)
        for form in {string, string.lower(), string.upper(), string.title(), composed, fold(string)}:
            for charset in ("utf-8", "latin-1", "utf-16-le"):
                try:
                    found = form.encode(charset)
                except UnicodeEncodeError:
                    continue
                plain |= {_spaced(found.lower()), found.replace(b" ", b"_").lower()}
                coded |= _base64_forms(found)
    return Needles(tuple(sorted(one for one in plain if len(one) >= LEAST_NAME)), tuple(sorted(coded)), marks.lines)


def _base64_forms(data: bytes) -> set[bytes]:
    """How base64 writes the bytes at each of the three places where they can begin, without what depends on their neighbours."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data)
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        if last - first >= 6:
            found.add(whole[first:last])
    return found


_SPACE = re.compile(rb"[ \t\r\n>|]+")  # a folded header field and a quoted line break part words as a space does
_CODED_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{40,100}\r?\n)+[A-Za-z0-9+/]*={0,2}")


def _spaced(data: bytes) -> bytes:
    return _SPACE.sub(b" ", data)


def in_bytes(data: bytes, needles: Needles) -> bool:
    """Whether a raw message names one of them: plain, quoted-printable, base64, as encoded words. Not within packed files."""
    joined = data.replace(b"=\r\n", b"").replace(b"=\n", b"")
    texts = [joined, *_decoded(data)]
    if b"=" in joined:
        texts.append(binascii.a2b_qp(joined))
    if any(_holds_plain(text, needles) for text in texts):
        return True
    unbroken = data.replace(b"\r\n", b"").replace(b"\n", b"")
    return any(one in unbroken for one in needles.coded)


def _decoded(data: bytes) -> Iterator[bytes]:
    for block in _CODED_LINES.findall(data):
        packed = block.replace(b"\r", b"").replace(b"\n", b"").rstrip(b"=")
        yield base64.b64decode(packed[: len(packed) // 4 * 4])


def _holds_plain(text: bytes, needles: Needles) -> bool:
    spaced = _spaced(text.lower())
    if any(one in spaced for one in needles.plain):
        return True
    if not needles.lines:
        return False
    lines = text.decode("utf-8", "replace").split("\n")
    return any(len(line) >= LEAST_LINE and _line(line) in needles.lines for line in lines)
