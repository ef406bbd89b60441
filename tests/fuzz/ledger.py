"""A tracker of values: mail goes through the real pure core, and what follows is kept in lists. No database, no clock."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.ticket.scene import READING, TRUST
from triaged.message.content import content_sha256
from triaged.message.model import Kind
from triaged.message.replies import own_words
from triaged.message.transfer import decode_transfer
from triaged.reading.asking import wanted
from triaged.reading.likeness import Like
from triaged.reading.whole import read
from triaged.ticket import rounds
from triaged.ticket.address import Keyed, Role
from triaged.ticket.announcing import Studied, announce, announcement_of
from triaged.ticket.answering import proven
from triaged.ticket.arrival import receive
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.consequence import Asked, Consequence, NewTicket, Outcome
from triaged.ticket.desk import Desk
from triaged.ticket.echoing import echoes
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.forwarding import clues_of
from triaged.ticket.gate import Elsewhere
from triaged.ticket.grammar import Orders, read_orders
from triaged.ticket.granting import TEMPLATES
from triaged.ticket.known import Arrival, Asking, Clues, Known, KnownMessage, OpenPromise, TicketView, Waiting
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.member_mail import settle
from triaged.ticket.news import happenings
from triaged.ticket.obeying import named_tickets, obey, wants_contents
from triaged.ticket.reference import Entropy, token_of
from triaged.ticket.reward import Decision
from triaged.ticket.spoken import Spoken, elsewhere_of, notes_of, reasons_of, said_of
from triaged.ticket.tended import Tended
from triaged.ticket.tending import tend
from triaged.ticket.verbs import reopened, resumed, withdrawn
from triaged.ticket.worked import Case, File, Obeyed, Other, Person, Proposal, WaitingLetter, Worked, case_of
from triaged.ticket.writing import file_of

ACKNOWLEDGEMENTS = ("acknowledgement", "acknowledgement_minimal")
RECENTLY, DAY = timedelta(minutes=10), timedelta(hours=24)


@dataclass
class Queued:
    """A letter in the outbox."""

    number: int
    ticket: Row
    letter: Letter
    at: datetime
    state: str
    not_before: datetime
    reason: str
    was_held: bool  # by the gate
    attempts: int = 0
    accepted_at: datetime | None = None


@dataclass
class Said:
    """One message on a ticket."""

    direction: str
    audience: Audience
    answers: Role
    message_id: str
    counterpart: str
    proven: bool
    at: datetime
    subject: str
    text: str
    receipt: int = 0
    text_hash: str | None = None
    letter: Queued | None = None
    files: tuple[tuple[File, bytes], ...] = ()
    reason: str = ""


@dataclass
class Row:
    """One ticket."""

    name: TicketName
    desk: Desk
    kind: str
    subject: str
    since: datetime
    received_at: datetime
    people: tuple[Person, ...] = ()
    state: State = State.RECEIVED
    waiting: bool = False
    assigned: str = ""
    severity: str = ""
    cvss: str = ""
    decision: str = ""
    merged_into: str = ""
    forwarded_by: str = ""
    clocks: tuple[Clock, ...] = ()
    events: list[tuple[datetime, Event]] = field(default_factory=list)
    messages: list[Said] = field(default_factory=list)
    letters: list[Queued] = field(default_factory=list)
    proposals: tuple[Proposal, ...] = ()
    rewards: tuple[Decision, ...] = ()
    gaps: tuple[str, ...] = ()
    split_off: list[str] = field(default_factory=list)
    requests: list[tuple[str, Waiting]] = field(default_factory=list)
    held: list[datetime] = field(default_factory=list)

    @property
    def reporter(self) -> Person | None:
        return next((p for p in self.people if p.role == "reporter"), None)


@dataclass
class Ledger:
    """One installation of several tenants, of one desk each."""

    desks: Mapping[str, Desk]  # by mailbox
    entropy: Entropy
    at: datetime
    rows: dict[str, Row] = field(default_factory=dict)  # by token
    copies: set[tuple[str, str]] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- a message ------------------------------------------------------------------------------------------------------------

    def receive(self, raw: bytes, mailbox: str) -> Consequence:
        """What the message causes, kept."""
        desk = self.desks[mailbox]
        arrival = self._arrival(raw, desk)
        found = clues_of(arrival, desk)
        known = self._known(arrival, found, desk)
        caused = receive(arrival, found, known, desk, self.at, self.entropy)
        if caused.said is None or caused.ticket is None:
            self._keep(caused, arrival, found, desk)
            return caused
        return self._deed(caused, arrival, found, raw)

    def _arrival(self, raw: bytes, desk: Desk) -> Arrival:
        whole = read(raw, READING, TRUST, wanted(desk.policy))
        digest = content_sha256(raw)
        at = self.at
        arrival = Arrival(
            next(self.numbers), at, "INBOX", False, False, len(raw), digest, digest, whole.message, whole.findings
        )
        return replace(arrival, original=whole.original, original_findings=whole.original_findings)

    def _deed(self, caused: Consequence, arrival: Arrival, found: Clues, raw: bytes) -> Consequence:
        """A member's mail: decided before it joins the ticket, as the tracker does."""
        assert caused.said is not None
        assert caused.ticket is not None
        row = self.rows[caused.ticket.token]
        orders = read_orders(caused.said.own)
        known = orders if isinstance(orders, Orders) else Orders((), "")
        before = self.worked(row, known)
        sends = any(order.verb.name == "attach" for order in known.orders)
        files = tuple(
            file_of("application/octet-stream", part.name or f"file-{n}", _content(raw, part))
            for n, part in enumerate(arrival.message.attachments, start=1)
            if sends and part.offset >= 0
        )
        case = case_of(caused.said.by, row.desk, self.at, self.entropy, by_mail=True, files=files)
        settled = settle(caused, caused.said, orders, before, arrival, case)
        self._keep(settled.consequence, arrival, found, row.desk)
        self._obeyed(row, before, settled.obeyed, settled.events, settled.told)
        return settled.consequence

    def command(self, token: str, words: str, by: str, text: str = "") -> Obeyed | None:
        """The same by the command line; None where it was refused."""
        orders = read_orders(own_words(f"{words}\n\n{text}", 1000))
        if not isinstance(orders, Orders):
            return None
        row = self.rows[token]
        case: Case = case_of(by, row.desk, self.at, self.entropy)
        before = self.worked(row, orders)
        done = obey(before, orders, Role.TEAM, case)
        if not isinstance(done, Obeyed):
            return None
        events: tuple[Event, ...] = ()
        if done.noted:
            kept = Said("in", Audience.TEAM, Role.TEAM, "", by, True, self.at, "", orders.text)
            row.messages.append(kept)
            events = (Event(EventKind.MESSAGE, case.actor, {"audience": "team", "note": "a note", "proven": True}),)
        self._obeyed(row, before, done, events, echoes(done, orders, case))
        return done

    # --- what is known --------------------------------------------------------------------------------------------------------

    def _known(self, arrival: Arrival, found: Clues, desk: Desk) -> Known:
        here = [row for row in self.rows.values() if row.desk.tenant == desk.tenant]
        wanted_ids = {i for i in (*found.ids, found.own_id, found.bounced_id) if i}
        ids = dict(
            reversed(
                [(m.message_id, _known_message(r, m)) for r in here for m in r.messages if m.message_id in wanted_ids]
            )
        )
        same = next((r for r in here for m in r.messages if _same(m, found)), None)
        if same is not None and found.author not in (same.reporter.address if same.reporter else "", same.forwarded_by):
            same = None
        tokens = {k.token for k in ids.values()} | ({found.keyed.token} if isinstance(found.keyed, Keyed) else set())
        tokens |= {same.name.token} if same else set()
        views = {t: self._view(self._survivor(t), arrival, found) for t in tokens if self._has(t, desk)}
        acknowledged = sum(
            q.letter.template in ACKNOWLEDGEMENTS and q.letter.to.lower() == found.author
            and q.letter.proven is proven(arrival) and abs(q.at - self.at) < DAY
            for r in here for q in r.letters
        )  # fmt: skip
        copy = (desk.tenant, arrival.content_sha256) in self.copies
        caps = desk.caps
        same_text = same.name.token if same else None
        kept = {i: k for i, k in ids.items() if k.token in views}
        return Known(views, kept, copy, same_text, acknowledged, caps.proven_per_hour, caps.unproven_per_hour)

    def _has(self, token: str, desk: Desk) -> bool:
        return token in self.rows and self.rows[token].desk.tenant == desk.tenant

    def _survivor(self, token: str) -> Row:
        row = self.rows[token]
        for _ in range(20):
            if not row.merged_into:
                break
            row = self.rows[row.merged_into]
        return row

    def _view(self, row: Row, arrival: Arrival, found: Clues) -> TicketView:
        who, proved = found.author, proven(arrival)
        heard = [m.at for m in row.messages if m.direction == "in" and m.counterpart == who and m.proven is proved]
        reporter = row.reporter
        return TicketView(
            name=row.name,
            subject=row.subject,
            reporter=reporter.address if reporter else "",
            reporter_written=reporter.written if reporter else "",
            reporter_proven=bool(reporter and reporter.proven),
            participants=frozenset(p.address for p in row.people),
            received_at=row.received_at,
            researcher_ids=_researcher_ids(row),
            team_ids=_team_ids(row),
            recent=1 + sum(abs(self.at - at) < RECENTLY for at in heard),
            promises=tuple(
                OpenPromise(
                    c.promise, c.clause, c.due_at, c.met_at is not None, bool(c.every), bool(c.waived), c.kept_by
                )
                for c in row.clocks
            ),
            heard_at=max(heard, default=None),
            held_lately=sum(abs(self.at - at) < RECENTLY for at in row.held),
            held_ever=len(row.held),
            gaps=row.gaps,
            forwarded_by=row.forwarded_by,
            assigned=row.assigned,
            asking=self._asking(row, who) if found.request else None,
        )

    def _asking(self, row: Row, who: str) -> Asking | None:
        person = next((p for p in row.people if p.address == who), None)
        if person is None:
            return None
        waiting = tuple(w for address, w in row.requests if address == who)
        lately = [q.letter.template for q in row.letters if abs(q.at - self.at) < DAY]
        answered = {t: lately.count(t) for t in TEMPLATES}
        open_clocks = tuple(c for c in row.clocks if is_open(c))
        return Asking(person.role, person.written, row.state, open_clocks, waiting, answered)

    def tended(self, row: Row) -> Tended:
        reporter = row.reporter
        stopped = {q.letter.message_id for q in row.letters if q.state in ("dropped", "held")}
        told = (
            n for n, (_, e) in reversed(list(enumerate(row.events)))
            if e.kind is EventKind.QUEUED and e.data["letter"] not in stopped and e.data["template"] not in TEMPLATES
        )  # fmt: skip
        last = next(told, None)
        return Tended(
            name=row.name,
            subject=row.subject,
            state=row.state,
            since=row.since,
            reporter=reporter.written if reporter else "",
            reporter_proven=bool(reporter and reporter.proven),
            reachable=self._reachable(row),
            clocks=row.clocks,
            happenings=happenings(row.events[last + 1 if last is not None else 0 :]),
            waiting=row.waiting,
            written_at=row.events[last][0] if last is not None else None,
            researcher_ids=_researcher_ids(row),
            team_ids=_team_ids(row),
            assigned=row.assigned,
        )

    def _reachable(self, row: Row) -> bool:
        reporter = row.reporter
        gone = ("failed", "dropped")
        written = [q for q in row.letters if q.letter.audience is Audience.RESEARCHER and q.state not in gone]
        if reporter is None or not written:
            return False
        by_a_member = any(q.letter.author or q.letter.template == "answer" for q in written)
        said = (m for m in row.messages if m.direction == "in" and m.counterpart == reporter.address)
        return by_a_member or reporter.proven or any(m.proven for m in said)

    def worked(self, row: Row, orders: Orders) -> Worked:
        """The ticket as members work on it."""
        spoken = self._spoken(row)
        files = [(replace(f, number=n), data) for n, (f, data) in enumerate(_files(row), start=1)]
        tokens = {t for words in named_tickets(orders) if (t := token_of(words))}
        return Worked(
            tended=self.tended(row),
            kind=row.kind,
            received_at=row.received_at,
            people=row.people,
            assigned=row.assigned,
            severity=row.severity,
            cvss=row.cvss,
            decision=row.decision,
            forwarded_by=row.forwarded_by,
            report_id=next((m.message_id for m in row.messages if m.audience is Audience.RESEARCHER), ""),
            acknowledged=any(q.letter.template in ACKNOWLEDGEMENTS and q.state != "dropped" for q in row.letters),
            waiting=tuple(_waiting(q) for q in self._cancellable(row) if _waits(q)),
            proposals=row.proposals,
            rewards=row.rewards,
            files=tuple(f for f, _ in files),
            contents={f.number: data for f, data in files} if wants_contents(orders) else {},
            notes=(*notes_of(spoken), *reasons_of(event for _, event in row.events)),
            said=said_of(spoken),
            elsewhere=tuple(self._elsewhere(r) for r in self.rows.values() if _is_another(r, row)),
            others={t: self._other(self.rows[t]) for t in tokens if self._has(t, row.desk)},
            merged_into=row.merged_into,
        )

    def _elsewhere(self, other: Row) -> Elsewhere:
        people = [(p.name, p.address) for p in other.people]
        reasons = reasons_of(event for _, event in other.events)
        return elsewhere_of(other.name.ref, self._spoken(other), reasons, people)

    def _cancellable(self, row: Row) -> list[Queued]:
        """With the letters that tell of tickets which were split off."""
        split = (self.rows[token].letters for token in row.split_off)
        return row.letters + [q for letters in split for q in letters if q.letter.template in ACKNOWLEDGEMENTS]

    def _other(self, row: Row) -> Other:
        reporter = row.reporter.address if row.reporter else ""
        return Other(row.name, reporter, row.received_at, bool(row.merged_into), row.state is State.CLOSED)

    def _spoken(self, row: Row) -> list[Spoken]:
        meant = {
            e.data.get("receipt") for _, e in row.events if e.kind is EventKind.REFUSED and e.data.get("meant_to_go")
        }
        texts = {m.message_id: m.text for r in self.rows.values() for m in r.messages if m.direction == "out"}
        went: dict[object, tuple[str, ...]] = {
            e.data.get("receipt"): tuple(texts[i] for i in e.data["becomes"])  # type: ignore[index, union-attr]
            for _, e in row.events
            if e.kind is EventKind.MESSAGE and e.data.get("becomes")
        }
        return [
            Spoken(
                m.audience,
                m.subject,
                m.text,
                m.letter.letter.template if m.letter else "",
                m.letter.state if m.letter else "",
                tuple(f.name for f, _ in m.files),
                went.get(m.receipt, ()) if m.receipt else (),
                bool(m.receipt) and m.receipt in meant,
            )
            for m in reversed(row.messages)
        ]

    # --- what follows ---------------------------------------------------------------------------------------------------------

    def _keep(self, caused: Consequence, arrival: Arrival, found: Clues, desk: Desk) -> None:
        self.copies.add((desk.tenant, arrival.content_sha256))
        if caused.opens is not None:
            self._open(caused.opens, desk)
        if caused.ticket is None:
            return
        row = self.rows[caused.ticket.token]
        row.clocks += caused.clocks
        self._place(row, caused, arrival, found)
        row.held += [self.at] if caused.outcome is Outcome.HELD else []
        row.gaps = caused.gaps.items if caused.gaps else tuple(g for g in row.gaps if g not in caused.brought)
        self._events(row, caused.events)
        self._queue(row, caused.letters)
        self._bounced(row, caused)
        if caused.asks is not None:
            self._asked(row, caused.asks)
        if _heard(caused, arrival) and row.waiting:
            self._act(row, resumed(self.tended(row), "researcher", row.desk, self.at))
        proved = caused.placed is not None and caused.placed.proven and found.request is None
        if (
            _heard(caused, arrival)
            and proved
            and row.state is State.CLOSED
            and row.kind == "report"
            and not row.merged_into
        ):
            self._act(row, reopened(self.tended(row), "researcher", self.at))
        self._study(row, caused, arrival)

    def _open(self, new: NewTicket, desk: Desk) -> Row:
        row = Row(new.name, desk, new.kind, new.subject, new.received_at, new.received_at)
        row.forwarded_by = new.forwarded_by
        if new.reporter:
            row.people = (
                Person(new.reporter, new.reporter_written, new.reporter_name, "reporter", new.reporter_proven),
            )
        self.rows[new.name.token] = row
        return row

    def _place(self, row: Row, caused: Consequence, arrival: Arrival, found: Clues) -> None:
        if caused.placed is None:
            return
        placed, message = caused.placed, arrival.message
        answers = Role.RESEARCHER if placed.audience is Audience.RESEARCHER else Role.TEAM
        files = tuple((File(0, a.name, a.detected_type, a.size, a.sha256), b"") for a in message.attachments)
        said = Said("in", placed.audience, answers, message.message_id, found.author, placed.proven, self.at,
                    message.subject, message.text, arrival.receipt, placed.text_hash, None, files, caused.reason)  # fmt: skip
        if (original := caused.passed_on) is not None:
            theirs = replace(said, message_id=original.message_id, counterpart=original.author, subject=original.subject,
                             text=original.text, text_hash=None)  # fmt: skip
            row.messages.append(theirs)
            said = replace(said, audience=Audience.TEAM, answers=Role.TEAM, proven=True, text=original.remarks)
        row.messages.append(said)

    def _queue(self, row: Row, letters: Iterable[Letter]) -> None:
        for letter in letters:
            on = self.rows[letter.token]
            state = "held" if letter.hold_reason else "queued"
            queued = Queued(next(self.numbers), on, letter, self.at, state, letter.not_before or self.at,
                            letter.hold_reason, bool(letter.hold_reason))  # fmt: skip
            on.letters.append(queued)
            on.messages.append(
                Said("out", letter.audience, letter.answers, letter.message_id, letter.to.lower(), True, self.at,
                     letter.subject, letter.text, letter=queued)
            )  # fmt: skip
            if letter.audience is Audience.RESEARCHER:
                data = {"letter": letter.message_id, "template": letter.template}
                self._events(on, [Event(EventKind.QUEUED, "triaged", data)])  # type: ignore[arg-type]

    def _events(self, row: Row, events: Iterable[Event]) -> None:
        row.events += [(self.at, event) for event in events]

    def _bounced(self, row: Row, caused: Consequence) -> None:
        gone = caused.bounced
        if gone is not None:
            row.clocks = tuple(
                replace(c, met_at=None, kept_by="", wake_at=self.at)
                if c.met_at and c.promise in gone.reopens and c.kept_by in (gone.message_id, "")
                else c
                for c in row.clocks
            )

    def _asked(self, row: Row, asks: Asked) -> None:
        if asks.settles is not None:
            row.requests = [(a, w) for a, w in row.requests if w.number != asks.settles]
        if asks.opens is not None:
            o = asks.opens
            row.requests.append((asks.address, Waiting(next(self.numbers), o.ask, o.value, o.code, self.at)))
        if asks.withdraws:
            self._act(row, withdrawn(self.tended(row), self.at))

    def _act(self, row: Row, done: Any) -> None:
        self._settle_ticket(row, done.ticket, done.events, done.letters)

    def _settle_ticket(self, row: Row, after: Tended, events: Iterable[Event], letters: Iterable[Letter]) -> None:
        result = tend(after, row.desk, self.at, self.entropy)
        row.state, row.since, row.waiting, row.clocks = after.state, after.since, after.waiting, result.clocks
        self._events(row, (*events, *result.events))
        self._queue(row, (*letters, *result.letters))

    def _study(self, row: Row, caused: Consequence, arrival: Arrival) -> None:
        if caused.study is None or caused.study.announcement is None:
            return
        told = announcement_of(json.loads(json.dumps(caused.study.announcement)))
        others = [r for r in self.rows.values() if r.desk.tenant == row.desk.tenant and r is not row]
        likes = tuple(Like(r.name.ref, 0.5, ("the same weakness",)) for r in others[:1])
        studied = Studied(caused.study.noise, likes)
        self._queue(row, announce(row.name, told, arrival.message.text, studied, {}, row.desk, self.at, self.entropy))

    def _obeyed(self, row: Row, before: Worked, done: Obeyed, events: Iterable[Event], told: Iterable[Letter]) -> None:
        after = done.worked
        row.kind, row.assigned, row.severity, row.cvss = after.kind, after.assigned, after.severity, after.cvss
        row.decision, row.merged_into, row.people = after.decision, after.merged_into, after.people
        row.rewards = after.rewards
        row.proposals = tuple(replace(p, number=p.number or next(self.numbers)) for p in after.proposals)
        moved = {w.number: w for w in after.waiting}
        for queued in self._cancellable(row):
            if (w := moved.get(queued.number)) is not None:
                queued.state, queued.not_before, queued.reason = w.state, w.not_before, w.reason
        for split in done.splits:
            opened = self._open(split.new, row.desk)
            opened.clocks = split.clocks
            row.split_off.append(split.new.name.token)
            self._events(opened, split.events)
        self._events(row, events)
        self._settle_ticket(row, after.tended, done.events, ())
        self._queue(row, (*done.letters, *told))
        for token, event in done.elsewhere:
            self._events(self.rows[token], [event])

    # --- time -----------------------------------------------------------------------------------------------------------------

    def send(self) -> list[Queued]:
        """The server takes all that may go."""
        sent = [q for r in self.rows.values() for q in r.letters if q.state == "queued" and q.not_before <= self.at]
        for queued in sorted(sent, key=lambda q: q.number):
            queued.state, queued.accepted_at, queued.attempts = "accepted", self.at, 1
            if queued.letter.audience is Audience.RESEARCHER:
                self._accepted(queued)
        return sent

    def _accepted(self, queued: Queued) -> None:
        row, letter = queued.ticket, queued.letter
        data: Any = {"letter": letter.message_id, "template": letter.template}
        self._events(row, [Event(EventKind.ACCEPTED, "triaged", data)])
        if letter.meets:
            policy = row.desk.policy
            kept = rounds.keep(row.clocks, letter.meets, self.at, letter.message_id, row.state, row.since, policy)
            before = set(row.clocks)
            row.clocks = tuple(
                c if c in before else replace(c, wake_at=self.at if is_open(c) else None) for c in kept.clocks
            )
            self._events(row, kept.events)

    def tend(self) -> None:
        """All that clocks have due."""
        for row in list(self.rows.values()):
            if any(c.wake_at and c.wake_at <= self.at for c in row.clocks):
                self._settle_ticket(row, self.tended(row), (), ())


def _content(raw: bytes, part: Any) -> Any:
    return decode_transfer(raw[part.offset : part.offset + part.length], part.encoding)[0]


def _known_message(row: Row, m: Said) -> KnownMessage:
    letter = m.letter.letter if m.letter else None
    meets, template = (letter.meets, letter.template) if letter else ((), "")
    sent = m.direction == "out"
    who = m.counterpart
    return KnownMessage(
        m.message_id, row.name.token, sent, m.audience, m.answers, who, meets, template, m.proven, m.reason
    )


def _same(m: Said, found: Clues) -> bool:
    return bool(found.text_hash) and m.text_hash == found.text_hash and m.counterpart == found.author


def _researcher_ids(row: Row) -> tuple[str, ...]:
    return tuple(m.message_id for m in row.messages if m.audience is Audience.RESEARCHER and m.message_id)


def _team_ids(row: Row) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for m in row.messages:
        if m.audience is Audience.TEAM and m.message_id:
            found[m.counterpart] = (*found.get(m.counterpart, ()), m.message_id)
    return found


def _is_another(other: Row, row: Row) -> bool:
    return other is not row and other.desk.tenant == row.desk.tenant


def _files(row: Row) -> list[tuple[File, bytes]]:
    said = [m for m in row.messages if m.audience is Audience.RESEARCHER and m.direction == "in"]
    return [one for m in said for one in m.files]


def _waits(q: Queued) -> bool:
    mine = q.letter.author != "" and q.letter.audience is Audience.RESEARCHER
    return mine and q.attempts == 0 and q.state in ("queued", "held")


def _waiting(q: Queued) -> WaitingLetter:
    x = q.letter
    return WaitingLetter(q.number, x.message_id, x.to, x.subject, x.template, q.state, q.not_before, q.reason, x.author)


def _heard(caused: Consequence, arrival: Arrival) -> bool:
    person = arrival.message.kind is Kind.PERSON and arrival.message.answerable
    theirs = caused.placed is not None and caused.placed.audience is Audience.RESEARCHER
    return caused.outcome is Outcome.APPENDED and person and theirs
