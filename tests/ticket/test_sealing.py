"""A seal opens to one issue alone, says nothing before, and is checked without our program."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import AT
from triaged.ticket.sealing import FORM, Issue, Sealed, canonical, faults, issue_of, opening, seal_of

ISSUE = Issue("SEC-17", "XSS in login", "It runs what stands in its address.\nSee the “steps”.", AT)
SALT = bytes(range(32))


def opened(issue: Issue = ISSUE, salt: bytes = SALT) -> dict[str, Any]:
    return opening(issue, Sealed(salt, seal_of(salt, canonical(issue)), AT, 3, bytes(32)))


def test_a_seal_is_the_sha256_of_salt_and_canonical_bytes() -> None:
    """As anybody can work it out from the document."""
    document = opened()
    octets = bytes.fromhex(document["salt"]) + document["canonical"].encode()
    assert hashlib.sha256(octets).hexdigest() == document["seal"]
    assert list(faults(document, document["seal"].upper())) == []
    assert issue_of(document["canonical"]) == ISSUE


def test_one_issue_has_one_spelling_whatever_the_zone() -> None:
    elsewhere = replace(ISSUE, known_at=AT.astimezone(timezone(timedelta(hours=5))))
    assert canonical(elsewhere) == canonical(ISSUE)


CHANGES: dict[str, Any] = {
    "another title": {"canonical": opened()["canonical"].replace("XSS", "RCE")},
    "an earlier day": {"canonical": opened()["canonical"].replace("2026-11-20", "2020-11-20")},
    "another salt": {"salt": "00" * 32},
    "a shorter salt": {"salt": "00" * 31},
    "another seal": {"seal": "00" * 32},
    "no text": {"canonical": None},
    "no form": {"form": "another"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_opens_nothing(change: str) -> None:
    assert list(faults({**opened(), **CHANGES[change]})) != []


def test_another_seal_than_the_letter_gave_is_not_opened() -> None:
    assert list(faults(opened(), "ab" * 32)) == ["it opens another seal than the one that you named"]


def _resealed(said: str) -> dict[str, Any]:
    """Somebody seals a text of another form: the seal itself holds."""
    return {**opened(), "canonical": said, "seal": seal_of(SALT, said.encode("utf-8", "surrogatepass")).hex()}


OTHER_FORMS = [
    json.dumps({**json.loads(opened()["canonical"]), "hidden": "and something more"}, sort_keys=True),
    json.dumps(json.loads(opened()["canonical"])),
    opened()["canonical"].replace('"title":', '"title":"Another","title":'),
    opened()["canonical"].replace("+00:00", ""),
    '{"known_at":"2026-11-20T09:12:00.000000+00:00","name":1,"text":"","title":""}',
    '{"known_at":"2026-11-20T09:12:00.000000+00:00","name":"\ud800","text":"","title":""}',
    "[" * 100_000,
    "null",
    "",
]


@pytest.mark.parametrize("said", OTHER_FORMS, ids=range(len(OTHER_FORMS)))
def test_what_is_sealed_in_another_form_is_no_issue(said: str) -> None:
    """Two readings of one text would let us choose later which one we knew."""
    assert any("is no issue" in fault for fault in faults(_resealed(said)))


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"form": FORM}, {"form": FORM, "canonical": 1, "salt": [], "seal": {}}]
)
def test_what_is_no_opening_is_said_in_words(document: object) -> None:
    assert list(faults(document)) != []


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(words, words, words, words, words, words)
def test_two_issues_never_share_a_seal(a: str, b: str, c: str, d: str, e: str, f: str) -> None:
    """No field slides into the next."""
    one, other = Issue(a, b, c, AT), Issue(d, e, f, AT)
    assert (canonical(one) == canonical(other)) is (one == other)
    assert issue_of(canonical(one).decode()) == one
