"""What an operator meets at night: full disks, locked databases, clocks that jump. The daemon heals, and says what it needs."""

from __future__ import annotations

import errno
import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import update

from tests.attack.world import ROOT, configuration, mail, world
from triaged.daemon import log
from triaged.daemon.checks import check
from triaged.daemon.supervise import Part, join, start
from triaged.settings.load import load
from triaged.tracker import leases
from triaged.tracker.engine import writing
from triaged.tracker.schema import letter

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LENGTH = timedelta(seconds=30)


class Full(io.StringIO):
    """A log file on a disk without room."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_part_that_dies_comes_back_though_the_log_is_on_a_full_disk() -> None:
    stop, runs = Event(), []

    def run(_stop: Event) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise OSError
        stop.set()

    log.configure(Full())
    try:
        threads = start([Part("x", run)], stop, lambda *_: None)
        assert join(threads, 5) == []
    finally:
        log.configure()
    assert len(runs) == 2


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_a_lease_written_before_the_clock_was_set_back_holds_nobody_up(tmp_path: Path, ahead: timedelta) -> None:
    with world(tmp_path) as w, writing(w.house.engine) as connection:
        assert leases.take(connection, "mailbox:x", "far:1:a", NOW + ahead, LENGTH)
        leases.beat(connection, "far:1:a", NOW + ahead)
        assert leases.take(connection, "mailbox:x", "near:1:b", NOW, LENGTH)
        assert "far:1:a" not in leases.others(connection, "near:1:b", NOW)
        assert "far:1:a" in leases.reap(connection, "near:1:b", NOW)


def test_a_lease_of_a_machine_whose_clock_is_a_minute_ahead_is_respected(tmp_path: Path) -> None:
    with world(tmp_path) as w, writing(w.house.engine) as connection:
        assert leases.take(connection, "mailbox:x", "far:1:a", NOW + timedelta(minutes=1), LENGTH)
        assert not leases.take(connection, "mailbox:x", "near:1:b", NOW, LENGTH)


@contextmanager
def daemon(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, ready."""
    path = configuration(directory, f"sqlite:///{directory}/triaged.db")
    command = [sys.executable, "-m", "triaged", "run", "--config", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            while process.stderr.readline() != "ready\n":
                assert process.poll() is None
            yield process
        finally:
            process.kill()


def test_sigterm_ends_the_daemon_within_ten_seconds_though_the_database_is_locked(tmp_path: Path) -> None:
    with daemon(tmp_path) as running, closing(sqlite3.connect(tmp_path / "triaged.db", isolation_level=None)) as locker:
        locker.execute("begin immediate")
        time.sleep(6)  # a heartbeat and a look of the intake wait for the lock now
        running.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert running.wait(12) == 0
        assert time.monotonic() - begun < 10


def test_signals_in_a_burst_end_the_daemon_as_one_does(tmp_path: Path) -> None:
    """A terminal and a supervisor often both send one."""
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        with daemon(tmp_path / str(number)) as running:
            for signalled in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                running.send_signal(signalled)
            assert running.wait(10) == 0


def failing_items(path: Path) -> dict[str, str]:
    settings = load(path, {})
    return {item.item: item.mend for item in check(settings, datetime.now(UTC)) if not item.ok}


def test_check_tells_of_mail_that_a_renamed_mailbox_left_behind(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.receive(mail(proven=True))
        w.deliver(mail(text="never read, for the mailbox is renamed before"))
    path = configuration(tmp_path, f"sqlite:///{tmp_path}/triaged.db", name="psirt")
    assert "3 message(s) and letter(s) wait" in failing_items(path)["mailbox security"]


def test_check_tells_of_letters_that_the_team_never_got(tmp_path: Path) -> None:
    """The one thing that the team can't be mailed about."""
    with world(tmp_path) as w:
        w.now[0] = datetime.now(UTC)
        w.receive(mail(proven=True))
        with writing(w.house.engine) as connection:
            connection.execute(update(letter).where(letter.c.audience == "team").values(state="failed"))
    path = configuration(tmp_path, f"sqlite:///{tmp_path}/triaged.db")
    assert "1 letter(s) to the team were refused" in failing_items(path)["letters to the team security"]


def test_a_healthy_tracker_has_nothing_that_stands(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.receive(mail(proven=True))
    found = failing_items(configuration(tmp_path, f"sqlite:///{tmp_path}/triaged.db"))
    assert not [item for item in found if item.startswith(("mailbox", "letters to"))]
