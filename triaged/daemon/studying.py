"""The second step of each new ticket: compared with others, judged for noise, then told to the team. Delays no acknowledgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from triaged.tracker import chaining, likeness, studying
from triaged.tracker.consequences import queue_letters
from triaged.tracker.engine import reading, writing
from triaged.tracker.known_issues import PREFIX
from triaged.tracker.studying import Waiting

MOST = 16  # tickets claimed at a time
ATTEMPTS = 2  # begun and not ended: after that the team is told without the study
MOST_LIKES = 10
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
    indexed = [(one, _guarded(_indexed, one, studio)) for one in waiting]
    reach("study-indexed")
    for one, own in indexed:
        studied = own if isinstance(own, Studied) else _guarded(partial(_compared, own), one, studio)
        _told(one, studied, studio)
    return len(ids)


Found = TypeVar("Found")


def _guarded(step: Callable[[Waiting, Studio], Found], waiting: Waiting, studio: Studio) -> Found | Studied:
    """What the step gives, or why there is nothing: a report that can't be compared is told to the team all the same."""
    if waiting.attempts > ATTEMPTS:
        return Studied(waiting.noise, failed=f"begun {ATTEMPTS} times without an end")
    try:
        return step(waiting, studio)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: the row waits
    except Exception as error:
        log.error("study failed", ticket=waiting.name.ref, error=type(error).__name__, at=place(error))
        return Studied(waiting.noise, failed=type(error).__name__)


def _indexed(waiting: Waiting, studio: Studio) -> Profile:
    found = profile(waiting.description)
    with writing(studio.engine) as connection:
        likeness.index(connection, waiting.tenant, found)
    return found


def _compared(own: Profile, waiting: Waiting, studio: Studio) -> Studied:
    with reading(studio.engine) as connection:
        return _compare(connection, waiting, own, studio.inventories.get(waiting.tenant))


def _compare(connection: Connection, waiting: Waiting, own: Profile, inventory: Inventory | None) -> Studied:
    found = likeness.candidates(connection, waiting.tenant, own)
    alike = [like for like in rank(own, found.profiles, found.collection) if like.score >= SHOWN]
    reporters = studying.earlier(connection, waiting, [like.key for like in alike])
    ranked = [like for like in alike if like.key in reporters or like.key.startswith(PREFIX)][:MOST_LIKES]
    others = studying.senders_of_the_same(connection, waiting)
    copied = sum(THE_SAME in like.why and reporters.get(like.key, waiting.author) != waiting.author for like in ranked)
    evidence = seen_before(max(others, copied))
    if inventory and cites_nothing_known(waiting.said, waiting.facts, inventory):
        evidence = (*evidence, ("cites-nothing-known", WEIGHT))
    return Studied(
        noise=weighed(waiting.noise, *evidence) if evidence else waiting.noise,
        likes=tuple(_by_whom(like, reporters, waiting.author) for like in ranked),
        elsewhere=studying.elsewhere(connection, waiting),
        again=studying.sent_again(connection, waiting),
    )


def _by_whom(like: Like, reporters: Mapping[str, str], author: str) -> Like:
    same = bool(author) and reporters.get(like.key) == author
    return replace(like, why=("by the same person", *like.why)) if same else like


def _told(waiting: Waiting, studied: Studied, studio: Studio) -> None:
    """End the study. What can't be told by a mail of its own, again and again, is told by the daily digest."""
    try:
        _end(waiting, studied, studio)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("telling failed", ticket=waiting.name.ref, error=type(error).__name__, at=place(error))
        if waiting.attempts > ATTEMPTS:
            with writing(studio.engine) as connection:
                studying.leave_to_digest(connection, waiting, studio.now(), studio.owner)


def _end(waiting: Waiting, studied: Studied, studio: Studio) -> None:
    """The study's rows, its event and the team's mail: together or not at all."""
    desk, at = studio.desks[waiting.mailbox], studio.now()
    with writing(studio.engine) as connection:
        if not studying.end(connection, waiting, studied, at, studio.owner):
            return
        letters = _letters(connection, waiting, studied, desk, studio)
        queue_letters(connection, letters, desk, at, {waiting.name.token: waiting.ticket_id})
        event = studied_event(studied)
        chaining.append(connection, studying.event_at(waiting, at, event), studio.entropy)
    reach("study-written")
    log.info(
        "studied", ticket=waiting.name.ref, likes=len(studied.likes), noise=studied.noise.score, letters=len(letters)
    )


def _letters(
    connection: Connection, waiting: Waiting, studied: Studied, desk: Desk, studio: Studio
) -> tuple[Letter, ...]:
    if waiting.announcement is None:
        return ()
    told = announcement_of(waiting.announcement)
    earlier = studying.letters_before(connection, waiting.ticket_id)
    return announce(waiting.name, told, waiting.text, studied, earlier, desk, studio.now(), studio.entropy)
