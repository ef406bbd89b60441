"""Random histories: wake-ups lost, late and doubled, clocks set back and forward, answers at any instant (laws 2, 5, 8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ticket.scene import AT
from tests.ticket.tending_scene import (
    DAY,
    OFFICE,
    WORKED,
    Cover,
    Deed,
    covers,
    desk,
    disturbed,
    kept,
    opened,
    promise,
    tended,
    undisturbed,
)
from triaged.ticket import instants, transitions
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.instants import Quiet
from triaged.ticket.news import moved_to
from triaged.ticket.tended import Tended

CASES = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
END = AT + 12 * DAY
NIGHT = Quiet(time(22), time(7), True)

PROMISES = (
    promise("assess", "2 days", "50%", "1 business day", pauses=True),
    promise("look", "20 hours", "50%", "3 hours"),
    promise("update", "3 days", "50%", "1 business day", every=True),
)
HOUSES = (
    desk(*PROMISES),
    desk(*PROMISES, calendar=OFFICE),
    replace(desk(*PROMISES), quiet=NIGHT),
    desk(*PROMISES, calendar=replace(WORKED, zone="Asia/Jerusalem")),
    desk(*PROMISES[1:], updates_unchanged_keep=True),
)
QUIET_HOUSES = HOUSES[:4]  # whose rounds no letter of ours keeps

moments = st.integers(0, 12 * 24 * 4 - 1).map(lambda quarters: AT + timedelta(minutes=15 * quarters, seconds=7))
far = st.one_of(moments, st.integers(-400, 400).map(lambda days: AT + timedelta(days=days, minutes=3)))
names = st.sampled_from(["assess", "look", "update"])


def letter(house: Desk, instant: datetime, *promises: str) -> Deed:
    return instant, lambda ticket: kept(ticket, house, instant, *promises)


def move(instant: datetime, state: State) -> Deed:
    def moved(ticket: Tended) -> Tended:
        return replace(ticket, state=state, since=instant, happenings=(*ticket.happenings, moved_to(state, instant)))

    return instant, moved


def stand_still(house: Desk, instant: datetime, span: timedelta) -> list[Deed]:
    def changed(ticket: Tended, how: object) -> Tended:
        rows = tuple((m.clock if (m := how(c)) else c) for c in ticket.clocks)  # type: ignore[operator]
        return replace(ticket, clocks=rows)

    def stop(ticket: Tended) -> Tended:
        return changed(ticket, lambda c: transitions.pause(c, instant))

    def go_on(ticket: Tended) -> Tended:
        return changed(ticket, lambda c: transitions.resume(c, instant + span, house.policy.calendar))

    return [(instant, stop), (instant + span, go_on)]


def shape(clock: Clock) -> tuple[object, ...]:
    return clock.promise, clock.round, clock.started_at, clock.due_at, clock.missed_at, clock.met_at


def ended(clock: Clock) -> datetime:
    return clock.met_at or END + DAY


def expected(clock: Clock, wakes: list[datetime], house: Desk) -> set[Cover]:
    """The instants that some wake-up found, between their coming and the clock's end."""

    def found(instant: datetime) -> bool:
        return any(instant <= w < ended(clock) for w in wakes)

    said = [i for i in instants.warnings(clock, house.policy, house.quiet) if found(i)]
    both = [clock.due_at] if found(clock.due_at) else []
    rows = [("team", i) for i in said + both] + [("researcher", i) for i in both]
    return {(who, clock.promise, clock.round, i.isoformat()) for who, i in rows}


@CASES
@given(
    st.sampled_from(range(len(QUIET_HOUSES))),
    st.lists(st.tuples(moments, st.lists(names, min_size=1, max_size=3)), max_size=4),
    st.lists(moments, max_size=12),
    st.booleans(),
)
def test_each_instant_is_covered_by_one_letter_or_was_moot(
    which: int, answers: list[tuple[datetime, list[str]]], wakes: list[datetime], doubled: bool
) -> None:
    """Lost, late and doubled wake-ups: the rows are those of an undisturbed run, and each warning and each due instant is
    said by the first wake-up that finds its clock open, once."""
    house = HOUSES[which]
    deeds = [letter(house, instant, *promises) for instant, promises in answers]
    calm = undisturbed(opened(house), house, deeds, END)
    woken = sorted([*wakes, END]) if not doubled else sorted([*wakes, *wakes, END, END])
    late = disturbed(opened(house), house, deeds, woken)
    assert sorted(map(shape, late.ticket.clocks), key=str) == sorted(map(shape, calm.ticket.clocks), key=str)
    assert max(Counter(late.covers).values(), default=1) == 1
    assert max(Counter(calm.covers).values(), default=1) == 1
    daily = {c for c in late.covers if not _is_stated(c, late.ticket, house)}
    wanted = {c for clock in late.ticket.clocks for c in expected(clock, woken, house)}
    assert set(late.covers) - daily == wanted


def _is_stated(cover: Cover, ticket: Tended, house: Desk) -> bool:
    """A warning or a due instant, not one of the days after."""
    clock = next(c for c in ticket.clocks if (c.promise, c.round) == cover[1:3])
    stated = (*instants.warnings(clock, house.policy, house.quiet), clock.due_at)
    return cover[3] in {i.isoformat() for i in stated}


@CASES
@given(
    st.sampled_from(range(len(HOUSES))),
    st.lists(st.tuples(moments, st.lists(names, min_size=1, max_size=3)), max_size=3),
    st.lists(st.tuples(moments, st.sampled_from(list(State))), max_size=3),
    st.lists(st.tuples(moments, st.integers(1, 100)), max_size=2),
    st.lists(far, max_size=12),
    st.booleans(),
)
def test_clocks_that_jump_repeat_nothing_and_lose_nothing(
    which: int,
    answers: list[tuple[datetime, list[str]]],
    moves: list[tuple[datetime, State]],
    pauses: list[tuple[datetime, int]],
    wakes: list[datetime],
    reachable: bool,
) -> None:
    """Set back or forward a year, in any order, with answers, states and pauses between: no instant is covered twice, and
    when the clock is right again nothing is left to say."""
    house = HOUSES[which]
    deeds = [letter(house, instant, *promises) for instant, promises in answers]
    deeds += [move(instant, state) for instant, state in moves]
    for instant, hours in pauses:
        deeds += stand_still(house, instant, timedelta(hours=hours))
    run = disturbed(opened(house, reachable=reachable), house, deeds, [*wakes, END + 10 * DAY])
    assert max(Counter(run.covers).values(), default=1) == 1
    again, result = tended(run.ticket, house, END + 10 * DAY)
    assert (result.letters, result.events) == ((), ())
    assert again.clocks == run.ticket.clocks
    for clock in filter(is_open, again.clocks):
        if clock.due_at <= END + 10 * DAY and clock.paused_at is None:
            assert clock.missed_at == clock.due_at
            assert ("team", clock.promise, clock.round, clock.due_at.isoformat()) in run.covers


@CASES
@given(
    st.sampled_from(range(len(HOUSES))), st.lists(st.tuples(moments, names), max_size=4), st.lists(moments, max_size=6)
)
def test_a_call_too_many_says_nothing(which: int, answers: list[tuple[datetime, str]], wakes: list[datetime]) -> None:
    """The same instant twice, and every instant before it: no letter, no event, no changed row."""
    house = HOUSES[which]
    deeds = [letter(house, instant, name) for instant, name in answers]
    run = disturbed(opened(house), house, deeds, sorted([*wakes, END]))
    for instant in (END, *wakes, AT - 300 * DAY):
        _, result = tended(run.ticket, house, instant)
        assert result.letters == () and covers(result.events) == []


@CASES
@given(st.sampled_from(range(len(HOUSES))), st.lists(moments, min_size=1, max_size=8))
def test_one_call_writes_each_address_once(which: int, wakes: list[datetime]) -> None:
    """No storm after an outage: however much is overdue, one mail a team address and one letter to the researcher."""
    house = HOUSES[which]
    ticket = opened(house)
    for instant in sorted(wakes):
        ticket, result = tended(ticket, house, instant)
        assert max(Counter(x.to for x in result.letters).values(), default=1) == 1


@CASES
@given(st.sampled_from(range(len(HOUSES))), st.lists(st.tuples(moments, names), max_size=4))
def test_woken_in_time_nothing_is_missed_in_silence(which: int, answers: list[tuple[datetime, str]]) -> None:
    """Law 8: whoever wakes at `wake_at` tells the team of every clock before it is due (unless it began too late for any
    warning), and of each missed one at its due instant."""
    house = HOUSES[which]
    run = undisturbed(opened(house), house, [letter(house, i, name) for i, name in answers], END)
    for clock in run.ticket.clocks:
        end = min(ended(clock), END)
        if clock.due_at < end:
            assert ("team", clock.promise, clock.round, clock.due_at.isoformat()) in run.covers
        for instant in instants.warnings(clock, house.policy, house.quiet):
            if instant < end:
                assert ("team", clock.promise, clock.round, instant.isoformat()) in run.covers
