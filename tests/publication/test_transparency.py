"""The page of kept promises: numbers only, none of few."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.ticket.scene import POLICY
from triaged.publication.transparency import kept, published, told
from triaged.ticket.performance import Round

AT = datetime(2026, 11, 20, tzinfo=UTC)
DUE = timedelta(days=3)


def rounds(promise: str, *met: int | None, waived: int = 0) -> list[Round]:
    """One for each: met after so many days, or not at all."""
    start = AT - timedelta(days=30)
    made = Round("IMS-SECR-ET00", "marked-mailbox", "ims", "marked-version", promise, 1, start, start + DUE)
    some = [replace(made, met_at=start + timedelta(days=days) if days else None) for days in met]
    return [*some, *[replace(made, waived_at=start)] * waived]


def test_each_promise_of_the_policy_is_counted_and_what_was_waived_is_not() -> None:
    (one,) = kept([*rounds("acknowledge", 1, 2, 5, None, waived=2), *rounds("cra_early_warning", 1)], POLICY, AT)
    assert (one.promise, one.made, one.kept, one.late, one.missed) == ("acknowledge", 4, 2, 1, 1)


@pytest.mark.parametrize("few", [1, 2])
def test_what_was_made_fewer_than_three_times_is_not_told(few: int) -> None:
    rows = kept([*rounds("acknowledge", *[None] * few), *rounds("assess", 1, 1, None)], POLICY, AT)
    files = published(rows, "A & B <org>", None, AT, AT)
    document = json.loads(files["promises.json"])
    assert document["promises"][0]["made"] is None and "missed" not in document["promises"][0]
    assert document["promises"][1]["missed"] == 1, "a single miss among three is not hidden"
    assert [one.promise for one in told(rows)] == ["assess"]
    page = files["promises.html"].decode()
    assert "fewer than 3" in page and "A &amp; B &lt;org&gt;" in page
    assert not [mark for mark in ("IMS-SECR", "marked-mailbox", "marked-version", "<script") if mark in page]


def test_the_same_values_give_the_same_bytes_all_day() -> None:
    rows = kept(rounds("acknowledge", 1, 1, 1), POLICY, AT)
    assert published(rows, "X", None, None, AT) == published(rows, "X", None, None, AT + timedelta(hours=23))
