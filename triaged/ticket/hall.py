"""The Hall of Fame as numbers and names: who is named for the valid reports of each year, and how many are not. Asks no ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True)
class Finder:
    """Somebody who takes part in a valid report."""

    person: int  # its row: two people of one name are two
    name: str  # by consent; "" where there is none
    reporter: bool = True


@dataclass(frozen=True, slots=True)
class Valid:
    """One report that was accepted."""

    received_at: datetime
    finders: tuple[Finder, ...]


@dataclass(frozen=True, slots=True)
class Thanked:
    """One name, with the valid reports of that year for which it was given."""

    name: str
    reports: int


@dataclass(frozen=True, slots=True)
class Year:
    """One year of the Hall of Fame."""

    year: int
    thanked: tuple[Thanked, ...]
    unnamed: int  # people who reported something valid in that year and are not named


def years(valid: Iterable[Valid], zone: tzinfo) -> tuple[Year, ...]:
    """The newest first; the years are the policy's, by the day of receipt."""
    found: dict[int, list[Valid]] = defaultdict(list)
    for one in valid:
        found[one.received_at.astimezone(zone).year].append(one)
    return tuple(_year(year, sorted(found[year], key=_order)) for year in sorted(found, reverse=True))


def _order(one: Valid) -> tuple[datetime, list[int]]:
    return one.received_at, [finder.person for finder in one.finders]


def _year(year: int, valid: list[Valid]) -> Year:
    named: dict[tuple[int, str], list[str]] = defaultdict(list)
    for one in valid:
        for finder in one.finders:
            if finder.name:
                named[finder.person, _folded(finder.name)].append(finder.name)
    shown = sorted((_folded(names[-1]), names[-1], len(names)) for names in named.values())
    faces = {person for person, _ in named}
    others = {f.person for one in valid for f in one.finders if f.reporter} - faces
    return Year(year, tuple(Thanked(name, reports) for _, name, reports in shown), len(others))


def _folded(name: str) -> str:
    """What is one name of one person: case and spaces are how it was typed that day."""
    return " ".join(name.casefold().split())
