"""What the report is and what became of it: the commands that move a ticket, each a pure function of ticket and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from triaged.ticket import transitions, verbs
from triaged.ticket.beginning import begin
from triaged.ticket.card import Card, Reported, acknowledgement
from triaged.ticket.clocks import ACKNOWLEDGE, Clock, is_open
from triaged.ticket.consequence import NewTicket
from triaged.ticket.deeds_assess import fixed_in
from triaged.ticket.describing import read_fixed_in
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.letters import TicketName
from triaged.ticket.owing import owed_without_assessment
from triaged.ticket.reclassifying import TAKEN_FOR, reclassify
from triaged.ticket.reference import new_token, reference, token_of
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Other, Split, Step, Worked


def assessing(worked: Worked, words: str, case: Case) -> Step:
    """Somebody looks into it."""
    return _moved(worked, State.ASSESSING, words, case, "being assessed")


def fixing(worked: Worked, words: str, case: Case) -> Step:
    """Work on a fix has begun."""
    step = _moved(worked, State.FIXING, words, case, "being fixed: the researcher hears of it with the next update")
    return _without_assessment(step, case)


def fixed(worked: Worked, words: str, case: Case) -> Step:
    """A fix is available, in the version that is named. Where it is fixed already, the version alone is new."""
    version = read_fixed_in(words)
    named = fixed_in(worked, version, case) if version else Step(worked, ())
    if version and worked.tended.state is State.FIXED:
        return named
    line = "fixed: the researcher hears of it with the next update, or by /update"
    step = _moved(named.worked, State.FIXED, "", case, line)
    both = replace(step, lines=(*step.lines, *named.lines), events=(*step.events, *named.events))
    return _without_assessment(both, case)


def _without_assessment(step: Step, case: Case) -> Step:
    """Who mends first and assesses later is not stopped, and reads what is owed."""
    owed = owed_without_assessment(step.worked.tended, case.desk.policy)
    return replace(step, lines=(*step.lines, *owed))


def close(worked: Worked, words: str, case: Case) -> Step:
    """Closed. Promises that only a letter keeps stay open."""
    return _moved(worked, State.CLOSED, words, case, "closed")


def reopen(worked: Worked, words: str, case: Case) -> Step:
    """Taken up again: repeated promises run from now, the others by their old dates."""
    _no_words(words)
    if worked.merged_into:
        raise VerbError("it was merged into another ticket: work there")
    done = verbs.reopened(worked.tended, case.actor, case.at)
    return _from(worked, done, f"taken up again; it is {done.ticket.state.value}")


def _moved(worked: Worked, state: State, words: str, case: Case, line: str) -> Step:
    _no_words(words)
    return _from(worked, verbs.move(worked.tended, state, case.actor, case.at), line)


def take_for(kind: str) -> Callable[[Worked, str, Case], Step]:
    """The command that takes a ticket for a report, a question or something else."""

    def deed(worked: Worked, words: str, case: Case) -> Step:
        _no_words(words)
        if worked.kind == kind:
            raise VerbError(f"{worked.name.ref} is taken for {_a(kind)} already")
        return _taken_for(worked, kind, case)

    return deed


def _a(kind: str) -> str:
    return f"a {kind}" if kind != "other" else "something else"


def _taken_for(worked: Worked, kind: str, case: Case) -> Step:
    clocks = worked.tended.clocks
    known = frozenset(c.promise for c in clocks)
    change = reclassify(worked.kind, kind, known, worked.received_at, case.desk.policy, case.actor)
    waived = {
        c: m.clock
        for c in clocks
        if c.promise in change.waives and (m := transitions.waive(c, case.actor, change.why, case.at))
    }
    resumed = {c: replace(c, waived=None) for c in clocks if c.promise in change.resumes and _by_kind(c)}
    after = tuple({**waived, **resumed}.get(c, c) for c in clocks)
    tended = replace(worked.tended, clocks=(*after, *change.starts))
    running = sorted({c.promise for c in tended.clocks if is_open(c)})
    line = f"taken for {_a(kind)}; open promises: {', '.join(running) or 'none'}"
    return Step(replace(worked, tended=tended, kind=kind), (line,), (change.event,))


def _by_kind(clock: Clock) -> bool:
    """Only what was waived for this reason: a waiver that a member gave for another stays."""
    return clock.waived is not None and clock.waived.why.startswith(TAKEN_FOR)


def spam(worked: Worked, words: str, case: Case) -> Step:
    """Closed as spam. Our own score never does this: a person did (P1)."""
    _no_words(words)
    step = _taken_for(worked, "other", case) if worked.kind != "other" else Step(worked, ())
    moved = {c: m for c in step.worked.tended.clocks if (m := transitions.waive(c, case.actor, "it is spam", case.at))}
    tended = replace(
        step.worked.tended, clocks=tuple(moved[c].clock if c in moved else c for c in step.worked.tended.clocks)
    )
    events = (*step.events, *(m.event for m in moved.values()))
    if tended.state is not State.CLOSED:
        done = verbs.move(tended, State.CLOSED, case.actor, case.at)
        tended, events = done.ticket, (*events, *done.events)
    return Step(step.worked.with_tended(tended), ("closed as spam; nothing is owed",), events)


def merge(worked: Worked, words: str, case: Case) -> Step:
    """Joined to an earlier ticket of the same researcher: what comes later for this one goes there (TH-8).

    Of other researchers' tickets it is refused: they would read each other's mail (law 7).
    """
    other = other_of(worked, words)
    reporter = worked.reporter
    if reporter is None or other.reporter != reporter.address:
        raise VerbError(
            f"{other.name.ref} is of another researcher, who would read this mail: /duplicate-of keeps them apart"
        )
    if other.merged:
        raise VerbError(f"{other.name.ref} was merged itself: name the ticket that it went to")
    if other.received_at > worked.received_at:
        raise VerbError(f"{other.name.ref} came later: merge that one into {worked.name.ref}")
    why = f"merged into {other.name.ref}"
    moved = {c: m for c in worked.tended.clocks if (m := transitions.waive(c, case.actor, why, case.at))}
    tended = replace(worked.tended, clocks=tuple(moved[c].clock if c in moved else c for c in worked.tended.clocks))
    events = tuple(m.event for m in moved.values())
    if tended.state is not State.CLOSED:
        done = verbs.move(tended, State.CLOSED, case.actor, case.at)
        tended, events = done.ticket, (*events, *done.events)
    events = (*events, Event(EventKind.MERGED, case.actor, {"into": other.name.ref}))
    named = Event(EventKind.MERGED, case.actor, {"from": worked.name.ref})
    after = replace(worked.with_tended(tended), merged_into=other.name.token)
    line = f"merged into {other.name.ref}: mail for {worked.name.ref} goes there from now on, and only its promises run"
    return Step(after, (line,), events, elsewhere=((other.name.token, named),))


def split(worked: Worked, words: str, case: Case) -> Step:
    """A second ticket for another problem in the same report: its promises count from the report's receipt."""
    reporter = worked.reporter
    if not words:
        raise MisreadError("name the other problem: /split SQL injection in the search")
    if reporter is None:
        raise VerbError(f"{worked.name.ref} has no researcher's address")
    desk = case.desk
    token = new_token(case.entropy)
    name = TicketName(token, reference(desk.policy.prefix, token))
    begun = begin(desk, worked.received_at, "report", ())
    new = NewTicket(
        name,
        "report",
        words[:300],
        reporter.name,
        reporter.address,
        reporter.written,
        reporter.proven,
        worked.received_at,
    )
    policy = desk.policy
    opened = Event(
        EventKind.RECEIVED,
        case.actor,
        {
            "split_from": worked.name.ref,
            "received_at": worked.received_at.isoformat(),
            "proven": reporter.proven,
            "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
            "kind": "report",
        },
    )
    report = Reported(reporter.written, words[:300], worked.report_id, worked.received_at, reporter.proven)
    kept = (ACKNOWLEDGE,) if policy.promise(ACKNOWLEDGE) else ()
    letter = acknowledgement(Card(name, begun.clocks, kept, "report", (), True), report, desk, case.at, case.entropy)
    line = f"{name.ref} was opened for {words[:80]!r}; the researcher gets its reference and dates"
    event = Event(EventKind.SPLIT, case.actor, {"opens": name.ref})
    return Step(worked, (line,), (event,), (letter,), splits=(Split(new, begun.clocks, (opened, *begun.events)),))


def breach(worked: Worked, words: str, case: Case) -> Step:
    """A rule of engagement was broken, says a member. A record for the team: no letter speaks of it."""
    rules = {rule.name: rule for rule in case.desk.policy.rules}
    name = words.split()[0].lower() if words else ""
    if name not in rules:
        raise VerbError(f"the policy has no rule {name!r}: it has {', '.join(sorted(rules)) or 'none'}")
    event = Event(EventKind.BREACHED, case.actor, {"rule": name, "why": " ".join(words.split()[1:])})
    return Step(worked, (f"recorded: the rule {name!r} was broken; nobody outside is told",), (event,))


def other_of(worked: Worked, words: str) -> Other:
    """The ticket that the words name. Raises VerbError where there is none of the same tenant."""
    token = token_of(words.split()[0]) if words else None
    if not words or len(words.split()) > 1:
        raise MisreadError("name one ticket, as in IMS-7F3K-9QXD")
    other = worked.others.get(token or "")
    if other is None:
        raise VerbError(f"there is no ticket {words[:20]}")
    if other.name == worked.name:
        raise VerbError("that is this ticket")
    return other


def _from(worked: Worked, done: verbs.Done, line: str) -> Step:
    return Step(worked.with_tended(done.ticket), (line,), done.events, done.letters)


def _no_words(words: str) -> None:
    if words:
        raise MisreadError(f"{words[:40]!r} means nothing here: write text below the command, under /note or /reply")
