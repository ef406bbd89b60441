"""The command about being named: asking by letter, naming nobody, letting a name stand. It never gives a consent itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from triaged.ticket.card import unthreatening
from triaged.ticket.consent import PUBLIC, Answer, Purpose, Standing, Wishes, Word, all_withdrawn, key, standing
from triaged.ticket.credit_name import House, judge
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.letters import Automatic, Letter, ResearcherLetter, render_researcher
from triaged.ticket.reference import new_token
from triaged.ticket.relaying import answer_subject
from triaged.ticket.shown import one_line, shown_instant
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Person, Step, Worked
from triaged.ticket.writing import parents_of

TEMPLATE = "consent"
MOST_PARTY = 100  # characters of a third party's name
HOW = "write /credit ask, /credit ask hall, /credit share with NAME, /credit none, /credit accept, or /credit alone"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    purposes: tuple[Purpose, ...]
    party: str = ""


def credit(worked: Worked, words: str, case: Case) -> Step:
    """How they are to be named, or what the first word says."""
    first, _, rest = words.partition(" ")
    deed = _DEEDS.get(first.lower())
    if deed is None:
        raise MisreadError(f"{words[:40]!r} can't be read: {HOW}")
    return deed(worked, rest.strip(), case)


def _show(worked: Worked, words: str, case: Case) -> Step:
    lines = tuple(line for person in worked.people for line in _lines(person, _wishes(worked, person), case))
    return Step(worked, lines or ("nobody takes part: there is nobody to name",))


def _lines(person: Person, wishes: Wishes, case: Case) -> list[str]:
    found = standing(wishes.words).values()
    said = (f"   {_about(s)}: {s.state.value}, {shown_instant(s.at, case.desk)}{_still(s)}" for s in found)
    return [f"{person.address}: {_name(wishes)}", *said]


def _name(wishes: Wishes) -> str:
    if wishes.anonymous:
        return "not to be named"
    if not wishes.name:
        return "has chosen no name, so nobody is named"
    waits = "; it names somebody else's house, and waits for /credit accept" if wishes.pending else ""
    return f"to be named as {one_line(wishes.name)}{waits}"


def _about(found: Standing) -> str:
    return f"share with {one_line(found.third_party)}" if found.purpose is Purpose.SHARE else found.purpose.value


def _still(found: Standing) -> str:
    return "; asked again, and no answer yet" if found.open and found.state is not Answer.ASKED else ""


# --- asking ---


def _ask(worked: Worked, words: str, case: Case) -> Step:
    if case.desk.policy.credit.terms == "none":
        raise VerbError("our policy names nobody, so there is nothing to ask for")
    known = {purpose.value: purpose for purpose in PUBLIC}
    parts = words.lower().replace(",", " ").split()
    if unknown := [part for part in parts if part not in known]:
        raise MisreadError(
            f"{unknown[0][:40]!r} is nothing to be named in: write hall or advisory, or neither for both"
        )
    return _asked(worked, Wanted(tuple(known[part] for part in dict.fromkeys(parts)) or PUBLIC), case)


def _share(worked: Worked, words: str, case: Case) -> Step:
    party = words[5:].strip() if words.lower().startswith("with ") else ""
    if not party:
        raise MisreadError("name who would be given report and name: /credit share with CERT Coordination Center")
    if why := judge(party, House("")).refused:
        raise MisreadError(f"the name can't be printed: {why}")
    return _asked(worked, Wanted((Purpose.SHARE,), party), case)


def _asked(worked: Worked, wanted: Wanted, case: Case) -> Step:
    """A letter with a code to each who can still say yes. ANONYMOUS is an answer: they are not asked again."""
    if worked.withdrawn:
        raise VerbError(f"the report {worked.name.ref} was withdrawn: its researcher is asked nothing more")
    people = [p for p in worked.people if _can_be_asked(_wishes(worked, p), wanted)]
    if not people:
        raise VerbError(_nobody_to_ask(worked))
    wishes, letters = dict(worked.wishes), list[Letter]()
    for person in people:
        code = new_token(case.entropy)
        words = tuple(Word(purpose, Answer.ASKED, case.at, wanted.party, code) for purpose in wanted.purposes)
        before = _wishes(worked, person)
        wishes[person.address] = replace(before, words=(*before.words, *words))
        letters.append(_letter(worked, person, wanted, code, case))
    purposes: list[JSON] = [purpose.value for purpose in wanted.purposes]
    event = Event(
        EventKind.ASKED, case.actor, {"purposes": purposes, "third_party": wanted.party, "people": len(people)}
    )
    line = f"asked for consent: {_in_words(wanted)}; who says nothing is not named"
    left = [f"not asked: {p.address}, {_name(_wishes(worked, p))}" for p in worked.people if p not in people]
    return Step(replace(worked, wishes=wishes), (line, *left), (event,), tuple(letters))


def _can_be_asked(wishes: Wishes, wanted: Wanted) -> bool:
    if wishes.anonymous:
        return False
    found = standing(wishes.words)
    given = [
        s for purpose in wanted.purposes if (s := found.get(key(purpose, wanted.party))) and s.state is Answer.GIVEN
    ]
    unnamed = not wishes.name and wanted.purposes != (Purpose.SHARE,)
    return len(given) < len(wanted.purposes) or unnamed


def _nobody_to_ask(worked: Worked) -> str:
    if not worked.people:
        return f"{worked.name.ref} has no researcher's address: there is nobody to ask"
    return "there is nobody to ask: " + "; ".join(f"{p.address}, {_name(_wishes(worked, p))}" for p in worked.people)


def _in_words(wanted: Wanted) -> str:
    return f"to share with {wanted.party}" if wanted.party else ", ".join(p.value for p in wanted.purposes)


def _letter(worked: Worked, person: Person, wanted: Wanted, code: str, case: Case) -> Letter:
    """Keeps no promise: it is a question, and tells nothing of the report."""
    policy, reporter = case.desk.policy, worked.reporter
    clauses = policy.confidentiality.clauses if wanted.party else policy.credit.clauses
    letter = ResearcherLetter(
        template=TEMPLATE,
        ticket=worked.name,
        to=person.written,
        subject=answer_subject(worked.tended.subject, worked.name, bool(reporter and reporter.proven)),
        values={
            "ref": worked.name.ref,
            "party": wanted.party,
            "purposes": tuple(purpose.value for purpose in wanted.purposes),
            "clauses": unthreatening(policy, clauses),
            "question": policy.credit.question,
            "code": f"{code[:4]}-{code[4:]}".upper(),
            "organisation": policy.organisation,
            "contact": case.desk.address,
        },
        automatic=Automatic.NO,
        parents=parents_of(worked, case),
    )
    return render_researcher(letter, case.desk, case.at, case.entropy)


# --- giving it up, and letting a name stand ---


def _none(worked: Worked, words: str, case: Case) -> Step:
    """The team names nobody: what was given is withdrawn, until somebody asks for it anew."""
    _no_more(words)
    if not worked.people:
        raise VerbError(f"{worked.name.ref} has nobody to name")
    wishes = {p.address: _back(_wishes(worked, p), case) for p in worked.people}
    event = Event(
        EventKind.REVOKED, case.actor, {"purposes": [purpose.value for purpose in Purpose], "third_party": ""}
    )
    line = "nobody is named for it, and nothing of them is shared; a researcher who asks by CREDIT AS changes that"
    return Step(replace(worked, wishes=wishes), (line,), (event,))


def _back(wishes: Wishes, case: Case) -> Wishes:
    return replace(wishes, words=(*wishes.words, *all_withdrawn(wishes.words, case.at, proven=False)))


def _accept(worked: Worked, words: str, case: Case) -> Step:
    """A name of somebody else's house may stand, says a member."""
    _no_more(words)
    waiting = [p for p in worked.people if _wishes(worked, p).pending]
    if not waiting:
        raise VerbError("no name waits for a member's word")
    wishes = {p.address: replace(_wishes(worked, p), pending=False) for p in waiting}
    lines = tuple(f"the name may stand: {one_line(_wishes(worked, p).name)}, of {p.address}" for p in waiting)
    event = Event(EventKind.CREDITED, case.actor, {"accepted": len(waiting)})
    return Step(replace(worked, wishes={**worked.wishes, **wishes}), lines, (event,))


def _wishes(worked: Worked, person: Person) -> Wishes:
    return worked.wishes.get(person.address, Wishes())


def _no_more(words: str) -> None:
    if words:
        raise MisreadError(f"{words[:40]!r} means nothing there: {HOW}")


_DEEDS: Mapping[str, Callable[[Worked, str, Case], Step]] = MappingProxyType(
    {"": _show, "ask": _ask, "share": _share, "none": _none, "accept": _accept}
)
