"""Which state of a report may follow which, as one table (ISO/IEC 30111 section 7). Moves nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triaged.ticket.events import State

_RECEIVED, _ASSESSING, _ACCEPTED, _DECLINED = State.RECEIVED, State.ASSESSING, State.ACCEPTED, State.DECLINED
_FIXING, _FIXED, _DISCLOSED, _CLOSED = State.FIXING, State.FIXED, State.DISCLOSED, State.CLOSED

# A state -> those that may follow it. Stages may be passed over: a team that assesses, or mends, in one go says so in one go,
# and what a promise owes stays owed. Nothing leads back but taking it up again.
FOLLOWS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _RECEIVED: frozenset({_ASSESSING, _ACCEPTED, _DECLINED, _FIXING, _FIXED, _CLOSED}),
        _ASSESSING: frozenset({_ACCEPTED, _DECLINED, _FIXING, _FIXED, _CLOSED}),
        _ACCEPTED: frozenset({_DECLINED, _FIXING, _FIXED, _DISCLOSED, _CLOSED}),
        _DECLINED: frozenset({_CLOSED}),
        _FIXING: frozenset({_DECLINED, _FIXED, _DISCLOSED, _CLOSED}),
        _FIXED: frozenset({_DISCLOSED, _CLOSED}),
        _DISCLOSED: frozenset({_FIXED, _CLOSED}),  # what was published before there was a fix is fixed later
        _CLOSED: frozenset(),
    }
)
# The column of TAKEN_UP: from these a ticket may be taken up again, and is being assessed then.
TAKEN_UP_FROM = frozenset({_DECLINED, _FIXED, _DISCLOSED, _CLOSED})

_AGAIN = "/reopen takes it up again first"


def may_follow(before: State, after: State) -> bool:
    """Whether the table lets a ticket go from the one to the other."""
    return after in FOLLOWS[before]


def why_not(ref: str, before: State, after: State) -> str:
    """Why the ticket can't go there, with the mend; "" where it can."""
    if may_follow(before, after):
        return ""
    if before is after:
        return f"{ref} is {before.value} already"
    if after is _DISCLOSED and before in (_RECEIVED, _ASSESSING):
        return f"{ref} is {before.value}: what is published was accepted before, by /assess accepted"
    if before in TAKEN_UP_FROM:
        return f"{ref} is {before.value}: {_AGAIN}"
    return f"{ref} is {before.value}, which comes after {after.value}: it need not go back"


def why_not_again(ref: str, before: State) -> str:
    """Why the ticket can't be taken up again; "" where it can."""
    return "" if before in TAKEN_UP_FROM else f"{ref} is open: it is {before.value}"
