"""What a trusted server said of the author's domain, and what can't be believed (AU-1 to AU-6, AT-5)."""

from __future__ import annotations

import pytest

from triaged.message.authenticity import aligned
from triaged.message.model import Limits, Message, Trust
from triaged.message.parse import parse

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)
TRUST = Trust(frozenset({"mx.example.test"}), frozenset({"mx.example.test"}))
FROM = "From: Noa <noa@example.org>"
BORDER = "Received: from a by mx.example.test with ESMTPS; Fri, 20 Nov 2026 09:12:00 +0000"
ELSEWHERE = "Received: from b by relay.example.net with ESMTP; Fri, 20 Nov 2026 09:11:00 +0000"


def read(*fields: str, trust: Trust = TRUST) -> Message:
    return parse(("\r\n".join(fields) + "\r\n\r\nbody\r\n").encode(), LIMITS, trust)


def said(results: str, author: str = FROM, trust: Trust = TRUST) -> tuple[str, str]:
    found = read(f"Authentication-Results: {results}", BORDER, author, trust=trust).authenticity
    return found.verdict.value, found.method


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ("mx.example.test; dmarc=pass header.from=example.org", ("pass", "dmarc")),
        ("MX.Example.Test 1; dmarc=pass (p=reject) header.from=Example.ORG", ("pass", "dmarc")),
        ("mx.example.test; dkim=pass header.d=example.org", ("pass", "dkim")),
        ("mx.example.test; dkim=pass header.i=@mail.example.org header.s=x", ("pass", "dkim")),
        ("mx.example.test; dmarc=none header.from=example.org; dkim=pass header.d=example.org", ("pass", "dkim")),
        ("mx.example.test; dkim=neutral header.d=example.org; dkim=pass header.d=example.org", ("pass", "dkim")),
        ("mx.example.test; spf=pass smtp.mailfrom=noa@example.org", ("none", "")),
        ("mx.example.test; dmarc=pass header.from=example.net", ("none", "")),
        ("mx.example.test; dkim=pass header.d=evil.test", ("none", "")),
        ("mx.example.test; dkim=pass header.d=org", ("none", "")),
        ("mx.example.test; dmarc=fail header.from=example.org; dkim=pass header.d=example.org", ("fail", "dmarc")),
        ("mx.example.test; none", ("none", "")),
        ("mx.example.test 2; dmarc=pass header.from=example.org", ("none", "")),
        ("mx.example.test.evil.test; dmarc=pass header.from=example.org", ("none", "")),
        ("evil.test (mx.example.test); dmarc=pass header.from=example.org", ("none", "")),
        ('evil.test; x="; mx.example.test; dmarc=pass header.from=example.org"', ("none", "")),
        ('mx.example.test; spf=none reason="dmarc=pass header.from=example.org"', ("none", "")),
        ("mx.example.test; (dmarc=pass header.from=example.org) spf=none", ("none", "")),
        ("dmarc=pass header.from=example.org", ("none", "")),
        ("", ("none", "")),
    ],
)
def test_au4_a_pass_needs_a_trusted_server_and_the_domain_of_the_author(results: str, wanted: tuple[str, str]) -> None:
    assert said(results) == wanted


def test_au1_without_a_configured_server_nobody_is_proven() -> None:
    assert said("mx.example.test; dmarc=pass header.from=example.org", trust=Trust()) == ("none", "")


def test_a_field_without_a_server_counts_only_where_the_empty_name_is_configured() -> None:
    results = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; "
    results += "dkim=pass header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass"
    assert said(results, trust=Trust(frozenset({""}))) == ("pass", "dmarc")
    assert said(results) == ("none", "")


@pytest.mark.parametrize(
    "author",
    [
        "From: a@example.org, b@example.org",
        "From: a@example.org\r\nFrom: a@example.org",
        "From: noa@example.org<noa@evil.test>",
        "From: Team: noa@example.org, dana@example.org;",
        "From: noa",
        "X-From: noa@example.org",
        "From:",
    ],
)
def test_au5_zero_or_several_authors_are_never_proven(author: str) -> None:
    assert said("mx.example.test; dmarc=pass header.from=example.org", author) == ("none", "")


def test_au2_a_forged_field_further_down_is_ignored_and_said_so() -> None:
    forged = "Authentication-Results: mx.example.test; dmarc=pass header.from=example.org"
    message = read(BORDER, ELSEWHERE, forged, FROM)
    assert message.authenticity.verdict == "none"
    assert "ignored-authentication-results" in message.defects


def test_au2_fields_that_disagree_count_as_the_lowest() -> None:
    good = "Authentication-Results: mx.example.test; dmarc=pass header.from=example.org"
    signed = "Authentication-Results: mx.example.test; dkim=pass header.d=example.org"
    assert read(good, good.replace("pass", "fail"), FROM).authenticity.verdict == "fail"
    assert read(good, good.replace("pass", "none"), FROM).authenticity.verdict == "none"
    assert read(signed, signed.replace("pass", "fail"), FROM).authenticity.verdict == "none"
    assert read(good, signed, FROM).authenticity.verdict == "pass"


def test_au2_the_stores_own_delivery_line_does_not_end_the_trusted_part() -> None:
    results = "Authentication-Results: mx.example.test; dmarc=pass header.from=example.org"
    store = "Received: from mx.example.test by store.example.test with LMTP id x; Fri, 20 Nov 2026 09:12:01 +0000"
    assert read(store, results, FROM).authenticity.verdict == "pass"
    assert read(store.replace("LMTP", "ESMTP"), results, FROM).authenticity.verdict == "none"
    assert read(ELSEWHERE, store, results, FROM).authenticity.verdict == "none"


def test_au2_results_in_an_attached_message_prove_nothing() -> None:
    attached = "Content-Type: message/rfc822\r\n\r\nAuthentication-Results: mx.example.test; dmarc=pass header.from=example.org"
    assert read(FROM, attached).authenticity.verdict == "none"


@pytest.mark.parametrize(
    ("signer", "author", "wanted"),
    [
        ("example.org", "example.org", True),
        ("example.org", "mail.example.org", True),
        ("mail.example.org", "example.org", True),
        ("ample.org", "example.org", False),
        ("org", "example.org", False),
        ("co.uk", "bank.co.uk", False),
        ("bank.co.uk", "mail.bank.co.uk", True),
        ("github.io", "noa.github.io", False),
        ("a.example.org", "b.example.org", False),
        ("", "example.org", False),
        ("example.org", "", False),
    ],
)
def test_au4_relaxed_alignment_is_one_domain_below_the_other(signer: str, author: str, wanted: bool) -> None:
    assert aligned(signer, author) is wanted
