"""What happened on a ticket, in words that a researcher may read: from events, with no note, no name and no text of anybody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from triaged.policy.calendar import MONTHS, Calendar, in_letters
from triaged.ticket.events import MAILBOX, STATE_AFTER, Event, EventKind, State

MOST_LINES = 20

STATE_WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.RECEIVED: "received, not assessed yet",
        State.ASSESSING: "being assessed",
        State.ACCEPTED: "accepted, not being fixed yet",
        State.DECLINED: "declined",
        State.FIXING: "being fixed",
        State.FIXED: "fixed",
        State.DISCLOSED: "published",
        State.CLOSED: "closed",
    }
)
_MOVED: Mapping[State, str] = MappingProxyType(
    {
        State.RECEIVED: "Your report was taken up again.",
        State.ASSESSING: "We began to assess your report.",
        State.ACCEPTED: "We assessed your report and accepted it.",
        State.DECLINED: "We assessed your report and declined it.",
        State.FIXING: "We began to work on a fix.",
        State.FIXED: "The problem was fixed.",
        State.DISCLOSED: "The problem was published.",
        State.CLOSED: "Your report was closed.",
    }
)
_DATED = {EventKind.EXTENDED: "later", EventKind.SHORTENED: "earlier"}
_NAMED = {"fix": "The date for the fix", "disclose": "The date of publication", "assess": "The date for our assessment"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. The words are ours, whoever did it."""

    at: datetime
    words: str
    by: datetime | None = None  # a date that was moved, to when
    news: bool = True  # something that we did; a message of the researcher's is none


def happenings(events: Iterable[tuple[datetime, Event]]) -> tuple[Happening, ...]:
    """The events that a researcher may read of, oldest first."""
    found = (_happening(at, event) for at, event in events)
    return tuple(sorted((h for h in found if h is not None), key=lambda h: h.at))


def moved_to(state: State, at: datetime) -> Happening:
    """The ticket was moved to a state."""
    return Happening(at, _MOVED[state])


def _happening(at: datetime, event: Event) -> Happening | None:
    if event.kind is EventKind.TAKEN_UP:
        return moved_to(State.RECEIVED, at)
    if event.kind in STATE_AFTER and event.kind is not EventKind.RECEIVED:
        return moved_to(STATE_AFTER[event.kind], at)
    if event.kind is EventKind.MESSAGE and event.data.get("audience") == "researcher" and event.actor != MAILBOX:
        return Happening(at, "Your message reached us.", news=False)
    if event.kind in _DATED:
        return _date_moved(at, event)
    return None


def _date_moved(at: datetime, event: Event) -> Happening | None:
    name, to = _NAMED.get(str(event.data.get("promise"))), event.data.get("to")
    if name is None or not isinstance(to, str):
        return None
    return Happening(at, f"{name} is {_DATED[event.kind]} now:", datetime.fromisoformat(to))


def lines(told: Iterable[Happening], calendar: Calendar) -> tuple[str, ...]:
    """The happenings as a letter lists them, each with its local date; the newest where there are too many."""
    every = [_line(h, calendar) for h in told]
    left = len(every) - MOST_LINES
    return tuple([f"({left} earlier ones are left out)", *every[left:]] if left > 0 else every)


def _line(happening: Happening, calendar: Calendar) -> str:
    by = f" {in_letters(happening.by, calendar)}" if happening.by else ""
    return f"{shown_day(happening.at, calendar)}: {happening.words}{by}"


def shown_day(at: datetime, calendar: Calendar) -> str:
    """The local date: "4 December 2026"."""
    day = at.astimezone(calendar.tzinfo).date()
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
