"""Which letter a delivery report is about, where the report does not name its Message-ID. Reads only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from triaged.ticket.address import Keyed, Role
from triaged.tracker.knowing import Item
from triaged.tracker.schema import letter, ticket

ENVELOPE_ID = "triaged-{}"  # of the letter with that number (RFC 3461 section 4.4, SM-9)
_NUMBER = re.compile(ENVELOPE_ID.format(r"(\d{1,18})"))


def named(connection: Connection, items: Sequence[Item], tenant: str) -> list[Item]:
    """The items; a report that came to a ticket's bounce address gets the Message-ID of the letter that it is about.

    NT-1: by the ENVID that it repeats, else the last letter of that ticket to the recipient that it names.
    """
    return [_named(connection, item, tenant) if _nameless(item) else item for item in items]


def _nameless(item: Item) -> bool:
    keyed = item.clues.keyed
    bounced = item.arrival.message.bounce is not None and not item.clues.bounced_id
    return bounced and isinstance(keyed, Keyed) and keyed.role is Role.BOUNCE


def _named(connection: Connection, item: Item, tenant: str) -> Item:
    bounce, keyed = item.arrival.message.bounce, item.clues.keyed
    if bounce is None or not isinstance(keyed, Keyed):
        return item
    number = _NUMBER.fullmatch(bounce.envelope_id.strip())
    on_ticket = select(letter.c.message_id).join(ticket, ticket.c.id == letter.c.ticket_id)
    on_ticket = on_ticket.where(ticket.c.token == keyed.token, letter.c.tenant == tenant)
    if number:
        which = on_ticket.where(letter.c.id == int(number[1]))
    else:
        to = [recipient.address.lower() for recipient in bounce.recipients]
        which = on_ticket.where(func.lower(letter.c.to_address).in_(to)).order_by(letter.c.id.desc()).limit(1)
    found = connection.execute(which).scalar()
    return item if found is None else replace(item, clues=replace(item.clues, bounced_id=found))
