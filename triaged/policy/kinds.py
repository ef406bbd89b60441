"""The types of value that configuration and policy files hold, each with the sentence that mends a wrong one."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

from triaged.policy.address import canonical
from triaged.policy.period import Period, parse_period
from triaged.policy.problem import Refused, did_you_mean, shown
from triaged.policy.table import Kind

_CLOCK = re.compile(r"([0-2][0-9]):([0-5][0-9])", re.ASCII)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_TEXT = 1000
_LONGEST_CLOSURE = timedelta(days=1100)  # three years: a longer one is a slip of the pen


def text(says: str = "text in quotes", *, empty: bool = False, check: Callable[[str], Any] = str) -> Kind:
    """A string on one line."""

    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise Refused(f"must be {says}: put it in quotes")
        if not value.strip() and (value or not empty):
            raise Refused(f"must not be empty: write {says}")
        if len(value) > _LONGEST_TEXT or (value and not value.isprintable()):
            raise Refused(f"must be {says} on one line, without control characters, at most {_LONGEST_TEXT}")
        return check(value)

    return Kind(says, read)


def sentence() -> Kind:
    """Text that may run over lines; white space is folded."""
    says = "a sentence in quotes"

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise Refused(f"must be {says}: put it in quotes")
        folded = " ".join(value.split())
        if not folded or any(unicodedata.category(c) == "Cc" for c in folded):
            raise Refused(f"must be {says}, not empty and without control characters")
        return folded

    return Kind(says, read)


def words(*known: str) -> Kind:
    """One of a few words."""
    says = "one of " + ", ".join(f'"{word}"' for word in known)

    def check(value: str) -> str:
        if value not in known:
            raise Refused(f"must be {says}, not {shown(value)}{did_you_mean(value, known)}")
        return value

    return text(says, empty=True, check=check)


def whole(minimum: int = 0, maximum: int = 2**53) -> Kind:
    """A whole number within bounds."""
    says = f"a whole number from {minimum}" + ("" if maximum == 2**53 else f" to {maximum}")

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise Refused(f"must be {says}, without quotes, not {shown(value)}")
        return value

    return Kind(says, read, from_text=_number)


def _number(written: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,16}", written.strip(), re.ASCII):
        raise ValueError(written)
    return int(written)


def truth() -> Kind:
    """true or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise Refused(f"must be true or false, without quotes, not {shown(value)}")
        return value

    return Kind("true or false", read, from_text=_truth)


def _truth(written: str) -> bool:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[written.strip().lower()]


def several(one: Kind, *, least: int = 0, most: int = 1000) -> Kind:
    """A list, each of whose items is of the given type, none twice."""
    says = f"a list of {one.says}"

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Refused(f"must be {says}: put it in square brackets")
        if not least <= len(value) <= most:
            raise Refused(f"must be {says}, with {least} to {most} items, not {len(value)}")
        items = tuple(one.read(item) for item in value)
        twice = next((item for index, item in enumerate(items) if item in items[:index]), None)
        if twice is not None:
            raise Refused(f"names {shown(twice)} twice: remove one")
        return items

    return Kind(says, read, from_text=_list)


def _list(written: str) -> object:
    """JSON where it starts with a bracket, else comma separated; "" is the empty list."""
    if written.lstrip().startswith("["):
        return json.loads(written)
    return [item.strip() for item in written.split(",") if item.strip()]


def address() -> Kind:
    """An e-mail address, given back with its domain in lower case."""

    def check(value: str) -> str:
        if "[email" in value and "protected]" in value:
            raise Refused("is a web page's placeholder, not an address: write the real address that people can mail")
        found = canonical(value)
        if found is None:
            raise Refused(
                f"must be an e-mail address such as security@example.org (ASCII; an international domain in its"
                f" xn-- form), not {shown(value)}"
            )
        return found

    return text("an e-mail address", check=check)


def clock() -> Kind:
    """A local time of day, 00:00 to 23:59."""

    def check(value: str) -> time:
        found = _CLOCK.fullmatch(value)
        if not found or int(found[1]) > 23:
            raise Refused(f'must be a time of day such as "08:30", not {shown(value)}')
        return time(int(found[1]), int(found[2]))

    return text("a time of day", check=check)


def closing() -> Kind:
    """A closing time, in minutes after local midnight: 1440 for "24:00", the end of the day."""

    def check(value: str) -> int:
        found = _CLOCK.fullmatch(value)
        minutes = int(found[1]) * 60 + int(found[2]) if found else 0
        if not 0 < minutes <= 1440:
            raise Refused(f'must be a time of day from "00:01" to "24:00" such as "17:00", not {shown(value)}')
        return minutes

    return text("a closing time", check=check)


def period(*, zero: bool = False, business: bool = True) -> Kind:
    """A promise's period, or a span of time."""
    examples = '"3 business days", "90 days" or "24 hours"' if business else '"7 days" or "12 hours"'
    says = f"a period such as {examples}"

    def check(value: str) -> Period:
        found = parse_period(value, zero=zero)
        if found is None or (not business and found.unit == "business days"):
            raise Refused(f"must be {says}, up to ten years{'' if zero else ' and never zero'}, not {shown(value)}")
        return found

    return text(says, check=check)


def span() -> Kind:
    """Elapsed time: "7 days", "0 days", "12 hours"."""
    inner = period(zero=True, business=False)

    def read(value: object) -> timedelta:
        found: Period = inner.read(value)
        return timedelta(hours=found.count) if found.unit == "hours" else timedelta(days=found.count)

    return Kind(inner.says, read)


def weekdays() -> Kind:
    """Days of the week, as numbers from Monday, 0."""
    names = several(words(*_WEEKDAYS), most=6)
    return Kind(names.says, lambda value: frozenset(_WEEKDAYS.index(day) for day in names.read(value)))


def dates() -> Kind:
    """Days, and ranges of days written "2026-09-27..2026-10-01", both ends within."""
    says = 'a list of days such as "2026-04-03", and ranges such as "2026-09-27..2026-10-01"'

    def read(value: object) -> frozenset[date]:
        if not isinstance(value, list):
            raise Refused(f"must be {says}: put it in square brackets")
        return frozenset(day for item in value for day in _range(item))

    return Kind(says, read, from_text=_list)


def _range(item: object) -> tuple[date, ...]:
    written = item.isoformat() if isinstance(item, date) else item
    first, _, last = written.partition("..") if isinstance(written, str) else ("", "", "")
    try:
        start, end = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise Refused(
            f"holds {shown(item)}, which is no day of the calendar: write one as 2026-04-03 or 2026-09-27..2026-10-01"
        ) from None
    if not start <= end <= start + _LONGEST_CLOSURE:
        raise Refused(f"holds {shown(item)}, which must run from the earlier day to the later, three years at most")
    return tuple(start + timedelta(days=n) for n in range((end - start).days + 1))
