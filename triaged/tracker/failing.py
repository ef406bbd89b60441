"""Letters to researchers that a server refused for good: the team is told, in the transaction that records it. Dials nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.ticket.known import KnownMessage
from triaged.ticket.letters import Audience
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import undelivered_letters
from triaged.tracker.consequences import queue_letters
from triaged.tracker.knowing import view_of
from triaged.tracker.schema import letter


def tell_team(
    connection: Connection, refused: Sequence[int], desks: Mapping[str, Desk], at: datetime, entropy: Entropy
) -> None:
    """SM-4: a permanent refusal needs a person. What bounces to the team itself tells nobody."""
    if not refused:
        return
    rows = connection.execute(
        select(letter).where(letter.c.id.in_(refused), letter.c.audience == Audience.RESEARCHER)
    ).all()
    for row in rows:
        desk, ticket_id = desks[row.mailbox], row.ticket_id
        view = view_of(connection, ticket_id, at)
        known = KnownMessage(
            row.message_id,
            view.name.token,
            True,
            Audience.RESEARCHER,
            Role.RESEARCHER,
            row.to_address,
            tuple(row.meets),
            row.template,
        )
        letters = undelivered_letters(view, known, row.last_reply, True, desk, at, entropy)
        queue_letters(connection, letters, desk, at, {view.name.token: ticket_id})
