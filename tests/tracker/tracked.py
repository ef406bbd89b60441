"""A tracker with desks: raw messages are delivered into it, taken in, and what they caused is looked at in its rows."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine, Table, select

from tests.ticket.scene import AT, DESK, READING, TRUST
from triaged.daemon.intake import Intake, take_in
from triaged.daemon.studying import Studio, study_some
from triaged.daemon.tending import Tender, desk_of, next_wake, tend_due
from triaged.mail.ports import Fetched
from triaged.message.replies import own_words
from triaged.reading.inventory import Inventory
from triaged.ticket.clocks import is_open
from triaged.ticket.desk import Desk
from triaged.ticket.grammar import Orders, read_orders
from triaged.ticket.reference import token_of
from triaged.ticket.worked import Obeyed
from triaged.tracker import chaining, installation, outbox
from triaged.tracker.acting import Deed, act
from triaged.tracker.auditing import findings
from triaged.tracker.commanding import command
from triaged.tracker.engine import reading, writing
from triaged.tracker.outbox import Parcel, Result
from triaged.tracker.receipts import Folders
from triaged.tracker.schema import letter, receipt, ticket

SENT = "Sent"  # every mailbox's own sent folder


class Entropy:
    """Random-looking bytes that are the same in every run, and never come twice."""

    def __init__(self, name: str) -> None:
        self._stream = (hashlib.sha256(f"{name}{n}".encode()).digest() for n in itertools.count())

    def __call__(self, length: int) -> bytes:
        return b"".join(next(self._stream) for _ in range(length // 32 + 1))[:length]


@dataclass
class Tracked:
    """One process on one tracker. `at` is its clock, set by the test."""

    engine: Engine
    desks: dict[str, Desk]
    owner: str = "here:1:a"
    at: datetime = AT
    most: int = 50
    entropy: Entropy = field(default_factory=lambda: Entropy("tracked"))
    uids: dict[str, int] = field(default_factory=dict)
    board_at: time = time(8, 30)
    inventories: dict[str, Inventory] = field(default_factory=dict)

    def intake(self) -> Intake:
        trusts = {desk.tenant: TRUST for desk in self.desks.values()}
        return Intake(self.engine, self.desks, trusts, READING, self.most, 2, self.owner, lambda: self.at, self.entropy)

    def folders(self, mailbox: str = "security") -> Folders:
        desk = self.desks[mailbox]
        return Folders(self.engine, desk.tenant, mailbox, self.at - timedelta(days=7), lambda: self.at, SENT)

    def deliver(
        self,
        *raws: bytes,
        mailbox: str = "security",
        folder: str = "INBOX",
        junk: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Messages arrive in a folder, at `at` by the server's word, and their receipts are stored."""
        start = self.uids.get(mailbox + folder, 0)
        batch = [
            Fetched(uid=start + n, internal_date=at or self.at, size=len(raw), raw=raw, truncated=False, junk=junk)
            for n, raw in enumerate(raws, start=1)
        ]
        folders = self.folders(mailbox)
        folders.open(folder, 1)
        folders.keep(folder, 1, batch, start + len(raws))
        self.uids[mailbox + folder] = start + len(raws)

    def take_in(self) -> None:
        """Read and decide all that waits, then study it."""
        intake = self.intake()
        while take_in(intake):
            pass
        self.study()

    def studio(self) -> Studio:
        return Studio(self.engine, self.desks, self.inventories, self.owner, lambda: self.at, self.entropy)

    def study(self) -> None:
        studio = self.studio()
        while study_some(studio):
            pass

    def tender(self) -> Tender:
        boards = dict.fromkeys(self.desks, self.board_at)
        return Tender(self.engine, self.desks, boards, lambda: self.at, self.entropy)

    def tend(self) -> None:
        """Do all that clocks have due, and hand over the letters, until nothing more is said at this instant."""
        tend_due(self.tender())
        while self.send_all():
            tend_due(self.tender())

    def wake_at(self) -> datetime | None:
        """When a clock is due next."""
        return next_wake(self.tender())

    def live(self, until: datetime) -> None:
        """Go from one wake-up to the next."""
        self.tend()
        while (following := self.wake_at()) is not None and following <= until:
            assert following > self.at, "a wake-up that would come at once"
            self.at = following
            self.tend()
        self.at = until

    def act(self, ref: str, deed: Deed) -> None:
        """What a member does, by the command line."""
        token = token_of(ref)
        assert token is not None
        with writing(self.engine) as connection:
            found = act(connection, token, deed, lambda loaded: desk_of(loaded, self.desks), self.at, self.entropy)
        assert found is not None

    def orders(self, ref: str, words: str, by: str = "operator", text: str = "") -> list[str]:
        """What a member or operator orders by the command line; the promises that are open after it."""
        orders = read_orders(own_words(f"{words}\n\n{text}", 1000))
        assert isinstance(orders, Orders), orders
        with writing(self.engine) as connection:
            done = command(
                connection,
                token_of(ref) or "",
                orders,
                by,
                lambda loaded: desk_of(loaded, self.desks),
                self.at,
                self.entropy,
            )
        assert isinstance(done, Obeyed), done
        return sorted({c.promise for c in done.worked.tended.clocks if is_open(c)})

    def receive(self, *raws: bytes, mailbox: str = "security") -> None:
        self.deliver(*raws, mailbox=mailbox)
        self.take_in()

    def rows(self, table: Table, **where: Any) -> list[Any]:
        chosen = [table.c[name] == value for name, value in where.items()]
        order = list(table.primary_key.columns)
        with reading(self.engine) as connection:
            return list(connection.execute(select(table).where(*chosen).order_by(*order)).all())

    def outcomes(self) -> list[str]:
        return [row.outcome for row in self.rows(receipt)]

    def refs(self) -> list[str]:
        return [row.ref for row in self.rows(ticket)]

    def letters(self, template: str | None = None) -> list[Any]:
        found = self.rows(letter)
        return [row for row in found if template is None or row.template.startswith(template)]

    def claim(self, most: int = 100, owner: str | None = None) -> list[Parcel]:
        with writing(self.engine) as connection:
            return outbox.claim(connection, owner or self.owner, self.at, most, list(self.desks))

    def record(self, parcels: Sequence[Parcel], state: str = "accepted", reply: str = "250 ok") -> None:
        results = [Result(p.id, state, reply, self.at, self.at) for p in parcels]
        with writing(self.engine) as connection:
            outbox.record(connection, results, self.entropy, frozenset())

    def send_all(self) -> list[Parcel]:
        """Hand every letter that may go to a server that accepts all."""
        sent: list[Parcel] = []
        while parcels := self.claim():
            self.record(parcels)
            sent += parcels
        return sent

    def broken(self) -> list[str]:
        with reading(self.engine) as connection:
            return [f"{b.seq}: {b.why}" for b in chaining.broken(connection)]

    def findings(self) -> list[str]:
        with reading(self.engine) as connection:
            return list(findings(connection, self.at))

    def later(self, **spans: float) -> None:
        self.at += timedelta(**spans)

    def another(self, owner: str) -> Tracked:
        """Another process on the same tracker."""
        return replace(self, owner=owner, entropy=Entropy(owner))


def open_tracker(engine: Engine, *desks: Desk) -> Tracked:
    """The tracker with these desks, their policies known to it."""
    all_desks = desks or (DESK,)
    with writing(engine) as connection:
        for desk in all_desks:
            installation.know_policy(connection, desk.policy, AT)
    return Tracked(engine, {desk.mailbox: desk for desk in all_desks})


def body_of(event: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.body)
    return found
