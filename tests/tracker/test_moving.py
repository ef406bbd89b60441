"""What another policy, or newer calendar data, would move on open tickets: shown, and moved by nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from tests.ticket.scene import DESK, POLICY, STRANGER, mail
from tests.tracker.tracked import Tracked
from triaged.policy.model import Policy
from triaged.policy.period import parse_period
from triaged.tracker.engine import reading, writing
from triaged.tracker.moving import drifted, moves, running
from triaged.tracker.schema import clock

TEXT = "Your search page has cross-site scripting, steps: open https://app.example.test/search?q=1 and look."


def longer() -> Policy:
    promises = tuple(replace(p, within=parse_period("30 days")) if p.name == "assess" else p for p in POLICY.promises)
    return replace(POLICY, promises=promises, version="next", sha256="another")


def test_a_new_policy_shows_what_it_would_move_and_moves_nothing(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True, text=TEXT), mail(STRANGER, proven=True, text=TEXT + " again"))
    before = [(row.promise, row.due_at) for row in tracked.rows(clock)]
    with reading(tracked.engine) as connection:
        clocks = running(connection, POLICY)
        found = moves(POLICY, longer(), clocks)
    assert [(ref, shift.promise, shift.direction) for ref, shift in found] == [
        (ref, "assess", "later") for ref in tracked.refs()
    ]
    assert [(row.promise, row.due_at) for row in tracked.rows(clock)] == before
    with reading(tracked.engine) as connection:
        assert running(connection, longer()) == [], "tickets of another version are not of this one"


def test_newer_calendar_data_shows_as_drift(tracked: Tracked) -> None:
    """The stored instant differs from what is counted today: zone or holiday data changed since."""
    tracked.receive(mail(proven=True, text=TEXT))
    with reading(tracked.engine) as connection:
        assert drifted(DESK.policy, running(connection, POLICY)) == []
    with writing(tracked.engine) as connection:
        late = update(clock).where(clock.c.promise == "assess").values(due_at=tracked.at + timedelta(days=40))
        connection.execute(late)
    with reading(tracked.engine) as connection:
        ((ref, shift),) = drifted(POLICY, running(connection, POLICY))
    assert (ref, shift.promise, shift.direction) == (tracked.refs()[0], "assess", "earlier")
