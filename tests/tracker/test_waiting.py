"""While we wait on the researcher, promises that pause stand still; what a person writes sets them going again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import DESK, POLICY, STRANGER, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.ticket.verbs import VerbError, waits
from triaged.tracker.acting import act
from triaged.tracker.engine import writing
from triaged.tracker.schema import clock, event, ticket

PAUSING = replace(POLICY, promises=tuple(replace(p, pauses=p.name in ("assess", "update")) for p in POLICY.promises))
TEXT = "Your search page has cross-site scripting, steps: open https://app.example.test/search?q=1 and look."


@pytest.fixture
def waiting(engine: Engine) -> Tracked:
    tracked = open_tracker(engine, replace(DESK, policy=PAUSING))
    tracked.receive(mail(proven=True, text=TEXT))
    tracked.later(days=2)
    wait(tracked)
    return tracked


def wait(tracked: Tracked) -> None:
    desk = tracked.desks["security"]
    (row,) = tracked.rows(ticket)
    with writing(tracked.engine) as connection:
        act(
            connection,
            row.token,
            lambda t, d: waits(t, "member:Dana Levi", tracked.at),
            lambda _: desk,
            tracked.at,
            tracked.entropy,
        )


def paused(tracked: Tracked) -> set[str]:
    return {row.promise for row in tracked.rows(clock) if row.paused_at is not None}


def due(tracked: Tracked) -> dict[str, object]:
    return {row.promise: row.due_at for row in tracked.rows(clock)}


def write(tracked: Tracked, *fields: str, author: str | None = None) -> None:
    thanks = next(row.message_id for row in tracked.letters("acknowledgement"))
    about = (f"In-Reply-To: {thanks}", *fields)
    who = {"author": author} if author else {}
    tracked.receive(
        mail(proven=True, subject="Re: XSS", text="Here is what you asked for, with all steps.", fields=about, **who)
    )  # type: ignore[arg-type]


def test_only_promises_that_pause_stand_still_and_the_acknowledgement_never(waiting: Tracked) -> None:
    assert paused(waiting) == {"assess", "update"}
    assert waiting.rows(ticket)[0].waiting is True
    with pytest.raises(VerbError, match="already"):
        wait(waiting)


def test_what_the_researcher_writes_moves_the_due_instants_by_the_time_waited(waiting: Tracked) -> None:
    before = due(waiting)
    waiting.later(days=7)
    write(waiting)
    assert paused(waiting) == set() and waiting.rows(ticket)[0].waiting is False
    moved = {name: due(waiting)[name] - before[name] for name in ("assess", "update")}  # type: ignore[operator]
    assert moved["assess"] == timedelta(days=7)
    assert due(waiting)["acknowledge"] == before["acknowledge"]
    kinds = [row.kind for row in waiting.rows(event)]
    assert kinds.count("paused") == kinds.count("resumed") == 2 and "heard" in kinds
    assert waiting.broken() == []


def test_neither_an_absence_notice_nor_a_stranger_sets_them_going(waiting: Tracked) -> None:
    """NT-5, TH-2."""
    waiting.later(days=1)
    write(waiting, "Auto-Submitted: auto-replied")
    write(waiting, author=STRANGER)
    assert paused(waiting) == {"assess", "update"}


def test_what_waits_is_not_missed_meanwhile(waiting: Tracked) -> None:
    from triaged.daemon.tending import Tender, tend_due

    waiting.later(days=40)
    tender = Tender(waiting.engine, waiting.desks, {}, lambda: waiting.at, waiting.entropy)
    while tend_due(tender):
        pass
    missed = {row.promise for row in waiting.rows(clock) if row.missed_at is not None}
    assert not missed & {"assess", "update"}
