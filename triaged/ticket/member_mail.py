"""A proven member's mail, from its words to all that follows. A pure function: the ticket is loaded before, and written after."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triaged.ticket.address import Role
from triaged.ticket.commands import Text
from triaged.ticket.consequence import Consequence, Outcome, Said
from triaged.ticket.echoing import below_notice, echoes, refusal
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.grammar import Orders, Refused, stray_command
from triaged.ticket.known import Arrival
from triaged.ticket.letters import Letter
from triaged.ticket.notes import NOTED, note_letters
from triaged.ticket.obeying import obey
from triaged.ticket.relaying import ANSWERED
from triaged.ticket.worked import Case, Obeyed, Worked

WHY = 300  # characters of a refusal that are kept
NO_WORDS = "(no words of their own)"
REPLY_TO_OURS = "reply to a mail that triaged sent you about the ticket"
TO_THE_TOP = "put commands at the very top of your mail, above everything else; or put a word before the line, so that it is text"


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
    read = orders if isinstance(orders, Refused) else _meant(orders, said)
    done = read if isinstance(read, Refused) else obey(worked, read, said.role, case)
    if isinstance(done, Refused) or isinstance(read, Refused):
        refused = done if isinstance(done, Refused) else read
        assert isinstance(refused, Refused)  # noqa: S101 - one of the two is
        return _refused(consequence, worked, refused, _was_meant_to_go(orders, said), arrival, case)
    told = _told(done, read, said, arrival, case)
    return Settled(replace(consequence, reason=_reason(read, done)), done, (_spoke(arrival, done, case),), told)


def _meant(orders: Orders, said: Said) -> Orders | Refused:
    """To the researcher goes nothing that may have been a command; what is passed on to the team without a word is a note."""
    if orders.orders and not said.ours:
        return Refused("it answers no mail of ours to the team, so its commands are not read", REPLY_TO_OURS)
    stray = stray_command(orders)
    if stray and said.role is Role.RESEARCHER:
        return Refused(
            f"{stray!r} stands below other lines, where it is text, and may have been meant as a command", TO_THE_TOP
        )
    if said.role is Role.TEAM and not orders.orders:
        return replace(orders, text=said.passed_on or orders.text or NO_WORDS)
    return orders


def _told(done: Obeyed, orders: Orders, said: Said, arrival: Arrival, case: Case) -> tuple[Letter, ...]:
    """A mere note goes to those who do not have it from the member already; the rest is echoed."""
    if not (done.noted and not orders.orders):
        return echoes(done, orders, case, len(arrival.message.attachments))
    loud = said.ticket.recent <= case.desk.caps.thread_messages_per_10_minutes  # AR-11
    noted = note_letters(said.ticket, arrival, orders.text, case.desk, case.at, case.entropy) if loud else ()
    return (*below_notice(done, orders, case), *noted)


def _reason(orders: Orders, done: Obeyed) -> str:
    """Of the receipt. A second copy of an answer is told by it (`notes.kept_already`)."""
    if orders.orders:
        return " ".join(f"/{order.verb.name}" for order in orders.orders)
    return NOTED if done.noted else ANSWERED


def _spoke(arrival: Arrival, done: Obeyed, case: Case) -> Event:
    """The event of the member's mail. Holds ids, never its text."""
    becomes: list[JSON] = [letter.message_id for letter in done.letters]
    data: dict[str, JSON] = {"receipt": arrival.receipt, "sha256": arrival.sha256, "audience": "team", "proven": True}
    data |= {"becomes": becomes} if becomes else {}
    data |= {"note": "a note"} if done.noted else {}
    data |= {"advises": True} if done.advises else {}
    return Event(EventKind.MESSAGE, case.actor, data)


def _was_meant_to_go(orders: Orders | Refused, said: Said) -> bool:
    """Whether the text of a refused mail was surely for the researcher: it is no secret, and will be sent again. Where a command
    can't be read, or may stand too far down, it may have been a note (AT-29).
    """
    if isinstance(orders, Refused) or stray_command(orders):
        return False
    takers = [o.verb.text for o in orders.orders if o.verb.text]
    return takers == [Text.RESEARCHER] if orders.orders else said.role is Role.RESEARCHER


def _refused(
    consequence: Consequence, worked: Worked, refused: Refused, meant: bool, arrival: Arrival, case: Case
) -> Settled:
    """Kept with the ticket as a note, and nothing else of it happens."""
    why = refused.why[:WHY]
    event = Event(EventKind.REFUSED, case.actor, {"receipt": arrival.receipt, "why": why, "meant_to_go": meant})
    kept = replace(consequence, outcome=Outcome.HELD, reason=why)
    return Settled(kept, Obeyed(worked, (), (), ()), (event,), refusal(worked, refused, case))


def as_a_note(consequence: Consequence) -> Consequence:
    """A member's mail that is taken in from a file orders nothing any more."""
    if consequence.said is None:
        return consequence
    event = Event(EventKind.MESSAGE, "triaged", {"audience": "team", "note": "imported", "by": consequence.said.by})
    return replace(consequence, said=None, events=(*consequence.events, event), reason="imported")
