"""What follows from a researcher's one-line request: what is theirs changes, and an answer goes to the ticket's own address alone.

Law 6: nothing but what is the asker's. Law 7 and P2: the answers hold nothing of the team's, and of the asker only what is proven.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from triaged.message.model import Kind
from triaged.ticket import consent
from triaged.ticket.address import bare
from triaged.ticket.answering import proven
from triaged.ticket.clocks import is_open
from triaged.ticket.consent import Word
from triaged.ticket.consequence import Asked, Granted, Named, ToConfirm
from triaged.ticket.credit_name import House, Judged, judge
from triaged.ticket.deadlines import is_told
from triaged.ticket.desk import Desk
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.known import Arrival, Asking, TicketView, Waiting
from triaged.ticket.letters import Automatic, Letter, ResearcherLetter, render_researcher
from triaged.ticket.news import STATE_WORDS, shown_day
from triaged.ticket.reference import Entropy, new_token
from triaged.ticket.relaying import answer_subject
from triaged.ticket.requests import Ask, Request
from triaged.ticket.shown import one_line, shown_instant
from triaged.ticket.telling import next_lines

LAPSES = timedelta(days=14)  # a code
REPORTER = "reporter"
STATUS, ANONYMOUS, CONFIRM, REQUESTED, CONSENTED = "status", "anonymous", "confirm", "requested", "consented"
TEMPLATES = (STATUS, ANONYMOUS, CONFIRM, REQUESTED, CONSENTED)  # the letters that answer requests


@dataclass(frozen=True, slots=True)
class _Case:
    """One request with all that bears on it."""

    request: Request
    ticket: TicketView
    asking: Asking
    arrival: Arrival
    reached: bool  # it came to a key of ours, or answers a letter of ours
    desk: Desk
    at: datetime
    entropy: Entropy

    @property
    def muted(self) -> bool:
        return self.ticket.recent > self.desk.caps.thread_messages_per_10_minutes


def grant(
    request: Request,
    ticket: TicketView,
    arrival: Arrival,
    reached: bool,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> Granted | None:
    """What a participant's request causes; None where it is not the tracker's to answer. What machines write is for nobody."""
    if ticket.asking is None:
        return None
    case = _Case(request, ticket, ticket.asking, arrival, reached, desk, at, entropy)
    if case.muted and request.ask not in (Ask.ANONYMOUS, Ask.REFUSE):
        return _refused(case, "too many messages in ten minutes")  # AR-11; nor may a code be guessed at
    return _DEEDS[request.ask](case)


def _status(case: _Case) -> Granted:
    """How the report stands and what is promised: what any letter to its researcher may say."""
    told = [c for c in case.asking.clocks if is_open(c) and is_told(c)]
    values = {"state": STATE_WORDS[case.asking.state], "next": next_lines(told, case.desk, case.at)}
    silent = _silent(case, STATUS)
    if silent:
        return _refused(case, silent)
    event = _event(case, EventKind.REQUESTED, request=Ask.STATUS.value, outcome="answered")
    return Granted("STATUS: answered with the state and the dates", (event,), _letters(case, STATUS, values))


def _anonymous(case: _Case) -> Granted:
    """At once, whoever asks: it gives nothing away, and CREDIT AS takes it back."""
    said = "ANONYMOUS: not to be named, from now on"
    if not proven(case.arrival):
        said += "; nothing proves the sender, and it holds all the same"
    words = consent.all_withdrawn(case.asking.words, case.at, proven=proven(case.arrival))
    asks = Asked(_address(case), Named(None, anonymous=True), words=words)
    return Granted(said, (_event(case, EventKind.ANONYMISED),), _letters(case, ANONYMOUS, {}), asks)


def _credit(case: _Case) -> Granted:
    found = _judged(case, case.request.value)
    if found.refused:
        return _unfit(case, found)
    return _credited(case, found.name) if proven(case.arrival) else _to_confirm(case, found.name)


def _judged(case: _Case, name: str) -> Judged:
    policy, members = case.desk.policy, case.desk.members.values()
    people = tuple((member.name, member.address) for member in members)
    return judge(name, House(policy.organisation, policy.prefix, people, _address(case)))


def _unfit(case: _Case, found: Judged) -> Granted:
    """The name is refused in words of ours: what is wrong with it, and not the name (P2)."""
    why = found.refused
    event = _event(case, EventKind.REQUESTED, request=case.request.ask.value, outcome=f"not done: {why}")
    letters = _letters(case, REQUESTED, {"outcome": "unfit", "name": "", "why": why, "waits": False})
    return Granted(f"{_called(case)}: NOT done: {why}", (event,), letters)


def _credited(case: _Case, name: str, settles: int | None = None) -> Granted:
    found = _judged(case, name)  # a confirmed one too: the house may bear another name by now
    if found.refused:
        return _unfit(case, found)
    values = {"outcome": "credit", "name": found.name if proven(case.arrival) else "", "why": ""}  # P2
    named = Named(found.name, anonymous=False, pending=bool(found.waits))
    asks = Asked(_address(case), named, settles=settles, words=consent.credit_given(case.at))
    said = f"CREDIT AS: to be named as {one_line(found.name)}"
    if found.waits:
        said += f"; NOBODY is named before a member looked, since {found.waits}: /credit accept lets it stand"
    letters = _letters(case, REQUESTED, values | {"waits": bool(found.waits)})
    return Granted(said, (_event(case, EventKind.CREDITED, **({"waits": True} if found.waits else {})),), letters, asks)


def _withdraw(case: _Case) -> Granted:
    if case.asking.role != REPORTER:
        return _refused(case, "only who reported may withdraw", outcome="not the reporter")
    return _withdrawn(case) if proven(case.arrival) else _to_confirm(case)


def _withdrawn(case: _Case, settles: int | None = None) -> Granted:
    """The event and the clocks follow where the ticket is locked (`verbs.withdrawn`)."""
    said = "WITHDRAW: the researcher takes the report back; what they were promised is waived, the state stays"
    letters = _letters(case, REQUESTED, {"outcome": "withdraw", "name": "", "why": "", "waits": False})
    return Granted(said, (), letters, Asked(_address(case), settles=settles, withdraws=True))


def _to_confirm(case: _Case, value: str = "") -> Granted:
    """Nothing proves the sender: a code goes to the address on the ticket, and what they wrote does not (P2)."""
    silent = _silent(case, CONFIRM)
    if silent:
        return _refused(case, f"nothing proves the sender, and no code was mailed ({silent})")
    code, ask = new_token(case.entropy), case.request.ask
    values = {
        "request": ask.value,
        "code": f"{code[:4]}-{code[4:]}".upper(),
        "until": shown_day(case.at + LAPSES, case.desk.policy.calendar),
        "received": shown_instant(case.arrival.received_at, case.desk),
    }
    event = _event(case, EventKind.REQUESTED, request=ask.value, outcome="to be confirmed")
    asks = Asked(_address(case), opens=ToConfirm(ask.value, value, code))
    said = (
        f"{_called(case)}: NOT done yet; nothing proves the sender, so a code was mailed to the address on the ticket"
    )
    return Granted(said, (event,), _letters(case, CONFIRM, values), asks)


def _confirm(case: _Case) -> Granted:
    """A wrong code is answered by nothing. Each open one is compared, in constant time (AT-6)."""
    given = case.request.value.encode()
    found = [w for w in case.asking.waiting if hmac.compare_digest(w.code.encode(), given)]
    live = next((w for w in found if case.at < w.at + LAPSES), None)
    return _confirmed(case, live) if live else _refused(case, "no request with that code is open")


def _confirmed(case: _Case, waiting: Waiting) -> Granted:
    if waiting.ask == Ask.CREDIT:
        return _credited(case, waiting.value, waiting.number)
    if waiting.ask == Ask.WITHDRAW and case.asking.role == REPORTER:
        return _withdrawn(case, waiting.number)
    return _refused(case, "only who reported may withdraw", outcome="not the reporter")


def _agree(case: _Case) -> Granted:
    """To what the letter with that code asked for, as far as it stands open. A wrong code is answered by nothing."""
    words = consent.agreed(case.asking.words, _known_code(case), case.at)
    if not words:
        return _refused(case, "nothing that was asked with that code is open")
    if case.asking.nameless:
        return _nameless(case)
    said = f"AGREE: {_about(words)}" + ("" if case.asking.chosen else "; no name was chosen yet, so nobody is named")
    return _spoken(case, EventKind.CONSENTED, words, said, "agreed")


def _nameless(case: _Case) -> Granted:
    """ANONYMOUS wins: only a name takes it back."""
    said = "AGREE: NOT done: they asked not to be named, and CREDIT AS takes that back"
    event = _event(case, EventKind.REQUESTED, request=Ask.AGREE.value, outcome="not done: not to be named")
    values = {"outcome": "nameless", "purposes": (), "party": "", "chosen": False}
    return Granted(said, (event,), _letters(case, CONSENTED, values))


def _refuse(case: _Case) -> Granted:
    """At any time: no to what is open, and back with what was given."""
    words = consent.refused(case.asking.words, _known_code(case), case.at)
    if not words:
        return _refused(case, "nothing was asked with that code")
    return _spoken(case, EventKind.REVOKED, words, f"REFUSE: {_about(words)}", "refused")


def _known_code(case: _Case) -> str:
    """The code where it was mailed to them; each is compared in constant time (AT-6). No word has the code "?"."""
    given = case.request.value.encode()
    known = {word.code for word in case.asking.words if word.code}
    found = [code for code in sorted(known) if hmac.compare_digest(code.encode(), given)]
    return found[0] if found else "?"


def _spoken(case: _Case, kind: EventKind, words: tuple[Word, ...], said: str, outcome: str) -> Granted:
    purposes: list[JSON] = [word.purpose.value for word in words]
    party = next((word.third_party for word in words if word.third_party), "")
    event = _event(case, kind, purposes=purposes, third_party=party)
    values = {"outcome": outcome, "purposes": tuple(purposes), "party": party, "chosen": case.asking.chosen}
    return Granted(said, (event,), _letters(case, CONSENTED, values), Asked(_address(case), words=words))


def _about(words: tuple[Word, ...]) -> str:
    return ", ".join(f"{w.purpose.value}{f' with {one_line(w.third_party)}' if w.third_party else ''}" for w in words)


_DEEDS: Mapping[Ask, Callable[[_Case], Granted]] = MappingProxyType(
    {
        Ask.STATUS: _status,
        Ask.ANONYMOUS: _anonymous,
        Ask.CREDIT: _credit,
        Ask.WITHDRAW: _withdraw,
        Ask.CONFIRM: _confirm,
        Ask.AGREE: _agree,
        Ask.REFUSE: _refuse,
    }
)


def _refused(case: _Case, why: str, outcome: str = "") -> Granted:
    """Not done. The team reads why; the asker only of a named `outcome`, in words of ours."""
    event = _event(case, EventKind.REQUESTED, request=case.request.ask.value, outcome=f"not done: {why}")
    values = {"outcome": outcome, "name": "", "why": "", "waits": False}
    letters = _letters(case, REQUESTED, values) if outcome else ()
    return Granted(f"{_called(case)}: NOT done: {why}", (event,), letters)


def _called(case: _Case) -> str:
    """The request as the team reads it."""
    words = {Ask.CREDIT: "CREDIT AS"}.get(case.request.ask, case.request.ask.value.upper())
    named = case.request.ask is Ask.CREDIT
    return f"{words} {one_line(case.request.value)}" if named else words


def _address(case: _Case) -> str:
    author = case.arrival.message.author
    return author.address.lower() if author else ""


def _event(case: _Case, kind: EventKind, **data: JSON) -> Event:
    """Holds no name and no address: those stand with the participant, where they can be taken out."""
    return Event(kind, "researcher", {"receipt": case.arrival.receipt, "role": case.asking.role, **data})


def _silent(case: _Case, template: str) -> str:
    """Why no letter of that template goes out; "" where one may. Law 5: who never proved themselves must hold a key of ours."""
    message, desk = case.arrival.message, case.desk
    own = message.author is None or bare(message.author.address) in desk.own
    lost = desk.require_return_path and message.return_path is None
    spam = case.arrival.junk or message.spam
    if message.kind is not Kind.PERSON or not message.answerable or spam or own or lost or case.muted:
        return "no automatic letter may answer such mail"
    if not proven(case.arrival) and not case.reached:
        return "nothing proves the sender, and the mail answers no letter of ours"
    most = 1 if template == ANONYMOUS else desk.caps.request_letters_per_day
    if case.asking.answered.get(template, 0) >= most:
        return f"{most} such letter{'s' * (most != 1)} went out within a day"
    return ""


def _letters(case: _Case, template: str, values: Mapping[str, object]) -> tuple[Letter, ...]:
    """To the address as it stands on the ticket, whoever the mail says that it is from."""
    if _silent(case, template):
        return ()
    ticket, own = case.ticket, case.arrival.message.message_id
    house = {"ref": ticket.name.ref, "organisation": case.desk.policy.organisation, "contact": case.desk.address}
    letter = ResearcherLetter(
        template=template,
        ticket=ticket.name,
        to=case.asking.written,
        subject=answer_subject(ticket.subject, ticket.name, ticket.reporter_proven),
        values=house | dict(values),
        automatic=Automatic.REPLIED,  # AR-12
        parents=(*ticket.researcher_ids, own) if own else ticket.researcher_ids,
        proven=proven(case.arrival),
    )
    return (render_researcher(letter, case.desk, case.at, case.entropy),)
