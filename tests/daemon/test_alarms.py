"""What is amiss is said once, again after a day, and when it is over; what stood still while no process ran gets its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.daemon.test_health import FOLDERS, WELL
from tests.ticket.scene import AT
from triaged.daemon.alarms import (
    AGAIN,
    DATABASE,
    SUSPECTED,
    Bounds,
    Said,
    State,
    Trouble,
    saying,
    subject,
    suspects,
    text,
    troubles,
)
from triaged.tracker.measuring import Measures, Running

BOUNDS = Bounds(unswept=timedelta(minutes=15), outbox=timedelta(minutes=30), disk=1000 * 2**20)
MINUTE = timedelta(minutes=1)
INBOX = "mailbox security INBOX"


def state(measures: Measures | None = WELL, after: timedelta = timedelta(0), disk_free: int | None = None) -> State:
    """`after` the start of the process, at which all was well."""
    return State(AT + after, AT, measures, FOLDERS[:1], disk_free)


def keys(at: State, said: Said | None = None, **suspected: object) -> list[str]:
    return [t.key for t in troubles(at, BOUNDS, suspected, said or {})]  # type: ignore[arg-type]


def swept(at: object) -> Measures:
    return replace(WELL, swept={FOLDERS[0]: at})


def test_a_mailbox_is_amiss_after_its_minutes_and_not_before() -> None:
    assert keys(state(after=15 * MINUTE)) == []
    assert keys(state(after=16 * MINUTE)) == [INBOX]


def test_a_mailbox_that_was_never_swept_gets_its_minutes_too() -> None:
    assert keys(state(swept(None), 15 * MINUTE)) == []
    assert keys(state(swept(None), 16 * MINUTE)) == [INBOX]


def test_a_night_without_a_process_is_no_alarm_at_its_start() -> None:
    assert keys(state(swept(AT - timedelta(hours=9)), MINUTE)) == []


def test_a_restart_takes_nothing_back_that_was_said() -> None:
    """Else each restart would send an all-clear, and the alarm once more."""
    said = {INBOX: AT - timedelta(hours=1)}
    assert keys(state(swept(AT - timedelta(hours=9)), MINUTE), said) == [INBOX]
    assert keys(state(swept(None), MINUTE), said) == [INBOX]


def test_why_a_mailbox_is_not_swept_stands_beside_it() -> None:
    part = Running("watch security", "a", "failing", "login_refused: no", AT)
    found = troubles(state(replace(WELL, parts=(part,)), 16 * MINUTE), BOUNDS, {}, {})
    assert found[0].text == "mailbox security: INBOX was not swept for 16 minutes (login_refused: no)"


def test_an_outbox_that_stands_is_amiss() -> None:
    stands = replace(WELL, oldest_due=AT, outbox={"queued": 3, "unknown": 1}, swept={FOLDERS[0]: AT + 31 * MINUTE})
    assert keys(state(stands, 30 * MINUTE)) == []
    found = troubles(state(stands, 31 * MINUTE), BOUNDS, {}, {})
    assert [t.text for t in found] == ["outbox: 4 letter(s) wait, the oldest for 31 minutes"]


def test_a_disk_is_low_until_a_tenth_more_is_free() -> None:
    assert keys(state(disk_free=1000 * 2**20)) == []
    assert keys(state(disk_free=999 * 2**20)) == ["disk"]
    assert keys(state(disk_free=1050 * 2**20), {"disk": AT}) == ["disk"]
    assert keys(state(disk_free=1100 * 2**20), {"disk": AT}) == []


def looks(*states: tuple[int, Measures | None], said: Said | None = None) -> list[list[str]]:
    """What is amiss at each look, so many minutes after the start."""
    suspected: dict[str, object] = {}
    found = []
    for minutes, measures in states:
        at = replace(state(measures), now=AT + minutes * MINUTE)
        suspected = suspects(at, suspected, said or {})  # type: ignore[arg-type, assignment]
        found.append([k for k in keys(at, said, **suspected) if not k.startswith("mailbox")])
    return found


def intake(how: str, since: int) -> Measures:
    return replace(WELL, parts=(Running("intake", "a", how, "OSError", AT + since * MINUTE),))


def test_a_part_that_dies_again_and_again_is_amiss_though_it_runs_in_between() -> None:
    assert looks((0, intake("failing", 0)), (3, intake("running", 3)), (5, intake("failing", 5))) == [
        [],
        [],
        ["part intake"],
    ]


def test_a_part_that_died_once_is_no_alarm() -> None:
    assert looks((0, intake("failing", 0)), (6, intake("running", 0)), (7, intake("failing", 7))) == [[], [], []]


def test_a_watcher_without_its_server_is_told_by_the_sweeps_alone() -> None:
    watch = replace(WELL, parts=(Running("watch security", "a", "failing", "lost", AT),))
    assert looks((0, watch), (6, watch)) == [[], []]


def test_a_database_that_is_away_is_amiss_after_minutes_and_takes_back_nothing() -> None:
    assert looks((0, None), (5, None)) == [[], [DATABASE]]
    said = {"part intake": AT, INBOX: AT}
    assert set(keys(state(None), said)) == {"part intake", INBOX}


def test_what_was_said_is_said_again_after_a_day_and_its_end_at_once() -> None:
    trouble = Trouble("disk", "disk: low")
    assert saying([trouble], {}, AT).begun == (trouble,)
    assert not saying([trouble], {"disk": AT}, AT + AGAIN - MINUTE)
    assert saying([trouble], {"disk": AT}, AT + AGAIN).still == (trouble,)
    assert saying([], {"disk": AT}, AT + MINUTE).over == ("disk",)
    assert not saying([], {}, AT)


def test_a_clock_set_back_does_not_silence_an_alarm() -> None:
    assert saying([Trouble("disk", "")], {"disk": AT}, AT - AGAIN).still


def test_the_subject_says_alarm_or_all_clear_and_quotes_no_server() -> None:
    part = Running("watch security", "a", "failing", "evil words", AT)
    found = saying(troubles(state(replace(WELL, parts=(part,)), 16 * MINUTE), BOUNDS, {}, {}), {"disk": AT}, AT)
    assert subject(found) == "triaged: ALARM: mailbox security INBOX"
    assert "evil words" in text(found) and "well again:\n  disk" in text(found)
    assert subject(saying([], {"disk": AT}, AT)) == "triaged: all clear: disk"


def test_five_minutes_are_what_a_part_has() -> None:
    assert SUSPECTED == 5 * MINUTE
