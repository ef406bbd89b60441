"""CVSS vectors → their canonical form, base score and the objects of FIRST's schemas. Judges no problem itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEVERITIES = ("none", "low", "medium", "high", "critical")
_BASE = {
    "3": ("AV", "AC", "PR", "UI", "S", "C", "I", "A"),
    "4": ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"),
}


@dataclass(frozen=True, slots=True)
class Score:
    """One vector that can be scored."""

    version: str  # 3.0 | 3.1 | 4.0
    vector: str  # canonical: the metrics in the order of the specification, those not defined left out
    base: float  # of the base metrics alone, whatever else the vector says
    severity: str  # one of SEVERITIES


def scored(vector: str) -> Score | None:
    """None where it is no vector of CVSS 3.0, 3.1 or 4.0."""
    from cvss import CVSS3, CVSS4, CVSSError  # a third of a second that `--help` need not wait for

    version = vector[5:8] if vector.startswith("CVSS:") else ""
    if version not in ("3.0", "3.1", "4.0"):
        return None
    reader = CVSS4 if version == "4.0" else CVSS3
    try:
        canonical = reader(vector).clean_vector()
        base = reader(_base_only(canonical, version))
    except (CVSSError, ArithmeticError, KeyError, ValueError):
        return None
    return Score(version, canonical, float(base.scores()[0]), base.severities()[0].lower())


def _base_only(vector: str, version: str) -> str:
    head, *metrics = vector.split("/")
    return "/".join([head, *(one for one in metrics if one.partition(":")[0] in _BASE[version[0]])])


def cvss_object(score: Score) -> dict[str, Any]:
    """What FIRST's schema of that version requires; the vector says the rest."""
    return {
        "version": score.version,
        "vectorString": score.vector,
        "baseScore": score.base,
        "baseSeverity": score.severity.upper(),
    }
