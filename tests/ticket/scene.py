"""One desk, one ticket and its people, as the decisions see them. Messages are raw bytes, read by the real parser."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from triaged.message.content import content_sha256
from triaged.message.model import Limits as MessageLimits
from triaged.message.model import Trust
from triaged.policy.load import load_policy
from triaged.reading.asking import wanted
from triaged.reading.whole import read
from triaged.settings.limits import Limits
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.announcing import Studied, announce, announcement_of
from triaged.ticket.arrival import receive
from triaged.ticket.clocks import Clock
from triaged.ticket.consequence import Consequence
from triaged.ticket.desk import Caps, Colleague, Desk
from triaged.ticket.events import State
from triaged.ticket.grammar import read_orders
from triaged.ticket.known import Arrival, Known, KnownMessage, OpenPromise, TicketView, clues
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.member_mail import settle
from triaged.ticket.tended import Tended
from triaged.ticket.worked import Person, Worked, case_of

POLICIES = Path(__file__).resolve().parents[2] / "config" / "policies"
AT = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
KEY = b"a key of the tests, 32 octets..."
LIMITS = Limits()
READING = MessageLimits(**{name: getattr(LIMITS, name) for name in MessageLimits.__slots__})
TRUST = Trust(authserv_ids=frozenset({"mx.example.test"}))

MAILBOX = "security@example.test"
TEAM = "team@example.test"
RESEARCHER = "noa@example.org"
FRIEND = "friend@example.org"
STRANGER = "eve@evil.example"
MEMBER = "dana@example.test"

TICKET = TicketName("7f3k9qxd", "IMS-7F3K-9QXD")
OTHER = TicketName("0000zzzz", "IMS-0000-ZZZZ")

# Message-IDs that stand on the ticket.
TO_RESEARCHER = "<to-researcher@example.test>"
RELAY = "<relay@example.test>"  # to the team; a reply reaches the researcher
TEAM_ONLY = "<team-only@example.test>"
REPORT = "<report@example.org>"  # the researcher's own

POLICY = load_policy(POLICIES / "ims-network.toml")
CAPS = Caps(
    proven_per_address_per_day=10,
    unproven_per_address_per_day=1,
    proven_per_hour=2000,
    unproven_per_hour=60,
    thread_messages_per_10_minutes=5,
    full_bytes=16384,
    minimal_bytes=2048,
    references_ids=20,
    references_bytes=900,
    relay_text=65536,
)
DESK = Desk(
    tenant="default",
    mailbox="security",
    address=MAILBOX,
    policy=POLICY,
    plus_addressing=True,
    acknowledge_unproven="minimal",
    require_return_path=False,
    envelope="keyed",
    own=frozenset({MAILBOX, TEAM, MEMBER}),
    mailboxes=frozenset({MAILBOX}),
    notify=(TEAM,),
    members={MEMBER: Colleague("Dana Levi", MEMBER, notify="board")},
    keys=(KEY,),
    caps=CAPS,
)

_numbers = itertools.count(1)
_random = random.Random(20261120)


def entropy(length: int) -> bytes:
    """Random bytes, the same in every run."""
    return _random.randbytes(length)


def key(ticket: TicketName, role: Role, secret: bytes = KEY) -> str:
    return keyed_address(MAILBOX, ticket.token, role, secret)


def mail(
    author: str | None = RESEARCHER,
    to: str = MAILBOX,
    *,
    proven: bool = False,
    subject: str = "XSS in login",
    text: str = "A page of yours runs what stands in its address, see the steps below.",
    fields: tuple[str, ...] = (),
    message_id: str | None = None,
) -> bytes:
    """A message as a mailbox holds it. `proven`: the trusted server says that the author's domain sent it."""
    lines = []
    if proven and author is not None:
        domain = author.rpartition("@")[2].rstrip(">")
        lines.append(f"Authentication-Results: mx.example.test; dmarc=pass header.from={domain}")
    if author is not None:
        lines.append(f"From: {author}")
    own = message_id or f"<{next(_numbers)}.scene@example.org>"
    lines += [f"To: {to}", f"Subject: {subject}", f"Message-ID: {own}", *fields]
    return "\r\n".join([*lines, "", *text.split("\n"), ""]).encode()


def arrive(raw: bytes, *, junk: bool = False) -> Arrival:
    number = next(_numbers)
    whole = read(raw, READING, TRUST, wanted(POLICY))
    digest = content_sha256(raw)
    arrival = Arrival(number, AT, "INBOX", junk, False, len(raw), digest, digest, whole.message, whole.findings)
    return replace(arrival, original=whole.original, original_findings=whole.original_findings)


def view(**changes: Any) -> TicketView:
    """The ticket that the researcher's report opened an hour ago and that has been acknowledged."""
    ticket = TicketView(
        name=TICKET,
        subject="XSS in login",
        reporter=RESEARCHER,
        reporter_written=RESEARCHER,
        reporter_proven=True,
        participants=frozenset({RESEARCHER, FRIEND}),
        received_at=AT - timedelta(hours=1),
        researcher_ids=(REPORT, TO_RESEARCHER),
        team_ids={TEAM: (RELAY, TEAM_ONLY)},
        recent=1,
        promises=(OpenPromise("acknowledge", "acknowledging", AT + timedelta(days=3), True),),
    )
    return replace(ticket, **changes)


OTHER_TICKET = replace(
    view(), name=OTHER, reporter=STRANGER, reporter_written=STRANGER, participants=frozenset({"other@example.net"})
)


def _known_message(message_id: str, sent: bool, audience: Audience, answers: Role) -> KnownMessage:
    counterpart = RESEARCHER if audience is Audience.RESEARCHER else TEAM
    return KnownMessage(message_id, TICKET.token, sent, audience, answers, counterpart, ("acknowledge",), "x")


IDS = {
    known.message_id: known
    for known in (
        _known_message(TO_RESEARCHER, True, Audience.RESEARCHER, Role.RESEARCHER),
        _known_message(RELAY, True, Audience.TEAM, Role.RESEARCHER),
        _known_message(TEAM_ONLY, True, Audience.TEAM, Role.TEAM),
        _known_message(REPORT, False, Audience.RESEARCHER, Role.RESEARCHER),
    )
}


def known(arrival: Arrival, desk: Desk = DESK, ticket: TicketView | None = None, **changes: Any) -> Known:
    """What the tracker would say about the arrival, where the two tickets are all it has."""
    found = clues(arrival.message, desk)
    ids = {i: IDS[i] for i in (*found.ids, found.own_id, found.bounced_id) if i in IDS}
    tickets = {TICKET.token: ticket or view(), OTHER.token: OTHER_TICKET}
    all_known = Known(tickets, ids, False, None, 0, 2000, 60)
    return replace(all_known, **changes)


def decide(raw: bytes, desk: Desk = DESK, ticket: TicketView | None = None, **changes: Any) -> Consequence:
    """What `raw` causes at the desk."""
    arrival = arrive(raw, junk=changes.pop("junk", False))
    facts = known(arrival, desk, ticket, **changes)
    caused = receive(arrival, clues(arrival.message, desk), facts, desk, AT, entropy)
    caused = _settled(caused, facts, arrival, desk)
    return replace(caused, letters=(*caused.letters, *_announced(caused, arrival, desk)))


def _settled(caused: Consequence, facts: Known, arrival: Arrival, desk: Desk) -> Consequence:
    """A member's mail with what it does to the ticket."""
    if caused.said is None or caused.ticket is None or caused.said.board:
        return caused
    case = case_of(caused.said.by, desk, AT, entropy, by_mail=True)
    ticket = worked(facts.tickets[caused.ticket.token])
    done = settle(caused, caused.said, read_orders(caused.said.own), ticket, arrival, case)
    events = (*caused.events, *done.events, *done.obeyed.events)
    return replace(done.consequence, events=events, letters=(*done.obeyed.letters, *done.told))


def worked(ticket: TicketView, **changes: Any) -> Worked:
    """The ticket as members work on it."""
    running = (
        Clock(p.promise, p.clause, "14 days" if p.every else None, ticket.received_at, p.due_at, False)
        for p in ticket.promises
    )
    tended = Tended(
        name=ticket.name,
        subject=ticket.subject,
        state=State.RECEIVED,
        since=ticket.received_at,
        reporter=ticket.reporter_written,
        reporter_proven=ticket.reporter_proven,
        reachable=True,
        clocks=tuple(running),
        researcher_ids=ticket.researcher_ids,
        team_ids=ticket.team_ids,
    )
    people = (
        (Person(ticket.reporter, ticket.reporter_written, "", "reporter", ticket.reporter_proven),)
        if ticket.reporter
        else ()
    )
    return replace(Worked(tended, "report", ticket.received_at, people), **changes)


def _announced(caused: Consequence, arrival: Arrival, desk: Desk) -> tuple[Letter, ...]:
    """The mail to the team, as the study sends it on."""
    if caused.study is None or caused.study.announcement is None or caused.ticket is None:
        return ()
    told = announcement_of(json.loads(json.dumps(caused.study.announcement)))
    return announce(caused.ticket, told, arrival.message.text, Studied(caused.study.noise), {}, desk, AT, entropy)
