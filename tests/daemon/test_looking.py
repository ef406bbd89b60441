"""However many ask, the tracker is looked at once at a time; who gives up takes nothing away from the others."""

from __future__ import annotations

from threading import Event

import pytest

from triaged.daemon.looking import Kept


def test_a_fresh_look_serves_all_and_an_old_one_nobody() -> None:
    looks, at = [], [0.0]
    kept = Kept(lambda: looks.append(1) or len(looks), 5, lambda: at[0])
    assert [kept.ask().result(5) for _ in range(3)] == [1, 1, 1]
    at[0] = 6
    assert kept.ask().result(5) == 2


def test_while_a_look_goes_on_no_second_begins() -> None:
    go, looks, at = Event(), [], [0.0]
    kept = Kept(lambda: looks.append(go.wait(10)), 5, lambda: at[0])
    first = kept.ask()
    at[0] = 1000
    assert kept.ask() is first and not first.cancel()
    go.set()
    first.result(5)
    assert len(looks) == 1


def test_a_look_that_fails_is_not_kept_for_ever() -> None:
    at = [0.0]

    def look() -> int:
        if at[0] < 5:
            raise OSError("no database")
        return 7

    kept = Kept(look, 5, lambda: at[0])
    with pytest.raises(OSError, match="no database"):
        kept.ask().result(5)
    at[0] = 6
    assert kept.ask().result(5) == 7


def test_what_was_found_last_is_at_hand_while_a_new_look_goes_on() -> None:
    go, looks, at = Event(), [], [0.0]
    kept = Kept(lambda: looks.append(1) or ((len(looks) == 1 or go.wait(10)) and len(looks)), 5, lambda: at[0])
    assert (kept.good, kept.ask().result(5)) == (None, 1)
    at[0] = 6
    assert not kept.ask().done() and kept.good == 1
    go.set()
