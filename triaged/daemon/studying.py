"""The second step of each new ticket: compared with others, judged for noise, then told to the team. Delays no acknowledgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from triaged.daemon.clock import Now
from triaged.daemon.log import log, place
from triaged.daemon.points import reach
from triaged.reading.inventory import WEIGHT, Inventory, cites_nothing_known
from triaged.reading.likeness import SHOWN, Like, Profile, profile, rank
from triaged.reading.weighing import seen_before, weighed
from triaged.ticket.announcing import Studied, announce, announcement_of, studied_event
from triaged.ticket.desk import Desk
from triaged.ticket.letters import Letter
from triaged.ticket.reference import Entropy
from triaged.tracker import absences, chaining, likeness, studying
from triaged.tracker.consequences import queue_letters
from triaged.tracker.engine import reading, writing
from triaged.tracker.studying import Around, Waiting

MOST = 16  # tickets claimed at a time
ATTEMPTS = 2  # begun and not ended: after that the team is told without the study
MOST_LIKES = 10
MOST_KNOWN = 2  # of the team's own list among those: they come first
ABOUT_AS_LIKE = 0.1  # of the score
THE_SAME = "the same text"


@dataclass(frozen=True, slots=True)
class Studio:
    """What the study needs."""

    engine: Engine
    desks: Mapping[str, Desk]
    inventories: Mapping[str, Inventory]  # by tenant
    owner: str
    now: Now
    entropy: Entropy


def study_some(studio: Studio) -> int:
    """Study one batch of what waits; how many tickets were taken up. Raises only when the tracker can't be used."""
    with writing(studio.engine) as connection:
        ids = studying.claim(connection, studio.owner, studio.now(), MOST, list(studio.desks))
    if not ids:
        return 0
    reach("study-claimed")
    with reading(studio.engine) as connection:
        waiting = studying.load(connection, ids)
    # All are indexed before any is compared: of two that come together, the later finds the earlier.
    results = _indexed([one for one in waiting if one.attempts <= ATTEMPTS], studio)
    reach("study-indexed")
    studied = _compared(waiting, results, studio)
    _together(partial(_end, studio), [(one, studied[one.ticket_id]) for one in waiting], partial(_untold, studio))
    return len(ids)


One = TypeVar("One")


def _together(step: Callable[[Sequence[One]], None], some: Sequence[One], failed: Callable[[One, str], None]) -> None:
    """Take a step for all in one transaction; where that fails for each alone, so that one takes only itself down."""
    try:
        step(some)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: the rows wait
    except Exception as error:
        if len(some) > 1:
            for one in some:
                _together(step, [one], failed)
            return
        log.error("study failed", error=type(error).__name__, at=place(error))
        failed(some[0], type(error).__name__)


Result = Profile | Studied  # what is known so far; a Studied says why there is nothing more


def _indexed(waiting: Sequence[Waiting], studio: Studio) -> dict[int, Result]:
    results: dict[int, Result] = {}

    def step(some: Sequence[Waiting]) -> None:
        profiles = {one.ticket_id: profile(one.description) for one in some}
        with writing(studio.engine) as connection:
            for one in some:
                likeness.index(connection, one.tenant, profiles[one.ticket_id])
        results.update(profiles)

    def failed(one: Waiting, why: str) -> None:
        results[one.ticket_id] = Studied(one.noise, failed=why)

    if waiting:
        _together(step, waiting, failed)
    return results


def _compared(waiting: Sequence[Waiting], results: Mapping[int, Result], studio: Studio) -> dict[int, Studied]:
    studied: dict[int, Studied] = {}

    def step(some: Sequence[Waiting]) -> None:
        with reading(studio.engine) as connection:
            around = studying.around(connection, some)
            alike = {one.ticket_id: _alike(connection, one, results.get(one.ticket_id)) for one in some}
            keys = {ticket_id: [like.key for like in likes] for ticket_id, likes in alike.items()}
            earlier = studying.earlier(connection, keys)
        for one in some:
            known = results.get(one.ticket_id) or Studied(one.noise, failed=f"begun {ATTEMPTS} times without an end")
            compare = partial(_studied, one, alike[one.ticket_id], earlier[one.ticket_id], around, studio)
            studied[one.ticket_id] = known if isinstance(known, Studied) else compare()

    def failed(one: Waiting, why: str) -> None:
        studied[one.ticket_id] = Studied(one.noise, failed=why)

    _together(step, waiting, failed)
    return studied


def _alike(connection: Connection, waiting: Waiting, own: Result | None) -> list[Like]:
    """What a person should look at, later tickets among it."""
    if not isinstance(own, Profile):
        return []
    found = likeness.candidates(connection, waiting.tenant, own)
    return [*rank(own, found.profiles, found.collection, least=SHOWN)]


def _studied(
    waiting: Waiting, alike: Sequence[Like], earlier: Mapping[str, str], around: Around, studio: Studio
) -> Studied:
    likes = _first_of(alike, earlier)
    copied = sum(THE_SAME in like.why and earlier.get(like.key, waiting.author) != waiting.author for like in likes)
    evidence = seen_before(max(around.other_senders(waiting), copied))
    inventory = studio.inventories.get(waiting.tenant)
    if inventory and cites_nothing_known(waiting.said, waiting.facts, inventory):
        evidence = (*evidence, ("cites-nothing-known", WEIGHT))
    return Studied(
        noise=weighed(waiting.noise, *evidence) if evidence else waiting.noise,
        likes=tuple(_by_whom(like, earlier, waiting.author) for like in likes),
        elsewhere=around.same_files(waiting),
        again=around.sent_again(waiting),
    )


def _first_of(alike: Sequence[Like], earlier: Mapping[str, str]) -> list[Like]:
    """Those of the team's own list, then tickets: the likeliest, the oldest that is about as like, and the others."""
    known = [like for like in alike if like.key.startswith(likeness.KNOWN)][:MOST_KNOWN]
    age = {ref: place for place, ref in enumerate(earlier)}
    tickets = sorted((like for like in alike if like.key in age), key=lambda like: (-like.score, age[like.key]))
    about_as_like = [like for like in tickets if like.score >= tickets[0].score - ABOUT_AS_LIKE]
    oldest = sorted(about_as_like, key=lambda like: age[like.key])[:1]  # what a flood of copies repeats as well
    return list(dict.fromkeys([*known, *tickets[:1], *oldest, *tickets]))[:MOST_LIKES]


def _by_whom(like: Like, reporters: Mapping[str, str], author: str) -> Like:
    same = bool(author) and reporters.get(like.key) == author
    return replace(like, why=("from the same address", *like.why)) if same else like


def _untold(studio: Studio, one: tuple[Waiting, Studied], _why: str) -> None:
    """What can't be told by a mail of its own, again and again, is told by the daily digest."""
    waiting, _ = one
    if waiting.attempts > ATTEMPTS:
        with writing(studio.engine) as connection:
            studying.leave_to_digest(connection, waiting, studio.now(), studio.owner)


def _end(studio: Studio, some: Sequence[tuple[Waiting, Studied]]) -> None:
    """The studies' rows, their events and the team's mail: together or not at all."""
    at = studio.now()
    with writing(studio.engine) as connection:
        ended = [(w, s) for w, s in some if studying.end(connection, w, s, at, studio.owner)]
        earlier = studying.letters_before(connection, [w.ticket_id for w, _ in ended])
        for mailbox in dict.fromkeys(w.mailbox for w, _ in ended):
            desk = studio.desks[mailbox]
            write = partial(
                _letters, desk=desk, at=at, entropy=studio.entropy, away=absences.away(connection, desk.tenant)
            )
            told = [(w, write(w, s, earlier)) for w, s in ended if w.mailbox == mailbox]
            ids = {w.name.token: w.ticket_id for w, _ in told}
            queue_letters(connection, [letter for _, letters in told for letter in letters], desk, at, ids)
        chaining.append(connection, {w.ticket_id: [(at, studied_event(s))] for w, s in ended}, studio.entropy)
    reach("study-written")
    for w, s in ended:
        log.info("studied", ticket=w.name.ref, likes=len(s.likes), noise=s.noise.score)


def _letters(
    waiting: Waiting,
    studied: Studied,
    earlier: Mapping[int, Mapping[str, tuple[str, ...]]],
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    away: frozenset[str],
) -> tuple[Letter, ...]:
    if waiting.announcement is None:
        return ()
    told, before = announcement_of(waiting.announcement), earlier.get(waiting.ticket_id, {})
    return announce(waiting.name, told, waiting.text, studied, before, desk, at, entropy, away)
