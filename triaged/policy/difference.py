"""What differs between two policies, and which due dates would move. Moves none: that takes a person's word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from triaged.policy.calendar import due
from triaged.policy.clauses import clauses
from triaged.policy.model import Policy, Promise

_CALENDAR = ("zone", "country", "subdivision", "weekend", "closed", "worked", "closing")
_HEAD = ("organisation", "prefix", "contact", "version", "languages", "updates_unchanged_keep", "exploited")
_TABLES = (
    "safe_harbour",
    "confidentiality",
    "credit",
    "reward",
    "publication",
    "disclosure",
    "assessment",
    "scope",
    "retention",
    "publish",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `before` is empty for what was added, `after` for what was removed."""

    kind: str  # added | removed | changed
    where: str  # promise[update].every, rule[no-leaks].clause, calendar.closed, disclosure.disclose_days
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Started:
    """A clock that runs: a promise, and when it was last started and is due."""

    promise: str
    started_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock that the new policy would move; `due_at` is None where it promises no such thing any more."""

    promise: str
    started_at: datetime
    was_due_at: datetime
    due_at: datetime | None

    @property
    def direction(self) -> str:
        """earlier | later | gone"""
        if self.due_at is None:
            return "gone"
        return "earlier" if self.due_at < self.was_due_at else "later"


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """What differs, key by key: promises, then clauses of other tables, the calendar, and the rest."""
    before, after = dict(_keys(old)), dict(_keys(new))
    return tuple(
        Change(_kind(key, before, after), key, before.get(key, ""), after.get(key, ""))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    )


def _kind(key: str, before: dict[str, str], after: dict[str, str]) -> str:
    if key not in before:
        return "added"
    return "changed" if key in after else "removed"


def _keys(policy: Policy) -> Iterator[tuple[str, str]]:
    """Every key of a policy that means something, with its value as a person reads it."""
    for promise in policy.promises:
        yield from ((f"promise[{promise.name}].{key}", value) for key, value in _promise(promise))
    yield from _clauses(policy)
    yield from ((f"calendar.{name}", _written(getattr(policy.calendar, name))) for name in _CALENDAR)
    yield from ((f"policy.{name}", _written(getattr(policy, name))) for name in _HEAD)
    yield from ((f"rule[{rule.name}].window", str(rule.window)) for rule in policy.rules if rule.window)
    yield from ((f"ask[{ask.item}].question", ask.question) for ask in policy.asks)
    yield from ((f"reply[{reply.name}].text", reply.text) for reply in policy.replies)
    for name in _TABLES:
        table = getattr(policy, name)
        held = (f.name for f in fields(table) if f.name not in ("clauses", "security_txt"))
        yield from ((f"{name}.{key}", _written(getattr(table, key))) for key in held)


def _promise(promise: Promise) -> Iterator[tuple[str, str]]:
    """Only what it has: a promise that changes from within to every shows both."""
    yield "clause", promise.clause
    if promise.within:
        yield "within", str(promise.within)
    if promise.every:
        yield "every", str(promise.every)
    for name in ("source", "number", "met_by", "pauses"):
        yield name, _written(getattr(promise, name))
    if promise.holds:
        yield "holds", _written(promise.holds)
    yield "warn", ", ".join(str(warn.before) if warn.before else f"{warn.percent}%" for warn in promise.warn)


def _clauses(policy: Policy) -> Iterator[tuple[str, str]]:
    """A clause of an array stands under its name; those of a table each under their own words, so that order is nothing."""
    for clause in clauses(policy):
        if clause.table != "promise":
            named = clause.key != clause.table
            yield (f"{clause.key}.clause" if named else f"{clause.key}.clauses: {clause.text}"), clause.text


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset):
        return ", ".join(str(item) for item in sorted(value))
    if isinstance(value, tuple):
        return ", ".join(_written(item) for item in value)
    if is_dataclass(value):
        return " ".join(part for field in fields(value) if (part := str(getattr(value, field.name))))
    return "" if value is None else str(value)


def moved(old: Policy, new: Policy, started: Iterable[Started]) -> tuple[Moved, ...]:
    """The running clocks that the new policy would give another due instant, in the order given. What moved a clock
    before (a pause, an extension) stays: the difference of the two policies is added to the due instant that it has."""
    return tuple(shift for clock in started if (shift := _moved(old, new, clock)) is not None)


def _moved(old: Policy, new: Policy, clock: Started) -> Moved | None:
    before, after = old.promise(clock.promise), new.promise(clock.promise)
    if before is None:
        return None  # a clock of neither
    if after is None:
        return Moved(clock.promise, clock.started_at, clock.due_at, None)
    by = _due(new, after, clock.started_at) - _due(old, before, clock.started_at)
    return Moved(clock.promise, clock.started_at, clock.due_at, clock.due_at + by) if by else None


def as_if(policy: Policy, received: datetime) -> tuple[Started, ...]:
    """The clocks that a report received at that instant starts."""
    return tuple(Started(p.name, received, _due(policy, p, received)) for p in policy.promises)


def _due(policy: Policy, promise: Promise, started_at: datetime) -> datetime:
    return due(started_at, promise.period, policy.calendar, every=promise.every is not None)


def document(old: Policy, new: Policy, shifted: Iterable[Moved]) -> dict[str, Any]:
    """The JSON document of `triaged policy diff`: instants in RFC 3339 UTC."""
    return {
        "from": {"name": old.name, "version": old.version, "sha256": old.sha256},
        "to": {"name": new.name, "version": new.version, "sha256": new.sha256},
        "changes": [
            {"kind": c.kind, "where": c.where, "before": c.before, "after": c.after} for c in changes(old, new)
        ],
        "moved": [
            {
                "promise": one.promise,
                "started_at": _utc(one.started_at),
                "was_due_at": _utc(one.was_due_at),
                "due_at": _utc(one.due_at) if one.due_at else None,
                "direction": one.direction,
            }
            for one in shifted
        ],
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
