"""Conversations full of marked secrets through the pure core: no letter to a researcher holds one. Prints what it tried.

    python -m tests.fuzz.leaks [--cases N] [--seed S] [--first N] [--longest N] [--jobs N] [--show N]

A case follows from the seed and its number alone. What fails is shrunk to the moves that it needs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from tests.fuzz.leak_moves import Move, moves, played
from tests.fuzz.leak_play import Play, Problem, Seen

LONGEST = 16
_SAID_EVERY = 60.0  # seconds


@dataclass
class Tally:
    """What one run saw."""

    cases: int = 0
    moves: int = 0
    letters: int = 0  # that went to researchers, each looked at whole
    team: int = 0
    held: int = 0
    needless: int = 0  # held, and no marked secret in them
    released: int = 0
    marks: int = 0
    seconds: float = 0
    failing: list[int] = field(default_factory=list)
    why_needless: list[str] = field(default_factory=list)

    def add(self, case: int, count: int, seen: Seen) -> None:
        self.cases += 1
        self.moves += count
        self.letters += seen.letters
        self.team += seen.team
        self.held += seen.held
        self.needless += seen.needless
        self.released += seen.released
        self.marks += seen.marks
        self.why_needless += [f"{case}: {why}" for why in seen.why_needless]
        if seen.problems:
            self.failing.append(case)

    def __str__(self) -> str:
        return (
            f"{self.cases:,} conversations, {self.moves:,} moves, {self.marks:,} secrets; {self.letters:,} letters to researchers"
            f" and {self.team:,} to the team looked at; {self.held:,} held ({self.needless:,} without a marked secret),"
            f" {self.released:,} released by /send; {len(self.failing)} conversations with a leak; {self.seconds:.0f} s"
        )


def script(seed: int, case: int, longest: int = LONGEST) -> tuple[Move, ...]:
    return moves(Random(f"{seed}/{case}"), longest)


def run(cases: range, seed: int, longest: int = LONGEST, jobs: int = 1) -> Tally:
    """All of them, in several processes."""
    tally, started = Tally(), time.perf_counter()
    said = started
    with ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as pool:
        play = partial(_seen, seed, longest)
        for case, count, seen in pool.map(play, cases, chunksize=20) if pool else map(play, cases):
            tally.add(case, count, seen)
            tally.seconds = time.perf_counter() - started
            for problem in seen.problems:
                print(f"case {case}: {problem}", flush=True)
            if time.perf_counter() - said > _SAID_EVERY:
                said = time.perf_counter()
                print(tally, flush=True)
    return tally


def _seen(seed: int, longest: int, case: int) -> tuple[int, int, Seen]:
    written = script(seed, case, longest)
    seen = played(written, case).seen
    return case, len(written), replace(seen, problems=[Problem(one.what, None) for one in seen.problems])


def shrunk(written: tuple[Move, ...], case: int) -> tuple[Move, ...]:
    """The moves without which nothing fails."""
    while True:
        for shorter in _shorter(written):
            if _fails(shorter, case):
                written = shorter
                break
        else:
            return written


def _shorter(written: tuple[Move, ...]) -> Iterator[tuple[Move, ...]]:
    for at in range(len(written) - 1, -1, -1):
        yield written[:at] + written[at + 1 :]


def _fails(written: tuple[Move, ...], case: int) -> bool:
    try:
        return bool(played(written, case).seen.problems)
    except IndexError:  # no ticket is left to write on
        return False


def shown(play: Play) -> str:
    return "\n".join([*play.story, *(f"!! {problem}" for problem in play.seen.problems)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=int, default=LONGEST)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--show", type=int, default=3, help="failing conversations that are shrunk and printed")
    parser.add_argument("--needless", type=int, default=0, help="letters held without a secret that are listed")
    asked = parser.parse_args()
    tally = run(range(asked.first, asked.first + asked.cases), asked.seed, asked.longest, asked.jobs)
    for case in tally.failing[: asked.show]:
        print(f"--- case {case}\n{shown(played(shrunk(script(asked.seed, case, asked.longest), case), case))}")
    for why in tally.why_needless[: asked.needless]:
        print(f"held without a secret: {why}")
    print(tally)
    return 1 if tally.failing else 0


if __name__ == "__main__":
    raise SystemExit(main())
