"""Commands about promises, people and what waits for a second member, and those that only look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from triaged.policy.address import canonical
from triaged.policy.calendar import in_letters
from triaged.ticket import verbs
from triaged.ticket.address import bare
from triaged.ticket.clocks import is_open, standing
from triaged.ticket.commands import help_text
from triaged.ticket.cwe import cwe_title
from triaged.ticket.deadlines import DISCLOSE
from triaged.ticket.deeds_assess import this_day
from triaged.ticket.deeds_report import _from, _no_words
from triaged.ticket.describing import described_lines
from triaged.ticket.events import Event, EventKind
from triaged.ticket.reward import money
from triaged.ticket.reward import standing as standing_reward
from triaged.ticket.shown import one_line, shown_instant
from triaged.ticket.spelling import day_of
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import OPERATOR, PARTICIPANT, REPORTER, Case, Person, Step, Worked

MOST_PARTICIPANTS = 20


def disclose(worked: Worked, words: str, case: Case) -> Step:
    """The day of publication that was agreed with the researcher."""
    day, rest = _day(words, case)
    _no_words(rest)
    end = verbs.end_of(day, case.desk.policy.calendar)
    if any(c.promise == DISCLOSE and is_open(c) and c.due_at == end for c in worked.tended.clocks):
        return Step(replace(worked, agreed_for=end), (f"the day of publication is {day}, as it stood",))
    done = verbs.agree(worked.tended, day, case.actor, case.desk, case.at, case.entropy)
    return _from(replace(worked, agreed_for=end), done, f"the day of publication is {day}")


def extend(worked: Worked, words: str, case: Case) -> Step:
    """A later day for a promise; the researcher is told the reason."""
    promise, rest = _promise_first(worked, words)
    day, why = _day(rest, case)
    if not why:
        raise MisreadError("say why: the researcher is told, as in /extend 2026-12-24 the vendor needs two more weeks")
    done = verbs.extend(worked.tended, promise, day, why, case.actor, case.desk, case.at, case.entropy)
    return _from(worked, done, f"{promise or 'the date'} is later now: {day}; the researcher is told why")


def _promise_first(worked: Worked, words: str) -> tuple[str, str]:
    first, _, rest = words.partition(" ")
    names = {c.promise for c in worked.tended.clocks}
    return (first.lower(), rest) if first.lower() in names and rest else ("", words)


def _day(words: str, case: Case) -> tuple[date, str]:
    read = day_of(words, this_day(case))
    if read is None:
        raise MisreadError(f"{words[:40]!r} begins with no day: write 2026-12-24, 24 December, tomorrow, or in 2 weeks")
    return read


def exploited(worked: Worked, words: str, case: Case) -> Step:
    """It is used in attacks, known from now."""
    _no_words(words)
    done = verbs.exploited(worked.tended, case.actor, case.desk, case.at)
    return _from(
        worked, done, "recorded: it is used in attacks, known from now; dates are sooner where the policy says so"
    )


def wait(worked: Worked, words: str, case: Case) -> Step:
    """We wait on the researcher."""
    _no_words(words)
    return _from(worked, verbs.waits(worked.tended, case.actor, case.at), "we wait on the researcher")


def resume(worked: Worked, words: str, case: Case) -> Step:
    """We wait no more."""
    _no_words(words)
    return _from(worked, verbs.resumed(worked.tended, case.actor, case.desk, case.at), "we wait no more")


def keep(worked: Worked, words: str, case: Case) -> Step:
    """A promise was kept in a way that triaged can't see."""
    promise = _one_promise(worked, words)
    return _from(worked, verbs.met(worked.tended, promise, case.actor, case.at), f"kept: {promise}")


def waive(worked: Worked, words: str, case: Case) -> Step:
    """A promise need not be kept, for a reason."""
    name, _, why = words.partition(" ")
    promise = _one_promise(worked, name)
    if not why:
        raise MisreadError(f"say why: /waive {promise} the researcher asked us not to")
    return _from(worked, verbs.waive(worked.tended, promise, why, case.actor, case.at), f"waived: {promise}")


def _one_promise(worked: Worked, words: str) -> str:
    running = sorted({c.promise for c in worked.tended.clocks if is_open(c)})
    if words.lower() not in running:
        raise VerbError(
            f"{words[:40]!r} is no open promise of {worked.name.ref}: it has {', '.join(running) or 'none'}"
        )
    return words.lower()


def assign(worked: Worked, words: str, case: Case) -> Step:
    """Whose ticket it is."""
    address = _colleague(words, case)
    if address == worked.assigned:
        raise VerbError(f"it is {_whose(address, case)} already")
    lines = [f"assigned to {case.desk.named(address)}" if address else "assigned to nobody"]
    if address in worked.away:
        lines.append(f"{case.desk.named(address)} is away, says their mail server: others hear of it as well")
    event = Event(EventKind.ASSIGNED, case.actor, {"to": address, "from": worked.assigned})
    return Step(replace(worked, assigned=address), tuple(lines), (event,))


def _whose(address: str, case: Case) -> str:
    return f"{case.desk.named(address)}'s" if address else "nobody's"


def _colleague(words: str, case: Case) -> str:
    wanted = " ".join(words.lower().split())
    if wanted in ("nobody", "none"):
        return ""
    if wanted == "me" and case.by != OPERATOR:
        return case.by
    members = case.desk.members
    found = [a for a, m in members.items() if wanted in (a, m.name.lower())]
    found = found or [
        a for a, m in members.items() if wanted and wanted in (*m.name.lower().split(), a.partition("@")[0])
    ]
    if len(found) != 1:
        names = ", ".join(m.name for m in members.values())
        raise MisreadError(
            f"{words[:40]!r} is {'no' if not found else 'more than one'} member: write me, nobody, or one of {names}"
        )
    return found[0]


def add(worked: Worked, words: str, case: Case) -> Step:
    """A person takes part as the researcher does from now on, and gets nothing of what was written before (AT-3)."""
    address = words.strip("<>").strip()
    if canonical(address) is None:
        raise MisreadError(f"{words[:60]!r} is no address: /add friend@example.org")
    if bare(address) in case.desk.own:
        raise VerbError(f"{address} is one of ours: /assign gives a member the ticket, and members read it anyhow")
    if any(person.address == address.lower() for person in worked.people):
        raise VerbError(f"{address} takes part already")
    if len(worked.people) >= MOST_PARTICIPANTS:
        raise VerbError(f"{MOST_PARTICIPANTS} people take part already: /remove one first")
    role = PARTICIPANT if worked.reporter else REPORTER
    person = Person(address.lower(), address, "", role, False)
    line = f"{address} takes part from now on: what you write to the researcher goes to them as well"
    event = Event(EventKind.JOINED, case.actor, {"address": address.lower(), "role": role})
    return Step(replace(worked, people=(*worked.people, person)), (line,), (event,))


def remove(worked: Worked, words: str, case: Case) -> Step:
    """A participant takes part no more. The reporter stays: the report is theirs."""
    wanted = words.strip("<>").strip().lower()
    person = next((p for p in worked.people if p.address == wanted), None)
    if person is None:
        raise VerbError(f"{words[:60]!r} takes no part: {', '.join(p.address for p in worked.people) or 'nobody does'}")
    if person.role == REPORTER:
        raise VerbError(f"{person.address} reported it, and stays")
    event = Event(EventKind.LEFT, case.actor, {"address": person.address})
    after = tuple(p for p in worked.people if p != person)
    theirs = tuple(letter for letter in worked.waiting if letter.to.lower() == person.address)
    lines = (f"{person.address} takes part no more", *(f"dropped: the letter to {x.to}, {x.subject!r}" for x in theirs))
    dropped = tuple(Event(EventKind.CANCELLED, case.actor, {"letter": letter.message_id}) for letter in theirs)
    waiting = tuple(replace(x, state="dropped") if x in theirs else x for x in worked.waiting)
    return Step(replace(worked, people=after, waiting=waiting), lines, (event, *dropped))


def show(worked: Worked, words: str, case: Case) -> Step:
    """How the ticket stands."""
    _no_words(words)
    tended = worked.tended
    lines = [
        f"{worked.kind}, {tended.state.value}{', waits on the researcher' if tended.waiting else ''}: {one_line(tended.subject)}",
        f"received {shown_instant(worked.received_at, case.desk)}; {_owner(worked, case)}",
    ]
    if worked.severity:
        lines.append(f"severity {worked.severity} {worked.cvss}".rstrip())
    lines += [f"{worked.cwe}: {cwe_title(worked.cwe)}"] if worked.cwe else []
    lines += [" ".join(line.split()) for line in described_lines(worked)]
    lines += _reward(worked)
    lines += [f"{p.role}: {p.address}{'' if p.proven else ' (not proven)'}" for p in worked.people]
    running = sorted((c for c in tended.clocks if is_open(c)), key=lambda c: c.due_at)
    lines += [
        f"promised: {c.promise} {in_letters(c.due_at, case.desk.policy.calendar)}, {standing(c).value}" for c in running
    ]
    lines += [f"file {f.number}: {one_line(f.name)}, {f.detected_type}, {f.size:,} bytes" for f in worked.files]
    lines += [f"letter to {x.to} {x.state}{f': {x.reason}' if x.reason else ''}" for x in worked.waiting]
    lines += [f"proposed by {case.desk.named(p.by)}: /{p.verb} {p.words}".rstrip() for p in worked.proposals]
    return Step(worked, tuple(lines))


def _reward(worked: Worked) -> list[str]:
    last = standing_reward(worked.rewards)
    if last is None:
        return []
    said = f" {money(last.amount, last.currency)}" if last.amount else ""
    return [f"reward: {last.state.value}{said}, {last.reference or last.why}"]


def _owner(worked: Worked, case: Case) -> str:
    return f"assigned to {case.desk.named(worked.assigned)}" if worked.assigned else "assigned to nobody"


def help_(worked: Worked, words: str, case: Case) -> Step:
    """The list of commands."""
    return Step(worked, ("the commands:",), body=help_text())
