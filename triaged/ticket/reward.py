"""Decisions about money, as the ledger keeps them, and the policy's bounds. Values only; decides nothing, and pays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triaged.policy.terms import Bounds, Reward
from triaged.ticket.amounts import Asked
from triaged.ticket.verbs import VerbError

MOST_REFERENCE = 100  # characters of a payment's number


class Decided(StrEnum):
    """What a row of the ledger says. The last row of a ticket counts."""

    APPROVED = "approved"
    DECLINED = "declined"
    PAID = "paid"
    REOPENED = "reopened"  # a declined report was accepted after all: it is to be decided anew


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, as the ledger keeps it."""

    state: Decided
    amount: int | None  # whole units of the currency
    currency: str
    severity: str  # as it was when it was decided
    quality: str
    why: str  # the team's words
    by: str  # address of the member, or "operator"
    second: str  # who confirmed it; "" where no second member was needed
    reference: str  # of the payment
    at: datetime


def standing(decisions: Sequence[Decision]) -> Decision | None:
    """The decision that counts; None where there is none, or it is to be made anew."""
    last = decisions[-1] if decisions else None
    return None if last is None or last.state is Decided.REOPENED else last


def bounds_of(severity: str, quality: str, terms: Reward) -> Bounds | None:
    """The bounds that hold; None where the policy has none at all. Raises VerbError where it has some, and none for this report."""
    if not terms.bounds:
        return None
    mine = {one.quality: one for one in terms.bounds if one.severity == severity}
    if not mine:
        known = ", ".join(dict.fromkeys(one.severity for one in terms.bounds))
        raise VerbError(f"the policy has no reward for severity {severity} (it has for {known}): /reward none REASON")
    if not quality and any(mine):
        raise VerbError(f"the bounds depend on the quality: write quality and one of {', '.join(terms.qualities)}")
    found = mine.get(quality) or mine.get("")
    if found is None:
        raise VerbError(f"the policy has no bounds for severity {severity} and quality {quality}: /reward none REASON")
    return found


def within(asked: Asked, bounds: Bounds | None) -> None:
    """Raises VerbError, with the bounds, where the amount lies outside."""
    if bounds is not None and not bounds.least <= asked.amount <= bounds.most:
        raise VerbError(
            f"{money(asked.amount, asked.currency)} is outside the policy's bounds for {_named(bounds)}:"
            f" {bounds.least:,} to {bounds.most:,} {asked.currency}"
        )


def _named(bounds: Bounds) -> str:
    return f"severity {bounds.severity}" + (f" and quality {bounds.quality}" if bounds.quality else "")


def money(amount: int | None, currency: str) -> str:
    """1,500 EUR."""
    return f"{amount or 0:,} {currency}"


def basis(asked: Asked, severity: str, bounds: Bounds | None) -> tuple[str, ...]:
    """What a second member reads before they confirm: all that the amount rests on."""
    return (
        f"amount:   {money(asked.amount, asked.currency)}",
        f"severity: {severity}",
        f"quality:  {asked.quality or 'not told apart'}",
        f"bounds:   {f'{bounds.least:,} to {bounds.most:,} {asked.currency}' if bounds else 'the policy has none'}",
        f"reason:   {asked.why}",
    )
