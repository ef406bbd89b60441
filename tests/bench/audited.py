"""`python -m tests.bench.audited`: how long `triaged audit` takes over many valid chains, and how much memory it holds.

The gate is a ratio within one run: the memory over all events beside that over a tenth of them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from tests.servers.postgres import postgres
from tests.servers.process import workdir
from triaged import resources
from triaged.policy.load import load_policy
from triaged.ticket.events import GENESIS, EventKind, link, payload, sealed
from triaged.tracker import blobs, installation, migrate
from triaged.tracker.engine import connect, writing
from triaged.tracker.schema import blob, event, receipt, ticket

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
EACH = 10  # events of a ticket
BATCH = 2000  # tickets written at a time
RATIO = 1.25  # memory over all events beside a tenth of them, at most
KINDS = (EventKind.RECEIVED, EventKind.QUEUED, EventKind.ACCEPTED, EventKind.STUDIED, EventKind.MESSAGE)
# What the command itself held at most, at its end: of this process alone (VmHWM).
RUN = (
    "import sys\nfrom triaged.cli.main import main\ntry:\n    main()\nfinally:\n"
    "    peak = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
    "    print('PEAK', peak.split()[1], file=sys.stderr)\n"
)


@dataclass(frozen=True, slots=True)
class Audited:
    """One run of the command."""

    events: int
    seconds: float
    peak: int  # bytes
    words: str
    progress: int  # lines on standard error while it went on


def fill(engine: Engine, first: int, last: int) -> None:
    """Tickets of these numbers, each with a receipt, its bytes and a valid chain."""
    for start in range(first, last, BATCH):
        numbers = range(start, min(start + BATCH, last))
        with writing(engine) as connection:
            _tickets(connection, numbers)


def _tickets(connection: Connection, numbers: range) -> None:
    policy = load_policy(ROOT / "config" / "policies" / "ims-network.toml")
    installation.know_policy(connection, policy, AT)
    tickets: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number in numbers:
        chain = _chain(number)
        events += chain
        tickets.append(_ticket(number, policy.sha256, chain[-1]["hash"]))
    raws = {n: f"Subject: report {n}\r\n\r\n{f'words of report {n} ' * 40}\r\n".encode() for n in numbers}
    connection.execute(ticket.insert(), tickets)
    rows = [{"id": n, "sha256": blobs.digest(raw), "size": len(raw), "data": raw} for n, raw in raws.items()]
    connection.execute(blob.insert(), rows)
    connection.execute(receipt.insert(), [_receipt(n, len(raws[n])) for n in numbers])
    connection.execute(event.insert(), events)


def _chain(number: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    last = GENESIS
    for seq in range(1, EACH + 1):
        kind, at = (
            KINDS[(seq - 1) % len(KINDS)] if seq == 1 else KINDS[1 + seq % 4],
            AT + timedelta(seconds=number, minutes=seq),
        )
        salt = (number * EACH + seq).to_bytes(16, "big")
        body = payload("triaged", {"receipt": number, "letter": f"<{number}.{seq}@example.test>", "words": "x" * 120})
        seal = sealed(salt, body)
        last = link(last, kind.value, at, seal)
        row = {"ticket_id": number, "seq": seq, "at": at, "kind": kind.value, "body": body, "salt": salt}
        rows.append({**row, "seal": seal, "hash": last})
    return rows


def _ticket(number: int, policy: str, head: bytes) -> dict[str, Any]:
    token = f"{number:08d}"
    common = {
        "tenant": "default",
        "mailbox": "security",
        "kind": "report",
        "state": "received",
        "policy_sha256": policy,
    }
    times = {"since": AT, "received_at": AT, "opened_at": AT}
    own = {"id": number, "token": token, "ref": f"IMS-{token[:4]}-{token[4:]}", "subject": f"Report {number}"}
    return {**common, **times, **own, "event_count": EACH, "head": head}


def _receipt(number: int, size: int) -> dict[str, Any]:
    place = {"tenant": "default", "mailbox": "security", "folder": "INBOX", "uidvalidity": 1, "uid": number}
    times = {"internal_date": AT, "received_at": AT, "taken_at": AT}
    return {**place, **times, "size": size, "blob_id": number, "outcome": "ticket", "ticket_id": number}


def audit(directory: Path, url: str, events: int) -> Audited:
    """The command in a process of its own."""
    environment = {**os.environ, "TRIAGED_TRACKER__URL": url, "SMTP_PASSWORD": "x", "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    words = [sys.executable, "-c", RUN, "audit", "--offline"]
    done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    peak = next(int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("PEAK")) * 1024
    progress = sum("events looked at" in line for line in done.stderr.splitlines())
    return Audited(events, seconds, peak, done.stdout.strip().replace("\n", "; "), progress)


@contextlib.contextmanager
def tracker(directory: Path, *, on_postgres: bool) -> Iterator[str]:
    if not on_postgres:
        yield f"sqlite:///{directory / 'audited.db'}"
        return
    with postgres() as server, server.database() as url:
        yield url


def measure(directory: Path, events: int, *, on_postgres: bool) -> tuple[Audited, Audited]:
    """Over a tenth of the events, then over all of them, on the same tracker."""
    shutil.copytree(ROOT / "config", directory / "here")
    (directory / "here" / "imap-password").write_text("x\n")
    with tracker(directory, on_postgres=on_postgres) as url:
        engine = connect(url)
        migrate.upgrade(engine, resources.migrations())
        tenth, whole = events // EACH // 10, events // EACH
        fill(engine, 1, tenth + 1)
        _settled(engine)
        small = audit(directory / "here", url, tenth * EACH)
        fill(engine, tenth + 1, whole + 1)
        _settled(engine)
        large = audit(directory / "here", url, whole * EACH)
        engine.dispose()
    return small, large


def _settled(engine: Engine) -> None:
    """As a tracker that has lived: with statistics on PostgreSQL, with an empty log on SQLite."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.audited")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true", help="the tracker on PostgreSQL")
    chosen = parser.parse_args(words)
    with workdir("audited") as directory:
        small, large = measure(directory, chosen.events, on_postgres=chosen.postgres)
    for one in (small, large):
        rate = one.events / one.seconds
        print(
            f"{one.events:9} events  {one.seconds:7.1f} s  {rate:8.0f} a second  {one.peak / 2**20:6.1f} MiB  {one.words}"
        )
    ratio = large.peak / small.peak
    print(f"memory over ten times the events: {ratio:.2f} times (at most {RATIO})")
    return 0 if ratio <= RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
