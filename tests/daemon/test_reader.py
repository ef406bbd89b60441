"""Blocks are read in a child process with the same result; a child that dies or stands still costs nobody a message."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest

from tests.ticket.scene import READING, TRUST, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon.intake import take_in
from triaged.daemon.reader import Reader, ReaderDiedError
from triaged.reading.whole import read
from triaged.tracker.engine import connect

WANTED = ("steps", "affected")
MAILS = [
    mail(f"p{n}@s{n}.example", proven=True, subject=f"XSS {n}", text=f"report {n}, CWE-79 at https://a{n}.test/")
    for n in range(12)
]


@pytest.fixture
def reader():
    made = Reader(READING)
    yield made
    made.close()


def test_the_child_reads_what_this_process_reads(reader) -> None:
    found = reader.read([(raw, TRUST, WANTED) for raw in MAILS])
    assert found == [read(raw, READING, TRUST, WANTED) for raw in MAILS]


def test_a_child_that_was_killed_is_said_and_the_next_block_gets_another(reader) -> None:
    reader.read([(MAILS[0], TRUST, WANTED)])
    os.kill(reader._child.pid, signal.SIGKILL)
    with pytest.raises(ReaderDiedError):
        reader.read([(raw, TRUST, WANTED) for raw in MAILS])
    assert len(reader.read([(raw, TRUST, WANTED) for raw in MAILS])) == len(MAILS)


def test_a_child_outlives_the_signals_of_a_stop_and_ends_with_its_parents_pipe(reader) -> None:
    reader.read([(MAILS[0], TRUST, WANTED)])
    child = reader._child
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(child.pid, number)
    assert len(reader.read([(raw, TRUST, WANTED) for raw in MAILS])) == len(MAILS)
    child.stdin.close()
    assert child.wait(10) == 0


def test_a_child_that_stands_still_is_given_up() -> None:
    reader = Reader(READING, seconds=8.0)
    reader.read([(MAILS[0], TRUST, WANTED)])
    os.kill(reader._child.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(ReaderDiedError):
        reader.read([(raw, TRUST, WANTED) for raw in MAILS])
    assert 7 < time.monotonic() - began < 30


def test_no_message_is_lost_with_a_child_that_dies(tracked_here: Tracked, reader) -> None:
    """Each is read alone afterwards, in a limited child of its own."""
    tracked_here.deliver(*MAILS)
    intake = replace(tracked_here.intake(), reader=reader)
    reader.read([(MAILS[0], TRUST, WANTED)])
    os.kill(reader._child.pid, signal.SIGKILL)
    while take_in(intake):
        pass
    assert tracked_here.outcomes() == ["ticket"] * len(MAILS)
    tracked_here.study()
    assert len(tracked_here.letters("acknowledgement")) == len(tracked_here.letters("relay")) == len(MAILS)


@pytest.fixture
def tracked_here(tmp_path):
    from triaged import resources
    from triaged.tracker import migrate

    engine = connect(f"sqlite:///{tmp_path}/triaged.db")
    migrate.upgrade(engine, resources.migrations())
    yield open_tracker(engine)
    engine.dispose()
