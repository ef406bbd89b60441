"""Public holidays and weekends by country, from the `holidays` package. Reads no clock; one year at a time, kept."""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "holidays.countries"


@dataclass(frozen=True, slots=True)
class Year:
    """One year of one country or subdivision."""

    holidays: frozenset[date]
    worked: frozenset[date]  # days of the weekend that the country works instead of others
    doubt: str  # why the data may be incomplete; "" where it is not


def countries() -> tuple[str, ...]:
    """The codes that are known: "IL", "CH", …"""
    return tuple(sorted(_modules()))


@lru_cache(maxsize=1)
def _modules() -> dict[str, str]:
    from holidays.registry import COUNTRIES

    return {code: module for module, names in COUNTRIES.items() for code in names[1:] if len(code) == 2}


def country_name(country: str) -> str:
    """The country's name in English, as the package spells it: "United States" for "US"."""
    from holidays.registry import COUNTRIES

    found = next((names[0] for names in COUNTRIES.values() if country in names[1:]), country)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found)


def subdivisions(country: str) -> tuple[str, ...]:
    """The cantons, states or provinces that have data of their own; () for most countries."""
    return tuple(_entity(country).subdivisions)


def weekend(country: str) -> frozenset[int]:
    """The days of the country's weekend, Monday is 0."""
    return frozenset(_entity(country)().weekend)


@lru_cache(maxsize=512)
def year(country: str, subdivision: str, number: int) -> Year:
    """The public holidays of one year; none where no country is named."""
    if not country:
        return Year(frozenset(), frozenset(), "")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = _entity(country)(subdiv=subdivision or None, years=number)
    worked = frozenset(found.weekend_workdays)
    beyond = not found.start_year <= number <= found.end_year
    doubt = f"holidays of {country} are known from {found.start_year} to {found.end_year}" if beyond else ""
    return Year(frozenset(found), worked, doubt or "; ".join(str(w.message) for w in said))


@lru_cache(maxsize=64)
def _entity(country: str) -> Any:
    """The class of one country: its module alone, because importing all of them costs 8 MB and 40 ms."""
    module = _modules()[country]
    with _only_what_is_named():
        return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), country)


@contextmanager
def _only_what_is_named() -> Iterator[None]:
    """For its length the package of countries has no initialiser that imports every country. The loader comes here
    for each country that a policy names, before there are threads."""
    if _PACKAGE in sys.modules:
        yield
        return
    import holidays

    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = [str(Path(holidays.__path__[0]) / "countries")]
    sys.modules[_PACKAGE] = stand_in
    try:
        yield
    finally:
        del sys.modules[_PACKAGE]
