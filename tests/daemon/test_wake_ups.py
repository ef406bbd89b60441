"""The daemon's schedule wakes at the instant that a clock names, long before its steady look."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select, update

from triaged.daemon import clock as real_clock
from triaged.daemon.house import House, open_house
from triaged.daemon.importing import import_path
from triaged.daemon.schedule import LOOK_SECONDS, do_due, ticking
from triaged.settings.load import load
from triaged.settings.model import Settings
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, letter

ROOT = Path(__file__).resolve().parents[2]
REPORT = b"From: noa@example.org\r\nTo: security@example.test\r\nSubject: XSS in login\r\n\r\nThe form shows what it is given.\r\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(ROOT / "config", tmp_path / "here")
    (tmp_path / "here" / "imap-password").write_text("demo\n")
    return load(tmp_path / "here" / "triaged.toml", {"SMTP_PASSWORD": "demo"})


@pytest.fixture
def house(settings: Settings, tmp_path: Path) -> House:
    """With a ticket of which nothing is due yet."""
    (tmp_path / "one.eml").write_bytes(REPORT)
    import_path(settings, "security", tmp_path / "one.eml", clocks=True, letters=True, progress=lambda _: None)
    opened = open_house(settings)
    do_due(opened)
    return opened


def reminders(house: House) -> int:
    """To the team's address; Dana gets hers."""
    theirs = (letter.c.template == "reminder", letter.c.to_address == "security-team@example.test")
    with reading(house.engine) as connection:
        return len(connection.execute(select(letter.c.id).where(*theirs)).all())


def due_in(house: House, seconds: float) -> None:
    at = real_clock.real() + timedelta(seconds=seconds)
    with writing(house.engine) as connection:
        connection.execute(update(clock).where(clock.c.promise == "assess").values(due_at=at, wake_at=at))


def test_a_clock_is_looked_at_when_it_is_due_and_not_a_minute_later(house: House) -> None:
    began = time.monotonic()
    due_in(house, 2)
    letters, stop = Event(), Event()
    with ticking(house, letters, stop):
        assert letters.wait(LOOK_SECONDS / 2), "the steady look alone would come later"
        assert time.monotonic() - began > 1.5 and reminders(house) == 1
        stop.set()
    house.engine.dispose()


def test_a_schedule_that_begins_late_does_what_waits_at_once(house: House) -> None:
    due_in(house, -3600)
    letters, stop = Event(), Event()
    with ticking(house, letters, stop):
        assert letters.wait(LOOK_SECONDS / 2)
        stop.set()
    assert reminders(house) == 1
    house.engine.dispose()


def test_clocks_of_a_mailbox_that_is_gone_are_logged_once_at_the_start(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    from triaged.daemon.schedule import say_unserved

    say_unserved(house)
    assert "not configured" not in "".join(capsys.readouterr())
    say_unserved(replace(house, desks={}))
    assert "".join(capsys.readouterr()).count("clocks of a mailbox that is not configured") == 1
    house.engine.dispose()
