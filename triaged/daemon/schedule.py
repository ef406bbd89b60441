"""What happens by the clock: heartbeats, take-overs, digests, the chain's root. APScheduler wakes; the tracker's rows decide."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import clock
from triaged.daemon.house import House
from triaged.daemon.log import log
from triaged.daemon.notify import notify
from triaged.tracker import chaining, digests, leases
from triaged.tracker.engine import writing

BEAT_SECONDS = 5.0
DIGEST_SECONDS = 60.0
ROOT_SECONDS = 3600.0


@contextmanager
def ticking(house: House, letters: Event) -> Iterator[None]:
    """Have the jobs run while the block does."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    # A job that is late runs all the same, once: APScheduler's default drops it after a second.
    defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults=defaults, executors={"default": ThreadPoolExecutor(2)})
    for job, seconds in _jobs(house, letters):
        scheduler.add_job(_guarded, "interval", args=(job,), seconds=seconds, next_run_time=clock.real())
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def _jobs(house: House, letters: Event) -> list[tuple[Callable[[], None], float]]:
    def digest() -> None:
        if do_due(house):
            letters.set()

    return [(lambda: beat(house), BEAT_SECONDS), (digest, DIGEST_SECONDS), (lambda: root(house), ROOT_SECONDS)]


def _guarded(job: Callable[[], None]) -> None:
    """A tracker that can't be used now may be usable at the next tick."""
    try:
        job()
    except SQLAlchemyError as error:
        log.error("tick failed", error=type(error).__name__)


def beat(house: House) -> None:
    """Say that this process lives, to other processes and to systemd; take over from the dead."""
    with writing(house.engine) as connection:
        leases.beat(connection, house.owner, clock.real())
        dead = leases.reap(connection, house.owner, clock.real())
    if dead:
        log.warning("took over", processes=len(dead))
    notify(os.environ, "WATCHDOG=1")


def do_due(house: House) -> int:
    """All that is due by now; how many letters' worth of work was found."""
    at = house.now()
    with writing(house.engine) as connection:
        return sum(digests.queue_digest(connection, desk, at, secrets.token_bytes) for desk in house.desks.values())


def root(house: House) -> None:
    """Keep the hash over all heads."""
    with writing(house.engine) as connection:
        chaining.write_root(connection, house.now())
