"""Commands about what is published of a report: each a pure function of ticket and words. Publishes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from triaged.message.clean import clean_header
from triaged.policy.calendar import in_letters
from triaged.ticket.clocks import is_open
from triaged.ticket.cwe import cwe_title
from triaged.ticket.deadlines import DISCLOSE
from triaged.ticket.describing import described_lines
from triaged.ticket.draft import CVE, MAY_BE_PUBLISHED, TEXT_CHARACTERS, TITLE_CHARACTERS, Draft, Person, named_in
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.gate import overlaps
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Step, Worked
from triaged.ticket.writing import inside, to_people

DRAFT = "draft"  # the letter that asks its researcher to comment
_NAMED = frozenset({"address", "member", "internal", "host", "keyed-address", "reference"})  # never to be published


def advisory(worked: Worked, words: str, case: Case) -> Step:
    """Its title and text, new or instead of those that stood there."""
    if worked.draft is not None and worked.draft.published_at is not None:
        raise VerbError("it is published already: /revise TITLE changes it, with a second member's word")
    draft = _written(worked, words, case)
    line = (
        f"the draft {draft.title!r} is kept; /draft sends it to the researcher, who is never named in it but by consent"
    )
    event = Event(EventKind.DRAFTED, case.actor, {"characters": len(draft.text)})
    return Step(replace(worked, draft=draft), (line,), (event,), advises=True)


def revise(worked: Worked, words: str, case: Case) -> Step:
    """Other words for what is published: a new version, from the next `triaged publish` on."""
    before = worked.draft
    if before is None or before.published_at is None:
        raise VerbError("nothing of it is published yet: /advisory TITLE changes the draft")
    written = _written(worked, words, case)
    kept = replace(written, cve=before.cve, published_at=before.published_at, revisions=before.revisions)
    after = kept.revised(case.at)
    event = Event(EventKind.REVISED, case.actor, {"version": after.version})
    line = f"version {after.version} of the advisory stands there from the next `triaged publish` on"
    return Step(replace(worked, draft=after), (line,), (event,), advises=True)


def _written(worked: Worked, words: str, case: Case) -> Draft:
    title = clean_header(words).strip()
    if not title:
        raise MisreadError("name the problem in one line: /advisory Cross-site scripting in the login page")
    if len(title) > TITLE_CHARACTERS or len(case.text) > TEXT_CHARACTERS:
        raise VerbError(
            f"it is too long: at most {TITLE_CHARACTERS} characters of title and {TEXT_CHARACTERS:,} of text"
        )
    if worked.tended.state in (State.DECLINED,):
        raise VerbError(f"{worked.name.ref} is declined: there is nothing to publish of it")
    _nobody_named(f"{title}\n{case.text}", worked, case)
    cve = worked.draft.cve if worked.draft else ""
    return Draft(title, case.text.strip(), case.at, cve)


def _nobody_named(words: str, worked: Worked, case: Case) -> None:
    """Raises VerbError where the words name the researcher, a member, another ticket or an internal machine."""
    person = named_in(words, (Person(p.name, p.address) for p in worked.people))
    if person:
        raise VerbError(
            f"it names the researcher ({person}): thanks are added by themselves, where they agreed to be named"
        )
    found = [one for one in overlaps(words, "", inside(worked, case, worked.name.token, "")) if one.what in _NAMED]
    if found:
        raise VerbError(f"it holds what is not for the public ({found[0].what}: {found[0].shown}): take it out")


def cve(worked: Worked, words: str, case: Case) -> Step:
    """The CVE number that was assigned."""
    given = words.strip().upper()
    if not CVE.fullmatch(given):
        raise MisreadError(f"{words[:40]!r} is no CVE number: write it like CVE-2026-12345")
    if worked.draft is None:
        raise VerbError("there is no draft yet: /advisory TITLE first")
    after = replace(worked.draft, cve=given)
    if after.published_at is not None:
        after = after.revised(case.at)
    return Step(replace(worked, draft=after), (f"the advisory has {given}",), (_cve_event(given, case),))


def _cve_event(given: str, case: Case) -> Event:
    return Event(EventKind.DRAFTED, case.actor, {"cve": given})


def draft(worked: Worked, words: str, case: Case) -> Step:
    """The draft as it stands goes to the researcher, who is asked to comment before it is published."""
    if words:
        raise MisreadError(f"{words[:40]!r} means nothing here: write text below the command")
    if worked.draft is None:
        raise VerbError("there is no draft yet: /advisory TITLE first, with the text below it")
    if worked.tended.state not in MAY_BE_PUBLISHED:
        raise VerbError(f"{worked.name.ref} is {worked.tended.state.value}: /assess accepted comes first")
    letters = to_people(worked, DRAFT, _values(worked, worked.draft, case), case)
    event = Event(EventKind.DRAFT_SENT, case.actor, {"to": len(letters)})
    line = "the draft goes to the researcher for comment; what they answer comes to you as any mail of theirs"
    return Step(worked, (line,), (event,), letters)


def _values(worked: Worked, written: Draft, case: Case) -> dict[str, object]:
    due = next((c.due_at for c in worked.tended.clocks if c.promise == DISCLOSE and is_open(c)), None)
    return {
        "ref": worked.name.ref,
        "text": case.text,
        "title": written.title,
        "draft": written.text,
        "severity": worked.severity,
        "cvss": worked.cvss,
        "cve": written.cve,
        "cwe": f"{worked.cwe}, {cwe_title(worked.cwe)}" if worked.cwe else "",
        "described": described_lines(worked),
        "day": _day(worked, due, case),
        "agreed": worked.agreed_for is not None and due == worked.agreed_for,
        "clause": next(iter(case.desk.policy.publication.clauses), ""),
        "organisation": case.desk.policy.organisation,
        "contact": case.desk.address,
    }


def _day(worked: Worked, due: datetime | None, case: Case) -> str:
    return in_letters(due, case.desk.policy.calendar) if due else ""
