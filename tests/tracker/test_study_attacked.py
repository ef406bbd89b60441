"""The study against floods, forged senders, poison, and processes that get in each other's way."""

from __future__ import annotations

import random
from threading import Thread

from sqlalchemy import Engine

from tests.ticket.scene import mail
from tests.tracker.test_study import decide_only
from tests.tracker.tracked import open_tracker


def invented_words(count: int, of: random.Random) -> list[str]:
    return ["".join(of.choices("abcdefghijklmnop", k=7)) for _ in range(count)]


def test_processes_that_index_reports_with_words_in_common_do_not_lock_each_other_out(postgres_engine: Engine) -> None:
    tracked = open_tracker(postgres_engine)
    of = random.Random(4)
    words = invented_words(300, of)
    raws = (
        mail(f"p{n}@s{n}.example", proven=True, text="I found a vulnerability: " + " ".join(of.sample(words, 120)))
        for n in range(150)
    )
    decide_only(tracked, *raws)
    threads = [Thread(target=tracked.another(f"elsewhere:{n}:b").study) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(tracked.letters("relay")) == 150, "a thread that was locked out left its rows"
