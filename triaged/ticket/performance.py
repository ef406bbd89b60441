"""How promises were kept: rounds and reports as values in, counts, times and the BOD 20-01 measures out. Never reads a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from triaged.ticket.events import State

OLD = timedelta(days=90)


class Outcome(StrEnum):
    """What came of one promise in one round. Exactly one each."""

    KEPT = "kept"
    KEPT_UNCHANGED = "kept_unchanged"  # in time, by a letter that said that nothing had changed
    LATE = "late"  # kept after the due instant
    MISSED = "missed"  # the due instant passed, and nothing has kept it
    OPEN = "open"
    WAIVED = "waived"  # before it was due


@dataclass(frozen=True, slots=True)
class Round:
    """One promise made to one researcher, in one round."""

    ref: str
    mailbox: str
    policy: str
    version: str
    promise: str
    number: int  # of the round, from 1
    started_at: datetime
    due_at: datetime
    met_at: datetime | None = None
    waived_at: datetime | None = None
    paused: bool = False
    unchanged: bool = False  # what kept it said that nothing had changed


def outcome(one: Round, at: datetime) -> Outcome:
    """What came of it by `at`. A waiver after the due instant undoes no miss; a pause keeps the due instant off."""
    if one.met_at is not None:
        if one.met_at > one.due_at:
            return Outcome.LATE
        return Outcome.KEPT_UNCHANGED if one.unchanged else Outcome.KEPT
    ended_at = one.waived_at if one.waived_at is not None else at
    if ended_at >= one.due_at and not one.paused:
        return Outcome.MISSED
    return Outcome.WAIVED if one.waived_at is not None else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Times:
    """From the start of a promise to what kept it, late ones too. None where nothing was kept."""

    count: int
    median: timedelta | None = None
    p90: timedelta | None = None  # nearest rank: nine in ten took no longer
    worst: timedelta | None = None


def times(spans: Iterable[timedelta]) -> Times:
    """Median, 90th percentile and worst of the spans."""
    ordered = sorted(spans)
    if not ordered:
        return Times(0)
    rank = -(-len(ordered) * 9 // 10)
    return Times(len(ordered), _median(ordered), ordered[rank - 1], ordered[-1])


def _median(ordered: Sequence[timedelta]) -> timedelta:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class Record:
    """How one promise was kept."""

    promise: str
    made: int
    counts: Mapping[Outcome, int]  # every outcome stands in it
    times: Times


def records(rounds: Sequence[Round], at: datetime) -> tuple[Record, ...]:
    """One record a promise, in the order in which they were first due."""
    names = dict.fromkeys(one.promise for one in sorted(rounds, key=lambda one: one.due_at - one.started_at))
    return tuple(_record(name, [one for one in rounds if one.promise == name], at) for name in names)


def _record(name: str, rounds: Sequence[Round], at: datetime) -> Record:
    counted = Counter(outcome(one, at) for one in rounds)
    spans = (one.met_at - one.started_at for one in rounds if one.met_at is not None)
    return Record(name, len(rounds), {one: counted[one] for one in Outcome}, times(spans))


def by_version(rounds: Iterable[Round], at: datetime) -> tuple[tuple[str, str, tuple[Record, ...]], ...]:
    """Policy name, version, records: a ticket counts under the version that it came in under."""
    groups: dict[tuple[str, str], list[Round]] = {}
    for one in rounds:
        groups.setdefault((one.policy, one.version), []).append(one)
    return tuple((*key, records(group, at)) for key, group in sorted(groups.items()))


@dataclass(frozen=True, slots=True)
class Report:
    """What the measures need of one report."""

    received_at: datetime
    state: State
    validated_at: datetime | None = None  # when a member first said what it is: valid or declined
    valid: bool = False
    fixed_at: datetime | None = None
    answered_at: datetime | None = None  # the first letter to the researcher, automatic or not


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the ten numbers of CISA BOD 20-01. `value` is None where it cannot be known; then `why` says so."""

    name: str
    words: str
    value: int | timedelta | None
    why: str = ""


_RESOLVED = frozenset({State.FIXED, State.DISCLOSED, State.DECLINED, State.CLOSED})
NO_PRIORITY = "no priority of a report is kept"


def measures(reports: Sequence[Report], at: datetime) -> tuple[Measure, ...]:
    """The ten measures over these reports, ages at `at`; a valid report is open until it is fixed, published or closed."""
    valid = [one for one in reports if one.valid]
    ages = [at - one.received_at for one in valid if one.state not in _RESOLVED]
    old = [age for age in ages if age > OLD]
    validated = [one.validated_at - one.received_at for one in reports if one.validated_at]
    fixed = [one.fixed_at - one.received_at for one in valid if one.fixed_at]
    answered = [one.answered_at - one.received_at for one in reports if one.answered_at]
    return (
        Measure("reports", "reports received", len(reports)),
        Measure("valid", "reports found valid", len(valid)),
        Measure("open_valid", "valid reports that are open", len(ages)),
        _middle("open_valid_median_age", "median age of open valid reports", ages, "no valid report is open"),
        Measure("open_valid_over_90_days", "open valid reports older than 90 days", len(old)),
        Measure("open_valid_over_90_days_by_priority", "of those, by priority", None, NO_PRIORITY),
        _middle("open_valid_over_90_days_median_age", "median age of those", old, "no valid report is open that long"),
        _middle("median_time_to_validate", "median time to validate a report", validated, "no report was validated"),
        _middle("median_time_to_remediate", "median time to fix a valid report", fixed, "no valid report was fixed"),
        _middle("median_time_to_respond", "median time to the first response", answered, "no report was answered"),
    )


def _middle(name: str, words: str, spans: Sequence[timedelta], why: str) -> Measure:
    return Measure(name, words, _median(sorted(spans))) if spans else Measure(name, words, None, why)
