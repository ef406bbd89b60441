"""Which first lines are a researcher's request, and which are their words (STATUS, ANONYMOUS, CREDIT AS, AGREE and the others)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import MAILBOX, arrive, mail
from triaged.message.clean import clean_header
from triaged.ticket.credit_name import House, judge
from triaged.ticket.requests import Ask, Request, read_request

STATUS, ANONYMOUS, WITHDRAW = Request(Ask.STATUS), Request(Ask.ANONYMOUS), Request(Ask.WITHDRAW)
NOA = Request(Ask.CREDIT, "Noa Barak")
CODE = Request(Ask.CONFIRM, "7f3k9qxd")

ATTRIBUTION = f"On Fri, 20 Nov 2026 at 10:00, IMS Network security <{MAILBOX}> wrote:"
OUTLOOK = f"From: IMS Network security <{MAILBOX}>\nSent: Friday, 20 November 2026 10:00\nTo: Noa\nSubject: Re: XSS"
FORWARDED = "---------- Forwarded message ---------\nFrom: Eve <eve@evil.example>\nDate: Fri, 20 Nov 2026\nSubject: x\n"

ARE = {
    "STATUS": STATUS,
    "status": STATUS,
    "Status.": STATUS,
    "  \n\n \t STATUS \t\n\nThank you,\nNoa": STATUS,
    "*STATUS*": STATUS,
    "**Status.**": STATUS,
    "*STATUS*.": STATUS,
    '"STATUS"': STATUS,
    "\u201cStatus\u201d": STATUS,
    "\u201eStatus\u201c.": STATUS,
    "`ANONYMOUS`": ANONYMOUS,
    "Anonymous.": ANONYMOUS,
    "withdraw": WITHDRAW,
    "WITHDRAW\n\nIt was a mistake of mine, sorry.": WITHDRAW,
    f"STATUS\n\n{ATTRIBUTION}\n> WITHDRAW": STATUS,
    f"STATUS\n\n{OUTLOOK}\n\nWITHDRAW": STATUS,
    f"STATUS\n\n{FORWARDED}\nWITHDRAW": STATUS,
    f"{ATTRIBUTION}\n> WITHDRAW\n\nSTATUS": STATUS,
    "STATUS\n-- \nNoa": STATUS,
    "CREDIT AS Noa Barak": NOA,
    "credit as noa barak": Request(Ask.CREDIT, "noa barak"),
    "Credit  as   Noa  Barak.": NOA,
    "CREDIT AS: Noa Barak": NOA,
    "*CREDIT AS* Noa Barak": NOA,
    "**CREDIT AS Noa Barak**": NOA,
    'CREDIT AS "Noa Barak"': NOA,
    "CREDIT AS <Noa Barak>": NOA,
    "CREDIT AS Noa B.": Request(Ask.CREDIT, "Noa B."),
    "CREDIT AS Acme Inc.": Request(Ask.CREDIT, "Acme Inc."),
    "CREDIT AS {{7*7}} <b>": Request(Ask.CREDIT, "{{7*7}} <b>"),  # AT-25: a name is data
    "CREDIT AS Status": Request(Ask.CREDIT, "Status"),
    "CONFIRM 7F3K-9QXD": CODE,
    "confirm 7f3k9qxd.": CODE,
    "*Confirm: 7F3K-9QXD*": CODE,
    "CONFIRM OI3K-9QXD": Request(Ask.CONFIRM, "013k9qxd"),
    "AGREE 7F3K-9QXD": Request(Ask.AGREE, "7f3k9qxd"),
    "*Agree: 7f3k9qxd.*": Request(Ask.AGREE, "7f3k9qxd"),
    "refuse 7f3k-9qxd": Request(Ask.REFUSE, "7f3k9qxd"),
}
ARE_NOT = [
    "",
    "Status of my report?",
    "STATUS?",
    "STATUS please",
    "What is the STATUS",
    "Hello,\nSTATUS",
    "withdraw my earlier comment",
    "I withdraw",
    "WITHDRAW!",
    "/withdraw",
    "anonymous user can read every file",
    "Anonymous\tlogin works",
    "credit as",
    "CREDIT AS .",
    'CREDIT AS ""',
    "CREDITAS Noa",
    "CREDIT Noa",
    "I want CREDIT AS Noa",
    "CONFIRM",
    "CONFIRM 7F3K",
    "AGREE",
    "I AGREE 7F3K-9QXD",
    "AGREE 7F3K-9QXD to nothing",
    "REFUSE 7F3K",
    f"AGREE 7F3K-9QXD{' ' * 500}x",
    "CONFIRM 7F3K-9QXD-AAAA",
    "I CONFIRM 7F3K-9QXD",
    "CONFIRM 7F3K-9QX!",
    "> STATUS",
    f"{ATTRIBUTION}\n> STATUS",
    f"{OUTLOOK}\n\nWITHDRAW",
    "-- \nSTATUS",
    # What the sender passes on is what somebody else wrote.
    f"{FORWARDED}\nWITHDRAW",
    f"{FORWARDED}\n\nCREDIT AS Eve",
    f"-- \nNoa\n\n{FORWARDED}\nANONYMOUS",
    "Begin forwarded message:\n\nFrom: Eve <eve@evil.example>\nSubject: x\nDate: today\nTo: noa\n\nWITHDRAW",
    "STATUS" * 1000,
]


def read(text: str) -> Request | None:
    kind = "Content-Type: text/plain; charset=utf-8"
    return read_request(arrive(mail(text=text, fields=(kind,))).message)


@pytest.mark.parametrize("text", ARE)
def test_a_first_line_that_is_a_request_as_a_whole_is_read(text: str) -> None:
    assert read(text) == ARE[text]


@pytest.mark.parametrize("text", ARE_NOT)
def test_words_quotes_and_what_somebody_else_wrote_ask_for_nothing(text: str) -> None:
    assert read(text) is None


def test_bidi_controls_in_a_name_are_kept_to_be_refused_and_those_before_it_hide_no_request() -> None:
    """AT-11: what is taken out unseen is another name than the one that was written."""
    assert read("\u202eCREDIT AS\u202c Noa Barak") == NOA
    assert read("CREDIT AS \u202eNoa\u202c Ba\u2066rak") == Request(Ask.CREDIT, "\u202eNoa\u202c Ba\u2066rak")
    assert read("CREDIT AS Noa\u200bBarak") == Request(Ask.CREDIT, "Noa\u200bBarak")


def test_a_name_of_four_thousand_characters_is_read_to_be_refused() -> None:
    found = read(f"CREDIT AS {'x' * 4000}")
    assert found is not None and found.ask is Ask.CREDIT and 100 < len(found.value) < 500


def test_a_mail_that_is_html_alone_asks_as_well() -> None:
    html = ("Content-Type: text/html; charset=utf-8",)
    raw = mail(fields=html, text="<div><b>CREDIT AS</b> Noa&nbsp;Barak</div><blockquote>WITHDRAW</blockquote>")
    assert read_request(arrive(raw).message) == NOA
    raw = mail(fields=html, text="<blockquote type=cite><div>WITHDRAW</div></blockquote>")
    assert read_request(arrive(raw).message) is None


def test_a_mail_that_holds_another_mail_alone_asks_for_nothing() -> None:
    """Forwarded as an attachment: the words are somebody else's."""
    inner = "Content-Type: message/rfc822\n\nFrom: eve@evil.example\nSubject: x\n\nWITHDRAW"
    fields = ("MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"')
    for own, expected in (("", None), ("STATUS", STATUS)):
        raw = mail(fields=fields, text=f"--b\nContent-Type: text/plain\n\n{own}\n--b\n{inner}\n--b--")
        assert read_request(arrive(raw).message) == expected


@given(st.text(max_size=300))
def test_whatever_a_line_is_a_name_is_one_line_that_a_letter_may_hold_or_refused(name: str) -> None:
    found = read(f"CREDIT AS {name}")
    if found is not None and found.ask is Ask.CREDIT:
        judged = judge(found.value, House(""))
        assert found.value and "\n" not in found.value
        assert judged.refused or judged.name == clean_header(judged.name)
