"""The whole story of one report under each shipped policy, against what stands in tests/ticket/stories."""

from __future__ import annotations

import re

import pytest

from tests.ticket.telling_stories import NAMES, STORIES, told


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_120_days_is_as_written_down(name: str) -> None:
    """Where the change is meant: `make stories`, and read the difference."""
    assert told(name) == (STORIES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_story_tells_of_every_promise_that_is_kept_missed_and_late(name: str) -> None:
    """So that the files are worth reading: each kind of letter stands in them."""
    text = told(name)
    found = set(re.findall(r"^== \d+\. \S+  to the (?:researcher|team): (\w+)", text, re.MULTILINE))
    assert {"acknowledgement", "relay", "answer", "update", "missed", "reminder"} <= found
    assert all(f"  {word}" in text for word in ("met ", "late "))
