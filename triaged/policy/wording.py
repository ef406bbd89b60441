"""What is wrong with words alone: broken encodings, placeholders, threats, times that no number stands behind. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_THREAT = re.compile(
    r"\b(?:persecute|prosecute|prosecution|fullest extent of the law|press charges|we will sue|take you to court"
    r"|legal consequences for you|report you to the (?:police|authorities))\b",
    re.I,
)
_DENIED = re.compile(r"\b(?:not|never|nor|neither|no|without|won't|refrain)\b", re.I)
PLACEHOLDER = re.compile(
    r"\[email.{1,2}protected\]|<(?:your|insert)[ _-][^<>\n]{1,40}>|\[(?:your|insert)[ _-][^\[\]\n]{1,40}\]|\{\{[^{}\n]{1,40}\}\}"
    r"|\blorem ipsum\b|\bTBD\b|\bX{3,}\b|\b[\w.+-]{1,64}@(?:[\w-]{1,63}\.){0,4}"
    r"(?:example\.(?:com|org|net)|example|invalid|test)(?![\w-]|\.\w)",
    re.I,
)
ADDRESS = re.compile(r"(?<![\w.+@-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}\b", re.I | re.ASCII)
VAGUE = re.compile(
    r"\b(?:regular(?:ly)?|enough time|(?:as soon|as quickly|as fast) as (?:possible|we can)|promptly|swiftly"
    r"|(?:in a |within a )?(?:timely manner|reasonable (?:time|period))|without (?:undue )?delay|periodic(?:ally)?)\b",
    re.I,
)
NAMED_DATE = re.compile(r"\b(?:expected|estimated|planned|likely|target) (?:date|day)\b|\bby when\b", re.I)
_NUMBERS = (
    *("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)
_COUNTS = {word: count for count, word in enumerate(_NUMBERS)} | {"a": 1, "thirty": 30, "sixty": 60, "ninety": 90}
PERIOD = re.compile(
    r"\b([0-9]{1,4}|" + "|".join(_COUNTS) + r")[ -](business |working )?(hour|day|week|month)s?\b", re.I | re.ASCII
)
_DAILY = re.compile(
    r"\b([0-9]{1,2})(?:[:.]([0-5][0-9]))? ?(am|pm)?\b ?(?:to|-|–|until|till|and) ?([0-9]{1,2})(?:[:.]([0-5][0-9]))? ?(am|pm)?\b",  # noqa: RUF001
    re.I | re.ASCII,
)
OFFSET = re.compile(r"\b(?:UTC|GMT) ?([+-])([0-9]{1,2})(?::?([0-5][0-9]))?", re.ASCII)
_CP1252 = {chr(byte): byte for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}  # bytes that Windows-1252 leaves undefined


def threatens(sentence: str) -> bool:
    """Whether a sentence threatens; "we will not prosecute" does not."""
    found = _THREAT.search(sentence)
    return found is not None and not _DENIED.search(sentence, max(0, found.start() - 60), found.start())


def periods(text: str) -> Iterator[tuple[int, str]]:
    """Each period that a text states: (3, "business day"), (90, "day")."""
    for found in PERIOD.finditer(text):
        count = _COUNTS.get(found[1].lower()) or int(found[1])
        yield count, ("business " if found[2] else "") + found[3].lower()


def daily(text: str) -> tuple[int, int] | None:
    """The daily span that a text states, in minutes after midnight: "between 7am and 7pm"; None where there is none."""
    for found in _DAILY.finditer(text):
        if not (found[3] or found[6] or (found[2] and found[5])):
            continue
        start, end = _minutes(found[1], found[2], found[3]), _minutes(found[4], found[5], found[6])
        if start is not None and end is not None:
            return start, end
    return None


def _minutes(hour: str, minute: str | None, half: str | None) -> int | None:
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return hours * 60 + int(minute or 0) if hours < 25 else None


def offsets(text: str) -> tuple[int, ...]:
    """The offsets from UTC that a text states, in minutes."""
    found = ((1 if one[1] == "+" else -1) * (int(one[2]) * 60 + int(one[3] or 0)) for one in OFFSET.finditer(text))
    return tuple(dict.fromkeys(found))


def misread(text: str) -> tuple[tuple[str, str], ...]:
    """Each sign that was saved as UTF-8 and read as Windows-1252, with the sign that was meant; U+FFFD means none."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        if text[at] == "\N{REPLACEMENT CHARACTER}":
            found[text[at]] = ""
        length, meant = _meant(text, at)
        if meant:
            found[text[at : at + length]] = meant
        at += length
    return tuple(found.items())


def _meant(text: str, at: int) -> tuple[int, str]:
    lead = _byte(text[at])
    length = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC2 else 0
    octets = bytes(_byte(sign) for sign in text[at : at + length])
    try:
        return (length, octets.decode()) if length and len(octets) == length else (1, "")
    except UnicodeDecodeError:
        return 1, ""


def _byte(sign: str) -> int:
    """The byte that Windows-1252 has for a sign; 0 where it has none."""
    try:
        return sign.encode("cp1252")[0]
    except UnicodeEncodeError:
        return _CP1252.get(sign, 0)
