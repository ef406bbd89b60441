"""The stages one after the other in this process: CPU and time of each by itself, and where it goes. Starts no server."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.mails import MAILBOX
from triaged.daemon.house import House, open_house
from triaged.daemon.intake import take_in
from triaged.daemon.log import configure as configure_log
from triaged.daemon.sending import send_due
from triaged.mail.watcher import sweep_all
from triaged.settings.load import load


@dataclass(frozen=True, slots=True)
class Stage:
    """Milliseconds a mail: all threads' CPU, and by the clock."""

    name: str
    cpu: float
    wall: float


def stages(configuration: Path, mails: int, profile: Path | None) -> list[Stage]:
    """Fetch and store; read, decide and write; send and record. `profile`: a directory for cProfile's text."""
    with Path("/dev/null").open("w") as nowhere:
        configure_log(nowhere)
        house = open_house(load(configuration, {}))
        assert house.settings.mailboxes[0].address == MAILBOX
        parts = (("fetch and store", _fetch), ("read, decide, write", _read), ("send and record", _send))
        found = [_measured(name, work, house, mails, profile) for name, work in parts]
        house.engine.dispose()
        return found


def _measured(name: str, work: Callable[[House], object], house: House, mails: int, profile: Path | None) -> Stage:
    profiler = cProfile.Profile() if profile else None
    cpu, wall = time.process_time(), time.monotonic()
    if profiler:
        profiler.runcall(work, house)
    else:
        work(house)
    stage = Stage(name, (time.process_time() - cpu) * 1000 / mails, (time.monotonic() - wall) * 1000 / mails)
    if profiler and profile:
        profile.mkdir(parents=True, exist_ok=True)
        with (profile / f"{name.replace(', ', '-').replace(' ', '-')}.txt").open("w") as out:
            statistics = pstats.Stats(profiler, stream=out)
            statistics.sort_stats("tottime").print_stats(60)
            statistics.sort_stats("cumulative").print_stats(120)
    return stage


def _fetch(house: House) -> None:
    mailbox = house.settings.mailboxes[0]
    assert mailbox.imap is not None
    assert sweep_all(mailbox.imap, house.store(mailbox), house.fetch_limits(), house.now).ok


def _read(house: House) -> None:
    intake = house.intake()
    while take_in(intake):
        pass


def _send(house: House) -> None:
    assert send_due(house.office())
