"""The decision about one message: which ticket, who may say what there, and what follows. A pure function of values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from triaged.message.model import Kind
from triaged.message.replies import own_words
from triaged.ticket import boardreply, forwarding, granting, notes, opening, past, probing, relaying
from triaged.ticket.absence import told_by
from triaged.ticket.address import Garbled, Keyed, Role, bare
from triaged.ticket.answering import proven
from triaged.ticket.consequence import Bounced, Consequence, Granted, Outcome, Placed, Said
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind
from triaged.ticket.known import Arrival, Clues, Known, KnownMessage, TicketView
from triaged.ticket.letters import Audience
from triaged.ticket.reference import Entropy

REPORTS_ABOUT_MAIL = frozenset({Kind.MDN, Kind.FEEDBACK})
GUESSED = "delivery-report-text"  # the reason of a delivery report that no field and no structure makes one
SUPPRESSED = "auto-response-suppress"  # asks for no automatic answer, and says nothing of its own writer (AR-7)
MOST_LINES = 10_000  # of a member's mail that are read for their own words
# Kinds that a machine writes, and signs of one that stand in no person's mail.
_MACHINES = frozenset({Kind.AUTO_REPLY, Kind.BOUNCE, Kind.MDN, Kind.FEEDBACK})
_MACHINE_WORDS = frozenset(
    {"auto-submitted", "null-return-path", "automation-address", "calendar-reply", "loop", "report"}
)


@dataclass(frozen=True, slots=True)
class Thread:
    """The ticket that a message is addressed to, and how that is known."""

    ticket: TicketView
    role: Role
    via: str  # key | message-id
    sent: bool = True  # the message that was named is ours
    to_team: bool = True  # and went to the team: where it is named without a key, only then are commands read


def receive(arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    """What `arrival` causes at the instant `at`."""
    if arrival.sent:
        return past.found_sent(arrival, clues, known, desk, at, entropy)
    caused = _caused(arrival, clues, known, desk, at, entropy)
    return replace(caused, absent=told_by(arrival, clues.author, _by_a_machine(arrival), caused, desk))


def _caused(arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    if known.copy:
        return Consequence(Outcome.COPY, "the same content has been taken in before")
    if _is_ours(arrival, clues, known, desk):
        return Consequence(Outcome.FILED, "our own letter came back to the mailbox")
    if probing.is_probe(arrival.message, desk):
        return Consequence(Outcome.FILED, "a probe of ours")
    thread = find_thread(clues, known)
    if arrival.message.kind is Kind.BOUNCE and not _only_looks_bounced(thread, arrival, clues, known):
        return _bounce(arrival, clues, known, desk, at, entropy)
    if thread is not None:
        return _threaded(thread, arrival, clues, known, desk, at, entropy)
    if arrival.message.kind in REPORTS_ABOUT_MAIL:
        return Consequence(Outcome.FILED, f"{arrival.message.kind.value}: a report about mail")
    if forwarding.is_passed_on(arrival, clues, desk) and not _by_a_machine(arrival):
        return forwarding.take_up(arrival, clues, known, desk, at, entropy)
    if known.same_text is not None:
        return relaying.said_again(known.tickets[known.same_text], arrival, clues, desk, at, entropy)
    return opening.open_ticket(arrival, clues, known, desk, at, entropy)


def find_thread(clues: Clues, known: Known) -> Thread | None:
    """TH-1: by a keyed address, then by a Message-ID on a ticket, and by nothing else."""
    if isinstance(clues.keyed, Keyed):
        ticket = known.tickets.get(clues.keyed.token)
        return Thread(ticket, clues.keyed.role, "key") if ticket else None
    for message_id in clues.ids:
        found = known.ids.get(message_id)
        if found is not None and found.token in known.tickets:
            to_team = found.sent and found.audience is Audience.TEAM
            return Thread(known.tickets[found.token], found.answers, "message-id", found.sent, to_team)
    return None


def _is_ours(arrival: Arrival, clues: Clues, known: Known, desk: Desk) -> bool:
    """A letter of ours that came back, by its own Message-ID and our From: never a report."""
    own = known.ids.get(clues.own_id)
    author = arrival.message.author
    return bool(own and own.sent and author and bare(author.address) in desk.mailboxes)


def _only_looks_bounced(thread: Thread | None, arrival: Arrival, clues: Clues, known: Known) -> bool:
    """Words alone make it a delivery report, and it is about no letter of ours: a postmaster may have found a hole (P3)."""
    if any(reason.word != GUESSED for reason in arrival.message.kind_reasons) or clues.bounced_id in known.ids:
        return False
    if thread is None:
        return not isinstance(clues.keyed, Keyed | Garbled)
    return thread.role is not Role.BOUNCE and clues.author in thread.ticket.participants


def _threaded(
    thread: Thread, arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """Who wrote decides what a message on a thread may do; the key or the id decides who reads it."""
    ticket = thread.ticket
    if clues.author in desk.members:
        if settled := _settled(thread, arrival, clues, known, desk, at, entropy):
            return settled
        return _from_member(thread, arrival, desk, at, entropy)
    if clues.author and clues.author in ticket.participants:
        if thread.role is Role.TEAM:  # nobody outside the team is given a team address
            return _held(thread, arrival, desk, at, entropy)
        granted = _granted(thread, arrival, clues, desk, at, entropy)
        return relaying.from_researcher(ticket, arrival, clues, desk, at, entropy, granted)
    sent = _answers_a_letter(clues, known)
    if thread.via == "key" or (sent and not desk.plus_addressing):
        return _held(thread, arrival, desk, at, entropy)
    # Somebody else named a message of the ticket: a suggestion to the team, and a report of its own.
    return opening.open_ticket(arrival, clues, known, desk, at, entropy, suggests=ticket.name)


def _granted(
    thread: Thread, arrival: Arrival, clues: Clues, desk: Desk, at: datetime, entropy: Entropy
) -> Granted | None:
    """What the first line of a participant's mail asks for. A machine asks for nothing (law 5)."""
    if clues.request is None or _by_a_machine(arrival):
        return None
    reached = thread.via == "key" or thread.sent
    return granting.grant(clues.request, thread.ticket, arrival, reached, desk, at, entropy)


def _answers_a_letter(clues: Clues, known: Known) -> KnownMessage | None:
    return next((k for i in clues.ids if (k := known.ids.get(i)) and k.sent), None)


def _settled(
    thread: Thread, arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence | None:
    """What a member's mail on a ticket is, where it is none about the ticket: the second copy of one, or a reply to the board."""
    if _by_a_machine(arrival):
        return None
    if notes.kept_already(thread.ticket, arrival, clues, known, _reaches_researcher(thread, desk)):
        return Consequence(Outcome.FILED, "kept already: the same mail of the same member", thread.ticket.name)
    board = boardreply.answered_board(thread.ticket, clues, known)
    if board is None or thread.role is Role.RESEARCHER or not proven(arrival):
        return None
    return boardreply.board_reply(thread.ticket, board, clues.author, own_words(arrival.message.text, MOST_LINES))


def _from_member(thread: Thread, arrival: Arrival, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    ticket = thread.ticket
    placed = Placed(Audience.TEAM, proven(arrival), None)
    if _by_a_machine(arrival):
        # An absence notice of a member must never reach a researcher, and is no reason to write to anybody.
        event = relaying.message_event(arrival, Audience.TEAM, "an automatic message of a member")
        return Consequence(Outcome.APPENDED, "automatic", ticket.name, placed=placed, events=(event,))
    if not proven(arrival):
        role = Role.RESEARCHER if _reaches_researcher(thread, desk) else Role.TEAM
        return relaying.unproven_member(ticket, arrival, role, desk, at, entropy)
    if _reaches_researcher(thread, desk):
        doubts = [r for r in arrival.message.automatic_reasons if r.word != SUPPRESSED]
        if doubts:
            return relaying.doubted_answer(ticket, arrival, doubts[0], desk, at, entropy)
        return _said(thread, Role.RESEARCHER, arrival, placed)
    return _said(thread, Role.TEAM, arrival, placed)


def _said(thread: Thread, role: Role, arrival: Arrival, placed: Placed) -> Consequence:
    """A proven member's mail in a conversation of ours: their own words are read as commands and text."""
    author, message = arrival.message.author, arrival.message
    own = own_words(message.text, MOST_LINES)
    passed_on = message.text.strip() if message.forwarded else ""
    ours = thread.via == "key" or thread.to_team
    said = Said(author.address.lower() if author else "", role, own, passed_on, thread.ticket, ours)
    return Consequence(Outcome.APPENDED, "a member's mail", thread.ticket.name, placed=placed, said=said)


def _by_a_machine(arrival: Arrival) -> bool:
    """Lists, mail gateways and clients mark what people wrote as well: such a mail of a member must not end in silence."""
    message = arrival.message
    return message.kind in _MACHINES or any(reason.word in _MACHINE_WORDS for reason in message.automatic_reasons)


def _reaches_researcher(thread: Thread, desk: Desk) -> bool:
    """AT-29: a member's mail stays inside unless it went to the researcher's own address, or answers a letter of ours
    where a mailbox has no such addresses. A member who forwards the report with a remark names the report's id as well.
    """
    named = thread.via == "key" or (thread.sent and not desk.plus_addressing)
    return named and thread.role is Role.RESEARCHER


def _held(thread: Thread, arrival: Arrival, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    """TH-2: the address proves knowledge, not identity. Kept apart until the team decides; nothing is answered."""
    ticket = thread.ticket
    reason = "the sender is not a participant of the ticket"
    quiet = _held_in_silence(ticket, arrival, desk)
    letters = () if quiet else relaying.held_letters(ticket, arrival, reason, desk, at, entropy)
    event = Event(EventKind.HELD, "triaged", {"receipt": arrival.receipt, "why": reason, "via": thread.via})
    return Consequence(Outcome.HELD, reason, ticket.name, events=(event,), letters=letters)


def _held_in_silence(ticket: TicketView, arrival: Arrival, desk: Desk) -> bool:
    """AR-11: what a machine answers to our mail to the team comes back here, and telling the team would be answered again."""
    author, most = arrival.message.author, desk.caps.thread_messages_per_10_minutes
    ours = author is not None and bare(author.address) in desk.own
    return arrival.message.kind is Kind.AUTO_REPLY or ticket.held_lately >= most or (ours and ticket.held_ever >= most)


def _muted(ticket: TicketView, desk: Desk) -> bool:
    return ticket.recent > desk.caps.thread_messages_per_10_minutes


def _bounce(arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    """NT-1: believed when it came to the letter's keyed bounce address; else kept for a person."""
    keyed = clues.keyed if isinstance(clues.keyed, Keyed) else None
    letter = known.ids.get(clues.bounced_id)
    token = keyed.token if keyed else letter.token if letter else None
    ticket = known.tickets.get(token) if token else None
    if ticket is None:
        garbled = " to a garbled address" if isinstance(clues.keyed, Garbled) else ""
        return Consequence(Outcome.FILED, f"a delivery report{garbled} that names no letter of ours")
    if letter is not None and letter.token != ticket.name.token:
        letter = None
    placed = Placed(Audience.TEAM, False, None)
    failed = any(r.action == "failed" for r in arrival.message.bounce.recipients) if arrival.message.bounce else False
    if letter is None or not failed:
        event = Event(EventKind.MESSAGE, "triaged", {"receipt": arrival.receipt, "note": "a delivery report"})
        return Consequence(Outcome.APPENDED, "a delivery report", ticket.name, placed=placed, events=(event,))
    believed = keyed is not None and keyed.role is Role.BOUNCE
    return _undelivered(ticket, letter, believed, arrival, desk, at, entropy)


def _undelivered(
    ticket: TicketView,
    letter: KnownMessage,
    believed: bool,
    arrival: Arrival,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> Consequence:
    """The team is told either way; only a report that came to the letter's own key takes a kept promise back (SM-10)."""
    bounce = arrival.message.bounce
    reply = "; ".join(r.reason or r.status for r in bounce.recipients if r.action == "failed") if bounce else ""
    met = {o.promise for o in ticket.promises if o.met and o.kept_by in (letter.message_id, "")} if believed else set()
    reopens = tuple(p for p in letter.meets if p in met)
    kind = EventKind.UNDELIVERED if believed else EventKind.REPORTED_UNDELIVERED
    events = [Event(kind, "triaged", {"letter": letter.message_id, "receipt": arrival.receipt})]
    events += [Event(EventKind.REOPENED, "triaged", {"promise": p, "why": "undelivered"}) for p in reopens]
    # A report about a letter to the team tells nobody: the next one would bounce as well.
    tells = letter.audience is Audience.RESEARCHER and not _muted(ticket, desk)
    letters = relaying.undelivered_letters(ticket, letter, reply, believed, desk, at, entropy) if tells else ()
    return Consequence(
        Outcome.APPENDED,
        "a letter did not arrive",
        ticket.name,
        placed=Placed(Audience.TEAM, False, None),
        events=tuple(events),
        letters=letters,
        bounced=Bounced(letter.message_id, reply[:500], reopens) if believed else None,
    )
