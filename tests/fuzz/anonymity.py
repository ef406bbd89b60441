"""Marked people agree, refuse and change their minds; no artefact holds a mark that no consent covers. Prints what was looked at.

    python -m tests.fuzz.anonymity [--tickets N] [--seed S] [--rounds N] [--jobs N]

Tickets stand in trackers of twenty-five, and half of them are published. The site is written twice into one folder, with words
said in between, and read as it lies there. What is rendered is compared with a plain account of what each person said, both ways:
nobody is named who did not agree, and who agreed is named.
"""

from __future__ import annotations

import argparse
import io
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import structlog
from sqlalchemy import select

from tests.fuzz import anonymity_made as made
from tests.fuzz.anonymity_made import Artefacts
from tests.fuzz.anonymity_marks import Mark, Marks, keys_of
from tests.fuzz.anonymity_play import ADVISORY, HALL, HOUSE, OURS, PARTIES, Cast
from tests.tracker.tracked import Entropy, Tracked, open_tracker
from triaged import resources
from triaged.daemon.log import configure
from triaged.ticket.consent import Purpose
from triaged.tracker import consents, migrate
from triaged.tracker.engine import connect, reading
from triaged.tracker.schema import advisory, blob, consent, letter, reward, ticket

A_TRACKER = 25  # tickets
ROUNDS = 12
FORMS = 6  # of an advisory: page, Markdown, CSAF 2.0 and 2.1, OSV, CVE


@dataclass(frozen=True)
class Source:
    """What is made of a tenant's tickets, and for what people have to have agreed to stand in it."""

    make: Callable[[Tracked, str], Artefacts]
    covered: Callable[[str], Collection[str]] = lambda name: ()  # artefact -> hall, advisory, or a third party


SOURCES: list[Source] = [
    Source(made.hall_of_fame, lambda name: (HALL,)),
    Source(made.credits_of_advisories, made.of_advisory),
    Source(made.names_for_a_party, made.of_party),
    Source(made.handed_over, made.of_hand_over),
    Source(made.ledger_of_rewards),
    Source(made.kept_promises),
    Source(made.signed_receipts),
    Source(made.policy_files),
]


@dataclass
class Tally:
    """What was looked at, and what was found."""

    tickets: int = 0
    people: int = 0
    acts: int = 0
    words: int = 0  # of consent
    marks: int = 0
    published: int = 0  # tickets
    artefacts: int = 0
    letters: int = 0
    octets: int = 0
    rewards: int = 0  # rows of their ledger
    named: int = 0  # names that artefacts hold by consent
    taken_back: int = 0  # names that a file of the site held by consent, and holds no more
    seconds: float = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)
        self.problems += other.problems

    def __str__(self) -> str:
        return (
            f"{self.tickets:,} tickets, {self.people:,} people with {self.marks:,} marks, {self.acts:,} acts, {self.words:,} words"
            f" of consent; {self.published:,} tickets published;"
            f" {self.artefacts:,} artefacts ({self.letters:,} of them letters), {self.octets:,} octets looked at;"
            f" {self.rewards:,} rows about rewards; {self.named:,} names by consent, {self.taken_back:,} of them taken back;"
            f" {len(self.problems)} problems; {self.seconds:.0f} s"
        )


def run(tickets: int, seed: int, jobs: int = 1, rounds: int = ROUNDS, sources: Sequence[Source] = ()) -> Tally:
    """Trackers of twenty-five tickets, in several processes. `sources`: beside those that exist."""
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
        site = Source(partial(made.site, Path(folder) / "site"), made.of_site)
        tally, held = Tally(), set[tuple[str, str]]()
        for done in range(1, rounds + 1):
            made.disclose(tracked)
            cast.round()
            if done in (rounds // 2, rounds):  # whoever changes their mind after the first is looked for in the second
                before, held = held, _look_at(tally, cast, (site,))
                tally.taken_back += len(before - held)
                tally.problems += _thanked(cast, Path(folder) / "site")
        tally.add(looked_at(cast, (*SOURCES, *sources), log.getvalue().encode()))
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
    tally.published = sum(row.published_at is not None for row in tracked.rows(advisory))
    tally.rewards = len(tracked.rows(reward))
    tally.problems += [*_account(cast), *tracked.broken()]
    _look_at(tally, cast, sources)
    _look(tally, cast.marks, "log", log, lambda mark: False)
    for name, to, data in _letters(tracked):
        tally.letters += 1
        _look(tally, cast.marks, name, data, lambda mark, to=to: mark.owner == to)
    return tally


def _look_at(tally: Tally, cast: Cast, sources: Sequence[Source]) -> set[tuple[str, str]]:
    """What is made by these at this instant, under the words that were said until now. Artefacts and names that are in them."""
    named: set[tuple[str, str]] = set()
    may: dict[str, set[str]] = {}
    for source in sources:
        for name, data in source.make(cast.tracked, HOUSE.tenant).items():
            for what in source.covered(name):
                may.setdefault(what, _keys_for(cast, what))
            allowed = {key for what in source.covered(name) for key in may[what]}
            found = _look(tally, cast.marks, name, data, lambda mark, keys=allowed: mark.key in keys)
            named |= {(name, mark.key) for mark in found}
    tally.named += len(named)
    return named


def _keys_for(cast: Cast, what: str) -> set[str]:
    """What `what` covers: hall, advisory, or a third party; with a colon and a reference, of that ticket alone."""
    purpose, _, ref = what.partition(":")
    seats = [(told, seat) for told, seat in cast.seats() if ref in ("", told.ref)]
    if purpose.startswith(made.WHOLE):
        party = purpose.removeprefix(made.WHOLE).strip()
        agreed = {seat.person for _, seat in seats if seat.shares(party)}
        return {mark.key for mark in cast.marks.by_key.values() if mark.owner in agreed}
    return {key for told, seat in seats if told.valid or purpose != HALL for key in keys_of(seat.named(purpose))}


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


def _thanked(cast: Cast, folder: Path) -> Iterator[str]:
    """Whom no form of an advisory thanks, though they agreed to it."""
    refs = {row.id: row.ref for row in cast.tracked.rows(ticket)}
    names = cast.names(ADVISORY)
    for row in cast.tracked.rows(advisory):
        if row.published_at is None:
            continue
        forms = [path for path in folder.rglob(f"{row.name.lower()}.*") if path.suffix in (".html", ".md", ".json")]
        for path in forms if len(forms) >= FORMS else ():
            held = {mark.key for mark in cast.marks.found_in(path.read_bytes())}
            missing = [name for name in names.get(refs[row.ticket_id], ()) if not keys_of(name) <= held]
            yield from (f"{path.relative_to(folder)} does not thank {name}" for name in missing)
        if len(forms) < FORMS:
            yield f"{row.name}: there are {len(forms)} forms of it"


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
