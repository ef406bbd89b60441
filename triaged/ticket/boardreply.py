"""A member's reply to the daily board: one line a command, each with the ticket that it is for. Reads and tells; does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from triaged.message.clean import clean_header
from triaged.message.replies import Own
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence, Outcome, Said
from triaged.ticket.desk import Desk
from triaged.ticket.grammar import Order, Orders, Refused, read_orders
from triaged.ticket.known import Arrival, Clues, Known, KnownMessage, TicketView
from triaged.ticket.letters import Letter, TeamLetter, render_team
from triaged.ticket.reference import Entropy, token_of

BOARDS = frozenset({"board", "board_reply", "caps"})  # templates of letters about many tickets
SUBJECT_CHARACTERS = 120
HOW = "write lines such as /assign IMS-7F3K-9QXD me at the very top, each with its ticket; text belongs to a mail about one ticket"
_AGAIN = re.compile(r"\A(?:\s*(?:re|aw|sv|antw)\s*:){1,8}\s*", re.IGNORECASE)


def answered_board(ticket: TicketView, clues: Clues, known: Known) -> KnownMessage | None:
    """The board that a mail on `ticket` answers: the nearest letter of ours that it names, where that is one.

    Its Reply-To is the address of its first ticket, so this is asked before the key decides; another ticket's key is no
    board's.
    """
    nearest = next((k for i in clues.ids if (k := known.ids.get(i)) and k.sent), None)
    return nearest if nearest and nearest.template in BOARDS and nearest.token == ticket.name.token else None


def board_reply(ticket: TicketView, board: KnownMessage, author: str, own: Own) -> Consequence:
    """A proven member's reply to the board: no note, and on no ticket. Its commands are for the tickets that they name."""
    said = Said(author, Role.TEAM, own, "", ticket, board=board.message_id)
    return Consequence(Outcome.FILED, "a reply to the board", ticket.name, said=said)


def read_board(own: Own) -> dict[str, Orders] | Refused:
    """Token -> the orders for that ticket."""
    read = read_orders(own)
    if isinstance(read, Refused):
        return read
    if not read.orders or read.text:
        return Refused("it holds text" if read.text else "it holds no command", HOW)
    found: dict[str, Orders] = {}
    for order in read.orders:
        named, _, rest = order.words.partition(" ")
        token = token_of(named) if named else None
        if token is None:
            return Refused(f"{str(order)[:60]!r} names no ticket", HOW)
        before = found.get(token, Orders((), ""))
        found[token] = replace(before, orders=(*before.orders, Order(order.verb, rest)))
    return found


def told(
    said: Said,
    lines: Iterable[str],
    refused: Refused | None,
    arrival: Arrival,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> tuple[Letter, ...]:
    """What became of it, to its author. AR-11: a few times in ten minutes."""
    if said.ticket.held_lately >= desk.caps.thread_messages_per_10_minutes:
        return ()
    message = arrival.message
    words = clean_header(_AGAIN.sub("", message.subject))[:SUBJECT_CHARACTERS].strip()
    letter = TeamLetter(
        template="board_reply",
        ticket=said.ticket.name,
        to=desk.members[said.by].address if said.by in desk.members else said.by,
        subject=f"Re: {words or 'the board'}",
        values={"lines": tuple(lines), "refused": refused},
        answers=Role.TEAM,
        parents=tuple(i for i in (said.board, message.message_id) if i),
    )
    return (render_team(letter, desk, at, entropy),)
