"""The terms beside the promises: every sentence of the shipped texts is held word for word, and mistakes are said."""

import re
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.policy.build import QUESTIONS, folded
from triaged.policy.clauses import clauses
from triaged.policy.load import PolicyError, kept_policy, load_policy
from triaged.policy.terms import ITEMS, PROFILES, Window

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
# What each text promises, asks for and forbids, and the tables that hold it.
HELD = {
    "ims-network": {
        "get in touch with us at security@ims-network.net": "statement",  # S0-1
        "any security vulnerabilities in our services or infrastructure": "scope",  # S0-2
        "A comprehensive description of the potential vulnerability.": "ask",  # S0-3
        "Detailed steps to reproduce the issue, including any tools, scripts, or data": "ask",  # S0-4
        "Any relevant screenshots, videos, or logs.": "ask",  # S0-5
        "Your contact information for any follow-up questions.": "ask",  # S0-6
        "acknowledging your report within 3 business days": "promise",  # S0-7
        "An initial assessment of the report and, if applicable, an estimated time frame": "promise",  # S0-8
        "Regular updates on our progress toward resolving the issue.": "promise",  # S0-9
        "Security Hall of Fame, unless you prefer to remain anonymous.": "credit",  # S0-10
        "We recognize the efforts of these individuals in our Security Hall of Fame": "credit",  # S0-11
        "subject to periodic review and updates": "statement",  # S0-12
        "review this document regularly": "statement",  # S0-12
        "For any questions regarding this policy": "statement",  # S0-13
        "committed to protecting our infrastructure, services, and users' data": "statement",  # S0-14
    },
    "responsible-disclosure": {
        "Email your findings to [email protected].": "statement",  # S1-1
        "Do not exploit the vulnerability": "rule",  # S1-2
        "Do not disclose the issue to others before it has been resolved.": "rule",  # S1-3
        "Do not carry out attacks on physical security, social engineering": "rule",  # S1-4
        "Provide enough information to reproduce the issue": "ask",  # S1-5
        "the IP address or URL of the affected system and a description": "ask",  # S1-5
        "respond to your report within 3 business days with our assessment": "promise",  # S1-6
        "If you have followed the instructions above, we will not take legal action": "safe_harbour",  # S1-7
        "treat your report as strictly confidential and will not share": "confidentiality",  # S1-8
        "We will keep you informed of the progress in resolving the issue.": "promise",  # S1-9
        "we will mention your name as the discoverer of the problem (unless you wish otherwise)": "credit",  # S1-10
        "we offer a reward for every report of a security issue": "reward",  # S1-11
        "determined based on the severity of the leak and the quality of the report": "reward",  # S1-12
        "We strive to resolve all issues as quickly as possible": "publication",  # S1-13
        "play an active role in the eventual publication": "publication",  # S1-14
        "take measures to address it as soon as possible": "statement",  # S1-15
    },
    "good-faith-rules": {
        "welcome and thank your good faith efforts at reporting vulnerabilities": "scope",  # S2-1
        "we will not take legal actions against you nor ask law enforcement": "safe_harbour",  # S2-2
        "Do not leak our information": "rule",  # S2-3
        "Do neither modify nor delete our data": "rule",
        "Do not degrade our service": "rule",
        "No social engineering: phishing, vishing, smishing, etc., are prohibited.": "rule",  # S2-4
        "Do not perform social engeneering attacks.": "rule",
        "we will persecute you to the fullest extent of the law": "statement",  # S2-5
        "Do not use vulnerability scanners that can cause denial of service": "rule",  # S2-6
        "Do not discuss the security vulnerability you have discovered with anyone": "rule",  # S2-7
        "Do not publicly disclose the vulnerability until": "rule",  # S2-8
        "do not repeatedly interact with the affected system": "rule",  # S2-9
        "Do not leverage vulnerabilities to download, modify or delete any data": "rule",  # S2-10
        "Do not attempt to elevate privileges": "rule",
        "Do not exfiltrate other users' data": "rule",
        "brute force or social engineering techniques": "rule",  # S2-11
        "Do not use denial of service attacks.": "rule",
        "Do not install malware or viruses.": "rule",
        "specify in your report what IP addresses you were using": "ask",  # S2-12
    },
}
ROWS = [(name, quote, table) for name, rows in HELD.items() for quote, table in rows.items()]


@pytest.mark.parametrize(("name", "quote", "table"), ROWS)
def test_every_promise_and_rule_of_the_shipped_texts_is_held_word_for_word(name, quote, table):
    policy = load_policy(POLICIES / f"{name}.toml")
    text = folded(policy.text)
    assert quote in text
    holding = [one for one in clauses(policy) if quote in one.text and one.source == "text"]
    assert table in [one.table for one in holding]
    assert all(folded(one.text) in text for one in holding)


def test_the_threat_is_marked_so_that_no_letter_holds_it():
    """S2-5."""
    threats = [s.clause for s in load_policy(POLICIES / "good-faith-rules.toml").statements if s.kind == "threat"]
    assert len(threats) == 1
    assert "persecute" in threats[0]


def test_what_a_text_does_not_say_its_file_does_not_promise():
    """S0-x, S2-x: no safe harbour, confidentiality or reward appears from nowhere."""
    ims = load_policy(POLICIES / "ims-network.toml")
    assert (ims.safe_harbour.level, ims.confidentiality.clauses, ims.reward.offered) == ("none", (), False)
    assert ims.disclosure.disclose_days is None
    rules = load_policy(POLICIES / "good-faith-rules.toml")
    assert (rules.confidentiality.clauses, rules.reward.offered) == ((), False)
    assert (rules.contact_source, rules.calendar_source) == ("added", "added")


def test_the_second_policy_asks_for_an_address_and_a_description_only():
    """S1-5: these are usually sufficient."""
    policy = load_policy(POLICIES / "responsible-disclosure.toml")
    assert sorted(ask.item for ask in policy.asks) == ["affected", "description"]
    assert policy.ask("affected").question == "What is the IP address or URL of the affected system?"
    assert policy.ask("steps") is None


def scanners() -> Window:
    (window,) = (rule.window for rule in load_policy(POLICIES / "good-faith-rules.toml").rules if rule.window)
    return window


@pytest.mark.parametrize(
    ("instant", "within"),
    [
        ("2026-07-15T05:30:00+00:00", False),  # 06:30, though 07:30 in Zurich
        ("2026-07-15T06:00:00+00:00", True),
        ("2026-07-15T17:59:59+00:00", True),
        ("2026-07-15T18:00:00+00:00", False),
        ("2026-01-15T06:00:00+00:00", True),
        ("2026-01-15T05:59:59+00:00", False),
        ("2026-07-15T07:30:00+02:00", False),
    ],
)
def test_the_hours_of_a_rule_are_counted_at_its_own_offset_all_year(instant, within):
    """S2-6."""
    assert scanners().holds(datetime.fromisoformat(instant)) is within


def test_hours_are_written_as_a_person_reads_them():
    assert str(scanners()) == "07:00 to 19:00 (UTC+01:00)"
    assert str(Window(time(22), time(6), -timedelta(hours=3, minutes=30))) == "22:00 to 06:00 (UTC-03:30)"


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        scanners().holds(datetime(2026, 7, 15, 12))  # noqa: DTZ001 - what is refused


TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))


INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(TIMES, TIMES, st.integers(-14 * 60, 14 * 60), INSTANTS)
def test_hours_over_midnight_are_the_complement_of_those_within_the_day(start, end, minutes, instant):
    if start == end:
        return
    offset = timedelta(minutes=minutes)
    assert Window(start, end, offset).holds(instant) is not Window(end, start, offset).holds(instant)
    zone = ZoneInfo("Asia/Kathmandu")
    assert Window(start, end, offset).holds(instant.astimezone(zone)) is Window(start, end, offset).holds(instant)


def test_the_profiles_of_disclosure_remind_before_the_last_day():
    assert PROFILES["days_90_30"].reminders == (60, 75, 85)
    for name, profile in PROFILES.items():
        assert profile.profile == name
        assert profile.fix_by_days <= profile.disclose_days
        assert list(profile.reminders) == sorted(set(profile.reminders))
        assert profile.reminders[-1] < profile.disclose_days


def test_each_item_has_a_question_where_the_file_gives_none():
    assert set(QUESTIONS) == set(ITEMS)


HEAD = """
[policy]
organisation = "Example"
prefix = "EX"
contact = "security@example.test"
version = "1"
{head}

[calendar]
zone = "Europe/Amsterdam"
country = "NL"
"""


def read(folder: Path, tables: str, head: str = "", text: str = ""):
    (folder / "t.txt").write_text(text)
    (folder / "p.toml").write_text(HEAD.format(head='text = "t.txt"' if text else head) + tables)
    return load_policy(folder / "p.toml")


def test_a_file_of_promises_alone_has_every_term_at_its_default(tmp_path):
    policy = read(tmp_path, "")
    assert (policy.asks, policy.rules, policy.statements, policy.replies) == ((), (), (), ())
    for field in fields(policy):
        if field.name in (
            "safe_harbour",
            "confidentiality",
            "credit",
            "reward",
            "publication",
            "disclosure",
            "publish",
        ):
            assert getattr(policy, field.name) == field.default_factory()


def test_every_term_is_read(tmp_path):
    policy = read(
        tmp_path,
        """
[[ask]]
item = "steps"
clause = "Tell us how."
[disclosure]
profile = "certcc_45"
reminders = [40, 20]
[reward]
offered = true
currency = "EUR"
[[reward.bounds]]
severity = "high"
least = 100
most = 500
[publish]
expires = "2027-05-01"
encryption = ["openpgp4fpr:0123456789abcdef"]
""",
        head='languages = ["nl", "en"]\nupdates_unchanged_keep = true\nexploited = true',
    )
    assert policy.asks[0].question == QUESTIONS["steps"]
    assert (policy.disclosure.disclose_days, policy.disclosure.reminders) == (45, (20, 40))
    assert [(one.severity, one.least, one.most) for one in policy.reward.bounds] == [("high", 100, 500)]
    assert (policy.publish.expires, policy.publish.expires_days) == (date(2027, 5, 1), 180)
    assert (policy.languages, policy.updates_unchanged_keep, policy.exploited) == (("nl", "en"), True, True)


MISTAKES = {
    "unknown item": ('[[ask]]\nitem = "stepps"\nclause = "x"', 'ask.0..item: must be one of .* did you mean "steps"'),
    "item twice": (
        '[[ask]]\nitem = "steps"\nclause = "x"\n' * 2,
        'ask.1..item: "steps" is the item of two asks',
    ),
    "rule twice": ('[[rule]]\nname = "a"\nclause = "x"\n' * 2, 'rule.a..name: "a" is the name of two rules'),
    "window with a zone": (
        '[[rule]]\nname = "a"\nclause = "x"\nwindow = { from = "07:00", to = "19:00", offset = "Europe/Zurich" }',
        "rule.a..window.offset: must be an offset .* never a zone with summer time",
    ),
    "window of no length": (
        '[[rule]]\nname = "a"\nclause = "x"\nwindow = { from = "07:00", to = "07:00", offset = "+01:00" }',
        "rule.a..window: starts when it ends",
    ),
    "window at 25": (
        '[[rule]]\nname = "a"\nclause = "x"\nwindow = { from = "25:00", to = "07:00", offset = "+01:00" }',
        "rule.a..window.from: must be a time of day",
    ),
    "unknown kind": ('[[statement]]\nname = "a"\nclause = "x"\nkind = "lie"', "statement.a..kind: must be one of"),
    "reply without text": ('[[reply]]\nname = "a"\nclause = "x"', "reply.a..text: is missing"),
    "unknown profile": ('[disclosure]\nprofile = "nl_61"', 'disclosure.profile: .* did you mean "nl_60"'),
    "no days": ("[disclosure]\nfix_by_days = 0", "disclosure.fix_by_days: must be a whole number from 1"),
    "mended after publication": (
        "[disclosure]\nfix_by_days = 90\ndisclose_days = 60",
        "disclosure.fix_by_days: lies after disclose_days = 60",
    ),
    "reminder on the last day": (
        '[disclosure]\nprofile = "nl_60"\nreminders = [60]',
        "disclosure.reminders: must lie before the last day, 60",
    ),
    "reminder of nothing": ("[disclosure]\nreminders = [6]", "disclosure.reminders: needs fix_by_days or"),
    "amount without currency": (
        '[[reward.bounds]]\nseverity = "low"\nleast = 1\nmost = 2',
        "reward.currency: is missing",
    ),
    "least above most": (
        '[reward]\ncurrency = "EUR"\n[[reward.bounds]]\nseverity = "low"\nleast = 3\nmost = 2',
        "reward.bounds.0.: has least = 3 above most = 2",
    ),
    "severity twice": (
        '[reward]\ncurrency = "EUR"\n' + '[[reward.bounds]]\nseverity = "low"\nleast = 1\nmost = 2\n' * 2,
        "reward.bounds.1..severity: .low. has bounds twice",
    ),
    "quality twice": (
        '[reward]\ncurrency = "EUR"\nqualities = ["good"]\n'
        + '[[reward.bounds]]\nseverity = "low"\nquality = "good"\nleast = 1\nmost = 2\n' * 2,
        "reward.bounds.1..severity: .low. with quality .good. has bounds twice",
    ),
    "unknown quality": (
        '[reward]\ncurrency = "EUR"\nqualities = ["good"]\n'
        '[[reward.bounds]]\nseverity = "low"\nquality = "goood"\nleast = 1\nmost = 2\n',
        'reward.bounds.0..quality: .goood. is none of reward.qualities; did you mean "good"',
    ),
    "quality without qualities": (
        '[reward]\ncurrency = "EUR"\n[[reward.bounds]]\nseverity = "low"\nquality = "good"\nleast = 1\nmost = 2\n',
        "reward.bounds.0..quality: .good. is none of reward.qualities: name it",
    ),
    "the same quality again": ('[reward]\nqualities = ["good", "good"]', "reward.qualities: names .good. twice"),
    "currency": ('[reward]\ncurrency = "euro"', "reward.currency: must be a currency code"),
    "http": ('[publish]\npolicy = "http://here.ch/"', "publish.policy: must be an address that starts with https://"),
    "line break in an address": ('[publish]\npolicy = "https://here.ch/\\nX: y"', "publish.policy: must be"),
    "a key itself": ('[publish]\nencryption = ["-----BEGIN PGP"]', "publish.encryption: must be an address"),
    "a year": ("[publish]\nexpires_days = 366", "publish.expires_days: must be a whole number from 1 to 364"),
    "no such day": ('[publish]\nexpires = "2027-02-30"', "publish.expires: must be a day such as"),
    "two ends": ("[publish]\nexpires_days = 3\nexpires = 2027-01-01", "publish.expires: stands beside expires_days"),
    "a site with a query": ('[publish]\nsite = "https://here.ch/?a"', "publish.site: must be the address of a site"),
    "a site without tls": ('[publish]\nsite = "http://here.ch"', "publish.site: must be the address of a site"),
    "no uuid": ('[publish]\ncna = "here"', "publish.cna: must be the UUID"),
    "no such file": ('[publish]\nsecurity_txt = "x.txt"', "publish.security_txt: x.txt can't be read"),
    "unknown key": ("[credit]\nterm = 1", 'credit.term: is not a key .* did you mean "terms"'),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_term_is_a_sentence_with_file_key_and_mend(tmp_path, case):
    tables, wanted = MISTAKES[case]
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, tables)
    (found,) = (str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems)
    assert re.search("^p.toml: " + wanted, found), found


@pytest.mark.parametrize("language", ["E", "english", "en_GB", "en\u0301"])
def test_a_language_is_a_tag(tmp_path, language):
    with pytest.raises(PolicyError, match="must be a language tag"):
        read(tmp_path, "", head=f'languages = ["{language}"]')


def test_a_clause_of_any_table_must_stand_in_the_text(tmp_path):
    tables = """
[[ask]]
item = "steps"
clause = "Not there."
[credit]
clauses = ["It stands\\n  here.", "Nor there."]
[scope]
source = "added"
clauses = ["Added."]
"""
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, tables, text="Words. It  stands here. Words.")
    assert [problem.key for problem in caught.value.problems] == ["credit.clauses", "ask[0].clause"]
    assert '"Nor there."' in caught.value.problems[0].text


@pytest.mark.parametrize("name", HELD)
def test_a_kept_policy_is_the_policy_that_was_kept(name):
    policy = load_policy(POLICIES / f"{name}.toml")
    again = kept_policy(policy.source, policy.text, policy.name)
    assert again.sha256 == policy.sha256
    assert (again.promises, again.calendar, again.rules, again.credit) == (
        policy.promises,
        policy.calendar,
        policy.rules,
        policy.credit,
    )
