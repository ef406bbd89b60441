"""One pass of all that the daemon does, then the end: for cron, tests and rehearsals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from triaged.daemon import clock, points, sending
from triaged.daemon.house import House, open_house
from triaged.daemon.intake import Intake, take_in
from triaged.daemon.log import log
from triaged.daemon.schedule import do_due, say_unserved
from triaged.daemon.sentcopies import copy_sent
from triaged.daemon.studying import study_some
from triaged.mail.imap import ImapError
from triaged.mail.watcher import sweep_all, swept_folders
from triaged.settings.model import MailboxSettings, Settings
from triaged.tracker import installation, leases
from triaged.tracker.engine import reading, writing


class RehearsalError(Exception):
    """The instant given by hand can't be taken. The message says why."""


def run_once(settings: Settings, at: datetime | None = None) -> bool:
    """Sweep, read, do what is due, send what may go. Whether every sweep and every due letter went well."""
    points.arm(os.environ)
    house = open_house(settings, clock.rehearsed(at) if at else clock.real)
    try:
        if at is not None:
            rehearse(house.engine, at)
            log.info("rehearsal", at=at.isoformat())
        well = _sweep(house)
        intake = house.intake()
        while take_in(intake):
            pass
        studio = house.studio()
        while study_some(studio):
            pass
        say_unserved(house)
        do_due(house)
        well &= sending.send_due(house.office())
        if do_due(house):  # what an accepted letter leaves to be said at once
            well &= sending.send_due(house.office())
        return _copy(house, intake) and well
    finally:
        with writing(house.engine) as connection:
            leases.give_up(connection, house.owner)
        house.engine.dispose()


def rehearse(engine: Engine, at: datetime) -> None:
    """Record the instant; refuse one that is earlier than what has happened."""
    may_be_played(engine, at)
    with writing(engine) as connection:
        installation.record_rehearsal(connection, at, clock.real())


def may_be_played(engine: Engine, at: datetime) -> None:
    """Refuse an instant that is earlier than what has happened."""
    last = _last(engine)
    if last is not None and at < last:
        raise RehearsalError(f"the tracker's last event is of {last.isoformat()}: give an instant that is not earlier")


def lives_in_played_time(engine: Engine) -> None:
    """Refuse a tracker of which nothing lies in the future: what it publishes, it publishes to the world, and on the very day."""
    last = _last(engine)
    if last is None or last <= clock.real():
        raise RehearsalError(
            "--at shows what would be published then, with --dry-run; without it, it is for trackers whose time is played by"
            " `triaged run --once --at`: this one lives now, and publishes on no other day"
        )


def _last(engine: Engine) -> datetime | None:
    with reading(engine) as connection:
        return installation.last_event_at(connection)


def _sweep(house: House) -> bool:
    well = True
    for mailbox in house.settings.mailboxes:
        if mailbox.imap is not None:
            well &= _sweep_one(house, mailbox, swept_folders(mailbox.imap))
    return well


def _sweep_one(house: House, mailbox: MailboxSettings, folders: Sequence[str]) -> bool:
    account = house.imap(mailbox)
    assert account is not None  # noqa: S101 - asked by the callers
    swept = sweep_all(account, house.store(mailbox), house.fetch_limits(), house.now, folders=folders)
    for folder in swept.folders:
        log.info("swept", mailbox=mailbox.name, folder=folder.folder, taken=folder.taken, error=folder.error)
    return swept.ok


def _copy(house: House, intake: Intake) -> bool:
    """Copies of what was sent, and their receipts: an audit after this pass finds none missing."""
    well = True
    for mailbox in house.settings.mailboxes:
        copied = False
        try:
            while copy_sent(house, mailbox):
                copied = True
        except ImapError as error:
            log.error("sent copy failed", mailbox=mailbox.name, said=str(error))
            well = False
        if copied and mailbox.imap is not None:
            well &= _sweep_one(house, mailbox, (mailbox.imap.sent_folder,))
    while take_in(intake):
        pass
    return well
