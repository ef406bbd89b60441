"""Letters to researchers with a member's words: rendered from text alone, compared with the inside, and made to wait."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from triaged.policy.calendar import in_letters
from triaged.policy.clauses import clauses
from triaged.ticket.clocks import kept_by, kept_by_letters
from triaged.ticket.deadlines import is_told
from triaged.ticket.gate import Inside, Overlap, overlaps
from triaged.ticket.letters import Audience, Automatic, Letter, ResearcherLetter, render_researcher
from triaged.ticket.reference import reference
from triaged.ticket.relaying import answer_subject
from triaged.ticket.shown import shown_instant
from triaged.ticket.spoken import for_reader, takes_part
from triaged.ticket.verbs import VerbError
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import Case, Person, Worked

ANSWER = "answer"  # the letter that is a member's words and nothing else
MOST_SHOWN = 5  # overlaps that the echo lists
MOST_READ = 1024 * 1024  # bytes of a file that are read as text


def to_people(
    worked: Worked,
    template: str,
    values: Mapping[str, object],
    case: Case,
    enclosed: tuple[Enclosure, ...] = (),
    held: frozenset[str] = frozenset(),
) -> tuple[Letter, ...]:
    """One letter to each who takes part, the reporter first; only the reporter's keeps promises (SM-6: one recipient each).
    `held`: what it holds of all that a promise may ask of a letter (Promise.holds).

    Raises VerbError where there is nobody to write to.
    """
    if not worked.people:
        raise VerbError(f"{worked.name.ref} has no researcher's address: there is nobody to write to")
    people = sorted(worked.people, key=lambda person: person is not worked.reporter)
    meets = kept_by(kept_by_letters(worked.tended.clocks, case.desk.policy), held)
    return tuple(
        _letter(worked, person, template, values, case, enclosed, meets if person is worked.reporter else ())
        for person in people
    )


def _letter(
    worked: Worked,
    person: Person,
    template: str,
    values: Mapping[str, object],
    case: Case,
    enclosed: tuple[Enclosure, ...],
    meets: tuple[str, ...],
) -> Letter:
    reporter = worked.reporter
    letter = ResearcherLetter(
        template=template,
        ticket=worked.name,
        to=person.written,
        subject=answer_subject(worked.tended.subject, worked.name, bool(reporter and reporter.proven)),
        values=values,
        automatic=Automatic.NO,  # AR-12: a person's words
        parents=parents_of(worked, case),
        meets=meets,
        enclosed=enclosed,
    )
    return render_researcher(letter, case.desk, case.at, case.entropy)


def parents_of(worked: Worked, case: Case) -> tuple[str, ...]:
    """The Message-IDs that a letter answers: ours alone where several take part, since others name whose host or domain wrote them.
    The tracker gives no others for such a ticket; a person may have joined by a line of the same mail.
    """
    ids = worked.tended.researcher_ids
    ours = tuple(i for i in ids if i.endswith(f"@{case.desk.domain}>"))
    return ids if len(worked.people) <= 1 else ours


def file_of(media_type: str, name: str, data: bytes) -> Enclosure:
    """A file that goes with a letter."""
    return Enclosure(media_type, name, data)


def on_its_way(letter: Letter, worked: Worked, case: Case, words: str) -> tuple[Letter, tuple[Overlap, ...]]:
    """The letter as it will wait: for the undo time, or held for a member's word (AT-29). `words`: of the command."""
    if letter.audience is not Audience.RESEARCHER:
        return letter, ()
    within = inside(worked, case, letter.token, letter.to)
    written = "\n".join((case.text, *_drafted(worked)))
    within = replace(within, said=(*within.said, our_part(letter, words, written)))
    found = overlaps(letter.subject, "\n".join((letter.text, *_files(letter, case))), within)
    reason = "; ".join(f"{one.what}: {one.shown}" for one in found[:MOST_SHOWN])
    author = case.by
    return replace(letter, not_before=case.at + case.desk.undo, hold_reason=reason, author=author), found


def _drafted(worked: Worked) -> tuple[str, ...]:
    """An advisory is a member's words as well, though a letter's template holds them."""
    return (worked.draft.title, worked.draft.text) if worked.draft else ()


def our_part(letter: Letter, words: str, written: str) -> str:
    """What of the letter a template says, to everybody: another researcher who quotes it makes no secret of it. "" where the
    member's words, after the command (its end: a reason) and below it, can't be taken out whole.
    """
    text = letter.text if letter.template != ANSWER else ""
    ends = (words.split(" ", n)[-1] for n in range(words.count(" ") + 1))
    for line in (*ends, *written.split("\n")):
        text = text.replace(line.strip(), "\n") if line.strip() else text
    return "" if _runs(text) & _runs(f"{words}\n{written}") else text


def _runs(text: str) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return set(zip(found, found[1:], found[2:], strict=False))


def _files(letter: Letter, case: Case) -> Iterator[str]:
    """Names of the files that go with it, and what can be read of them as text: a mail of ours as a file, a log, a patch."""
    if letter.template == "answer" and b"Content-Disposition: attachment" in letter.data:
        for file in case.files:
            yield file.name
            yield (
                file.content[:MOST_READ].decode("utf-8", "replace") if isinstance(file.content, bytes) else file.content
            )


def internal_words(words: str, worked: Worked, case: Case) -> tuple[Overlap, ...]:
    """What of the inside stands in words that no letter can be held for: they are kept, and read again and again."""
    reader = worked.reporter.address if worked.reporter else ""
    return overlaps(words, "", inside(worked, case, worked.name.token, reader))


def inside(worked: Worked, case: Case, token: str, to: str) -> Inside:
    """What must not reach the reader with the address `to`, on the ticket of that token. What the policy says all may
    read, and our own letters give the dates of their report, which stand in the mail that tells the team of it as well.
    """
    desk = case.desk
    members = tuple((m.name, m.address) for m in desk.members.values())
    team = tuple(("", address) for address in (*desk.notify, *desk.escalate))
    policy = desk.policy
    stated = (policy.text or "", policy.organisation, desk.address)
    public = (*stated, *(clause.text for clause in clauses(policy)), *(reply.text for reply in policy.replies))
    promised = tuple(clock.clause for clock in worked.tended.clocks)
    dates = tuple(in_letters(c.due_at, policy.calendar) for c in worked.tended.clocks if is_told(c))
    theirs = tuple(f"{p.name} {p.written}" for p in worked.people)
    files = tuple(file.name for file in worked.files)
    own = tuple(text for one in worked.elsewhere if takes_part(to.lower(), one) for text in one.heard)
    others = {other.name.ref for other in worked.others.values()} | {one.reference for one in worked.elsewhere}
    return Inside(
        notes=worked.notes,
        said=(
            *worked.said,
            *public,
            *promised,
            *dates,
            shown_instant(worked.received_at, desk),
            *theirs,
            *files,
            *own,
            worked.tended.subject,
        ),
        references=tuple(sorted(others)),
        own=reference(policy.prefix, token),
        people=(*members, *team),
        words=desk.internal,
        prefix=policy.prefix,
        elsewhere=tuple(for_reader(to.lower(), one) for one in worked.elsewhere),
    )
