"""The daily board: once a day and mailbox, kept as a row. Decides nothing about what stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from triaged.policy.calendar import is_worked
from triaged.ticket.board import board as written
from triaged.ticket.desk import Desk
from triaged.ticket.events import State
from triaged.ticket.letters import TicketName, render_team
from triaged.ticket.reference import Entropy
from triaged.ticket.tended import Tended
from triaged.tracker import absences, clocks, consents, retention
from triaged.tracker.consequences import queue_letters
from triaged.tracker.engine import insert_if_new
from triaged.tracker.schema import board, clock, ticket

BATCH = 500  # tickets read at a time


def due(connection: Connection, desk: Desk, board_at: time, at: datetime) -> date | None:
    """The local day whose board is to go out by `at`; None where it is too early, or it went out.

    A board of a day that has gone is not sent later. With business days only, closed days have none.
    """
    local = at.astimezone(desk.policy.calendar.tzinfo)
    day = local.date()
    if local.time() < board_at or (desk.quiet.business_days and not is_worked(day, desk.policy.calendar)):
        return None
    sent = select(board.c.day).where(board.c.mailbox == desk.mailbox, board.c.day == day.isoformat())
    return None if connection.execute(sent).first() else day


def queue_board(connection: Connection, desk: Desk, day: date, board_at: time, at: datetime, entropy: Entropy) -> int:
    """Queue the board of that day unless somebody else did; how many letters. None where no ticket was open at its time:
    of what came since, the team has heard just now."""
    if not insert_if_new(connection, board, {"mailbox": desk.mailbox, "day": day.isoformat(), "at": at}):
        return 0
    absences.forget(connection, desk.tenant, at)
    away = absences.away(connection, desk.tenant)
    shown = _open(connection, desk.mailbox, _instant(day, board_at, desk))
    overdue = len(retention.due(connection, desk.mailbox, desk.policy, at))
    letters = [render_team(letter, desk, at, entropy) for letter in written(shown, desk, at, away, overdue)]
    tokens = {letter.token for letter in letters}
    named = select(ticket.c.token, ticket.c.id).where(ticket.c.token.in_(tokens))
    queue_letters(connection, letters, desk, at, {token: number for token, number in connection.execute(named)})
    return len(letters)


def _instant(day: date, board_at: time, desk: Desk) -> datetime:
    return datetime.combine(day, board_at, desk.policy.calendar.tzinfo).astimezone(UTC)


def _open(connection: Connection, mailbox: str, until: datetime) -> Iterator[Tended]:
    """Tickets opened by then that are not closed, or still owe something. What was imported without clocks is no work."""
    owed = and_(clock.c.mailbox == mailbox, clock.c.met_at.is_(None), clock.c.waived.is_(None))
    owing = select(clock.c.ticket_id).where(owed)
    standing = or_(ticket.c.state != State.CLOSED, ticket.c.id.in_(owing))
    columns = (ticket.c.id, ticket.c.token, ticket.c.ref, ticket.c.subject, ticket.c.state, ticket.c.since)
    more = (ticket.c.assigned,)
    promised = ticket.c.id.in_(select(clock.c.ticket_id).where(clock.c.mailbox == mailbox))
    here = (ticket.c.mailbox == mailbox, ticket.c.opened_at <= until)
    rows = select(*columns, *more).where(*here, promised, standing).order_by(ticket.c.id)
    for some in connection.execute(rows).partitions(BATCH):
        yield from _tended(connection, some)


def _tended(connection: Connection, rows: Sequence[Any]) -> Iterator[Tended]:
    running = clocks.load(connection, [row.id for row in rows], only_open=True)
    unasked = consents.unasked(connection, [row.id for row in rows])
    for row in rows:
        yield Tended(
            name=TicketName(row.token, row.ref),
            subject=row.subject,
            state=State(row.state),
            since=row.since,
            reporter="",
            reporter_proven=False,
            reachable=False,
            clocks=tuple(running[row.id].values()),
            assigned=row.assigned,
            unasked=row.id in unasked,
        )
