"""How long a promise gives: a count of business days, days or hours. Knows no calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["business days", "days", "hours"]

_WRITTEN = re.compile(r"([0-9]{1,6}) +(business +day|day|hour)s?", re.ASCII)
_UNITS: dict[str, Unit] = {"business day": "business days", "day": "days", "hour": "hours"}
_TEN_YEARS: dict[Unit, int] = {"business days": 2600, "days": 3660, "hours": 87840}


@dataclass(frozen=True, slots=True)
class Period:
    """ "3 business days", "90 days", "24 hours"."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit[:-1] if self.count == 1 else self.unit}"


def parse_period(text: str, *, zero: bool = False) -> Period | None:
    """The period that a text states, or None where it states none; zero and more than ten years are none."""
    found = _WRITTEN.fullmatch(" ".join(text.split()))
    if not found:
        return None
    count, unit = int(found[1]), _UNITS[found[2]]
    return Period(count, unit) if (count or zero) and count <= _TEN_YEARS[unit] else None
