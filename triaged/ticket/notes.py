"""A member's note: kept with the ticket, and mailed on once to those who hear and do not have it. Never leaves the team."""

from __future__ import annotations

from datetime import datetime

from triaged.message.model import Message
from triaged.ticket.address import Role
from triaged.ticket.answering import proven
from triaged.ticket.desk import Desk
from triaged.ticket.hearing import gone_lines, shown_member
from triaged.ticket.known import Arrival, Clues, Known, TicketView
from triaged.ticket.letters import Letter
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import ANSWERED, listed_files, tell_team
from triaged.ticket.shown import defect_warnings, guide, quoted, shown_files

NOTED = "note"  # the reason of its receipt


def note_letters(
    ticket: TicketView, arrival: Arrival, words: str, desk: Desk, at: datetime, entropy: Entropy
) -> tuple[Letter, ...]:
    """One to each who hears, but the author and those whom the author's own mail went to."""
    author = arrival.message.author.address if arrival.message.author else ""
    values = {
        "member": shown_member(author, desk),
        "author": author,
        "ref": ticket.name.ref,
        "warnings": gone_lines(ticket.assigned, ticket.away, desk) + defect_warnings(arrival, desk),
        **shown_files(listed_files(arrival.message)),
        "guide": guide(Role.TEAM, ticket.name, desk),
        "body": quoted(words or "(no words of their own)", desk.caps.relay_text),
    }
    return tell_team("note", ticket, values, Role.TEAM, desk, at, entropy, but=have_it(arrival.message))


def have_it(message: Message) -> frozenset[str]:
    """Who wrote a mail and whom it went to by its own To and Cc."""
    people = (*message.to, *message.cc, *((message.author,) if message.author else ()))
    return frozenset(person.address.lower() for person in people)


def kept_already(ticket: TicketView, arrival: Arrival, clues: Clues, known: Known, answers: bool) -> bool:
    """The same mail of the same member stands on the ticket: a list that they copied it to changed its bytes.

    `answers`: this one goes to the researcher. It is the same only where the first one did, or was obeyed, for an answer must
    not be lost because its copy to a list came before it; and what nothing proved is no first one for what is proven. A
    signature covers no field that is put on top: whoever sends a member's mail again may change its bytes (AT-31).
    """
    first = known.ids.get(clues.own_id)
    if first is None or first.sent or (first.token, first.counterpart) != (ticket.name.token, clues.author):
        return False
    if not first.proven and proven(arrival):
        return False
    return first.reason == ANSWERED or first.reason.startswith("/") or not answers
