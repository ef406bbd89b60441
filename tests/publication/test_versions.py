"""The team's words about versions: what is read, and what stays words because a wrong range would be worse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.publication.versions import Range, Versions, compared, holds, read, scheme, singles, vers

READ = [
    ("before 2.3.1", "", Versions((Range(fixed="2.3.1"),))),
    ("all versions before v2.3.1", "2.3.1", Versions((Range(fixed="2.3.1"),))),
    ("< 3", "", Versions((Range(fixed="3"),))),
    ("2.0 to 2.3", "", Versions((Range("2.0", last="2.3"),))),
    ("2.0 \u2013 2.3", "", Versions((Range("2.0", last="2.3"),))),
    ("2.0 to 2.3", "2.3.1", Versions((Range("2.0", last="2.3"),))),
    ("2.0 to 2.3", "2.3.0", Versions((Range("2.0", fixed="2.3"),))),  # the fix is in 2.3: it is not affected
    ("from 2.0 before 2.4", "", Versions((Range("2.0", fixed="2.4"),))),
    (">= 1.0, < 2.0", "", Versions((Range("1.0", fixed="2.0"),))),
    ("1.4 and earlier", "", Versions((Range(last="1.4"),))),
    ("since 1.4", "", Versions((Range("1.4"),))),
    ("since 1.4", "2.0", Versions((Range("1.4", fixed="2.0"),))),
    ("1.0, 1.1", "", Versions(single=("1.0", "1.1"))),
    ("1.2, 1.3 and 1.4", "", Versions(single=("1.2", "1.3", "1.4"))),
    ("1.0 to 1.4; 2.0 to 2.3", "1.5, 2.4", Versions((Range("1.0", last="1.4"), Range("2.0", last="2.3")))),
    ("all", "", Versions((Range(),))),
    ("All versions", "2.3.1", Versions((Range(fixed="2.3.1"),))),
    ("", "2.3.1", Versions()),
]
WORDS = [
    ("our website", ""),
    ("2.x", ""),
    ("1.0+", ""),
    ("1.0-1.5", ""),  # a range, or a version with a label
    ("before 2.3.1, except 2.2.9", ""),
    ("before 1.9.5, before 2.3.1", "1.9.5, 2.3.1"),  # two branches, which no union says
    (">= 1.0, < 2.0, 3.1", ""),
    ("before 1.9.5, 2.0", ""),
    ("2.3 to 2.0", ""),
    ("2.0 to 2.3", "2.2"),  # the fix would be affected
    ("1.0, 1.1", "1.1.0"),
    ("all", "1.9.5, 2.3.1"),
    ("all", "the build of May"),
    ("between 1.0 and 2.0", ""),  # who knows whether 2.0 is
    ("after 1.0", ""),
    ("1.0, " * 300, ""),
]


@pytest.mark.parametrize(("affected", "fixed_in", "wanted"), READ)
def test_words_about_versions_are_read(affected, fixed_in, wanted):
    assert read(affected, fixed_in) == wanted


@pytest.mark.parametrize(("affected", "fixed_in"), WORDS)
def test_what_cannot_be_read_surely_stays_words(affected, fixed_in):
    found = read(affected, fixed_in)
    assert found.words
    assert (found.ranges, found.single) == ((), ())


def test_ranges_are_written_as_vers():
    assert vers(Range("2.0", fixed="2.3"), "intdot") == "vers:intdot/>=2.0|<2.3"
    assert vers(Range(last="1.0+b"), "generic") == "vers:generic/<=1.0%2Bb"
    assert vers(Range(), "generic") == "vers:generic/*"
    assert scheme(read("before 2.3.1")) == "intdot"
    assert scheme(read("before 2.3.1-rc2")) == "generic"
    assert singles("2.3.1 and 1.9.4") == ("2.3.1", "1.9.4")
    assert singles("the next one") == ()


numbers = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_words_are_read_or_kept(affected, fixed_in):
    found = read(affected, fixed_in)
    assert not (found.words and (found.ranges or found.single))


@given(start=numbers, end=numbers, fix=numbers, one=numbers)
def test_no_range_holds_what_the_words_do_not(start, end, fix, one):
    for said, holding in (
        (f"before {end}", lambda v: compared(v, end) == -1),
        (f"{start} to {end}", lambda v: compared(start, v) != 1 and compared(v, end) != 1),
        (f"since {start}", lambda v: compared(start, v) != 1),
    ):
        for found in read(said, fix).ranges:
            assert not holds(found, one) or holding(one)
            assert not holds(found, fix)
