"""One conversation played on a tracker of values: what people write is drawn from each move's own seed. Looks at every letter that goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from tests.fuzz.leak_marks import PLAIN, Faces, Mark, faces, minted, pasted, token, words
from tests.fuzz.leak_shapes import SHAPES, Quoted, Written, mail
from tests.fuzz.ledger import Ledger, Queued, Row
from tests.ticket.scene import AT, DESK, KEY, MEMBER, TEAM
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.clocks import is_open
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

HOUSE = replace(
    DESK,
    undo=timedelta(minutes=2),
    two_person=True,
    own=DESK.own | frozenset(MEMBERS),
    members={
        MEMBER: Colleague(MEMBERS[MEMBER], MEMBER),
        RON: Colleague(MEMBERS[RON], RON, "lead", "mine"),
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
class Move:
    """One thing that somebody does."""

    kind: str
    seed: int


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


WEIGHTS: Mapping[str, int] = {
    "follow": 4, "request": 2, "note": 8, "answer": 9, "command": 11, "waiting": 5, "stranger": 2, "unproven": 2,
    "wrong-key": 2, "forward": 2, "bounce": 1, "pass": 5, "desk-note": 1,
}  # fmt: skip


def moves(random: Random, longest: int) -> tuple[Move, ...]:
    """A conversation: reports first, then anything."""
    first = ["report", "report"] + ["again"] * (random.random() < 0.4) + ["second"] * (random.random() < 0.25)
    kinds = [*first, *random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=random.randint(4, longest))]
    return tuple(Move(kind, random.getrandbits(32)) for kind in [*kinds, "pass"])


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

    def step(self, move: Move) -> None:
        random = Random(move.seed)
        _MOVES[move.kind](self, random)
        self.look()
        self.ledger.at += timedelta(minutes=random.choice((0, 1, 1, 3, 15)))
        self.run()

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
        return queued.letter.to.lower() in mark.known or bool(mark.said & here)

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
        written = Written(f"{self.cast.members[who]} <{who}>", to, f"Re: [{row.name.ref}] {row.subject}", text, message_id, signature,
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


def key(play: Play, row: Row, role: Role) -> str:
    return keyed_address(row.desk.address, row.name.token, role, play.cast.key)


def _report(play: Play, random: Random, who: str = "", mailbox: str = "security", tenant: str = "default") -> None:
    fresh = [
        p
        for p in play.cast.people
        if not any(p == (r.reporter.address if r.reporter else "") for r in play.ledger.rows.values())
    ]
    who = who or random.choice(fresh or list(play.cast.people))
    mark = play.mint(random, "report", known={who}, tenant=tenant)
    file = (f"{token(random).strip('/').replace('/', '-')[:30]}.txt", "steps") if random.random() < 0.5 else None
    subject = random.choice(("XSS in login", f"Hole in {mark.token}", words(random, 4)))
    name = play.cast.people.get(who, "Zoe Marchetti")
    to = play.ledger.desks[mailbox].address
    found = f"I found a hole. {mark.text()}"
    written = Written(f"{name} <{who}>", to, subject, found, play.next_id("example.org"), file=file)
    own = (name.lower(), who, *((file[0].lower(),) if file else ()))
    play.pending.append((who, (mark, *(_own(play, text, who, tenant) for text in own))))
    play.post(replace(written, proven=random.random() < 0.85), mailbox, "report")


def _own(play: Play, text: str, who: str, tenant: str) -> Mark:
    kept = next((m for m in play.marks if m.token == text and m.tenant == tenant), None)
    if kept is None:
        kept = Mark("reporter" if "." not in text[-4:] else "file", text, "", set(), {who}, tenant)
        play.marks.append(kept)
    return kept


def _again(play: Play, random: Random) -> None:
    rows = play.tickets()
    reporter = random.choice(rows).reporter if rows else None
    _report(play, random, reporter.address if reporter and reporter.address in play.cast.people else "")


def _second(play: Play, random: Random) -> None:
    _report(play, random, OUTSIDER, "psirt", "second")


def _follow(play: Play, random: Random, first: str = "") -> None:
    rows = play.tickets()
    row = random.choice(rows)
    person = (
        random.choice(row.people).address
        if random.random() < 0.85 and row.people
        else random.choice(list(play.cast.people))
    )
    takes_part = any(p.address == person for p in row.people)
    mark = play.mint(random, "report", known={person})
    theirs = [q.letter for q in row.letters if q.letter.audience is Audience.RESEARCHER and q.state == "accepted"]
    last = theirs[-1] if theirs else None
    answers = (
        Quoted(f"IMS Network security <{row.desk.address}>", person, last.subject, last.text, last.message_id)
        if last
        else None
    )
    to = key(play, row, Role.RESEARCHER if random.random() < 0.9 else Role.TEAM)
    if takes_part and ".r." in to:
        mark.said |= {row.name.token, *({row.merged_into} if row.merged_into else ())}
    shape = random.choice(SHAPES) if answers else "plain"
    text = f"{first}\n\n{mark.text()}" if first else f"One thing more. {mark.text()}"
    play.post(
        Written(
            person,
            to,
            f"Re: {row.subject}",
            text,
            play.next_id("example.org"),
            "",
            answers,
            shape,
            proven=random.random() < 0.8,
        ),
        note=row.name.ref,
    )


def _request(play: Play, random: Random) -> None:
    lines = ("STATUS", "ANONYMOUS", "WITHDRAW", f"CREDIT AS {words(random, 2).title()}", "STATUS")
    _follow(play, random, random.choice(lines))


def _note(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    command, role = random.choice(
        (("", Role.TEAM), ("", Role.TEAM), ("/note\n\n", Role.RESEARCHER), ("/note\n", Role.TEAM))
    )
    play.by_member(random, row, key(play, row, role), command + play.note_text(random))


def _answer(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    text = play.answer_text(random, row)
    way = random.random()
    if way < 0.7:
        play.by_member(random, row, key(play, row, Role.RESEARCHER), text, who=random.choice(play.cast.acting))
    elif way < 0.8:
        play.by_member(random, row, f"{key(play, row, Role.RESEARCHER)}, {key(play, row, Role.TEAM)}", text)
    else:
        verb = random.choice(("/reply", "/update", "/ask"))
        play.by_member(
            random,
            row,
            key(play, row, random.choice((Role.TEAM, Role.RESEARCHER))),
            f"{verb}\n\n{text}",
            who=random.choice(play.cast.acting),
        )


def _command(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    lines, text = _lines(play, random, row)
    more = {"file": (f"{token(random).strip('/').replace('/', '-')}.txt", "patch")} if "/attach" in lines else {}
    if more and random.random() < 0.3:
        leaky = play.mint(random, "note")
        play.by_member(random, row, key(play, row, Role.TEAM), leaky.text())
        more = {"file": ("notes.txt", leaky.text())}
    body = "\n".join(lines) + (f"\n\n{text}" if text else "")
    if random.random() < 0.06:
        body = body.replace("/", "/x", 1)
    play.by_member(
        random,
        row,
        key(play, row, random.choice((Role.TEAM, Role.TEAM, Role.RESEARCHER))),
        body,
        who=random.choice((*play.cast.acting, play.cast.acting[1])),
        **more,
    )


def _lines(play: Play, random: Random, row: Row) -> tuple[list[str], str]:
    others = [r for r in play.tickets() if r is not row] or [row]
    other = random.choice(others).name.ref
    same = [r for r in others if r.reporter and row.reporter and r.reporter.address == row.reporter.address] or others
    promise = random.choice([c.promise for c in row.clocks if is_open(c)] or ["update"])
    day = random.choice(("2027-03-01", "2026-12-24", "in 3 weeks", "tomorrow"))
    why = play.secret(random, row).replace("\n", " ") if random.random() < 0.35 else words(random, 6)
    waiver = minted(random, "waiver")
    hidden = waiver.text()
    plain = (f"/extend {day} {why}", f"/split {why}", f"/merge {random.choice(same).name.ref}", f"/waive {promise} {hidden}",
             f"/breach beg-bounty {hidden}", f"/add {random.choice(play.cast.friends)}", f"/add {random.choice(play.cast.friends)}",
             f"/remove {random.choice(play.cast.friends)}", f"/remove {random.choice(play.cast.friends)}", f"/keep {promise}", f"/disclose {day}",
             "/fixed", "/close", "/reopen", "/wait", "/resume", "/exploited", "/report", "/question", "/spam", "/acknowledge",
             "/assign me", "/show", "/help", "/attachments", "/password")  # fmt: skip
    talking = ("/assess accepted high", "/assess declined out-of-scope", f"/assess accepted medium fix-by {day}",
               "/update", "/ask", "/reply", "/attach", f"/duplicate-of {other}")  # fmt: skip
    lines = random.sample(plain, random.choice((0, 1, 1, 2)))
    if any(hidden in line for line in lines):
        play.marks.append(waiver)
    way = random.random()
    if way < 0.55 or not lines:
        return [*lines, random.choice(talking)], play.answer_text(random, row)
    return [*lines, *(["/note"] if way < 0.7 else [])], play.note_text(random) if way < 0.85 else ""


def _waiting(play: Play, random: Random) -> None:
    rows = play.tickets()
    stuck = [
        r for r in rows if any(q.state in ("held", "queued") and q.letter.author for q in r.letters) or r.proposals
    ]
    row = random.choice(stuck or rows)
    word = random.choice(("/send", "/cancel", "/hold", "/confirm", "/send", "/cancel"))
    play.by_member(random, row, key(play, row, Role.TEAM), word, who=random.choice(play.cast.acting))


def _stranger(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    mark = play.mint(random, "stranger", known={play.cast.stranger})
    command = random.choice(("", "/send\n\n", "/reply\n\n", "STATUS\n\n"))
    to = key(play, row, random.choice((Role.RESEARCHER, Role.TEAM)))
    play.post(
        Written(
            f"Eve <{play.cast.stranger}>",
            to,
            f"Re: [{row.name.ref}]",
            command + mark.text(),
            play.next_id("evil.example"),
        ),
        note=row.name.ref,
    )


def _unproven(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    head = random.choice(("/send", "/reply\n\n", ""))
    text = head if head == "/send" else head + play.note_text(random)
    play.by_member(random, row, key(play, row, random.choice((Role.RESEARCHER, Role.TEAM))), text, proven=False)


def _wrong_key(play: Play, random: Random) -> None:
    """A second note that repeats a first one, sent to the researcher's address by mistake."""
    row = random.choice(play.tickets())
    text = f"As I said: {play.secret(random, row)}"
    play.by_member(random, row, key(play, row, Role.RESEARCHER), text, who=random.choice(play.cast.acting))


def _forward(play: Play, random: Random) -> None:
    """What a colleague wrote, or a letter of another ticket, forwarded with or without a remark of one's own."""
    row = random.choice(play.tickets())
    mark = play.mint(random, "note")
    q = Quoted(
        "Legal <legal@example.test>", play.cast.acting[0], "privileged", mark.text(), play.next_id("example.test")
    )
    role = random.choice((Role.TEAM, Role.RESEARCHER))
    remark = random.choice(("", "FYI", random.choice(PLAIN)))
    shape = random.choice(("forwarded", "outlook", "original", "bare"))
    if shape == "bare" and role is Role.RESEARCHER:
        mark.said.add(row.name.token)  # typed by the member, as far as anybody can tell
    play.by_member(
        random,
        row,
        key(play, row, role),
        remark,
        who=random.choice(play.cast.acting),
        answers=q,
        shape=shape,
        signature="",
    )


def _bounce(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    gone = [q for q in row.letters if q.state == "accepted"]
    if not gone:
        return
    x = random.choice(gone).letter
    text = (f"From: MAILER-DAEMON@mx.example.org\r\nTo: {key(play, row, Role.BOUNCE)}\r\nSubject: failure notice\r\nMessage-ID: {play.next_id('mx.example.org')}\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            f"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; {x.to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {x.message_id}\r\n\r\n--b--\r\n")  # fmt: skip
    play.story.append(f"bounce of {x.template} to {x.to}")
    play.ledger.receive(text.encode(), "security")


def _pass(play: Play, random: Random) -> None:
    """Days or weeks go by, clocks and all."""
    for _ in range(random.choice((1, 1, 2, 3))):
        play.ledger.at += timedelta(hours=random.choice((1, 20, 90, 200, 400)))
        play.story.append(f"{play.ledger.at:%d %b %H:%M} time has passed")
        play.run()


def _desk_note(play: Play, random: Random) -> None:
    row = random.choice(play.tickets())
    text = play.note_text(random)
    play.story.append(f"note at the desk on {row.name.ref}: {text!r}")
    play.ledger.command(row.name.token, "/note", random.choice(("operator", play.cast.acting[0])), text)


_MOVES: Mapping[str, Callable[[Play, Random], None]] = {
    "report": _report, "again": _again, "second": _second, "follow": _follow, "request": _request, "note": _note,
    "answer": _answer, "command": _command, "waiting": _waiting, "stranger": _stranger, "unproven": _unproven,
    "wrong-key": _wrong_key, "forward": _forward, "bounce": _bounce, "pass": _pass, "desk-note": _desk_note,
}  # fmt: skip


def played(moves_: Iterable[Move], seed: int) -> Play:
    """The whole conversation."""
    play = Play(Ledger(DESKS, Random(seed).randbytes, AT))
    for move in moves_:
        play.step(move)
    return play
