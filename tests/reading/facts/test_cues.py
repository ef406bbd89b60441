"""The words without which a pattern is not tried: each pattern that could match without them would go unseen."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import triaged.reading
from triaged.reading.cues import Cued, Cues, Text, cued, cues, small
from triaged.reading.facts_weakness import weaknesses
from triaged.reading.noise import _RULES


def held(value: object, name: str) -> Iterator[tuple[str, Cued]]:
    if isinstance(value, Cued):
        yield name, value
    elif isinstance(value, dict):
        yield from (pair for key, item in value.items() for pair in held(item, f"{name}[{key}]"))
    elif isinstance(value, tuple):
        yield from (pair for number, item in enumerate(value) for pair in held(item, f"{name}[{number}]"))


MODULES = [
    importlib.import_module(f"triaged.reading.{item.name}") for item in pkgutil.iter_modules(triaged.reading.__path__)
]
ALL = [
    pair
    for module in MODULES
    for name, value in vars(module).items()
    for pair in held(value, f"{module.__name__[16:]}.{name}")
]
ALL += [pair for rule in _RULES for pair in held(rule.patterns, f"noise.{rule.word}")]
each = pytest.mark.parametrize("pattern", [value for _, value in ALL], ids=[name for name, _ in ALL])


def test_the_patterns_of_every_reader_are_found() -> None:
    assert len(ALL) > 60
    assert {name.split(".")[0] for name, _ in ALL} >= {"noise", "missing", "purpose", "facts_people", "facts_network"}


@each
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_pattern_matches_holds_one_of_its_cues(pattern: Cued, data: st.DataObject) -> None:
    text = Text.of(data.draw(st.from_regex(pattern.pattern)))
    assert pattern.pattern.search(text.text if pattern.as_written else text.small) is None or text.holds(pattern.cues)


@pytest.mark.parametrize("number", range(len(ALL)), ids=[name for name, _ in ALL])
def test_no_labelled_report_is_matched_without_a_cue(number: int) -> None:
    pattern = ALL[number][1]
    for text in TEXTS:
        found = pattern.pattern.search(text.text if pattern.as_written else text.small)
        assert found is None or text.holds(pattern.cues), found


OWN = sorted((Path(__file__).parents[2] / "measure" / "labels" / "own").iterdir())
TEXTS = [Text.of(path.read_text("utf-8", "replace")) for path in OWN]


@each
def test_cues_and_the_patterns_that_read_small_letters_are_in_small_letters(pattern: Cued) -> None:
    listed = [*pattern.cues.words, *(phrase for _, phrase in pattern.cues.phrases)]
    assert listed == [small(cue) for cue in listed]
    assert not pattern.pattern.flags & re.I
    assert pattern.as_written or not re.search(
        r"(?<!\\)[A-Z]", re.sub(r"\(\?P[<=]|\\u[0-9a-fA-F]{4}", "", pattern.pattern.pattern)
    )


@given(st.text())
def test_a_text_in_small_letters_is_as_long_as_it_was(text: str) -> None:
    assert len(small(text)) == len(text)


@pytest.mark.parametrize(
    ("letter", "plain"), [("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"), ("É", "é")]
)
def test_letters_that_match_where_case_is_ignored_become_the_letter_that_they_match(letter: str, plain: str) -> None:
    assert re.match(plain, letter, re.I) and small(letter) == plain


def test_a_cue_is_found_within_a_word_and_a_phrase_only_as_it_stands() -> None:
    text = Text.of("The BufferOverflow, in\nthe  wild")
    assert text.holds(cues("overflow")) and text.holds(cues("never|in\nthe"))
    assert not text.holds(cues("in the wild|the wild")) and not text.holds(Cues((), ()))


def test_spans_without_are_spaces_and_offsets_stay() -> None:
    text = Text.of("See HTTP://A.b/ now").without([(4, 15)])
    assert (text.text, text.small) == ("See             now", "see             now")
    assert cued("now", "now").found(text)


def test_a_class_of_weakness_is_given_where_it_is_first_named() -> None:
    found = weaknesses(Text.of("An XSS: stored cross-site scripting. No anti-CSRF token; CSRF though."))
    assert [(fact.value, fact.at) for fact in found] == [("CWE-79", (3, 6)), ("CWE-352", (57, 61))]
