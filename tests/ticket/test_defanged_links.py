"""AT-21: links in what is relayed are no links any more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ticket.shown import defanged

PLAINLY = re.compile(r"\b(h)tt(ps?://)", re.IGNORECASE)
PIECES = ("http", "https", "HTTPS", "://", "s://", "x", "_", " ", "\n", "é", "hxxp", "p")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://a.test", "hxxps://a[.]test"),
        ("see HTTP://a.test/x.y?u=https://b.test.", "see HxxP://a[.]test/x.y?u=hxxps://b[.]test[.]"),
        ("www.a.test and WWW.b.test/c.d", "www[.]a.test and WWW[.]b.test/c.d"),
        ("https://www.a.test:8443/", "hxxps://www[.]a[.]test:8443/"),
        ("https://[::1]/a.b", "hxxps://[::1]/a.b"),
        ("http://http://a", "hxxp://hxxp://a"),
        ("(http://a)", "(hxxp://a)"),
        ("xhttp://a", "xhttp://a"),
        ("ftp://a.b http:/b https", "ftp://a[.]b http:/b https"),
        ("", ""),
    ],
)
def test_links_are_no_links_any_more(written: str, shown: str) -> None:
    assert defanged(written) == shown


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_is_read_only_before_the_slashes_is_what_a_pattern_over_everything_finds(text: str) -> None:
    assert defanged(text) == PLAINLY.sub(r"\1xx\2", text)
