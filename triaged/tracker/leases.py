"""Leases, process heartbeats and the state of parts: who may do what, and who is alive. Instants here are always the real ones."""

from __future__ import annotations

import contextlib
import os
import socket
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from triaged.tracker import outbox, receipts, studying
from triaged.tracker.engine import insert_if_new
from triaged.tracker.schema import lease, part

ALIVE = timedelta(seconds=20)  # a process that has not said so for this long is dead
SKEW = timedelta(minutes=5)  # that the clocks of two machines may differ by
_PROCESS = "process:"


def owner_name(nonce: str) -> str:
    """This process: host, PID and a nonce, because PIDs come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{nonce}"


def take(connection: Connection, name: str, owner: str, now: datetime, length: timedelta) -> bool:
    """Take or renew the lease `name`. False while somebody else who is alive has it.

    One that ends later than a lease can was written before the clock was set back: it says nothing of its owner.
    """
    if insert_if_new(connection, lease, {"name": name, "owner": owner, "until": now + length}):
        return True
    lapsed = or_(lease.c.until < now, lease.c.until > now + length + SKEW)
    free = (lease.c.name == name, or_(lease.c.owner == owner, lapsed))
    return connection.execute(update(lease).where(*free).values(owner=owner, until=now + length)).rowcount == 1


def give_up(connection: Connection, owner: str) -> None:
    """Give back every lease of this owner."""
    connection.execute(delete(lease).where(lease.c.owner == owner))


def beat(connection: Connection, owner: str, now: datetime) -> None:
    """Say that this process is alive."""
    take(connection, _PROCESS + owner, owner, now, ALIVE)


def reap(connection: Connection, owner: str, now: datetime) -> list[str]:
    """Take over from dead processes: their leases are free, their claims are released. Returns their names."""
    rows = connection.execute(select(lease.c.owner, lease.c.until).where(lease.c.name.startswith(_PROCESS))).all()
    dead = [r.owner for r in rows if r.owner != owner and (_lapsed(r.until, now) or _dead_here(r.owner))]
    for gone in dead:
        receipts.release(connection, gone)
        studying.release(connection, gone)
        outbox.release(connection, gone, now)
        give_up(connection, gone)
        connection.execute(delete(part).where(part.c.owner == gone))
    return dead


def others(connection: Connection, owner: str, now: datetime) -> list[str]:
    """Other processes that are alive."""
    processes = select(lease.c.owner, lease.c.until).where(lease.c.name.startswith(_PROCESS), lease.c.owner != owner)
    return [row.owner for row in connection.execute(processes) if not _lapsed(row.until, now)]


def _lapsed(until: datetime, now: datetime) -> bool:
    """Silent for too long; or last heard of before the clock was set back, so that nothing is known of it."""
    return until < now or until > now + ALIVE + SKEW


def _dead_here(owner: str) -> bool:
    """Known dead without waiting: a process of this machine whose PID is gone."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname() or not pid.isdigit():
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return False


def report(connection: Connection, name: str, owner: str, state: str, reason: str, now: datetime) -> None:
    """How a part of this process fares."""
    row: dict[str, Any] = {"name": name, "owner": owner, "state": state, "reason": reason[:500], "beat_at": now}
    if insert_if_new(connection, part, {**row, "since": now}):
        return
    changed = (part.c.name == name, or_(part.c.state != state, part.c.owner != owner))
    connection.execute(update(part).where(*changed).values(since=now))
    connection.execute(update(part).where(part.c.name == name).values(row))


def parts(connection: Connection) -> list[Any]:
    """Every part that has said how it fares, by name."""
    return list(connection.execute(select(part).order_by(part.c.name)).all())
