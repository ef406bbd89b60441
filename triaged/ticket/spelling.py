"""Days, severities and decisions as people write them. Reads words; anything in doubt is no day at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MOST_WORDS = 4  # of a day: "24 December, 2026"

SEVERITIES: Mapping[str, str] = MappingProxyType(
    {
        "none": "none",
        "info": "none",
        "informational": "none",
        "low": "low",
        "minor": "low",
        "medium": "medium",
        "moderate": "medium",
        "med": "medium",
        "high": "high",
        "important": "high",
        "major": "high",
        "severe": "high",
        "critical": "critical",
        "crit": "critical",
    }
)
ACCEPTED = frozenset({"accepted", "accept", "valid", "confirmed"})
DECLINED = frozenset({"declined", "decline", "invalid", "rejected"})
# Why a report is declined: CERT guide and ISO/IEC 30111 section 7.1.4. As written -> as kept.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "out-of-scope": "out-of-scope",
        "outofscope": "out-of-scope",
        "oos": "out-of-scope",
        "not-a-vulnerability": "not-a-vulnerability",
        "no-vulnerability": "not-a-vulnerability",
        "not-a-bug": "not-a-vulnerability",
        "works-as-intended": "not-a-vulnerability",
        "not-reproducible": "not-reproducible",
        "cannot-reproduce": "not-reproducible",
        "unreproducible": "not-reproducible",
        "duplicate": "duplicate",
    }
)

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SPAN = re.compile(r"(?:in )?(\d{1,3}) (day|week|month)s?")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")


def day_of(words: str, today: date) -> tuple[date, str] | None:
    """The day that `words` begin with, and the rest; None where they begin with none. Never a guess between two days."""
    parts = words.split()
    for count in range(min(MOST_WORDS, len(parts)), 0, -1):
        found = _day(" ".join(parts[:count]).lower().rstrip(".,;:"), today)
        if found is not None:
            return found, " ".join(parts[count:])
    return None


def _day(text: str, today: date) -> date | None:
    text = re.sub(r"^(?:on|by|until|till) ", "", text.replace(",", " ").replace("  ", " "))
    return _numbers(text) or _named(text, today) or _relative(text, today)


def _numbers(text: str) -> date | None:
    if found := _ISO.fullmatch(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DOTTED.fullmatch(text):
        return _date(int(found[3]), int(found[2]), int(found[1]))
    if found := _SLASHED.fullmatch(text):  # 24/12/2026 and 12/24/2026 can be told; 3/4/2026 is two days
        first, second = int(found[1]), int(found[2])
        if first > 12 or first == second:
            return _date(int(found[3]), second, first)
        return _date(int(found[3]), first, second) if second > 12 else None
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _named(text: str, today: date) -> date | None:
    """24 December 2026, 24 Dec, December 24th 2026."""
    parts = [part.strip(".") for part in text.replace(" of ", " ").split()]
    year = int(parts.pop()) if len(parts) == 3 and re.fullmatch(r"\d{4}", parts[2]) else None
    if len(parts) != 2:
        return None
    for number, name in (parts, reversed(parts)):
        day, month = _DAY.fullmatch(number), _month(name)
        if day and month:
            return _in_year(year, month, int(day[1]), today)
    return None


def _month(name: str) -> int | None:
    found = [n for n, month in enumerate(MONTHS, 1) if len(name) >= 3 and month.startswith(name)]
    return found[0] if len(found) == 1 else None


def _in_year(year: int | None, month: int, day: int, today: date) -> date | None:
    if year is not None:
        return _date(year, month, day)
    coming = (_date(today.year + ahead, month, day) for ahead in range(5))  # five: 29 February
    return next((one for one in coming if one is not None and one > today), None)


def _relative(text: str, today: date) -> date | None:
    if text in ("today", "tomorrow"):
        return today + timedelta(days=text == "tomorrow")
    if found := _SPAN.fullmatch(text):
        count = int(found[1])
        return (
            _months_later(today, count)
            if found[2] == "month"
            else today + timedelta(days=count * (7 if found[2] == "week" else 1))
        )
    name = text.removeprefix("next ")
    wanted = [n for n, day in enumerate(WEEKDAYS) if len(name) >= 3 and day.startswith(name)]
    return today + timedelta(days=(wanted[0] - today.weekday() - 1) % 7 + 1) if len(wanted) == 1 else None


def _months_later(today: date, count: int) -> date | None:
    """The same day of that month; the last one where it has none."""
    months = today.year * 12 + today.month - 1 + count
    year, month = divmod(months, 12)
    return next((found for day in range(today.day, 27, -1) if (found := _date(year, month + 1, day))), None) or _date(
        year, month + 1, today.day
    )
