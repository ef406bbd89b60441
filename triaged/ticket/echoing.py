"""What members are told of what one of them did: the echo to who asked, the same to the others. Values in, letters out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triaged.message.clean import clean_header
from triaged.ticket.address import Role
from triaged.ticket.grammar import Orders, Refused
from triaged.ticket.letters import Letter, TeamLetter, render_team
from triaged.ticket.relaying import SUBJECT_CHARACTERS, to_team
from triaged.ticket.shown import guide, quoted
from triaged.ticket.worked import OPERATOR, Case, Obeyed, Worked


def echoes(obeyed: Obeyed, orders: Orders, case: Case, attached: int = 0) -> tuple[Letter, ...]:
    """The echo to the member who asked by mail, and one mail to each of the others who hear of the ticket."""
    worked = obeyed.worked
    lines = (*obeyed.lines, *_stayed(obeyed, attached), *_below(orders))
    values = _values(worked, f"Done on {worked.name.ref}:", lines, _shown(obeyed, orders, case), case)
    mine = (
        (_to_author(worked, "done", values, case, obeyed),) if case.by_mail and not _only_noted(obeyed, orders) else ()
    )
    if obeyed.private or case.by == OPERATOR:
        return mine
    told = {**values, "headline": _headline(worked, orders, obeyed, case)}
    house = replace(case.desk, notify=tuple(a for a in case.desk.notify if a.lower() != case.by))
    earlier = worked.tended.team_ids
    return (
        *mine,
        *to_team("done", worked.name, worked.tended.subject, told, Role.TEAM, house, case.at, case.entropy, earlier),
    )


def _only_noted(obeyed: Obeyed, orders: Orders) -> bool:
    """Who writes a note to the team's address without a command knows that it is one."""
    return obeyed.noted and not orders.orders


def refusal(worked: Worked, refused: Refused, case: Case) -> tuple[Letter, ...]:
    """Why nothing was done."""
    values = {"ref": worked.name.ref, "why": refused.why, "mend": refused.mend, "proven": True}
    return (_to_author(worked, "not_sent", values, case, None),) if case.by_mail else ()


def _to_author(
    worked: Worked, template: str, values: Mapping[str, object], case: Case, obeyed: Obeyed | None
) -> Letter:
    subject = f"[{worked.name.ref}] {clean_header(worked.tended.subject)[:SUBJECT_CHARACTERS]}".rstrip()
    to = case.desk.members[case.by].address if case.by in case.desk.members else case.by
    earlier = worked.tended.team_ids.get(case.by, ())
    letter = TeamLetter(template, worked.name, to, subject, values, Role.TEAM, earlier)
    return render_team(letter, case.desk, case.at, case.entropy)


def _values(worked: Worked, headline: str, lines: tuple[str, ...], body: str, case: Case) -> dict[str, object]:
    return {"headline": headline, "lines": lines, "guide": guide(Role.TEAM, worked.name, case.desk), "body": body}


def _headline(worked: Worked, orders: Orders, obeyed: Obeyed, case: Case) -> str:
    ref = worked.name.ref
    if _only_noted(obeyed, orders):
        return f"{case.shown} wrote a note on {ref}:"
    if obeyed.letters and all(order.verb.name == "reply" for order in orders.orders):
        return f"{case.shown} answered the researcher of {ref}. The letter is queued:"
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
