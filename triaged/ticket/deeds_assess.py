"""The assessment: what a report is, how grave, and by when it is mended; and the letter that says so. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from triaged.policy.calendar import in_letters
from triaged.policy.terms import Level
from triaged.ticket import deadlines, transitions, verbs
from triaged.ticket.clocks import ASSESSMENT, DATE, Clock, is_open
from triaged.ticket.cwe import cwe_id, cwe_title
from triaged.ticket.describing import affected_words, described_lines, read_product
from triaged.ticket.draft import Person as Named
from triaged.ticket.draft import named_in
from triaged.ticket.events import JSON, Event, EventKind, State
from triaged.ticket.owing import left_owed
from triaged.ticket.rounds import started
from triaged.ticket.spelling import ACCEPTED, DECLINED, REASONS, SEVERITIES, day_of
from triaged.ticket.tended import Tended
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Step, Worked
from triaged.ticket.writing import internal_words, to_people

MOST_VECTOR = 300  # characters: every metric of CVSS 4.0 takes fewer
_SHOWN_VECTOR = 60
_URGENCY = re.compile(r"U:(?:CLEAR|GREEN|AMBER|RED)\b")

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
_MENDED = frozenset({State.FIXED, State.DISCLOSED})


@dataclass(frozen=True, slots=True)
class Assessment:
    """What `/assess` says."""

    accepted: bool
    reason: str = ""
    severity: str = ""
    own_word: str = ""  # of the policy's scale, as the policy writes it
    cvss: str = ""
    score: float | None = None
    cwe: str = ""
    fix_by: date | None = None


def assess(worked: Worked, words: str, case: Case) -> Step:
    """Accept or decline the report, with severity and date, and tell the researcher."""
    found = read_assessment(words, this_day(case), case.desk.policy.assessment.scale)
    _may_have_a_date(found, worked.tended)
    tended, events = worked.tended, list[Event]()
    before = _fix(tended)
    if found.fix_by is not None:
        done = fix_by(tended, found.fix_by, case)
        tended, events = done.ticket, [*done.events]
    state = State.ACCEPTED if found.accepted else State.DECLINED
    if tended.state is not state and not (found.accepted and tended.state in _BEYOND):
        done = verbs.move(tended, state, case.actor, case.at)
        tended, events = done.ticket, [*events, *done.events]
    after = _with(worked.with_tended(tended), found)
    events += [Event(EventKind.ASSESSED, case.actor, _said(found)), *_described(worked, after, case)]
    held = _held(found, after.tended)
    letters = to_people(after, "assessed", _letter(after, found, before, case), case, held=held)
    lines = (_in_words(found), *_warnings(worked, after, found, before, held, case))
    return Step(_told(after, case), lines, tuple(events), letters)


def _with(worked: Worked, found: Assessment) -> Worked:
    """What is not said again stays, but for a vector that says another severity than the one said now."""
    contradicts = bool(found.severity) and found.severity != worked.severity
    return replace(
        worked,
        severity=found.severity or worked.severity,
        cvss=found.cvss or ("" if contradicts else worked.cvss),
        cwe=found.cwe or worked.cwe,
        decision=found.reason,
    )


def _said(found: Assessment) -> dict[str, JSON]:
    said: dict[str, JSON] = {
        "severity": found.severity,
        "cvss": found.cvss,
        "reason": found.reason,
        "accepted": found.accepted,
    }
    return said | ({"scale": found.own_word} if found.own_word else {})


def _described(before: Worked, after: Worked, case: Case) -> tuple[Event, ...]:
    """The event of what describes the problem, where something of it is new."""
    names = ("cwe", "product", "affected", "fixed_in")
    new: dict[str, JSON] = {
        name: getattr(after, name) for name in names if getattr(before, name) != getattr(after, name)
    }
    return (Event(EventKind.DESCRIBED, case.actor, new),) if new else ()


def _held(found: Assessment, ticket: Tended) -> frozenset[str]:
    """What the letter holds of all that a promise may ask. A date is what a member named for this report: the days of the
    disclosure terms stand in every acknowledgement, and are no one's expectation. Nobody expects one of what was declined,
    or is mended already.
    """
    dated = found.fix_by is not None or not found.accepted or _is_mended(ticket)
    return frozenset({ASSESSMENT, DATE}) if dated else frozenset({ASSESSMENT})


def _is_mended(ticket: Tended) -> bool:
    return ticket.state in _MENDED and _fix(ticket) is None


def _may_have_a_date(found: Assessment, ticket: Tended) -> None:
    if found.fix_by is None:
        return
    if not found.accepted:
        raise VerbError("a declined report has no date for a solution: leave fix-by out")
    if _is_mended(ticket):
        raise VerbError(f"it is {ticket.state.value}: there is no solution to come, leave fix-by out")


def _fix(ticket: Tended) -> Clock | None:
    return next((c for c in ticket.clocks if c.promise == deadlines.FIX and is_open(c)), None)


def _letter(worked: Worked, found: Assessment, before: Clock | None, case: Case) -> dict[str, object]:
    """What stands of the report now; of a declined one what was said of it now."""
    shown = worked if found.accepted else replace(worked, severity=found.severity, cvss=found.cvss, cwe=found.cwe)
    severity = f"{found.own_word} ({shown.severity})" if found.own_word else shown.severity
    return {
        "ref": worked.name.ref,
        "accepted": found.accepted,
        "why": "" if found.accepted else DECLINED_WORDS[found.reason],
        "severity": severity,
        "cvss": shown.cvss,
        "score": cvss_of(shown.cvss)[0] if shown.cvss else None,
        "cwe": f"{shown.cwe}, {cwe_title(shown.cwe)}" if shown.cwe else "",
        "described": described_lines(worked) if found.accepted else (),
        **_dates(worked.tended, found, before, case),
        "text": case.text,
        "organisation": case.desk.policy.organisation,
        "contact": case.desk.address,
    }


def _dates(ticket: Tended, found: Assessment, before: Clock | None, case: Case) -> dict[str, object]:
    """The date for a solution, and the one before it where it moves. What has passed is no date to expect."""
    fix, calendar = _fix(ticket), case.desk.policy.calendar
    coming = fix if found.accepted and fix is not None and fix.due_at > case.at else None
    moved = coming is not None and before is not None and before.due_at != coming.due_at
    return {
        "by": in_letters(coming.due_at, calendar) if coming else "",
        "named": found.fix_by is not None,
        "was": in_letters(before.due_at, calendar) if moved and before else "",
        "later": bool(moved and before and coming and coming.due_at > before.due_at),
    }


def _in_words(found: Assessment) -> str:
    said = [
        "assessed: accepted" if found.accepted else f"assessed: declined{f', {found.reason}' if found.reason else ''}"
    ]
    said += [f"severity {found.severity}{f' ({found.own_word})' if found.own_word else ''}"] if found.severity else []
    said += [f"{found.cvss} ({found.score})"] if found.cvss else []
    said += [f"{found.cwe} ({cwe_title(found.cwe)})"] if found.cwe else []
    said += [f"fix by {found.fix_by}"] if found.fix_by else []
    return "; ".join(said)


def _warnings(
    before: Worked, after: Worked, found: Assessment, fix: Clock | None, held: frozenset[str], case: Case
) -> tuple[str, ...]:
    lines = left_owed(after.tended, case.desk.policy, held)
    if before.cvss and not after.cvss:
        lines += (f"the vector {before.cvss} says {before.severity}, and stands no more",)
    now = _fix(after.tended)
    if fix and now and now.due_at > fix.due_at and not case.text:
        lines += ("the date is later than the one before, and the letter gives no reason: a text below says why",)
    return lines


def read_assessment(words: str, today: date, scale: tuple[Level, ...] = ()) -> Assessment:
    """The words after /assess, in any order after the decision. Raises VerbError for what can't be read."""
    parts = words.split()
    if not parts or parts[0].lower() not in ACCEPTED | DECLINED:
        raise MisreadError("say accepted or declined first: /assess accepted high fix-by 2026-12-24")
    levels = {level.name.lower(): level for level in scale}
    found, rest = Assessment(parts[0].lower() in ACCEPTED), parts[1:]
    while rest:
        found, rest = _read_part(found, rest, today, levels)
    if found.accepted and found.reason:
        raise VerbError(f"{found.reason} is why a report is declined, and you wrote accepted: write one of the two")
    return found


def _read_part(
    found: Assessment, rest: list[str], today: date, levels: Mapping[str, Level]
) -> tuple[Assessment, list[str]]:
    word = rest[0].lower().strip(",;")
    if word in ("fix-by", "fix") and len(rest) > 1:
        return _dated(found, " ".join(rest[2:] if word == "fix" and rest[1].lower() == "by" else rest[1:]), today)
    if word in ("cvss", "cwe") and len(rest) > 1:
        return (_scored if word == "cvss" else _weak)(found, rest[1].strip(",;")), rest[2:]
    if word.startswith("cvss:"):
        return _scored(found, rest[0].strip(",;")), rest[1:]
    if word.startswith("cwe-"):
        return _weak(found, word), rest[1:]
    if word in levels:
        return replace(_severe(found, levels[word].severity), own_word=levels[word].name), rest[1:]
    if word in SEVERITIES:
        return _severe(found, SEVERITIES[word]), rest[1:]
    if word in REASONS:
        return replace(found, reason=_once(found.reason, REASONS[word])), rest[1:]
    raise MisreadError(
        f"{rest[0][:40]!r} can't be read: after the decision come a severity ({_severities(levels)}), "
        f"a reason ({', '.join(dict.fromkeys(REASONS.values()))}), cvss VECTOR, cwe CWE-79, fix-by DAY"
    )


def _severities(levels: Mapping[str, Level]) -> str:
    return ", ".join(dict.fromkeys((*(level.name for level in levels.values()), *SEVERITIES.values())))


def _dated(found: Assessment, after: str, today: date) -> tuple[Assessment, list[str]]:
    read = day_of(after, today)
    if read is None:
        raise MisreadError(f"{after[:40]!r} begins with no day: write 2026-12-24")
    if found.fix_by not in (None, read[0]):
        raise VerbError(f"it can't be fixed by {found.fix_by} and by {read[0]} at once: write one")
    return replace(found, fix_by=read[0]), read[1].split()


def _once(before: str, value: str) -> str:
    """What is said twice must be the same."""
    if before and before != value:
        raise VerbError(f"it can't be {before} and {value} at once: write one")
    return value


def _severe(found: Assessment, severity: str) -> Assessment:
    if found.severity and found.severity != severity:
        raise VerbError(f"it can't be {found.severity} and {severity} at once: write one, or mend the vector")
    return replace(found, severity=severity)


def _scored(found: Assessment, vector: str) -> Assessment:
    score, severity = cvss_of(vector)
    return replace(_severe(found, severity), cvss=_once(found.cvss, _canonical(vector)), score=score)


def _weak(found: Assessment, written: str) -> Assessment:
    cwe = cwe_id(written)
    if not cwe:
        raise MisreadError(f"{written[:40]!r} is no weakness of the CWE list, or one that was taken out: write CWE-79")
    return replace(found, cwe=_once(found.cwe, cwe))


def _canonical(vector: str) -> str:
    """In the case that FIRST writes: upper, but for the colours of CVSS 4.0's provider urgency ("U:Red")."""
    return _URGENCY.sub(lambda found: found[0][:3] + found[0][3:].lower(), vector.upper())


def cvss_of(vector: str) -> tuple[float, str]:
    """Base score and severity of a CVSS 3.0, 3.1 or 4.0 vector. Raises VerbError with what is wrong with it."""
    from cvss import CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    if len(vector) > MOST_VECTOR or not vector.isascii():
        raise MisreadError(
            f"{vector[:_SHOWN_VECTOR]!r} is no CVSS vector: one has {MOST_VECTOR} ASCII characters at most"
        )
    reader = CVSS4 if vector.upper().startswith("CVSS:4") else CVSS3
    try:
        read = reader(_canonical(vector))
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
    clock = _fix(ticket)
    if clock is None:
        return _begun(ticket, due_at, case.at)
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


def _begun(ticket: Tended, due_at: datetime, at: datetime) -> verbs.Done:
    last = max((c.round for c in ticket.clocks if c.promise == deadlines.FIX), default=0)
    clause = deadlines.CLAUSES[deadlines.FIX]
    new = Clock(deadlines.FIX, clause, None, at, due_at, False, round=last + 1)
    return verbs.Done(replace(ticket, clocks=(*ticket.clocks, new)), (started(new),))


def affects(worked: Worked, words: str, case: Case) -> Step:
    """What is affected. The researcher reads it in the letter with the assessment."""
    product, versions = read_product(words)
    _is_for_all(words, worked, case)
    after = replace(worked, product=product, affected=versions)
    return Step(after, (f"affected: {affected_words(product, versions)}",), _described(worked, after, case))


def fixed_in(worked: Worked, version: str, case: Case) -> Step:
    """The version that holds the fix."""
    _is_for_all(version, worked, case)
    after = replace(worked, fixed_in=version)
    return Step(after, (f"fixed in {version}",), _described(worked, after, case))


def _is_for_all(words: str, worked: Worked, case: Case) -> None:
    """Raises VerbError for what is internal: no letter is held for it later, since every letter with an assessment says it."""
    person = named_in(words, (Named(p.name, p.address) for p in worked.people))
    if person:
        raise VerbError(f"it names the researcher ({person}), and is published with the advisory: choose other words")
    found = internal_words(words, worked, case)
    if found:
        raise VerbError(
            f"{found[0].shown!r} is internal ({found[0].what}), and the researcher reads it: choose other words"
        )


def _told(worked: Worked, case: Case) -> Worked:
    """The letter that goes with it tells all that happened, so that no other tells of it again."""
    return worked.with_tended(replace(worked.tended, happenings=(), written_at=case.at))


def this_day(case: Case) -> date:
    return case.at.astimezone(case.desk.policy.calendar.tzinfo).date()
