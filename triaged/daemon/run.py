"""The daemon: watchers, intake, outbox and schedule as supervised parts of one process. Wires, and decides nothing."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import clock, points, sending, status
from triaged.daemon.alarming import watch_over
from triaged.daemon.house import House, open_house
from triaged.daemon.intake import take_in
from triaged.daemon.log import log
from triaged.daemon.notify import notify
from triaged.daemon.reader import Reader
from triaged.daemon.renewing import renew_ahead
from triaged.daemon.schedule import BEAT_SECONDS, say_unserved, ticking
from triaged.daemon.sentcopies import copy_sent
from triaged.daemon.studying import study_some
from triaged.daemon.supervise import Part, join, start
from triaged.mail.watcher import WatchEvent, watch
from triaged.settings.model import MailboxSettings, Settings
from triaged.tracker import leases, receipts, studying
from triaged.tracker.engine import writing

STOP_SECONDS = 8.0  # of the ten that a stop may take
GIVE_UP_SECONDS = 1.0  # the database may be locked by another program
LEASE = timedelta(seconds=30)
LOOK_SECONDS = 5.0  # the intake looks by itself this often, should a kick be lost


def serve(settings: Settings, *, ready: Callable[[], None]) -> int:
    """Run until SIGTERM or SIGINT. What was begun is finished or given back; 0 after a clean stop."""
    points.arm(os.environ)
    house = open_house(settings)
    stop, mail, reports, letters = Event(), Event(), Event(), Event()
    signalled = _signals()
    states: dict[str, str] = {}  # of this process's parts, for who asks over HTTP: the tracker may not answer

    def report(part: str, state: str, reason: str) -> None:
        states[part] = state
        _report(house, part, state, reason)

    threads = start(_parts(house, states, mail, reports, letters), stop, report)
    notify(os.environ, "READY=1")
    ready()
    os.read(signalled, 1)
    notify(os.environ, "STOPPING=1")
    for event in (stop, mail, reports, letters):
        event.set()
    return _end(house, threads)


def _end(house: House, threads: list[Thread]) -> int:
    late = join(threads, STOP_SECONDS)
    if not late:  # what late threads hold is taken over by the next process, which knows that this one is gone
        giving_up = Thread(target=_give_up, args=(house,), name="end", daemon=True)
        giving_up.start()
        late = join([giving_up], GIVE_UP_SECONDS)
    log.info("stopped", late=late)
    if late:  # a thread that waits on a dead server or a locked database would hold the interpreter back
        os._exit(0)
    return 0


def _give_up(house: House) -> None:
    with suppress(SQLAlchemyError), writing(house.engine) as connection:
        receipts.forget_attempts(connection, house.owner)
        studying.forget_attempts(connection, house.owner)
        leases.give_up(connection, house.owner)


def _signals() -> int:
    """What can be read from once SIGTERM or SIGINT came. A handler that sets an Event takes its lock, and a second signal in
    that moment would wait for it for ever.
    """
    end, begin = os.pipe()
    os.set_blocking(begin, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _nothing)
    signal.set_wakeup_fd(begin, warn_on_full_buffer=False)
    return end


def _nothing(_signal: int, _frame: FrameType | None) -> None:
    """The byte in the pipe says it all."""


def _parts(house: House, states: Mapping[str, str], mail: Event, reports: Event, letters: Event) -> list[Part]:
    boxes = house.settings.mailboxes
    parts = [Part(f"watch {m.name}", partial(_watch, house, m, mail)) for m in boxes if m.imap]
    parts += [Part(f"sent {m.name}", partial(_copies, house, m)) for m in boxes if m.imap and m.imap.sent_folder]
    parts += [Part(f"token {name}", partial(_token, house, name)) for name in house.keepers]
    parts.append(Part("intake", partial(_intake, house, mail, reports, letters)))
    parts.append(Part("study", partial(_study, house, reports, letters)))
    parts.append(Part("outbox", partial(_outbox, house, letters)))
    parts.append(Part("schedule", partial(_schedule, house, letters)))
    if house.settings.ops.alarm:
        parts.append(Part("alarms", partial(watch_over, house)))
    if house.settings.http.listen:
        parts.append(Part(status.PART, partial(_show, house, states)))
    return parts


def _show(house: House, states: Mapping[str, str], stop: Event) -> None:
    status.show(house, states, stop, partial(_report, house))


def _report(house: House, part: str, state: str, reason: str) -> None:
    """`check` shows it. Where the tracker can't be written, the log has it."""
    with suppress(SQLAlchemyError), writing(house.engine) as connection:
        leases.report(connection, part, house.owner, state, reason, clock.real())


def _watch(house: House, mailbox: MailboxSettings, mail: Event, stop: Event) -> None:
    """Watch a mailbox while its lease is ours: one process at a time."""
    lease = f"mailbox:{mailbox.name}"
    while not stop.is_set():
        with writing(house.engine) as connection:
            ours = leases.take(connection, lease, house.owner, clock.real(), LEASE)
        if not ours:
            _report(house, f"watch {mailbox.name}", "running", "another process watches this mailbox")
            stop.wait(BEAT_SECONDS)
            continue
        lost = Event()
        renewing = Thread(target=_renew, args=(house, lease, lost, stop), daemon=True)
        renewing.start()
        try:
            _watch_ours(house, mailbox, mail, lost)
        finally:
            lost.set()


def _renew(house: House, lease: str, lost: Event, stop: Event) -> None:
    """Keep the lease, and end the watching when it is lost or all stops."""
    held = clock.real()
    while not lost.is_set():
        if stop.wait(BEAT_SECONDS):
            lost.set()
            return
        try:
            with writing(house.engine) as connection:
                if leases.take(connection, lease, house.owner, clock.real(), LEASE):
                    held = clock.real()
                else:
                    lost.set()
        except SQLAlchemyError:
            if clock.real() - held > LEASE:
                lost.set()


def _watch_ours(house: House, mailbox: MailboxSettings, mail: Event, lost: Event) -> None:
    account = house.imap(mailbox)
    assert account is not None  # noqa: S101 - such parts are made for these mailboxes only

    def report(event: WatchEvent) -> None:
        log.info("mailbox", mailbox=mailbox.name, happened=event.kind, folder=event.folder, said=event.text)
        state = "running" if event.kind in ("connected", "polling", "unfetched") else "failing"
        _report(house, f"watch {mailbox.name}", state, "" if state == "running" else f"{event.kind}: {event.text}")

    watch(
        account,
        house.store(mailbox),
        house.fetch_limits(),
        now=house.now,
        stop=lost,
        arrived=mail.set,
        report=report,
        random=random.random,
    )


def _token(house: House, mailbox: str, stop: Event) -> None:
    renew_ahead(house.keepers[mailbox], partial(_report, house, f"token {mailbox}"), stop)


def _intake(house: House, mail: Event, reports: Event, letters: Event, stop: Event) -> None:
    plain = house.intake()
    with writing(house.engine) as connection:
        receipts.forget_attempts(connection, house.owner)
    with closing(Reader(plain.limits)) as reader:
        intake = replace(plain, reader=reader)
        while not stop.is_set():
            mail.clear()
            while not stop.is_set() and take_in(intake):
                letters.set()
                reports.set()
            mail.wait(LOOK_SECONDS)


def _study(house: House, reports: Event, letters: Event, stop: Event) -> None:
    studio = house.studio()
    with writing(house.engine) as connection:
        studying.forget_attempts(connection, house.owner)
    while not stop.is_set():
        reports.clear()
        while not stop.is_set() and study_some(studio):
            letters.set()
        reports.wait(LOOK_SECONDS)


def _outbox(house: House, letters: Event, stop: Event) -> None:
    with writing(house.engine) as connection:
        from triaged.tracker import outbox

        outbox.release(connection, house.owner, clock.real())
    sending.serve(house.office(), stop, letters)


def _copies(house: House, mailbox: MailboxSettings, stop: Event) -> None:
    while not stop.wait(BEAT_SECONDS):
        copy_sent(house, mailbox)


def _schedule(house: House, letters: Event, stop: Event) -> None:
    say_unserved(house)
    with ticking(house, letters, stop):
        stop.wait()
