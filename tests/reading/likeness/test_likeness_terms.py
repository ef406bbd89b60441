"""What of a text is compared."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.reading.likeness import MOST_TERMS, Description, profile
from triaged.reading.likeness_terms import LONGEST, stem, terms
from triaged.reading.likeness_weaknesses import BY_CWE, WEAKNESSES

HOSTILE = (
    "a_",
    "_",
    "A",
    "aA",
    "AAa",
    "1.",
    "a://",
    "\ufdfa",
    "use after ",
    "\u4efb",
    "cwe-",
    "CWE-79 ",
    "e\u0301",
    "x y ",
)


def spent(text: str) -> float:
    begin = time.process_time()
    list(terms(text))
    return time.process_time() - begin


def of(text: str) -> set[str]:
    return {term for term, _ in terms(text)}


@pytest.mark.parametrize(
    "forms",
    [
        ("overflow", "overflows", "overflowing", "overflowed"),
        ("validate", "validation", "validates", "validating"),
        ("injection", "injections", "inject"),
        ("query", "queries"),
    ],
)
def test_forms_of_a_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("gdImageCreateFromGifCtx", "gd_image_create_from_gif_ctx"),
        ("HTTPServer", "http_server"),
        ("CGI::Cookie.parse", "cgi_cookie_parse"),
    ],
)
def test_a_name_is_one_term_however_it_is_joined(first: str, second: str) -> None:
    assert {term for term in of(first) if term.startswith("=")} == {term for term in of(second) if term.startswith("=")}


def test_a_name_is_found_by_its_parts_too() -> None:
    assert {"color", "cmyk", "rgb"} <= of("color_cmyk_to_rgb")


def test_a_version_is_not_taken_apart() -> None:
    assert of("7.55.0") == {"=7.55.0"}


@pytest.mark.parametrize("said", ["stored XSS", "cross-site scripting", "Cross Site Scripting", "CWE-79", "cwe-80"])
def test_a_weakness_is_one_term_by_whatever_name(said: str) -> None:
    assert "#cross-site scripting" in of(said)


@pytest.mark.parametrize("said", ["use-after-free", "UAF", "a use after free", "useAfterFree", "CWE-416"])
def test_stop_words_within_the_name_of_a_weakness_count(said: str) -> None:
    assert "#use after free" in of(said)


def test_each_phrase_of_the_table_is_found() -> None:
    for name, (_, written) in WEAKNESSES.items():
        for phrase in written.split("|"):
            assert f"#{name}" in of(f"There is {phrase} in it"), phrase


def test_each_cwe_leads_to_a_class_that_claims_it() -> None:
    assert all(number in WEAKNESSES[name][0] for number, name in BY_CWE.items())


def test_words_of_every_report_are_no_terms() -> None:
    assert of("Summary: the steps to reproduce are described in the report") == {"describ"}


def test_scripts_without_spaces_are_pairs_of_letters() -> None:
    assert {"任意", "意代", "代码"} <= of("任意代码执行")


def test_what_a_url_encodes_is_no_part_of_a_name() -> None:
    assert "script" in of("/x?q=%3Cscript%3E")
    assert not any("3c" in term.lower() for term in of("/x?q=%3Cscript%3E"))


def test_letters_of_other_scripts_are_words() -> None:
    assert "уязвимость" in of("Уязвимость")


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_anything_takes_no_longer_than_a_report(piece: str) -> None:
    hostile = piece * (1_000_000 // len(piece))
    begin = time.process_time()
    made = profile(Description("", hostile, hostile))
    assert time.process_time() - begin < 0.5
    assert len(made.terms) <= MOST_TERMS


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    short, long = (spent(piece * (count // len(piece))) for count in (20_000, 200_000))
    assert long < 40 * short + 0.05


@given(st.text())
def test_any_text_has_bounded_terms(text: str) -> None:
    for term, written in terms(text):
        assert term
        assert written
        assert len(term) <= LONGEST + 40
