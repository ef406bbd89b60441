"""Who may be named, and with whom a report may be shared: what a person's words amount to. Reads no row and asks nobody."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a name is wanted for."""

    HALL = "hall"  # the Hall of Fame
    ADVISORY = "advisory"  # the public information about the problem
    SHARE = "share"  # report and name go to one named third party


class Answer(StrEnum):
    """What was said of a purpose. Only ASKED is ours: it undoes nothing that the person said."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


PUBLIC = (Purpose.HALL, Purpose.ADVISORY)


@dataclass(frozen=True, slots=True)
class Word:
    """One row of the ledger."""

    purpose: Purpose
    state: Answer
    at: datetime
    third_party: str = ""  # with whom, of SHARE, as the team wrote it
    code: str = ""  # of the letter that asked
    proven: bool = False  # the sender was, or held the code


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that one person said on one ticket, the words in the order in which they were kept."""

    name: str = ""  # that they chose to be named by
    anonymous: bool = False  # wins over everything, until they choose a name anew
    pending: bool = False  # the name waits for a member's word
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How one purpose stands."""

    purpose: Purpose
    third_party: str
    state: Answer
    at: datetime
    open: bool  # we asked, and nothing came after it


Key = tuple[Purpose, str]


def key(purpose: Purpose, third_party: str = "") -> Key:
    """What words are about: "ACME  Corp" and "Acme Corp" are one third party; the other purposes have none."""
    folded = " ".join(unicodedata.normalize("NFKC", third_party).casefold().split())
    return purpose, folded if purpose is Purpose.SHARE else ""


def standing(words: Iterable[Word]) -> Mapping[Key, Standing]:
    """Per purpose: the person's last word counts, by its place in the ledger and not by its instant; clocks are set back."""
    found: dict[Key, Standing] = {}
    for word in words:
        about = key(word.purpose, word.third_party)
        before = found.get(about)
        asked = word.state is Answer.ASKED
        kept = before if asked and before and before.state is not Answer.ASKED else None
        state, at = (kept.state, kept.at) if kept else (word.state, word.at)
        found[about] = Standing(word.purpose, word.third_party, state, at, asked)
    return found


def named(purpose: Purpose, wishes: Wishes, third_party: str = "") -> str:
    """The name to render for that purpose; "" where there is none. Nothing else may give one: silence names nobody, and so does a
    consent without a name, a name that waits for a member's word, and ANONYMOUS, whatever was given before or after it.
    """
    if wishes.anonymous or wishes.pending or not _given(purpose, wishes, third_party):
        return ""
    return wishes.name.strip()


def may_share(wishes: Wishes, third_party: str) -> bool:
    """Whether the person lets us hand their report to that third party. Under what name, `named` says."""
    return not wishes.anonymous and bool(third_party.strip()) and _given(Purpose.SHARE, wishes, third_party)


def _given(purpose: Purpose, wishes: Wishes, third_party: str) -> bool:
    found = standing(wishes.words).get(key(purpose, third_party))
    return found is not None and found.state is Answer.GIVEN


def credit_given(at: datetime) -> tuple[Word, ...]:
    """What CREDIT AS gives. Sharing is asked for each third party, and never given by it."""
    return tuple(Word(purpose, Answer.GIVEN, at, proven=True) for purpose in PUBLIC)


def all_withdrawn(words: Iterable[Word], at: datetime, *, proven: bool) -> tuple[Word, ...]:
    """Every purpose, and every third party that was ever spoken of."""
    shares = [s.third_party for s in standing(words).values() if s.purpose is Purpose.SHARE]
    about = [*((purpose, "") for purpose in PUBLIC), *((Purpose.SHARE, party) for party in shares)]
    return tuple(Word(purpose, Answer.WITHDRAWN, at, party, proven=proven) for purpose, party in about)


def agreed(words: Iterable[Word], code: str, at: datetime) -> tuple[Word, ...]:
    """What AGREE with that code gives: what it was asked for, as far as the asking stands open."""
    words = tuple(words)
    now = standing(words)
    return tuple(
        Word(w.purpose, Answer.GIVEN, at, w.third_party, code, proven=True)
        for w in words
        if w.state is Answer.ASKED and w.code == code and now[key(w.purpose, w.third_party)].open
    )


def refused(words: Iterable[Word], code: str, at: datetime) -> tuple[Word, ...]:
    """What REFUSE with that code says, at any time: no to what is open, and back with what was given."""
    words = tuple(words)
    now = standing(words)
    asked = [w for w in words if w.state is Answer.ASKED and w.code == code]
    return tuple(
        Word(w.purpose, _no(now[key(w.purpose, w.third_party)]), at, w.third_party, code, proven=True) for w in asked
    )


def _no(found: Standing) -> Answer:
    return Answer.WITHDRAWN if found.state is Answer.GIVEN else Answer.REFUSED
