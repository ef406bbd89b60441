"""Which of the known descriptions a new one is like, and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from triaged.reading.likeness import (
    MOST_TERMS,
    SHOWN,
    Collection,
    Description,
    Like,
    Profile,
    profile,
    rank,
)

OTHERS = (
    Description("IMS-1", "Stored XSS in comments", "A script in a comment runs for everybody who reads the blog."),
    Description("IMS-2", "Heap overflow in tiff decoder", "tiff_read_strip copies past the end for odd strips."),
    Description("IMS-3", "Password reset token in Referer", "The token leaks to the analytics host."),
    Description("IMS-4", "SQL injection in search", "The parameter q of /search goes into ORDER BY.",
                (("url", "https://shop.example.test/search?q=1"),)),
    Description("IMS-5", "Open redirect after login", "next= takes any host.",
                (("url", "https://shop.example.test/login?next=//x"),)),
    Description("IMS-6", "Session cookie without Secure", "The cookie goes over http once."),
    Description("IMS-7", "Denial of service by regular expression", "The e-mail check backtracks for a minute."),
)  # fmt: skip


def collected(profiles: Sequence[Profile]) -> Collection:
    return Collection(len(profiles), Counter(term for one in profiles for term in (*one.terms, *one.marks)))


def like(asked: Description, known: Sequence[Description] = OTHERS) -> tuple[Like, ...]:
    profiles = [profile(one) for one in known]
    return rank(profile(asked), profiles, collected(profiles))


def test_the_same_text_is_wholly_like() -> None:
    first = like(replace(OTHERS[1], key="IMS-9"))[0]
    assert (first.key, first.score) == ("IMS-2", 1.0)
    assert first.why[0] == "the same text"


def test_a_ticket_is_not_like_itself() -> None:
    assert "IMS-2" not in {one.key for one in like(OTHERS[1])}


def test_other_words_for_one_weakness_and_place_are_found() -> None:
    asked = Description(
        "", "Memory corruption parsing TIFF", "Buffer overflow (CWE-122) in tiffReadStrip, found with afl."
    )
    first = like(asked)[0]
    assert first.key == "IMS-2"
    assert first.score > SHOWN
    assert "both about out of bounds" in first.why
    assert any(why.startswith("words: ") and "tiffReadStrip" in why for why in first.why)


def test_no_word_is_said_twice_in_parts() -> None:
    asked = Description("", "Memory corruption", "in tiffReadStrip, strip, read")
    (words,) = (why for why in like(asked)[0].why if why.startswith("words: "))
    assert words == "words: tiffReadStrip"


def test_an_unrelated_report_is_like_nothing() -> None:
    asked = Description("", "TLS 1.0 accepted by mail relay", "mx2 offers RC4 suites.")
    assert all(one.score < SHOWN for one in like(asked))


def test_the_same_path_and_parameter_raise_the_score_and_are_said() -> None:
    plain = Description("", "Injection", "A quote in the search field gives a database error.")
    with_url = replace(plain, facts=(("url", "https://shop.example.test/search?q=%27"),))
    first = like(with_url)[0]
    assert first.key == "IMS-4"
    assert first.score > like(plain)[0].score
    assert {"same path /search", "same parameter q", "same host shop.example.test"} <= set(first.why)


def test_a_rare_fact_says_more_than_a_common_one() -> None:
    known = [*OTHERS, Description("IMS-8", "Export of accounts", "Anybody may.", (("cve", "CVE-2024-1"),))]
    everywhere = [replace(one, facts=(*one.facts, ("host", "www.example.test"))) for one in known]
    asked = Description("", "zzz", "yyy", (("cve", "CVE-2024-1"), ("host", "www.example.test")))
    scores = {one.key: one.score for one in like(asked, everywhere)}
    assert scores["IMS-8"] > 0.8
    assert scores.get("IMS-1", 0) < 0.1


def test_one_template_on_two_paths_is_less_alike_than_on_one() -> None:
    text = "Reflected XSS: the payload <svg/onload=alert(1)> is not encoded."
    known = [*OTHERS, Description("IMS-8", "Reflected XSS", text, (("url", "https://shop.example.test/cart?id=1"),))]
    same = Description("", "Reflected XSS", text, (("url", "https://shop.example.test/cart?id=2"),))
    other = Description("", "Reflected XSS", text, (("url", "https://shop.example.test/wish?name=2"),))
    assert like(same, known)[0].score > 0.95
    assert like(other, known)[0].score < 0.8


def test_numbers_in_a_path_are_one_place() -> None:
    one = profile(Description("", "", "", (("url", "https://a.example.test/users/17/edit"),)))
    other = profile(Description("", "", "", (("url", "https://a.example.test/users/2345/edit/"),)))
    assert one.marks == other.marks == {"host:a.example.test", "path:/users/0/edit"}


def test_the_testers_own_address_is_no_mark() -> None:
    facts = (("tester_ip_address", "192.0.2.7"), ("contact", "r@example.test"), ("credit_as", "R"))
    assert profile(Description("", "", "", facts)).marks == frozenset()


def test_broken_addresses_are_left_out() -> None:
    facts = (("url", "http://[::1"), ("url", "http://[x]/"), ("url", "https://a.test/?" + "a&" * 100_000))
    assert profile(Description("", "", "", facts)).marks == frozenset()


def test_an_empty_report_and_an_empty_collection_are_like_nothing() -> None:
    assert like(Description("", "", "")) == ()
    assert like(OTHERS[0], ()) == ()


def test_the_first_ticket_of_all_can_be_repeated() -> None:
    assert like(replace(OTHERS[0], key="IMS-9"), OTHERS[:1])[0].score == 1.0


def test_the_order_does_not_depend_on_the_order_of_what_is_known() -> None:
    asked = Description("", "Login", "Open redirect or SQL injection in the shop")
    assert like(asked) == like(asked, OTHERS[::-1])


def test_a_million_words_are_bounded() -> None:
    begin = time.process_time()
    made = profile(Description("", "s" * 10**6, " ".join(f"word{n}" for n in range(200_000)), (("cve", "x"),) * 10**5))
    assert len(made.terms) == MOST_TERMS
    assert time.process_time() - begin < 1


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=200)), max_size=6), st.text(max_size=200))
def test_scores_are_between_nothing_and_all(known: list[tuple[str, str]], asked: str) -> None:
    described = [Description(f"K{n}", subject, text) for n, (subject, text) in enumerate(known)]
    likes = like(Description("", asked, asked), described)
    assert all(0 <= one.score <= 1 and one.why for one in likes)
    assert [one.score for one in likes] == sorted((one.score for one in likes), reverse=True)
