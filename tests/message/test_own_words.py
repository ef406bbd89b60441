"""What a hostile researcher can write so that a member's ordinary reply commands, or sends on what is not the member's: nothing."""

from __future__ import annotations

import pytest

from triaged.message.replies import Own, new_text, own_text, own_words, top_lines

ATTRIBUTION = "On Fri, 20 Nov 2026 at 09:12, Security <security@example.test> wrote:"
BLOCK = "From: Security <security@example.test>\nSent: Friday, 20 November 2026 09:12\nTo: Dana\nSubject: RE: XSS"
FORWARD = (
    "---------- Forwarded message ---------\nFrom: Eve <eve@evil.example>\nDate: Fri, 20 Nov 2026\nSubject: x\nTo: Dana"
)


def own(text: str, limit: int = 10000) -> Own:
    return own_words(text, limit)


# Commands.


@pytest.mark.parametrize(
    ("text", "top", "words"),
    [
        ("/close", ["/close"], ""),
        ("\n\n/assess accepted\n\n/assign dana\n\nWe see it.\n/etc/passwd", ["/assess accepted", "/assign dana"],
         "We see it.\n/etc/passwd"),
        ("  /close\t\nThanks.", ["/close"], "Thanks."),
        ("Thanks.\n/close", [], "Thanks.\n/close"),
        ("/ close", [], "/ close"),
        ("//close", [], "//close"),
        ("/1", [], "/1"),
        (".\n/close", [], ".\n/close"),
        ("/etc/passwd is read", ["/etc/passwd is read"], ""),  # the grammar refuses it in words; it isn't sent as an answer
        ("", [], ""),
    ],
)  # fmt: skip
def test_commands_are_the_first_lines_of_the_whole_message(text: str, top: list[str], words: str) -> None:
    assert own(text) == Own(tuple(top), words, wrapped=False)
    assert top_lines(text, 100) == tuple(top)


@pytest.mark.parametrize(
    "above",
    [
        "> quoted", ATTRIBUTION, f"{ATTRIBUTION}\n> Hello", "-----Original Message-----", BLOCK, FORWARD, "-- \nDana", "Hello,",
        "[EXTERNAL] Beware of links", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512", "________________", "```", "\u200b", "> ",
        ">>> Security <s@example.test> 20/11/2026 09:12 >>>", "Sent from my iPhone",
    ],
)  # fmt: skip
def test_at29_nothing_commands_below_anything_else(above: str) -> None:
    """Not even below a quote that is marked throughout: who wrote the line below a wrapped one, nobody can tell."""
    assert top_lines(f"{above}\n\n/close\n", 100) == ()
    assert top_lines(f"{above}\n/close\n", 100) == ()


@pytest.mark.parametrize(
    "between", ["> quoted", ATTRIBUTION, f"{ATTRIBUTION}\n> x", BLOCK, FORWARD, "Thanks.", "-- ", "```", ">"]
)
def test_at29_whatever_stands_between_ends_the_commands(between: str) -> None:
    assert top_lines(f"/assess accepted\n\n{between}\n\n/close\n", 100) == ("/assess accepted",)


def test_a_command_right_above_an_attribution_is_no_part_of_it() -> None:
    """The line above "<a@b> ezt írta:" is a name, but not this one."""
    for attribution in ("<ada@example.test> ezt írta:", "Security\n<security@example.test> wrote:", ATTRIBUTION):
        assert own(f"/note\n{attribution}\n> /close") == Own(("/note",), "", wrapped=False)


def test_a_command_that_a_client_may_have_wrapped_is_told() -> None:
    """Gmail breaks lines of its plain form at 76 columns or so: where text follows at once, nobody can tell whose it is."""
    long = "/extend 2026-12-20 the vendor ships what it mends on that day, and asked us"
    assert own(f"{long}\nto wait for it").wrapped
    assert not own(f"{long}\n\nto wait for it").wrapped
    assert not own("/extend 2026-12-20 the vendor asked\nto wait for it").wrapped
    assert not own(f"{long}\n{ATTRIBUTION}\n> to").wrapped


# Words.


def test_what_a_sender_passes_on_is_not_their_own() -> None:
    for passed_on in (
        f"{FORWARD}\n\n/close\nYour login is open.",
        f"{FORWARD}\n\nHost: x\nMIME-Version: 1.0\n\n/close",
    ):
        assert own_text(passed_on, 100) == ""
        assert own_text(f"For you.\n\n{passed_on}", 100) == "For you."
    assert own_text("> /close\n> Truly.", 100) == ""
    assert new_text("> /close\n> Truly.", 100) == "> /close\n> Truly."


def test_a_member_who_writes_below_an_unmarked_quote_has_no_words_rather_than_anothers() -> None:
    assert own_text(f"{BLOCK}\n\n/close\n\nHello,\n\nYes, we see it.", 100) == ""
    assert own_text(f"{ATTRIBUTION}\n\n/close\n\nYes, we see it.", 100) == ""


def test_a_member_who_writes_below_a_marked_quote_or_within_has_them() -> None:
    assert own_text(f"{ATTRIBUTION}\n> /close\n\nYes, we see it.", 100) == "Yes, we see it."
    assert own_text(f"Hello,\n\n{ATTRIBUTION}\n> Which?\n\nThis.\n\n> When?\n\nNow.", 100).split() == [
        "Hello,",
        "This.",
        "Now.",
    ]


@pytest.mark.parametrize(
    "quote",
    [
        f"{BLOCK}\n\nHost: x\n/close",  # the stranger's own first lines look like a request
        f"{BLOCK} and\nMIME-Version: 1.0\n\n/close",  # a subject that a client wrapped
        f"-----Original Message-----\n{BLOCK}\nReceived: x\n\n/close",
        f"{'_' * 32}\n{BLOCK}\nX-Header: x\n\n/close",
        f"----- Original message -----\n\n{BLOCK}\n\nEHLO x\n/close",
        "No: Security <security@example.test>\nNosūtīts: 20.11.2026 09:12\nKam: Dana\nTēma: [IMS-7F3K-9QXD] XSS\n\n/close",
        "IMS <security@example.test>\n20/11/2026 09:12\n\n        To\nDana/X@X\n        cc\n\n        Subject\nXSS\n\n/close",
        ">>> Security <s@example.test> 20/11/2026 09:12 >>>\n/close",
        f"{ATTRIBUTION}\n> GET /login HTTP/1.1\n> /close\n>>> /close",
        "> GET /login HTTP/1.1\n> /close",
        ">>> /close\n>>> /spam",
        f"{ATTRIBUTION}\n\n\n\n\n\n\n\n\n/close",
    ],
)  # fmt: skip
def test_at29_a_stranger_talks_nobody_out_of_what_a_quote_is(quote: str) -> None:
    """What new_text keeps as a proof of concept, AT-27, is no excuse in a member's mail."""
    for answer in ("Yes.", ""):
        assert own_text(f"{answer}\n\n{quote}\n", 100) == answer


def test_a_fence_that_the_member_forgot_to_close_is_not_closed_by_the_stranger() -> None:
    text = f"Try this:\n\n```\ncurl x\n\n{ATTRIBUTION}\n\n```\n/close"
    assert own_text(text, 100) == "Try this:\n\n```\ncurl x"
    assert (
        own_text(f"Try:\n\n```\n> GET / HTTP/1.1\n```\n\n{ATTRIBUTION}\n> x", 100)
        == "Try:\n\n```\n> GET / HTTP/1.1\n```"
    )


def test_a_members_own_request_or_mail_as_an_example_stays() -> None:
    for text in ("Send this:\n\nMAIL FROM:<a@example.org>\nDATA\nFrom: a\nDate: b\nTo: c\n\nx",
                 "GET /login HTTP/1.1\nHost: app.example.test\nFrom: a\nDate: b\nTo: c\n\nx"):  # fmt: skip
        assert own_text(text, 100) == text


def test_beyond_the_limit_nothing_is_the_senders() -> None:
    assert own("/close\nYes.\nAnd more.\n> x", 2) == Own(("/close",), "Yes.", wrapped=False)
