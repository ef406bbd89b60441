"""The part that shows how the daemon fares: /metrics, /healthz, /readyz. Reads the tracker, changes nothing, stops nothing."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Event

from triaged import __version__
from triaged.daemon import health, web
from triaged.daemon.house import House
from triaged.daemon.log import log
from triaged.daemon.looking import Kept
from triaged.daemon.web import Answer
from triaged.mail.watcher import swept_folders
from triaged.settings.model import Settings
from triaged.tracker.engine import file_of, reading
from triaged.tracker.measuring import HURRY, PATIENCE, Measures, Totals, bound, measure, total

MEASURES_SECONDS = 5.0  # however often it is scraped
TOTALS_SECONDS = 300.0
PATIENCE_SECONDS = 6.0  # for the database
COUNTING_SECONDS = 2.0  # after which the totals before are shown
AGAIN_SECONDS = 60.0  # between tries at an address that can't be had
PART = "http"
UNUSABLE = (OSError, UnicodeError)  # the second: a host name that none can be, such as "a..b"

Parts = Mapping[str, str]  # part of this process -> running | failing | stopped


def watched(settings: Settings) -> tuple[health.Place, ...]:
    """(mailbox, folder) of all that is to be swept."""
    return tuple((m.name, folder) for m in settings.mailboxes if m.imap for folder in swept_folders(m.imap))


def disk_free(settings: Settings) -> int | None:
    """Octets free where SQLite's file is; None where that is not this machine's, or can't be told."""
    file = file_of(settings.tracker.url)
    try:
        return None if file is None else shutil.disk_usage(file.parent).free
    except OSError:
        return None


def show(house: House, parts: Parts, stop: Event, report: Callable[[str, str, str], None]) -> None:
    """Serve until `stop`. An address that is taken is said once, and tried again: mail goes on without it."""
    listen, shown, said = house.settings.http.listen, pages(house, parts), False

    def listening() -> None:
        log.info("http listens", listen=listen)
        report(PART, "running", "")

    while not stop.is_set():
        try:
            web.serve(listen, shown, stop, listening)
        except UNUSABLE as error:
            if not said:
                log.error("http does not listen", listen=listen, mend=mend(listen, error))
                report(PART, "failing", mend(listen, error))
            said = True
            stop.wait(AGAIN_SECONDS)


def taken(listen: str) -> OSError | UnicodeError | None:
    """Why nobody can listen there now; None where it is free."""
    host, port = web.split(listen)
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
                tried.listen(1)  # two may bind with REUSEADDR, one may listen
    except UNUSABLE as error:
        return error
    return None


def mend(listen: str, error: OSError | UnicodeError) -> str:
    """Why an address can't be had, with what to do."""
    why = "no host name" if isinstance(error, UnicodeError) else error.strerror or str(error)
    why = why.partition("[")[0].strip().lower()
    return f'metrics and health are not served at {listen} ({why}): free it, or name another in [http] listen ("" for none)'


def pages(house: House, parts: Parts) -> Mapping[str, web.Page]:
    """Path -> what it shows."""
    settings = house.settings
    folders = watched(settings)
    patience = timedelta(minutes=settings.ops.unswept_minutes)
    measures = Kept(lambda: look(house), MEASURES_SECONDS, time.monotonic)
    totals = Kept(lambda: _total(house), TOTALS_SECONDS, time.monotonic)

    async def healthz() -> Answer:
        return _verdict(health.unwell(parts))

    async def readyz() -> Answer:
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(measures.ask()), PATIENCE_SECONDS)
        except Exception:  # whatever the database says or does not say: who asks needs an answer
            return _verdict(health.unready(None, folders, patience, house.now()))
        return _verdict(health.unready(found, folders, patience, house.now()))

    async def metrics() -> Answer:
        from triaged.daemon.metrics import CONTENT_TYPE, Seen, exposition  # start-up is faster without

        counting = asyncio.wrap_future(totals.ask())
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(measures.ask()), PATIENCE_SECONDS)
        except Exception:
            return Answer(503, b"the database does not answer\n")
        try:
            counted: Totals | None = await asyncio.wait_for(counting, COUNTING_SECONDS)
        except Exception:  # it goes on counting: the next scrape has it
            counted = totals.good
        limits = {
            "proven": settings.limits.acknowledgements_proven_per_hour,
            "unproven": settings.limits.acknowledgements_unproven_per_hour,
        }
        free, now = disk_free(settings), house.now()
        return Answer(
            200, exposition(Seen(found, counted, folders, dict(parts), limits, free, __version__, now)), CONTENT_TYPE
        )

    return {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def _verdict(complaints: list[str]) -> Answer:
    return Answer(503, "".join(f"{line}\n" for line in complaints).encode()) if complaints else Answer(200, b"ok\n")


def look(house: House) -> Measures:
    """How the work stands, by the tracker's rows."""
    mailboxes, tenants = [m.name for m in house.settings.mailboxes], [t.name for t in house.settings.tenants]
    with reading(house.engine) as connection:
        bound(connection, HURRY)
        return measure(connection, mailboxes, tenants, house.now())


def _total(house: House) -> Totals:
    with reading(house.engine) as connection:
        bound(connection, PATIENCE)
        return total(connection)
