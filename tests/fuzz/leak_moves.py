"""What people do in a conversation, each drawn from a seed of its own. Writes mail; looks at nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from tests.fuzz.leak_marks import PLAIN, Mark, minted, token, words
from tests.fuzz.leak_play import DESKS, OUTSIDER, Play
from tests.fuzz.leak_shapes import SHAPES, Quoted, Written
from tests.fuzz.ledger import Ledger, Row
from tests.ticket.scene import AT
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.clocks import is_open
from triaged.ticket.letters import Audience


@dataclass(frozen=True)
class Move:
    """One thing that somebody does."""

    kind: str
    seed: int


WEIGHTS: Mapping[str, int] = {
    "follow": 4, "request": 2, "note": 8, "answer": 9, "command": 11, "waiting": 5, "stranger": 2, "unproven": 2,
    "wrong-key": 2, "forward": 2, "bounce": 1, "pass": 5, "desk-note": 1,
}  # fmt: skip


def moves(random: Random, longest: int) -> tuple[Move, ...]:
    """A conversation: reports first, then anything."""
    first = ["report", "report"] + ["again"] * (random.random() < 0.4) + ["second"] * (random.random() < 0.25)
    kinds = [*first, *random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=random.randint(4, longest))]
    return tuple(Move(kind, random.getrandbits(32)) for kind in [*kinds, "pass"])


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
    add, remove = (f"/{verb} {random.choice(play.cast.friends)}" for verb in ("add", "remove"))
    plain = (f"/extend {day} {why}", f"/split {why}", f"/merge {random.choice(same).name.ref}", f"/waive {promise} {hidden}",
             f"/breach beg-bounty {hidden}", f"/reward 500 {hidden}", f"/reward none {hidden}", add, add,
             remove, remove, f"/keep {promise}", f"/disclose {day}",
             "/fixed", "/fixed in 2.3.2", "/fixing", "/assessing", f"/affects {why}", "/affects Gateway: before 2.3.1",
             "/close", "/reopen", "/wait", "/resume", "/exploited", "/report", "/question", "/spam", "/acknowledge",
             "/assign me", "/show", "/help", "/attachments", "/password")  # fmt: skip
    talking = ("/assess accepted high", "/assess accepted CWE-79", "/assess declined out-of-scope",
               f"/assess accepted medium fix-by {day}",
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
    refused = ("/assess accepted low high\n\nThank you.", "/noet\n\nFYI", "Listen:\n/note", "/keep nothing\n\nFYI")
    remark = random.choice(("", "FYI", random.choice(PLAIN), random.choice(refused)))
    shape = random.choice(("forwarded", "outlook", "original", "bare"))
    if shape == "bare" and (role is Role.RESEARCHER or remark.startswith("/assess")):
        play.marks.remove(
            mark
        )  # an answer of the member's, as far as anybody can tell, and answers are written to many
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
    head = {"From": "MAILER-DAEMON@mx.example.org", "To": key(play, row, Role.BOUNCE), "Subject": "failure notice",
            "Message-ID": play.next_id("mx.example.org"), "MIME-Version": "1.0",
            "Content-Type": "multipart/report; report-type=delivery-status; boundary=b"}  # fmt: skip
    parts = ("--b", "Content-Type: text/plain", "", "It could not be delivered.", "--b",
             "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
             f"Final-Recipient: rfc822; {x.to}", "Action: failed", "Status: 5.1.1", "", "--b",
             "Content-Type: text/rfc822-headers", "", f"Message-ID: {x.message_id}", "", "--b--", "")  # fmt: skip
    text = "\r\n".join((*(f"{name}: {value}" for name, value in head.items()), "", *parts))
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
    promises = [c.promise for c in row.clocks if is_open(c)]
    text, by = play.note_text(random), random.choice(("operator", play.cast.acting[0]))
    play.story.append(f"note at the desk on {row.name.ref}: {text!r}")
    waives = bool(promises) and random.random() < 0.5
    words = f"/waive {promises[-1]} {' '.join(text.split())}" if waives else "/note"
    if play.ledger.command(row.name.token, words, "operator" if waives else by, "" if waives else text) is None:
        play.marks.pop()  # refused: it was written nowhere


_MOVES: Mapping[str, Callable[[Play, Random], None]] = {
    "report": _report, "again": _again, "second": _second, "follow": _follow, "request": _request, "note": _note,
    "answer": _answer, "command": _command, "waiting": _waiting, "stranger": _stranger, "unproven": _unproven,
    "wrong-key": _wrong_key, "forward": _forward, "bounce": _bounce, "pass": _pass, "desk-note": _desk_note,
}  # fmt: skip


def step(play: Play, move: Move) -> None:
    """One move, and all that is due after it."""
    random = Random(move.seed)
    _MOVES[move.kind](play, random)
    play.look()
    play.ledger.at += timedelta(minutes=random.choice((0, 1, 1, 3, 15)))
    play.run()


def played(moves_: Iterable[Move], seed: int) -> Play:
    """The whole conversation."""
    play = Play(Ledger(DESKS, Random(seed).randbytes, AT))
    for move in moves_:
        step(play, move)
    return play
