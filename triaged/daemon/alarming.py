"""The part that mails ops when something stands still. Past the outbox, which may be what stands; decides nothing itself."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import clock, status
from triaged.daemon.alarms import Bounds, Saying, State, saying, subject, suspects, text, troubles
from triaged.daemon.house import House
from triaged.daemon.log import log
from triaged.daemon.looking import Kept
from triaged.mail.ports import Outcome, Parcel, Sent, Unknown
from triaged.mail.smtp import Submission
from triaged.mail.transaction import Timeouts
from triaged.settings.model import Settings, SmtpSettings
from triaged.ticket.wire import compose, date_value, mailbox_value, text_value
from triaged.tracker import alarms, leases
from triaged.tracker.engine import writing
from triaged.tracker.measuring import Measures

LOOK_SECONDS = 30.0
LEASE = timedelta(minutes=10)  # one process of all on this tracker speaks; a dead one gives it up sooner
_PATIENCE = Timeouts(greeting=30.0, mail=30.0, rcpt=30.0)
_LEASE_NAME = "alarms"


@dataclass(slots=True)
class Memory:
    """What one process keeps between two looks."""

    began: datetime
    suspected: dict[str, datetime] = field(default_factory=dict)
    said: dict[str, datetime] = field(default_factory=dict)  # as last read: all there is while the database is away
    unwritten: bool = False  # something was said that the tracker does not know of


@dataclass(frozen=True, slots=True)
class Way:
    """An account that alarms go out by, and whose address they come from."""

    account: SmtpSettings
    address: str


def ways(settings: Settings) -> tuple[Way, ...]:
    """The second server first, where there is one; then each mailbox's own, until one takes the mail."""
    own = [Way(m.smtp, m.address) for m in settings.mailboxes if m.smtp]
    second = [Way(settings.ops.smtp, settings.mailboxes[0].address)] if settings.ops.smtp else []
    servers = {(way.account.host, way.account.port, way.account.username): way for way in reversed((*second, *own))}
    return tuple(reversed(servers.values()))


def watch_over(house: House, stop: Event) -> None:
    """Look again and again until `stop`."""
    memory = Memory(clock.real())
    looks = Kept(lambda: status.look(house), 0.0, time.monotonic)
    while not stop.is_set():
        look(house, memory, _asked(looks), clock.real())
        stop.wait(LOOK_SECONDS)


def _asked(looks: Kept[Measures]) -> Measures | None:
    """None where the database gives no answer in time: this part must be able to say so."""
    try:
        return looks.ask().result(status.PATIENCE_SECONDS)
    except (SQLAlchemyError, OSError, TimeoutError):
        return None


def look(house: House, memory: Memory, measures: Measures | None, now: datetime) -> Saying | None:
    """One look: what is new is mailed, and remembered once a server has it. None where another process speaks."""
    if not _ours(house, memory, measures, now):
        return None
    settings = house.settings
    ops = settings.ops
    bounds = Bounds(
        timedelta(minutes=ops.unswept_minutes), timedelta(minutes=ops.outbox_minutes), ops.disk_free_mib * 2**20
    )
    state = State(now, memory.began, measures, status.watched(settings), status.disk_free(settings))
    memory.suspected = suspects(state, memory.suspected, memory.said)
    found = saying(troubles(state, bounds, memory.suspected, memory.said), memory.said, now)
    if found and send(settings, found, now):
        _remember(house, memory, found, now)
    return found


def _ours(house: House, memory: Memory, measures: Measures | None, now: datetime) -> bool:
    """Whether this process is the one that speaks. With no database nobody can say, and each that sees it does."""
    if measures is None:
        return True
    try:
        with writing(house.engine) as connection:
            if not leases.take(connection, _LEASE_NAME, house.owner, now, LEASE):
                return False
            if memory.unwritten:
                alarms.replace(connection, memory.said)
                memory.unwritten = False
            memory.said = alarms.said(connection)
    except SQLAlchemyError:
        pass
    return True


def _remember(house: House, memory: Memory, found: Saying, now: datetime) -> None:
    told = [trouble.key for trouble in (*found.begun, *found.still)]
    memory.said = {key: at for key, at in memory.said.items() if key not in found.over} | dict.fromkeys(told, now)
    try:
        with writing(house.engine) as connection:
            alarms.replace(connection, memory.said)
    except SQLAlchemyError as error:  # what was said of the database itself, mostly
        memory.unwritten = True
        log.error("alarm not remembered", error=type(error).__name__)


def send(settings: Settings, found: Saying, now: datetime) -> bool:
    """Mail it to each of `ops.alarm`; whether anybody was reached."""
    reached = [asyncio.run(_send(settings, to, found, now)) for to in settings.ops.alarm]
    log.warning("alarm", begun=len(found.begun), still=len(found.still), over=len(found.over), reached=sum(reached))
    return any(reached)


async def _send(settings: Settings, to: str, found: Saying, now: datetime) -> bool:
    for way in ways(settings):
        if isinstance(
            await _hand_in(way, to, written(way.address, to, settings.ops.alarm, found, now)), Sent | Unknown
        ):
            return True
    return False


async def _hand_in(way: Way, to: str, data: bytes) -> Outcome:
    submission = Submission(way.account, 1, _PATIENCE)
    sender = "" if way.account.envelope == "null" else way.address
    try:
        return await submission.send(Parcel(sender, to, data, ""))
    finally:
        await submission.close()


def written(address: str, to: str, everybody: Sequence[str], found: Saying, now: datetime) -> bytes:
    """The mail. An answer goes to ops: to the mailbox it would be a report."""
    fields = [
        ("From", mailbox_value("triaged", address)),
        ("To", mailbox_value("", to)),
        ("Reply-To", ",\r\n ".join(mailbox_value("", one) for one in everybody)),
        ("Subject", text_value(subject(found))),
        ("Date", date_value(now)),
        ("Message-ID", f"<alarm.{secrets.token_hex(16)}@{address.rpartition('@')[2]}>"),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
        ("X-Auto-Response-Suppress", "All"),
    ]
    return compose(fields, text(found))
