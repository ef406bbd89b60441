"""What members are told of what one of them did: the echo to who asked, the same to the others. Values in, letters out."""

from __future__ import annotations

from collections.abc import Mapping

from triaged.ticket.address import Role
from triaged.ticket.grammar import Orders, Refused
from triaged.ticket.hearing import hearers
from triaged.ticket.letters import Letter, TeamLetter, render_team
from triaged.ticket.relaying import team_subject, to_team
from triaged.ticket.shown import guide, quoted
from triaged.ticket.wire import Enclosure
from triaged.ticket.worked import OPERATOR, Case, Obeyed, Worked


def echoes(obeyed: Obeyed, orders: Orders, case: Case, attached: int = 0) -> tuple[Letter, ...]:
    """The echo to the member who asked by mail, and one mail to each of the others who hear of the ticket."""
    worked = obeyed.worked
    lines = (*obeyed.lines, *_stayed(obeyed, attached), *_below(orders))
    values = _values(worked, f"Done on {worked.name.ref}:", lines, _shown(obeyed, orders, case), case)
    mine = (_to_author(worked, "done", values, case, obeyed.enclosed),) if case.by_mail or obeyed.enclosed else ()
    if obeyed.private or case.by == OPERATOR:
        return mine
    told = {**values, "headline": _headline(worked, orders, obeyed, case)}
    return (*mine, *_to_others(worked, told, case))


def _to_others(worked: Worked, values: Mapping[str, object], case: Case) -> tuple[Letter, ...]:
    to = hearers(case.desk, worked.assigned, worked.away, but={case.by})
    subject, earlier = worked.tended.subject, worked.tended.team_ids
    return to_team("done", worked.name, subject, values, Role.TEAM, case.desk, case.at, case.entropy, earlier, to=to)


def below_notice(obeyed: Obeyed, orders: Orders, case: Case) -> tuple[Letter, ...]:
    """Who writes a note knows that it is one; who wrote a / line in it may have meant a command."""
    if not orders.below:
        return ()
    lines = ("noted for the team", *_below(orders))
    values = _values(obeyed.worked, f"Done on {obeyed.worked.name.ref}:", lines, "", case)
    return (_to_author(obeyed.worked, "done", values, case, ()),)


def refusal(worked: Worked, refused: Refused, case: Case) -> tuple[Letter, ...]:
    """Why nothing was done."""
    values = {"ref": worked.name.ref, "why": refused.why, "mend": refused.mend}
    return (_to_author(worked, "refused", values, case, ()),) if case.by_mail else ()


def _to_author(
    worked: Worked, template: str, values: Mapping[str, object], case: Case, enclosed: tuple[Enclosure, ...]
) -> Letter:
    to = case.desk.members[case.by].address if case.by in case.desk.members else case.by
    earlier = worked.tended.team_ids.get(case.by, ())
    subject = team_subject(worked.name, worked.tended.subject, again=bool(earlier))
    letter = TeamLetter(template, worked.name, to, subject, values, Role.TEAM, earlier, enclosed=enclosed)
    return render_team(letter, case.desk, case.at, case.entropy)


def _values(worked: Worked, headline: str, lines: tuple[str, ...], body: str, case: Case) -> dict[str, object]:
    return {"headline": headline, "lines": lines, "guide": guide(Role.TEAM, worked.name, case.desk), "body": body}


def _headline(worked: Worked, orders: Orders, obeyed: Obeyed, case: Case) -> str:
    ref = worked.name.ref
    if obeyed.letters and all(order.verb.name == "reply" for order in orders.orders):
        held = any(letter.hold_reason for letter in obeyed.letters)
        return f"{case.shown} answered the researcher of {ref}. The letter is {'HELD' if held else 'queued'}:"
    return f"{case.shown} worked on {ref}:"


def _shown(obeyed: Obeyed, orders: Orders, case: Case) -> str:
    """The words that go out, or the note."""
    if obeyed.body:
        return obeyed.body
    if obeyed.letters:
        return quoted(obeyed.letters[0].text, case.desk.caps.relay_text)
    return quoted(orders.text, case.desk.caps.relay_text) if obeyed.noted else ""


def _stayed(obeyed: Obeyed, attached: int) -> tuple[str, ...]:
    sent = any(
        letter.template == "answer" and b"Content-Disposition: attachment" in letter.data for letter in obeyed.letters
    )
    if not attached or sent:
        return ()
    return (f"{attached} attached file(s) stayed here and were NOT sent; /attach sends them",)


def _below(orders: Orders) -> tuple[str, ...]:
    """A / line further down may have been meant as a command."""
    return tuple(f"taken as text, being below the first line of text: {line!r}" for line in orders.below)
