"""A member's reply to the daily board: told from a note on the ticket whose address the board bears. Moves nothing itself."""

from __future__ import annotations

import re
from datetime import datetime

from triaged.message.clean import clean_header
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival, Clues, Known, KnownMessage, TicketView
from triaged.ticket.letters import Letter, TeamLetter, render_team
from triaged.ticket.reference import Entropy

BOARDS = frozenset({"board", "board_reply"})  # templates of letters about many tickets
SUBJECT_CHARACTERS = 120
_AGAIN = re.compile(r"\A(?:\s*(?:re|aw|sv|antw)\s*:){1,8}\s*", re.IGNORECASE)


def answered_board(ticket: TicketView, clues: Clues, known: Known) -> KnownMessage | None:
    """The board that a mail on `ticket` answers: the nearest letter of ours that it names, where that is one.

    Its Reply-To is the address of its first ticket, so this is asked before the key decides; another ticket's key is no
    board's.
    """
    nearest = next((k for i in clues.ids if (k := known.ids.get(i)) and k.sent), None)
    return nearest if nearest and nearest.template in BOARDS and nearest.token == ticket.name.token else None


def board_reply(
    ticket: TicketView, board: KnownMessage, arrival: Arrival, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """A proven member's reply to the board. It is no note: it stands on no ticket, and its author is told what to do."""
    why = "a reply to the board is not read for commands"
    letters: tuple[Letter, ...] = ()
    if ticket.held_lately < desk.caps.thread_messages_per_10_minutes:  # AR-11
        letters = (_told(ticket, board, why, arrival, desk, at, entropy),)
    return Consequence(Outcome.HELD, why, ticket.name, letters=letters)


def _told(
    ticket: TicketView,
    board: KnownMessage,
    why: str,
    arrival: Arrival,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> Letter:
    message = arrival.message
    words = clean_header(_AGAIN.sub("", message.subject))[:SUBJECT_CHARACTERS].strip()
    letter = TeamLetter(
        template="board_reply",
        ticket=ticket.name,
        to=message.author.address if message.author else "",
        subject=f"Re: {words or 'the board'}",
        values={"why": why, "mend": "reply to a mail about the ticket that you mean"},
        answers=Role.TEAM,
        parents=tuple(i for i in (board.message_id, message.message_id) if i),
    )
    return render_team(letter, desk, at, entropy)
