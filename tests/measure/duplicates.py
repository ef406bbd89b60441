"""Measures how often the description of one vulnerability is found among many by what another person wrote of it.

    PYTHONPATH=. python tests/measure/duplicates.py DIR [--list] [--database URL [--entries N]]

DIR holds duplicates.csv (pairs of texts) and descriptions.csv (what they are to be found in). The right one is to be among
the first five, once of all descriptions ("across") and once of its product's ("within"). The pairs are halved by a hash of
their pair_id: what was tuned was tuned on the first half.

With --database (empty, of SQLite or PostgreSQL) the candidates come from there, "within" from a tenant that holds the product's
descriptions alone, so that rarity is that tenant's own; --entries fills the large tenant up with made ones and times the queries.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from triaged import resources
from triaged.reading.likeness import Collection, Description, Like, profile, rank
from triaged.tracker import likeness as tracker
from triaged.tracker import migrate
from triaged.tracker.engine import connect, reading, writing

Row = dict[str, str]
NEVER = 10**9
FIRST = 5
HIDDEN = re.compile(r"cve-\d{4}-\d{4,}", re.IGNORECASE)  # left in some links: the number is what would be looked for


@dataclass(frozen=True)
class Found:
    """At which place the right description came, from 1."""

    pair: Row
    across: int
    within: int
    score: float  # of the first of all
    likes: tuple[Like, ...]


def tuned_on(pair: Row) -> bool:
    return int(hashlib.sha256(pair["pair_id"].encode()).hexdigest(), 16) % 2 == 0


def read(path: Path) -> list[Row]:
    csv.field_size_limit(10**9)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report(pair: Row) -> Description:
    text = HIDDEN.sub("", pair["text_a"].replace("CVE-XXXX-XXXX", ""))
    subject, _, _ = text.partition(". ")  # text A is the title, ". " and the body
    return Description("", subject[:200], text)


def place(order: Sequence[str], right: set[str]) -> int:
    return next((number for number, key in enumerate(order, 1) if key in right), NEVER)


class Pool:
    """The descriptions, by their CVE; a pair's right ones are those with its text and product."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.right: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.product: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            self.right[row["text"], row["product"]].add(row["cve"])
            self.product[row["product"]].add(row["cve"])

    def measure(self, pairs: Iterable[Row], ranked: Callable[[Row], tuple[Like, ...]]) -> list[Found]:
        return [self.one(pair, ranked(pair)) for pair in pairs]

    def one(self, pair: Row, likes: tuple[Like, ...]) -> Found:
        right, product = self.right[pair["text_b"], pair["product"]], self.product[pair["product"]]
        order = [like.key for like in likes]
        inside = [key for key in order if key in product]
        return Found(pair, place(order, right), place(inside, right), likes[0].score if likes else 0.0, likes)

    def wrong(self, found: Found) -> float:
        right = self.right[found.pair["text_b"], found.pair["product"]]
        return next((like.score for like in found.likes if like.key not in right), 0.0)


def naive(rows: Sequence[Row]) -> Callable[[Row], tuple[Like, ...]]:
    """BM25 (k1 1.2, b 0.75) over lower-case words, each word of the query once."""
    word = re.compile(r"[a-z0-9_]+")
    texts = [Counter(word.findall(row["text"].lower())) for row in rows]
    lengths = [sum(text.values()) for text in texts]
    mean = sum(lengths) / len(lengths)
    postings: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for term in text:
            postings[term].append(number)

    def ranked(pair: Row) -> tuple[Like, ...]:
        scores: dict[int, float] = defaultdict(float)
        for term in set(word.findall(pair["text_a"].lower())):
            held = postings.get(term, [])
            rarity = math.log(1 + (len(rows) - len(held) + 0.5) / (len(held) + 0.5))
            for number in held:
                count = texts[number][term]
                scores[number] += rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[number] / mean))
        return tuple(Like(rows[n]["cve"], scores[n], ()) for n in sorted(scores, key=lambda n: -scores[n]))

    return ranked


def ours(rows: Sequence[Row]) -> Callable[[Row], tuple[Like, ...]]:
    """Every description ranked, without a database: what the ranking can do at best."""
    profiles = [profile(Description(row["cve"], "", row["text"])) for row in rows]
    holding = Counter(term for known in profiles for term in (*known.terms, *known.marks))
    collection = Collection(len(rows), holding)
    return lambda pair: rank(profile(report(pair)), profiles, collection)


@dataclass
class Stored:
    """The same from a database, and what it costs."""

    engine: Engine
    known: list[Description]
    spent: list[tuple[float, float, float]] = field(
        default_factory=list
    )  # search, rank (CPU here), search (wall), seconds

    def fill(self, rows: Sequence[Row], entries: int) -> None:
        migrate.upgrade(self.engine, resources.migrations())
        begin = time.perf_counter()
        for start in range(0, len(self.known), 500):
            with writing(self.engine) as connection:
                for row, known in zip(rows[start : start + 500], self.known[start : start + 500], strict=True):
                    tracker.index(connection, "everything", profile(known))
                    tracker.index(connection, row["product"], profile(known))
        self._more(entries - len(rows))
        print(f"\nfilled in {time.perf_counter() - begin:.0f} s")

    def _more(self, count: int) -> None:
        """Made descriptions: words of the pool's as often as they stand there, in no order."""
        chance = random.Random(7)
        words = [word for known in self.known for word in known.text.split()]
        for start in range(0, max(0, count), 500):
            with writing(self.engine) as connection:
                for number in range(start, min(start + 500, count)):
                    text = " ".join(chance.choices(words, k=chance.randint(30, 90)))
                    tracker.index(connection, "everything", profile(Description(f"made-{number}", "", text)))

    def like(self, tenant: str, asked: Description) -> tuple[Like, ...]:
        query = profile(asked)
        began, wall = time.process_time(), time.perf_counter()
        with reading(self.engine) as connection:
            found = tracker.candidates(connection, tenant, query)
        searched, wall = time.process_time(), time.perf_counter() - wall
        likes = rank(query, found.profiles, found.collection)
        if tenant == "everything":
            self.spent.append((searched - began, time.process_time() - searched, wall))
        return likes

    def measure(self, pool: Pool, pairs: Sequence[Row]) -> list[Found]:
        return [self._one(pool, pair) for pair in pairs]

    def _one(self, pool: Pool, pair: Row) -> Found:
        likes = self.like("everything", report(pair))
        inside = [like.key for like in self.like(pair["product"], report(pair))]
        right = pool.right[pair["text_b"], pair["product"]]
        first = likes[0].score if likes else 0.0
        return Found(pair, place([like.key for like in likes], right), place(inside, right), first, likes)

    def times(self) -> None:
        for name, values in zip(
            ("search, CPU here", "rank, CPU here", "search, wall"), zip(*self.spent, strict=True), strict=True
        ):
            ordered = sorted(values)
            print(f"{name}: median {ordered[len(ordered) // 2] * 1000:.1f} ms, "
                  f"99th percentile {ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms")  # fmt: skip


def table(title: str, found: Sequence[Found]) -> None:
    groups: tuple[tuple[str, Callable[[Row], bool]], ...] = (
        ("all pairs", lambda _: True),
        ("half tuned on", tuned_on),
        ("other half", lambda pair: not tuned_on(pair)),
        ("researcher-written", lambda pair: pair["source_a"] == "h1"),
        ("researcher-written, other half", lambda pair: pair["source_a"] == "h1" and not tuned_on(pair)),
    )
    print(f"\n| {title} | pairs | first across | of five across | of 200 across | first within | of five within |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, belongs in groups:
        chosen = [one for one in found if belongs(one.pair)]
        cells = [share(chosen, key, most) for key, most in
                 (("across", 1), ("across", FIRST), ("across", 200), ("within", 1), ("within", FIRST))]  # fmt: skip
        print(f"| {name} | {len(chosen)} | " + " | ".join(cells) + " |")


def share(found: Sequence[Found], key: str, most: int) -> str:
    return f"{sum(getattr(one, key) <= most for one in found) / max(1, len(found)):.3f}"


def bands(found: Sequence[Found], pool: Pool) -> None:
    """What a score says: what is shown from it on, where the right one is there and where it has been taken out."""
    print("\n| score | the right one, first and at least so high | another first, the right one taken out |")
    print("| ---: | ---: | ---: |")
    for least in (0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6):
        right = sum(one.across == 1 and one.score >= least for one in found)
        wrong = sum(pool.wrong(one) >= least for one in found)
        print(f"| {least:.2f} | {right / len(found):.3f} | {wrong / len(found):.3f} |")


def misses(found: Sequence[Found]) -> None:
    for one in found:
        if one.across > FIRST or one.within > FIRST:
            print(f"\n{one.pair['pair_id']} {one.pair['source_a']} {one.pair['product']}: "
                  f"place {one.across} across, {one.within} within")  # fmt: skip
            print("  told:     ", one.pair["text_a"][:300])
            print("  to find:  ", one.pair["text_b"][:300])
            for like in one.likes[:2]:
                print(f"  instead:   {like.key} {like.score} {'; '.join(like.why)}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--list", action="store_true", help="print what was not found")
    arguments.add_argument("--database", help="an empty database's SQLAlchemy URL")
    arguments.add_argument("--entries", type=int, default=0, help="of the large tenant, made ones included")
    options = arguments.parse_args()
    pairs, rows = read(options.folder / "duplicates.csv"), read(options.folder / "descriptions.csv")
    pool = Pool(rows)
    if options.database:
        stored = Stored(connect(options.database), [Description(row["cve"], "", row["text"]) for row in rows])
        stored.fill(rows, options.entries)
        found = stored.measure(pool, pairs)
        table(f"likeness, {stored.engine.dialect.name}", found)
        stored.times()
        if options.list:
            misses(found)
        return
    table("naive BM25", pool.measure(pairs, naive(rows)))
    begin = time.process_time()
    found = pool.measure(pairs, ours(rows))
    table("likeness, everything ranked", found)
    print(f"\n{(time.process_time() - begin) / len(pairs) * 1000:.1f} ms of CPU a query, {len(rows)} descriptions")
    bands(found, pool)
    if options.list:
        misses(found)


if __name__ == "__main__":
    main()
