"""When each promise of a policy would be due for a report received at a given instant. Starts no clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from triaged.policy.calendar import describe, due, due_local
from triaged.policy.load import PolicyError
from triaged.policy.model import Policy, Promise
from triaged.policy.problem import Problem

_COUNTED = range(1971, 9900)  # a period of ten years later is a date still


def preview(policy: Policy, received: datetime) -> dict[str, Any]:
    """The JSON document of `triaged policy due`: instants in RFC 3339 UTC. Raises PolicyError for an instant that no
    calendar can count from."""
    refuse_uncountable(received)
    return {
        "received": _utc(received),
        "promises": [_one(promise, policy, received) for promise in policy.promises],
    }


def refuse_uncountable(received: datetime) -> None:
    """Raises PolicyError for an instant so near the end of time that its due dates are none."""
    if received.year not in _COUNTED:
        text = f"lies outside the years {_COUNTED.start} to {_COUNTED.stop - 1}: give the instant of a real report"
        raise PolicyError((Problem(received.isoformat(), "", text),))


def _one(promise: Promise, policy: Policy, received: datetime) -> dict[str, str]:
    instant = due(received, promise.period, policy.calendar, every=promise.every is not None)
    return {
        "promise": promise.name,
        "clause": promise.clause,
        "due_at": _utc(instant),
        "due_local": due_local(instant, policy.calendar),
        "calendar": describe(policy.calendar),
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
