"""Four times the text takes about four times as long, never sixteen: parsing, the reply reader and the readers of facts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from triaged.daemon.desks import message_limits
from triaged.message.html import html_to_text
from triaged.message.parse import parse
from triaged.message.replies import new_text, own_words
from triaged.reading.facts import facts_of
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())
SMALL = 15_000  # characters; below every limit, so that it is not a limit that makes it linear
FRAGMENTS = [
    "> > > ", "> x\n", "> \n", "On Monday, 1 May 2026 at 10:00, a@example.org wrote:\n", "On a\n", "wrote:\n", "On ",
    "<a@b.c> wrote:\n",
    "From: a\nSent: b\n", "From: a\n\n", "-----Original Message-----\n", "________________\n", "---------- Forwarded message\n",
    "```\n",
    ">>> x\n", "-- \n", "--\n", "Sent from my x\n", "a:", "( ", "(", "<", "\"", " ", "\n", "-", "=?utf-8?q?", "\u202b", "写道：\n",
    "begin 644 x\n",
    "https://a.test/ ", "a@", "1.", "x" * 400 + "\n", "--b\n", "\t", ";", "\";", "; a=\"", "\\\"",
]  # fmt: skip


def as_header(text: str) -> None:
    line = text.replace("\n", " ")[: LIMITS.header_bytes - 20]
    parse(f"From: {line}\r\nTo: {line}\r\nSubject: {line}\r\nReferences: {line}\r\n\r\nx".encode(), LIMITS)


READERS: dict[str, Callable[[str], object]] = {
    "message": lambda text: parse(f"From: noa@example.org\r\nSubject: x\r\n\r\n{text}".encode(), LIMITS),
    "parts": lambda text: parse(f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\n\n{text}".encode(), LIMITS),
    "report": lambda text: parse(f"From: <>\r\nSubject: failure notice\r\n\r\n{text}".encode(), LIMITS),
    "report fields": lambda text: parse(
        "From: <>\r\nSubject: failure notice\r\nContent-Type: multipart/mixed; boundary=b{0}\r\n"
        "Content-Disposition: inline; name=b{0}\r\n\r\nx".format(text.replace("\n", "\n ")).encode()
        + b"\xff",
        LIMITS,
    ),
    "reply": lambda text: new_text(text, 10**9),
    "own words": lambda text: own_words(text, 10**9),
    "html": lambda text: html_to_text(f"<p>{text}", 10**9),
    "facts": facts_of,
}


def seconds(reader: Callable[[str], object], text: str) -> float:
    """The least of two, in CPU."""
    found = []
    for _ in range(2):
        start = time.process_time()
        reader(text)
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.parametrize("name", READERS)
def test_at27_four_times_the_text_takes_no_ten_times_as_long(name: str) -> None:
    reader = READERS[name]
    reader("Some words.\n" * 10)  # lazy imports
    slow = []
    for fragment in FRAGMENTS:
        text = fragment * (4 * SMALL // len(fragment))
        long = seconds(reader, text)
        if long > 0.03 and long > 10 * seconds(reader, text[: len(text) // 4]):
            slow.append((fragment, long))
    assert slow == []


@pytest.mark.parametrize("fragment", ["(", '"', "<", ":", "a:", '\\"', "(:", "a@b.c, ", "=?utf-8?q?a:b?= ", "\u0430a "])
def test_at14_a_header_of_one_fragment_is_read_in_a_tenth_of_a_second(fragment: str) -> None:
    text = fragment * (LIMITS.header_bytes // len(fragment))
    as_header("a <a@example.org>")
    assert seconds(as_header, text) < 0.1
