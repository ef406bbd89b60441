"""A whole installation without its servers: what a mailbox would give is put in, what would be sent is read from the outbox."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from triaged.daemon.house import House, open_house
from triaged.daemon.intake import take_in
from triaged.daemon.schedule import do_due
from triaged.daemon.studying import study_some
from triaged.mail.ports import Fetched
from triaged.settings.load import load
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, event, letter, message, receipt, ticket

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "config/policies/ims-network.toml"
MAILBOX, TEAM, MEMBER = "security@example.test", "team@example.test", "dana@example.test"
NOA = "noa@example.org"
START = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
WORDS = "A page of yours runs what stands in its address, see the steps below."

CONFIG = """\
[tracker]
url = {url}
[[mailbox]]
name = {name}
address = "security@example.test"
policy = {policy}
plus_addressing = {plus}
[mailbox.smtp]
host = "127.0.0.1"
port = 1
security = "none"
envelope = {envelope}
[authenticity]
trusted_authserv_ids = ["mx.example.test"]
[team]
notify = ["team@example.test"]
[[team.member]]
name = "Dana Levi"
address = "dana@example.test"
role = "triager"
notify = "board"
[http]
listen = ""
[limits]
{limits}
"""


def configuration(directory: Path, url: str, *, name: str = "security", plus: bool = True, limits: str = "") -> Path:
    """A triaged.toml of one mailbox."""
    path = directory / "triaged.toml"
    values = {"url": url, "name": name, "policy": str(POLICY), "plus": plus, "envelope": "keyed" if plus else "address"}
    path.write_text(CONFIG.format(limits=limits, **{k: json.dumps(v) for k, v in values.items()}))
    return path


@dataclass
class World:
    """One installation at an instant that the test moves."""

    house: House
    now: list[datetime]
    uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def deliver(self, *raws: bytes, received: datetime | None = None, **how: Any) -> None:
        """Put messages into the mailbox, and store them as a sweep does. Nothing is read yet."""
        (mailbox,) = self.house.settings.mailboxes
        store = self.house.store(mailbox)
        store.open("INBOX", 1)
        batch = [
            Fetched(
                next(self.uids), received or self.now[0], len(raw), raw, **{"truncated": False, "junk": False, **how}
            )
            for raw in raws
        ]
        store.keep("INBOX", 1, batch, batch[-1].uid)

    def settle(self) -> None:
        """Read and decide all that waits, then study it."""
        intake = self.house.intake()
        while take_in(intake):
            pass
        studio = self.house.studio()
        while study_some(studio):
            pass

    def receive(self, *raws: bytes, **how: Any) -> list[Any]:
        """Deliver and settle one after the other; the letters that this queued."""
        before = {row.id for row in self.rows(letter)}
        for raw in raws:
            self.deliver(raw, **how)
            self.settle()
        return [row for row in self.letters() if row.id not in before]

    def tick(self) -> list[Any]:
        """What is due by the clock; the letters that this queued."""
        before = {row.id for row in self.rows(letter)}
        do_due(self.house)
        return [row for row in self.letters() if row.id not in before]

    def later(self, **how_much: float) -> None:
        self.now[0] += timedelta(**how_much)

    def rows(self, table: Any) -> list[Any]:
        with reading(self.house.engine) as connection:
            key = table.c.seq if "seq" in table.c else table.c.id
            return list(connection.execute(select(table).order_by(key)).all())

    def letters(self) -> list[Any]:
        """Every letter with its text and subject."""
        with reading(self.house.engine) as connection:
            joined = select(letter, message.c.text, message.c.subject).join(
                message, message.c.id == letter.c.message_row
            )
            return list(connection.execute(joined.order_by(letter.c.id)).all())

    def tickets(self) -> list[Any]:
        return self.rows(ticket)

    def receipts(self) -> list[Any]:
        return self.rows(receipt)

    def events(self) -> list[Any]:
        return self.rows(event)

    def clocks(self) -> list[Any]:
        return self.rows(clock)

    def accept_all(self) -> None:
        """The submission server takes every letter."""
        with writing(self.house.engine) as connection:
            connection.execute(update(letter).values(state="accepted", accepted_at=self.now[0]))


@contextmanager
def world(directory: Path, url: str = "", **settings: Any) -> Iterator[World]:
    """A fresh one on SQLite, or on the database of `url`."""
    now = [START]
    path = configuration(directory, url or f"sqlite:///{directory}/triaged.db", **settings)
    house = open_house(load(path, {}), lambda: now[0])
    try:
        yield World(house, now)
    finally:
        house.engine.dispose()


_numbers = itertools.count(1)


def mail(
    author: str = NOA,
    to: str = MAILBOX,
    *,
    proven: bool = False,
    subject: str = "XSS in login",
    text: str = WORDS,
    fields: tuple[str, ...] = (),
    message_id: str = "",
) -> bytes:
    """A message as a mailbox holds it. `proven`: the trusted server vouches for the author's domain."""
    domain = author.rpartition("@")[2].rstrip(">")
    proof = [f"Authentication-Results: mx.example.test; dmarc=pass header.from={domain}"] if proven else []
    own = message_id or f"<{next(_numbers)}.attack@example.org>"
    lines = [*proof, f"From: {author}", f"To: {to}", f"Subject: {subject}", "Date: Fri, 20 Nov 2026 09:00:00 +0000"]
    return "\r\n".join([*lines, f"Message-ID: {own}", *fields, "", *text.split("\n"), ""]).encode()


def reply_to(row: Any, world: World) -> str:
    """The Reply-To of a letter."""
    from email import message_from_bytes, policy

    from triaged.tracker.schema import blob

    with reading(world.house.engine) as connection:
        data = connection.execute(select(blob.c.data).where(blob.c.id == row.blob_id)).scalar_one()
    return str(message_from_bytes(data, policy=policy.default)["Reply-To"].addresses[0].addr_spec)
