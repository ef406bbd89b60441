"""What the report is and what became of it: the commands that move a ticket, each a pure function of ticket and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from triaged.policy.calendar import in_letters
from triaged.ticket import deadlines, transitions, verbs
from triaged.ticket.beginning import begin
from triaged.ticket.card import Card, Reported, acknowledgement
from triaged.ticket.clocks import ACKNOWLEDGE, Clock, is_open
from triaged.ticket.consequence import NewTicket
from triaged.ticket.events import JSON, Event, EventKind, State
from triaged.ticket.letters import TicketName
from triaged.ticket.reclassifying import TAKEN_FOR, reclassify
from triaged.ticket.reference import new_token, reference, token_of
from triaged.ticket.rounds import started
from triaged.ticket.spelling import ACCEPTED, DECLINED, REASONS, SEVERITIES, day_of
from triaged.ticket.tended import Tended
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Other, Split, Step, Worked
from triaged.ticket.writing import to_people

if TYPE_CHECKING:
    from datetime import date

# What a letter says of why a report was declined.
DECLINED_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "out-of-scope": "It concerns something that our policy does not cover.",
        "not-a-vulnerability": "We do not consider it a vulnerability.",
        "not-reproducible": "We could not reproduce it.",
        "duplicate": "It was known to us from an earlier report.",
        "": "We declined it.",
    }
)


_BEYOND = frozenset({State.FIXING, State.FIXED, State.DISCLOSED})  # accepted, and further on


@dataclass(frozen=True, slots=True)
class Assessment:
    """What `/assess` says."""

    accepted: bool
    reason: str = ""
    severity: str = ""
    cvss: str = ""
    score: float | None = None
    fix_by: date | None = None


def assess(worked: Worked, words: str, case: Case) -> Step:
    """Accept or decline the report, with severity and date, and tell the researcher."""
    found = read_assessment(words, _today(case))
    tended = worked.tended
    events: list[Event] = []
    if found.fix_by is not None:
        done = fix_by(tended, found.fix_by, case)
        tended, events = done.ticket, [*done.events]
    state = State.ACCEPTED if found.accepted else State.DECLINED
    if tended.state is not state and not (found.accepted and tended.state in _BEYOND):
        done = verbs.move(tended, state, case.actor, case.at)
        tended, events = done.ticket, [*events, *done.events]
    said: dict[str, JSON] = {
        "severity": found.severity,
        "cvss": found.cvss,
        "reason": found.reason,
        "accepted": found.accepted,
    }
    events.append(Event(EventKind.ASSESSED, case.actor, said))
    after = replace(
        worked.with_tended(tended),
        severity=found.severity or worked.severity,
        cvss=found.cvss or worked.cvss,
        decision=found.reason,
    )
    letters = to_people(after, "assessed", _assessed(after, found, case), case)
    return Step(_told(after, case), (_in_words(found),), tuple(events), letters)


def _assessed(worked: Worked, found: Assessment, case: Case) -> dict[str, object]:
    fix = next((c for c in worked.tended.clocks if c.promise == deadlines.FIX and is_open(c)), None)
    return {
        "ref": worked.name.ref,
        "accepted": found.accepted,
        "why": "" if found.accepted else DECLINED_WORDS[found.reason],
        "severity": found.severity,
        "cvss": found.cvss,
        "score": found.score,
        "by": in_letters(fix.due_at, case.desk.policy.calendar) if fix and found.accepted else "",
        "text": case.text,
        "organisation": case.desk.policy.organisation,
        "contact": case.desk.address,
    }


def _in_words(found: Assessment) -> str:
    said = [
        "assessed: accepted" if found.accepted else f"assessed: declined{f', {found.reason}' if found.reason else ''}"
    ]
    said += [f"severity {found.severity}"] if found.severity else []
    said += [f"{found.cvss} ({found.score})"] if found.cvss else []
    said += [f"fix by {found.fix_by}"] if found.fix_by else []
    return "; ".join(said)


def read_assessment(words: str, today: date) -> Assessment:
    """The words after /assess, in any order after the decision. Raises VerbError for what can't be read."""
    parts = words.split()
    if not parts or parts[0].lower() not in ACCEPTED | DECLINED:
        raise MisreadError("say accepted or declined first: /assess accepted high fix-by 2026-12-24")
    found = Assessment(parts[0].lower() in ACCEPTED)
    rest = parts[1:]
    while rest:
        found, rest = _read_part(found, rest, today)
    if found.accepted and found.reason:
        raise VerbError(f"{found.reason} is why a report is declined, and you wrote accepted: write one of the two")
    return found


def _read_part(found: Assessment, rest: list[str], today: date) -> tuple[Assessment, list[str]]:
    word = rest[0].lower().strip(",;")
    if word in ("fix-by", "fix") and len(rest) > 1:
        after = " ".join(rest[2:] if word == "fix" and rest[1].lower() == "by" else rest[1:])
        read = day_of(after, today)
        if read is None:
            raise MisreadError(f"{after[:40]!r} begins with no day: write 2026-12-24")
        return replace(found, fix_by=read[0]), read[1].split()
    if word == "cvss" and len(rest) > 1:
        return _scored(found, rest[1]), rest[2:]
    if word.startswith("cvss:"):
        return _scored(found, rest[0]), rest[1:]
    if word in SEVERITIES:
        return _severe(found, SEVERITIES[word]), rest[1:]
    if word in REASONS:
        return replace(found, reason=REASONS[word]), rest[1:]
    raise MisreadError(
        f"{rest[0][:40]!r} can't be read: after the decision come a severity ({', '.join(dict.fromkeys(SEVERITIES.values()))}), "
        f"a reason ({', '.join(dict.fromkeys(REASONS.values()))}), cvss VECTOR, fix-by DAY"
    )


def _severe(found: Assessment, severity: str) -> Assessment:
    if found.severity and found.severity != severity:
        raise VerbError(f"it can't be {found.severity} and {severity} at once: write one, or mend the vector")
    return replace(found, severity=severity)


def _scored(found: Assessment, vector: str) -> Assessment:
    score, severity = cvss_of(vector)
    return replace(_severe(found, severity), cvss=vector.upper() if "/" in vector else vector, score=score)


def cvss_of(vector: str) -> tuple[float, str]:
    """Base score and severity of a CVSS 3.0, 3.1 or 4.0 vector. Raises VerbError with what is wrong with it."""
    from cvss import CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    reader = CVSS4 if vector.upper().startswith("CVSS:4") else CVSS3
    try:
        read = reader(vector.upper())
    except CVSSError as error:
        raise MisreadError(
            f"the CVSS vector can't be read ({str(error)[:120]}): write CVSS:3.1/AV:N/… or CVSS:4.0/AV:N/…"
        ) from None
    severity = read.severity if reader is CVSS4 else read.severities()[0]
    score = read.base_score if reader is CVSS4 else read.scores()[0]
    return float(score), str(severity).lower()


def fix_by(ticket: Tended, day: date, case: Case) -> verbs.Done:
    """The expected date for a solution: moves the date of the fix either way, or sets one. The letter that goes with it tells."""
    due_at = verbs.end_of(day, case.desk.policy.calendar)
    if due_at <= case.at:
        raise VerbError(f"{day} is past: name a day to come")
    clock = next((c for c in ticket.clocks if c.promise == deadlines.FIX and is_open(c)), None)
    if clock is None:
        last = max((c.round for c in ticket.clocks if c.promise == deadlines.FIX), default=0)
        new = Clock(deadlines.FIX, deadlines.CLAUSES[deadlines.FIX], None, case.at, due_at, False, round=last + 1)
        return verbs.Done(replace(ticket, clocks=(*ticket.clocks, new)), (started(new),))
    if due_at == clock.due_at:
        return verbs.Done(ticket, ())
    why = "the date that our assessment names"
    moved = (
        transitions.extend(clock, due_at, case.actor, why)
        if due_at > clock.due_at
        else transitions.shorten(clock, due_at, why)
    )
    if moved is None:
        return verbs.Done(ticket, ())
    return verbs.Done(
        replace(ticket, clocks=tuple(moved.clock if c == clock else c for c in ticket.clocks)),
        (replace(moved.event, actor=case.actor),),
    )


def fixed(worked: Worked, words: str, case: Case) -> Step:
    """A fix is available."""
    return _moved(
        worked, State.FIXED, words, case, "fixed: the researcher hears of it with the next update, or by /update"
    )


def close(worked: Worked, words: str, case: Case) -> Step:
    """Closed. Promises that only a letter keeps stay open."""
    return _moved(worked, State.CLOSED, words, case, "closed")


def reopen(worked: Worked, words: str, case: Case) -> Step:
    """Taken up again: repeated promises run from now, the others by their old dates."""
    _no_words(words)
    if worked.merged_into:
        raise VerbError("it was merged into another ticket: work there")
    if worked.tended.state not in (State.CLOSED, State.DECLINED, State.FIXED, State.DISCLOSED):
        raise VerbError(f"{worked.name.ref} is open: it is {worked.tended.state.value}")
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


def _told(worked: Worked, case: Case) -> Worked:
    """The letter that goes with it tells all that happened, so that no other tells of it again."""
    return worked.with_tended(replace(worked.tended, happenings=(), written_at=case.at))


def _no_words(words: str) -> None:
    if words:
        raise MisreadError(f"{words[:40]!r} means nothing here: write text below the command, under /note or /reply")


def _today(case: Case) -> date:
    return case.at.astimezone(case.desk.policy.calendar.tzinfo).date()
