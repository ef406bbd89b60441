"""A ticket that becomes public: its new state and the letter to its researcher, as one pure function. Writes nothing."""

from __future__ import annotations

from dataclasses import replace

from triaged.ticket import verbs
from triaged.ticket.events import State
from triaged.ticket.worked import Case, Obeyed, Worked
from triaged.ticket.writing import to_people

PUBLISHED = "published"
ACTOR = "triaged"  # two members agreed on the day; the clock did the rest


def disclosed(worked: Worked, name: str, base: str, case: Case) -> Obeyed:
    """After its advisory was published under `name` on the site at `base` ("": not known)."""
    done = verbs.move(worked.tended, State.DISCLOSED, ACTOR, case.at)
    values = {
        "ref": worked.name.ref,
        "name": name,
        "title": worked.draft.title if worked.draft else "",
        "address": f"{base}/advisories/{name.lower()}.html" if base else "",
        "organisation": case.desk.policy.organisation,
        "contact": case.desk.address,
    }
    letters = to_people(worked, PUBLISHED, values, case) if worked.people else ()
    tended = replace(done.ticket, happenings=(), written_at=case.at) if letters else done.ticket  # they tell of it
    return Obeyed(worked.with_tended(tended), (f"{name} is published",), done.events, letters)
