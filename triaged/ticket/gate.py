"""Stub until the gate is merged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inside:
    notes: tuple[str, ...]
    said: tuple[str, ...]
    references: tuple[str, ...]
    own: str
    people: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class Overlap:
    what: str
    shown: str


def overlaps(subject: str, text: str, inside: Inside) -> tuple[Overlap, ...]:
    return ()
