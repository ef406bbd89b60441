"""What the sender wrote now: quotes and signatures go, code and proofs of concept stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.message.replies import new_text

ATTRIBUTIONS = [
    "On Fri, 20 Nov 2026 at 09:12, Security <security@example.test> wrote:",
    "On Fri, 20 Nov 2026 at 09:12, Security\n<security@example.test> wrote:",
    "On Friday, November 20th, 2026 at 9:12 AM,\nSecurity Team of the Example Network\n<security@example.test> wrote:",
    "Security <security@example.test> wrote:",
    "Am 20.11.2026 um 09:12 schrieb Security <security@example.test>:",
    "Security <security@example.test> schrieb am Fr., 20. Nov. 2026\num 09:12 Uhr:",
    "Le ven. 20 nov. 2026 à 09:12, Security <security@example.test> a écrit :",
    "El vie, 20 nov 2026 a las 9:12, Security (<security@example.test>) escribió:",
    "Il giorno ven 20 nov 2026 alle ore 09:12 Security <security@example.test> ha scritto:",
    "Op vr 20 nov 2026 om 09:12 schreef Security <security@example.test>:",
    'Op 20 nov. 2026 09:12 schreef "Security" <security@example.test> het\nvolgende geschreven:',
    "Em sex., 20 de nov. de 2026 às 09:12, Security <security@example.test> escreveu:",
    "pt., 20 lis 2026 o 09:12 Security <security@example.test> napisał(a):",
    "Den fre 20 nov. 2026 kl 09:12 skrev Security <security@example.test>:",
    "fre. 20. nov. 2026 kl. 09:12 skrev Security <security@example.test\n>:",
    "pe 20. marrask. 2026 klo 9.12 Security\n<security@example.test> kirjoitti:",
    "пт, 20 нояб. 2026 г. в 09:12, Security <security@example.test>:",
    "20.11.2026 09:12, Security пишет:",
    "2026年11月20日(金) 9:12 Security <security@example.test>:",
    "Security <security@example.test> 于2026年11月20日周五 09:12写道：",
    "2026년 11월 20일 (금) 오전 9:12, Security <security@example.test>님이 작성:",
    "\u202bבתאריך יום ו׳, 20 בנוב׳ 2026 ב-9:12 מאת \u202aSecurity\u202c <security@example.test>\u202c כתב:",
    "---- On Fri, 20 Nov 2026 09:12:00 +0100 Security <security@example.test> wrote ----",
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "________________________________\nFrom: Security <security@example.test>\nSent: Friday, 20 November 2026 09:12\n"
    "To: Noa\nSubject: RE: XSS",
    "Von: Security <security@example.test>\nGesendet: Freitag, 20. November 2026 09:12\nAn: Noa\nBetreff: XSS",
    "De : Security <security@example.test>\nEnvoyé : vendredi 20 novembre 2026 09:12\nÀ : Noa\nObjet : XSS",
    "*From:* Security <security@example.test>\n*Date:* Friday\n*Subject:* XSS",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quote", ["> Which browser?\n>\n> Dana", "Which browser?\n\nDana"])
def test_what_stands_below_an_attribution_is_quoted(attribution: str, quote: str) -> None:
    assert new_text(f"It is Firefox.\n\n{attribution}\n\n{quote}\n", 10000) == "It is Firefox."


def test_answers_between_quotes_stay() -> None:
    text = (
        "On 20 Nov 2026, Security <s@example.test> wrote:\n> Which browser?\n\nFirefox.\n\n> Which version?\n\n140.\n"
    )
    assert new_text(text, 10000).split() == ["Firefox.", "140."]


@pytest.mark.parametrize(
    "code",
    [
        "GET /login HTTP/1.1\nHost: app.example.test\nFrom: noa@example.org\nDate: now\nTo: x\nSubject: y\n\nbody",
        "> GET /login HTTP/1.1\n> Host: app.example.test\n>\n< HTTP/1.1 200 OK",
        ">>> import os\n>>> os.system('id')",
        "```\nOn 1 May 2026, a@example.org wrote:\n> x\nFrom: a\nSent: b\nTo: c\n```",
        "MAIL FROM:<a@example.org>\nDATA\nFrom: a@example.org\nDate: x\nTo: b\nSubject: spoof\n.\n",
        "-- union select\n-- more comments\nselect 1;",
        "for x in y:\n    print(x)\n}",
        "I wrote this in 2026:\nlet x = 1\n",
        "On the surface it is safe.\nOn average it takes 3 tries:\n1. open\n2. click",
        "Mail sent from: noa@example.org\nTo: nobody",
    ],
)
def test_at27_code_and_proofs_of_concept_stay(code: str) -> None:
    text = f"Steps:\n\n{code}\n\nThat is all."
    assert new_text(text, 10000) == text


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nNoa\nExample Ltd",
        "--\nNoa",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Get Outlook for Android",
        "__________",
        "Envoyé de mon iPhone",
    ],
)
def test_signatures_go(signature: str) -> None:
    assert new_text(f"It is Firefox.\n\n{signature}\n", 10000) == "It is Firefox."


def test_an_attribution_at_the_top_takes_nothing_of_the_sender_with_it() -> None:
    assert (
        new_text("On 20 Nov 2026, Security <s@example.test> wrote:\n\nMy answer without quote marks.", 10000)
        == "My answer without quote marks."
    )


def test_beyond_the_limit_lines_stay_as_they_are() -> None:
    assert new_text("a\n> b\n> c", 2).split("\n") == ["a", "> c"]


def test_the_tail_of_a_quoted_line_that_was_wrapped_goes_with_it_and_an_answer_stays() -> None:
    long = "> The server at https://www.example.test/login answers with the password of every"
    assert new_text(f"Yes.\n\n{long}\nuser who asks\n> and so on", 100) == "Yes."
    assert new_text(f"Yes.\n\n{long}.\nit does not\n> and so on", 100) == "Yes.\n\nit does not"
    assert new_text(f"Yes.\n\n{long}\n\nit does not\n\n> and so on", 100) == "Yes.\n\n\nit does not"


def test_a_forward_without_a_word_is_the_forwarded_text() -> None:
    forward = (
        "---------- Forwarded message ---------\nFrom: Noa <noa@example.org>\nDate: Fri, 20 Nov 2026\n"
        "Subject: a hole\n in two lines\nTo: info@example.test\n\nYour login is open.\n"
    )
    assert new_text(forward, 100) == "Your login is open."
    assert new_text("For you.\n\n" + forward, 100) == "For you."


def test_a_quote_that_answers_nobody_is_the_text_and_an_empty_answer_is_none() -> None:
    assert new_text("> Your login is open.\n> Truly.\n", 100) == "> Your login is open.\n> Truly."
    assert new_text("On Fri, 20 Nov 2026, Security <security@example.test> wrote:\n> Thank you.\n", 100) == ""
    assert new_text("-----Original Message-----\nFrom: a\nSent: b\nTo: c\nSubject: d\n\nThank you.\n", 100) == ""


LINES = st.sampled_from(
    [
        "", " ", "Hello,", "> quoted", ">> deeper", ">", ">>> print(1)", "> GET / HTTP/1.1", "Host: a", "```", "-- ", "--", "Noa",
        "On Fri, 20 Nov 2026 at 09:12, Ada <a@example.test> wrote:", "On Friday", "<a@example.test> wrote:", "wrote:",
        "-----Original Message-----", "---------- Forwarded message ---------", "From: Ada", "Sent: Friday", "To: Noa",
        "Subject: x", "________________________________", "Sent from my phone", "begin 644 x", "SELECT 1; -- x", "x" * 500,
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=60), st.integers(min_value=0, max_value=70))
@settings(max_examples=500, deadline=None)
def test_at27_whatever_the_lines_are_only_lines_of_the_text_are_kept_in_their_order(
    lines: list[str], limit: int
) -> None:
    rest = iter([line.rstrip() for line in lines])
    kept = [line.rstrip() for line in new_text("\n".join(lines), limit).split("\n") if line.strip()]
    assert all(line in rest for line in kept)


@given(st.lists(st.from_regex(r"[A-Za-z]{3}[A-Za-z ]{0,80}[.!?]", fullmatch=True), max_size=30))
@settings(max_examples=200, deadline=None)
def test_plain_sentences_are_kept_whole(sentences: list[str]) -> None:
    text = "\n".join(sentence.strip() for sentence in sentences)
    assert new_text(text, 100) == text.strip("\n").rstrip()
