"""The acknowledgement as a card: what was promised, by when, under which rules. Never says more than the policy does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from triaged.message.clean import clean_header
from triaged.policy.model import Policy
from triaged.policy.wording import threatens
from triaged.reading.asking import question
from triaged.ticket.answering import proven
from triaged.ticket.calendar_file import MEDIA_TYPE, calendar_file
from triaged.ticket.clocks import Clock, PromisedDate, dates
from triaged.ticket.deadlines import is_told
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival
from triaged.ticket.letters import Automatic, Letter, ResearcherLetter, TicketName, render_researcher
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import answer_subject
from triaged.ticket.shown import shown_instant
from triaged.ticket.wire import Enclosure

SHORT_NAME = 40  # characters of an organisation's name that leave room in the smallest letter
MINIMAL_SUBJECT = "We received your report [{ref}]"

# AR-16: what a letter that would be too long leaves out, in this order, until it fits.
CALENDAR, RULES, TERMS, QUESTIONS, DATES, NAME = (
    "the calendar file",
    "our rules",
    "what we say of confidentiality and credit",
    "what is missing from your report",
    "the dates",
    "the whole of our name",
)
FULL_LADDER = (CALENDAR, RULES, TERMS, QUESTIONS, DATES, NAME)
MINIMAL_LADDER = (DATES, NAME)


@dataclass(frozen=True, slots=True)
class Card:
    """What an acknowledgement tells of a new ticket."""

    name: TicketName
    clocks: tuple[Clock, ...]  # as they begin
    kept: tuple[str, ...]  # promises that this letter keeps
    kind: str  # report | question | other
    missing: tuple[str, ...]  # items to ask for
    full: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """The report that is acknowledged, as far as the letter needs it."""

    to: str  # the sender, as written; "" where there is none
    subject: str
    message_id: str
    received_at: datetime
    proven: bool


def reported(arrival: Arrival) -> Reported:
    """The same of an arriving message."""
    message = arrival.message
    to = message.author.address if message.author else ""
    return Reported(to, message.subject, message.message_id, arrival.received_at, proven(arrival))


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy's own sentences, word for word."""

    rules: tuple[str, ...] = ()
    safe_harbour: tuple[str, ...] = ()
    harbour_first: bool = False  # it stands above the rules that it speaks of
    confidentiality: tuple[str, ...] = ()
    credit: str = ""
    credit_question: str = ""
    only_when_asked: bool = False  # nobody is named who has not asked for it


def acknowledgement(card: Card, report: Reported, desk: Desk, at: datetime, entropy: Entropy) -> Letter:
    """AR-16: within its size, whatever the policy says. The full form goes to proven senders."""
    most = desk.caps.full_bytes if card.full else desk.caps.minimal_bytes
    ladder = FULL_LADDER if card.full else MINIMAL_LADDER
    for count in range(len(ladder) + 1):
        left = ladder[:count]
        house = _with_short_name(desk) if NAME in left else desk
        letter = render_researcher(_letter(card, report, house, at, left), house, at, entropy)
        if len(letter.data) <= most:
            break
    return letter


def _with_short_name(desk: Desk) -> Desk:
    return replace(desk, policy=replace(desk.policy, organisation=desk.policy.organisation[:SHORT_NAME].strip()))


def _letter(card: Card, report: Reported, desk: Desk, at: datetime, left: tuple[str, ...]) -> ResearcherLetter:
    """P2: the minimal form holds nothing that the sender wrote."""
    shown = () if DATES in left else dates(_told(card, desk.policy), desk.policy, card.kept)
    file = calendar_file(card.name, shown, desk, at) if card.full and CALENDAR not in left else ""
    minimal = MINIMAL_SUBJECT.format(ref=card.name.ref)
    return ResearcherLetter(
        template="acknowledgement" if card.full else "acknowledgement_minimal",
        ticket=card.name,
        to=report.to,
        subject=answer_subject(report.subject, card.name, _quotes(report, desk)) if card.full else minimal,
        values=_values(card, report, desk, shown, left) | {"attached": bool(file)},
        automatic=Automatic.REPLIED,
        parents=(report.message_id,) if report.message_id else (),  # TH-3: their References are not trusted
        meets=card.kept,
        proven=report.proven,
        enclosed=(Enclosure(MEDIA_TYPE, f"{card.name.ref}.ics", file),) if file else (),
    )


def _quotes(report: Reported, desk: Desk) -> bool:
    """P2: whether the sender's own subject may come back."""
    return report.proven or desk.acknowledge_unproven == "full"


def _told(card: Card, policy: Policy) -> tuple[Clock, ...]:
    """The clocks of the promises; in the full form also the dates of fix and publication, as the report moves them."""
    return tuple(c for c in card.clocks if is_told(c) and (card.full or policy.promise(c.promise) is not None))


def _values(
    card: Card, report: Reported, desk: Desk, shown: tuple[PromisedDate, ...], left: tuple[str, ...]
) -> dict[str, object]:
    policy = desk.policy
    return {
        "ref": card.name.ref,
        "received": shown_instant(report.received_at, desk),
        "dates": tuple(d for d in shown if policy.promise(d.promise) is not None),
        "deadlines": tuple(d for d in shown if policy.promise(d.promise) is None),
        "organisation": policy.organisation,
        "contact": desk.address,
        "subject": clean_header(report.subject)[:200] if card.full and _quotes(report, desk) else "",
        "kind": card.kind,
        "questions": () if QUESTIONS in left else tuple(question(policy, item) for item in card.missing),
        "terms": terms(policy, left) if card.full and card.kind == "report" else Terms(),
        "page": policy.publish.policy,
        "left": left,
    }


def terms(policy: Policy, left: tuple[str, ...] = ()) -> Terms:
    """What a reporter should know of the policy beside its dates. Threats stand in no letter."""
    safe = partial(unthreatening, policy)
    rules = safe(rule.clause for rule in policy.rules) if RULES not in left else ()
    harbour = safe(policy.safe_harbour.clauses) if RULES not in left else ()
    if TERMS in left:
        return Terms(rules, harbour, _harbour_first(policy))
    credit, named = safe((policy.credit.clause,)), policy.credit.terms != "none"
    return Terms(
        rules=rules,
        safe_harbour=harbour,
        harbour_first=_harbour_first(policy),
        confidentiality=safe(policy.confidentiality.clauses),
        credit="".join(credit),
        credit_question=policy.credit.question if credit and named else "",
        only_when_asked=policy.credit.terms == "only-when-asked",
    )


def unthreatening(policy: Policy, clauses: Iterable[str]) -> tuple[str, ...]:
    """The clauses that a letter may quote: no threat is among them."""
    threats = [_folded(s.clause) for s in policy.statements if s.kind == "threat"]
    return tuple(c for c in clauses if c and not threatens(c) and not any(_folded(c) in t for t in threats))


def _harbour_first(policy: Policy) -> bool:
    """As in the published text: "these rules:" stands above them, "the instructions above" below."""
    text, harbour = _folded(policy.text or ""), policy.safe_harbour.clauses
    at = text.find(_folded(harbour[0])) if harbour else -1
    found = (text.find(_folded(rule.clause)) for rule in policy.rules)
    first = min((place for place in found if place >= 0), default=-1)
    return 0 <= at < first


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
