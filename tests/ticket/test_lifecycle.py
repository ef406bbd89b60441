"""Every pair of states: which may follow which (ISO/IEC 30111 section 7), what is said of the others, and who asks the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ticket.scene import AT, TICKET, view, worked
from tests.ticket.test_obeying import done, refused
from triaged.ticket import lifecycle
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.events import STATE_AFTER, State, fold
from triaged.ticket.verbs import MOVES, VerbError, move, reopened
from triaged.ticket.worked import Worked

# From the state on the left to the one above: x, the table lets it. The last column: taken up again.
TABLE = """
            received assessing accepted declined fixing fixed disclosed closed | again
received       .         x         x        x      x      x       .       x    |   .
assessing      .         .         x        x      x      x       .       x    |   .
accepted       .         .         .        x      x      x       x       x    |   .
declined       .         .         .        .      .      .       .       x    |   x
fixing         .         .         .        x      .      x       x       x    |   .
fixed          .         .         .        .      .      .       x       x    |   x
disclosed      .         .         .        .      .      x       .       x    |   x
closed         .         .         .        .      .      .       .       .    |   x
"""
HEAD, *ROWS = (line.replace("|", "").split() for line in TABLE.strip().split("\n"))
PAIRS = [(State(row[0]), State(to), sign == "x") for row in ROWS for to, sign in zip(HEAD[:-1], row[1:-1], strict=True)]


def on(state: State, **changes: object) -> Worked:
    ticket = worked(view())
    return replace(ticket, tended=replace(ticket.tended, state=state, **changes))  # type: ignore[arg-type]


def test_the_table_has_every_pair() -> None:
    assert {(before, after) for before, after, _ in PAIRS} == {(a, b) for a in State for b in State}


@pytest.mark.parametrize(("before", "after", "may"), PAIRS)
def test_a_state_follows_another_as_the_table_says_and_words_say_why_not(
    before: State, after: State, may: bool
) -> None:
    assert lifecycle.may_follow(before, after) is may
    why = lifecycle.why_not(TICKET.ref, before, after)
    assert bool(why) is not may
    if not may:
        assert TICKET.ref in why and before.value in why


@pytest.mark.parametrize(("before", "after", "may"), [pair for pair in PAIRS if pair[1] in MOVES])
def test_a_move_asks_the_table_and_its_events_fold_to_the_state(before: State, after: State, may: bool) -> None:
    ticket = on(before).tended
    if not may:
        with pytest.raises(VerbError, match=TICKET.ref):
            move(ticket, after, "member:Dana", AT)
        return
    moved = move(ticket, after, "member:Dana", AT)
    led = next(kind for kind, state in STATE_AFTER.items() if state is before)
    assert moved.ticket.state is after is fold([led, *(event.kind for event in moved.events)])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_taking_it_up_again_asks_its_own_column(row: list[str]) -> None:
    ticket = on(State(row[0])).tended
    if row[-1] == "x":
        assert reopened(ticket, "member:Dana", AT).ticket.state is State.ASSESSING
    else:
        with pytest.raises(VerbError, match="is open"):
            reopened(ticket, "member:Dana", AT)


WAYS = [  # state, command, what the refusal says
    (State.DECLINED, "/assess accepted high", "is declined: /reopen takes it up again first"),
    (State.DECLINED, "/fixed", "is declined: /reopen takes it up again first"),
    (State.DECLINED, "/fixing", "is declined: /reopen"),
    (State.CLOSED, "/assess accepted", "is closed: /reopen takes it up again first"),
    (State.CLOSED, "/assess declined duplicate", "is closed: /reopen"),
    (State.CLOSED, "/close", "is closed already"),
    (State.FIXED, "/fixing", "is fixed: /reopen"),
    (State.FIXED, "/fixed", "is fixed already"),
    (State.FIXED, "/assess declined", "is fixed: /reopen"),
    (State.FIXING, "/assessing", "is fixing, which comes after assessing"),
    (State.FIXING, "/reopen", "is open: it is fixing"),
]


@pytest.mark.parametrize(("state", "words", "why"), WAYS)
def test_what_the_table_does_not_have_is_refused_with_the_mend(state: State, words: str, why: str) -> None:
    assert why in refused(words, ticket=on(state)).why


@pytest.mark.parametrize(
    ("state", "words", "after"),
    [
        (State.RECEIVED, "/assessing", State.ASSESSING),
        (State.RECEIVED, "/assess accepted", State.ACCEPTED),
        (State.RECEIVED, "/assess declined", State.DECLINED),
        (State.RECEIVED, "/fixing", State.FIXING),
        (State.RECEIVED, "/fixed", State.FIXED),
        (State.FIXING, "/assess accepted high", State.FIXING),
        (State.FIXED, "/assess accepted high", State.FIXED),
        (State.DISCLOSED, "/fixed", State.FIXED),
        (State.ACCEPTED, "/close", State.CLOSED),
    ],
)
def test_every_state_but_publication_is_reached_by_a_command(state: State, words: str, after: State) -> None:
    assert done(words, ticket=on(state)).worked.tended.state is after


@pytest.mark.parametrize("words", ["/fixing", "/fixed"])
def test_who_mends_before_anybody_assessed_reads_that_the_assessment_is_owed(words: str) -> None:
    found = done(words)
    assert any(line.startswith("assess is still owed: /assess accepted|declined") for line in found.lines)


def test_a_mail_that_says_fixed_and_closed_keeps_the_promise_to_fix() -> None:
    """Both moves come before the clocks are looked at: closing must not waive what the fix has kept."""
    fix = Clock("fix", "We mend it.", None, AT, AT.replace(year=AT.year + 1), False)
    found = done("/fixed\n/close", ticket=on(State.ACCEPTED, clocks=(fix,)))
    (clock,) = found.worked.tended.clocks
    assert found.worked.tended.state is State.CLOSED
    assert not is_open(clock) and clock.met_at == AT and clock.waived is None


def test_publication_before_a_fix_keeps_no_promise_to_fix() -> None:
    fix = Clock("fix", "We mend it.", None, AT, AT.replace(year=AT.year + 1), False)
    published = move(on(State.ACCEPTED, clocks=(fix,)).tended, State.DISCLOSED, "triaged", AT)
    assert is_open(published.ticket.clocks[0])
