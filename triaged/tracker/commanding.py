"""A member's words, by mail or command line: the ticket loaded, what follows written. One transaction; decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from triaged.message.transfer import decode_transfer
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence
from triaged.ticket.desk import Desk
from triaged.ticket.echoing import echoes
from triaged.ticket.grammar import Orders, Refused, read_orders
from triaged.ticket.member_mail import Settled, settle
from triaged.ticket.obeying import obey
from triaged.ticket.reference import Entropy
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import Case, Obeyed, case_of
from triaged.ticket.writing import file_of
from triaged.tracker import working
from triaged.tracker.knowing import Item
from triaged.tracker.schema import blob, receipt
from triaged.tracker.tending import Loaded
from triaged.tracker.working import Bench

DeskOf = Callable[[Loaded], Desk]


@dataclass(frozen=True, slots=True)
class Deed:
    """What a member's mail comes to, decided and not yet written."""

    bench: Bench
    settled: Settled


def ponder(
    connection: Connection, item: Item, consequence: Consequence, desk_of: DeskOf, at: datetime, entropy: Entropy
) -> Deed | None:
    """The deed that goes with a message; None where it orders nothing."""
    said, name = consequence.said, consequence.ticket
    if said is None or name is None:
        return None
    orders = read_orders(said.own)
    known = orders if isinstance(orders, Orders) else Orders((), "")
    bench = working.load(connection, name.token, known, desk_of)
    if bench is None:
        return None
    files = _files(connection, item, known)
    case = case_of(said.by, bench.desk, at, entropy, by_mail=True, files=files)
    return Deed(bench, settle(consequence, said, orders, bench.worked, item.arrival, case))


def finish(connection: Connection, deed: Deed, at: datetime, entropy: Entropy) -> None:
    """Write the deed."""
    settled = deed.settled
    working.write(connection, deed.bench, settled.obeyed, settled.events, settled.told, at, entropy)


def _files(connection: Connection, item: Item, orders: Orders) -> tuple[Enclosure, ...]:
    """The files of the member's own mail, where a command sends them on."""
    if not any(order.verb.name == "attach" for order in orders.orders):
        return ()
    stored = select(blob.c.data).join(receipt, receipt.c.blob_id == blob.c.id)
    raw = connection.execute(stored.where(receipt.c.id == item.arrival.receipt)).scalar() or b""
    parts = [part for part in item.arrival.message.attachments if part.offset >= 0]
    return tuple(
        file_of(
            "application/octet-stream",
            part.name or f"file-{number}",
            decode_transfer(raw[part.offset : part.offset + part.length], part.encoding)[0],
        )
        for number, part in enumerate(parts, start=1)
    )


def command(
    connection: Connection, token: str, orders: Orders, by: str, desk_of: DeskOf, at: datetime, entropy: Entropy
) -> Obeyed | Refused | None:
    """The same from the command line; `by`: a member's lower-case address, or "operator". None: there is no such ticket."""
    bench = working.load(connection, token, orders, desk_of)
    if bench is None:
        return None
    case: Case = case_of(by, bench.desk, at, entropy)
    done = obey(bench.worked, orders, Role.TEAM, case)
    if isinstance(done, Obeyed):
        noted = working.noted(connection, bench, orders.text, case, at) if done.noted else ()
        working.write(connection, bench, done, noted, echoes(done, orders, case), at, entropy)
    return done
