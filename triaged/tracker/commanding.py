"""A member's words, by mail or command line: the ticket loaded, what follows written. One transaction; decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from triaged.message.transfer import decode_transfer
from triaged.ticket import boardreply
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence, Outcome, Said
from triaged.ticket.desk import Desk
from triaged.ticket.echoing import echoes
from triaged.ticket.grammar import Orders, Refused, read_orders
from triaged.ticket.letters import Audience
from triaged.ticket.member_mail import Settled, settle
from triaged.ticket.obeying import obey
from triaged.ticket.reference import Entropy
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import Case, Obeyed, case_of
from triaged.ticket.writing import file_of
from triaged.tracker import working
from triaged.tracker.knowing import Item
from triaged.tracker.schema import blob, letter, receipt
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
) -> tuple[Consequence, tuple[Deed, ...]]:
    """What a message comes to, and the deeds that go with it: none where it orders nothing."""
    said, name = consequence.said, consequence.ticket
    if said is None or name is None:
        return consequence, ()
    if said.board:
        return _from_the_board(connection, item, consequence, said, desk_of, at, entropy)
    orders = read_orders(said.own)
    known = orders if isinstance(orders, Orders) else Orders((), "")
    bench = working.load(connection, name.token, known, desk_of)
    if bench is None:
        return consequence, ()
    files = _files(connection, item, known)
    case = case_of(said.by, bench.desk, at, entropy, by_mail=True, files=files)
    case = replace(case, read_at=_read_at(connection, bench.loaded.ticket_id, item))
    settled = settle(consequence, said, orders, bench.worked, item.arrival, case)
    return settled.consequence, (Deed(bench, settled),)


def _read_at(connection: Connection, ticket_id: int, item: Item) -> datetime | None:
    """When the newest of our letters to the team was written that the mail answers."""
    answered = (*item.arrival.message.in_reply_to, *item.arrival.message.references)
    ours = (letter.c.ticket_id == ticket_id, letter.c.audience == Audience.TEAM, letter.c.message_id.in_(answered))
    return connection.execute(select(func.max(letter.c.queued_at)).where(*ours)).scalar()


def _from_the_board(
    connection: Connection,
    item: Item,
    consequence: Consequence,
    said: Said,
    desk_of: DeskOf,
    at: datetime,
    entropy: Entropy,
) -> tuple[Consequence, tuple[Deed, ...]]:
    """Commands for several tickets: all of them, or none. The others hear of each ticket, its author once of all."""
    bench = working.load(connection, said.ticket.name.token, Orders((), ""), desk_of)
    if bench is None:
        return consequence, ()
    read = boardreply.read_board(said.own)
    deeds: list[Deed] = []
    lines: list[str] = []
    for token, orders in sorted(read.items()) if isinstance(read, dict) else ():
        done = _on_the_board(connection, token, orders, said, consequence, bench.desk, desk_of, at, entropy)
        if isinstance(done, Refused):
            read = done
            break
        deeds.append(done)
        lines += [f"{done.bench.worked.name.ref}: {line}" for line in done.settled.obeyed.lines]
    refused = read if isinstance(read, Refused) else None
    letters = boardreply.told(said, lines, refused, item.arrival, bench.desk, at, entropy)
    after = replace(consequence, letters=letters)
    if refused is None:
        return after, tuple(deeds)
    return replace(after, outcome=Outcome.HELD, reason=refused.why[:300]), ()


def _on_the_board(
    connection: Connection,
    token: str,
    orders: Orders,
    said: Said,
    consequence: Consequence,
    desk: Desk,
    desk_of: DeskOf,
    at: datetime,
    entropy: Entropy,
) -> Deed | Refused:
    bench = working.load(connection, token, orders, desk_of)
    if bench is None or bench.desk.tenant != desk.tenant:
        return Refused(f"there is no ticket {token.upper()}", boardreply.HOW)
    case = case_of(said.by, bench.desk, at, entropy)
    done = obey(bench.worked, orders, Role.TEAM, case)
    if isinstance(done, Refused):
        return replace(done, why=f"{bench.worked.name.ref}: {done.why}")
    return Deed(bench, Settled(consequence, done, (), echoes(done, orders, case)))


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
    connection: Connection,
    token: str,
    orders: Orders,
    by: str,
    desk_of: DeskOf,
    at: datetime,
    entropy: Entropy,
    files: tuple[Enclosure, ...] = (),
) -> Obeyed | Refused | None:
    """The same from the command line; `by`: a member's lower-case address, or "operator". None: there is no such ticket."""
    bench = working.load(connection, token, orders, desk_of)
    if bench is None:
        return None
    case: Case = case_of(by, bench.desk, at, entropy, files=files)
    done = obey(bench.worked, orders, Role.TEAM, case)
    if isinstance(done, Obeyed):
        noted = working.noted(connection, bench, orders.text, case, at) if done.noted else ()
        working.write(connection, bench, done, noted, echoes(done, orders, case), at, entropy)
    return done
