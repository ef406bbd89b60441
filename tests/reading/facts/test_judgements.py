"""What is missing, noise and purpose: what they say, and that none of them decides anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from letters import LIMITS, letter

from triaged.message.model import Message
from triaged.message.parse import parse
from triaged.reading.document import as_json
from triaged.reading.facts import facts
from triaged.reading.missing import missing
from triaged.reading.noise import noise
from triaged.reading.purpose import purpose

EVERYTHING = ("description", "steps", "affected", "evidence", "contact", "tester_addresses")
WHOLE = (
    "The invoice page of https://app.example.test/invoices/1 does not check who asks, so that any customer "
    "can read the invoices of all other customers.\n\nSteps:\n1. Log in.\n2. Change the number.\n\n"
    "GET /invoices/2 HTTP/1.1\nHost: app.example.test\n\n"
    "HTTP/1.1 200 OK\n\nI tested from 203.0.113.7.\n"
)
BEGGING = (
    "Dear sir,\n\nI am a security researcher and found a vulnerability in your website: no DMARC record.\n"
    "Do you pay a bounty? I hope for a reward.\n"
)


def absent(message: Message, wanted: tuple[str, ...] = EVERYTHING) -> tuple[str, ...]:
    return missing(message, facts(message), wanted)


def test_a_whole_report_misses_nothing() -> None:
    """S0-3, S0-4, S0-5, S1-5, S2-12"""
    assert absent(letter(WHOLE)) == ()


def test_an_empty_report_misses_all_but_the_contact() -> None:
    """S0-6: the sender's address is enough."""
    assert absent(letter("hi\n")) == ("description", "steps", "affected", "evidence", "tester_addresses")


def test_only_what_is_wanted_is_missed() -> None:
    assert absent(letter("hi\n"), ("steps", "affected")) == ("steps", "affected")


def test_a_link_to_an_explanation_is_no_affected_system() -> None:
    assert "affected" in absent(letter("Clickjacking, see https://owasp.org/clickjacking and www is bad.\n"))


def test_nothing_is_missed_of_what_cannot_be_read() -> None:
    armoured = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
    raw = (
        'From: a@example.org\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x\n\n'
        f"--x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
        f"--x\nContent-Type: application/octet-stream\n\n{armoured}--x--\n"
    )
    message = parse(raw.encode(), LIMITS)
    assert absent(message) == ()
    assert purpose(message, ()).kind == "report"


def test_a_paper_attached_may_hold_description_steps_and_evidence() -> None:
    raw = (
        "From: a@example.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nplease see attached\n"
        '--x\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="r.pdf"\n\n%PDF-1.4\n--x--\n'
    )
    assert absent(parse(raw.encode(), LIMITS), ("description", "steps", "affected", "evidence")) == ("affected",)


def score(message: Message, seen_before: int = 0) -> float:
    return noise(message, facts(message), seen_before).score


def test_begging_scores_high_and_says_why() -> None:
    judged = noise(letter(BEGGING), facts(letter(BEGGING)))
    assert judged.score > 0.8
    assert {"mail-authentication-record", "asks-for-money"} <= set(judged.reasons)


def test_a_shown_report_scores_low_whatever_its_topic() -> None:
    assert score(letter(WHOLE)) < 0.1
    assert score(letter(f"Clickjacking on the transfer page moves money.\n\n{WHOLE}")) < score(
        letter("Clickjacking on your site.\n")
    )


def test_the_same_text_before_and_the_servers_verdict_raise_the_score() -> None:
    assert score(letter(WHOLE)) < score(letter(WHOLE), seen_before=3)
    assert score(letter(WHOLE)) < score(letter(WHOLE, more="X-Spam-Flag: YES\n"))


def test_the_score_stays_between_nothing_and_one() -> None:
    assert 0.0 <= score(letter(WHOLE)) <= score(letter(BEGGING * 50, more="X-Spam-Flag: YES\n"), 10**9) <= 1.0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (WHOLE, "report"),
        (BEGGING, "report"),
        ("your site is hacked\n", "report"),
        ("???\n", "question"),
        ("Hello,\n\nis api.example.org in scope of your policy, and may I use scanners?\n", "question"),
        ("Any news on my report?\n", "question"),
        ("Thank you very much!\n", "other"),
        ("Thanks. I found another SQL injection in the search.\n", "report"),
        ("I would like to apply for an internship, my CV is attached.\n", "other"),
        ("Our platform helps you. Book a demo. Click to unsubscribe.\n", "other"),
        ("Книга\n", "report"),
    ],
)
def test_what_claims_a_weakness_is_a_report_and_doubt_makes_one(text: str, kind: str) -> None:
    message = letter(text, subject="hello")
    assert purpose(message, facts(message)).kind == kind


def test_the_document_holds_facts_with_offsets_missing_and_noise() -> None:
    document = as_json(letter("XSS on https://app.example.test/login\n"))
    assert document["facts"] == [
        {"kind": "weakness", "value": "CWE-79", "at": [0, 3]},
        {"kind": "url", "value": "https://app.example.test/login", "at": [7, 37]},
    ]
    assert document["missing"] == ["description", "steps", "evidence"]
    assert set(document["noise"]) == {"score", "reasons"}  # type: ignore[call-overload]


FORM = "Auto-Submitted: auto-generated\n"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Is it in scope that https://shop.ims.example/invoice?id=2 shows everybody's invoices?\n", ""),
        ("How do I report this?\n\ncurl -s https://api.ims.example/.env\nDB_PASSWORD=x\n", ""),
        ("Message: https://shop.ims.example/i?id=2 shows invoices of others. Please confirm your email.\n", FORM),
        ("Message: the password reset link of admin stands at https://ims.example/log\n", FORM),
        ("Message: see https://user:x@[::1/ and https://SHOP.ims.example/log, access code 1234\n", FORM),
    ],
)
def test_a_report_put_as_a_question_or_sent_by_a_form_stays_a_report(text: str, more: str) -> None:
    """AT-4, P1: in doubt its clocks run, and the team hears at once."""
    message = letter(text, "contact", more)
    assert purpose(message, facts(message)).kind == "report"


def test_what_a_service_sends_to_who_signed_up_is_no_report() -> None:
    """AT-4"""
    message = letter("Please verify your account: https://service.example/v?token=abc\n", "Verify your email", FORM)
    assert purpose(message, facts(message)).reasons == ("verification",)
