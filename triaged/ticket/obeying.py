"""Orders carried out on a ticket: all of them, or none. A pure function; mail and command line both end here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from triaged.ticket import deeds_advisory as publication
from triaged.ticket import deeds_assess as assessment
from triaged.ticket import deeds_credit
from triaged.ticket import deeds_letters as letters
from triaged.ticket import deeds_report as report
from triaged.ticket import deeds_reward as rewards
from triaged.ticket import deeds_work as work
from triaged.ticket.address import Role
from triaged.ticket.commands import LEAD, VERBS, Text, Verb
from triaged.ticket.deeds_duplicate import KNOWN, duplicate_of
from triaged.ticket.events import Event, EventKind
from triaged.ticket.grammar import Order, Orders, Refused, takes_text
from triaged.ticket.letters import Letter
from triaged.ticket.shown import shown_instant
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import OPERATOR, Case, Obeyed, Proposal, Step, Worked
from triaged.ticket.writing import MOST_SHOWN, internal_words, on_its_way

Deed = Callable[[Worked, str, Case], Step]

DEEDS: Mapping[str, Deed] = MappingProxyType(
    {
        "reply": letters.reply,
        "ask": letters.ask,
        "update": letters.update,
        "attach": letters.attach,
        "acknowledge": letters.acknowledge,
        "assess": rewards.assessing(assessment.assess),
        "affects": assessment.affects,
        "assessing": report.assessing,
        "fixing": report.fixing,
        "duplicate-of": rewards.assessing(duplicate_of),
        "reward": rewards.reward,
        "fixed": report.fixed,
        "advisory": publication.advisory,
        "revise": publication.revise,
        "cve": publication.cve,
        "draft": publication.draft,
        "disclose": work.disclose,
        "extend": work.extend,
        "exploited": work.exploited,
        "close": rewards.closing(report.close),
        "reopen": report.reopen,
        "report": report.take_for("report"),
        "question": report.take_for("question"),
        "other": report.take_for("other"),
        "spam": report.spam,
        "merge": report.merge,
        "split": report.split,
        "breach": report.breach,
        "wait": work.wait,
        "resume": work.resume,
        "keep": work.keep,
        "waive": work.waive,
        "assign": work.assign,
        "add": work.add,
        "remove": work.remove,
        "credit": deeds_credit.credit,
        "note": letters.note,
        "cancel": rewards.cancelling(letters.cancel),
        "hold": letters.hold,
        "send": letters.send,
        "show": work.show,
        "attachments": letters.attachments,
        "password": letters.tell_password,
        "help": work.help_,
    }
)
_NAMES_OTHERS = frozenset({"merge", "duplicate-of"})  # their words name another ticket
_WANT_CONTENTS = frozenset({"attachments"})


def obey(worked: Worked, orders: Orders, role: Role, case: Case) -> Obeyed | Refused:
    """What `orders` make of the ticket. `role`: the conversation that they came to, which takes the text that no command takes."""
    taker = takes_text(orders)
    if isinstance(taker, Refused):
        return taker
    whole = _with_its_text(orders, taker, role)
    if isinstance(whole, Refused):
        return whole
    worked = replace(worked, notes=(*worked.notes, *_secret_words(whole)))
    done = Obeyed(worked, (), (), (), private=all(o.verb.private for o in whole.orders))
    for order in whole.orders:
        text = whole.text if order.verb.text is not Text.NOWHERE else ""
        try:
            done = _after(
                done, _step(done.worked, order, replace(case, text=text)), order.words, replace(case, text=text)
            )
        except VerbError as error:
            return _refused(order, error)
    return done


def _secret_words(orders: Orders) -> tuple[str, ...]:
    """Reasons that nobody outside is told: a letter of the same mail, of whichever line, must not hold them either."""
    return tuple(order.words for order in orders.orders if order.verb.secret)


def _refused(order: Order, error: VerbError) -> Refused:
    mend = "nothing else of the mail was done either: mend it and send it again"
    return Refused(f"/{order.verb.name}: {error}", mend, isinstance(error, MisreadError))


def _with_its_text(orders: Orders, taker: Order | None, role: Role) -> Orders | Refused:
    """A text without a command is an answer or a note, by the conversation that it came to; beside commands it has to be said."""
    if taker is not None or not orders.text:
        return orders if orders.orders else Refused("it holds no words of your own", "write above the quoted text")
    if not orders.orders:
        return replace(orders, orders=(Order(VERBS["reply" if role is Role.RESEARCHER else "note"], ""),))
    if role is Role.RESEARCHER:
        return Refused(
            "it does not say where its text goes",
            "write /reply (to the researcher) or /note (to the team) above the text",
        )
    return replace(orders, orders=(*orders.orders, Order(VERBS["note"], "")))


def _step(worked: Worked, order: Order, case: Case) -> Step:
    _may(order.verb, case)
    if order.verb.name == "confirm":
        return _confirmed(worked, order, case)
    if _needs_second(order) and case.desk.two_person and not case.confirmed:
        return _proposed(worked, order, case)
    return DEEDS[order.verb.name](worked, order.words, case)


def _needs_second(order: Order) -> bool:
    return order.verb.second and order.words.partition(" ")[0].lower() not in order.verb.alone


def _may(verb: Verb, case: Case) -> None:
    """Raises VerbError where the member's role does not let them. An operator works on the machine itself."""
    if case.by == OPERATOR or case.role in _roles(verb, case):
        return
    raise VerbError(f"your role is {case.role}, and this is for {' or '.join(sorted(_roles(verb, case)))}")


def _roles(verb: Verb, case: Case) -> frozenset[str]:
    has_lead = any(member.role == "lead" for member in case.desk.members.values())
    return verb.roles if verb.roles != LEAD or has_lead else frozenset({"lead", "triager"})


def _proposed(worked: Worked, order: Order, case: Case) -> Step:
    """It is tried, so that nobody is asked to confirm what can't be done, and waits for a second member."""
    tried = DEEDS[order.verb.name](worked, order.words, case)
    if any(p.verb == order.verb.name for p in worked.proposals):
        raise VerbError(
            f"/{order.verb.name} is proposed already: another member answers with /confirm, or /cancel drops it"
        )
    text = case.text or "\n".join(tried.basis)
    proposal = Proposal(0, order.verb.name, order.words, text, case.by, case.at)
    event = Event(EventKind.PROPOSED, case.actor, {"verb": order.verb.name, "words": order.words})
    line = f"proposed: {order}; it takes effect when a second member answers with /confirm"
    return Step(replace(worked, proposals=(*worked.proposals, proposal)), (line, *tried.basis), (event,))


def _confirmed(worked: Worked, order: Order, case: Case) -> Step:
    proposal = _meant(worked, order.words.lower().removeprefix("/"), case)
    proposer = replace(case, by=proposal.by, actor=_actor(proposal.by, case), text=proposal.text, confirmed=case.shown)
    proposer = replace(proposer, second=case.by)
    left = tuple(p for p in worked.proposals if p != proposal)
    step = DEEDS[proposal.verb](replace(worked, proposals=left), proposal.words, proposer)
    event = Event(
        EventKind.CONFIRMED, case.actor, {"verb": proposal.verb, "words": proposal.words, "by": proposer.actor}
    )
    return replace(step, lines=(f"confirmed what {proposer.shown} proposed", *step.lines), events=(event, *step.events))


def _meant(worked: Worked, verb: str, case: Case) -> Proposal:
    """Nobody confirms what they have not read: of several they say which, and none is newer than the mail that they answer."""
    waiting = [p for p in worked.proposals if p.by != case.by]
    if not waiting:
        raise VerbError("there is nothing of another member's to confirm")
    which = " or ".join(dict.fromkeys(f"/confirm {p.verb}" for p in waiting))
    found = [p for p in waiting if verb in ("", p.verb)]
    if not found:
        raise MisreadError(f"no /{verb[:40]} waits to be confirmed: {which}")
    if len({p.verb for p in found}) > 1:
        raise VerbError(f"more than one proposal waits, say which: {which}")
    if case.read_at is not None and found[-1].at > case.read_at:
        raise VerbError(
            f"/{found[-1].verb} was proposed after the mail that you answer: answer the one that proposes it"
        )
    return found[-1]


def _actor(by: str, case: Case) -> str:
    return by if by == OPERATOR else f"member:{case.desk.named(by)}"


def _kept_words(step: Step, worked: Worked, case: Case) -> None:
    """Raises VerbError where the name of a new ticket holds what is internal: every later letter about it would say it."""
    for split in step.splits:
        found = internal_words(split.new.subject, worked, case)
        if found:
            raise VerbError(
                f"{found[0].shown!r} is internal ({found[0].what}): the researcher reads that name, choose another"
            )


def _after(done: Obeyed, step: Step, words: str, case: Case) -> Obeyed:
    _kept_words(step, done.worked, case)
    ways = [on_its_way(letter, done.worked, case, words) for letter in step.letters]
    sent = tuple(letter for letter, _ in ways)
    told = tuple(line for letter, overlaps in ways for line in _way(letter, overlaps, case))
    return Obeyed(
        worked=_threaded(step.worked, sent),
        lines=(*done.lines, *step.lines, *told),
        events=(*done.events, *step.events),
        letters=(*done.letters, *sent),
        enclosed=(*done.enclosed, *step.enclosed),
        elsewhere=(*done.elsewhere, *step.elsewhere),
        splits=(*done.splits, *step.splits),
        noted=done.noted or step.noted,
        advises=done.advises or step.advises,
        private=done.private,
        body=step.body or done.body,
    )


def _threaded(worked: Worked, sent: tuple[Letter, ...]) -> Worked:
    ids = tuple(letter.message_id for letter in sent if letter.token == worked.name.token)
    new = tuple(i for i in ids if i not in worked.tended.researcher_ids)
    return worked.with_tended(replace(worked.tended, researcher_ids=(*worked.tended.researcher_ids, *new)))


def _way(letter: Letter, overlaps: tuple[object, ...], case: Case) -> Iterator[str]:
    """What the echo says of a letter: when it goes, or why it does not."""
    if letter.hold_reason:
        yield f"HELD, not sent: the letter to {letter.to} holds what is internal"
        for one in overlaps[:MOST_SHOWN]:
            yield f"   {one.what}: {one.shown!r}"  # type: ignore[attr-defined]
        yield "   /send lets it go all the same; /cancel drops it, and you write it anew"
    elif case.desk.undo:
        until = shown_instant(case.at + case.desk.undo, case.desk)
        yield f"the letter to {letter.to} goes at {until}: until then /cancel drops it, /hold keeps it back"
    else:
        yield f"the letter to {letter.to} is on its way"


def named_tickets(orders: Orders) -> tuple[str, ...]:
    """Tickets that the orders name: what must be known of them to obey."""
    return tuple(order.words for order in orders.orders if order.verb.name in _NAMES_OTHERS)


def named_issues(orders: Orders) -> tuple[str, ...]:
    """Issues of the team's list that the orders name, in lower case."""
    words = (order.words.lower() for order in orders.orders if order.verb.name in _NAMES_OTHERS)
    return tuple(name.removeprefix(KNOWN).strip() for name in words if name.startswith(KNOWN))


def wants_contents(orders: Orders) -> bool:
    """Whether the files themselves are needed."""
    return any(order.verb.name in _WANT_CONTENTS for order in orders.orders)
