"""What stands still and heals by nobody: mail of mailboxes that nobody serves, letters that the team never got. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from triaged.ticket.consequence import Outcome
from triaged.ticket.letters import Audience
from triaged.tracker.schema import letter, receipt

LATELY = timedelta(days=7)


def orphaned(connection: Connection, mailboxes: Sequence[str]) -> dict[str, int]:
    """Mailbox name -> unread messages and unsent letters, for names that the configuration does not have (any more)."""
    unsent = (letter.c.state.in_(("queued", "unknown", "held", "sending")), letter.c.mailbox.not_in(mailboxes))
    unread = (receipt.c.outcome == Outcome.WAITING, receipt.c.mailbox.not_in(mailboxes))
    found: dict[str, int] = {}
    for table, which in ((letter, unsent), (receipt, unread)):
        counted = select(table.c.mailbox, func.count()).where(*which).group_by(table.c.mailbox)
        for name, count in connection.execute(counted):
            found[name] = found.get(name, 0) + count
    return found


def untold(connection: Connection, mailbox: str, now: datetime) -> int:
    """Letters to the team that were refused for good lately: nobody can be told of that by mail."""
    refused = (letter.c.state == "failed", letter.c.audience == Audience.TEAM, letter.c.mailbox == mailbox)
    lately = letter.c.queued_at > now - LATELY
    return connection.execute(select(func.count()).where(*refused, lately)).scalar_one()
