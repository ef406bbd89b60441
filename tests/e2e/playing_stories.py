"""Plays the golden stories of tests/ticket/stories with real servers and `triaged run --once --at`. Judges nothing."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from sqlalchemy import select

from tests.e2e.installation import POLICY, Installation, until, unusual
from tests.servers.postfix import AUTHSERV_ID, Server
from tests.ticket.telling_stories import ACTS, POLICIES, RECEIVED, STORIES, assessment
from triaged.cli.simulate import REPORTER, SERVER, sample
from triaged.daemon.desks import known_desks
from triaged.daemon.tending import desk_of
from triaged.policy.calendar import due_local
from triaged.policy.load import load_policy
from triaged.policy.model import Policy
from triaged.settings.load import load as load_settings
from triaged.ticket.clocks import standing
from triaged.ticket.events import State
from triaged.ticket.reference import token_of
from triaged.ticket.simulation import Act
from triaged.ticket.verbs import move
from triaged.tracker import clocks
from triaged.tracker.acting import act
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.schema import letter
from triaged.tracker.schema import ticket as ticket_table

WORDS = "We could reproduce it, thank you. We are working on it."  # every letter of the member
OWN = "(a member's own letter)"  # as the stories write it
BESIDE = ("board", "done")  # the day's board, and what the team hears of a member's letter: no clock's
HEAD = re.compile(r"^== \d+\. (\S+)  to the (researcher|team): (\w+)(?:, keeps ([\w, ]+?))? =*$", re.MULTILINE)
KEY = re.compile(r"(\+[0-9a-z]{8}\.[a-z]\.)[0-9a-z]+@")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A letter, as a story tells it."""

    at: datetime
    audience: str
    template: str
    to: str = ""
    subject: str = ""
    text: str = ""
    keeps: frozenset[str] = frozenset()

    def line(self) -> str:
        """All but its words. A member's letter names what it may keep, also what is kept already."""
        keeps = f", keeps {', '.join(sorted(self.keeps))}" if self.text != OWN else ""
        return f"{self.at.isoformat()} to the {self.audience}, {self.to}: {self.template}{keeps}: {self.subject}"


def golden(name: str) -> tuple[str, list[Told]]:
    """The reference in that story, and its letters in order."""
    story = (STORIES / f"{name}.txt").read_text(encoding="utf-8")
    heads = list(HEAD.finditer(story))
    ends = [*(h.start() for h in heads[1:]), len(story)]
    ref = story.partition("the report ")[2].partition(",")[0]
    return ref, [_written(h, story[h.end() : end]) for h, end in zip(heads, ends, strict=True)]


def golden_clocks(name: str) -> list[str]:
    """The lines of the clocks in that story."""
    story = (STORIES / f"{name}.txt").read_text(encoding="utf-8")
    return story.partition("The clocks:\n")[2].partition("\n\n")[0].split("\n")


def _written(head: re.Match[str], rest: str) -> Told:
    fields, _, text = rest.strip("\n").partition("\n\n")
    at, audience, template, keeps = head.groups()
    named = frozenset((keeps or "").split(", ")) - {""}
    if fields == OWN:
        return Told(datetime.fromisoformat(at).astimezone(UTC), audience, template, text=OWN, keeps=named)
    to, subject = (line.partition(": ")[2] for line in fields.split("\n"))
    return Told(datetime.fromisoformat(at).astimezone(UTC), audience, template, to, subject, _bare(text), named)


def _bare(text: str) -> str:
    """Without what is drawn by lot: the key of a reply address."""
    return KEY.sub(r"\1KEY@", "\n".join(line.rstrip() for line in text.rstrip().split("\n")))


@dataclass
class Play:
    """One story on one installation, whose mailbox is the policy's own contact."""

    house: Installation
    server: Server
    name: str
    passes: int = 0

    def __post_init__(self) -> None:
        self.file = POLICIES / f"{self.name}.toml"
        self.policy: Policy = load_policy(self.file)
        self.ref, self.expected = golden(self.name)
        contact = self.policy.contact.lower()
        self.house.address, self.house.team = contact, f"security-team@{contact.rpartition('@')[2]}"
        self.house.researcher = REPORTER
        for address in (self.house.address, self.house.team, self.house.researcher):
            self.house.dovecot.forget(address)
        self.house.write()
        written = self.house.config.read_text()
        self.house.config.write_text(written.replace(json.dumps(str(POLICY)), json.dumps(str(self.file))))

    def instants(self) -> list[datetime]:
        """When a letter or a deed of the team stands in the story."""
        return sorted({*(told.at for told in self.expected), *(deed.at for deed in ACTS)})

    def to_the_end(self, *, between: bool) -> None:
        """A pass at each instant; with `between` also passes in the middle of two and a second before, which say nothing."""
        self.report()
        before = RECEIVED
        for at in self.instants():
            if between and at - before > 2 * SECOND:
                self.nothing_is_said(before + (at - before) / 2)
                self.nothing_is_said(at - SECOND)
            for deed in (d for d in ACTS if d.at == at):
                self.do(deed)
            self.once(at)
            before = at
        self.nothing_is_said(before + timedelta(hours=1))

    def once(self, at: datetime) -> None:
        done = self.house.command("run", "--once", "--at", at.isoformat())
        assert done.returncode == 0, unusual(done.stderr)
        self.passes += 1

    def nothing_is_said(self, at: datetime) -> None:
        """A pass that adds no letter of this story."""
        known = len(self.letters())
        self.once(at)
        assert len(self.letters()) == known, f"a letter at {at.isoformat()}, where the story has none"

    def report(self) -> None:
        """Filed with the date of its receipt: a server would say its own, which a machine's clock may have wrong."""
        raw = sample(RECEIVED, self.house.address, proven=True).replace(SERVER.encode(), AUTHSERV_ID.encode())
        with self.house.dovecot.session(self.house.address) as peer:
            kind, answer = peer.append("INBOX", "", RECEIVED, raw)
        assert kind == "OK", answer

    def do(self, deed: Act) -> None:
        if deed.promise:
            self.answer(deed.at, f"{assessment(self.policy)}\n\n" if deed.promise == "assess" else "")
        elif deed.state is not None:
            self.move(deed.state, deed.at)

    def answer(self, at: datetime, command: str) -> None:
        """The member replies to the mail that told the team of the report, and Postfix takes it."""
        asked = self.house.got(self.house.team)[0]
        keyed = str(asked["Reply-To"]).rpartition("<")[2].rstrip(">")
        message = EmailMessage()
        message["From"], message["To"], message["Date"] = self.house.member, keyed, format_datetime(at)
        message["Subject"], message["In-Reply-To"] = f"Re: {asked['Subject']}", str(asked["Message-ID"])
        message["Message-ID"] = f"<{secrets.token_hex(8)}@example.test>"
        message.set_content(f"{command}{WORDS}\n")
        held = self.house.dovecot.count(self.house.address)
        self.server.send(bytes(message), self.house.member, keyed)
        until(lambda: self.house.dovecot.count(self.house.address) > held, what="the member's letter arrives")

    def move(self, state: State, at: datetime) -> None:
        """What `triaged ticket VERB` does, at the story's own time."""
        settings = load_settings(self.house.config, {})
        token = token_of(self.real_ref()) or ""
        engine = connect(self.house.url)
        with writing(engine) as connection:
            desks = known_desks(connection, settings, at)
            act(
                connection, token, lambda ticket, desk: move(ticket, state, "member:Dana Levi", at),
                lambda loaded: desk_of(loaded, desks), at, secrets.token_bytes,
            )  # fmt: skip
        engine.dispose()

    def real_ref(self) -> str:
        [ticket] = self.house.tickets()
        return str(ticket["ref"])

    def rows(self) -> list[Any]:
        """Every letter in the outbox, in the order that they were queued."""
        kept = (letter.c.message_id, letter.c.audience, letter.c.to_address, letter.c.template, letter.c.meets)
        engine = connect(self.house.url)
        try:
            with reading(engine) as connection:
                return list(connection.execute(select(*kept, letter.c.state).order_by(letter.c.id)))
        finally:
            engine.dispose()

    def letters(self) -> list[Any]:
        """Those that the stories tell of."""
        return [row for row in self.rows() if row.template not in BESIDE]

    def told(self) -> list[Told]:
        """The letters of the story as they lie in the mailboxes of the researcher and of the team."""
        rows, held = self.rows(), dict[str, EmailMessage]()
        assert {row.state for row in rows} == {"accepted"}
        for address in (self.house.researcher, self.house.team):
            count = sum(row.to_address == address for row in rows)
            got = self.house.got(address, count)
            assert len(got) == count, f"{len(got)} of {count} letters to {address}"
            held |= {str(message["Message-ID"]).strip(): message for message in got}
        return [self._told(row, held[row.message_id]) for row in self.letters()]

    def _told(self, row: Any, message: EmailMessage) -> Told:
        at = parsedate_to_datetime(str(message["Date"])).astimezone(UTC)
        words = message.get_body(("plain",))
        assert words is not None
        text = str(words.get_content())
        if row.template in ("answer", "assessed"):
            assert text.strip() == WORDS if row.template == "answer" else WORDS in text.splitlines()
            return Told(at, row.audience, row.template, text=OWN, keeps=frozenset(row.meets))
        to, subject = str(message["To"]), self._as_golden(str(message["Subject"]))
        return Told(at, row.audience, row.template, to, subject, self._as_golden(text), frozenset(row.meets))

    def _as_golden(self, text: str) -> str:
        """The words with the reference that the story has."""
        ours, theirs = self.real_ref(), self.ref
        return _bare(text.replace(ours, theirs).replace(token_of(ours) or "", token_of(theirs) or ""))

    def clocks(self) -> list[str]:
        """The clocks of the ticket, written as a story writes them."""
        engine = connect(self.house.url)
        with reading(engine) as connection:
            number = connection.execute(select(ticket_table.c.id)).scalar_one()
            found = tuple(clocks.load(connection, [number])[number].values())
        engine.dispose()
        lines = []
        for clock in found:
            instants = [clock.started_at, clock.due_at, clock.met_at]
            started, due_at, met = (due_local(i, self.policy.calendar) if i else "" for i in instants)
            line = f"  {clock.promise:12} {clock.round:2}  started {started}  due {due_at}  {standing(clock).value:8} {met}"
            lines.append(line.rstrip())
        return sorted(lines)


def is_as_written_down(play: Play) -> None:
    """The letters in the mailboxes and the clocks in the tracker are those of the story."""
    told = play.told()
    _same([one.line() for one in told], [one.line() for one in play.expected])
    for ours, theirs in zip(told, play.expected, strict=True):
        assert ours.keeps >= theirs.keeps, ours.line()
        _same(ours.text.split("\n"), theirs.text.split("\n"))
    _same(play.clocks(), sorted(golden_clocks(play.name)))


def _same(ours: list[str], theirs: list[str]) -> None:
    assert ours == theirs, "\n".join(unified_diff(theirs, ours, "the story", "for real", lineterm=""))
