"""Answers past triaged: what lies in the mailbox's own sent folder. Opens no ticket, obeys nobody, writes to no researcher."""

from __future__ import annotations

from datetime import datetime

from triaged.message.model import Kind, Message
from triaged.ticket.address import Garbled, Keyed, Role, bare, read_address
from triaged.ticket.clocks import is_kept_by_letters, kept_by
from triaged.ticket.consequence import Answered, Consequence, Outcome, Placed
from triaged.ticket.desk import Desk
from triaged.ticket.events import MAILBOX, Event, EventKind
from triaged.ticket.known import Arrival, Clues, Known, TicketView
from triaged.ticket.letters import Audience, Letter
from triaged.ticket.owing import still_owed
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import to_team
from triaged.ticket.shown import guide, one_line, quoted, shown_author, shown_instant

NOTE = "written past triaged, from the mailbox itself"
OTHERS_SHOWN = 5
# Marks that a person's own mail may carry: Exchange's wish for no automatic answer (AR-7), and the mailbox's own name.
_HARMLESS = frozenset({"auto-response-suppress", "automation-address"})


def found_sent(arrival: Arrival, clues: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    """What a message of the sent folder causes: a copy of ours is filed, a person's answer joins its ticket."""
    if known.copy:
        return Consequence(Outcome.COPY, "the same content has been taken in before")
    if _is_ours(arrival.message, clues, known, desk):
        return Consequence(Outcome.FILED, "a copy of a letter that is on its ticket already")
    if _by_a_machine(arrival.message):
        return Consequence(Outcome.FILED, "sent from the mailbox by a machine")
    named = _tickets(clues, known)
    for ticket in named:
        to = _participants(arrival.message, ticket, desk)
        if to and clues.author not in ticket.participants:  # what a participant wrote, somebody moved there
            return _answered(ticket, to, arrival, desk, at, entropy)
    return Consequence(Outcome.FILED, f"sent from the mailbox: {_why_not(named, clues)}")


def _is_ours(message: Message, clues: Clues, known: Known, desk: Desk) -> bool:
    """By its Message-ID; where a submission server gave it another one, by the key in Reply-To that only we can make."""
    own = known.ids.get(clues.own_id)
    keys = (read_address(a.address, desk.address, desk.keys) for a in message.reply_to)
    return bool(own and own.sent) or any(isinstance(key, Keyed) for key in keys)


def _by_a_machine(message: Message) -> bool:
    """An absence notice or a delivery report is nobody's answer (NT-5)."""
    return message.kind is not Kind.PERSON or any(r.word not in _HARMLESS for r in message.automatic_reasons)


def _tickets(clues: Clues, known: Known) -> tuple[TicketView, ...]:
    """The tickets that the letter names by In-Reply-To and References, nearest first; a key never decides here."""
    named = (known.ids[i].token for i in clues.ids if i in known.ids)
    return tuple(known.tickets[token] for token in dict.fromkeys(named) if token in known.tickets)


def _participants(message: Message, ticket: TicketView, desk: Desk) -> tuple[str, ...]:
    """Whom of the ticket it went to, its reporter first. Our own addresses are nobody's researcher."""
    named = dict.fromkeys(a.address.lower() for a in (*message.to, *message.cc))
    found = [a for a in named if a in ticket.participants and bare(a) not in desk.own]
    return tuple(sorted(found, key=lambda address: address != ticket.reporter))


def _why_not(named: tuple[TicketView, ...], clues: Clues) -> str:
    if isinstance(clues.keyed, Keyed | Garbled):
        return "it went to an address of our own"
    if not named:
        return "it answers no message of a ticket"
    if any(clues.author in ticket.participants for ticket in named):
        return "a participant of the ticket wrote it"
    return "it went to nobody on the ticket"


def _answered(
    ticket: TicketView, to: tuple[str, ...], arrival: Arrival, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """It counts as a member's letter of its own instant, which was not before the report came."""
    answered = Answered(
        message_id=arrival.message.message_id,
        to=to[0],
        at=max(arrival.received_at, ticket.received_at),
        meets=kept_by(_kept_by_letters(ticket)),
    )
    event = Event(
        EventKind.MESSAGE,
        MAILBOX,
        {
            "receipt": arrival.receipt,
            "sha256": arrival.sha256,
            "audience": Audience.RESEARCHER.value,
            "letter": answered.message_id,
            "note": NOTE,
        },
    )
    return Consequence(
        Outcome.APPENDED,
        NOTE,
        ticket.name,
        placed=Placed(Audience.RESEARCHER, True, None),
        events=(event,),
        letters=_tell(ticket, to, answered, arrival, desk, at, entropy),
        answered=answered,
    )


def _kept_by_letters(ticket: TicketView) -> tuple[tuple[str, frozenset[str]], ...]:
    every = (p for p in ticket.promises if is_kept_by_letters(p.promise, p.every, p.holds))
    return tuple((p.promise, p.holds) for p in every)


def _tell(
    ticket: TicketView,
    to: tuple[str, ...],
    answered: Answered,
    arrival: Arrival,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> tuple[Letter, ...]:
    """The team alone hears of it: the researcher has the letter."""
    message = arrival.message
    values = {
        "ref": ticket.name.ref,
        "author": shown_author(message),
        "to": ", ".join(map(one_line, to)),
        "sent": shown_instant(answered.at, desk),
        "warnings": (*_warnings(message, to, desk), *_owed(ticket, answered)),
        "guide": guide(Role.TEAM, ticket.name, desk),
        "body": quoted(message.new_text or message.text, desk.caps.relay_text),
    }
    return to_team("answered_past", ticket.name, ticket.subject, values, Role.TEAM, desk, at, entropy, ticket.team_ids)


def _owed(ticket: TicketView, answered: Answered) -> tuple[str, ...]:
    """What it may hold of an assessment nobody but a person can see."""
    owed = (p for p in ticket.promises if p.holds and not (p.met or p.over) and p.promise not in answered.meets)
    return tuple(dict.fromkeys(still_owed(p.promise, p.holds) for p in owed))


def _warnings(message: Message, to: tuple[str, ...], desk: Desk) -> tuple[str, ...]:
    named = dict.fromkeys(a.address.lower() for a in (*message.to, *message.cc))
    others = [a for a in named if a not in to and bare(a) not in desk.own]
    warnings = []
    if others:
        more = f" and {len(others) - OTHERS_SHOWN} more" if len(others) > OTHERS_SHOWN else ""
        shown = ", ".join(map(one_line, others[:OTHERS_SHOWN]))
        warnings.append(f"it went as well to {shown}{more}: no participant, so what they answer is held")
    if not message.message_id:
        warnings.append("it has no Message-ID: an answer to it may open a ticket of its own")
    return tuple(warnings)
