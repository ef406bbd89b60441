"""Declining a report as known before: from an earlier ticket, or from the team's own list. Tells nobody anything of either."""

from __future__ import annotations

from dataclasses import replace

from triaged.ticket.deeds_assess import assess
from triaged.ticket.deeds_report import other_of
from triaged.ticket.events import Event, EventKind
from triaged.ticket.reward import Decided, standing
from triaged.ticket.shown import shown_instant
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, KnownBefore, Other, Step, Worked
from triaged.ticket.writing import to_people

KNOWN = "known:"  # before the name of an issue on the team's list


def duplicate_of(worked: Worked, words: str, case: Case) -> Step:
    """Declined as known before. The researcher hears that it was known, and nothing of the other ticket or of the issue."""
    if words.lower().startswith(KNOWN):
        return _known_before(worked, words[len(KNOWN) :].strip(), case)
    other = other_of(worked, words)
    _came_first(worked, other, case)
    step = _declined(worked, None, case)
    linked = Event(EventKind.MERGED, case.actor, {"duplicate_of": other.name.ref})
    named = Event(EventKind.MERGED, case.actor, {"has_duplicate": worked.name.ref})
    lines = (f"declined as a duplicate of {other.name.ref}; the letter does not name that ticket",)
    return replace(step, lines=lines, events=(*step.events, linked), elsewhere=((other.name.token, named),))


def _came_first(worked: Worked, other: Other, case: Case) -> None:
    """The first reporter is whose report was received first: who came later is the duplicate, never the other way round."""
    if worked.received_at < other.received_at:
        mine, theirs = shown_instant(worked.received_at, case.desk), shown_instant(other.received_at, case.desk)
        raise VerbError(
            f"{worked.name.ref} was received first, {mine}, and {other.name.ref} after it, {theirs}:"
            f" write /duplicate-of {worked.name.ref} there"
        )


def _known_before(worked: Worked, name: str, case: Case) -> Step:
    if not name or " " in name:
        raise MisreadError("name one issue of your list, as in /duplicate-of known:SEC-17")
    issue = worked.known.get(name.lower())
    if issue is None:
        raise VerbError(f"there is no known issue {name[:40]!r}: `triaged known list` shows them all")
    if issue.known_at >= worked.received_at:
        since, came = shown_instant(issue.known_at, case.desk), shown_instant(worked.received_at, case.desk)
        raise VerbError(
            f"{issue.name} stands on the list since {since}, and the report was received before that, {came}:"
            " it was not known when it came"
        )
    step = _declined(worked, issue, case)
    linked = Event(EventKind.MERGED, case.actor, {"known": issue.name, "seal": _seal(worked, issue)})
    sealed = "; the letter gives its seal" if _seal(worked, issue) else ""
    lines = (f"declined as known to us before, {issue.name}; the letter does not name that issue{sealed}",)
    return replace(step, lines=lines, events=(*step.events, linked))


def _seal(worked: Worked, issue: KnownBefore) -> str:
    """Only one that was made before the report came proves anything."""
    before = issue.sealed_at is not None and issue.sealed_at < worked.received_at
    return issue.seal if before else ""


def _declined(worked: Worked, issue: KnownBefore | None, case: Case) -> Step:
    """As `/assess declined duplicate`, with a letter of its own that keeps the same promises."""
    step = assess(worked, "declined duplicate", case)
    letters = to_people(step.worked, "duplicate", _values(worked, issue, case), case)
    return replace(
        step,
        letters=tuple(replace(new, meets=old.meets) for new, old in zip(letters, step.letters, strict=True)),
    )


def _clause(worked: Worked, case: Case) -> str:
    """By which there is no reward; "" where none is offered, or one was approved before."""
    terms, last = case.desk.policy.reward, standing(worked.rewards)
    none = terms.offered and (last is None or last.state is Decided.DECLINED)
    return terms.clauses[0] if none and terms.clauses else ""


def _values(worked: Worked, issue: KnownBefore | None, case: Case) -> dict[str, object]:
    policy = case.desk.policy
    seal = _seal(worked, issue) if issue else ""
    return {
        "ref": worked.name.ref,
        "ours": issue is not None,
        "seal": seal,
        "sealed": shown_instant(issue.sealed_at, case.desk) if issue and issue.sealed_at and seal else "",
        "clause": _clause(worked, case),
        "text": case.text,
        "organisation": policy.organisation,
        "contact": case.desk.address,
    }
