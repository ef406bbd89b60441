"""Killed at any point and at any moment, and started again: the letters are those of an undisturbed run (laws 2 and 4).

The whole, a year with 500 tickets, is `make year`; docs/measured.md has its figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tracker.killed_year import POINTS, Lived, compare, lived, random_kills
from triaged.daemon.points import NAMES

REPORTS, DAYS = 4, 60
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("undisturbed")
    return lived(f"sqlite:///{folder}/year.db", folder, REPORTS, DAYS, iter(()))


def once_at_each_point() -> Iterator[tuple[str, float | None]]:
    for number, point in enumerate(POINTS):
        yield f"{point}:{1 if number < 5 else number - 3}", None


def test_a_year_killed_at_each_point_sends_the_same_letters(
    undisturbed: Lived, tracker_url: str, tmp_path: Path
) -> None:
    assert set(POINTS) <= set(NAMES)
    killed = lived(tracker_url, tmp_path, REPORTS, DAYS, once_at_each_point())
    assert compare(undisturbed, killed) == []
    assert set(killed.kills) == set(POINTS), "each point was reached"
    assert killed.repeats >= 1, "what was in hand went again, and was counted"


def test_a_year_killed_at_random_moments_sends_the_same_letters(undisturbed: Lived, tmp_path: Path) -> None:
    kills = random_kills(8, seed=3, longest=1.6, most=8)
    killed = lived(f"sqlite:///{tmp_path}/year.db", tmp_path, REPORTS, DAYS, kills)
    assert compare(undisturbed, killed) == []
    assert killed.kills.total() >= 2, "the rest fell after its end: how long it lives depends on the machine"


def test_the_plan_holds_every_kind_of_letter(undisturbed: Lived) -> None:
    found = {template for _, _, template, _, _ in undisturbed.letters}
    assert {"acknowledgement", "relay", "answer", "reminder", "update", "missed", "board"} <= found
