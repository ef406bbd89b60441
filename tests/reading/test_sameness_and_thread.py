"""Whether two texts say the same, and which messages and addresses a message names (AR-10, TH-1, TH-4)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import arrive, mail
from triaged.reading.sameness import text_hash
from triaged.reading.thread import MOST_IDS, answered_ids, recipients

WORDS = "The login page runs a script from its address"


@pytest.mark.parametrize(
    "other",
    [WORDS.upper(), f"  {WORDS}!!  ", WORDS.replace(" ", "\n> \n"), "; ".join(WORDS.split()), f"{WORDS}\u00a0."],
)
def test_case_space_and_punctuation_make_no_other_text(other: str) -> None:
    """AR-10."""
    assert text_hash("XSS", other, ()) == text_hash("XSS", WORDS, ())


def test_another_word_or_another_file_makes_another_text() -> None:
    assert (
        len(
            {
                text_hash("XSS", WORDS, ()),
                text_hash("XSS", f"{WORDS} too", ()),
                text_hash("XSS", WORDS, ("a",)),
                text_hash("XSS", WORDS, ("b",)),
            }
        )
        == 4
    )
    assert text_hash("XSS", WORDS, ("a", "b")) == text_hash("XSS", WORDS, ("b", "a"))


def test_the_subject_counts_and_its_prefixes_do_not() -> None:
    """ "Details at my page, regards" under two subjects is two reports."""
    same = {text_hash(subject, WORDS, ()) for subject in ("XSS", "Re: XSS", "AW: Fwd: xss!", " re : XSS")}
    assert len(same) == 1 and text_hash("SQL injection", WORDS, ()) not in same


@pytest.mark.parametrize("text", ["", "hello", "see the attached file", "...... ! ,", "\n\n"])
def test_too_short_a_text_is_like_no_other(text: str) -> None:
    assert text_hash("XSS", text, ()) is None


@given(st.text(max_size=200))
def test_any_text_has_a_hash_or_none(text: str) -> None:
    assert text_hash("XSS", text, ()) is None or len(str(text_hash("XSS", text, ()))) == 64


def test_a_megabyte_is_compared_in_linear_time() -> None:
    """AT-27."""
    begun = time.perf_counter()
    for text in ("a " * 500_000, "a" * 1_000_000, "_- " * 300_000):
        text_hash("XSS", text, ())
    assert time.perf_counter() - begun < 5


def test_answered_ids_come_nearest_first_and_once() -> None:
    """RFC 5322 section 3.6.4."""
    fields = ("In-Reply-To: <c@x>", "References: <a@x> <b@x> <c@x>")
    assert answered_ids(arrive(mail(fields=fields)).message) == ("<c@x>", "<b@x>", "<a@x>")


def test_a_flood_of_references_is_bounded_and_keeps_the_nearest() -> None:
    """TH-4, AT-14."""
    ids = " ".join(f"<{n}@x>" for n in range(400))
    found = answered_ids(arrive(mail(fields=(f"References: {ids}",))).message)
    assert len(found) == MOST_IDS and found[0] == "<399@x>"


def test_recipients_begin_with_what_the_delivery_says() -> None:
    raw = b"Delivered-To: Security+x@Example.test\r\n" + mail(to="a@example.test", fields=("Cc: B@example.test",))
    assert recipients(arrive(raw).message) == ("security+x@example.test", "a@example.test", "b@example.test")
