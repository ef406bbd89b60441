"""One conversation on a tracker of values: what people write is drawn from each move's seed. Looks at every letter that goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from tests.fuzz.leak_marks import PLAIN, Faces, Mark, faces, minted, pasted, words
from tests.fuzz.leak_shapes import SHAPES, Quoted, Written, mail
from tests.fuzz.ledger import Ledger, Queued, Row
from tests.ticket.scene import DESK, KEY, MEMBER, TEAM
from triaged.policy.terms import Bounds, Reward
from triaged.ticket.desk import Colleague, Desk
from triaged.ticket.letters import Audience

RON, MIA, TOM = "ron@example.test", "mia@example.test", "tom@other.test"
MEMBERS = {MEMBER: "Dana Levi", RON: "Ron Katzman", MIA: "Mia Sternfeld"}
INTERNAL = ("vault.ims-core.example", "bluefinch")
PEOPLE = {
    "noa@example.org": "Noa Ben-David",
    "ingrid@researcher.example": "Ingrid Vasquez",
    "kenji@hall.example": "Kenji Watanabe",
}
FRIENDS = ("friend@example.org", "pal@researcher.example")
OUTSIDER = "zoe@elsewhere.example"  # writes to the second tenant
STRANGER = "eve@evil.example"

TERMS = Reward(
    True, ("We reward what was not known to us before, by its severity.",), "EUR", bounds=(Bounds("high", 1, 900),)
)
HOUSE = replace(
    DESK,
    policy=replace(DESK.policy, reward=TERMS),
    undo=timedelta(minutes=2),
    two_person=True,
    own=DESK.own | frozenset(MEMBERS),
    members={
        MEMBER: Colleague(MEMBERS[MEMBER], MEMBER, notify="mine"),
        RON: Colleague(MEMBERS[RON], RON, "lead", "board"),
        MIA: Colleague(MEMBERS[MIA], MIA, "observer", "board"),
    },
    internal=INTERNAL,
)
SECOND = replace(
    DESK,
    tenant="second",
    mailbox="psirt",
    address="psirt@other.test",
    own=frozenset({"psirt@other.test", TOM}),
    mailboxes=frozenset({"psirt@other.test"}),
    notify=(TOM,),
    members={TOM: Colleague("Tom Okafor", TOM)},
)
DESKS: Mapping[str, Desk] = {"security": HOUSE, "psirt": SECOND}


@dataclass(frozen=True)
class Cast:
    """Everybody in one conversation."""

    members: Mapping[str, str]  # lower-case address -> name; a triager, a lead, an observer
    team: str
    people: Mapping[str, str]
    friends: tuple[str, ...]
    stranger: str
    key: bytes

    @property
    def acting(self) -> tuple[str, str]:
        dana, ron, _ = self.members
        return dana, ron

    @property
    def machines(self) -> dict[str, str]:
        return dict(zip(self.members, ("dana-laptop.ims.internal", "mail3.ims.corp", "mia-pc.ims.lan"), strict=True))


CAST = Cast(MEMBERS, TEAM, PEOPLE, FRIENDS, STRANGER, KEY)


@dataclass(frozen=True)
class Problem:
    """A letter that should not have gone as it is."""

    what: str
    letter: Queued | None

    def __str__(self) -> str:
        if self.letter is None:
            return self.what
        x = self.letter.letter
        return f"{self.what}\n  {x.template} to {x.to} on {x.token}: {x.subject!r}\n{x.text[:1500]}"


@dataclass
class Seen:
    """What one conversation came to."""

    letters: int = 0
    team: int = 0
    held: int = 0
    needless: int = 0
    released: int = 0
    marks: int = 0
    problems: list[Problem] = field(default_factory=list)
    why_needless: list[str] = field(default_factory=list)


@dataclass
class Play:
    """The conversation as it goes."""

    ledger: Ledger
    seen: Seen = field(default_factory=Seen)
    cast: Cast = CAST
    marks: list[Mark] = field(default_factory=list)
    looked: set[int] = field(default_factory=set)  # letters that were held
    inside_ids: set[str] = field(default_factory=set)  # Message-IDs that only the team has
    numbers: int = 0
    story: list[str] = field(default_factory=list)
    pending: list[tuple[str, tuple[Mark, ...]]] = field(default_factory=list)  # reports of which no ticket is known yet

    def __post_init__(self) -> None:
        for address, name in self.cast.members.items():
            self.marks.append(Mark("member", address, ""))
            self.marks.append(Mark("member", name.lower(), ""))
            self.marks.append(Mark("machine", self.cast.machines[address], ""))
        self.marks += [Mark("internal", word, "") for word in INTERNAL]
        self.phones = {a: f"+972-3-55{n}-01{n}7" for n, a in enumerate(self.cast.members, start=1)}
        self.marks += [Mark("phone", phone, "") for phone in self.phones.values()]

    def run(self) -> None:
        """Everything that is due now."""
        self.ledger.tend()
        for queued in self.ledger.send():
            self.went(queued)

    # --- what is looked at ----------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """New tickets have references to keep; new held letters are counted."""
        known = {m.token for m in self.marks if m.kind == "reference"}
        fresh = [row for row in self.ledger.rows.values() if row.name.ref.lower() not in known]
        for who, marks in self.pending:
            opened = {row.name.token for row in fresh if row.reporter and row.reporter.address == who}
            for mark in marks:
                mark.said |= opened
        self.pending.clear()
        for row in self.ledger.rows.values():
            if row.name.ref.lower() not in known:
                here = {row.name.token}
                self.marks += [
                    Mark("reference", row.name.ref.lower(), "", set(here), tenant=row.desk.tenant),
                    Mark("key", f"+{row.name.token}.", "", set(here), tenant=row.desk.tenant),
                    Mark("key", f"+{row.name.token}.t", "", tenant=row.desk.tenant),
                ]
            for queued in row.letters:
                if queued.was_held and queued.number not in self.looked:
                    self.looked.add(queued.number)
                    self.seen.held += 1
                    if not self.secrets(queued, faces(queued.letter.data)):
                        self.seen.needless += 1
                        self.seen.why_needless.append(queued.reason)

    def secrets(self, queued: Queued, seen: Faces) -> list[Mark]:
        return [m for m in self.marks if not self.may(m, queued) and seen.hold(m)]

    def may(self, mark: Mark, queued: Queued) -> bool:
        here = {queued.letter.token, *(t for t, r in self.ledger.rows.items() if r.merged_into == queued.letter.token)}
        return queued.letter.to.lower() in mark.known or bool(mark.said & here) or self._takes_part(mark, queued)

    def _takes_part(self, mark: Mark, queued: Queued) -> bool:
        """Who was added to a ticket may read there what its researcher reported, and so may be told it elsewhere."""
        where = (self.ledger.rows[token] for token in mark.said if token in self.ledger.rows)
        to = queued.letter.to.lower()
        return mark.kind == "report" and any(to == person.address for row in where for person in row.people)

    def went(self, queued: Queued) -> None:
        if queued.letter.audience is Audience.TEAM:
            return self._inside(queued)
        self.seen.letters += 1
        row, to = queued.ticket, queued.letter.to.lower()
        if to not in {p.address for p in row.people}:
            self.seen.problems.append(Problem(f"{to} takes no part in {row.name.ref}", queued))
        seen = faces(queued.letter.data)
        bad = self.secrets(queued, seen)
        if bad and queued.was_held:
            self.seen.released += 1
        elif bad:
            shown = "; ".join(f"{m.kind}: {m.token} {m.sentence}" for m in bad)
            self.seen.problems.append(Problem(f"holds {shown}", queued))
        for mark in self.marks:
            if to not in mark.known and seen.hold(mark):
                mark.known.add(to)
                mark.said.add(queued.letter.token)
        if any(i.lower() in seen.raw for i in self.inside_ids):
            self.seen.problems.append(Problem("names a Message-ID of the team's", queued))
        return None

    def _inside(self, queued: Queued) -> None:
        self.seen.team += 1
        tenant = queued.ticket.desk.tenant
        self.inside_ids.add(queued.letter.message_id)
        team = {*self.cast.members, self.cast.team} if tenant == "default" else {TOM}
        if queued.letter.to.lower() not in team:
            self.seen.problems.append(Problem("a letter to the team goes to somebody else", queued))
        foreign = [m for m in self.marks if m.tenant != tenant]
        if foreign and any(m.kind not in ("key", "machine", "phone", "member", "internal") for m in foreign):
            seen = faces(queued.letter.data)
            bad = [m for m in foreign if m.tenant == "second" and seen.hold(m)] if tenant == "default" else []
            bad += [m for m in foreign if tenant == "second" and m.kind != "internal" and seen.hold(m)]
            if bad:
                self.seen.problems.append(Problem(f"holds another tenant's {bad[0]}", queued))

    # --- what people have at hand ---------------------------------------------------------------------------------------------

    def tickets(self, tenant: str = "default") -> list[Row]:
        return [r for r in self.ledger.rows.values() if r.desk.tenant == tenant]

    def mint(
        self, random: Random, kind: str, said: Iterable[str] = (), known: Iterable[str] = (), tenant: str = "default"
    ) -> Mark:
        mark = minted(random, kind, said=set(said), known=set(known), tenant=tenant)
        self.marks.append(mark)
        self.seen.marks += 1
        return mark

    def post(self, written: Written, mailbox: str = "security", note: str = "") -> None:
        self.story.append(
            f"{self.ledger.at:%d %b %H:%M} {note} {written.author} to {written.to} [{written.shape}]: {written.words!r}"
        )
        caused = self.ledger.receive(mail(written), mailbox)
        self.story[-1] += f" -> {caused.outcome} {caused.reason}"

    def next_id(self, host: str) -> str:
        self.numbers += 1
        return f"<{self.numbers}.{self.ledger.entropy(4).hex()}@{host}>"

    def by_member(self, random: Random, row: Row, to: str, text: str, who: str = "", **more: object) -> None:
        """A member's mail in one of the shapes that clients have."""
        dana, ron, mia = self.cast.members
        who = who or random.choice((dana, dana, ron, ron, mia))
        machine, phone = self.cast.machines[who], self.phones[who]
        signature = random.choice(
            (
                "",
                "",
                f"{self.cast.members[who]}\nSecurity, phone {phone}\nhttp://{INTERNAL[0]}/ {who}",
                self.cast.members[who],
            )
        )
        message_id = self.next_id(machine)
        self.inside_ids.add(message_id)
        answers = self.quoted(random, row)
        shape = random.choice(SHAPES) if answers else random.choice(("plain", "flowed", "html"))
        cc = random.choice(("", "", "", f"{self.cast.members[ron]} <{ron}>, {mia}", self.cast.team))
        fields = (
            ("X-Originating-IP", "[10.20.30.44]"),
            ("Received", f"from {machine} (10.20.30.44) by mx.example.test; Fri, 20 Nov 2026 09:00:00 +0000"),
        )
        author, subject = f"{self.cast.members[who]} <{who}>", f"Re: [{row.name.ref}] {row.subject}"
        written = Written(author, to, subject, text, message_id, signature,
                          answers, shape, cc, fields=fields)  # fmt: skip
        self.post(replace(written, **more), note=row.name.ref)  # type: ignore[arg-type]

    def quoted(self, random: Random, row: Row) -> Quoted | None:
        """A letter to the team, now and then of another ticket."""
        at = row if random.random() < 0.85 else random.choice(self.tickets())
        team = [q.letter for q in at.letters if q.letter.audience is Audience.TEAM]
        if not team or random.random() < 0.15:
            return None
        x = random.choice(team[-4:])
        return Quoted(f"IMS Network security <{row.desk.address}>", x.to, x.subject, x.text, x.message_id)

    def secret(self, random: Random, row: Row) -> str:
        """Something of the inside, most often what the researcher of the ticket may not read."""
        inside = [
            m
            for m in self.marks
            if m.tenant == "default" and m.kind not in ("key", "phone") and row.name.token not in m.said
        ]
        return pasted(random, random.choice(inside))

    def answer_text(self, random: Random, row: Row) -> str:
        lines = random.sample(PLAIN, random.randint(1, 2))
        lines += [self.secret(random, row)] if random.random() < 0.4 else []
        lines += [words(random, 9).capitalize() + "."] if random.random() < 0.3 else []
        lines += [f"What you wrote: {self.theirs(random, row)}"] if random.random() < 0.2 else []
        random.shuffle(lines)
        return "\n".join(lines) if random.random() < 0.7 else " ".join(lines)

    def theirs(self, random: Random, row: Row) -> str:
        own = [m for m in self.marks if row.name.token in m.said and m.kind == "report"]
        return pasted(random, random.choice(own)) if own else ""

    def note_text(self, random: Random) -> str:
        mark = self.mint(random, "note")
        lines = [mark.text(), *[f"{words(random, 12)}." for _ in range(random.choice((0, 0, 1, 2)))]]
        random.shuffle(lines)
        return "\n".join(lines)
