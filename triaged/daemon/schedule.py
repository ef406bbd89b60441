"""What happens by the clock: promises, boards, digests, heartbeats, chain roots. APScheduler wakes; the tracker's rows decide."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import clock
from triaged.daemon.house import House
from triaged.daemon.log import log
from triaged.daemon.notify import notify
from triaged.daemon.tending import next_wake, send_boards, tend_due, unserved
from triaged.tracker import chaining, digests, leases
from triaged.tracker.engine import writing

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

BEAT_SECONDS = 5.0
LOOK_SECONDS = 60.0  # between looks at what is due, should a wake-up be lost
ROOT_SECONDS = 3600.0


@contextmanager
def ticking(house: House, letters: Event, stop: Event) -> Iterator[None]:
    """Have the jobs run while the block does."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    def look() -> None:
        if do_due(house, stop.is_set):
            letters.set()
        wake(house, scheduler, look)

    # A job that is late runs all the same, once: APScheduler's default drops it after a second.
    defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults=defaults, executors={"default": ThreadPoolExecutor(4)})
    jobs = ((lambda: beat(house), BEAT_SECONDS), (look, LOOK_SECONDS), (lambda: root(house), ROOT_SECONDS))
    for job, seconds in jobs:
        scheduler.add_job(_guarded, "interval", args=(job,), seconds=seconds, next_run_time=clock.real())
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def wake(house: House, scheduler: BackgroundScheduler, look: Callable[[], None]) -> None:
    """Have the next instant at which a clock is due looked at then. Later ones are for the steady look to find."""
    at, now = next_wake(house.tender()), house.now()
    if at is not None and now < at < now + timedelta(seconds=LOOK_SECONDS):
        scheduler.add_job(_guarded, "date", args=(look,), run_date=at, id="wake", replace_existing=True)


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


def _never() -> bool:
    return False


def do_due(house: House, stopped: Callable[[], bool] = _never) -> int:
    """All that is due by now; how many letters' worth of work was found."""
    at, tender = house.now(), house.tender()
    with writing(house.engine) as connection:
        found = sum(digests.queue_digest(connection, desk, at, secrets.token_bytes) for desk in house.desks.values())
    return found + tend_due(tender, stopped) + send_boards(tender)


def say_unserved(house: House) -> None:
    """Clocks of mailboxes that left the configuration stay as they are. Once, when a process begins."""
    for mailbox, clocks in unserved(house.tender()).items():
        log.warning("clocks of a mailbox that is not configured", mailbox=mailbox, clocks=clocks)


def root(house: House) -> None:
    """Keep the hash over all heads."""
    with writing(house.engine) as connection:
        chaining.write_root(connection, house.now())
