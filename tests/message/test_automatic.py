"""When no automatic letter may go out, and who or what wrote (AR-1 to AR-8, NT-1 to NT-4, P1)."""

from __future__ import annotations

import pytest

from triaged.message.automatic import RULES
from triaged.message.model import Limits, Message
from triaged.message.parse import parse

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)


def read(*fields: str, body: str = "There is an XSS in the login page.") -> Message:
    head = fields if any(field.startswith("From:") for field in fields) else ("From: noa@example.org", *fields)
    return parse(("\r\n".join(head) + f"\r\n\r\n{body}\r\n").encode(), LIMITS)


def test_a_plain_report_of_a_person_is_answerable() -> None:
    message = read("Subject: XSS in login", "Return-Path: <noa@example.org>")
    assert (message.kind, message.answerable, message.automatic_reasons) == ("person", True, ())


@pytest.mark.parametrize("value", ["no", "No", "no; x=y", "(c) no", "no (really (no))", " NO "])
def test_ar1_auto_submitted_no_is_answerable(value: str) -> None:
    assert read(f"Auto-Submitted: {value}").answerable


@pytest.mark.parametrize(
    "value",
    [
        "auto-replied",
        "Auto-Replied; x=y",
        "(c) auto-generated",
        "auto-notified",
        "x-foo",
        "",
        "yes",
        "nope",
        "no\r\nAuto-Submitted: auto-replied",
    ],
)
def test_ar1_any_other_auto_submitted_is_not(value: str) -> None:
    message = read(f"Auto-Submitted: {value}")
    assert not message.answerable
    assert message.automatic_reasons[-1].header == "auto-submitted"


def test_p1_auto_generated_is_still_the_mail_of_a_person() -> None:
    assert read("Auto-Submitted: auto-generated").kind == "person"
    assert read("Auto-Submitted: auto-replied").kind == "auto_reply"


@pytest.mark.parametrize(
    "local",
    [
        "MAILER-DAEMON",
        "postmaster",
        "listserv",
        "majordomo",
        "owner-x",
        "x-owner",
        "x-request",
        "x-bounces",
        "bounces+1",
        "bounce",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "no_reply",
    ],
)
def test_ar4_automation_is_never_answered(local: str) -> None:
    message = read(f"From: {local}@example.org")
    assert [reason.word for reason in message.automatic_reasons] == ["automation-address"]


@pytest.mark.parametrize("local", ["owner", "request", "requests", "noreplay", "nora", "bouncer", "daemon.smith"])
def test_ar4_near_misses_are_answered(local: str) -> None:
    assert read(f"From: {local}@example.org").answerable


@pytest.mark.parametrize(
    "name",
    [
        "List-Id",
        "List-Help",
        "List-Subscribe",
        "List-Unsubscribe",
        "List-Post",
        "List-Owner",
        "List-Archive",
        "List-Unsubscribe-Post",
        "Mailing-List",
        "X-Mailing-List",
        "Feedback-ID",
    ],
)
def test_ar5_list_mail_is_not_answered(name: str) -> None:
    message = read(f"{name}: <x>")
    assert not message.answerable
    assert message.kind in ("list", "bulk")
    assert message.kind_reasons[0].header == name.lower()


@pytest.mark.parametrize("name", ["Precedence", "X-Precedence"])
@pytest.mark.parametrize("value", ["bulk", "LIST", " junk ", "auto_reply", "auto-reply"])
def test_ar6_precedence(name: str, value: str) -> None:
    assert not read(f"{name}: {value}").answerable


def test_ar6_other_precedences_are_answered() -> None:
    assert read("Precedence: first-class").answerable


@pytest.mark.parametrize(
    ("value", "answerable"),
    [
        ("All", False),
        ("OOF", False),
        ("AutoReply", False),
        ("DR, RN, OOF, AutoReply", False),
        ("DR, RN", True),
        ("None", True),
        ("NDR", True),
        ("", True),
    ],
)
def test_ar7_auto_response_suppress_speaks_of_answers_not_of_the_message(value: str, answerable: bool) -> None:
    message = read(f"X-Auto-Response-Suppress: {value}")
    assert message.answerable is answerable
    assert message.kind == "person"


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("Content-Type: multipart/report; report-type=other; boundary=b", "report"),
        ("Content-Type: text/calendar; method=REPLY", "calendar-reply"),
        ("X-Autoreply: yes", "autoreply-field"),
        ("X-Autorespond: x", "autoresponder-field"),
        ("X-Loop: x", "loop"),
        ("X-Triaged-Loop: 1", "loop"),
        ("X-Failed-Recipients: a@example.org", "failed-recipients"),
        ("X-Spam-Flag: YES", "spam"),
    ],
)
def test_ar8_other_signs_of_machines(field: str, word: str) -> None:
    assert word in [reason.word for reason in read(field).automatic_reasons]


def test_ar8_the_servers_word_on_spam_is_kept() -> None:
    assert read("X-Spam-Flag: YES").spam
    assert not read("X-Spam-Flag: NO").spam


@pytest.mark.parametrize("name", ["From", "Date", "Message-ID", "Content-Type"])
def test_ml1_a_field_that_stands_twice_is_not_answered(name: str) -> None:
    message = read("From: noa@example.org", f"{name}: text/plain", f"{name}: text/html")
    assert [(reason.word, reason.header) for reason in message.automatic_reasons] == [("malformed", name.lower())]
    assert message.kind == "person"


@pytest.mark.parametrize("value", ["noa@example.org<noa@evil.test>", "a@example.org, b@example.org", "noa", ""])
def test_at10_a_doubtful_from_is_not_answered(value: str) -> None:
    assert ("malformed", "from") in [
        (reason.word, reason.header) for reason in read(f"From: {value}").automatic_reasons
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("<>", True),
        ("< >", True),
        ('"" <>', True),
        ("<noa@example.org>", False),
        ("<>\r\nReturn-Path: <noa@example.org>", True),
        ("<noa@example.org>\r\nReturn-Path: <>", False),
    ],
)
def test_ar2_a_null_return_path_is_never_answered_and_the_topmost_counts(value: str, reason: bool) -> None:
    message = read(f"Return-Path: {value}")
    assert ("null-return-path" in [found.word for found in message.automatic_reasons]) is reason
    assert message.answerable is not reason


# A message that only this rule speaks of, for each rule of the table, and the field that its hit names.
_REPORT = "Content-Type: multipart/report; boundary=b; report-type="
BY_RULE = {
    "malformed": ("From: a@example.org, b@example.org", "from"),
    "delivery-report": (f"{_REPORT}delivery-status", "content-type"),
    "disposition-notification": (f"{_REPORT}disposition-notification", "content-type"),
    "feedback-report": (f"{_REPORT}feedback-report", "content-type"),
    "report": (f"{_REPORT}x", "content-type"),
    "failed-recipients": ("X-Failed-Recipients: a@example.org", "x-failed-recipients"),
    "auto-replied": ("Auto-Submitted: auto-replied", "auto-submitted"),
    "auto-submitted": ("Auto-Submitted: auto-generated", "auto-submitted"),
    "autoreply-field": ("X-Autoreply: yes", "x-autoreply"),
    "autoresponder-field": ("X-Autorespond: x", "x-autorespond"),
    "auto-reply-precedence": ("Precedence: auto_reply", "precedence"),
    "out-of-office-subject": ("Subject: Automatic reply: x", "subject"),
    "null-return-path": ("Return-Path: <>", "return-path"),
    "automation-address": ("From: mailer-daemon@example.org", "from"),
    "list": ("List-Id: <x>", "list-id"),
    "list-precedence": ("Precedence: list", "precedence"),
    "bulk": ("List-Unsubscribe: <x>", "list-unsubscribe"),
    "bulk-precedence": ("Precedence: bulk", "precedence"),
    "auto-response-suppress": ("X-Auto-Response-Suppress: All", "x-auto-response-suppress"),
    "calendar-reply": ("Content-Type: text/calendar; method=REPLY", "content-type"),
    "loop": ("X-Loop: x", "x-loop"),
    "spam": ("X-Spam-Flag: YES", "x-spam-flag"),
    "received-count": ("\r\n".join(["Received: x"] * 101), "received"),
}


@pytest.mark.parametrize("word", [word for word, _, _ in RULES])
def test_every_rule_has_a_name_of_its_own_and_its_hit_is_recorded(word: str) -> None:
    """AR-1 to AR-11, NT-1 to NT-5: what is recorded is the rule and the field that made it hit."""
    assert [name for name, _, _ in RULES].count(word) == 1
    field, named = BY_RULE[word]
    hits = [(reason.word, reason.header) for reason in read(field).automatic_reasons]
    assert (word, named) in hits
    assert {header for _, header in hits} == {named}


def test_ar11_the_number_of_received_fields_is_a_limit_with_a_name() -> None:
    few = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64, received_fields=3)
    raw = b"Received: x\r\n" * 4 + b"From: noa@example.org\r\n\r\nx\r\n"
    assert not parse(raw, few).answerable
    assert parse(raw, LIMITS).answerable


def test_ar11_more_than_100_received_is_a_loop() -> None:
    assert read(*["Received: x"] * 100).answerable
    assert not read(*["Received: x"] * 101).answerable


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: your report",
        "Out of Office: Noa",
        "AUTO: Noa is out of the office",
        "Abwesenheitsnotiz: x",
        "自動応答: x",
    ],
)
def test_nt5_out_of_office_by_its_subject(subject: str) -> None:
    assert read(f"Subject: {subject}").kind == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Automatic reply: x",
        "[list] Re: Noa is out of the office",
        "Out of bounds write",
        "Autofill leaks",
        "Automation token leak",
    ],
)
def test_people_who_write_about_it_are_people(subject: str) -> None:
    assert read(f"Subject: {subject}").kind == "person"


@pytest.mark.parametrize(
    ("report", "kind"),
    [("delivery-status", "bounce"), ("disposition-notification", "mdn"), ("feedback-report", "feedback")],
)
def test_nt1_nt3_nt4_reports_by_their_type(report: str, kind: str) -> None:
    assert (
        read(f"Content-Type: multipart/report; report-type={report}; boundary=b", body="--b\r\n\r\nx\r\n--b--").kind
        == kind
    )


def test_nt4_a_person_who_attaches_mail_is_a_person() -> None:
    body = "--b\r\n\r\nI got this phishing mail\r\n--b\r\n"
    body += "Content-Type: message/rfc822\r\n\r\nFrom: x@example.org\r\n\r\nClick\r\n--b--"
    assert read("Content-Type: multipart/mixed; boundary=b", body=body).kind == "person"
