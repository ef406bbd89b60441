"""The year again and again, killed at any moment, until it is through; and whether its letters are those of a year undisturbed.

`python -m tests.tracker.killed_year --reports 500 --days 365 --kills 100 --postgres` prints what came of it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.bench.run import database
from tests.servers.process import workdir
from triaged.daemon.points import PASSED, VARIABLE
from triaged.tracker import auditing, chaining
from triaged.tracker.engine import connect, reading
from triaged.tracker.schema import letter, message, ticket

ROOT = Path(__file__).resolve().parents[2]
POINTS = tuple(name for name in PASSED if name not in ("reading-claimed", "letter-accepted", "copy-appended"))
Told = tuple[datetime, str, str, str, str]  # queued, to, template, subject, text without references and keys
_KEY = re.compile(r"\+[0-9a-z]{8}\.[rtb]\.[0-9a-z]{16}@")
_REF = re.compile(r"IMS-[0-9A-Z]{4}-[0-9A-Z]{4}")


@dataclass(frozen=True, slots=True)
class Lived:
    """What a year left behind."""

    letters: Counter[Told]
    repeats: int  # letters that went a second time with the same bytes
    faults: tuple[str, ...]
    kills: Counter[str]
    seconds: float


def run(url: str, folder: Path, reports: int, days: int, kill: str = "", after: float | None = None) -> int:
    """One process; its exit code. Killed at a point, or `after` so many seconds."""
    words = [sys.executable, "-m", "tests.tracker.year", url, str(folder), str(reports), str(days)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: kill}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(words, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            return process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def lived(url: str, folder: Path, reports: int, days: int, kills: Iterator[tuple[str, float | None]]) -> Lived:
    """Start it until it is through; each start but the last dies of the next of `kills`."""
    began, died = time.monotonic(), Counter[str]()
    for point, after in kills:
        code = run(url, folder, reports, days, point, after)
        if code == 0:
            break
        assert code == -signal.SIGKILL, (folder / "log").read_text()[-3000:]
        died[point.partition(":")[0] or "anywhere"] += 1
    else:
        assert run(url, folder, reports, days) == 0, (folder / "log").read_text()[-3000:]
    return found(url, died, time.monotonic() - began)


def random_kills(count: int, seed: int, longest: float, most: int) -> Iterator[tuple[str, float | None]]:
    """At a point when it is reached for the nth time, or after some seconds wherever the process is by then."""
    chance = random.Random(seed)
    for number in range(count):
        if number % 3 == 0:
            yield "", chance.uniform(0.8, longest)
        else:
            yield f"{chance.choice(POINTS)}:{chance.randint(1, most)}", None


def found(url: str, died: Counter[str], seconds: float) -> Lived:
    engine = connect(url)
    with reading(engine) as connection:
        columns = (letter.c.queued_at, letter.c.to_address, letter.c.template, message.c.subject, message.c.text)
        rows = connection.execute(select(*columns).join(message, message.c.id == letter.c.message_row)).all()
        repeats = sum(connection.execute(select(letter.c.repeats)).scalars())
        refs = {row.ref for row in connection.execute(select(ticket.c.ref))}
        broken = [f"{b.ref} {b.seq}: {b.why}" for b in chaining.broken(connection)]
        faults = (*broken, *auditing.findings(connection, max(row.queued_at for row in rows)))
        unsent = connection.execute(select(letter.c.state).where(letter.c.state != "accepted")).scalars().all()
    engine.dispose()
    assert all(set(_REF.findall(row.subject)) <= refs for row in rows)
    told = Counter((r.queued_at, r.to_address, r.template, _plain(r.subject), _words(r)) for r in rows)
    return Lived(told, repeats, (*faults, *(f"a letter is {state}" for state in unsent)), died, seconds)


def _plain(text: str) -> str:
    return _KEY.sub("+KEY@", _REF.sub("REF", text))


def _words(row: Any) -> str:
    """A board lists what is due at one instant by reference, which is drawn by lot."""
    text = _plain(row.text)
    return "\n".join(sorted(text.split("\n"))) if row.template == "board" else text


def compare(undisturbed: Lived, killed: Lived) -> list[str]:
    """What is wrong: nothing."""
    missing, more = undisturbed.letters - killed.letters, killed.letters - undisturbed.letters
    wrong = [f"lost: {one[:4]}" for one in missing] + [f"too many: {one[:4]}" for one in more]
    return [*wrong, *undisturbed.faults, *killed.faults]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A year of clocks, killed at any moment.")
    parser.add_argument("--reports", type=int, default=500)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=12.0, help="seconds until a kill by the clock, at most")
    parser.add_argument("--most", type=int, default=30, help="how often a point is reached before a kill, at most")
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args(words)
    years = []
    for name in ("undisturbed", "killed"):
        with workdir(name) as folder, database(folder, name, chosen.postgres) as url:
            kills = random_kills(chosen.kills, chosen.seed, chosen.longest, chosen.most)
            disturbed = kills if name == "killed" else iter(())
            years.append(lived(url, folder, chosen.reports, chosen.days, disturbed))
        one = years[-1]
        told = f"{sum(one.letters.values())} letters, {sum(one.kills.values())} kills, {one.repeats} sent again"
        print(f"{name}: {chosen.reports} reports, {chosen.days} days, {told}, {one.seconds:.0f} s", flush=True)
    print(", ".join(f"{count} at {point}" for point, count in sorted(years[1].kills.items())))
    wrong = compare(*years)
    print("the letters are the same" if not wrong else "\n".join(wrong[:50]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
