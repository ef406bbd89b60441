"""A megabyte of anything is read in less than a second (AT-27)."""

from __future__ import annotations

import time

import pytest

from triaged.message.parse import unreadable
from triaged.reading.facts import facts_of
from triaged.reading.missing import missing
from triaged.reading.noise import noise
from triaged.reading.purpose import purpose

MEGABYTE = 10**6
FRAGMENTS = [
    "a", "1", "1.", "1.1 ", "A 1.1 ", "a.", "a-", "a@", "http://", "http://a", "https://a.b/(", "(", "[.]", " ", "\n", "(dot)",
    "::",
    "1:",
    "@a ", "+1", "+1 ", "0x1234567890ABCDEF ", "ABCD ", "CVE-", "CWE-",
    "AV:N/", "CVSS:3.1/AV:N/AC:L", "by: ", "credit me as ",
    "Reported-by: a, ", "my ip ", "not be anonymous ", "within 90 days publish ", "on 1 January 2027 ", "x" * 63 + ".",
    "Host: a.b\n",
    "product: a\n", "version: 1\n", "Name before 1.2.3 ", "version version version 1.1 ", "no exploit in the wild ", "cross site ",
    "informed the vendor ", "1.2.3.4 ", "tested from 1.2.3.4, ",
    "'\"", "<", "> ", "foo@bar.baz ", "a [at] b [dot] ", "。", "- ", "1 Jan ",
    "( ( v", "with the version ", "[+] \n", "no rate ", "cookie ", "session ", "spf ", "is a ", "/a", "POST ", "step 1", "you ",
]  # fmt: skip


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_megabyte_of_one_fragment_takes_less_than_a_second(fragment: str) -> None:
    text = (fragment * (MEGABYTE // len(fragment) + 1))[:MEGABYTE]
    message = hostile(text)
    start = time.process_time()
    found = facts_of(text)
    missing(message, found)
    noise(message, found)
    purpose(message, found)
    assert time.process_time() - start < 1.0


def hostile(text: str):  # type: ignore[no-untyped-def]
    """A message whose whole text is this, past the reader of mail, which has tests of its own."""
    import dataclasses

    from letters import LIMITS

    return dataclasses.replace(unreadable(b"", LIMITS, "none"), text=text, new_text=text)
