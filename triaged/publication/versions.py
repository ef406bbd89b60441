"""The team's words about versions → ranges and single versions. What it can't read stays words, never a wrong range."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from `introduced` on; "0" is the first there ever was. At most one of the two ends is set."""

    introduced: str = "0"
    fixed: str = ""  # the first that is not within
    last: str = ""  # the last that is within


@dataclass(frozen=True, slots=True)
class Versions:
    """What was read. Words are set where nothing else is, and then hold the whole text."""

    ranges: tuple[Range, ...] = ()
    single: tuple[str, ...] = ()
    words: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Every version that is named."""
        ends = (end for one in self.ranges for end in (one.introduced, one.fixed, one.last))
        return tuple(end for end in (*ends, *self.single) if end not in ("", "0"))


_V = r"v?([0-9][0-9A-Za-z.+~_-]{0,63})"
_LONGEST = 1000  # characters that are read; what is longer stays words
_WILD = re.compile(r"(?:^|[.])[xX*](?:$|[.])")
_HYPHENED = re.compile(r"[0-9.]+-v?[0-9.]+", re.ASCII)
_INTEGERS = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.(?:0|[1-9][0-9]{0,9}))*", re.ASCII)
_SEMVER = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.(?:0|[1-9][0-9]{0,9})){2}", re.ASCII)
_LEAD = re.compile(r"^(?:all )?(?:versions?|releases?) ", re.IGNORECASE)
_ALL = frozenset({"all", "all versions", "every version", "any version", "*", "all releases"})
_EARLIER = r"(?:and|or) (?:earlier|older|before|below|prior|lower)"
_FROM, _BEFORE = r"(?:from|since|>=|≥)", r"(?:before|up to but not including|prior to|<)"
_LATER = r"(?:and|or) (?:later|newer|above|higher|up)"
# One row a way of saying it; each version is a group.
_SHAPES: tuple[tuple[re.Pattern[str], Callable[..., Range]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), made)
    for pattern, made in (
        (rf"(?:before|prior to|earlier than|older than|below|lower than|<) ?{_V}", lambda end: Range(fixed=end)),
        (rf"(?:up to|through|up to and including|<=|≤) ?{_V}", lambda end: Range(last=end)),
        (rf"up to,? but (?:not including|excluding) {_V}", lambda end: Range(fixed=end)),
        (rf"{_V} {_EARLIER}(?: versions| releases)?", lambda end: Range(last=end)),
        (rf"(?:from )?{_V} (?:to|through|up to|up to and including|-|\u2013) {_V}", lambda a, b: Range(a, last=b)),
        (rf"{_FROM} ?{_V},?(?: and)? ?{_BEFORE} ?{_V}", lambda a, b: Range(a, fixed=b)),
        (rf"{_V},?(?: to| and)? {_BEFORE} ?{_V}", lambda a, b: Range(a, fixed=b)),
        (rf"(?:>=|≥) ?{_V},?(?: and)? ?(?:<=|≤) ?{_V}", lambda a, b: Range(a, last=b)),
        (rf"(?:from|since|starting with|>=|≥) ?{_V}(?: on| onwards| {_LATER})?", lambda start: Range(start)),
        (rf"{_V} {_LATER}(?: versions| releases)?", lambda start: Range(start)),
    )
)
_SINGLE = re.compile(_V, re.ASCII)
_PARTED = re.compile(r"[;,\n]| and (?=v?[0-9])|\bor (?=v?[0-9])| & ")


def read(affected: str, fixed_in: str = "") -> Versions:
    """Which versions are affected, where it is known which ones hold the fix."""
    text = _plain(affected)
    if not text:
        return Versions()
    if len(text) > _LONGEST:
        return Versions(words=text)
    fixes = singles(fixed_in)
    found = _all(text, fixes, fixed_in) or _whole(text) or _parts(text)
    found = found and _closed(found, fixes)
    return found if found and _sound(found, fixes) else Versions(words=text)


def singles(text: str) -> tuple[str, ...]:
    """The versions of a list of single ones; none where it says anything else."""
    found = _parts(_plain(text)) if text else None
    return found.single if found and not found.ranges else ()


def _plain(text: str) -> str:
    return " ".join(text.replace("\n", ", ").split()).strip(" .,;")


def _all(text: str, fixes: tuple[str, ...], fixed_in: str) -> Versions | None:
    """ "All" where one version holds the fix means all before it; with several nobody can tell which."""
    if text.lower() not in _ALL or len(fixes) > 1 or (fixed_in and not fixes):
        return None
    return Versions((Range(fixed=fixes[0]) if fixes else Range(),))


def _whole(text: str) -> Versions | None:
    found = _one(text)
    return found and Versions(*found)


def _parts(text: str) -> Versions | None:
    parts = [_one(part.strip()) for part in _PARTED.split(text) if part.strip()]
    if not parts or len(parts) > 100 or None in parts:
        return None
    read_parts = [part for part in parts if part is not None]
    ranges = tuple(dict.fromkeys(one for part in read_parts for one in part[0]))
    # "before 1.9.5, before 2.3.1" speaks of two branches, and ">= 1.0, < 2.0, 3.1" of one range: neither is a union.
    if len(parts) > 1 and any(one.introduced == "0" or not (one.fixed or one.last) for one in ranges):
        return None
    single = tuple(dict.fromkeys(one for part in read_parts for one in part[1]))
    return Versions(ranges, single)


def _one(part: str) -> tuple[tuple[Range, ...], tuple[str, ...]] | None:
    text = _LEAD.sub("", part)
    if (single := _SINGLE.fullmatch(text)) and _version(single[1]):
        return (), (single[1],)
    for shape, made in _SHAPES:
        if (match := shape.fullmatch(text)) and all(map(_version, match.groups())):
            return (made(*match.groups()),), ()
    return None


def _version(text: str) -> bool:
    """No wildcard, nothing that goes on, and no hyphen that may stand for "to"."""
    return not _WILD.search(text) and text[-1] not in ".-_+~" and not _HYPHENED.fullmatch(text)


def _closed(found: Versions, fixes: tuple[str, ...]) -> Versions:
    """An end that holds the fix is not within; an open range ends where the only fix is."""
    return replace(found, ranges=tuple(_ended(one, fixes) for one in found.ranges))


def _ended(one: Range, fixes: tuple[str, ...]) -> Range:
    if one.last and any(compared(one.last, fix) == 0 for fix in fixes):
        return replace(one, last="", fixed=one.last)
    later = len(fixes) == 1 and (one.introduced == "0" or compared(one.introduced, fixes[0]) == -1)
    return replace(one, fixed=fixes[0]) if later and not one.fixed and not one.last else one


def _sound(found: Versions, fixes: tuple[str, ...]) -> bool:
    """No range that ends before it starts, and nothing that holds a version with the fix."""
    if any(_backwards(one) or any(holds(one, fix) for fix in fixes) for one in found.ranges):
        return False
    return not any(compared(one, fix) == 0 for one in found.single for fix in fixes)


def _backwards(one: Range) -> bool:
    end = one.fixed or one.last
    return bool(end) and one.introduced != "0" and compared(one.introduced, end) in (0, 1)


def holds(one: Range, version: str) -> bool:
    """Whether it surely does."""
    if one.introduced != "0" and compared(one.introduced, version) not in (-1, 0):
        return False
    if one.fixed:
        return compared(version, one.fixed) == -1
    return not one.last or compared(version, one.last) in (-1, 0)


def compared(one: str, other: str) -> int | None:
    """-1, 0 or 1 for two versions of whole numbers between dots; None for what has another order."""
    if one == other:
        return 0
    if not (_INTEGERS.fullmatch(one) and _INTEGERS.fullmatch(other)):
        return None
    mine, theirs = _numbers(one), _numbers(other)
    return (mine > theirs) - (mine < theirs)


def _numbers(version: str) -> tuple[int, ...]:
    """Without the zeros at its end: 2.0 is 2."""
    numbers = [int(number) for number in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def semantic(found: Versions) -> bool:
    """Whether all of them are versions of SemVer 2.0.0, without a label."""
    return all(_SEMVER.fullmatch(one) for one in found.all)


def scheme(found: Versions) -> str:
    """The type of a VERS range: intdot where all are whole numbers between dots, so that a machine can compare them."""
    return "intdot" if all(_INTEGERS.fullmatch(one) for one in found.all) else "generic"


def vers(one: Range, kind: str) -> str:
    """The range as VERS writes it."""
    start = f">={_quoted(one.introduced)}" if one.introduced != "0" else ""
    end = f"<{_quoted(one.fixed)}" if one.fixed else f"<={_quoted(one.last)}" if one.last else ""
    return f"vers:{kind}/" + ("|".join(filter(None, (start, end))) or "*")


def _quoted(version: str) -> str:
    return quote(version, safe="")
