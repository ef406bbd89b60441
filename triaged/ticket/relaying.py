"""What passes between the researcher and the team on a ticket that exists, and what the team is told. Decides no routes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from triaged.message.clean import clean_header
from triaged.message.model import Kind, Message, Reason
from triaged.policy.calendar import in_letters
from triaged.reading.inventory import pairs
from triaged.reading.missing import missing
from triaged.ticket.address import Role
from triaged.ticket.answering import proven
from triaged.ticket.clocks import PromisedDate
from triaged.ticket.consequence import Consequence, Granted, Outcome, Placed
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind
from triaged.ticket.gate import SIGNS
from triaged.ticket.hearing import NOBODY, gone_lines, hearers
from triaged.ticket.known import Arrival, Clues, KnownMessage, OpenPromise, TicketView
from triaged.ticket.letters import (
    Audience,
    Letter,
    TeamLetter,
    TicketName,
    render_team,
)
from triaged.ticket.reference import Entropy
from triaged.ticket.shown import (
    defect_warnings,
    fact_lines,
    guide,
    labelled,
    one_line,
    quoted,
    shown_author,
    shown_files,
    shown_instant,
    shown_proof,
    shown_subject,
)

SUBJECT_CHARACTERS = 78  # AR-17
ANSWERED = "answer"  # the reason of the receipt of a member's mail that became a letter to the researcher


def message_event(arrival: Arrival, audience: Audience, note: str = "") -> Event:
    """The event of a message that joined a ticket. Holds ids, never its text."""
    data: dict[str, str | int | float | bool | list[object] | dict[str, object] | None] = {
        "receipt": arrival.receipt,
        "sha256": arrival.sha256,
        "audience": audience.value,
        "proven": proven(arrival),
    }
    if note:
        data["note"] = note
    return Event(EventKind.MESSAGE, "triaged", data)  # type: ignore[arg-type]


def from_researcher(
    ticket: TicketView,
    arrival: Arrival,
    clues: Clues,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    granted: Granted | None = None,
) -> Consequence:
    """A participant's message: joins the ticket, marked where nothing proves it, and goes to the team, with what became of
    the request that it may be.
    """
    events = [message_event(arrival, Audience.RESEARCHER)]
    most = desk.caps.thread_messages_per_10_minutes
    warnings: tuple[str, ...] = ()
    if ticket.recent == most + 1:
        events.append(Event(EventKind.MUTED, "triaged", {"messages": ticket.recent}))
        warnings = (f"{ticket.recent} messages in ten minutes: what follows is kept with the ticket, and not mailed",)
    brought = _brought(ticket, arrival)
    if brought:
        events.append(Event(EventKind.BROUGHT, "researcher", {"receipt": arrival.receipt, "items": list(brought)}))
    letters = () if ticket.recent > most + 1 else _relay(ticket, arrival, warnings, desk, at, entropy, brought, granted)
    return Consequence(
        Outcome.APPENDED,
        "",
        ticket.name,
        placed=Placed(Audience.RESEARCHER, proven(arrival), clues.text_hash),
        events=(*events, *(granted.events if granted else ())),
        letters=(*letters, *(granted.letters if granted else ())),
        facts=arrival.findings.facts,
        brought=brought,
        asks=granted.asks if granted else None,
    )


def _brought(ticket: TicketView, arrival: Arrival) -> tuple[str, ...]:
    """What the report left out and this message brings. What a machine answers brings nothing (NT-5), and what nothing proves
    brings nothing to the report of a proven sender.
    """
    if not ticket.gaps or (ticket.reporter_proven and not proven(arrival)):
        return ()
    if arrival.message.kind is not Kind.PERSON or not arrival.message.answerable:
        return ()
    still = missing(arrival.message, arrival.findings.facts, ticket.gaps)
    return tuple(item for item in ticket.gaps if item not in still)


SAID_AGAIN = timedelta(hours=24)


def said_again(
    ticket: TicketView, arrival: Arrival, clues: Clues, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """AR-10: the same words from the same address are not a new report; the team hears of them once a day."""
    event = message_event(arrival, Audience.RESEARCHER, "the same text again")
    placed = Placed(Audience.RESEARCHER, proven(arrival), clues.text_hash)
    lately = ticket.heard_at is not None and ticket.heard_at > at - SAID_AGAIN
    warnings = ("it is word for word what this address wrote before",)
    letters = () if lately else _relay(ticket, arrival, warnings, desk, at, entropy)
    reason = "the same text again"
    return Consequence(Outcome.APPENDED, reason, ticket.name, placed=placed, events=(event,), letters=letters)


def _relay(
    ticket: TicketView,
    arrival: Arrival,
    warnings: tuple[str, ...],
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    brought: tuple[str, ...] = (),
    granted: Granted | None = None,
) -> tuple[Letter, ...]:
    automatic = not arrival.message.answerable
    headline = "An automatic answer came from the researcher of" if automatic else "The researcher wrote about"
    withdrawn = granted is not None and granted.asks is not None and granted.asks.withdraws
    if withdrawn:
        headline = "WITHDRAWN: the researcher took back"
    asked = (("Request:", granted.said),) if granted else ()
    values = relay_values(
        ticket.name,
        arrival,
        desk,
        headline=f"{headline} {ticket.name.ref}",
        dates=() if withdrawn else open_dates(ticket, desk),
        warnings=warnings + gone_lines(ticket.assigned, ticket.away, desk),
        study=(*asked, *_says(ticket, arrival, brought)),
    )
    return tell_team("relay", ticket, values, Role.RESEARCHER, desk, at, entropy)


def _says(ticket: TicketView, arrival: Arrival, brought: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    lines = [("It says:", line) for line in fact_lines(pairs(arrival.findings.facts))]
    if brought:
        lines.append(("It brings:", ", ".join(brought)))
    left = [item for item in ticket.gaps if item not in brought]
    return (*lines, ("Missing:", ", ".join(left))) if left else tuple(lines)


def held_letters(
    ticket: TicketView, arrival: Arrival, reason: str, desk: Desk, at: datetime, entropy: Entropy
) -> tuple[Letter, ...]:
    """The team sees a message that may not join the ticket by itself."""
    values = relay_values(
        ticket.name,
        arrival,
        desk,
        headline=f"HELD: somebody who is not a participant wrote to {ticket.name.ref}",
        warnings=(
            f"{reason}; it is not part of the ticket",
            "check by another way who wrote it",
            *gone_lines(ticket.assigned, ticket.away, desk),
        ),
        answers=Role.TEAM,
    )
    return tell_team("relay", ticket, values, Role.TEAM, desk, at, entropy)


def speaks_as_we_do(words: str, token: str) -> bool:
    """AT-29: a client that quotes without marks sends our whole letter along, with the team's address and what we think of
    the sender.
    """
    folded = " ".join(words.lower().split())
    return any(sign in folded for sign in (f"+{token}.{Role.TEAM}.", *SIGNS))


def doubted_answer(
    ticket: TicketView, arrival: Arrival, doubt: Reason, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """A proven member's answer that carries a mark of a machine or a list: it may be one, so it is not sent, and they hear."""
    placed = Placed(Audience.TEAM, True, None)
    why = f"it may be no person's mail ({doubt.word}: {doubt.header})"
    mend = "send it from an account that does not mark its mail so"
    return _kept_back(ticket, arrival, placed, why, mend, desk, at, entropy)


def unproven_member(
    ticket: TicketView, arrival: Arrival, role: Role, desk: Desk, at: datetime, entropy: Entropy
) -> Consequence:
    """A member's address that nothing proves: kept as a note, nothing happens, and the member is told."""
    placed = Placed(Audience.TEAM, False, None)
    why = "nothing proves that you wrote it: no trusted server vouches for your domain (DKIM or DMARC)"
    mend = "send it through your organisation's mail server; ops can run `triaged check`"
    if role is not Role.RESEARCHER:
        why = "nothing proves that you wrote it, so it counts as an unproven note"
    return _kept_back(ticket, arrival, placed, why, mend, desk, at, entropy)


def _kept_back(
    ticket: TicketView,
    arrival: Arrival,
    placed: Placed,
    why: str,
    mend: str,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> Consequence:
    author = arrival.message.author
    event = Event(EventKind.HELD, "triaged", {"receipt": arrival.receipt, "why": why})
    letters: tuple[Letter, ...] = ()
    if author and ticket.recent <= desk.caps.thread_messages_per_10_minutes:
        values = {"ref": ticket.name.ref, "why": why, "mend": mend, "proven": placed.proven}
        told = _team_letter("not_sent", ticket.name, ticket.subject, values, Role.TEAM, author.address, ticket.team_ids)
        letters = (render_team(told, desk, at, entropy),)
    return Consequence(Outcome.HELD, why, ticket.name, placed=placed, events=(event,), letters=letters)


def undelivered_letters(
    ticket: TicketView,
    letter: KnownMessage,
    reply: str,
    believed: bool,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> tuple[Letter, ...]:
    """The team hears that a letter bounced, and which promises are open again."""
    said = reply if believed else f"{reply} (a report that nothing proves)"
    values = {
        "ref": ticket.name.ref,
        "to": letter.counterpart,
        "letter": letter.template or "sent from the mailbox itself",
        "reply": clean_header(said)[:300],
        "dates": _reopened(ticket, letter, desk) if believed else (),
        "guide": guide(Role.TEAM, ticket.name, desk),
    }
    return tell_team("undelivered", ticket, values, Role.TEAM, desk, at, entropy)


def tell_team(
    template: str,
    ticket: TicketView,
    values: Mapping[str, object],
    answers: Role,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    but: Collection[str] = NOBODY,
) -> tuple[Letter, ...]:
    """One letter to each who hears of this ticket, but those who know already."""
    to = hearers(desk, ticket.assigned, ticket.away, but)
    return to_team(template, ticket.name, ticket.subject, values, answers, desk, at, entropy, ticket.team_ids, to=to)


def to_team(
    template: str,
    name: TicketName,
    subject: str,
    values: Mapping[str, object],
    answers: Role,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    earlier: Mapping[str, tuple[str, ...]],
    *,
    to: tuple[str, ...] | None = None,
    flag: str = "",
) -> tuple[Letter, ...]:
    """One letter to each address that the team is told at (SM-6: one recipient a letter).

    `to`: who they are, where the ticket is somebody's or somebody is away. `flag`: a word that gives the letter a conversation
    of its own.
    """
    heard = hearers(desk) if to is None else to
    letters = [_team_letter(template, name, subject, values, answers, one, earlier, flag) for one in heard]
    return tuple(render_team(letter, desk, at, entropy) for letter in letters)


def _team_letter(
    template: str,
    name: TicketName,
    subject: str,
    values: Mapping[str, object],
    answers: Role,
    to: str,
    earlier: Mapping[str, tuple[str, ...]],
    flag: str = "",
) -> TeamLetter:
    parents = earlier.get(to.lower(), ())
    return TeamLetter(template, name, to, team_subject(name, subject, flag, bool(parents)), values, answers, parents)


def team_subject(name: TicketName, subject: str, flag: str = "", again: bool = False) -> str:
    """One subject for all letters about a ticket: Gmail and Outlook take a letter with another one, "Re:" aside, for another
    conversation. With a `flag`, that is what is wanted.
    """
    shown = f"[{name.ref}] {clean_header(subject)[:SUBJECT_CHARACTERS].strip() or '(no subject)'}"
    if flag:
        return f"{flag}: {shown}"
    return f"Re: {shown}" if again else shown


def answer_subject(subject: str, name: TicketName, reporter_proven: bool) -> str:
    """AR-17: the sender's own words only come back to a sender who is proven (P2)."""
    if not reporter_proven:
        return f"Your report [{name.ref}]"
    words = clean_header(_PREFIXES.sub("", subject))[:SUBJECT_CHARACTERS].strip()
    return f"Re: {words} [{name.ref}]" if words else f"Re: your report [{name.ref}]"


_PREFIXES = re.compile(r"\A(?:\s*(?:re|aw|sv|antw|fwd?|wg|tr|rif)\s*:){1,8}\s*", re.IGNORECASE)


def relay_values(
    name: TicketName,
    arrival: Arrival,
    desk: Desk,
    *,
    headline: str,
    answer: str = "",
    dates: tuple[PromisedDate, ...] = (),
    warnings: tuple[str, ...] = (),
    answers: Role = Role.RESEARCHER,
    study: tuple[tuple[str, str], ...] = (),
) -> dict[str, object]:
    """What the relay template shows of one arrival: who, what, reference, attachments by name, size and hash (AT-28)."""
    message = arrival.message
    return {
        "headline": headline,
        "author": shown_author(message),
        "proof": shown_proof(message.authenticity, desk),
        "subject": shown_subject(message.subject) or "(none)",
        "received": shown_instant(arrival.received_at, desk),
        "ref": name.ref,
        "answer": answer,
        "dates": dates,
        "warnings": warnings + defect_warnings(arrival, desk),
        **shown_files(listed_files(message)),
        "study": labelled(study),
        "reply": "",
        "guide": guide(answers, name, desk),
        "body": quoted(message.text, desk.caps.relay_text),
    }


def listed_files(message: Message) -> list[dict[str, object]]:
    """The attachments of a message by name, size and hash."""
    return [
        {"name": one_line(a.name), "detected_type": a.detected_type, "size": a.size, "sha256": a.sha256, "known": ""}
        for a in message.attachments
    ]


def open_dates(ticket: TicketView, desk: Desk) -> tuple[PromisedDate, ...]:
    """The promises that still run, soonest first."""
    return _dates((p for p in ticket.promises if not p.met and not p.over), desk)


def _reopened(ticket: TicketView, letter: KnownMessage, desk: Desk) -> tuple[PromisedDate, ...]:
    """What the letter had kept, until it came back."""
    kept = (p for p in ticket.promises if p.promise in letter.meets and p.kept_by in (letter.message_id, ""))
    return _dates(kept, desk)


def _dates(promises: Iterable[OpenPromise], desk: Desk) -> tuple[PromisedDate, ...]:
    calendar = desk.policy.calendar
    shown = [PromisedDate(p.promise, p.clause, in_letters(p.due_at, calendar), p.due_at, False) for p in promises]
    return tuple(sorted(shown, key=lambda d: d.due_at))
