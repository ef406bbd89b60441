"""An advisory before and after its publication, and whether its day has come (ISO/IEC 29147 section 9). Publishes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from triaged.policy.calendar import Calendar
from triaged.ticket.events import State

TITLE_CHARACTERS = 200
TEXT_CHARACTERS = 40_000
CVE = re.compile(r"CVE-(?:1999|2[0-9]{3})-(?:0[0-9]{3}|[1-9][0-9]{3,18})", re.ASCII)  # CVE schema 5.2, cveId
MAY_BE_PUBLISHED = frozenset({State.ACCEPTED, State.FIXING, State.FIXED})
_LEAST_NAME = 3  # letters of a part of a name that is looked for


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be published of one ticket, in the team's words."""

    title: str
    text: str
    written_at: datetime
    cve: str = ""
    published_at: datetime | None = None
    revisions: tuple[datetime, ...] = ()  # each change after publication, oldest first

    @property
    def version(self) -> int:
        """Of what is published, from 1."""
        return len(self.revisions) + 1

    @property
    def changed_at(self) -> datetime | None:
        """When what is published last changed."""
        return self.revisions[-1] if self.revisions else self.published_at

    def revised(self, at: datetime) -> Draft:
        """Once more, at that instant."""
        return replace(self, revisions=(*self.revisions, at))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part: what no advisory may hold of them in its own words."""

    name: str
    address: str


class When(StrEnum):
    """What may be done with a draft at an instant."""

    NOW = "now"
    LATER = "later"  # nothing is wrong, its day has not come
    NOT = "not"  # something is missing, or its day has passed


@dataclass(frozen=True, slots=True)
class Ripe:
    """All that bears on whether a draft is published."""

    state: State
    agreed_for: datetime | None  # the end of the day that two members agreed on
    due_at: datetime | None  # of the open promise to disclose
    has_reader: bool  # there is a researcher to send the draft to
    read_at: datetime | None  # when the server took the last draft for them, as it stands; None: never
    proposed: bool = False  # a change of the day waits for a second member
    is_report: bool = True
    written_at: datetime | None = None  # when its words were last changed
    agreed_at: datetime | None = None  # when a second member agreed on the day
    two_person: bool = False
    names: bool = False  # its words hold the name or address of somebody who takes part


def ripe(case: Ripe, calendar: Calendar, at: datetime) -> tuple[When, str]:
    """Whether it is published at `at`, and why not, in words with the mend. On the agreed day, or not at all."""
    missing = next(_missing(case), "")
    if case.agreed_for is None or missing:
        return When.NOT, missing or "no day was agreed on: /disclose DAY, and a second member's /confirm"
    if at >= case.agreed_for:
        return (
            When.NOT,
            f"its day, {day_of(case.agreed_for, calendar)}, has passed: agree on a new one with /disclose DAY",
        )
    if at < start_of(case.agreed_for, calendar):
        return When.LATER, f"its day is {day_of(case.agreed_for, calendar)}"
    return When.NOW, ""


def _missing(case: Ripe) -> Iterator[str]:
    if case.state not in MAY_BE_PUBLISHED:
        yield f"the report is {case.state.value}: only one that was accepted is published"
    if not case.is_report:
        yield "it is taken for no report: /report takes it for one"
    if case.names:
        yield "it names somebody who takes part: /advisory TITLE writes it without them"
    if case.has_reader and case.read_at is None:
        yield "its researcher was not sent this draft as it stands: /draft sends it"
    if case.proposed:
        yield "another day was proposed and waits for a second member: /confirm or /cancel"
    if case.agreed_for is not None and _unread(case):
        yield "its words changed after the day was agreed on: agree again with /disclose DAY"
    if case.agreed_for is not None and case.due_at not in (None, case.agreed_for):
        yield "the date of publication moved after it was agreed on: agree again with /disclose DAY"


def _unread(case: Ripe) -> bool:
    """Two members agree on words and day, so that one of them alone publishes nothing else."""
    changed = case.agreed_at is None or (case.written_at is not None and case.written_at > case.agreed_at)
    return case.two_person and changed


def start_of(end: datetime, calendar: Calendar) -> datetime:
    """The midnight with which the day begins that ends at `end`."""
    return datetime.combine(day_of(end, calendar), time(), calendar.tzinfo).astimezone(UTC)


def day_of(end: datetime, calendar: Calendar) -> date:
    """The local day that ends at `end`: closing "24:00" is the next day's midnight."""
    return (end - timedelta(microseconds=1)).astimezone(calendar.tzinfo).date()


def named_in(text: str, people: Iterable[Person]) -> str:
    """A researcher's name or address that stands in the words; "" where none does. Thanks come from their consent."""
    low = " ".join(text.lower().split())
    for person in people:
        if person.address and person.address.lower() in low:
            return person.address
        name = " ".join(person.name.lower().split())
        if len(name) >= _LEAST_NAME and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", low):
            return person.name
    return ""
