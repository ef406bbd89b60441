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


# What Gmail writes above a quote, by its language.
IN_LANGUAGES = {
    "en": "On Fri, 20 Nov 2026 at 09:12, Ada <ada@example.test> wrote:",
    "de": "Am Fr., 20. Nov. 2026 um 09:12 Uhr schrieb Ada <ada@example.test>:",
    "fr": "Le ven. 20 nov. 2026 à 09:12, Ada <ada@example.test> a écrit :",
    "es": "El vie, 20 nov 2026 a las 9:12, Ada (<ada@example.test>) escribió:",
    "it": "Il giorno ven 20 nov 2026 alle ore 09:12 Ada <ada@example.test> ha scritto:",
    "nl": "Op vr 20 nov 2026 om 09:12 schreef Ada <ada@example.test>:",
    "pt": "Em sex., 20 de nov. de 2026 às 09:12, Ada <ada@example.test> escreveu:",
    "pl": "pt., 20 lis 2026 o 09:12 Ada <ada@example.test> napisał(a):",
    "sv": "Den fre 20 nov. 2026 kl 09:12 skrev Ada <ada@example.test>:",
    "da": "Den fre. 20. nov. 2026 kl. 09.12 skrev Ada <ada@example.test>:",
    "nb": "fre. 20. nov. 2026 kl. 09:12 skrev Ada <ada@example.test>:",
    "fi": "pe 20. marrask. 2026 klo 9.12 Ada (ada@example.test) kirjoitti:",
    "hu": "Ada <ada@example.test> ezt írta (időpont: 2026. nov. 20., P, 9:12):",
    "cs": "pá 20. 11. 2026 v 9:12 odesílatel Ada <ada@example.test> napsal:",
    "sk": "pi 20. 11. 2026 o 9:12 Ada <ada@example.test> napísal(a):",
    "ro": "În vin., 20 nov. 2026 la 09:12, Ada <ada@example.test> a scris:",
    "tr": "Ada <ada@example.test>, 20 Kas 2026 Cum, 09:12 tarihinde şunu yazdı:",
    "ru": "пт, 20 нояб. 2026 г. в 09:12, Ada <ada@example.test>:",
    "uk": "пт, 20 лист. 2026 р. о 09:12 Ada <ada@example.test> пише:",
    "bg": "На пт, 20.11.2026 г. в 9:12 Ada <ada@example.test> написа:",
    "el": "Στις Παρ 20 Νοε 2026 στις 9:12 π.μ., ο χρήστης Ada <ada@example.test> έγραψε:",
    "hr": "pet, 20. stu 2026. u 09:12 Ada <ada@example.test> napisao je:",
    "sl": "V V pet., 20. nov. 2026 ob 09:12 je oseba Ada <ada@example.test> napisala:",
    "lt": "2026-11-20, pn, 09:12 Ada <ada@example.test> rašė:",
    "lv": "piektd., 2026. g. 20. nov., plkst. 09:12 — lietotājs Ada (<ada@example.test>) rakstīja:",
    "et": "Kuupäev R, 20. november 2026 kell 09:12 kirjutas Ada <ada@example.test>:",
    "ca": "El dv., 20 de nov. 2026, 9:12, Ada <ada@example.test> va escriure:",
    "he": "בתאריך יום ו׳, 20 בנוב׳ 2026 ב-9:12 מאת Ada <ada@example.test> כתב:",
    "ar": "في الجمعة، 20 نوفمبر 2026 في 9:12 ص تمت كتابة ما يلي بواسطة Ada <ada@example.test>:",
    "fa": "در تاریخ جمعه ۲۰ نوامبر ۲۰۲۶، ۹:۱۲ Ada <ada@example.test> نوشت:",
    "zh": "Ada <ada@example.test> 于2026年11月20日周五 09:12写道：",
    "zh-tw": "Ada <ada@example.test> 於 2026年11月20日 週五 上午9:12寫道：",
    "ja": "2026年11月20日(金) 9:12 Ada <ada@example.test>:",
    "ko": "2026년 11월 20일 (금) 오전 9:12, Ada <ada@example.test>님이 작성:",
    "vi": "Vào Th 6, 20 thg 11, 2026 vào lúc 09:12 Ada <ada@example.test> đã viết:",
    "id": "Pada tanggal Jum, 20 Nov 2026 pukul 09.12 Ada <ada@example.test> menulis:",
    "th": "ในวันที่ ศ. 20 พ.ย. 2026 เวลา 09:12 Ada <ada@example.test> เขียนว่า:",
    "hi": "शुक्र, 20 नव॰ 2026 को 9:12 am बजे को Ada <ada@example.test> ने लिखा:",
}


@pytest.mark.parametrize("language", IN_LANGUAGES)
@pytest.mark.parametrize("quote", ["> Which browser?\n>\n> Ada", "Which browser?\n\nAda"])
def test_a_quote_is_introduced_in_thirty_languages_and_more(language: str, quote: str) -> None:
    """Wrapped before the address, too, as clients do at 76 characters or so."""
    line = IN_LANGUAGES[language]
    assert len(IN_LANGUAGES) >= 30
    for attribution in (line, line.replace(" <ada", "\n<ada")):
        assert new_text(f"It is Firefox.\n\n{attribution}\n\n{quote}\n", 10000) == "It is Firefox."


@pytest.mark.parametrize(
    "block",
    [
        "Od: Ada <ada@example.test>\nOdesláno: pátek 20. listopadu 2026 9:12\nKomu: Noa\nPředmět: XSS",
        "Feladó: Ada <ada@example.test>\nElküldve: 2026. november 20., péntek 9:12\nCímzett: Noa\nTárgy: XSS",
        "Kimden: Ada <ada@example.test>\nGönderildi: 20 Kasım 2026 Cuma 09:12\nKime: Noa\nKonu: XSS",
        "Від: Ada <ada@example.test>\nНадіслано: 20 листопада 2026 р. 9:12\nКому: Noa\nТема: XSS",
        "Από: Ada <ada@example.test>\nΣτάλθηκε: Παρασκευή, 20 Νοεμβρίου 2026 9:12\nΠρος: Noa\nΘέμα: XSS",
        "De la: Ada <ada@example.test>\nTrimis: vineri, 20 noiembrie 2026 09:12\nCătre: Noa\nSubiect: XSS",
        "Lähettäjä: Ada <ada@example.test>\nLähetetty: perjantai 20. marraskuuta 2026 9.12\nVastaanottaja: Noa\nAihe: XSS",
        "发件人: Ada <ada@example.test>\n发送时间: 2026年11月20日 9:12\n收件人: Noa\n主题: XSS",
    ],
)
def test_what_outlook_writes_above_a_quote_is_read_in_its_languages(block: str) -> None:
    assert new_text(f"It is Firefox.\n\n{block}\n\nWhich browser?\n", 10000) == "It is Firefox."


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
        'Exception in thread "main" java.lang.IllegalStateException: x\n\tat org.example.A.b(A.java:12)\n'
        "\tat org.example.C.d(C.java:34)\nCaused by: java.io.IOException: y\n\t... 12 more",
        'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    f()\nValueError: wrote:',
        "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1d\nexit status 2",
        "POST /api/mail HTTP/1.1\nHost: app.example.test\nContent-Type: application/json\n\n"
        '{"from": "a@example.org", "date": "x", "to": "y", "subject": "z"}',
        "diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-gets(s);\n+fgets(s, 9, stdin);",
        'Nov 20 09:12:01 mx sshd[12]: Failed password for root from 192.0.2.7 port 22 ssh2\nNov 20 09:12:02 mx sshd[12]: "x"',
        "$ openssl s_client -starttls smtp\n250 HELP\nEHLO x\nMAIL FROM:<a@example.org>\n250 OK",
        "user=x' OR 1=1 --\npassword=y",
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\n    #0 0x4a1 in f /src/a.c:7",
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
