"""A ticket with its clocks under a policy of the test's own, and a run of `tend` over instants. The policy objects are real."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.ticket.scene import AT, DESK, POLICY, RESEARCHER, TEAM, TICKET
from triaged.policy.calendar import Calendar
from triaged.policy.model import Policy, Promise, Warn
from triaged.policy.period import parse_period
from triaged.ticket.clocks import Clock, start
from triaged.ticket.deadlines import start_deadlines
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.letters import Audience, Letter
from triaged.ticket.reference import Entropy
from triaged.ticket.rounds import keep
from triaged.ticket.tended import Tended
from triaged.ticket.tending import Tending, tend

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORKED = Calendar("UTC", "", "", frozenset({5, 6}), False, frozenset({date(2026, 12, 25)}), frozenset(), 1440)
OFFICE = replace(WORKED, closing=17 * 60)


def at(text: str) -> datetime:
    """ "2026-11-20 09:12" in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def warn(text: str) -> Warn:
    return Warn(int(text[:-1]), None) if text.endswith("%") else Warn(None, parse_period(text))


def promise(name: str, period: str, *warns: str, every: bool = False, pauses: bool = False) -> Promise:
    parsed = parse_period(period)
    within, again = (None, parsed) if every else (parsed, None)
    clause = f"We promise to {name}."
    return Promise(name, clause, "added", "chosen", within, again, "human", pauses, tuple(map(warn, warns)))


ASSESS = promise("assess", "7 days", "50%", "1 business day")
UPDATE = promise("update", "14 days", "50%", "1 business day", every=True)


def policy(*promises: Promise, calendar: Calendar = WORKED, **changes: Any) -> Policy:
    return replace(POLICY, promises=promises, calendar=calendar, **changes)


def desk(*promises: Promise, calendar: Calendar = WORKED, house: Desk = DESK, **changes: Any) -> Desk:
    return replace(house, policy=policy(*promises, calendar=calendar, **changes))


def opened(house: Desk, received_at: datetime = AT, **changes: Any) -> Tended:
    """A ticket that a proven researcher's report opened, and that was acknowledged at once."""
    clocks = (*start(house.policy, received_at), *start_deadlines(house.policy, received_at))
    ticket = Tended(
        name=TICKET,
        subject="XSS in login",
        state=State.RECEIVED,
        since=received_at,
        reporter=RESEARCHER,
        reporter_proven=True,
        reachable=True,
        clocks=clocks,
        written_at=received_at,
    )
    return replace(ticket, **changes)


def seeded(seed: int = 1) -> Entropy:
    return random.Random(seed).randbytes


def tended(ticket: Tended, house: Desk, instant: datetime) -> tuple[Tended, Tending]:
    """One call, its rows put back; what it wrote to the researcher is accepted at once."""
    result = tend(ticket, house, instant, seeded())
    ticket = replace(ticket, clocks=result.clocks)
    written = researchers(result.letters)
    if not written:
        return ticket, result
    ticket = kept(ticket, house, instant, *(name for x in written for name in x.meets))
    again = tend(ticket, house, instant, seeded(2))
    assert again.letters == (), "a letter that was accepted in the instant that it was queued causes no other"
    events = (*result.events, *again.events)
    return replace(ticket, clocks=again.clocks), replace(result, clocks=again.clocks, events=events)


def kept(ticket: Tended, house: Desk, instant: datetime, *promises: str) -> Tended:
    """A letter that keeps these promises was accepted."""
    rows = keep(ticket.clocks, promises, instant, "<letter@example.test>", ticket.state, ticket.since, house.policy)
    return replace(ticket, clocks=rows.clocks, written_at=instant, happenings=())


def clock(ticket: Tended, name: str, number: int = 1) -> Clock:
    return next(c for c in ticket.clocks if (c.promise, c.round) == (name, number))


def to(letters: Iterable[Letter], audience: Audience) -> list[Letter]:
    return [x for x in letters if x.audience is audience]


def researchers(letters: Iterable[Letter]) -> list[Letter]:
    return to(letters, Audience.RESEARCHER)


def teams(letters: Iterable[Letter]) -> list[Letter]:
    return [x for x in to(letters, Audience.TEAM) if x.to == TEAM]


Cover = tuple[str, str, int, str]  # what kind of event, promise, round, instant


def covers(events: Iterable[Event]) -> list[Cover]:
    """The instants that the letters of these events answer for."""
    kinds = {EventKind.WARNED: "team", EventKind.TOLD: "researcher", EventKind.UNTOLD: "researcher"}
    return [
        (kinds[e.kind], *said)
        for e in events
        if e.kind in kinds
        for said in e.data["for"]  # type: ignore[union-attr, misc]
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run."""

    ticket: Tended
    covers: list[Cover]
    letters: list[tuple[datetime, Letter]]


Deed = tuple[datetime, Callable[[Tended], Tended]]


def undisturbed(ticket: Tended, house: Desk, deeds: Iterable[Deed], until: datetime) -> Run:
    """Woken at every `wake_at`, exactly then."""
    waiting, covered, letters = sorted(deeds, key=lambda d: d[0]), [], []
    instant = min(c.started_at for c in ticket.clocks)
    while True:
        while waiting and waiting[0][0] <= instant:
            ticket = waiting.pop(0)[1](ticket)
        ticket, result = tended(ticket, house, instant)
        covered += covers(result.events)
        letters += [(instant, x) for x in result.letters]
        following = [i for i in (result.wake_at, waiting[0][0] if waiting else None) if i is not None]
        if not following or min(following) > until:
            break
        assert min(following) > instant, "a wake-up that would come at once"
        instant = min(following)
    ticket, result = tended(ticket, house, until)
    return Run(ticket, covered + covers(result.events), letters + [(until, x) for x in result.letters])


def disturbed(ticket: Tended, house: Desk, deeds: Iterable[Deed], wakes: Iterable[datetime]) -> Run:
    """Woken at these instants only, in this order; each deed comes before the first wake-up that is not earlier."""
    waiting, covered, letters = sorted(deeds, key=lambda d: d[0]), [], []
    for instant in wakes:
        while waiting and waiting[0][0] <= instant:
            ticket = waiting.pop(0)[1](ticket)
        ticket, result = tended(ticket, house, instant)
        covered += covers(result.events)
        letters += [(instant, x) for x in result.letters]
    return Run(ticket, covered, letters)
