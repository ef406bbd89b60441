"""Addresses, identifiers, names and dates as their headers have them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from triaged.message.clean import clean_header, clean_text, parse_message_ids
from triaged.message.content import content_sha256
from triaged.message.model import Limits, Message, Trust
from triaged.message.parse import parse
from triaged.message.words import decode_words

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)


def read(head: str, body: str = "body", trust: Trust | None = None) -> Message:
    return parse(f"{head}\r\n\r\n{body}\r\n".encode(), LIMITS, trust or Trust())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("=?utf-8?q?XSS_in?= =?utf-8?q?_login?=", "XSS in login"),
        ("=?utf-8?q?=F0=9F?= =?utf-8?q?=9A=80?=", "\U0001f680"),
        ("Re: =?iso-8859-1?Q?Fr=F6sche?= (2)", "Re: Frösche (2)"),
        ("=?gb2312?B?0ruw47jx?=", "一般格"),
        ("=?x-nope?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-8?b?!!!!b2s?=", "ok"),
        ("no words = at ? all", "no words = at ? all"),
    ],
)
def test_ml3_encoded_words_are_decoded_and_never_raise(text: str, wanted: str) -> None:
    assert decode_words(text) == wanted


def test_ml3_an_encoded_word_within_quotes_stays_as_it_is() -> None:
    message = read('From: "=?utf-8?q?Dana?=" <noa@example.org>')
    assert message.author is not None
    assert message.author.name == "=?utf-8?q?Dana?="


def test_at1_a_decoded_subject_is_one_line_without_controls() -> None:
    assert (
        read("From: a@example.org\r\nSubject: =?utf-8?q?ok=0D=0ABcc:_x=40evil.test=E2=80=AE?=").subject
        == "ok Bcc: x@evil.test"
    )
    assert clean_header("a\u2028b\x00c\x85d\udcffe") == "a bc de"
    assert len(clean_header("x" * 5000)) == 998
    assert clean_text("a\r\nb\rc\x00\x1b[1m\td") == "a\nb\nc[1m\td"


@pytest.mark.parametrize(
    "value",
    [
        "alice@victim.test<evil@evil.test>",
        "Alice <alice@victim.test> <evil@evil.test>",
        "alice@victim.test, evil@evil.test",
        '"alice@victim.test" <evil@evil.test',
        "Undisclosed:;",
        "<alice@victim.test@evil.test>",
        "alice@victim..test",
        "alice",
        "<>",
        "",
    ],
)
def test_at10_a_doubtful_from_never_proves_an_author(value: str) -> None:
    trust = Trust(frozenset({"mx.example.test"}))
    for domain in ("victim.test", "evil.test"):
        results = f"Authentication-Results: mx.example.test; dmarc=pass header.from={domain}"
        assert read(f"{results}\r\nFrom: {value}", trust=trust).authenticity.verdict == "none"


def test_ml5_domains_are_lower_case_a_labels() -> None:
    message = read("From: Noa <Noa@BÜCHER.Example>\r\nTo: a@EXAMPLE.test")
    assert message.author is not None
    assert message.author.address == "Noa@xn--bcher-kva.example"
    assert message.to[0].address == "a@example.test"


def test_raw_utf8_names_and_groups_are_read() -> None:
    message = read("From: Zoë <zoe@example.org>\r\nTo: Team: a@example.test, Bé <b@example.test>;")
    assert message.author is not None
    assert message.author.name == "Zoë"
    assert [item.address for item in message.to] == ["a@example.test", "b@example.test"]


def test_message_ids_are_whole_or_not_at_all() -> None:
    assert parse_message_ids("<a@b> junk <c@d>\t<a@b> <a b@x> <unclosed") == ("<a@b>", "<c@d>")
    assert parse_message_ids("<" + "x" * 300 + "@y>") == ()
    message = read("From: a@example.org\r\nMessage-ID: <a b@x>\r\nReferences: <1@x>\r\n <2@x>\r\nIn-Reply-To: <2@x>")
    assert message.message_id == ""
    assert "malformed-message-id" in message.defects
    assert message.references == ("<1@x>", "<2@x>")
    assert message.in_reply_to == ("<2@x>",)


def test_the_date_is_utc_or_nothing() -> None:
    assert read("Date: Fri, 20 Nov 2026 10:12:00 +0100").date == datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
    assert read("Date: Fri, 20 Nov 9999999 10:12:00 +0100").date is None


RECEIVED = (
    "Received: from mx.example.test by store.example.test with LMTP id 1; Fri, 20 Nov 2026 12:00:00 +0000\r\n"
    "Received: from a by MX.example.test (Postfix) with ESMTPS id 2\r\n for <s@example.test>; Fri, 20 Nov 2026 11:00:00 +0000\r\n"
    "Received: from b by mx.example.test; Fri, 20 Nov 2020 11:00:00 +0000\r\n"
    "From: a@example.org"
)


def test_ml7_receipt_is_the_topmost_received_of_a_trusted_host() -> None:
    assert read(RECEIVED, trust=Trust(hosts=frozenset({"mx.example.test"}))).received_at == datetime(
        2026, 11, 20, 11, tzinfo=UTC
    )
    assert read(RECEIVED).received_at is None
    forged = "Received: from c by relay.example.net with ESMTP; Fri, 20 Nov 2026 13:00:00 +0000\r\n" + RECEIVED
    assert read(forged, trust=Trust(hosts=frozenset({"mx.example.test"}))).received_at is None


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("Return-Path: <noa@Example.org>", "noa@example.org"),
        ("Return-Path: <>", ""),
        ("Return-Path: < >", ""),
        ('Return-Path: ""<>', ""),
        ("Return-Path: <a@example.org>\r\nReturn-Path: <>", "a@example.org"),
        ("Return-Path: <>\r\nReturn-Path: <a@example.org>", ""),
        ("X: y", None),
    ],
)
def test_ar2_the_topmost_return_path_counts(fields: str, wanted: str | None) -> None:
    message = read(f"{fields}\r\nFrom: a@example.org")
    assert message.return_path == wanted
    assert message.answerable is (wanted != "")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("lead", ["", "\ufeff", "\n\n", "From noa@example.org Fri Nov 20 09:12:00 2026\n"])
def test_every_line_end_and_lead_reads_the_same(line_break: str, lead: str) -> None:
    text = lead + "From: noa@example.org\nSubject: x\n y\nMIME-Version: 1.0\n\nfirst\nsecond\n"
    message = parse(text.replace("\n", line_break).encode(), LIMITS)
    assert (message.subject, message.text.rstrip("\n")) == ("x y", "first\nsecond")
    assert message.author is not None


def test_delivered_to_is_what_agents_noted_topmost_first() -> None:
    head = "Delivered-To: Security+7F3K@Example.test\r\nX-Original-To: security@example.test\r\n"
    head += "Envelope-To: <security@example.test>\r\nFrom: a@b.test"
    assert read(head).delivered_to == ("security+7f3k@example.test", "security@example.test")


def test_copies_have_one_hash_and_other_content_another() -> None:
    message = b"From: a@example.org\r\nReceived: kept\r\n\r\nbody"
    trace = b"Return-Path: <a@example.org>\r\nReceived: from a\r\n by b; x\r\nDelivered-To: s@x\r\n"
    trace += b"ARC-Seal: i=1\r\nAuthentication-Results: mx; none\r\n"
    assert content_sha256(trace + message) == content_sha256(message)
    assert content_sha256(message) != content_sha256(message + b"!")
    assert content_sha256(message.replace(b"kept", b"other")) != content_sha256(message)


def test_a_name_in_broken_base64_leaves_the_address_readable_and_proves_nothing() -> None:
    """AT-10, AT-16: the address scanner raises on such a name."""
    head = (
        "Received: by mx.example.test; Fri, 20 Nov 2026 10:00:00 +0000\n"
        "Authentication-Results: mx.example.test; dmarc=pass header.from=example.org\n"
        "From: =?utf-8?b?Tm9hx?= <noa@example.org>\nTo: =?utf-8?b?A?= <security@example.test>"
    )
    message = read(head, trust=Trust(frozenset({"mx.example.test"}), frozenset({"mx.example.test"})))
    assert message.author is not None
    assert message.author.address == "noa@example.org"
    assert [item.address for item in message.to] == ["security@example.test"]
    assert "malformed-from: broken-encoded-word" in message.defects
    assert message.authenticity.verdict.value == "none"
    assert not message.answerable


def test_comments_in_comments_are_not_followed_down() -> None:
    """AT-10, AT-12: the standard library reads them by recursion."""
    message = read('From: "=?x' + "(" * 400 + "?= <noa@example.org>")
    assert message.author is not None
    assert message.author.address == "noa@example.org"
    assert message.authors == ()
    assert "malformed-from: nested-comments" in message.defects
    assert not message.answerable


@pytest.mark.parametrize(
    "name",
    ['"Noa: Security"', "Noa (at: home)", '"a\\": b"', "Noa (a (b: c) d)"],
)
def test_at10_a_colon_in_quotes_or_comments_leaves_the_author_sound(name: str) -> None:
    assert read(f"From: {name} <noa@example.org>").answerable


@pytest.mark.parametrize("value", ["Noa: noa@example.org;", "<@relay.test:noa@example.org>", "x:<noa@example.org>"])
def test_at10_a_group_or_a_route_in_from_proves_nobody(value: str) -> None:
    message = read(f"From: {value}")
    assert "malformed-from: group-or-route" in message.defects
    assert not message.answerable
