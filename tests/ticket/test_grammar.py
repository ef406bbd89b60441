"""A member's words read as commands and text: parsed right, or refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.message.replies import own_words
from triaged.ticket.commands import VERBS, help_text
from triaged.ticket.grammar import Orders, Refused, read_orders, stray_command, takes_text


def read(words: str) -> Orders:
    found = read_orders(own_words(words, 1000))
    assert isinstance(found, Orders), found
    return found


def refused(words: str) -> Refused:
    found = read_orders(own_words(words, 1000))
    assert isinstance(found, Refused), found
    return found


@pytest.mark.parametrize(
    ("words", "orders", "text"),
    [
        ("Thank you.", [], "Thank you."),
        ("/close", ["/close"], ""),
        ("/Close\r\n", ["/close"], ""),
        ("\n\n/assign me\n/ask\n\nWhich version?\n", ["/assign me", "/ask"], "Which version?"),
        ("/assign me\n\n/ask\nWhich version?", ["/assign me", "/ask"], "Which version?"),
        ("/extend  2026-12-24\tthe   vendor", ["/extend 2026-12-24 the vendor"], ""),
        ("/assess\u00a0accepted high", ["/assess accepted high"], ""),
        ("  /note  \nseen", ["/note"], "seen"),
        ("/reply\nfirst\n\n/etc/passwd is readable\n", ["/reply"], "first\n\n/etc/passwd is readable"),
    ],
)
def test_commands_at_the_top_are_read_and_the_text_below_them(words: str, orders: list[str], text: str) -> None:
    found = read(words)
    assert ([str(order) for order in found.orders], found.text) == (orders, text)


def test_a_slash_line_further_down_is_text_and_is_named() -> None:
    found = read("/reply\nWe read it.\n/close\n/etc/passwd")
    assert [str(order) for order in found.orders] == ["/reply"]
    assert found.below == ("/close", "/etc/passwd")
    assert read("We read it.\n/close").below == ("/close",)


@pytest.mark.parametrize("line", ["/etc/passwd is readable", "/close:", "/bin/sh -c id"])
def test_a_first_line_that_looks_like_a_command_and_is_none_is_refused_with_the_mend(line: str) -> None:
    assert "is none" in refused(line).why and "/help" in refused(line).mend


def test_a_mistyped_command_is_refused_and_the_near_one_named() -> None:
    assert refused("/asses accepted").why == "there is no command /asses" and "/assess" in refused("/asses x").mend
    assert "no command /frobnicate" in refused("/frobnicate").why


def test_one_bad_command_among_good_ones_refuses_all() -> None:
    assert refused("/assign me\n/frobnicate\n/close").why == "there is no command /frobnicate"


def test_a_long_command_that_a_client_may_have_wrapped_is_refused() -> None:
    """The end of a reason must not become a text to the researcher."""
    long = "/extend 2026-12-24 the vendor of the component that we build on needs"
    assert "belongs to the long line" in refused(f"{long}\ntwo more weeks").why
    assert read(f"{long}\n\nA note of its own.").text == "A note of its own."
    assert str(read(long).orders[0]) == long


def test_too_many_commands_are_refused() -> None:
    assert "more than 20" in refused("\n".join(["/show"] * 21)).why


def test_a_text_goes_with_one_command_only() -> None:
    assert isinstance(takes_text(read("/reply\n/note\nhello")), Refused)
    assert isinstance(takes_text(read("/ask")), Refused), "a question without words is none"
    taker = takes_text(read("/assign me\n/ask\nWhich version?"))
    assert not isinstance(taker, Refused) and taker is not None and taker.verb.name == "ask"
    assert takes_text(read("/close\n\nsome words")) is None


def test_the_help_names_every_command_once_and_fits_a_mail() -> None:
    text = help_text()
    for verb in VERBS.values():
        assert text.count(f"\n  /{verb.usage}\n") == 1
    assert max(map(len, text.split("\n"))) <= 130


@given(
    st.lists(
        st.sampled_from(["/close", "/reply", "/x", "text", "", "/etc/passwd", "/assign me"]),
        max_size=12,
    )
)
def test_nothing_is_lost_and_no_command_comes_from_below_the_text(lines: list[str]) -> None:
    found = read_orders(own_words("\n".join(lines), 1000))
    if isinstance(found, Refused):
        assert found.why and found.mend
        return
    first = next((n for n, line in enumerate(lines) if line and not line.startswith("/")), len(lines))
    assert len(found.orders) == sum(line.startswith("/") for line in lines[:first])
    assert found.text == "\n".join(lines[first:]).strip("\n").rstrip()


@given(st.text(max_size=300))
def test_no_words_make_the_reader_raise(words: str) -> None:
    assert isinstance(read_orders(own_words(words, 1000)), Orders | Refused)


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("> What now?\n\n/xreopen\n\nThe vault is open.", "/xreopen"),
        ("> What now?\n\n/note\nThe vault is open.", "/note"),
        ("> What now?\n\nListen:\n/note\nThe vault is open.", "/note"),
        ("> What now?\n\nLook at\n/xreopen\nplease", ""),
        ("> What now?\n\n/etc/passwd can be read.", ""),
    ],
)
def test_a_line_below_a_quote_that_may_have_been_meant_as_a_command_is_found(text: str, stray: str) -> None:
    """AT-29: a text that begins like a command goes to nobody as an answer, mistyped or not."""
    assert stray_command(read(text)) == stray
