"""What a ticket's clocks cause at an instant: rows, events and letters, as one pure function. Called too often, it says nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from triaged.policy.calendar import due
from triaged.policy.period import parse_period
from triaged.ticket import deadlines, instants, rounds, telling
from triaged.ticket.clocks import Clock, Standing, is_open, standing
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event
from triaged.ticket.letters import Letter, TicketName
from triaged.ticket.reference import Entropy
from triaged.ticket.tended import Speaking, Tended


@dataclass(frozen=True, slots=True)
class Tending:
    """What follows: committed together or not at all (law 2)."""

    ticket: TicketName
    clocks: tuple[Clock, ...]  # all of them, as they stand now
    events: tuple[Event, ...] = ()
    letters: tuple[Letter, ...] = ()

    @property
    def wake_at(self) -> datetime | None:
        """When to be called again; None when nothing is to be done any more."""
        return min((c.wake_at for c in self.clocks if c.wake_at), default=None)

    def changed(self, before: tuple[Clock, ...]) -> tuple[Clock, ...]:
        """The rows to write: new ones, and those that are not what they were."""
        old = {rounds.key(c): c for c in before}
        return tuple(c for c in self.clocks if old.get(rounds.key(c)) != c)


def tend(ticket: Tended, desk: Desk, at: datetime, entropy: Entropy) -> Tending:
    """What the ticket's clocks cause at `at`. `desk` has the policy that the ticket came in under."""
    rows = rounds.catch_up(ticket.clocks, at, ticket.state, ticket.since, desk.policy)
    fixed = deadlines.after_fix(rows.clocks, ticket.state, ticket.since, desk.policy)
    news = ticket.may_be_told and any(h.news for h in ticket.happenings)
    speaking = tuple(_speaking(c, rounds.key(c) in rows.fell, news, desk, at) for c in fixed.clocks)
    after = tuple(_said(s, desk, at) for s in speaking)
    speaking = tuple(replace(s, clock=c) for s, c in zip(speaking, after, strict=True))
    letters, events = telling.letters(replace(ticket, clocks=after), speaking, desk, at, entropy)
    return Tending(ticket.name, after, (*rows.events, *fixed.events, *events), letters)


def armed(clocks: tuple[Clock, ...], desk: Desk, at: datetime) -> tuple[Clock, ...]:
    """Clocks that have just begun, with the instant at which each has something to say first."""
    return tuple(replace(c, wake_at=_wake(c, desk, at)) for c in clocks)


def _wake(clock: Clock, desk: Desk, at: datetime) -> datetime | None:
    return instants.wake(clock, at, desk.policy, desk.quiet, told=deadlines.is_told(clock))


def _speaking(clock: Clock, fell: bool, news: bool, desk: Desk, at: datetime) -> Speaking:
    if not is_open(clock) or standing(clock) is Standing.PAUSED:
        return Speaking(clock, (), (), False)
    team = instants.team_due(clock, at, desk.policy, desk.quiet, fell=fell)
    return Speaking(clock, team, _researcher_due(clock, fell, news, desk, at), fell)


def _researcher_due(clock: Clock, fell: bool, news: bool, desk: Desk, at: datetime) -> tuple[datetime, ...]:
    if not deadlines.is_told(clock):
        return ()
    said = clock.told_at
    found = [i for i in instants.reminders(clock, desk.policy) if i <= at and (said is None or i > said)]
    if fell:
        found.append(clock.due_at)
    elif clock.every:
        found += _update_due(clock, news, desk, at)
    return tuple(found)


def _update_due(clock: Clock, news: bool, desk: Desk, at: datetime) -> list[datetime]:
    """The scheduled update: before the due instant; where that was missed, as soon as there is news."""
    if standing(clock) is Standing.MISSED:
        return [at] if news else []
    update_at, said = instants.lead(clock), clock.told_at
    wanted = news or desk.policy.updates_unchanged_keep
    return [update_at] if wanted and update_at <= at and (said is None or said < update_at) else []


def _said(speaking: Speaking, desk: Desk, at: datetime) -> Clock:
    """The row after the letters: what was said, the new date of what was missed, and when to look again."""
    clock = speaking.clock
    if speaking.team:
        clock = replace(clock, warned_at=_latest(clock.warned_at, speaking.team))
    if speaking.researcher:
        clock = replace(clock, told_at=_latest(clock.told_at, speaking.researcher))
    if speaking.fell:
        clock = replace(clock, again_at=_again(clock, desk, at))
    return replace(clock, wake_at=_wake(clock, desk, at))


def _latest(before: datetime | None, now: tuple[datetime, ...]) -> datetime:
    return max(now if before is None else (before, *now))


def _again(clock: Clock, desk: Desk, at: datetime) -> datetime | None:
    """The new date of a missed promise: its period once more. A date of disclosure is for people to set anew."""
    period = parse_period(clock.period)
    if clock.every or period is None or clock.promise in instants.DISCLOSURE or not deadlines.is_told(clock):
        return None
    return due(at, period, desk.policy.calendar)
