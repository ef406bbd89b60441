"""What a letter leaves owed, in words for the team with the mend. Keeps no promise and writes to nobody."""

from __future__ import annotations

from triaged.policy.model import Policy
from triaged.ticket.clocks import ASSESS, ASSESSMENT, is_open, needs
from triaged.ticket.tended import Tended

_DATED = "/assess accepted fix-by DAY tells a date for a solution"
_ASSESSED = "/assess accepted|declined …"
_ANY = "a letter to the researcher keeps it, /assess or /reply"


def still_owed(promise: str, lacks: frozenset[str]) -> str:
    """One line: what would keep the promise, of which a letter lacks that much."""
    if not lacks:
        return f"{promise} is still owed: {_ANY}"
    mend = _ASSESSED if ASSESSMENT in lacks else _DATED
    return f"{promise} is still owed: {mend}, or /keep {promise} where you have said it in other words"


def left_owed(ticket: Tended, policy: Policy, held: frozenset[str]) -> tuple[str, ...]:
    """The open promises that a letter holding `held` does not keep for what it lacks."""
    lacking = {c.promise: needs(policy, c.promise) - held for c in ticket.clocks if is_open(c)}
    return tuple(still_owed(name, lacks) for name, lacks in lacking.items() if lacks)


def owed_without_assessment(ticket: Tended, policy: Policy) -> tuple[str, ...]:
    """Of a ticket that moves on before anybody has told the researcher what it is."""
    names = {c.promise for c in ticket.clocks if is_open(c) and (c.promise == ASSESS or needs(policy, c.promise))}
    return tuple(still_owed(name, needs(policy, name)) for name in sorted(names))
