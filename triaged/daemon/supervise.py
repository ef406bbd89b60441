"""Runs the daemon's parts in threads and starts again what dies. Knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from triaged.daemon.log import log, place

BACKOFF = (1.0, 2.0, 5.0, 15.0, 60.0)  # seconds
STEADY = 300.0  # seconds a part must have run for its failures to be forgotten


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must go on running. `run` returns only when the event is set."""

    name: str
    run: Callable[[Event], None]


Report = Callable[[str, str, str], None]  # part, state, reason


def start(parts: Sequence[Part], stop: Event, report: Report) -> list[Thread]:
    """Start every part in a thread of its own."""
    threads = [Thread(target=_keep, args=(part, stop, report), name=part.name, daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    return threads


def join(threads: Sequence[Thread], seconds: float) -> list[str]:
    """Wait for the parts to end; the names of those that did not."""
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [thread.name for thread in threads if thread.is_alive()]


def _keep(part: Part, stop: Event, report: Report) -> None:
    failures = 0
    while not stop.is_set():
        began = time.monotonic()
        report(part.name, "running", "")
        try:
            part.run(stop)
        except Exception as error:
            failures = 1 if time.monotonic() - began > STEADY else failures + 1
            delay = BACKOFF[min(failures, len(BACKOFF)) - 1]
            log.error(
                "part died",
                part=part.name,
                error=type(error).__name__,
                at=place(error),
                failures=failures,
                again_in=delay,
            )
            report(part.name, "failing", f"{type(error).__name__}: started again in {delay:.0f} s")
            stop.wait(delay)
    report(part.name, "stopped", "")
