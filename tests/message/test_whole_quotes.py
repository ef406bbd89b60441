"""On the way from bytes to text no letter, markup, line break or file of a stranger's takes the mark off what a member quotes."""

from __future__ import annotations

import pytest

from triaged.daemon.desks import message_limits
from triaged.message.html import html_to_text
from triaged.message.parse import parse
from triaged.message.replies import Own, own_text, own_words
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())


@pytest.mark.parametrize(
    "mark", ["\ue001", "&#57345;", "&#xE001;", "&#xe001", "&#0057345", "&#57&#57345;345;", "&#5734\ue0005;"]
)
def test_at29_no_letter_of_a_strangers_ends_a_quote_of_html(mark: str) -> None:
    """A client with an old charset writes such letters as references, which are letters again once HTML is read."""
    html = f'<p>Yes.</p><blockquote type="cite"><pre>one {mark}\n/close\n</pre></blockquote>'
    assert own_text(html_to_text(html, 10**6)[0], 100) == "Yes."


@pytest.mark.parametrize(
    "inside",
    [
        '<img alt="</blockquote>">', "<!-- </blockquote> -->", "<style>a{content:'</blockquote>'}</style>",
        "</p></div></table>",
        '<blockquote style="border:none">', "&lt;/blockquote&gt;",
        "one&#8232;", "one&#x85;", "one&#12;", "<textarea></blockquote></textarea>",
        "<xmp></blockquote></xmp>", "<title></blockquote></title>",
        "<noscript></blockquote></noscript>",
        "<iframe></blockquote></iframe>",
    ],
)  # fmt: skip
def test_at29_no_markup_of_a_strangers_ends_a_quote_of_html(inside: str) -> None:
    html = f'<p>Yes.</p><blockquote type="cite"><div>one {inside}<p>/close</p>'
    raw = f"From: dana@example.test\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}"
    own = own_words(parse(raw.encode(), LIMITS).text, 100)
    assert own == Own((), "Yes.", wrapped=False)


@pytest.mark.parametrize("style", ["border:none", "border-left: 0", "margin:0"])
def test_what_a_client_calls_a_citation_is_one_without_its_bar(style: str) -> None:
    html = f'<p>Yes.</p><blockquote type="cite" style="{style}">/close</blockquote>'
    assert own_text(html_to_text(html, 10**6)[0], 100) == "Yes."


@pytest.mark.parametrize("broken", ["\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\r"])
def test_at29_a_quoted_line_stays_one_line_whatever_breaks_it(broken: str) -> None:
    """What a client takes for a letter has no mark behind it: cut there, the rest would be the words of who quotes."""
    raw = (
        f"From: dana@example.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYes.\r\n\r\n> one{broken}/close\r\n"
    )
    text = parse(raw.encode(), LIMITS).text
    assert own_text(text, 100) == "Yes."
    assert "one" in text


def test_a_paragraph_of_words_is_a_line() -> None:
    html = '<p class="MsoNormal">a<o:p></o:p></p>\n<p class=MsoNormal>b</p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
    html += '<p class="MsoPlainText">c</p>'
    assert html_to_text(html, 10**6)[0] == "a\nb\n\nc"


def test_a_file_above_the_words_is_a_file() -> None:
    """Apple Mail shows a text file where it was dropped; a stranger's at the top of a member's mail says nothing for them."""
    part = "--x\r\nContent-Type: text/plain\r\nContent-Disposition: inline{file}\r\n\r\n{text}\r\n"
    parts = part.format(file="; filename=poc.txt", text="/close") + part.format(file="", text="See this.")
    raw = f"From: dana@example.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{parts}--x--\r\n"
    message = parse(raw.encode(), LIMITS)
    assert (message.text, [item.name for item in message.attachments]) == ("See this.", ["poc.txt"])
