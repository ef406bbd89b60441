"""Which acknowledgement goes out, and what it may say (AR-1 to AR-18, P1, P2, AT-25, AT-33)."""

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.ticket.scene import (
    AT,
    CAPS,
    DESK,
    MAILBOX,
    MEMBER,
    POLICY,
    RESEARCHER,
    TEAM,
    TO_RESEARCHER,
    decide,
    mail,
)
from triaged.policy.load import load_policy
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.events import EventKind
from triaged.ticket.letters import Letter


def acknowledgements(caused: Consequence) -> list[Letter]:
    return [x for x in caused.letters if x.template.startswith("acknowledgement")]


UNANSWERABLE = {
    "AR-1": ("Auto-Submitted: auto-generated",),
    "AR-1, unknown keyword": ("Auto-Submitted: x-foo",),
    "AR-1, two fields": ("Auto-Submitted: no", "Auto-Submitted: auto-replied"),
    "AR-2": ("Return-Path: <>",),
    "AR-5": ("List-Id: <list.example.org>",),
    "AR-6": ("Precedence: bulk",),
    "AR-7": ("X-Auto-Response-Suppress: All",),
    "AR-8": ("X-Spam-Flag: YES",),
    "AR-9": (f"In-Reply-To: {TO_RESEARCHER}",),
    "AR-11": ("Received: from a by b; Fri, 20 Nov 2026 09:00:00 +0000",) * 101,
}
UNANSWERABLE_AUTHORS = {
    "AR-3, the mailbox": MAILBOX,
    "AR-3, the mailbox with a detail": "Security+x@Example.test",
    "AR-3, the team": TEAM,
    "AR-3, a member": MEMBER,
    "AR-4": "mailer-daemon@example.org",
    "AR-4, owner": "owner-list@example.org",
    "AR-4, noreply": "no-reply@example.org",
    "ML-1, none": None,
    "ML-1, two": "noa@example.org, eve@example.org",
    "AT-10": "alice@victim.test<evil@evil.test>",
}


@pytest.mark.parametrize("rule", [*UNANSWERABLE, *UNANSWERABLE_AUTHORS])
def test_no_automatic_letter_goes_out_and_the_promise_stays(rule: str) -> None:
    """P1: suppressing an automatic letter cancels no promise; it becomes the team's work."""
    author = UNANSWERABLE_AUTHORS.get(rule, "eve@evil.example")
    # An AR-9 answer comes from somebody who is no participant of the ticket.
    caused = decide(mail(author, proven=True, fields=UNANSWERABLE.get(rule, ())))
    assert caused.outcome is Outcome.TICKET
    assert acknowledgements(caused) == []
    assert [c.promise for c in caused.clocks] == [p.name for p in POLICY.promises]
    assert EventKind.UNANSWERED in {e.kind for e in caused.events}
    assert "NONE went out" in caused.letters[-1].text, "the team is told that it is theirs to write"


@pytest.mark.parametrize("rule", ["hold", "return path", "junk", "spam budget"])
def test_the_houses_own_rules_keep_the_promise_as_well(rule: str) -> None:
    """P1, AR-2, AR-14, IM-13, AR-10."""
    desk = replace(DESK, acknowledge_unproven="hold") if rule == "hold" else DESK
    desk = replace(desk, require_return_path=True) if rule == "return path" else desk
    changes = {"junk": {"junk": True}, "spam budget": {"budget_unproven": 0}}.get(rule, {})
    caused = decide(mail(), desk, **changes)
    assert acknowledgements(caused) == [] and caused.clocks
    assert EventKind.UNANSWERED in {e.kind for e in caused.events}


@pytest.mark.parametrize(
    ("setting", "proven", "form"),
    [
        ("minimal", True, "acknowledgement"),
        ("minimal", False, "acknowledgement_minimal"),
        ("full", True, "acknowledgement"),
        ("full", False, "acknowledgement"),
        ("hold", True, "acknowledgement"),
        ("hold", False, None),
    ],
)
def test_the_form_follows_proof_and_setting(setting: str, proven: bool, form: str | None) -> None:
    """AR-14."""
    caused = decide(mail(proven=proven), replace(DESK, acknowledge_unproven=setting))
    assert [x.template for x in acknowledgements(caused)] == ([form] if form else [])


@pytest.mark.parametrize(
    ("proven", "today", "left_proven", "left_unproven", "goes"),
    [
        (False, 0, 0, 1, True),
        (False, 1, 2000, 60, False),
        (False, 0, 2000, 0, False),
        (False, 0, 2000, -5, False),
        (True, 9, 1, 0, True),  # a forged flood has used up its own budget alone
        (True, 10, 2000, 60, False),
        (True, 0, 0, 60, False),
    ],
)
def test_caps_are_counted_apart_for_proven_and_unproven(
    proven: bool, today: int, left_proven: int, left_unproven: int, goes: bool
) -> None:
    """AR-10."""
    spent = {"acknowledged_today": today, "budget_proven": left_proven, "budget_unproven": left_unproven}
    caused = decide(mail(proven=proven), **spent)
    assert bool(acknowledgements(caused)) is goes
    assert caused.clocks, "P1"
    if not goes:
        assert caused.letters == (), "the team hears of it in the digest"


words = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäשл", min_size=6, max_size=20)


@given(words, words, words)
@example("opensesame", "doublequote", "wonderwall")
def test_nothing_that_an_unproven_sender_wrote_comes_back(subject: str, body: str, name: str) -> None:
    """P2: subject, body and display name; neither as text nor encoded."""
    raw = mail(f'"{name}zz" <{RESEARCHER}>', subject=f"{subject}zz", text=f"{body}zz {body}zz and three more words")
    sent = acknowledgements(decide(raw))
    assume(sent)  # a subject such as "autoreply" is taken for a machine's
    (letter,) = sent
    read = message_from_bytes(letter.data, policy=policy.default)
    shown = letter.data.decode() + read.get_content() + "".join(str(v) for v in read.values())
    for secret in (f"{subject}zz", f"{body}zz", f"{name}zz"):
        assert secret not in shown
    assert read["Subject"] == f"We received your report [{_ref(letter)}]"


def _ref(letter: Letter) -> str:
    token = letter.token.upper()
    return f"IMS-{token[:4]}-{token[4:]}"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("XSS in login", "Re: XSS in login [REF]"),
        ("Re: AW: Fwd: XSS", "Re: XSS [REF]"),
        ("", "Re: your report [REF]"),
        ("a" * 300, f"Re: {'a' * 78} [REF]"),
        ("=?utf-8?q?ok=0D=0ABcc=3A_x=40evil.test?=", "Re: ok Bcc: x@evil.test [REF]"),
        ("{{7*7}} {0.__class__} %(x)s {% raw %}", "Re: {{7*7}} {0.__class__} %(x)s {% raw %} [REF]"),
        ("a\u202eb\u2066c", "Re: abc [REF]"),
    ],
)
def test_a_proven_senders_subject_comes_back_cleaned(subject: str, expected: str) -> None:
    """AR-17, AT-1, AT-25."""
    (letter,) = acknowledgements(decide(mail(proven=True, subject=subject)))
    read = message_from_bytes(letter.data, policy=policy.default)
    assert read["Subject"] == expected.replace("REF", _ref(letter))


def test_an_acknowledgement_is_addressed_marked_and_threaded() -> None:
    """AR-12, AR-13, AR-15, AR-16, TH-3, SM-6, NT-3."""
    raw = mail(proven=True, message_id="<r1@example.org>", fields=("References: <forged@evil.test>",))
    (letter,) = acknowledgements(decide(raw))
    read = message_from_bytes(letter.data, policy=policy.default)
    assert read["From"].addresses[0].addr_spec == MAILBOX
    assert read["To"].addresses[0].addr_spec == letter.to == RESEARCHER and len(read["To"].addresses) == 1
    assert re.fullmatch(r"security\+\w{8}\.r\.\w{16}@example\.test", read["Reply-To"].addresses[0].addr_spec)
    assert re.fullmatch(r"security\+\w{8}\.b\.\w{16}@example\.test", letter.envelope_from)
    assert (read["Auto-Submitted"], read["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert (read["In-Reply-To"], read["References"]) == ("<r1@example.org>", "<r1@example.org>")
    assert [part.get_content_type() for part in read.walk()] == ["multipart/mixed", "text/plain", "text/calendar"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.test>", read["Message-ID"]), "AR-18: no host name"
    assert read["Date"].datetime == AT


def test_a_report_without_a_message_id_is_answered_outside_any_thread() -> None:
    """ML-6: an id that we made up never goes into a reply."""
    raw = b"From: noa@example.org\r\nTo: security@example.test\r\n\r\nfive words and some more text\r\n"
    (letter,) = acknowledgements(decide(raw))
    assert b"In-Reply-To" not in letter.data and b"References" not in letter.data


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [("address", MAILBOX), ("null", ""), ("keyed", r"security\+\w{8}\.b\.\w{16}@example\.test")],
)
def test_the_envelope_sender_is_the_one_that_the_settings_name(envelope: str, expected: str) -> None:
    """AR-15."""
    (letter,) = acknowledgements(decide(mail(), replace(DESK, envelope=envelope)))
    assert re.fullmatch(expected if envelope == "keyed" else re.escape(expected), letter.envelope_from)


def test_no_letter_names_the_team_a_member_or_this_host() -> None:
    """AR-18, AT-30."""
    import socket

    for proven in (True, False):
        (letter,) = acknowledgements(decide(mail(proven=proven)))
        for secret in (TEAM, MEMBER, "Dana", "Levi", socket.gethostname()):
            assert secret not in letter.data.decode(), secret


@pytest.mark.parametrize("name", ["ims-network", "responsible-disclosure", "good-faith-rules"])
@pytest.mark.parametrize("proven", [True, False])
def test_an_acknowledgement_under_a_shipped_policy_shows_every_date_within_its_size(name: str, proven: bool) -> None:
    """AR-16."""
    shipped = load_policy(POLICY.path.parent / f"{name}.toml")
    (letter,) = acknowledgements(decide(mail(proven=proven, subject="é" * 300), replace(DESK, policy=shipped)))
    assert len(letter.data) <= (CAPS.full_bytes if proven else CAPS.minimal_bytes)
    for promise in shipped.promises:
        assert (promise.clause.split()[0] if proven else promise.name) in letter.text


@pytest.mark.parametrize("proven", [True, False])
@pytest.mark.parametrize("organisation", ["Example", "x" * 500, "ארגון " * 80, "word " * 100])
@pytest.mark.parametrize("promises", [1, 40])
def test_an_acknowledgement_keeps_to_its_size_however_long_the_policy(
    proven: bool, organisation: str, promises: int
) -> None:
    """AR-16: minimal at most 2,048 octets, full at most 16 kB."""
    one = replace(POLICY.promises[0], clause="A promise of many words. " * 40)
    many = tuple(replace(one, name=f"{one.name}{n}") for n in range(promises))
    desk = replace(DESK, policy=replace(POLICY, organisation=organisation.strip(), promises=many))
    (letter,) = acknowledgements(decide(mail(proven=proven, subject="é" * 300), desk))
    assert len(letter.data) <= (CAPS.full_bytes if proven else CAPS.minimal_bytes)


def test_the_acknowledgement_keeps_the_promise_that_a_machine_may_keep() -> None:
    (letter,) = acknowledgements(decide(mail()))
    assert letter.meets == ("acknowledge",)
    by_hand = replace(POLICY, promises=tuple(replace(p, met_by="human") for p in POLICY.promises))
    (letter,) = acknowledgements(decide(mail(), replace(DESK, policy=by_hand)))
    assert letter.meets == ()
    (letter,) = acknowledgements(decide(mail(), replace(DESK, policy=replace(POLICY, promises=()))))
    assert letter.meets == (), "a policy without promises acknowledges all the same"


def test_a_disposition_request_is_answered_by_nothing() -> None:
    """NT-3."""
    caused = decide(mail(proven=True, fields=(f"Disposition-Notification-To: {RESEARCHER}",)))
    assert sorted(x.template for x in caused.letters) == ["acknowledgement", "relay"]


def test_mail_that_verifies_an_address_is_for_the_digest_and_never_dropped() -> None:
    """AT-4: somebody signed up somewhere with our address."""
    code = mail("no-reply@service.example", proven=True, subject="Your verification code", text="Your code is 419203.")
    caused = decide(code)
    assert caused.opens is not None and caused.opens.kind == "other" and caused.letters == ()
    (why,) = [e.data for e in caused.events if e.kind is EventKind.UNANSWERED]
    assert why["gathered"] is True
    person = decide(
        mail(proven=True, subject="Your verification code", text="Your code is sent in clear text by http.")
    )
    assert person.letters, "a person who reports it is answered, and the team is told at once"
    hole = mail("no-reply@service.example", proven=True, subject="Security code", text="I found SQL injection, CWE-89.")
    assert decide(hole).letters, "what names a weakness is a report, whoever sends it"
