"""A short run of each target from our own messages, and every case that a long run ever found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fuzz.mutate import MEMORY, SLOW, Tally, run
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS, Wrong

FOUND = sorted((Path(__file__).parent / "found").glob("*.eml"))


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_mail_is_read_without_an_exception_soon_and_in_little_memory(name: str) -> None:
    """AT-12 to AT-18, AT-27."""
    seconds = {"message": 5.0, "reply": 2.0, "command": 3.0, "member": 2.0, "request": 2.0}[name]
    tally = run(TARGETS[name], list(SEEDS), seed=20261120, seconds=seconds, cases=10**9, found=lambda case, why: None)
    assert tally.cases > 10
    assert tally.findings == []
    assert tally.grown() < MEMORY


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_found_once_is_read(name: str, path: Path) -> None:
    start = time.process_time()
    TARGETS[name](path.read_bytes())
    assert time.process_time() - start < SLOW


def test_a_target_that_breaks_is_seen() -> None:
    """The harness itself: an exception, an endless loop and a broken promise are findings, and the case is handed over."""
    kept: list[tuple[bytes, str]] = []

    def fragile(case: bytes) -> None:
        if b"\x00" in case:
            raise Wrong("NUL")

    tally: Tally = run(
        fragile, [b"a" * 20], seed=1, seconds=5, cases=2000, found=lambda case, why: kept.append((case, why))
    )
    assert tally.cases == 2000
    assert 0 < len(kept) == len(tally.findings) < 2000
    assert all(b"\x00" in case and why == "Wrong: NUL" for case, why in kept)
