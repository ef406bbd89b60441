"""Who may be named: every combination of what was said, chosen and taken back, and any sequence of words."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import AT
from triaged.ticket.consent import (
    Answer,
    Purpose,
    Wishes,
    Word,
    agreed,
    all_withdrawn,
    credit_given,
    may_share,
    named,
    refused,
    standing,
)

NAME, PARTY = "Noa Barak", "CERT Coordination Center"
LAST = (None, *Answer)
GIVES = Answer.GIVEN


def word(purpose: Purpose, state: Answer, party: str = "", code: str = "") -> Word:
    return Word(purpose, state, AT, party, code)


def party_of(purpose: Purpose) -> str:
    return PARTY if purpose is Purpose.SHARE else ""


@pytest.mark.parametrize(
    ("purpose", "first", "last", "name", "anonymous", "pending"),
    list(product(Purpose, LAST, LAST, ("", " ", NAME), (False, True), (False, True))),
)
def test_a_name_is_given_where_the_last_word_gives_it_and_nothing_stands_against_it(
    purpose: Purpose, first: Answer | None, last: Answer | None, name: str, anonymous: bool, pending: bool
) -> None:
    """Two words and all that bears on them; that we ask undoes nothing of the person's."""
    party = party_of(purpose)
    words = tuple(word(purpose, state, party) for state in (first, last) if state)
    theirs = [one.state for one in words if one.state is not Answer.ASKED]
    gives = bool(theirs) and theirs[-1] is GIVES and not anonymous
    wishes = Wishes(name, anonymous, pending, words)
    assert named(purpose, wishes, party) == (NAME if gives and name == NAME and not pending else "")
    assert may_share(wishes, PARTY) == (gives and purpose is Purpose.SHARE)
    for other in Purpose:
        if other is not purpose:
            assert named(other, wishes, party_of(other)) == ""


def test_silence_names_nobody() -> None:
    assert [named(purpose, Wishes(NAME), PARTY) for purpose in Purpose] == [""] * 3


def test_a_third_party_is_one_however_it_is_written_and_no_other_gets_anything() -> None:
    wishes = Wishes(NAME, words=(word(Purpose.SHARE, GIVES, "CERT  Coordination center"),))
    assert may_share(wishes, PARTY) and named(Purpose.SHARE, wishes, PARTY) == NAME
    for other in ("CERT", "", " ", "Vendor Inc."):
        assert not may_share(wishes, other) and named(Purpose.SHARE, wishes, other) == ""


def test_consent_to_share_with_nobody_shares_with_nobody() -> None:
    assert not may_share(Wishes(NAME, words=(word(Purpose.SHARE, GIVES),)), "")


def test_the_last_word_is_the_last_kept_not_the_latest_by_a_clock() -> None:
    """A clock that is set back gives no name again."""
    words = (word(Purpose.HALL, GIVES), Word(Purpose.HALL, Answer.WITHDRAWN, AT - timedelta(days=9)))
    assert named(Purpose.HALL, Wishes(NAME, words=words)) == ""


def test_agreeing_needs_the_code_and_an_asking_that_stands_open() -> None:
    asked = (word(Purpose.HALL, Answer.ASKED, code="aaaa"), word(Purpose.ADVISORY, Answer.ASKED, code="aaaa"))
    assert {w.purpose for w in agreed(asked, "aaaa", AT)} == {Purpose.HALL, Purpose.ADVISORY}
    assert agreed(asked, "bbbb", AT) == ()
    shut = (*asked, word(Purpose.HALL, Answer.REFUSED))
    assert [w.purpose for w in agreed(shut, "aaaa", AT)] == [Purpose.ADVISORY]
    assert agreed((*asked, *all_withdrawn(asked, AT, proven=False)), "aaaa", AT) == ()


def test_refusing_works_at_any_time_and_takes_back_what_was_given() -> None:
    asked = (word(Purpose.SHARE, Answer.ASKED, PARTY, "aaaa"),)
    [no] = refused(asked, "aaaa", AT)
    assert (no.state, no.third_party) == (Answer.REFUSED, PARTY)
    given_ = (*asked, *agreed(asked, "aaaa", AT))
    assert may_share(Wishes(words=given_), PARTY)
    [back] = refused(given_, "aaaa", AT)
    assert back.state is Answer.WITHDRAWN and not may_share(Wishes(words=(*given_, back)), PARTY)
    assert refused(given_, "bbbb", AT) == ()


PARTIES = st.sampled_from(["Vendor", "vendor ", "CERT", ""])
WORDS = st.builds(
    Word,
    st.sampled_from(Purpose),
    st.sampled_from(Answer),
    st.datetimes().map(lambda naive: AT.replace(year=max(naive.year, 1970))),
    PARTIES,
    st.sampled_from(["", "aaaa"]),
)
SPOKEN = st.lists(WORDS, max_size=12).map(tuple)


def everything(wishes: Wishes) -> list[str]:
    return [named(purpose, wishes, party) for purpose in Purpose for party in ("", "Vendor", "CERT")]


@given(SPOKEN, st.booleans())
def test_whatever_was_said_before_nobody_is_named_after_everything_was_withdrawn(
    words: tuple[Word, ...], asks_again: bool
) -> None:
    ended = (*words, *all_withdrawn(words, AT, proven=False))
    ended += (word(Purpose.HALL, Answer.ASKED, code="aaaa"),) if asks_again else ()
    assert not any(everything(Wishes(NAME, words=ended)))
    assert not any(may_share(Wishes(NAME, words=ended), party) for party in ("Vendor", "CERT"))


@given(SPOKEN)
def test_whatever_was_said_anonymous_wins(words: tuple[Word, ...]) -> None:
    wishes = Wishes(NAME, anonymous=True, words=words)
    assert not any(everything(wishes)) and not may_share(wishes, "Vendor")


@given(SPOKEN, st.sampled_from(Purpose), st.sampled_from([Answer.REFUSED, Answer.WITHDRAWN]))
def test_no_words_that_end_in_a_refusal_name_anybody(words: tuple[Word, ...], purpose: Purpose, no: Answer) -> None:
    wishes = Wishes(NAME, words=(*words, word(purpose, no, "Vendor")))
    assert named(purpose, wishes, "Vendor") == "" == named(purpose, wishes, "VENDOR")


@given(SPOKEN)
def test_whatever_was_given_can_be_refused_by_its_code(words: tuple[Word, ...]) -> None:
    said = (*words, word(Purpose.ADVISORY, Answer.ASKED, code="zzzz"))
    after = (*said, *refused(said, "zzzz", AT))
    assert named(Purpose.ADVISORY, Wishes(NAME, words=after)) == ""


@given(SPOKEN)
def test_credit_gives_the_public_purposes_and_shares_nothing(words: tuple[Word, ...]) -> None:
    back = (*words, *all_withdrawn(words, AT, proven=True), *credit_given(AT))
    wishes = Wishes(NAME, words=back)
    assert named(Purpose.HALL, wishes) == named(Purpose.ADVISORY, wishes) == NAME
    assert not may_share(wishes, "Vendor") and not may_share(wishes, "CERT")


@given(SPOKEN)
def test_an_asking_is_open_where_nothing_came_after_it(words: tuple[Word, ...]) -> None:
    for found in standing(words).values():
        mine = [
            w
            for w in words
            if standing((w,)).keys() == standing((word(found.purpose, GIVES, found.third_party),)).keys()
        ]
        assert found.open == (mine[-1].state is Answer.ASKED)
