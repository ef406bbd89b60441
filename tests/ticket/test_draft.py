"""Whether an advisory is published at an instant: on its agreed day, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import POLICY
from triaged.ticket.draft import MAY_BE_PUBLISHED, Person, Ripe, When, named_in, ripe
from triaged.ticket.events import State

CALENDAR = POLICY.calendar  # Asia/Jerusalem, closing 24:00
END = datetime(2027, 1, 31, 22, tzinfo=UTC)  # of 31 January 2027 there, two hours ahead
READY = Ripe(State.FIXED, END, END, has_reader=True, read_at=END - timedelta(days=9))


@pytest.mark.parametrize(
    ("at", "when"),
    [
        (END - timedelta(days=1, seconds=1), When.LATER),
        (END - timedelta(days=1), When.NOW),
        (END - timedelta(seconds=1), When.NOW),
        (END, When.NOT),
        (END + timedelta(days=400), When.NOT),
    ],
)
def test_an_advisory_is_published_on_its_agreed_day_and_on_no_other(at: datetime, when: When) -> None:
    assert ripe(READY, CALENDAR, at)[0] is when


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"agreed_for": None}, "no day was agreed on"),
        ({"due_at": END + timedelta(days=1)}, "moved after it was agreed"),
        ({"read_at": None}, "was not sent this draft"),
        ({"proposed": True}, "waits for a second member"),
        *(({"state": state}, f"the report is {state.value}") for state in State if state not in MAY_BE_PUBLISHED),
    ],
)
def test_what_is_missing_is_said_with_the_mend_and_nothing_is_published(changed: dict[str, object], why: str) -> None:
    when, said = ripe(replace(READY, **changed), CALENDAR, END - timedelta(hours=1))  # type: ignore[arg-type]
    assert when is When.NOT
    assert why in said


def test_without_a_researcher_nobody_has_to_be_asked() -> None:
    alone = replace(READY, has_reader=False, read_at=None)
    assert ripe(alone, CALENDAR, END - timedelta(hours=1))[0] is When.NOW


@given(st.integers(-3 * 86400, 3 * 86400), st.sampled_from(State), st.booleans(), st.booleans(), st.booleans())
def test_nothing_is_published_without_all_that_it_needs(
    seconds: int, state: State, reader: bool, read: bool, proposed: bool
) -> None:
    case = Ripe(state, END, END, reader, END if read else None, proposed)
    when, why = ripe(case, CALENDAR, END + timedelta(seconds=seconds))
    may = state in MAY_BE_PUBLISHED and (read or not reader) and not proposed and -86400 <= seconds < 0
    assert (when is When.NOW) == may
    assert bool(why) != (when is When.NOW)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Found by Noa  Ben-David.", "Noa Ben-David"),
        ("NOA BEN-DAVID found it", "Noa Ben-David"),
        ("write to noa@example.org", "noa@example.org"),
        ("Noah Ben-Davidson found it", ""),
        ("The login page shows what was typed.", ""),
    ],
)
def test_the_researchers_name_in_the_words_is_found(text: str, found: str) -> None:
    assert named_in(text, [Person("Noa Ben-David", "noa@example.org"), Person("", "")]) == found
