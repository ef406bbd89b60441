"""Plays the story on the embedded mail server, one daemon's pass at each instant at which something is to be done."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from triaged.daemon.desks import known_desks
from triaged.daemon.once import run_once
from triaged.daemon.tending import desk_of
from triaged.demo import telling
from triaged.demo.configuration import MEMBER, story_configuration
from triaged.demo.people import People
from triaged.demo.script import BEGINS, DAYS, MAILBOXES, RESEARCHERS, SCRIPT, Answers, Deed, Extends, Moves, Reports
from triaged.demo.server import EmbeddedMail
from triaged.demo.telling import Told
from triaged.settings.load import load
from triaged.settings.model import Settings
from triaged.ticket.reference import token_of
from triaged.ticket.verbs import extend, move
from triaged.tracker import clocks, outbox
from triaged.tracker.acting import Deed as Act
from triaged.tracker.acting import act
from triaged.tracker.engine import connect, reading, writing

Tell = Callable[[str], None]
ENDS = BEGINS + timedelta(days=DAYS)
_REFERENCE = re.compile(r"\[([A-Z]+-[0-9A-Z]{4}-[0-9A-Z]{4})\]")


@dataclass
class Clock:
    """The story's own time, which the mail server's deliveries carry too."""

    at: datetime = BEGINS


@dataclass(frozen=True, slots=True)
class Style:
    """How the story is told."""

    full: bool = False  # each letter whole
    width: int = telling.WIDTH
    days_per_second: float = 0  # 0: it never waits


def play(directory: Path, tell: Tell, style: Style) -> Settings:
    """The whole story; its configuration and tracker stay in `directory`."""
    clock = Clock()
    with EmbeddedMail(clock=lambda: clock.at) as mail:
        path = directory / "triaged.toml"
        path.write_text(story_configuration(MAILBOXES, mail.smtp_port, mail.imap_port), encoding="utf-8")
        # The file stands alone: a TRIAGED_ variable meant for another installation changes nothing here.
        settings = load(path, {})
        people = People(mail.smtp_port, mail.imap_port)
        try:
            _play(settings, people, clock, tell, style)
        finally:
            people.close()
    return settings


def _play(settings: Settings, people: People, clock: Clock, tell: Tell, style: Style) -> None:
    waiting = sorted(SCRIPT, key=lambda pair: pair[0])
    while True:
        written = set[str]()  # mailboxes that somebody has written to: the others need no look
        while waiting and waiting[0][0] <= clock.at:
            deed = waiting.pop(0)[1]
            written.add(deed.policy)
            _show(_do(deed, settings, people, clock.at), tell, style)
        run_once(_looking_at(settings, written), clock.at)
        for told in people.new(clock.at):
            _show(told, tell, style)
        following = _next(settings, clock.at, waiting[0][0] if waiting else ENDS)
        if following >= ENDS:
            return
        if style.days_per_second:
            time.sleep((following - clock.at) / timedelta(days=1) / style.days_per_second)
        clock.at = following


def _looking_at(settings: Settings, names: Container[str]) -> Settings:
    """The same, with no IMAP account of the other mailboxes: a look for nothing at each of some hundred passes costs time."""
    boxes = tuple(one if one.name in names else replace(one, imap=None) for one in settings.mailboxes)
    return replace(settings, mailboxes=boxes)


def _show(told: Told | str, tell: Tell, style: Style) -> None:
    if isinstance(told, str):
        tell(told)
    elif style.full:
        for one in telling.whole(told):
            tell(one)
    else:
        tell(telling.line(told, style.width))


def _next(settings: Settings, at: datetime, deed_at: datetime) -> datetime:
    """When something is to be done next: a clock, a letter, or what the script says."""
    engine, names = connect(settings.tracker.url), [one.name for one in settings.mailboxes]
    with reading(engine) as connection:
        found = (clocks.next_wake(connection, names), outbox.next_due(connection, names))
    engine.dispose()
    return min([deed_at, *(instant for instant in found if instant is not None and instant > at)])


def _do(deed: Deed, settings: Settings, people: People, at: datetime) -> Told | str:
    match deed:
        case Reports():
            return people.report(deed, at)
        case Answers():
            return people.answer(deed, _ref(people, deed.policy), at)
        case Moves() | Extends():
            return telling.deed(at, _act(deed, settings, _ref(people, deed.policy), at))
        case _:
            return telling.deed(at, "the day's board goes out to the team")


def _ref(people: People, policy: str) -> str:
    found = _REFERENCE.search(people.subject_of(RESEARCHERS[policy]))
    return found.group(1) if found else ""


def _act(deed: Moves | Extends, settings: Settings, ref: str, at: datetime) -> str:
    """What `triaged ticket VERB` does, at the story's own time. The words that tell of it."""
    engine = connect(settings.tracker.url)
    with writing(engine) as connection:
        desks = known_desks(connection, settings, at)
        done, words = _done(deed, at)
        act(connection, token_of(ref) or "", done, lambda loaded: desk_of(loaded, desks), at, secrets.token_bytes)
    engine.dispose()
    return f"Dana moves {ref} {words}" if isinstance(deed, Moves) else f"Dana moves the date of {ref} {words}"


def _done(deed: Moves | Extends, at: datetime) -> tuple[Act, str]:
    actor = f"member:{MEMBER}"
    if isinstance(deed, Moves):
        state = deed.state
        return lambda ticket, desk: move(ticket, state, actor, at), f"to {state.value}"
    promise, day, why = deed.promise, deed.day, deed.why
    words = f"({promise}) to {day}"
    return lambda ticket, desk: extend(ticket, promise, day, why, actor, desk, at, secrets.token_bytes), words
