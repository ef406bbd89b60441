"""What clocks cause when they are due: one ticket after the other, each in one transaction. Knows no promise and no calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from triaged.daemon.clock import Now
from triaged.daemon.log import log, place
from triaged.daemon.points import reach
from triaged.ticket.desk import Desk
from triaged.ticket.reference import Entropy
from triaged.ticket.tending import tend
from triaged.tracker import boards, clocks, tending
from triaged.tracker.engine import reading, writing
from triaged.tracker.tending import Loaded

MOST = 100  # tickets looked up at a time


@dataclass(frozen=True, slots=True)
class Tender:
    """What tending needs."""

    engine: Engine
    desks: Mapping[str, Desk]
    boards: Mapping[str, time]  # mailbox -> when its board goes out, by the policy's zone
    now: Now
    entropy: Entropy


def _never() -> bool:
    return False


def tend_due(tender: Tender, stopped: Callable[[], bool] = _never) -> int:
    """Do all that is due by now, in each mailbox what waited longest first; how many letters were queued."""
    return sum(_tend_mailbox(tender, mailbox, stopped) for mailbox in tender.desks)


def _tend_mailbox(tender: Tender, mailbox: str, stopped: Callable[[], bool]) -> int:
    letters, left = 0, set[int]()  # left: in somebody else's hands, or failing. The next look tries them again
    while not stopped():
        with reading(tender.engine) as connection:
            found = clocks.due(connection, mailbox, tender.now(), MOST, left)
        if not found:
            break
        for ticket_id in found:
            if stopped():
                break
            queued = _tend(tender, ticket_id)
            letters += queued or 0
            if queued is None:
                left.add(ticket_id)
    return letters


def _tend(tender: Tender, ticket_id: int) -> int | None:
    """Letters queued; None where the ticket has to wait. Raises only what is the database's trouble."""
    try:
        return _tend_one(tender, ticket_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("tending failed", ticket=ticket_id, error=type(error).__name__, at=place(error))
        return None


def _tend_one(tender: Tender, ticket_id: int) -> int | None:
    with writing(tender.engine) as connection:
        loaded = tending.load(connection, ticket_id)
        if loaded is None:
            return None
        reach("clocks-claimed")
        at = tender.now()
        desk = desk_of(loaded, tender.desks)
        result = tend(loaded.ticket, desk, at, tender.entropy)
        tending.write(connection, loaded, result.clocks, result.events, result.letters, desk, at, tender.entropy)
    reach("clocks-written")
    if result.letters:
        log.info("tended", ticket=loaded.ticket.name.ref, letters=len(result.letters))
    waits = result.wake_at is None or result.wake_at > at or result.changed(loaded.ticket.clocks)
    return len(result.letters) if waits else None


def desk_of(loaded: Loaded, desks: Mapping[str, Desk]) -> Desk:
    """The mailbox's desk with the policy that the ticket came in under."""
    desk = desks[loaded.mailbox]
    if loaded.policy is None:
        log.error("policy unreadable", ticket=loaded.ticket.name.ref, used=desk.policy.version)
        return desk
    return desk if loaded.policy.sha256 == desk.policy.sha256 else replace(desk, policy=loaded.policy)


def next_wake(tender: Tender) -> datetime | None:
    """When there is something to do next."""
    with reading(tender.engine) as connection:
        return clocks.next_wake(connection, list(tender.desks))


def unserved(tender: Tender) -> dict[str, int]:
    """Running clocks of mailboxes that the configuration does not have."""
    with reading(tender.engine) as connection:
        return clocks.unserved(connection, list(tender.desks))


def send_boards(tender: Tender) -> int:
    """Queue the boards of today whose time has come; how many letters."""
    return sum(_board(tender, desk, tender.boards[mailbox]) for mailbox, desk in tender.desks.items())


def _board(tender: Tender, desk: Desk, board_at: time) -> int:
    at = tender.now()
    with reading(tender.engine) as connection:
        day = boards.due(connection, desk, board_at, at)
    if day is None:
        return 0
    with writing(tender.engine) as connection:
        return boards.queue_board(connection, desk, day, board_at, at, tender.entropy)
