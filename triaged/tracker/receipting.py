"""What a signed receipt says of one message, and that it was given. Signs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from triaged.ticket.consequence import Outcome
from triaged.ticket.events import Event, EventKind
from triaged.ticket.reference import Entropy
from triaged.tracker import blobs, chaining
from triaged.tracker.schema import blob, policy_text, receipt, ticket


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it was received."""

    number: int
    ticket_id: int | None
    ref: str  # "" where it is on no ticket
    organisation: str
    sha256: str  # of the bytes as the mailbox gave them
    size: int
    whole: bool  # false where it was too large to be kept whole: the hash is of its beginning
    received_at: datetime


def of_ticket(connection: Connection, token: str) -> Received | None:
    """The report that opened the ticket; None where its bytes are not held."""
    opening = (ticket.c.token == token, receipt.c.outcome.in_((Outcome.TICKET, Outcome.SET_ASIDE)))
    first = select(receipt.c.id).join(ticket, ticket.c.id == receipt.c.ticket_id).where(*opening)
    number = connection.execute(first.order_by(receipt.c.id).limit(1)).scalar()
    return of_receipt(connection, number) if number is not None else None


def of_receipt(connection: Connection, number: int) -> Received | None:
    """One receipt; None where there is none of that number, or its bytes are not held."""
    columns = (receipt, blob.c.data, ticket.c.ref, policy_text.c.organisation)
    joined = receipt.join(blob, blob.c.id == receipt.c.blob_id).outerjoin(ticket, ticket.c.id == receipt.c.ticket_id)
    joined = joined.outerjoin(policy_text, policy_text.c.sha256 == ticket.c.policy_sha256)
    row = connection.execute(select(*columns).select_from(joined).where(receipt.c.id == number)).one_or_none()
    if row is None:
        return None
    return Received(
        number=row.id,
        ticket_id=row.ticket_id,
        ref=row.ref or "",
        organisation=row.organisation or "",
        sha256=blobs.digest(row.data),
        size=len(row.data),
        whole=not row.truncated,
        received_at=row.received_at or row.internal_date,
    )


def given(connection: Connection, received: Received, actor: str, key: str, at: datetime, entropy: Entropy) -> None:
    """The ticket's chain says that a receipt was signed, by number and key; not what of."""
    if received.ticket_id is not None:
        event = Event(EventKind.RECEIPTED, actor, {"receipt": received.number, "key": key})
        chaining.append(connection, {received.ticket_id: [(at, event)]}, entropy)
