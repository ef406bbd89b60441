"""Which of the tickets known to a team a new report may repeat, and why. Values in, values out; never decides that one does."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from triaged.message.clean import clean_header
from triaged.reading.likeness_terms import IDENTIFIER, WEAKNESS, terms

SUBJECT_CHARACTERS = 500
TEXT_CHARACTERS = 20_000  # what is told after that (logs, dumps) tells one report from another no better
MOST_TERMS = 400  # distinct terms of one description
MOST_FACTS = 100
# A word in more descriptions than this share counts as if it stood in so many: a flood of one report, or ten reports of one
# hole, can't take all weight from the words that tell of it.
COMMONEST = 0.25
LEAST = 0.03  # likeness below this is chance; what is shown to people starts higher
SHOWN = 0.3  # from here on a description is worth a person's look: docs/measured.md
WORDS_SHOWN = 6
MARKS_SHOWN = 3  # of one kind


@dataclass(frozen=True, slots=True)
class Description:
    """A vulnerability as somebody told it: a report, or one of the team's known issues."""

    key: str  # the ticket's reference, or the known issue's name
    subject: str
    text: str  # without quoted mail and signature
    facts: tuple[tuple[str, str], ...] = ()  # (kind, value): url, host, ip_address, cve, cwe, product, attachment


@dataclass(frozen=True, slots=True)
class Profile:
    """What of a description is compared."""

    key: str
    terms: Mapping[str, float]  # term -> its weight here, without its rarity
    marks: frozenset[str]  # "path:/login", "cve:CVE-2024-1"
    words: Mapping[str, str] = field(default_factory=dict)  # term -> how it was written; not kept with a ticket


@dataclass(frozen=True, slots=True)
class Collection:
    """How common terms and marks are among what one tenant knows."""

    size: int  # descriptions
    holding: Mapping[str, int]  # term or mark -> descriptions that hold it

    def rarity(self, term: str) -> float:
        """Inverse document frequency as in BM25 (Robertson and Zaragoza 2009), never negative."""
        return self._rarity(min(self.holding.get(term, 0), COMMONEST * self.size))

    def _rarity(self, holding: float) -> float:
        return math.log(1 + (max(self.size - holding, 0) + 0.5) / (holding + 0.5))

    def share(self, mark: str) -> float:
        """The rarity of the mark against that of one that a single description holds: 0 to 1."""
        return min(1.0, self._rarity(self.holding.get(mark, 0)) / self._rarity(1))


@dataclass(frozen=True, slots=True)
class Like:
    """One description that may tell of the same thing."""

    key: str
    score: float  # 0 to 1
    why: tuple[str, ...]  # for people


# kind of fact -> (what it adds where both name the same, what is left where both name one and none is the same).
# Two reports of one template on two paths are two vulnerabilities; two hosts may well be one.
MARKS: dict[str, tuple[float, float]] = {
    "cve": (0.9, 0.6),
    "attachment": (0.6, 1.0),
    "path": (0.35, 0.75),
    "parameter": (0.2, 0.85),
    "ip_address": (0.2, 1.0),
    "host": (0.15, 1.0),
    "product": (0.1, 1.0),
}
MARKS_THAT_TELL = 5  # of one kind: a report that names a hundred paths is not about any of them
SATURATION = 1.2  # as BM25's k1: the tenth time that a word stands there adds little
SUBJECT = 1.0  # what standing in the subject adds: about as much as being repeated without end
FLATTEN = 0.7  # power of the rarity: reports share common words, and rare ones that say nothing (names, ids)
_DIGITS = re.compile(r"\d+")


def profile(description: Description) -> Profile:
    """The terms and marks of a description; linear in its length, bounded in size."""
    counts: dict[str, int] = {}
    words: dict[str, str] = {}
    subject = description.subject[:SUBJECT_CHARACTERS]
    in_subject = {term for term, _ in terms(subject)}
    for term, written in terms(f"{subject}\n{description.text[:TEXT_CHARACTERS]}"):
        if term not in counts and len(counts) >= MOST_TERMS:
            continue
        counts[term] = counts.get(term, 0) + 1
        words.setdefault(term, written)
    weighed = {term: _weight(count, term in in_subject) for term, count in counts.items()}
    return Profile(description.key, weighed, frozenset(_marks(description.facts[:MOST_FACTS])), words)


def _weight(count: int, in_subject: bool) -> float:
    return round(count * (1 + SATURATION) / (count + SATURATION) + (SUBJECT if in_subject else 0), 2)


def _marks(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for kind, value in facts:
        if kind == "url":
            yield from _url_marks(value)
        elif kind in MARKS:
            yield f"{kind}:{value.strip().casefold()[:200]}"


def _url_marks(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50)]
        host = parts.hostname
    except ValueError:  # brackets that are no IPv6 address, or too many parameters
        return
    if host:
        yield f"host:{host[:200]}"
    path = _DIGITS.sub("0", parts.path.rstrip("/"))[:200]  # /users/17/edit and /users/23/edit are one place
    if path:
        yield f"path:{path}"
    yield from (f"parameter:{clean_header(name, 100)}" for name in names)


def rank(
    query: Profile,
    candidates: Sequence[Profile],
    collection: Collection,
    most: int | None = None,
    least: float = LEAST,
) -> tuple[Like, ...]:
    """The candidates that are like the query, the likeliest first. The query's own key is left out.

    Of more than `most` the first are given, and none below `least`: to say why costs more than the score.
    """
    squares = _Squares(collection)
    own = squares.of(query.terms)
    kinds = _by_kind(query.marks)
    scored = (_score(query, kinds, other, own, squares) for other in candidates if other.key != query.key)
    best = sorted((score for score in scored if score.value >= least), key=lambda score: (-score.value, score.key))
    return tuple(Like(score.key, score.value, _why(query, score)) for score in best[:most])


@dataclass(frozen=True, slots=True)
class _Score:
    """How like a candidate is, and what that rests on."""

    key: str
    value: float
    cosine: float
    shared: Mapping[str, float]  # term -> what it adds
    same: Sequence[str]  # marks


class _Squares(dict[str, float]):
    """Term -> its squared rarity, worked out once for each number of descriptions that hold a term."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.of_count: dict[int, float] = {}

    def __missing__(self, term: str) -> float:
        count = self.collection.holding.get(term, 0)
        if count not in self.of_count:
            self.of_count[count] = float(self.collection.rarity(term) ** (2 * FLATTEN))
        found = self[term] = self.of_count[count]
        return found

    def of(self, weights: Mapping[str, float]) -> float:
        return math.sqrt(sum([weight * weight * self[term] for term, weight in weights.items()]))


def _score(
    query: Profile, kinds: Mapping[str, frozenset[str]], other: Profile, own: float, squares: _Squares
) -> _Score:
    theirs = other.terms
    shared = {term: weight * theirs[term] * squares[term] for term, weight in query.terms.items() if term in theirs}
    length = own * squares.of(theirs)
    cosine = min(1.0, sum(shared.values()) / length) if length else 0.0
    same = sorted(query.marks & other.marks)
    unlike = 1.0 - cosine
    others = _by_kind(other.marks)
    for mark in same:
        one_of = max(len(kinds[_kind(mark)]), len(others[_kind(mark)]))
        unlike *= 1.0 - MARKS[_kind(mark)][0] * squares.collection.share(mark) * min(1.0, MARKS_THAT_TELL / one_of)
    value = round((1.0 - unlike) * _disagreement(kinds, others), 3)
    return _Score(other.key, value, cosine, shared, same)


def _by_kind(marks: frozenset[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for mark in marks:
        found.setdefault(_kind(mark), set()).add(mark)
    return {kind: frozenset(of_kind) for kind, of_kind in found.items()}


def _disagreement(ours: Mapping[str, frozenset[str]], theirs: Mapping[str, frozenset[str]]) -> float:
    left = 1.0
    for kind, (_, remaining) in MARKS.items():
        if kind in ours and kind in theirs and ours[kind].isdisjoint(theirs[kind]):
            left *= remaining
    return left


def _kind(mark: str) -> str:
    return mark.partition(":")[0]


def _why(query: Profile, score: _Score) -> tuple[str, ...]:
    facts = [_same(kind, sorted(marks)) for kind, marks in sorted(_by_kind(frozenset(score.same)).items())]
    if score.cosine > 0.95:
        return ("the same text", *facts)
    best = sorted([(-weight, term) for term, weight in score.shared.items()])
    classes = [f"both about {term[1:]}" for _, term in best if term[0] == WEAKNESS][:2]
    some = islice((term for _, term in best if term[0] != WEAKNESS), 2 * WORDS_SHOWN)
    words = _apart(query.words.get(term, term.removeprefix(IDENTIFIER)) for term in some)
    said = ["words: " + ", ".join(words)] if words else []
    return (*facts, *classes, *said)


def _same(kind: str, marks: Sequence[str]) -> str:
    values = ", ".join(mark.partition(":")[2] for mark in marks[:MARKS_SHOWN])
    more = f" and {len(marks) - MARKS_SHOWN} more" if len(marks) > MARKS_SHOWN else ""
    return f"same {kind.replace('_', ' ')} {values}{more}"


def _apart(words: Iterable[str]) -> list[str]:
    """The first few words, without those that are a part of another."""
    some = {word: word.casefold() for word in words}
    together = "\n".join(some.values())
    return [word for word, plain in some.items() if together.count(plain) == 1][:WORDS_SHOWN]
