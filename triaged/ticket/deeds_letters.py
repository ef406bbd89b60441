"""Commands that write to somebody or stop a letter on its way. Each is a pure function of the ticket and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from triaged.ticket import verbs
from triaged.ticket.archive import password, sealed_archive
from triaged.ticket.card import Card, Reported, acknowledgement
from triaged.ticket.clocks import ACKNOWLEDGE
from triaged.ticket.events import Event, EventKind
from triaged.ticket.owing import left_owed
from triaged.ticket.relaying import speaks_as_we_do
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import OPERATOR, Case, File, Step, WaitingLetter, Worked
from triaged.ticket.writing import file_of, to_people

MOST_BYTES = 20 * 1024 * 1024  # of files that one letter carries
ARCHIVE = "evidence-{ref}.zip"
OPENING = "the password comes with /password; open the files on a machine that may be lost"


def reply(worked: Worked, words: str, case: Case) -> Step:
    """An answer to the researcher: the member's new words, and nothing else of their mail."""
    return _answer(worked, words, case, "answered the researcher", ())


def update(worked: Worked, words: str, case: Case) -> Step:
    """How it stands, in a member's words."""
    return _answer(worked, words, case, "told the researcher how it stands", ())


def ask(worked: Worked, words: str, case: Case) -> Step:
    """A question: promises that pause stand still until the researcher writes."""
    step = _answer(worked, words, case, "asked the researcher", ())
    if worked.tended.waiting:
        return step
    done = verbs.waits(step.worked.tended, case.actor, case.at)
    lines = (*step.lines, "we wait on the researcher: promises that pause stand still until they write")
    return replace(step, worked=step.worked.with_tended(done.ticket), events=done.events, lines=lines)


def attach(worked: Worked, words: str, case: Case) -> Step:
    """The files of the member's own mail go to the researcher. What a file says of its maker within itself goes with it."""
    if not case.files:
        raise VerbError("there is no file: attach it to the mail with the command, or name it by --file")
    size = sum(len(file.content) for file in case.files)
    if size > MOST_BYTES:
        raise VerbError(f"the files are too large for one letter: {size:,} of {MOST_BYTES:,} bytes")
    named = ", ".join(file.name for file in case.files[:5])
    text = case.text or "The file that goes with this letter is for you."
    line = f"sent {len(case.files)} file(s) to the researcher: {named}"
    step = _answer(worked, words, replace(case, text=text), line, case.files)
    return replace(step, lines=(*step.lines, "what a document or picture holds of its author is sent as it is"))


def _answer(worked: Worked, words: str, case: Case, line: str, files: tuple[Enclosure, ...]) -> Step:
    _no_words(words)
    if speaks_as_we_do(case.text, worked.name.token):
        raise VerbError(
            "it still holds what the team's mail says, which a researcher must not read: "
            "take the quoted mail out, or have your mail client mark it with >"
        )
    letters = to_people(worked, "answer", {"body": case.text}, case, files)
    tended = replace(worked.tended, happenings=(), written_at=case.at)
    return Step(worked.with_tended(tended), (line, *_still_owed(worked, case)), (), letters)


def _still_owed(worked: Worked, case: Case) -> tuple[str, ...]:
    """What an answer does not keep for what it lacks, unless the letter that does is on its way."""
    on_its_way = any(letter.template == "assessed" and letter.state != "dropped" for letter in worked.waiting)
    return () if on_its_way else left_owed(worked.tended, case.desk.policy, frozenset())


def acknowledge(worked: Worked, words: str, case: Case) -> Step:
    """The acknowledgement, where none went out by itself: one a ticket (AR-10)."""
    _no_words(words)
    if worked.acknowledged:
        raise VerbError(f"{worked.name.ref} was acknowledged already: /reply or /update writes to the researcher")
    reporter, desk = worked.reporter, case.desk
    if reporter is None:
        raise VerbError(f"{worked.name.ref} has no researcher's address: /add names one")
    report = Reported(reporter.written, worked.tended.subject, worked.report_id, worked.received_at, reporter.proven)
    kept = (ACKNOWLEDGE,) if any(c.promise == ACKNOWLEDGE for c in worked.tended.clocks) else ()
    card = Card(worked.name, worked.tended.clocks, kept, worked.kind, (), True)
    letter = acknowledgement(card, report, desk, case.at, case.entropy)
    return Step(replace(worked, acknowledged=True), ("acknowledged the report",), (), (letter,))


def note(worked: Worked, words: str, case: Case) -> Step:
    """For the team alone."""
    _no_words(words)
    return Step(worked, ("noted for the team",), (), (), noted=True)


def cancel(worked: Worked, words: str, case: Case) -> Step:
    """Drops what waits: letters of members that have not gone, and proposals."""
    _no_words(words)
    waiting = [letter for letter in worked.waiting if letter.state in ("queued", "held")]
    open_proposals = worked.proposals
    if not waiting and not open_proposals:
        raise VerbError("nothing waits any more: letters that have gone can't be taken back")
    events = [Event(EventKind.CANCELLED, case.actor, {"letter": letter.message_id}) for letter in waiting]
    events += [Event(EventKind.CANCELLED, case.actor, {"proposal": proposal.verb}) for proposal in open_proposals]
    lines = [f"dropped: the letter to {letter.to}, {letter.subject!r}" for letter in waiting]
    lines += [f"dropped: the proposal to /{proposal.verb} {proposal.words}".rstrip() for proposal in open_proposals]
    if waiting:
        lines.append(f"what else your command did stays done: the ticket is {worked.tended.state.value}")
    after = replace(worked, waiting=tuple(replace(letter, state="dropped") for letter in worked.waiting), proposals=())
    return Step(after, tuple(lines), tuple(events))


def hold(worked: Worked, words: str, case: Case) -> Step:
    """Keeps back what waits, until /send."""
    _no_words(words)
    reason = f"held by {case.shown}"
    return _each(
        worked, "queued", lambda x: replace(x, state="held", reason=reason), EventKind.KEPT_BACK, "held back", case
    )


def send(worked: Worked, words: str, case: Case) -> Step:
    """Lets held letters go at once, whatever they were held for: the overlap was shown, and a member says so."""
    _no_words(words)
    return _each(
        worked,
        "held",
        lambda x: replace(x, state="queued", not_before=case.at, reason=""),
        EventKind.RELEASED,
        "on its way",
        case,
    )


def _each(
    worked: Worked, state: str, change: Callable[[WaitingLetter], WaitingLetter], kind: EventKind, line: str, case: Case
) -> Step:
    found = [letter for letter in worked.waiting if letter.state == state]
    if not found:
        raise VerbError(f"no letter is {'held' if state == 'held' else 'waiting'}")
    after = tuple(change(letter) if letter in found else letter for letter in worked.waiting)
    events = tuple(
        Event(kind, case.actor, {"letter": letter.message_id, "reason": letter.reason[:200]}) for letter in found
    )
    return Step(
        replace(worked, waiting=after), tuple(f"{line}: the letter to {x.to}, {x.subject!r}" for x in found), events
    )


def attachments(worked: Worked, words: str, case: Case) -> Step:
    """The evidence goes to the member who asks, in an archive with a password; the password by /password (AT-28)."""
    if case.by == OPERATOR:
        raise VerbError("say which member it is mailed to: --as MEMBER")
    files = _wanted(worked, words)
    contents = [
        (file.name or f"file-{file.number}", worked.contents[file.number])
        for file in files
        if file.number in worked.contents
    ]
    if len(contents) < len(files):
        raise VerbError(
            f"the files are too large for one letter (at most {MOST_BYTES:,} bytes): name one, as in /attachments 2"
        )
    archive = file_of(
        "application/zip", ARCHIVE.format(ref=worked.name.ref), sealed_archive(contents, _password(worked, case))
    )
    numbers: list[object] = [file.number for file in files]
    event = Event(EventKind.SHOWN, case.actor, {"files": numbers})  # type: ignore[dict-item]
    lines = tuple(f"{file.number}. {file.name[:60]}  {file.size:,} bytes" for file in files)
    return Step(
        worked,
        (*lines, OPENING),
        (event,),
        enclosed=(archive,),
    )


def _wanted(worked: Worked, words: str) -> tuple[File, ...]:
    if not worked.files:
        raise VerbError(f"{worked.name.ref} has no files")
    if not words:
        return worked.files
    number = int(words) if words.isascii() and words.isdigit() else 0
    found = tuple(file for file in worked.files if file.number == number)
    if not found:
        raise VerbError(f"there is no file {words[:20]}: it has {len(worked.files)}, /show lists them")
    return found


def tell_password(worked: Worked, words: str, case: Case) -> Step:
    """The password of the archives that this member asked for on this ticket."""
    _no_words(words)
    if case.by == OPERATOR:
        raise VerbError("say whose archives they are: --as MEMBER")
    return Step(worked, (f"the password of your archives of {worked.name.ref}: {_password(worked, case)}",))


def _password(worked: Worked, case: Case) -> str:
    return password(case.desk.keys, worked.name.token, case.by)


def _no_words(words: str) -> None:
    if words:
        raise MisreadError(
            f"{words[:40]!r} means nothing there: write the text below the command, on a line of its own"
        )
