"""What time and state do to a ticket's clocks: promises fall due, repeated ones go on, states end them. Writes to nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from triaged.policy.calendar import due
from triaged.policy.model import Policy
from triaged.policy.period import Period, parse_period
from triaged.ticket import transitions
from triaged.ticket.clocks import ACKNOWLEDGE, ASSESS, Clock, is_open
from triaged.ticket.events import Event, EventKind, State

MOST_ROUNDS = 4000  # started at one call: ten years of days. What is left, the next call starts
BY_STATE = "state"
_TICK = timedelta(microseconds=1)

Key = tuple[str, int]  # a clock within its ticket: promise and round


@dataclass(frozen=True, slots=True)
class Rows:
    """A ticket's clocks after something, with what happened to them."""

    clocks: tuple[Clock, ...]
    events: tuple[Event, ...] = ()
    fell: frozenset[Key] = frozenset()  # missed just now, and open still


_OVER = frozenset({State.DECLINED, State.CLOSED})
_RESOLVED = frozenset({State.FIXED, State.DISCLOSED}) | _OVER
_NEVER: frozenset[State] = frozenset()

# Promise -> the states that keep it, the states at which it is over. What is not here is over at _OVER. What is repeated
# starts no further round as soon as the matter is resolved; the round that runs then is for telling so.
ENDS: Mapping[str, tuple[frozenset[State], frozenset[State]]] = MappingProxyType(
    {
        ACKNOWLEDGE: (_NEVER, _NEVER),
        ASSESS: (_NEVER, _NEVER),
        "fix": (frozenset({State.FIXED}), _OVER),  # what is published on its day need not be fixed
        "disclose": (frozenset({State.DISCLOSED}), _OVER),
        "cra_early_warning": (_NEVER, _NEVER),
        "cra_notification": (_NEVER, _NEVER),
        "cra_final": (_NEVER, _NEVER),
    }
)


def kept_at(promise: str) -> frozenset[State]:
    """The states that keep the promise."""
    return ENDS.get(promise, (_NEVER, _NEVER))[0]


def key(clock: Clock) -> Key:
    return clock.promise, clock.round


def catch_up(clocks: Iterable[Clock], at: datetime, state: State, since: datetime, policy: Policy) -> Rows:
    """The clocks as they stand at `at`, with the ticket in `state` since `since`. Called twice, the second changes nothing."""
    chains: dict[str, list[Clock]] = {}
    for clock in sorted(clocks, key=key):
        chains.setdefault(clock.promise, []).append(clock)
    settled: list[Clock] = []
    events: list[Event] = []
    fell: set[Key] = set()
    for chain in chains.values():
        rows = _chain(chain, at, state, since, policy)
        settled += rows.clocks
        events += rows.events
        fell |= rows.fell
    return Rows(tuple(settled), tuple(events), frozenset(fell))


def _chain(chain: list[Clock], at: datetime, state: State, since: datetime, policy: Policy) -> Rows:
    """The rounds of one promise."""
    moves = [_row(clock, at, state, since) for clock in chain]
    rows = [clock for clock, _ in moves]
    events = [event for _, happened in moves for event in happened]
    fell = {key(c) for c, happened in moves if is_open(c) and any(e.kind is EventKind.MISSED for e in happened)}
    for _ in range(MOST_ROUNDS):
        follower = _next_round(rows[-1], at, state, since, policy)
        if follower is None:
            break
        events.append(started(follower))
        following, happened = _row(follower, at, state, since)
        events += happened
        rows.append(following)
        if following.missed_at is not None and is_open(following):
            fell.add(key(following))
    return Rows(tuple(rows), tuple(events), frozenset(fell))


def _row(clock: Clock, at: datetime, state: State, since: datetime) -> tuple[Clock, list[Event]]:
    """One round: what the state does to it, then what time does."""
    events = []
    if moved := _by_state(clock, state, since):
        clock = moved.clock
        events.append(moved.event)
    if clock.every is None and clock.waived and clock.waived.by == BY_STATE and not _over(clock, state):
        clock = replace(clock, waived=None)  # the ticket is open again
        events.append(started(clock))
    if fallen := _missed_in_silence(clock) or (transitions.miss(clock) if at >= clock.due_at else None):
        clock = replace(fallen.clock, met_at=clock.met_at)
        events.append(fallen.event)
    return clock, events


def _missed_in_silence(clock: Clock) -> transitions.Moved | None:
    """It was met late, and before a wake-up came to say that it was missed."""
    if clock.met_at is None or clock.met_at <= clock.due_at:
        return None
    return transitions.miss(replace(clock, met_at=None))


def _by_state(clock: Clock, state: State, since: datetime) -> transitions.Moved | None:
    if state in kept_at(clock.promise):
        return transitions.meet(clock, since, by=BY_STATE)
    if _over(clock, state):
        return transitions.waive(clock, BY_STATE, f"the ticket is {state.value}", since)
    return None


def _over(clock: Clock, state: State) -> bool:
    return state in ENDS.get(clock.promise, (_NEVER, _OVER))[1]


def _next_round(last: Clock, at: datetime, state: State, since: datetime, policy: Policy) -> Clock | None:
    """The round after `last`: from the letter that kept it, or from its due instant where that passed before."""
    if last.every is None or last.paused_at is not None or state in _RESOLVED:
        return None
    if last.waived is not None:  # by a person: for good; by the state: until the ticket is open again
        return _follow(last, since, True, policy) if last.waived.by == BY_STATE else None
    if last.met_at is not None and last.met_at <= last.due_at:
        follower = _follow(last, last.met_at, True, policy)
        return follower if follower.due_at > since else _follow(last, since, True, policy)  # it was resolved meanwhile
    if last.met_at is None and at < last.due_at:
        return None
    # A late letter keeps every round that had begun by then.
    return replace(_follow(last, last.due_at, False, policy), met_at=last.met_at, kept_by=last.kept_by)


def resolved(state: State) -> bool:
    """Whether a repeated promise starts no further round."""
    return state in _RESOLVED


def next_round(last: Clock, kept_at: datetime, policy: Policy) -> Clock:
    """The round that follows a letter accepted at `kept_at`."""
    return _follow(last, kept_at, True, policy)


def _follow(last: Clock, start: datetime, kept: bool, policy: Policy) -> Clock:
    period = parse_period(last.period or last.every or "") or Period(1, "days")
    # A due instant belongs to the day that ends with it; hours are counted from the instant itself.
    counted = start if kept or period.unit == "hours" else start - _TICK
    return Clock(
        promise=last.promise,
        clause=last.clause,
        every=last.every,
        started_at=start,
        due_at=due(counted, period, policy.calendar, every=True),
        pauses=last.pauses,
        period=str(period),
        round=last.round + 1,
    )


def keep(
    clocks: Iterable[Clock],
    promises: Iterable[str],
    at: datetime,
    letter: str,
    state: State,
    since: datetime,
    policy: Policy,
) -> Rows:
    """The clocks after a letter that keeps `promises` was accepted at `at`. The others stay as they were: what fell due
    among them is for `tend` to say."""
    names, every = frozenset(promises), tuple(clocks)
    before = catch_up((c for c in every if c.promise in names), at, state, since, policy)
    moves = [transitions.meet(c, at, letter) for c in before.clocks]
    met = tuple(m.clock if m else c for c, m in zip(before.clocks, moves, strict=True))
    after = catch_up(met, at, state, since, policy)
    others = tuple(c for c in every if c.promise not in names)
    return Rows((*others, *after.clocks), (*before.events, *(m.event for m in moves if m), *after.events))


def started(clock: Clock) -> Event:
    """The event of a clock that began to run after the report came."""
    due_at = clock.due_at.astimezone(UTC).isoformat()
    return Event(EventKind.STARTED, "triaged", {"promise": clock.promise, "round": clock.round, "due_at": due_at})
