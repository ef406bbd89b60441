"""Marked people agree, refuse and change their minds; no artefact holds a mark that no consent covers. Prints what was looked at.

    python -m tests.fuzz.anonymity [--tickets N] [--seed S] [--rounds N] [--jobs N]

Tickets stand in trackers of fifty. What is rendered is compared with a plain account of what each person said, both ways: nobody is
named who did not agree, and who agreed is named.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import structlog
from sqlalchemy import select

from tests.fuzz.anonymity_marks import Mark, Marks, keys_of
from tests.fuzz.anonymity_play import ADVISORY, HALL, HOUSE, OURS, PARTIES, Cast
from tests.tracker.tracked import Entropy, Tracked, open_tracker
from triaged import resources
from triaged.cli.promises import document
from triaged.daemon.log import configure
from triaged.publication.files import published
from triaged.ticket.consent import Purpose
from triaged.tracker import consents, migrate, promises
from triaged.tracker.engine import connect, reading
from triaged.tracker.schema import blob, consent, letter, ticket

A_TRACKER = 50  # tickets
ROUNDS = 12

Artefacts = Mapping[str, bytes]  # name -> bytes


@dataclass(frozen=True)
class Source:
    """What is made of a tenant's tickets, and for what people have to have agreed to stand in it."""

    make: Callable[[Tracked, str], Artefacts]
    covered: Callable[[str], Collection[str]] = lambda name: ()  # artefact -> hall, advisory, or a third party


def _json(value: object, *, ascii_only: bool = False) -> bytes:
    return json.dumps(value, default=str, ensure_ascii=ascii_only).encode()


def hall_of_fame(tracked: Tracked, tenant: str) -> Artefacts:
    with reading(tracked.engine) as connection:
        years = consents.hall(connection, tenant, HOUSE.policy.calendar.tzinfo)
    return {"hall.json": _json([asdict(year) for year in years])}


def advisories(tracked: Tracked, tenant: str) -> Artefacts:
    with reading(tracked.engine) as connection:
        names = consents.names_for(connection, tenant, Purpose.ADVISORY)
    return {f"advisory-{number}.json": _json(credits_, ascii_only=True) for number, credits_ in names.items()}


def handed_over(tracked: Tracked, tenant: str) -> Artefacts:
    found = {}
    with reading(tracked.engine) as connection:
        for row in tracked.rows(ticket, tenant=tenant):
            for party in PARTIES:
                found[f"{party}/{row.ref}.json"] = _json(consents.sharing(connection, row.id, party))
    return found


def kept_promises(tracked: Tracked, tenant: str) -> Artefacts:
    span = promises.Span()
    with reading(tracked.engine) as connection:
        rounds, reports = promises.rounds(connection, span), promises.reports(connection, span)
        unchanged = len(promises.unchanged_letters(connection, span))
    return {"promises.json": _json(document(rounds, reports, unchanged, span, tracked.at))}


def policy_files(tracked: Tracked, tenant: str) -> Artefacts:
    return published(HOUSE.policy, tracked.at)


SOURCES: list[Source] = [
    Source(hall_of_fame, lambda name: (HALL,)),
    Source(advisories, lambda name: (ADVISORY,)),
    Source(handed_over, lambda name: (name.partition("/")[0],)),
    Source(kept_promises),
    Source(policy_files),
]


@dataclass
class Tally:
    """What was looked at, and what was found."""

    tickets: int = 0
    people: int = 0
    acts: int = 0
    words: int = 0  # of consent
    marks: int = 0
    artefacts: int = 0
    letters: int = 0
    octets: int = 0
    named: int = 0  # names that artefacts hold by consent
    seconds: float = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("tickets", "people", "acts", "words", "marks", "artefacts", "letters", "octets", "named"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    def __str__(self) -> str:
        return (
            f"{self.tickets:,} tickets, {self.people:,} people with {self.marks:,} marks, {self.acts:,} acts, {self.words:,} words"
            f" of consent; {self.artefacts:,} artefacts ({self.letters:,} of them letters), {self.octets:,} octets looked at;"
            f" {self.named:,} names by consent; {len(self.problems)} problems; {self.seconds:.0f} s"
        )


def run(tickets: int, seed: int, jobs: int = 1, rounds: int = ROUNDS, sources: Sequence[Source] = ()) -> Tally:
    """Trackers of fifty tickets, in several processes. `sources`: beside those that exist."""
    tally, started = Tally(), time.perf_counter()
    sizes = [min(A_TRACKER, tickets - first) for first in range(0, tickets, A_TRACKER)]
    with ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as pool:
        play = partial(played, seed=seed, rounds=rounds, sources=tuple(sources))
        numbered = list(enumerate(sizes))
        for one in pool.map(play, numbered) if pool else map(play, numbered):
            tally.add(one)
            for problem in one.problems:
                print(problem, flush=True)
            tally.seconds = time.perf_counter() - started
    return tally


def played(numbered: tuple[int, int], seed: int, rounds: int = ROUNDS, sources: Sequence[Source] = ()) -> Tally:
    """One tracker, from its first report to its last artefact."""
    number, size = numbered
    random = Random(f"{seed}/{number}")
    with tempfile.TemporaryDirectory() as folder, _logged() as log:
        tracked = _tracker(Path(folder), f"{seed}/{number}")
        cast = Cast(tracked, random, Marks(random))
        cast.open(size)
        for _ in range(rounds):
            cast.round()
        tally = looked_at(cast, (*SOURCES, *sources), log.getvalue().encode())
        tracked.engine.dispose()
    tally.problems = [f"tracker {number} of seed {seed}: {problem}" for problem in tally.problems]
    return tally


_template: list[Path] = []  # of this process


def _tracker(folder: Path, name: str) -> Tracked:
    if not _template:
        _template.append(Path(tempfile.mkdtemp()) / "triaged.db")
        engine = connect(f"sqlite:///{_template[0]}")
        migrate.upgrade(engine, resources.migrations())
        engine.dispose()
    shutil.copy(_template[0], folder / "triaged.db")
    tracked = open_tracker(connect(f"sqlite:///{folder / 'triaged.db'}"), HOUSE)
    tracked.entropy = Entropy(name)
    return tracked


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """All that is logged, by us and by the libraries."""
    stream = io.StringIO()
    configure(stream)
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        yield stream
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.reset_defaults()


def looked_at(cast: Cast, sources: Sequence[Source], log: bytes) -> Tally:
    """Every artefact, and every letter to somebody outside."""
    tracked = cast.tracked
    tally = Tally(tickets=len(cast.tickets), people=len(cast.people), acts=cast.acts, marks=len(cast.marks.by_key))
    tally.words = len(tracked.rows(consent))
    tally.problems += [*_account(cast), *tracked.broken()]
    may = {
        what: {key for _, seat in cast.seats() for key in keys_of(seat.named(what))}
        for what in (HALL, ADVISORY, *PARTIES)
    }
    for source in sources:
        for name, data in source.make(tracked, HOUSE.tenant).items():
            allowed = {key for what in source.covered(name) for key in may[what]}
            tally.named += len(_look(tally, cast.marks, name, data, lambda mark, keys=allowed: mark.key in keys))
    _look(tally, cast.marks, "log", log, lambda mark: False)
    for name, to, data in _letters(tracked):
        tally.letters += 1
        _look(tally, cast.marks, name, data, lambda mark, to=to: mark.owner == to)
    return tally


def _look(tally: Tally, marks: Marks, name: str, data: bytes, may: Callable[[Mark], bool]) -> set[Mark]:
    found = marks.found_in(data)
    tally.artefacts += 1
    tally.octets += len(data)
    tally.problems += [f"{name} holds {mark}" for mark in sorted(found, key=str) if not may(mark)]
    return {mark for mark in found if may(mark)}


def _letters(tracked: Tracked) -> Iterator[tuple[str, str, bytes]]:
    """Letters that are not to the team, with whom they go to: they hold that person's marks and nobody else's."""
    rows = select(letter.c.id, letter.c.template, letter.c.to_lower, blob.c.data).join(
        blob, blob.c.id == letter.c.blob_id
    )
    with reading(tracked.engine) as connection:
        found = connection.execute(rows.where(letter.c.to_lower.not_in(OURS)).order_by(letter.c.id)).all()
    for row in found:
        yield f"letter {row.id}, {row.template}", row.to_lower, row.data


def _account(cast: Cast) -> Iterator[str]:
    """Where names that are given for rendering differ from what people said."""
    tracked = cast.tracked
    refs = {row.id: row.ref for row in tracked.rows(ticket)}
    with reading(tracked.engine) as connection:
        for what in (HALL, ADVISORY, *PARTIES):
            purpose, party = (Purpose(what), "") if what in (HALL, ADVISORY) else (Purpose.SHARE, what)
            given = {
                refs[n]: names for n, names in consents.names_for(connection, HOUSE.tenant, purpose, party).items()
            }
            said = cast.names(what)
            for ref in sorted({*given, *said}):
                if given.get(ref) != said.get(ref):
                    yield f"{ref}, {what}: {given.get(ref, ())} are given, and {said.get(ref, ())} agreed"
        years = consents.hall(connection, HOUSE.tenant, HOUSE.policy.calendar.tzinfo)
    shown = sorted(one.name for year in years for one in year.thanked for _ in range(one.reports))
    agreed = sorted(seat.named(HALL) for told, seat in cast.seats() if told.valid and seat.named(HALL))
    if shown != agreed:
        yield f"the Hall of Fame has {shown}, and {agreed} agreed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="acts on each ticket")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args()
    tally = run(asked.tickets, asked.seed, asked.jobs, asked.rounds)
    print(tally)
    return 1 if tally.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
