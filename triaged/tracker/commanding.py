"""A member's words, by mail or command line: the ticket loaded, the orders obeyed, what follows written. One transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from triaged.message.transfer import decode_transfer
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence, Outcome, Placed, Said
from triaged.ticket.desk import Desk
from triaged.ticket.echoing import echoes, refusal
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.grammar import Orders, Refused, read_orders
from triaged.ticket.letters import Audience, Letter
from triaged.ticket.obeying import obey
from triaged.ticket.reference import Entropy
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import OPERATOR, Case, Obeyed
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
    obeyed: Obeyed
    events: tuple[Event, ...]
    told: tuple[Letter, ...]


def ponder(
    connection: Connection, item: Item, consequence: Consequence, desk_of: DeskOf, at: datetime, entropy: Entropy
) -> tuple[Consequence, Deed | None]:
    """What the message itself comes to, and the deed that goes with it. Of messages that order nothing, they are as they were."""
    said, name = consequence.said, consequence.ticket
    if said is None or name is None:
        return consequence, None
    orders = read_orders(said.words)
    known = orders if isinstance(orders, Orders) else Orders((), "")
    bench = working.load(connection, name.token, known, desk_of)
    if bench is None:
        return consequence, None
    case = replace(_case(said.by, bench.desk, at, entropy), by_mail=True, files=_files(connection, item, known))
    done = orders if isinstance(orders, Refused) else obey(bench.worked, orders, said.role, case)
    if isinstance(done, Refused):
        return _refused(consequence, bench, done, item, case)
    told = echoes(done, known, case, said.files)
    return replace(consequence, reason=_reason(known, done)), Deed(bench, done, (_spoke(item, done, case),), told)


def _reason(orders: Orders, done: Obeyed) -> str:
    if orders.orders:
        return " ".join(f"/{order.verb.name}" for order in orders.orders)
    return "note" if done.noted else "answer"


def _spoke(item: Item, done: Obeyed, case: Case) -> Event:
    """The event of the member's mail. Holds ids, never its text."""
    becomes: list[JSON] = [letter.message_id for letter in done.letters]
    data: dict[str, JSON] = {
        "receipt": item.arrival.receipt,
        "sha256": item.arrival.sha256,
        "audience": "team",
        "proven": True,
    }
    data |= {"becomes": becomes} if becomes else {}
    data |= {"note": "a note"} if done.noted else {}
    return Event(EventKind.MESSAGE, case.actor, data)


def _refused(
    consequence: Consequence, bench: Bench, refused: Refused, item: Item, case: Case
) -> tuple[Consequence, Deed | None]:
    """Kept with the ticket as a note, and nothing else of it happens."""
    event = Event(EventKind.REFUSED, case.actor, {"receipt": item.arrival.receipt, "why": refused.why[:300]})
    kept = replace(
        consequence, outcome=Outcome.HELD, reason=refused.why[:300], placed=Placed(Audience.TEAM, True, None)
    )
    nothing = Obeyed(bench.worked, (), (), ())
    return kept, Deed(bench, nothing, (event,), refusal(bench.worked, refused, case))


def finish(connection: Connection, deed: Deed, at: datetime, entropy: Entropy) -> None:
    """Write the deed."""
    working.write(connection, deed.bench, deed.obeyed, deed.events, deed.told, at, entropy)


def _case(by: str, desk: Desk, at: datetime, entropy: Entropy) -> Case:
    colleague = desk.members.get(by)
    actor = OPERATOR if by == OPERATOR else f"member:{desk.named(by)}"
    return Case(by, actor, colleague.role if colleague else "observer", desk, at, entropy)


def _files(connection: Connection, item: Item, orders: Orders) -> tuple[Enclosure, ...]:
    """The files of the member's own mail, where a command sends them on."""
    if not any(order.verb.name == "attach" for order in orders.orders):
        return ()
    stored = (
        select(blob.c.data).join(receipt, receipt.c.blob_id == blob.c.id).where(receipt.c.id == item.arrival.receipt)
    )
    raw = connection.execute(stored).scalar() or b""
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
    case = _case(by, bench.desk, at, entropy)
    done = obey(bench.worked, orders, Role.TEAM, case)
    if isinstance(done, Obeyed):
        noted = working.noted(connection, bench, orders.text, case, at) if done.noted else ()
        working.write(connection, bench, done, noted, echoes(done, orders, case), at, entropy)
    return done


def as_a_note(consequence: Consequence, said: Said) -> Consequence:
    """A member's mail that is taken in from a file orders nothing any more."""
    event = Event(EventKind.MESSAGE, "triaged", {"audience": "team", "note": "imported", "by": said.by})
    return replace(consequence, said=None, events=(*consequence.events, event), reason="imported")
