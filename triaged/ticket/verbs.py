"""What members do to a ticket and its promises, each as one pure function. Knows no command line and no mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from triaged.policy.calendar import Calendar
from triaged.ticket import deadlines, lifecycle, transitions
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.deadlines import is_told
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.letters import Letter
from triaged.ticket.news import happenings
from triaged.ticket.reference import Entropy
from triaged.ticket.rounds import BY_STATE, kept_at, started
from triaged.ticket.telling import extended_letter
from triaged.ticket.tended import Tended

# A state -> the event that leads to it. Nobody moves a ticket back to "received".
MOVES: Mapping[State, EventKind] = MappingProxyType(
    {
        State.ASSESSING: EventKind.ASSESSING,
        State.ACCEPTED: EventKind.VALID,
        State.DECLINED: EventKind.DECLINED,
        State.FIXING: EventKind.FIXING,
        State.FIXED: EventKind.FIXED,
        State.DISCLOSED: EventKind.DISCLOSED,
        State.CLOSED: EventKind.CLOSED,
    }
)
RESEARCHER = "researcher"
WITHDRAWN = "withdrawn by the researcher"
AGREED = "The day of publication was agreed with the researcher."


class VerbError(Exception):
    """It can't be done. The message says the mend."""


class MisreadError(VerbError):
    """The words after a command can't be read."""


@dataclass(frozen=True, slots=True)
class Done:
    """A ticket after something that a member did. What its clocks say to it is for `tend`."""

    ticket: Tended
    events: tuple[Event, ...]
    letters: tuple[Letter, ...] = ()


def move(ticket: Tended, state: State, actor: str, at: datetime) -> Done:
    """Another state, and what it keeps at once, so that a further move in the same mail takes nothing from it. Raises
    VerbError where the table has no such move.
    """
    if why := lifecycle.why_not(ticket.name.ref, ticket.state, state):
        raise VerbError(why)
    event = Event(MOVES[state], actor, {"from": ticket.state.value})
    kept = {c: m for c in ticket.clocks if state in kept_at(c.promise) and (m := transitions.meet(c, at, by=BY_STATE))}
    after = _with(ticket, {clock: one.clock for clock, one in kept.items()})
    return _done(replace(after, state=state, since=at), (event, *(one.event for one in kept.values())), at)


def reopened(ticket: Tended, actor: str, at: datetime) -> Done:
    """Taken up again: repeated promises run from now, the others by their old dates (`rounds.catch_up`). Raises VerbError
    where it is open.
    """
    if why := lifecycle.why_not_again(ticket.name.ref, ticket.state):
        raise VerbError(why)
    event = Event(EventKind.TAKEN_UP, actor, {"from": ticket.state.value})
    return _done(replace(ticket, state=State.ASSESSING, since=at), (event,), at)


def waive(ticket: Tended, promise: str, why: str, actor: str, at: datetime) -> Done:
    """A promise need not be kept, in none of its rounds. Raises VerbError where none of that name runs."""
    moved = {c: transitions.waive(c, actor, why, at) for c in ticket.clocks if c.promise == promise}
    return _moved(ticket, promise, moved, at)


def met(ticket: Tended, promise: str, actor: str, at: datetime) -> Done:
    """A member says that a promise is kept. Raises VerbError where none of that name runs."""
    moved = {c: transitions.meet(c, at, by=actor) for c in ticket.clocks if c.promise == promise}
    return _moved(ticket, promise, moved, at)


def withdrawn(ticket: Tended, at: datetime) -> Done:
    """The researcher takes the report back: what they were promised need not be kept, in no round. The ticket's state stays,
    since the weakness may be real, and so does what others than the researcher are owed.
    """
    moved = {c: m for c in ticket.clocks if is_told(c) and (m := transitions.waive(c, RESEARCHER, WITHDRAWN, at))}
    after = _with(ticket, {clock: one.clock for clock, one in moved.items()})
    return _done(after, (Event(EventKind.WITHDRAWN, RESEARCHER, {}), *(one.event for one in moved.values())), at)


def waits(ticket: Tended, actor: str, at: datetime) -> Done:
    """We wait on the researcher: promises that pause stand still. Raises VerbError where we do already."""
    if ticket.waiting:
        raise VerbError(f"{ticket.name.ref} waits on the researcher already")
    moved = {c: m for c in ticket.clocks if is_open(c) and (m := transitions.pause(c, at))}
    return _waited(ticket, True, moved, Event(EventKind.WAITING, actor, {}), at)


def resumed(ticket: Tended, actor: str, desk: Desk, at: datetime) -> Done:
    """The researcher wrote, or need not: what stood still goes on. Raises VerbError where nothing waits."""
    if not ticket.waiting:
        raise VerbError(f"{ticket.name.ref} does not wait on the researcher")
    calendar = desk.policy.calendar
    moved = {c: m for c in ticket.clocks if (m := transitions.resume(c, at, calendar))}
    return _waited(ticket, False, moved, Event(EventKind.HEARD, actor, {}), at)


def _waited(
    ticket: Tended, waiting: bool, moved: Mapping[Clock, transitions.Moved], event: Event, at: datetime
) -> Done:
    after = replace(_with(ticket, {clock: one.clock for clock, one in moved.items()}), waiting=waiting)
    return _done(after, (event, *(one.event for one in moved.values())), at)


def exploited(ticket: Tended, actor: str, desk: Desk, at: datetime) -> Done:
    """The problem is used in attacks, known from now: dates come nearer, legal clocks may start."""
    rows = deadlines.exploited(ticket.clocks, at, desk.policy)
    event = Event(EventKind.EXPLOITED, actor, {})
    return _done(replace(ticket, clocks=rows.clocks), (event, *rows.events), at)


def extend(
    ticket: Tended, promise: str, day: date, why: str, actor: str, desk: Desk, at: datetime, entropy: Entropy
) -> Done:
    """A later date for a promise, with a reason that the researcher is told. "": the fix, or else the publication."""
    clock, due_at = _dated(ticket, promise), end_of(day, desk.policy.calendar)
    moved = transitions.extend(clock, due_at, actor, why)
    if moved is None:
        raise VerbError(f"{day} is not later than the date that stands: {_day(clock, desk)}")
    if due_at <= at:
        raise VerbError(f"{day} is past: name a day to come")
    after = _with(ticket, {clock: moved.clock})
    letters = extended_letter(after, moved.clock, clock.due_at, why, desk, at, entropy)
    return _told(_done(after, (moved.event,), at), letters, at)


def agree(ticket: Tended, day: date, actor: str, desk: Desk, at: datetime, entropy: Entropy) -> Done:
    """The day of publication, as agreed with the researcher: moved either way, or set where there was none."""
    due_at = end_of(day, desk.policy.calendar)
    if due_at <= at:
        raise VerbError(f"{day} is past: name a day to come")
    clock = next((c for c in ticket.clocks if c.promise == deadlines.DISCLOSE and is_open(c)), None)
    if clock is None:
        return _begun(ticket, due_at, at)
    if due_at > clock.due_at:
        return extend(ticket, deadlines.DISCLOSE, day, AGREED, actor, desk, at, entropy)
    moved = transitions.shorten(clock, due_at, AGREED)
    if moved is None:
        raise VerbError(f"{day} is the date that stands")
    return _done(_with(ticket, {clock: moved.clock}), (replace(moved.event, actor=actor),), at)


def _begun(ticket: Tended, due_at: datetime, at: datetime) -> Done:
    last = max((c.round for c in ticket.clocks if c.promise == deadlines.DISCLOSE), default=0)
    clock = Clock(deadlines.DISCLOSE, AGREED, None, at, due_at, False, round=last + 1)
    return _done(replace(ticket, clocks=(*ticket.clocks, clock)), (started(clock),), at)


def end_of(day: date, calendar: Calendar) -> datetime:
    """When that day ends for the organisation."""
    wall = datetime.combine(day, time()) + timedelta(minutes=calendar.closing)
    return wall.replace(tzinfo=calendar.tzinfo).astimezone(UTC)


def _day(clock: Clock, desk: Desk) -> date:
    return (clock.due_at - timedelta(microseconds=1)).astimezone(desk.policy.calendar.tzinfo).date()


def _dated(ticket: Tended, promise: str) -> Clock:
    wanted = (promise,) if promise else (deadlines.FIX, deadlines.DISCLOSE)
    running = {c.promise: c for c in ticket.clocks if is_open(c)}
    found = next((running[name] for name in wanted if name in running), None)
    if found is None:
        raise VerbError(f"{ticket.name.ref} has no open date for {' or '.join(wanted)}")
    return found


def _moved(ticket: Tended, promise: str, moved: Mapping[Clock, transitions.Moved | None], at: datetime) -> Done:
    found = {clock: after for clock, after in moved.items() if after is not None}
    if not found:
        raise VerbError(f"{ticket.name.ref} has no open promise {promise!r}")
    after = _with(ticket, {clock: one.clock for clock, one in found.items()})
    return _done(after, tuple(one.event for one in found.values()), at)


def _with(ticket: Tended, changed: Mapping[Clock, Clock]) -> Tended:
    return replace(ticket, clocks=tuple(changed.get(c, c) for c in ticket.clocks))


def _done(ticket: Tended, events: tuple[Event, ...], at: datetime) -> Done:
    """With what a researcher may read of it among the ticket's happenings."""
    happened = (*ticket.happenings, *happenings((at, event) for event in events))
    return Done(replace(ticket, happenings=happened), events)


def _told(done: Done, letters: tuple[Letter, ...], at: datetime) -> Done:
    """The researcher reads it in these letters, so that no other letter tells of it again."""
    if not letters:
        return done
    ids = (*done.ticket.researcher_ids, *(x.message_id for x in letters))
    return Done(replace(done.ticket, happenings=(), written_at=at, researcher_ids=ids), done.events, letters)
