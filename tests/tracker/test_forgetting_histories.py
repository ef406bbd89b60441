"""Random histories of several people on several tickets; then some are forgotten, one after the other."""

from __future__ import annotations

import base64
import os
import quopri
import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import MEMBER, key, mail
from tests.tracker.forgetting import NEVER, forms, remains
from tests.tracker.test_commanding import HOUSE, RON, name, says
from tests.tracker.tracked import SENT, Tracked, open_tracker
from triaged.mail.ports import Fetched
from triaged.message.replies import own_words
from triaged.ticket.address import Role
from triaged.ticket.grammar import Refused, read_orders
from triaged.tracker.commanding import command
from triaged.tracker.compacting import compact
from triaged.tracker.engine import writing
from triaged.tracker.erasures import perform
from triaged.tracker.schema import blob, message, ticket
from triaged.tracker.scope import Subject

SEEDS = range(int(os.environ.get("TRIAGED_HISTORIES", "4")))
FIRST = ("Zelgard", "Örvandil", "Quintessa", "Bromhild")
LAST = ("Plinkowska", "van Drümmel", "Xocolatl", "Fnordqvist")


@dataclass
class Someone:
    """A person, and everything that only they have."""

    number: int
    name: str
    address: str
    words: list[str] = field(default_factory=list)

    @property
    def author(self) -> str:
        coded = base64.b64encode(self.name.encode()).decode()
        return f"=?utf-8?B?{coded}?= <{self.address}>"


@dataclass
class History:
    tracked: Tracked
    rng: random.Random
    people: list[Someone]
    counted: int = 0

    def sentence(self, who: Someone) -> str:
        """Words that nobody said before."""
        self.counted += 1
        made = (
            f"flumm{self.counted:03d}x{who.number} and the grintle{self.counted:03d}y{who.number} stand open at night"
        )
        who.words.append(made)
        return made

    def raw(self, who: Someone, to: str, subject: str, text: str) -> bytes:
        """Plain, quoted-printable or base64."""
        form = self.rng.choice(("plain", "quoted-printable", "base64"))
        if form == "plain" and text.isascii():
            return mail(who.author, to, proven=True, subject=subject, text=text)
        form = "base64" if form == "plain" else form
        data = text.encode()
        body = quopri.encodestring(data) if form == "quoted-printable" else base64.encodebytes(data)
        fields = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {form}")
        return mail(who.author, to, proven=True, subject=subject, fields=fields, text=body.decode().strip())

    def report(self) -> None:
        who = self.rng.choice(self.people)
        signed = f"{self.sentence(who)}\n\n-- \n{who.name}\n{who.address}"
        self.tracked.receive(self.raw(who, HOUSE.address, f"Report of a flaw, {self.sentence(who)}", signed))

    def follow(self) -> None:
        if (number := self.some()) is None:
            return
        who, other = self.rng.choice(self.people), self.rng.choice(self.people)
        text = self.sentence(who)
        if other.words and self.rng.random() < 0.5:
            text += f"\n\nOn Friday, {other.name} wrote:\n> {self.rng.choice(other.words)}"
        self.tracked.receive(self.raw(who, key(name(self.tracked, number), Role.RESEARCHER), "Re: it", text))

    def note(self) -> None:
        if (number := self.some()) is not None:
            who = self.rng.choice(self.people)
            called = self.rng.choice((who.name, who.address, who.address.upper(), f"{who.name} <{who.address}>"))
            says(
                self.tracked,
                f"/note\n\nI spoke with {called} about it.",
                by=self.rng.choice((MEMBER, RON)),
                number=number,
            )

    def order(self) -> None:
        if (number := self.some()) is None:
            return
        who = self.rng.choice(self.people)
        words = self.rng.choice(
            (
                f"/add {who.address}",
                "/close",
                "/assess accepted high",
                f"/breach {who.name} did",
                "/extend assess 2027-02-02 later",
            )
        )
        orders = read_orders(own_words(f"{words}\n\n{'Thank you.' if 'assess ' in words else ''}", 1000))
        if isinstance(orders, Refused):
            return
        tracked = self.tracked
        with writing(tracked.engine) as connection:
            token = name(tracked, number).token
            command(connection, token, orders, MEMBER, lambda _: HOUSE, tracked.at, tracked.entropy)

    def answer(self) -> None:
        if (number := self.some()) is not None:
            who = self.rng.choice(self.people)
            says(self.tracked, f"Dear {who.name}, we look at it.", role=Role.RESEARCHER, number=number)

    def wait(self) -> None:
        self.tracked.live(self.tracked.at + timedelta(hours=self.rng.choice((1, 20, 50))))

    def again(self) -> None:
        """Something comes a second time, or our own letters are found in the sent folder."""
        kept = self.tracked.rows(blob)
        if kept:
            folder = self.rng.choice(("INBOX", SENT))
            self.tracked.deliver(self.rng.choice(kept).data or b"x", folder=folder)
            self.tracked.take_in()

    def some(self) -> int | None:
        live = [n for n, row in enumerate(self.tracked.rows(ticket)) if row.forgotten_at is None]
        return self.rng.choice(live) if live else None

    def step(self) -> None:
        moves = (
            self.report,
            self.follow,
            self.follow,
            self.note,
            self.order,
            self.order,
            self.answer,
            self.wait,
            self.again,
        )
        self.rng.choice(moves)()


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_history_nothing_of_the_forgotten_is_left_and_the_rest_holds(
    sqlite_engine: Engine, seed: int
) -> None:
    rng = random.Random(seed)
    people = [
        Someone(n, f"{first} {last}", f"{first[:3].lower()}.mark{n}@host{n}-marked.example".replace("ö", "o"))
        for n, (first, last) in enumerate(zip(FIRST, LAST, strict=True))
    ]
    history = History(open_tracker(sqlite_engine, HOUSE), rng, people)
    history.report()
    for _ in range(25):
        history.step()
    everything = [row.data for row in history.tracked.rows(blob)]
    gone: list[Someone] = []
    # Whose mail stands on a ticket has a name and words here; of who was only added, or held, the address is known.
    came = [(row.counterpart, row.text) for row in history.tracked.rows(message) if row.direction == "in"]
    called = {address for address, _ in came}
    for who in people:
        who.words = [w for w in who.words if any(a == who.address and w in text for a, text in came)]
    for who in rng.sample(people, 2):
        tracked = history.tracked
        tracked.take_in()
        perform(sqlite_engine, Subject("default", who.address), NEVER, MEMBER, tracked.at, tracked.entropy)
        gone.append(who)
        assert tracked.findings() == [], f"seed {seed}"
        history.tracked.live(tracked.at + timedelta(days=1))
    folders = history.tracked.folders()
    folders.open("INBOX", 2)
    swept = [
        Fetched(n, history.tracked.at, len(raw), raw, truncated=False, junk=False)
        for n, raw in enumerate(everything, 1)
        if raw
    ]
    folders.keep("INBOX", 2, swept, len(everything))
    history.tracked.take_in()
    assert history.tracked.findings() == [], f"seed {seed}"
    compact(sqlite_engine)
    marks = tuple(
        mark for who in gone for mark in (who.address, *((who.name,) if who.address in called else ()), *who.words)
    )
    assert remains(sqlite_engine, forms(marks)) == [], f"seed {seed}"
