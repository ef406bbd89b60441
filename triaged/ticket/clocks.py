"""Clocks: promises running for one ticket. Started here, from the policy that the ticket came in under; moved elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triaged.policy.calendar import due, in_letters
from triaged.policy.model import Policy, Promise

ACKNOWLEDGE = "acknowledge"
ASSESS = "assess"
ASSESSMENT, DATE = "assessment", "date"  # what a letter may hold: Promise.holds


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a promise need not be kept."""

    by: str  # "member:…", or "state" where the ticket's state ended it
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise running for one ticket, in one round: one row. (promise, round) names it within the ticket."""

    promise: str
    clause: str
    every: str | None  # a repeated promise's period, as the policy writes it
    started_at: datetime
    due_at: datetime  # computed once, when the clock starts: an edited policy never moves it
    pauses: bool
    period: str = ""  # how it is counted: "7 days", "3 business days", "24 hours"
    round: int = 1  # of a repeated promise
    warned_at: datetime | None = None  # the last instant of the team's that has been handled
    told_at: datetime | None = None  # the last instant of the researcher's that has been handled
    missed_at: datetime | None = None  # the due instant that passed unmet
    again_at: datetime | None = None  # the new date that a missed promise was given, once
    met_at: datetime | None = None
    kept_by: str = ""  # the Message-ID of the letter that met it: if it bounces, this row is open again
    waived: Waiver | None = None
    paused_at: datetime | None = None
    wake_at: datetime | None = None  # when something is to be done next; None: nothing is


class Standing(StrEnum):
    """How a clock stands. Follows from its instants; stored nowhere."""

    RUNNING = "running"
    PAUSED = "paused"
    MISSED = "missed"
    MET = "met"
    LATE = "late"
    WAIVED = "waived"


OPEN = frozenset({Standing.RUNNING, Standing.PAUSED, Standing.MISSED})


def standing(clock: Clock) -> Standing:
    """How the clock stands."""
    if clock.met_at is not None:
        return Standing.MET if clock.met_at <= clock.due_at else Standing.LATE
    if clock.waived is not None:
        return Standing.WAIVED
    if clock.paused_at is not None:
        return Standing.PAUSED
    missed = clock.missed_at is not None and clock.missed_at >= clock.due_at
    return Standing.MISSED if missed else Standing.RUNNING


def is_open(clock: Clock) -> bool:
    """Whether the promise still waits to be kept."""
    return standing(clock) in OPEN


@dataclass(frozen=True, slots=True)
class PromisedDate:
    """A promise as a letter shows it."""

    promise: str
    clause: str
    by: str
    due_at: datetime
    kept_by_this: bool


def start(policy: Policy, received_at: datetime, kind: str = "report") -> tuple[Clock, ...]:
    """The promises of the policy, started at the instant of receipt; of what is no report, the acknowledgement alone (S0-13)."""
    running = [p for p in policy.promises if kind == "report" or p.name == ACKNOWLEDGE]
    return tuple(_start(promise, policy, received_at) for promise in running)


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
        period=str(period),
    )


def kept_by_acknowledgement(policy: Policy) -> tuple[str, ...]:
    """The promises that our own acknowledgement keeps: "acknowledge", where the policy says that a machine may."""
    return tuple(p.name for p in policy.promises if p.name == ACKNOWLEDGE and p.met_by == "automatic")


def needs(policy: Policy, name: str) -> frozenset[str]:
    """What a letter must hold to keep the promise of that name. Empty: any letter of a member keeps it."""
    promise = policy.promise(name)
    return frozenset(promise.holds) if promise else frozenset()


def kept_by_letters(clocks: Iterable[Clock], policy: Policy) -> tuple[tuple[str, frozenset[str]], ...]:
    """The promises among them that a member's letter to the researcher can keep, each with what it must hold for that."""
    named = ((c.promise, bool(c.every), needs(policy, c.promise)) for c in clocks)
    return tuple((name, needed) for name, every, needed in named if is_kept_by_letters(name, every, needed))


def is_kept_by_letters(name: str, every: bool, needed: frozenset[str]) -> bool:
    """Acknowledgement, assessment, what is repeated, and what the policy says a letter must hold something for."""
    return name in (ACKNOWLEDGE, ASSESS) or every or bool(needed)


def kept_by(promises: Iterable[tuple[str, frozenset[str]]], held: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Of promises with what a letter must hold to keep them, those that one holding `held` keeps."""
    return tuple(dict.fromkeys(name for name, needed in promises if needed <= held))


def dates(clocks: tuple[Clock, ...], policy: Policy, kept: tuple[str, ...]) -> tuple[PromisedDate, ...]:
    """The clocks as a letter shows them, soonest first."""
    shown = [
        PromisedDate(c.promise, c.clause, in_letters(c.due_at, policy.calendar), c.due_at, c.promise in kept)
        for c in clocks
    ]
    return tuple(sorted(shown, key=lambda d: d.due_at))
