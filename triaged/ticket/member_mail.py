"""A proven member's mail, from its words to all that follows. A pure function: the ticket is loaded before, and written after."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triaged.ticket.consequence import Consequence, Outcome, Said
from triaged.ticket.echoing import echoes, refusal
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.grammar import Orders, Refused
from triaged.ticket.known import Arrival
from triaged.ticket.letters import Letter
from triaged.ticket.obeying import obey
from triaged.ticket.worked import Case, Obeyed, Worked

WHY = 300  # characters of a refusal that are kept


@dataclass(frozen=True, slots=True)
class Settled:
    """What the message comes to, and what is done to the ticket with it."""

    consequence: Consequence
    obeyed: Obeyed
    events: tuple[Event, ...]  # before those of the deed
    told: tuple[Letter, ...]  # to the team


def settle(
    consequence: Consequence, said: Said, orders: Orders | Refused, worked: Worked, arrival: Arrival, case: Case
) -> Settled:
    """All that the mail orders, or none of it and why."""
    done = orders if isinstance(orders, Refused) else obey(worked, orders, said.role, case)
    if isinstance(done, Refused):
        return _refused(consequence, worked, done, arrival, case)
    assert isinstance(orders, Orders)  # noqa: S101 - what is refused was given back above
    told = echoes(done, orders, case, said.files)
    return Settled(replace(consequence, reason=_reason(orders, done)), done, (_spoke(arrival, done, case),), told)


def _reason(orders: Orders, done: Obeyed) -> str:
    if orders.orders:
        return " ".join(f"/{order.verb.name}" for order in orders.orders)
    return "note" if done.noted else "answer"


def _spoke(arrival: Arrival, done: Obeyed, case: Case) -> Event:
    """The event of the member's mail. Holds ids, never its text."""
    becomes: list[JSON] = [letter.message_id for letter in done.letters]
    data: dict[str, JSON] = {"receipt": arrival.receipt, "sha256": arrival.sha256, "audience": "team", "proven": True}
    data |= {"becomes": becomes} if becomes else {}
    data |= {"note": "a note"} if done.noted else {}
    return Event(EventKind.MESSAGE, case.actor, data)


def _refused(consequence: Consequence, worked: Worked, refused: Refused, arrival: Arrival, case: Case) -> Settled:
    """Kept with the ticket as a note, and nothing else of it happens."""
    why = refused.why[:WHY]
    event = Event(EventKind.REFUSED, case.actor, {"receipt": arrival.receipt, "why": why})
    kept = replace(consequence, outcome=Outcome.HELD, reason=why)
    return Settled(kept, Obeyed(worked, (), (), ()), (event,), refusal(worked, refused, case))


def as_a_note(consequence: Consequence) -> Consequence:
    """A member's mail that is taken in from a file orders nothing any more."""
    if consequence.said is None:
        return consequence
    event = Event(EventKind.MESSAGE, "triaged", {"audience": "team", "note": "imported", "by": consequence.said.by})
    return replace(consequence, said=None, events=(*consequence.events, event), reason="imported")
