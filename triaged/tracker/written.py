"""An arrival with what it causes: what is written in one piece. Shapes only."""

from __future__ import annotations

from dataclasses import dataclass

from triaged.ticket.consequence import Consequence
from triaged.tracker.knowing import Item


@dataclass(frozen=True, slots=True)
class Written:
    """An item with what it causes."""

    item: Item
    consequence: Consequence
    quiet: bool = False  # taken in from a file: no letter, now or later
