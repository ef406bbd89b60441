"""Clocks: promises running for one ticket. Started here, from the policy that the ticket came in under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triaged.policy.calendar import due, in_letters
from triaged.policy.model import Policy, Promise

ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise running for one ticket."""

    promise: str
    clause: str
    every: str | None  # a repeated promise's period, as the policy writes it
    started_at: datetime
    due_at: datetime  # computed once, when the clock starts: an edited policy never moves it
    pauses: bool


@dataclass(frozen=True, slots=True)
class PromisedDate:
    """A promise as a letter shows it."""

    promise: str
    clause: str
    by: str
    due_at: datetime
    kept_by_this: bool


def start(policy: Policy, received_at: datetime) -> tuple[Clock, ...]:
    """Every promise of the policy, started at the instant of receipt."""
    return tuple(_start(promise, policy, received_at) for promise in policy.promises)


def _start(promise: Promise, policy: Policy, received_at: datetime) -> Clock:
    period = promise.every or promise.within
    if period is None:
        raise ValueError(f"promise {promise.name} has neither within nor every")
    return Clock(
        promise=promise.name,
        clause=promise.clause,
        every=str(promise.every) if promise.every else None,
        started_at=received_at,
        due_at=due(received_at, period, policy.calendar, every=promise.every is not None),
        pauses=promise.pauses,
    )


def kept_by_acknowledgement(policy: Policy) -> tuple[str, ...]:
    """The promises that our own acknowledgement keeps: "acknowledge", where the policy says that a machine may."""
    return tuple(p.name for p in policy.promises if p.name == ACKNOWLEDGE and p.met_by == "automatic")


def kept_by_answer(policy: Policy) -> tuple[str, ...]:
    """The promises that any letter of a member keeps."""
    return tuple(p.name for p in policy.promises if p.name == ACKNOWLEDGE)


def dates(clocks: tuple[Clock, ...], policy: Policy, kept: tuple[str, ...]) -> tuple[PromisedDate, ...]:
    """The clocks as a letter shows them, soonest first."""
    shown = [
        PromisedDate(c.promise, c.clause, in_letters(c.due_at, policy.calendar), c.due_at, c.promise in kept)
        for c in clocks
    ]
    return tuple(sorted(shown, key=lambda d: d.due_at))
