"""The rows behind a researcher's one-line requests: what one needs to know, and what it changes. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from triaged.ticket.consequence import Asked, Named, ToConfirm
from triaged.ticket.events import State
from triaged.ticket.granting import TEMPLATES
from triaged.ticket.known import Asking, Waiting
from triaged.tracker import clocks, consents
from triaged.tracker.schema import letter, participant, person, request, ticket

DAY = timedelta(hours=24)


class SettledElsewhereError(Exception):
    """Another process settled the request meanwhile: the message is to be decided again."""


def asking(connection: Connection, ticket_id: int, address: str, at: datetime) -> Asking | None:
    """What a request from `address` needs to know of the ticket; None where it is no participant's."""
    row = connection.execute(_participant(ticket_id, address)).one_or_none()
    if row is None:
        return None
    wishes = consents.wishes_of(connection, ticket_id, address)
    return Asking(
        role=row.role,
        written=row.written,
        state=State(row.state),
        clocks=tuple(clocks.load(connection, [ticket_id], only_open=True)[ticket_id].values()),
        waiting=_waiting(connection, ticket_id, address),
        answered=_answered(connection, ticket_id, at),
        words=wishes.words,
        nameless=wishes.anonymous,
        chosen=bool(wishes.name),
    )


def _participant(ticket_id: int, address: str) -> Any:
    joined = participant.join(person, person.c.id == participant.c.person_id)
    joined = joined.join(ticket, ticket.c.id == participant.c.ticket_id)
    columns = select(participant.c.role, person.c.written, ticket.c.state).select_from(joined)
    return columns.where(participant.c.ticket_id == ticket_id, person.c.address == address)


def _waiting(connection: Connection, ticket_id: int, address: str) -> tuple[Waiting, ...]:
    here = (request.c.ticket_id == ticket_id, request.c.address == address, request.c.settled_at.is_(None))
    rows = connection.execute(select(request).where(*here).order_by(request.c.id))
    return tuple(Waiting(row.id, row.kind, row.value, row.code, row.at) for row in rows)


def _answered(connection: Connection, ticket_id: int, at: datetime) -> Mapping[str, int]:
    """Letters of a day, also where the clock was set back."""
    day = (letter.c.queued_at > at - DAY, letter.c.queued_at < at + DAY)
    here = (letter.c.ticket_id == ticket_id, letter.c.template.in_(TEMPLATES), *day)
    counted = select(letter.c.template, func.count()).where(*here).group_by(letter.c.template)
    return {template: count for template, count in connection.execute(counted)}


def write(connection: Connection, ticket_id: int, asks: Asked, at: datetime) -> None:
    """What a request changes, in the caller's transaction. Clocks that it ends are for `acting.take_back`."""
    if asks.settles is not None:
        _settle(connection, asks.settles, at)
    if asks.named is not None:
        _name(connection, ticket_id, asks.address, asks.named)
    consents.speak(connection, ticket_id, asks.address, asks.words)
    if asks.opens is not None:
        _open(connection, ticket_id, asks.address, asks.opens, at)


def _settle(connection: Connection, number: int, at: datetime) -> None:
    """Once: a code that was used is used up."""
    open_one = update(request).where(request.c.id == number, request.c.settled_at.is_(None))
    if connection.execute(open_one.values(settled_at=at)).rowcount != 1:
        raise SettledElsewhereError(f"request {number}")


def _name(connection: Connection, ticket_id: int, address: str, named: Named) -> None:
    of_address = select(person.c.id).where(person.c.address == address)
    here = update(participant).where(participant.c.ticket_id == ticket_id, participant.c.person_id.in_(of_address))
    credit = {} if named.credit is None else {"credit": named.credit, "credit_pending": named.pending}
    connection.execute(here.values(anonymous=named.anonymous, **credit))


def _open(connection: Connection, ticket_id: int, address: str, waits: ToConfirm, at: datetime) -> None:
    row = {"ticket_id": ticket_id, "address": address, "kind": waits.ask, "value": waits.value, "code": waits.code}
    connection.execute(request.insert().values(**row, at=at))
