"""Numbers -> the text that Prometheus reads. Asks nobody; names mailboxes, folders, parts and states, and no person."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from triaged.tracker.measuring import Measures, Totals

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one scrape shows."""

    measures: Measures
    totals: Totals | None  # None: not counted yet
    folders: tuple[tuple[str, str], ...]  # (mailbox, folder) that are to be swept
    parts: Mapping[str, str]  # part of this process -> running | failing | stopped
    limits: Mapping[str, int]  # proven | unproven -> automatic acknowledgements that an hour may have
    disk_free: int | None  # octets free where SQLite's file is
    version: str
    now: datetime


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One metric."""

    name: str
    labels: tuple[str, ...]
    meaning: str
    samples: Callable[[Seen], list[Sample]]


def exposition(seen: Seen, process: bool = True) -> bytes:
    """The page of /metrics; `process`: with memory, files and CPU time of this process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(seen))
    if process:
        ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collected(Collector):
    """What the library asks for its metrics."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("triaged_build", "The program that runs", {"version": self._seen.version})
        yield from (_family(gauge, self._seen) for gauge in _GAUGES)


def _family(gauge: _Gauge, seen: Seen) -> Metric:
    family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels)
    for values, number in gauge.samples(seen):
        family.add_metric(values, number)
    return family


def _age(since: datetime | None, seen: Seen) -> list[Sample]:
    """0 where nothing waits; a clock set back makes no age negative."""
    return [((), 0.0 if since is None else max(0.0, (seen.now - since).total_seconds()))]


def _until(due: datetime | None, seen: Seen) -> list[Sample]:
    return [] if due is None else [((), (due - seen.now).total_seconds())]


def _swept(seen: Seen) -> list[Sample]:
    """Every folder that is to be swept: one that never was is infinitely old."""
    found = ((place, seen.measures.swept.get(place)) for place in seen.folders)
    return [(place, math.inf if at is None else max(0.0, (seen.now - at).total_seconds())) for place, at in found]


def _by_name(counts: Mapping[str, int]) -> list[Sample]:
    return [((name,), count) for name, count in sorted(counts.items())]


def _parts(seen: Seen) -> list[Sample]:
    return [((name,), float(state == "running")) for name, state in sorted(seen.parts.items())]


def _plain(number: float | None) -> list[Sample]:
    return [] if number is None else [((), number)]


def _tickets(seen: Seen) -> list[Sample]:
    return _by_name(seen.totals.tickets) if seen.totals else []


_GAUGES = (
    _Gauge(
        "triaged_oldest_unprocessed_seconds",
        (),
        "Age of the oldest message not read yet",
        lambda s: _age(s.measures.oldest_unprocessed, s),
    ),
    _Gauge(
        "triaged_unprocessed_receipts", (), "Messages that wait for reading", lambda s: _plain(s.measures.unprocessed)
    ),
    _Gauge("triaged_set_aside_receipts", (), "Messages that could not be read", lambda s: _plain(s.measures.set_aside)),
    _Gauge("triaged_folder_swept_seconds", ("mailbox", "folder"), "Since the last sweep that ended well", _swept),
    _Gauge(
        "triaged_outbox_letters", ("state",), "Letters that are not accepted", lambda s: _by_name(s.measures.outbox)
    ),
    _Gauge(
        "triaged_outbox_oldest_seconds",
        (),
        "For how long the oldest letter that may go has waited",
        lambda s: _age(s.measures.oldest_due, s),
    ),
    _Gauge(
        "triaged_next_promise_due_seconds",
        (),
        "Until the first running promise is due",
        lambda s: _until(s.measures.next_due, s),
    ),
    _Gauge("triaged_missed_promises", (), "Promises missed and not kept since", lambda s: _plain(s.measures.missed)),
    _Gauge(
        "triaged_acknowledgements_this_hour",
        ("sender",),
        "Automatic ones, of the tenant with most",
        lambda s: _by_name(s.measures.acknowledged),
    ),
    _Gauge(
        "triaged_acknowledgements_per_hour_limit", ("sender",), "What an hour may have", lambda s: _by_name(s.limits)
    ),
    _Gauge(
        "triaged_unannounced_tickets",
        (),
        "Tickets that wait for the daily digest",
        lambda s: _plain(s.measures.unannounced),
    ),
    _Gauge(
        "triaged_letters_repeated",
        (),
        "Attempts after one whose end nobody knows (RFC 1047)",
        lambda s: _plain(s.totals.repeats if s.totals else None),
    ),
    _Gauge("triaged_tickets", ("state",), "Tickets", _tickets),
    _Gauge(
        "triaged_database_bytes",
        (),
        "Size of the database",
        lambda s: _plain(s.totals.database_bytes if s.totals else None),
    ),
    _Gauge("triaged_disk_free_bytes", (), "Free where SQLite's file is", lambda s: _plain(s.disk_free)),
    _Gauge("triaged_part_up", ("part",), "1: this part of the process runs", _parts),
)
