"""Opening a ticket: its reference, its clocks, the acknowledgement where one may go out, and the mail to the team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triaged.message.model import Kind, Reason
from triaged.reading.inventory import pairs
from triaged.reading.purpose import VERIFICATION
from triaged.ticket.announcing import Announcement, document
from triaged.ticket.answering import Answer, answer, proven
from triaged.ticket.beginning import begin
from triaged.ticket.card import Card, acknowledgement, reported
from triaged.ticket.clocks import Clock, PromisedDate, dates, kept_by_acknowledgement, start
from triaged.ticket.consequence import Consequence, Gaps, NewTicket, Outcome, Placed, ToStudy
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind
from triaged.ticket.known import Arrival, Clues, Known
from triaged.ticket.letters import Audience, Letter, TicketName
from triaged.ticket.reference import Entropy, new_token, reference, tokens_in
from triaged.ticket.rounds import Rows
from triaged.ticket.shown import also_sent_to, defect_warnings, shown_author, shown_instant, shown_proof

STORED_SUBJECT = 998


@dataclass(frozen=True, slots=True)
class Opening:
    """What is settled about a new ticket before its letters are written."""

    name: TicketName
    clocks: tuple[Clock, ...]  # the promises, as letters show them
    begun: Rows  # those and the dates of disclosure, as they run
    answer: Answer
    kept: tuple[str, ...]  # promises that the acknowledgement keeps
    kind: str  # report | question | other
    gaps: Gaps


def open_ticket(
    arrival: Arrival,
    clues: Clues,
    known: Known,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    suggests: TicketName | None = None,
    decided: Answer | None = None,
) -> Consequence:
    """A new ticket with all that follows from it. `suggests`: the ticket that it may belong to (TH-1); `decided`: whether it
    is acknowledged, where that is not for the rules to say.
    """
    token = new_token(entropy)
    decided = decided or answer(arrival, known, desk)
    kind = arrival.findings.purpose.kind
    opening = Opening(
        name=TicketName(token, reference(desk.policy.prefix, token)),
        clocks=start(desk.policy, arrival.received_at, kind),
        begun=begin(desk, arrival.received_at, kind, pairs(arrival.findings.facts)),
        answer=decided,
        kept=kept_by_acknowledgement(desk.policy) if decided.form else (),
        kind=kind,
        gaps=_gaps(arrival, kind, decided),
    )
    hint = suggests.ref if suggests else _quoted_reference(arrival, desk)
    return Consequence(
        outcome=Outcome.TICKET,
        reason=_reason(decided),
        ticket=opening.name,
        opens=_new_ticket(opening.name, arrival, clues),
        placed=Placed(Audience.RESEARCHER, proven(arrival), clues.text_hash),
        events=_events(opening, arrival, hint, desk),
        clocks=opening.begun.clocks,
        letters=_letters(opening, arrival, desk, at, entropy),
        facts=arrival.findings.facts,
        gaps=opening.gaps,
        study=ToStudy(arrival.findings.noise, _announcement(opening, arrival, hint, desk)),
    )


def _gaps(arrival: Arrival, kind: str, decided: Answer) -> Gaps:
    """Only a report is asked for what it leaves out, and only a proven sender, in the acknowledgement (AR-14)."""
    missing = arrival.findings.missing if kind == "report" else ()
    return Gaps(missing, asked=bool(missing) and decided.form == "full")


def _new_ticket(name: TicketName, arrival: Arrival, clues: Clues) -> NewTicket:
    author = arrival.message.author
    return NewTicket(
        name=name,
        kind=arrival.findings.purpose.kind,
        subject=arrival.message.subject[:STORED_SUBJECT],
        reporter_name=author.name if author else "",
        reporter=clues.author,
        reporter_written=author.address if author else "",
        reporter_proven=proven(arrival),
        received_at=arrival.received_at,
    )


def _quoted_reference(arrival: Arrival, desk: Desk) -> str:
    """A [REF] in the subject threads nothing: the team is told of it (TH-1)."""
    tokens = tokens_in(arrival.message.subject, desk.policy.prefix)
    return reference(desk.policy.prefix, tokens[0]) if tokens else ""


def _reason(decided: Answer) -> str:
    return ", ".join(r.word for r in decided.reasons)


def _events(opening: Opening, arrival: Arrival, hint: str, desk: Desk) -> tuple[Event, ...]:
    policy = desk.policy
    received = Event(
        EventKind.RECEIVED,
        "researcher",
        {
            "receipt": arrival.receipt,
            "sha256": arrival.sha256,
            "received_at": arrival.received_at.isoformat(),
            "proven": proven(arrival),
            "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
            "clocks": {c.promise: c.due_at.isoformat() for c in opening.begun.clocks},
            "kind": opening.kind,
            "why": list(arrival.findings.purpose.reasons),
            "missing": list(opening.gaps.items),
            "asked": opening.gaps.asked,
        },
    )
    events = [received]
    if opening.answer.reasons:
        why = [[r.word, r.header] for r in opening.answer.reasons]
        data = {"why": why, "capped": opening.answer.capped, "gathered": gathered(opening.answer, arrival)}
        events.append(Event(EventKind.UNANSWERED, "triaged", data))  # type: ignore[arg-type]
    if hint:
        events.append(Event(EventKind.SUGGESTED, "triaged", {"ref": hint}))
    return (*events, *opening.begun.events)


def _letters(opening: Opening, arrival: Arrival, desk: Desk, at: datetime, entropy: Entropy) -> tuple[Letter, ...]:
    """The acknowledgement alone: the team's mail waits for the study."""
    if not opening.answer.form:
        return ()
    asked = opening.gaps.items if opening.gaps.asked else ()
    full = opening.answer.form == "full"
    card = Card(opening.name, opening.begun.clocks, opening.kept, opening.kind, asked, full)
    return (acknowledgement(card, reported(arrival), desk, at, entropy),)


def gathered(decided: Answer, arrival: Arrival) -> bool:
    """Over a cap (AR-10), found in Junk (IM-13), maybe what a mail server says of our own mail to the team (AT-8), or what a
    service sends to whoever signs up with our address (AT-4): the team hears of all such mail once a day.
    """
    verifies = VERIFICATION in arrival.findings.purpose.reasons
    return decided.capped or arrival.junk or verifies or arrival.message.kind is Kind.BOUNCE


def _announcement(opening: Opening, arrival: Arrival, hint: str, desk: Desk) -> dict[str, object] | None:
    """What the team will be mailed once the report is studied; None where the daily digest tells of it."""
    if gathered(opening.answer, arrival):
        return None
    message, findings = arrival.message, arrival.findings
    shown = dates(opening.clocks, desk.policy, opening.kept)
    hints = (f"it may belong to {hint}: the sender named it",) if hint else ()
    told = Announcement(
        headline=f"New {opening.kind} {opening.name.ref}"
        if opening.kind != "other"
        else f"New mail {opening.name.ref}",
        author=shown_author(message),
        proof=shown_proof(message.authenticity, desk),
        subject=message.subject[:STORED_SUBJECT],
        received=shown_instant(arrival.received_at, desk),
        answer=_shown_answer(opening, shown),
        dates=tuple((d.promise, d.by) for d in shown if not d.kept_by_this),
        warnings=hints + also_sent_to(message, desk) + defect_warnings(arrival, desk),
        attachments=tuple((a.name, a.detected_type, a.size, a.sha256) for a in message.attachments),
        facts=pairs(findings.facts),
        missing=opening.gaps.items,
        asked=opening.gaps.asked,
        purpose=opening.kind,
        purpose_reasons=findings.purpose.reasons,
    )
    return document(told)


def _shown_answer(opening: Opening, shown: tuple[PromisedDate, ...]) -> str:
    if opening.answer.form:
        return f"an acknowledgement ({opening.answer.form} form) is on its way"
    why = ", ".join(_in_words(r) for r in opening.answer.reasons)
    return f"NONE went out ({why}): the acknowledgement is yours to write"


def _in_words(reason: Reason) -> str:
    return f"{reason.word}: {reason.header}" if reason.header else reason.word
