"""Marked people who agree, refuse and change their minds, in a real tracker; beside it, a plain account of what they said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from random import Random
from typing import Any

from sqlalchemy import select

from tests.fuzz.anonymity_marks import Marks
from tests.ticket.scene import DESK, KEY, MEMBER, TEAM
from tests.tracker.tracked import Tracked
from triaged.daemon.tending import desk_of
from triaged.message.replies import own_words
from triaged.policy.terms import Reward
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.desk import Colleague
from triaged.ticket.grammar import Orders, read_orders
from triaged.ticket.worked import Obeyed
from triaged.tracker.commanding import command
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import letter, message, ticket

HALL, ADVISORY = "hall", "advisory"
PARTIES = ("CERT Coordination Center", "Wombat Appliances")
HOURS = 25  # between two rounds: a day's caps are for machines
RON = "ron@example.test"  # the second member
POLICY = replace(
    DESK.policy,
    reward=Reward(offered=True),
    publish=replace(DESK.policy.publish, site="https://www.example.test/security"),
)
HOUSE = replace(
    DESK,
    policy=POLICY,
    two_person=True,
    own=DESK.own | {RON},
    caps=replace(DESK.caps, proven_per_hour=10_000, unproven_per_hour=10_000),
    members={
        MEMBER: Colleague("Dana Levi", MEMBER, notify="board"),
        RON: Colleague("Ron Katz", RON, notify="board"),
    },
)
OURS = frozenset({TEAM, MEMBER, RON})
TO_PUBLISH = 0.2  # of the tickets that are not on their way yet, in each round


@dataclass
class Seat:
    """One person on one ticket, and what they said there: an account that shares no code with the ledger."""

    person: str  # address
    reporter: bool
    name: str = ""
    waits: bool = False
    anonymous: bool = False
    given: set[str] = field(default_factory=set)  # hall, advisory, or a third party
    open: set[str] = field(default_factory=set)
    codes: dict[str, set[str]] = field(default_factory=dict)  # code -> what its letter asked for
    unconfirmed: dict[str, tuple[str, bool]] = field(default_factory=dict)  # code -> name, and whether it waits
    here: bool = True

    def shares(self, party: str) -> bool:
        """Whether what they wrote goes to that party."""
        return self.here and not self.anonymous and party in self.given

    def named(self, what: str) -> str:
        hidden = self.anonymous or self.waits or not self.here
        return "" if hidden or what not in self.given else self.name

    def credit(self, name: str, waits: bool) -> None:
        self.name, self.waits, self.anonymous = name, waits, False
        self.given |= {HALL, ADVISORY}
        self.open -= {HALL, ADVISORY}

    def nothing(self) -> None:
        self.given, self.open = set(), set()

    def agree(self, code: str) -> None:
        if not self.anonymous:
            now = self.codes.get(code, set()) & self.open
            self.given |= now
            self.open -= now

    def refuse(self, code: str) -> None:
        self.given -= self.codes.get(code, set())
        self.open -= self.codes.get(code, set())


@dataclass
class Told:
    """One ticket, as its people and the team know it."""

    ref: str
    token: str
    seats: list[Seat]
    valid: bool = False
    to_publish: bool = False  # there is a draft of it, and a day


@dataclass
class Cast:
    """Everybody and everything that one tracker was told."""

    tracked: Tracked
    random: Random
    marks: Marks
    tickets: list[Told] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    acts: int = 0

    # --- people ---

    def person(self) -> str:
        address = f"{self.marks.word('address', '')}@{self.random.choice(('example.org', 'hall.example', 'mail.example.net'))}"
        key = address.partition("@")[0]
        self.marks.by_key[key] = replace(self.marks.by_key[key], owner=address)
        self.people.append(address)
        return address

    def display(self, address: str) -> str:
        word = self.marks.word("name", address)
        return self.random.choice((word.title(), word.upper(), word.title().replace("a", "á").replace("o", "ö")))

    def chosen(self, address: str) -> tuple[str, bool]:
        """A name to be named by, and whether it is of another house."""
        word = self.marks.word("credit", address).title()
        shapes = (
            word,
            f"{word} B.",
            f"@{word}",
            word.replace("o", "ö").replace("a", "â"),
            f'O\'{word} "the Fox"',
            f"שלום {word}",
        )
        if self.random.random() < 0.15:
            return f"{word} of Google", True
        return self.random.choice(shapes), False

    def mail(self, author: str, to: str, text: str, proven: bool) -> bytes:
        """With marks wherever a mail has them."""
        mail = EmailMessage(policy=SMTP)
        host, ip = self.marks.word("host", author), self.marks.ip(author)
        shown = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
        if proven:
            domain = author.rpartition("@")[2]
            mail["Authentication-Results"] = f"mx.example.test; dmarc=pass header.from={domain}"
        mail["Received"] = (
            f"from {host}.example.net ({host}.example.net {shown}) by mx.example.test; 20 Nov 2026 09:12:00 +0000"
        )
        mail["From"] = f"{self.display(author)} <{author}>"
        mail["To"], mail["Subject"] = to, "A problem of yours"
        mail["Message-ID"] = f"<{self.random.getrandbits(64):x}@{host}.example.net>"
        mail["X-Originating-IP"] = shown
        mail.set_content(f"{text}\n\n-- \n{self.marks.word('signature', author).title()}\n{self.marks.phone(author)}\n")
        if self.random.random() < 0.2:
            mail.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf",
                                filename=f"{self.marks.word('file', author)}.pdf")  # fmt: skip
        raw = mail.as_bytes()
        return raw if self.random.random() < 0.9 else raw.replace(b"utf-8", b"UTF-8")

    def report(self, author: str, number: int) -> bytes:
        what = f"Page {number} of yours runs what stands in its address, /p/{number}?q={self.random.getrandbits(40)}."
        handle, phone = self.marks.word("handle", author), self.marks.phone(author)
        who = f"I tested from {self.marks.ip(author)}; I am {handle} elsewhere, {phone}."
        return self.mail(author, DESK.address, f"{what}\n{who}", self.random.random() < 0.6)

    # --- what happens ---

    def open(self, count: int) -> None:
        """So many tickets, a few of them of somebody who reported before."""
        authors = [self.random.choice(self.people) if self.people and self.random.random() < 0.15 else self.person()
                   for _ in range(count)]  # fmt: skip
        known: set[int] = set()
        for number, author in enumerate(authors):
            self.tracked.receive(self.report(author, number))
            [row] = [r for r in self.tracked.rows(ticket) if r.id not in known]
            known.add(row.id)
            self.tickets.append(Told(row.ref, row.token, [Seat(author, True)]))
        self.tracked.send_all()

    def round(self) -> None:
        """Something happens to every ticket: a member's command or a mail."""
        self.tracked.later(hours=HOURS)
        for told in self.tickets:
            if not told.to_publish and self.random.random() < TO_PUBLISH:
                self._publication(told)
        mails = [raw for told in self.tickets if (raw := self._happens(told)) is not None]
        self.tracked.receive(*mails)
        self.tracked.tend()
        self._read_codes()

    def _happens(self, told: Told) -> bytes | None:
        self.acts += 1
        if self.random.random() < 0.4:
            self._member(told)
            return None
        return self._writes(told, self.random.choice(told.seats))

    def _publication(self, told: Told) -> None:
        """All that it takes, so that it becomes public tomorrow. Members' own words hold nobody's marks."""
        day = (self.tracked.at + timedelta(days=1)).astimezone(POLICY.calendar.tzinfo).date()
        affects = self.random.choice(("before 2.3.1", "2.0 to 2.3", "1.0, 1.1", "all"))
        assessed = f"/assess accepted high\n/affects Shop {affects}\n\nWell found."
        title = f"/advisory {self.random.choice(('Script in a page', 'Forged request', 'Open redirect'))}"
        text = f"{title}\n\nWhoever follows a link runs a script.\n\nUpdate."
        words = (assessed, text, "/draft\n\nIs it right?", f"/disclose {day}")
        self._ordered(told, "/report")  # refused where it is taken for one already
        obeyed = [self._ordered(told, said) for said in words]
        told.valid |= obeyed[0]
        told.to_publish = all(obeyed) and self._ordered(told, "/confirm", RON)

    def _member(self, told: Told) -> None:
        words = self.random.choice(
            ("/assess accepted high\n\nWell found.", "/assess accepted high\n\nWell found.", "/assess declined\n\nIt is none.",
             "/close", "/reopen", "/credit ask", "/credit ask", "/credit ask hall", "/credit ask advisory", "/credit none",
             "/credit accept", "/credit accept", "/credit", "/add", "/remove", "/revise Script in a page\n\nOther words.",
             "/reward EUR 300 it was new to us", "/reward EUR 50 it was new to us", "/reward none we knew it",
             "/reward paid PO-1", "/cve CVE-2026-12345",
             *(f"/credit share with {party}" for party in PARTIES))
        )  # fmt: skip
        friend = next((s for s in told.seats if not s.reporter), None)
        if words == "/add":
            address = friend.person if friend else self.person()
            if self._ordered(told, f"/add {address}"):
                if friend:  # who comes back has chosen no name; what they took back stays taken back
                    told.seats.remove(friend)
                told.seats.append(self._returned(friend, address))
        elif words == "/remove":
            if friend and self._ordered(told, f"/remove {friend.person}"):
                friend.here = False
        else:
            if words.startswith("/reward"):
                self._ordered(told, "/report")  # as what it was taken in for is no matter here
            if self._ordered(told, words):
                self._ordered_so(told, words)

    @staticmethod
    def _returned(friend: Seat | None, address: str) -> Seat:
        if friend is None:
            return Seat(address, False)
        return replace(friend, name="", waits=False, anonymous=False, here=True)

    def _ordered_so(self, told: Told, words: str) -> None:
        verb, _, rest = words.partition(" ")
        if verb in ("/revise", "/reward"):
            self._ordered(told, "/confirm", RON)
        if verb == "/assess":
            told.valid = rest.startswith("accepted")
        here = [seat for seat in told.seats if seat.here]
        for seat in here if words == "/credit none" else ():
            seat.nothing()
        for seat in here if words == "/credit accept" else ():
            seat.waits = False
        if words.startswith(("/credit ask", "/credit share with")):
            self._asked(
                told, {rest.partition("with ")[2]} if "with" in rest else set(rest.split()[1:]) or {HALL, ADVISORY}
            )

    def _asked(self, told: Told, what: set[str]) -> None:
        """Who was asked is read from the letters: each has its own code."""
        for seat in told.seats:
            for code, _ in self._codes(told, seat, "consent", "AGREE"):
                if code not in seat.codes:
                    seat.codes[code] = what
                    seat.open |= what

    def _ordered(self, told: Told, words: str, by: str = MEMBER) -> bool:
        orders = read_orders(own_words(words, 1000))
        assert isinstance(orders, Orders), orders
        tracked = self.tracked
        with writing(tracked.engine) as connection:
            at_desk = lambda loaded: desk_of(loaded, tracked.desks)  # noqa: E731
            done = command(connection, told.token, orders, by, at_desk, tracked.at, tracked.entropy)
        return isinstance(done, Obeyed)

    def _writes(self, told: Told, seat: Seat) -> bytes:
        key = keyed_address(DESK.address, told.token, Role.RESEARCHER, KEY)
        proven = self.random.random() < 0.7
        kind = self.random.choice(("credit",) * 4 + ("agree",) * 4 + ("refuse",) * 2 + ("confirm",) * 2
                                  + ("anonymous", "wrong", "unfit", "stranger", "words", "withdraw"))  # fmt: skip
        if (
            seat.named(HALL) or seat.named(ADVISORY)
        ) and self.random.random() < 0.5:  # who is named, changes their mind
            kind = self.random.choice(("anonymous", "refuse", "credit"))
        if kind == "stranger":
            line, author = self._line(told, seat, "credit", True, effect=False), self.person()
            return self.mail(author, key, line, True)
        return self.mail(seat.person, key, self._line(told, seat, kind, proven, effect=seat.here), proven)

    def _line(self, told: Told, seat: Seat, kind: str, proven: bool, *, effect: bool) -> str:
        if kind == "credit":
            name, waits = self.chosen(seat.person)
            if effect and proven:
                seat.credit(name, waits)
            elif effect:
                seat.unconfirmed[""] = (name, waits)  # the code is read from the letter
            return f"CREDIT AS {name}"
        if kind in ("agree", "refuse") and seat.codes:
            code = self.random.choice(sorted(seat.codes))
            if effect:
                (seat.agree if kind == "agree" else seat.refuse)(code)
            return f"{kind.upper()} {code}"
        if kind == "confirm" and any(seat.unconfirmed):
            code = self.random.choice(sorted(c for c in seat.unconfirmed if c))
            if effect:
                seat.credit(*seat.unconfirmed.pop(code))
            return f"CONFIRM {code}"
        if kind == "anonymous":
            if effect:
                seat.anonymous = True
                seat.nothing()
            return "ANONYMOUS"
        word = self.marks.word("credit", seat.person)
        return {
            "wrong": "AGREE 0000-0000",
            "unfit": f"CREDIT AS <b>{word}</b>",
            "withdraw": "WITHDRAW",
        }.get(kind, f"As {word} said: I found more, see {self.marks.ip(seat.person)}, {self.random.getrandbits(32)}.")

    def _read_codes(self) -> None:
        """The codes that confirm a name, out of the letters that mailed them."""
        for told in self.tickets:
            for seat in told.seats:
                name = seat.unconfirmed.pop("", None)
                codes = self._codes(told, seat, "confirm", "CONFIRM") if name else []
                if name and codes and codes[-1][1] == self.tracked.at and codes[-1][0] not in seat.unconfirmed:
                    seat.unconfirmed = {codes[-1][0]: name}

    def _codes(self, told: Told, seat: Seat, template: str, word: str) -> list[tuple[str, Any]]:
        rows = (
            select(message.c.text, letter.c.queued_at)
            .join(letter, letter.c.message_row == message.c.id)
            .join(ticket, ticket.c.id == letter.c.ticket_id)
            .where(ticket.c.token == told.token, letter.c.template == template, letter.c.to_lower == seat.person)
            .order_by(letter.c.id)
        )
        with reading(self.tracked.engine) as connection:
            found = [
                (re.search(rf"^  {word} (\S+)$", r.text, re.MULTILINE), r.queued_at) for r in connection.execute(rows)
            ]
        return [(code[1], at) for code, at in found if code]

    # --- what may be read ---

    def seats(self) -> Iterator[tuple[Told, Seat]]:
        return ((told, seat) for told in self.tickets for seat in told.seats)

    def names(self, what: str) -> dict[str, tuple[str, ...]]:
        """Reference -> whom the people there want named, by the account."""
        found = {t.ref: tuple(sorted(n for s in t.seats if (n := s.named(what)))) for t in self.tickets}
        return {ref: names for ref, names in found.items() if names}
