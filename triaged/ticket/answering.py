"""Whether an automatic acknowledgement may go out, and in which form: a table of named rules (RFC 3834, AR-1 to AR-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triaged.message.model import Reason, Verdict
from triaged.ticket.address import bare
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival, Known
from triaged.ticket.reference import tokens_in


@dataclass(frozen=True, slots=True)
class Answer:
    """The acknowledgement that goes out, or why none does. Never both."""

    form: str | None  # full | minimal
    reasons: tuple[Reason, ...]
    capped: bool = False


Rule = Callable[[Arrival, Known, Desk], Reason | None]


def proven(arrival: Arrival) -> bool:
    """Whether the author is proven: exactly one From, and a trusted server's aligned pass (AU-4)."""
    return arrival.message.authenticity.verdict is Verdict.PASS and arrival.message.author is not None


def _no_author(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    return None if len(arrival.message.authors) == 1 else Reason("no-single-author", "From")


def _own_address(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    author = arrival.message.author
    return Reason("own-address", "From") if author and bare(author.address) in desk.own else None


def _no_return_path(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    missing = desk.require_return_path and arrival.message.return_path is None
    return Reason("no-return-path", "Return-Path") if missing else None


def _answers_us(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    return Reason("answers-our-letter", "References") if any(k.sent for k in known.ids.values()) else None


def _quotes_a_reference(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    """A robot that says nothing of itself still answers with our subject, and would get a letter for each (AR-11). Right and
    wrong references count alike (TH-6).
    """
    quoted = tokens_in(arrival.message.subject, desk.policy.prefix)
    return Reason("quotes-a-reference", "Subject") if quoted else None


def _spam(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    return Reason("spam-by-the-mail-server", arrival.folder) if arrival.junk or arrival.message.spam else None


def _withheld(arrival: Arrival, known: Known, desk: Desk) -> Reason | None:
    held = desk.acknowledge_unproven == "hold" and not proven(arrival)
    return Reason("unproven-senders-are-held", "acknowledge_unproven") if held else None


RULES: tuple[Rule, ...] = (
    _no_author,
    _own_address,
    _no_return_path,
    _answers_us,
    _quotes_a_reference,
    _spam,
    _withheld,
)


def answer(arrival: Arrival, known: Known, desk: Desk) -> Answer:
    """The acknowledgement for a new ticket. The rules of the bytes stand in the message; those of the house stand here."""
    message = arrival.message
    reasons = () if message.answerable else message.automatic_reasons or (Reason("automatic", ""),)
    reasons += tuple(reason for rule in RULES if (reason := rule(arrival, known, desk)))
    if reasons:
        return Answer(None, reasons)
    cap = _cap_hit(arrival, known, desk)
    if cap:
        return Answer(None, (Reason(cap, "limits"),), capped=True)
    full = proven(arrival) or desk.acknowledge_unproven == "full"
    return Answer("full" if full else "minimal", ())


def _cap_hit(arrival: Arrival, known: Known, desk: Desk) -> str | None:
    """AR-10: the name of the limit that is used up, apart for proven and unproven senders."""
    caps = desk.caps
    if proven(arrival):
        daily, left, word = caps.proven_per_address_per_day, known.budget_proven, "proven"
    else:
        daily, left, word = caps.unproven_per_address_per_day, known.budget_unproven, "unproven"
    if known.acknowledged_today >= daily:
        return f"acknowledgements_{word}_per_address_per_day"
    return f"acknowledgements_{word}_per_hour" if left <= 0 else None
