"""The conversations of tests/fuzz/leaks.py through `triaged run --once`, Dovecot and Postfix: many at once in one installation.

    make leaks-real            three hundred, in groups of twenty

Every letter that went is looked at as its bytes lie in the outbox, and then again in every researcher's mailbox.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.e2e.installation import Installation, unusual, without_trace
from tests.fuzz.leak_marks import Mark
from tests.fuzz.leak_moves import Move, moves, step
from tests.fuzz.leak_play import DESKS, HOUSE, INTERNAL, Cast, Play
from tests.fuzz.leaks import shown
from tests.fuzz.ledger import Queued, Row
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock
from triaged.ticket.events import State
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.worked import Person
from triaged.tracker.engine import connect, reading
from triaged.tracker.installation import kept_key
from triaged.tracker.schema import blob, clock, letter, message, participant, person, ticket

pytestmark = pytest.mark.timeout(900)

GROUP = 20
_NOT_HERE = frozenset(
    {"second", "desk-note", "pass"}
)  # of another tenant, at the command line; time passes for all at once


@dataclass
class Mirror:
    """One conversation's tickets as the tracker's rows have them after a pass. Mail waits in `post` until all have written."""

    desks: Mapping[str, Any]
    at: datetime
    rows: dict[str, Row] = field(default_factory=dict)
    post: list[bytes] = field(default_factory=list)
    entropy: Callable[[int], bytes] = secrets.token_bytes

    def receive(self, raw: bytes, mailbox: str) -> Any:
        self.post.append(raw)
        return SimpleNamespace(outcome="", reason="")

    def tend(self) -> None:
        """Done by the pass."""

    def send(self) -> list[Queued]:
        """Done by the pass."""
        return []


@dataclass
class Group:
    """Some conversations in one installation."""

    house: Installation
    first: int
    count: int
    seed: int
    most: int  # moves of one
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    went: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.members = {f"{who}.{self.house.name}@example.test": name for who, name in _MEMBERS.items()}
        configured(self.house, self.members)
        self.house.command("run", "--once")  # the tracker and its key are made
        self.engine: Engine = connect(self.house.url)
        with reading(self.engine) as connection:
            key = kept_key(connection)
        assert key is not None
        desk = replace(HOUSE, address=self.house.address, keys=(key,))
        self.plays = [self._play(number, key, desk) for number in range(self.first, self.first + self.count)]
        self.scripts = [self._script(number) for number in range(self.first, self.first + self.count)]

    def _play(self, number: int, key: bytes, desk: Any) -> Play:
        cast = Cast(
            members=self.members,
            team=self.house.team,
            people={
                f"{who}.{number}.{self.house.name}@{at}": f"{name} {_ordinal(number)}" for who, name, at in _PEOPLE
            },
            friends=tuple(f"{who}.{number}.{self.house.name}@friends.test" for who in ("friend", "pal")),
            stranger=f"eve.{number}.{self.house.name}@evil.test",
            key=key,
        )
        play = Play(Mirror({**DESKS, "security": desk}, self.at), cast=cast)  # type: ignore[arg-type]
        play.marks = self._shared(play.marks)
        return play

    def _shared(self, own: list[Mark]) -> list[Mark]:
        """One list for all: what is secret in one conversation is in every other."""
        known = {m.token for m in self.marks}
        self.marks += [m for m in own if m.token not in known]
        return self.marks

    def _script(self, number: int) -> list[Move]:
        whole = moves(Random(f"{self.seed}/{number}"), self.most)
        return [m for m in whole if m.kind not in _NOT_HERE]

    def play(self) -> None:
        for round_ in range(max(map(len, self.scripts))):
            for play, script in zip(self.plays, self.scripts, strict=True):
                if round_ < len(script):
                    play.ledger.at = self.at
                    try:
                        step(play, script[round_])
                    except IndexError:  # nothing can be written on: the report was none of theirs alone
                        play.story.append("no ticket yet")
            self.pass_(timedelta(minutes=3) if round_ % 4 < 3 else timedelta(hours=90))
        self.pass_(timedelta(hours=400))
        self.pass_(timedelta(hours=1))
        self.compare()

    def pass_(self, later: timedelta) -> None:
        """All that was written arrives, and the program does all that is due."""
        post = [raw for play in self.plays for raw in play.ledger.post]  # type: ignore[attr-defined]
        if post:
            self.house.dovecot.deliver_many([(raw, self.house.address, "writer@example.org") for raw in post])
        for play in self.plays:
            play.ledger.post.clear()  # type: ignore[attr-defined]
        self.at += later
        done = self.house.command("run", "--once", "--at", self.at.isoformat())
        assert done.returncode == 0, unusual(done.stderr)
        self.look()

    def look(self) -> None:
        """The tickets of each conversation as they stand now, and the letters that went since."""
        rows = rows_of(self.engine, self.held, self.house)
        gone: list[tuple[Play, Queued]] = []
        for play in self.plays:
            mine = {t: r for t, r in rows.items() if r.reporter and r.reporter.address in play.cast.people}
            play.ledger.rows = mine
            play.look()
            gone += [(play, q) for r in mine.values() for q in r.letters if q.state == "accepted"]
        for play, queued in sorted(gone, key=lambda pair: pair[1].number):
            if queued.number not in self.went:
                self.went.add(queued.number)
                play.went(queued)

    def compare(self) -> None:
        """What lies in the mailboxes is what was looked at, and nothing else."""
        with reading(self.engine) as connection:
            sent = select(blob.c.data).join(letter, letter.c.blob_id == blob.c.id).where(letter.c.id.in_(self.went))
            known = {without_trace(data).rstrip() for data in connection.execute(sent).scalars()}
        for play in self.plays:
            for address in (*play.cast.people, *play.cast.friends, play.cast.stranger):
                for raw in self.house.inbox(address):
                    assert without_trace(raw).rstrip() in known, f"{address} got what was not looked at: {raw[:2000]!r}"

    def said(self) -> str:
        seen = [play.seen for play in self.plays]
        return (
            f"{len(seen)} conversations through real servers, {sum(map(len, self.scripts))} moves, {len(self.marks)} secrets; "
            f"{sum(s.letters for s in seen)} letters to researchers and {sum(s.team for s in seen)} to the team looked at; "
            f"{sum(s.held for s in seen)} held, {sum(s.released for s in seen)} released by /send; "
            f"{sum(bool(s.problems) for s in seen)} conversations with a leak"
        )


_MEMBERS = {"dana": "Dana Levi", "ron": "Ron Katzman", "mia": "Mia Sternfeld"}
_PEOPLE = (
    ("noa", "Noa Bendavid", "proven.test"),
    ("ingrid", "Ingrid Vasquez", "elsewhere.test"),
    ("kenji", "Kenji Watanabe", "hall.test"),
)


def _ordinal(number: int) -> str:
    """A second surname, so that no two conversations have a person of the same name."""
    letters = "abcdefghij"
    return "Q" + "".join(letters[int(digit)] for digit in f"{number:04}")


def configured(house: Installation, members: Mapping[str, str]) -> None:
    """Three members, an undo time, internal words."""
    house.write(undo_seconds=120)
    written = house.config.read_text()
    head, _, tail = written.partition("[[team.member]]")
    rest = tail.partition("[http]")[2]
    roles = zip(members.items(), ("triager", "lead", "observer"), strict=True)
    people = "".join(
        f"[[team.member]]\nname = {json.dumps(name)}\naddress = {json.dumps(address)}\nrole = {json.dumps(role)}\n"
        'notify = "board"\n\n'
        for (address, name), role in roles
    )
    house.config.write_text(f"{head}internal = {json.dumps(list(INTERNAL))}\n\n{people}[http]{rest}")


def rows_of(engine: Engine, held: set[int], house: Installation) -> dict[str, Row]:
    """Every ticket with its people and letters. `held`: numbers of letters that the gate has held, which grows."""
    with reading(engine) as connection:
        tickets = connection.execute(select(ticket).order_by(ticket.c.id)).all()
        people = select(participant, person.c.address, person.c.written, person.c.name).join(person)
        taking = connection.execute(people.order_by(participant.c.since)).all()
        clocks = connection.execute(select(clock.c.ticket_id, clock.c.promise).where(clock.c.met_at.is_(None))).all()
        columns = select(letter, message.c.subject, message.c.text, message.c.answers, blob.c.data)
        joined = columns.join(message, message.c.id == letter.c.message_row).join(blob, blob.c.id == letter.c.blob_id)
        letters = connection.execute(joined.order_by(letter.c.id)).all()
    names = {t.id: TicketName(t.token, t.ref) for t in tickets}
    desk = replace(HOUSE, address=house.address)
    rows = {
        t.id: Row(names[t.id], desk, t.kind, t.subject, t.since, t.received_at, state=State(t.state)) for t in tickets
    }
    for t in tickets:
        rows[t.id].merged_into = names[t.merged_into].token if t.merged_into else ""
        rows[t.id].people = tuple(
            Person(p.address, p.written, p.name, p.role, p.proven) for p in taking if p.ticket_id == t.id
        )
        now = t.received_at
        rows[t.id].clocks = tuple(Clock(c.promise, "", None, now, now, False) for c in clocks if c.ticket_id == t.id)
    for x in letters:
        if x.ticket_id is not None:
            rows[x.ticket_id].letters.append(_queued(x, rows[x.ticket_id], held))
    return {row.name.token: row for row in rows.values()}


def _queued(x: Any, row: Row, held: set[int]) -> Queued:
    if x.state == "held" and not x.hold_reason.startswith("held by"):
        held.add(x.id)
    sent = Letter(
        row.name.token, Audience(x.audience), Role(x.answers), x.to_address, x.envelope_from, x.message_id, x.subject,
        x.template, x.template_version, x.language, x.text, x.data, (), x.proven, x.not_before, x.hold_reason, x.author,
    )  # fmt: skip
    return Queued(x.id, row, sent, x.queued_at, x.state, x.not_before, x.hold_reason, x.id in held, x.attempts)


def try_group(house: Installation, first: int, count: int, most: int, seed: int = 1) -> None:
    """Play them, print what was tried, and fail with the whole conversation where one leaks."""
    group = Group(house, first, count, seed, most)
    group.play()
    print(group.said())
    failed = [shown(play) for play in group.plays if play.seen.problems]
    assert not failed, "\n\n".join(failed[:3])
    assert sum(play.seen.letters for play in group.plays) > count, "too few letters: nothing was tried"
    group.engine.dispose()


@pytest.mark.parametrize("first", range(0, 300, GROUP))
def test_no_letter_through_real_servers_holds_a_secret(small_house: Installation, first: int) -> None:
    try_group(small_house, first, GROUP, most=10)
