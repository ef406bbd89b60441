"""What is said inside does not reach a researcher by a slip, and honest letters pass (AT-29, law 7)."""

from __future__ import annotations

import random
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from triaged.ticket.address import Role, keyed_address
from triaged.ticket.gate import SIGNS, Inside, Overlap, overlaps
from triaged.ticket.shown import defanged, quoted

KEY = b"k" * 32
OWN, OTHER = "IMS-7F3K-9QXD", "IMS-2B4C-8XYZ"
MAILBOX = "security@example.test"
REPORT = (
    "The page https://app.example.test/login?next=1 runs whatever stands in its address.\n"
    "I tested it from 203.0.113.9 with build 4.2.17-rc3, and the host gitlab.corp answers with its version.\n"
)
NOTE = (
    "Ask Yossi first: the login page was never reviewed, and the same hole is in billing.\n"
    "Host db7.corp.internal (10.20.30.40), root password is Tr0ub4dor, https://wiki.example.test/inc/4711 and /srv/app/keys.py\n"
    "Customer 4829177, 10,000 euros at most."
)
INSIDE = Inside(
    notes=(NOTE,),
    said=(REPORT, "Runs scripts [IMS-7F3K-9QXD]", "noa@example.org", f"Our contact is {MAILBOX}."),
    references=(OTHER,),
    own=OWN,
    people=(
        ("Dana Levi", "dana@example.test"),
        ("", "team@example.test"),
        ("Yael Bar-On (lead)", "yael.b@example.test"),
    ),
    words=("vault.example.test", "project falcon"),
    prefix="IMS",
)


def found(text: str, inside: Inside = INSIDE, subject: str = f"Re: Runs scripts [{OWN}]") -> list[str]:
    return [overlap.what for overlap in overlaps(subject, text, inside)]


def relayed(text: str) -> str:
    """As the team reads a researcher's words."""
    return f"The researcher wrote about {OWN}\n\n  Subject:      Runs scripts\n\n{SIGNS[0]}\n\n{quoted(text, 65536)}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("The same hole is in billing, never reviewed: the login page was never reviewed", "note"),
        ("> the login page was\n> > never\n> reviewed, and the", "note"),
        ("THE LOGIN PAGE WAS NEVER REVIEWED", "note"),
        ("the login\u00a0page was ne\u00advER re\u200bviewed", "note"),
        ("the =\r\nlogin page was ne=\n> ver reviewed", "note"),
        ("the=20login=C2=A0page was never reviewed", "note"),
        ("the _login_ page *was* never reviewed!", "note"),
        ("thelogin page wasnever reviewed andthe same hole is in bil-\nling", "note"),
        ("the ｌｏｇｉｎ page was néver reviewed", "note"),
        ("See hxxps://wiki[.]example[.]test/inc/4711 for it", "note"),
        ("It is in /srv/app/keys.py: line 3", "note"),
        ("Customer 4829177 is hit", "note"),
        ("Would 10000 euros do?", "note"),
        ("It says Tr0ub4dor to me", "note"),
        ("Host db7.corp.internal:8443", "host"),
        ("Host other.lan is the same", "host"),
        ("Try 192.168.7.1/24", "host"),
        ("Try [fd12:3456::7]", "host"),
        ("See IMS-2B4C-8XYZ", "reference"),
        ("See ims 2b4c 8xyz", "reference"),
        ("See ims2b4c8xyz", "reference"),
        ("See 2B4C-8XYZ with the same", "reference"),
        ("with 2b4c\n> 8xyz", "reference"),
        ("See [IMS-AAAA-BBBB], which is nobody's", "reference"),
        (f"Write to {keyed_address(MAILBOX, '7f3k9qxd', Role.TEAM, KEY)}", "keyed-address"),
        (f"Write to {keyed_address(MAILBOX, '2b4c8xyz', Role.RESEARCHER, KEY).upper()}", "keyed-address"),
        ("Write to Dana@Example.test.", "address"),
        ("Write to dana+x@example[.]test", "address"),
        ("Write to <mailto:team@example.test>", "address"),
        ("dana [at] example [dot] test", "address"),
        ("Dana\nLevi", "member"),
        ("LEVI, Dana", "member"),
        ("Yael Bar\u2011On", "member"),
        ("It is kept on vault.example.test.", "internal"),
        ("This is Project\nFalcon.", "internal"),
        ("A reply to this mail\ngoes to the researcher.", "team-mail"),
        ("New report IMS-7F3K-9QXD", "team-mail"),
        ("To: TO RESEARCHER (IMS-7F3K-9QXD) <x>", "team-mail"),
    ],
)
def test_what_is_said_inside_is_found_in_any_shape(text: str, what: str) -> None:
    assert what in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hi Noa, thank you for your report. We look into it.\n\nBest regards,\nDana",
        f"> {REPORT}\nWe can see that too.",
        "Is https://app.example.test/login open, or app.example.test as a whole? Which host of example.test?",
        "gitlab.corp is ours. Your build 4.2.17-rc3 is affected, your 203.0.113.9 was blocked.",
        f"It is tracked as {OWN}, ims-7f3k9qxd, 7F3K-9QXD.",
        f"Write to {MAILBOX} or to {keyed_address(MAILBOX, '7f3k9qxd', Role.RESEARCHER, KEY)}.",
        "IMS will take this seriously, and IMS does what it must.",
        "We fixed it in 4.2.18 on 2026-11-20 (CWE-79, CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N), see CVE-2026-12345.",
        "By the end of Wednesday, 25 November 2026, and/or within 90 days, a 90-day limit, 24/7.",
        "Yael told us that Levi is a brand of trousers.",
        "Never say never: the page was reviewed.",
        "This is for the team only (as always), and to researchers (all of them) later.",
    ],
)
def test_an_honest_letter_passes(text: str) -> None:
    note = (
        f"{NOTE}\nHi Noa, thank you for your report. Fixed in 4.2.18 on 2026-11-20, CWE-79, "
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N CVE-2026-12345, a 90-day limit, and/or, "
        f"by the end of Wednesday, 25 November 2026. {OWN} noa@example.org "
        f"{keyed_address(MAILBOX, '7f3k9qxd', Role.RESEARCHER, KEY)}"
    )
    inside = replace(INSIDE, notes=(note, relayed(REPORT)))
    assert overlaps(f"Re: Runs scripts [{OWN}]", text, inside) == ()


def test_a_whole_mail_of_ours_quoted_without_marks_is_found_as_such() -> None:
    mail = f"New report {OWN}\n\n  Missing:      the product and its version number at least\n\n{SIGNS[0]}\n"
    held = overlaps("Re: x", f"Thanks.\n\n{mail.replace('  ', ' ')}", replace(INSIDE, notes=(mail,)))
    assert {overlap.what for overlap in held} == {"team-mail"}
    assert any("the product and its version" in overlap.shown for overlap in held)


def test_words_that_a_note_quotes_of_the_researcher_are_no_secret_and_the_next_word_neither() -> None:
    quote = "whatever stands in its address"
    inside = replace(INSIDE, notes=(f"He says: the page runs {quote}. Bad.",))
    assert found(f"You say that the page runs {quote}. Bad.", replace(inside, said=(f"The page runs {quote}",))) == []


def test_a_reply_that_our_mail_suggests_may_be_sent_and_the_rest_of_that_mail_may_not() -> None:
    offer = "Reports of missing headers alone are outside of what we reward, as 4.17-b of the rules says."
    mail = relayed("x").replace(
        SIGNS[0],
        f"It may be noise, and the sender has written five such reports\n\n{SIGNS[0]}\n\n"
        "A reply that you may send, if it fits (nothing is sent by itself):\n\n"
        f"{textwrap.indent(textwrap.fill(offer, 40), '    ')}\n",
    )
    inside = replace(INSIDE, notes=(mail,))
    assert found(offer, inside) == []
    assert found("the sender has written five such reports", inside) == ["team-mail"]


def test_a_stranger_can_not_make_a_note_free_by_writing_our_own_words() -> None:
    """The marks of a suggestion count where we wrote them: a stranger's words are quoted."""
    mail = relayed(f"A reply that you may send, if it fits\n\n    {NOTE}")
    assert "note" in found(NOTE.split("\n")[0], replace(INSIDE, notes=(mail, NOTE)))


def test_a_members_address_is_held_even_where_the_researcher_wrote_it() -> None:
    said = (*INSIDE.said, "I asked dana@example.test and Dana Levi before")
    assert found("You asked dana@example.test and Dana Levi", replace(INSIDE, said=said)) == ["address"]


def test_another_ticket_of_the_same_researcher_may_be_named() -> None:
    assert found(f"As in {OTHER}.", replace(INSIDE, said=(f"It is like ims-2b4c8xyz, {REPORT}",))) == []


@pytest.mark.parametrize("text", ["山田太郎です", "山田 太郎"])
def test_a_name_without_spaces_is_a_full_name(text: str) -> None:
    assert found(text, replace(INSIDE, people=(("山田太郎", "y@example.test"),))) in (["member"], [])
    assert found("担当は山田太郎です", replace(INSIDE, people=(("山田太郎", "y@example.test"),))) == ["member"]


def test_a_note_in_a_script_without_spaces_is_found() -> None:
    note = "この脆弱性は請求システムにもあるので研究者には言わないこと"
    assert found("請求システムにもあるので修正します", replace(INSIDE, notes=(note,))) == ["note"]
    assert found("脆弱性を修正しました", replace(INSIDE, notes=(note,))) == []


def test_what_is_shown_is_short_and_no_link() -> None:
    note = "see https://wiki.example.test/incident/4711 " + "and so on for many secret words " * 40
    held = overlaps("", note, replace(INSIDE, notes=(note,)))
    assert held and all(len(overlap.shown) <= 120 and "https:" not in overlap.shown for overlap in held)


def test_what_overlaps_is_shown_once_and_at_most_twenty_times() -> None:
    text = " ".join(f"server{number}.example" for number in range(100))
    assert len(overlaps(text, f"{text}\n{text}", replace(INSIDE, notes=(f"{text} no", f"x {text}")))) == 20


def test_a_secret_among_hundreds_of_hosts_that_the_researcher_named_is_found() -> None:
    hosts = [f"a{number}.example" for number in range(300)]
    letter = " x ".join(hosts) + " zz9.example.test"
    inside = replace(INSIDE, notes=(letter,), said=(" x-".join(hosts),))
    assert overlaps("", letter, inside)
    assert overlaps("", " x ".join(hosts[:200]), inside) == ()


# --- at random -----------------------------------------------------------------------------------------------------------------

PUBLIC = """
    page login address script runs when opened browser user shows cookie session token form field value server answers
    error version request header parameter reflected stored alert admin account password reset mail link click victim
"""
PLAIN = """
    we you your our it is was will can see look into this that with for and of to in on at by now soon again hello dear
    report fix thanks question answer more about could please tell what how when
"""
SECRET = """
    billing contractor lawsuit budget blame neglected outage revenue acquisition payroll insurer regulator embarrassing
    backdoor intern fired liability auditors settlement press silence customer breach exposed unpatched legacy vendor
    negotiate lowball bounty underpay chief officer panicked escalated Müller naïve façade
"""


def sentence(rng: random.Random, vocabulary: str, least: int, most: int) -> list[str]:
    return rng.choices(vocabulary.split(), k=rng.randint(least, most))


def wrapped(text: str, rng: random.Random) -> str:
    return textwrap.fill(text, rng.randint(12, 78), break_long_words=False)


def marked(text: str, rng: random.Random) -> str:
    mark = rng.choice(["> ", ">", "> > ", ">>> ", "| ", "  "])
    return "\n".join(mark + line for line in text.split("\n"))


def punctuated(text: str, rng: random.Random) -> str:
    return "".join(rng.choice([" ", " ", " ", ", ", "\u00a0", " \u2013 ", "\n"]) if c == " " else c for c in text)


def printed(text: str, rng: random.Random) -> str:
    soft = "".join(c + ("=\n" if rng.random() < 0.05 else "") for c in text)
    return "".join(c if c.isascii() else "".join(f"={o:02X}" for o in c.encode()) for c in soft)


def cased(text: str, rng: random.Random) -> str:
    return rng.choice([text.upper(), text.lower(), text.title()])


def invisible(text: str, rng: random.Random) -> str:
    return "".join(c + (rng.choice("\u200b\u00ad\u2060\ufeff") if rng.random() < 0.1 else "") for c in text)


SHAPES: list[Callable[[str, random.Random], str]] = [
    wrapped,
    marked,
    punctuated,
    cased,
    invisible,
    lambda text, _: defanged(text),
    lambda text, _: text.replace("'", "\u2019").replace('"', "\u201c"),
]

often = settings(max_examples=2000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
worlds = st.integers(0, 2**64).map(random.Random)  # lists of words drawn one by one took twenty times as long


@seed(5)
@often
@given(rng=worlds)
def test_a_sentence_of_a_note_is_found_whatever_was_done_to_it(rng: random.Random) -> None:
    """Six words of which the researcher wrote no four in a row, re-wrapped, quoted, with other marks and case, as residue."""
    secret = sentence(rng, SECRET + PLAIN + rng.choice([PUBLIC, ""]), 6, rng.choice([6, 8, 30]))
    said = sentence(rng, PUBLIC + PLAIN, 0, 60)
    runs = {tuple(said[n : n + 4]) for n in range(len(said) - 3)}
    assume(not any(tuple(secret[n : n + 4]) in runs for n in range(len(secret) - 3)))
    text = " ".join((*secret, *rng.choice([(), ("https://wiki.example.test/incidents/payroll", "say's")])))
    note = "\n".join((" ".join(sentence(rng, PLAIN, 0, 30)), text, " ".join(sentence(rng, PLAIN, 0, 30))))
    letter = text
    for shape in rng.choices(SHAPES, k=rng.randint(0, 4)):
        letter = shape(letter, rng)
    letter = rng.choice([printed, lambda text, _: text])(letter, rng)
    inside = replace(INSIDE, notes=(rng.choice([relayed, str])(note),), said=(" ".join(said),))
    letter = "\n".join((" ".join(sentence(rng, PLAIN, 0, 30)), letter, " ".join(sentence(rng, PLAIN, 0, 30))))
    assert overlaps("Re: your report", letter, inside), letter


@seed(6)
@often
@given(rng=worlds)
def test_a_letter_of_said_and_plain_words_is_never_held(rng: random.Random) -> None:
    """Quotes of the researcher cut anywhere, between words that the notes use too, never more than four of them in a row."""
    texts = [" ".join(sentence(rng, PUBLIC, 1, 40)) for _ in range(rng.randint(1, 4))]
    texts = [f"{text} https://app.example.test/{text[:5].strip()}/v2?id=77 10.0.0.9" for text in texts]
    notes = [" ".join((*sentence(rng, PLAIN, 0, 4), *sentence(rng, SECRET, 1, 20))) for _ in range(rng.randint(0, 5))]
    inside = replace(INSIDE, said=tuple(texts), notes=(*map(relayed, texts), *notes))
    parts = [rng.choice([" ".join(sentence(rng, PLAIN, 0, 20)), _quote(texts, rng)]) for _ in range(rng.randint(0, 8))]
    assert overlaps(f"Re: your report [{OWN}]", "\n".join(parts), inside) == ()


def _quote(texts: list[str], rng: random.Random) -> str:
    words = rng.choice(texts).split()
    start = rng.randint(0, len(words))
    return marked(wrapped(" ".join(words[start : start + rng.randint(1, 40)]), rng), rng)


# --- how long it takes ---------------------------------------------------------------------------------------------------------

MEGABYTE = 1 << 20
RANDOM = random.Random(7)
HOSTILE = {
    "quote marks": "> " * (MEGABYTE // 2),
    "no spaces": "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz0123456789./@_-", k=MEGABYTE)),
    "one letter": "a" * MEGABYTE,
    "one accent": "e" + "\u0301\u0327" * (MEGABYTE // 4),
    "short lines": "ab\n" * 100_000,
    "short words": "a1 " * (MEGABYTE // 3),
    "tokens": " ".join(f"x{n}.y@z/q_{n}" for n in range(60_000)),
    "path": "a1/" * (MEGABYTE // 3),
    "dots": "1." * (MEGABYTE // 2),
    "equals": "=41" * (MEGABYTE // 3),
    "soft breaks": "= \n" * (MEGABYTE // 3),
    "white": " " * MEGABYTE,
    "wide": "漏洞" * (MEGABYTE // 6),
    "ligature": "\ufdfa" * (MEGABYTE // 3),
    "references": "IMS-" * (MEGABYTE // 4),
    "groups": "ab12 " * (MEGABYTE // 5),
    "plus": "+" * MEGABYTE,
    "colons": "fd00:" * (MEGABYTE // 5),
    "brackets": "[.] (at) " * (MEGABYTE // 9),
    "prose": " ".join(RANDOM.choices((PLAIN + PUBLIC + SECRET).split(), k=MEGABYTE // 6)),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("known", [False, True])
def test_a_megabyte_of_anything_is_compared_within_seconds(kind: str, known: bool) -> None:
    """AT-27"""
    text = HOSTILE[kind][: MEGABYTE // 2 if known else MEGABYTE]
    inside = replace(INSIDE, notes=(text,), said=(text if known else REPORT,))
    letter = text[:65536]
    spent = _seconds(letter, inside)
    assert spent < 5, f"{spent:.2f} s"  # 0.6 s on a quiet machine; what is not linear takes minutes


def test_a_hundred_thousand_notes_are_compared_within_seconds() -> None:
    inside = replace(INSIDE, notes=("short one",) * 100_000)
    assert _seconds("a letter " * 7000, inside) < 5


def _seconds(letter: str, inside: Inside) -> float:
    begun = time.process_time()
    overlaps("", letter, inside)
    return time.process_time() - begun


def test_an_overlap_says_what_and_where_from() -> None:
    assert overlaps("", "the login page was never reviewed", INSIDE) == (
        Overlap("note", "the login page was never reviewed"),
    )
