"""How long the outbox sleeps: until a letter may go, whatever became of the server's last hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.mail.accounts import Smtp
from tests.ticket.scene import AT, mail
from tests.tracker.tracked import Tracked
from triaged.daemon.sending import LONGEST_WAIT, Hold, Office, pause
from triaged.tracker.engine import writing
from triaged.tracker.schema import letter

OVER, RUNNING = Hold(AT - timedelta(seconds=1), 1), Hold(AT + timedelta(seconds=5), 3)


def office(tracked: Tracked) -> Office:
    return Office(
        tracked.engine,
        {"security": Smtp(port=25)},
        tracked.desks,
        frozenset(),
        1,
        tracked.owner,
        lambda: AT,
        tracked.entropy,
    )


@pytest.mark.parametrize(
    ("hold", "due_in", "seconds"),
    [
        (None, 0, 0.01),
        (None, 20, 20),
        (RUNNING, 0, 5),
        (RUNNING, 20, 20),
        (OVER, 0, 0.01),
        # Lost after the final dot, the one letter that tried the server anew neither ends the hold nor may go at once.
        (OVER, 20, 20),
        (OVER, 60, LONGEST_WAIT),
        (OVER, None, LONGEST_WAIT),
        (None, None, LONGEST_WAIT),
    ],
)
def test_the_outbox_sleeps_until_a_letter_may_go(
    tracked_sqlite: Tracked, hold: Hold | None, due_in: float | None, seconds: float
) -> None:
    """SM-2, SM-5."""
    if due_in is not None:
        tracked_sqlite.receive(mail(proven=True))
        with writing(tracked_sqlite.engine) as connection:
            connection.execute(letter.update().values(state="unknown", not_before=AT + timedelta(seconds=due_in)))
    assert pause(office(tracked_sqlite), {"security": hold} if hold else {}) == seconds
