"""Who of the team is away, by the word of their own mail server. Believes nobody who is not proven; writes to nobody."""

from __future__ import annotations

from triaged.message.model import Kind
from triaged.ticket.answering import proven
from triaged.ticket.consequence import Absence, Consequence, Outcome
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival

_AN_ANSWER_TO_AN_INVITATION = "calendar-reply"


def told_by(arrival: Arrival, author: str, machine: bool, caused: Consequence, desk: Desk) -> Absence | None:
    """A proven member's autoresponder on a ticket says that they are away; anything that they write themselves, that they
    are here. `machine`: no person wrote it.
    """
    if author not in desk.members or not proven(arrival) or caused.outcome is Outcome.COPY:
        return None
    if not machine:
        return Absence(author, away=False)
    answers = arrival.message.kind is Kind.AUTO_REPLY and caused.outcome is Outcome.APPENDED
    invited = any(r.word == _AN_ANSWER_TO_AN_INVITATION for r in arrival.message.automatic_reasons)
    return Absence(author, away=True) if answers and not invited else None
