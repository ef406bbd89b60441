"""A thousand conversations full of marked secrets through the pure core; `make leaks` tries as many as wanted."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.leak_marks import faces, minted, pasted
from tests.fuzz.leak_moves import played, step
from tests.fuzz.leak_play import DESKS, Play
from tests.fuzz.leaks import run, script, shown, shrunk
from tests.fuzz.ledger import Ledger
from tests.ticket.scene import AT

pytestmark = pytest.mark.timeout(600)  # twenty seconds on two quiet cores

CASES, LONGEST, SEED = 1000, 5, 20261120


def test_no_letter_of_a_thousand_conversations_holds_a_secret() -> None:
    """Law 7, AT-29, AT-30: final bytes, every header and part; no letter goes to who takes no part, or to another tenant's team."""
    tally = run(range(CASES), SEED, LONGEST, jobs=2)
    print(tally)
    case = next(iter(tally.failing), None)
    assert case is None, shown(_again(case))
    assert tally.cases == CASES
    assert min(tally.letters, tally.held, tally.released) > 0, (
        "nothing was tried: what is released is found to hold a secret"
    )


def _again(case: int) -> Play:
    return played(shrunk(script(SEED, case, LONGEST), case), case)


def test_a_secret_is_found_in_every_form_in_which_it_is_pasted() -> None:
    random = Random(1)
    for _ in range(500):
        mark = minted(random, "note")
        text = pasted(random, mark)
        assert faces(f"Subject: x\n\n{text}".encode()).hold(mark), text


def test_a_conversation_follows_from_its_seed() -> None:
    plays = [Play(Ledger(DESKS, Random(7).randbytes, AT)) for _ in range(2)]
    for play in plays:
        for move in script(1, 7):
            step(play, move)
    assert plays[0].story == plays[1].story
