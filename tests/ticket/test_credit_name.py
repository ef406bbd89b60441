"""What may stand as a credited name: people's names of any alphabet, and what hides, links, imitates or speaks for others."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ticket.credit_name import MOST, House, judge

HOUSE = House(
    organisation="IMS Network",
    prefix="IMS",
    members=(("Dana Levi", "dana@example.test"),),
    sender="noa@acme.example",
)

TAKEN = (
    "Noa Barak",
    "Noa B.",
    "@noa_barak",
    "0xn0a",
    "O'Neill-García y Núñez",
    "Łukasz Żółć",
    "Nguyễn Thị Minh Khai",
    "נועה ברק",
    "נֹעָה",
    "نورة بنت محمد",
    "सोनिया",
    "ชลธิชา น้ำใจ",
    "Соня Ковалевская",
    "Ελένη Παπαδοπούλου",
    "Noa Барак",
    "李小龍 (Bruce Lee)",
    "김민준",
    "Noa 🦊",
    "Ricardo",
    "J.R.R. Tolkien",
    "Acme Ltd",  # the sender's own domain
    "team acme.example",
    "Dana",
    "Noa_Barak [she/her]",
    "{{7*7}} {% x %} %(x)s",  # a name is data
    "x" * MOST,
)
REFUSED = {
    "": "empty",
    "x" * (MOST + 1): "longer than 100",
    "x" * 4000: "longer than 100",
    "Noa\nBarak": "control",
    "Noa\x07": "control",
    "Noa\x1b[31m": "control",
    "Noa\u2028Barak": "control",
    "Noa \u202eBarak": "direction",
    "Noa \u2066Barak\u2069": "direction",
    "Noa\u200bBarak": "can't be seen",
    "Noa\u200dBarak": "can't be seen",
    "Noa\u00adBarak": "can't be seen",
    "Noa\U000e0041": "can't be seen",
    "\u3164\u3164": "can't be seen",
    "Noa\ue000": "can't be seen",
    "<b>Noa</b>": "markup",
    "Noa <script>alert(1)</script>": "markup",
    "Noa &amp; Dan": "markup",
    "[Noa](//evil.example)": "markup",
    "[Noa][1]": "markup",
    "![x](y)": "markup",
    "`Noa`": "markup",
    "Noa https://evil.example": "address",
    "Noa hxxps:evil": "address",
    "javascript:alert(1)": "address",
    "www.evil.example": "address",
    "noa@example.org": "address",
    "Noa, mailto:noa": "address",
    "N" + "\u0301\u0302\u0303\u0304" * 3 + "oa": "accents",
    "\u0301\u0302oa": "accents",
    "N\u043ea": "several alphabets",
    "G\u03bfogle": "several alphabets",
    "\U0001d40d\u043ea": "several alphabets",
    "...": "no letter",
    "@": "no letter",
    "🦊": "no letter",
}
WAITS = {
    "IMS Network": "organisation",
    "ims-network fan": "organisation",
    "IMSNetwork": "organisation",
    "IMS": "organisation",
    "Ｉｍｓ Ｎｅｔｗｏｒｋ": "organisation",
    "dana levi": "member",
    "Dána Lévi": "member",
    "the official Noa": "officially",
    "Security Team": "officially",
    "Google": "well-known",
    "G00gle": "well-known",
    "\u041c\u0415\u0422\u0410": "well-known",  # whole in Cyrillic
    "Micro Soft": "well-known",
    "Noa, Evil Inc.": "company",
    "Evil GmbH": "company",
    "Noa (evil.com)": "domain",
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_persons_name_is_taken_as_it_is_written(name: str) -> None:
    found = judge(name, HOUSE)
    assert (found.refused, found.waits) == ("", ""), found
    assert found.name == unicodedata.normalize("NFC", name).strip()


@pytest.mark.parametrize("name", REFUSED)
def test_what_hides_links_or_imitates_is_refused_in_words(name: str) -> None:
    assert REFUSED[name] in judge(name, HOUSE).refused


@pytest.mark.parametrize("name", WAITS)
def test_a_name_of_somebody_elses_house_waits_for_a_member(name: str) -> None:
    found = judge(name, HOUSE)
    assert found.refused == "" and WAITS[name] in found.waits


def test_who_writes_from_a_house_may_bear_its_name_and_free_mail_is_nobodys() -> None:
    assert judge("Google", House("IMS Network", sender="noa@google.com")).waits == ""
    assert judge("Gmail", House("IMS Network", sender="noa@gmail.com")).waits
    assert judge("Evil Inc.", House("IMS Network", sender="noa@evil.example")).waits == ""


def test_direction_marks_that_a_client_puts_around_a_line_say_nothing() -> None:
    assert judge("\u200fנועה ברק\u200f ", HOUSE).name == "נועה ברק"


@given(st.text(max_size=200))
def test_a_name_that_is_taken_is_one_short_line_that_shows_as_it_is(written: str) -> None:
    found = judge(written, HOUSE)
    if not found.refused:
        assert 0 < len(found.name) <= MOST and found.name == " ".join(found.name.split())
        assert not set(found.name) & set("<>&`\n\r\u2028") and unicodedata.is_normalized("NFC", found.name)
        assert all(unicodedata.category(c)[0] != "C" for c in found.name)


@given(st.text(max_size=60), st.sampled_from("\x00\x1b\u202e\u200b\u2066<>`\ud800"), st.integers(0, 60))
def test_no_place_in_a_name_hides_a_character_that_has_none(text: str, bad: str, at: int) -> None:
    written = f"a{text[:at]}{bad}{text[at:]}a"
    assert judge(written, HOUSE).refused
