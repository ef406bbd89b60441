"""What lint says: each known defect of the shipped texts by name, and each rule on a text made for it."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.policy.lint import FILE_RULES, TEXT_RULES, lint
from triaged.policy.load import load_policy
from triaged.policy.sentences import Sense, sentences
from triaged.policy.terms import Assessment, Bounds, Level

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SHIPPED = {
    "ims-network": [
        ("mis-encoded", "ims-network.txt:1"),
        ("no-clock", "ims-network.txt:31"),
        ("chosen-period", "ims-network.toml: promise[assess]"),
        ("chosen-period", "ims-network.toml: promise[update]"),
    ],
    "responsible-disclosure": [
        ("placeholder", "responsible-disclosure.txt:3"),
        ("no-clock", "responsible-disclosure.txt:1"),
        ("no-clock", "responsible-disclosure.txt:14"),
        ("added-clock", "responsible-disclosure.toml: promise[acknowledge]"),
        ("chosen-period", "responsible-disclosure.toml: promise[update]"),
        ("chosen-period", "responsible-disclosure.toml: disclosure"),
        ("reserved-contact", "responsible-disclosure.toml: policy.contact"),
    ],
    "good-faith-rules": [
        ("threat", "good-faith-rules.txt:12"),
        ("no-address", "good-faith-rules.txt"),
        ("no-times", "good-faith-rules.txt"),
        ("added-clock", "good-faith-rules.toml: promise[acknowledge]"),
        ("added-clock", "good-faith-rules.toml: promise[assess]"),
        ("added-clock", "good-faith-rules.toml: promise[update]"),
        ("chosen-period", "good-faith-rules.toml: disclosure"),
        ("conflict", "good-faith-rules.toml: rule[no-heavy-scanning-by-day]"),
        ("reserved-contact", "good-faith-rules.toml: policy.contact"),
    ],
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_texts_have_exactly_these_findings(name):
    found = lint(load_policy(POLICIES / f"{name}.toml"), NOW)
    assert [(one.rule, one.where) for one in found] == SHIPPED[name]


def rules(policy):
    return [(one.rule, one.where.partition(": ")[2]) for one in lint(policy, NOW) if one.rule in ("holds", "scale")]


def test_a_promise_to_assess_that_any_letter_keeps_is_found_and_so_is_a_date_that_none_need_hold():
    policy = load_policy(POLICIES / "responsible-disclosure.toml")
    for held, found in ((("assessment", "date"), []), (("assessment",), [("holds", "promise[assess]")])):
        promises = tuple(replace(p, holds=held if p.name == "assess" else ()) for p in policy.promises)
        assert rules(replace(policy, promises=promises)) == found
    assert rules(replace(policy, promises=tuple(replace(p, holds=()) for p in policy.promises))) == [
        ("holds", "promise[assess]")
    ]


def test_a_severity_that_a_reward_is_bound_to_and_no_word_of_the_scale_means_is_found():
    policy = load_policy(POLICIES / "responsible-disclosure.toml")
    bound = replace(policy, reward=replace(policy.reward, currency="EUR", bounds=(Bounds("high", 1, 2),)))
    assert rules(replace(bound, assessment=Assessment((Level("sev1", "critical"),)))) == [("scale", "assessment.scale")]
    assert rules(replace(bound, assessment=Assessment((Level("sev1", "high"),)))) == rules(bound) == []


def said(name: str, rule: str) -> str:
    (text,) = (one.text for one in lint(load_policy(POLICIES / f"{name}.toml"), NOW) if one.rule == rule)
    return text


def test_the_mis_encoded_sign_of_the_first_text_is_shown_with_the_sign_that_was_meant():
    assert "\N{LOCK}" in said("ims-network", "mis-encoded")


def test_the_placeholder_of_the_second_text_is_named():
    assert '"[email protected]" is a placeholder' in said("responsible-disclosure", "placeholder")


def test_the_threat_and_the_missing_times_of_the_third_text_are_named():
    """S2-5: no letter holds the threat, and its typo is named."""
    assert "we will persecute you" in said("good-faith-rules", "threat")
    assert 'perhaps be "prosecute"' in said("good-faith-rules", "threat")
    assert "gives no time for anything" in said("good-faith-rules", "no-times")


def test_the_rule_about_scanners_conflicts_with_the_rule_about_denial_of_service():
    """S2-6."""
    assert '"Do not use denial of service attacks."' in said("good-faith-rules", "conflict")


FILE = """
[policy]
organisation = "Example"
prefix = "EX"
contact = "security@here.ch"
version = "1"
text = "text.txt"
{head}
[calendar]
zone = "{zone}"
country = "CH"
{tables}
"""
GOOD = "Write to security@here.ch. We answer within 3 days.\n"
PROMISED = '[[promise]]\nname = "acknowledge"\nclause = "We answer within 3 days."\nwithin = "3 days"\n'
WRITE = '[[statement]]\nname = "write"\nkind = "request"\nclause = "Write to security@here.ch."\n'


def findings(folder: Path, text: str, tables: str = PROMISED, zone: str = "Europe/Zurich", mailbox: str = ""):
    (folder / "text.txt").write_text(text)
    (folder / "p.toml").write_text(FILE.format(head="", zone=zone, tables=tables))
    return [(one.rule, one.where, one.text) for one in lint(load_policy(folder / "p.toml"), NOW, mailbox)]


def test_a_policy_and_text_that_hold_together_have_no_findings(tmp_path):
    assert findings(tmp_path, GOOD, PROMISED + WRITE, mailbox="security@here.ch") == []


WORDS = {
    "unbacked promise": (GOOD + "\nWe will pay you.\n", "", "unbacked-promise", '"We will pay you."'),
    "unbacked rule": (GOOD + "\nYou must not scan.\n", "", "unbacked-rule", '"You must not scan."'),
    "listed promise": (GOOD + "\n## What to expect\n\n- A cake.\n", "", "unbacked-promise", '"A cake."'),
    "listed ask": (GOOD + "\nWhat to include:\n1. A cake.\n2) A pie.\n", "", "unbacked-rule", '"A pie."'),
    "other address": (GOOD + "Or ask info@there.ch.\n", "", "other-address", "info@there.ch is not the mailbox"),
    "reserved address": (GOOD + "Or ask me@example.com.\n", "", "placeholder", '"me@example.com"'),
    "lost sign": (GOOD + "Caf\ufffd.\n", "", "mis-encoded", "was lost"),
    "mis-read letter": (GOOD + "Caf\u00c3\u00a9.\n", "", "mis-encoded", 'stands for "\u00e9"'),
    "threat": (GOOD + "We will prosecute you.\n", "", "threat", "threatens"),
    "vague": (GOOD + "We will mend it promptly.\n", "", "no-clock", '"promptly" gives no time'),
    "another period": (
        GOOD,
        PROMISED.replace('"3 days"', '"3 business days"'),
        "period-differs",
        "counts 3 business days",
    ),
    "no number": (
        "Write to security@here.ch. We answer soon.",
        PROMISED.replace("within 3 days.", "soon."),
        "period-differs",
        "gives no number",
    ),
    "hours without a window": (
        GOOD + "Do not scan between 7am and 7pm (UTC+01:00).",
        PROMISED + '[[rule]]\nname = "s"\nclause = "Do not scan between 7am and 7pm (UTC+01:00)."\n',
        "window",
        "the rule has no window",
    ),
    "another window": (
        GOOD + "Do not scan between 7am and 7pm (UTC+01:00).",
        PROMISED
        + '[[rule]]\nname = "s"\nclause = "Do not scan between 7am and 7pm (UTC+01:00)."\n'
        + 'window = { from = "07:00", to = "18:00", offset = "+01:00" }\n',
        "window",
        "is not the one that the clause states",
    ),
    "another offset": (
        GOOD + "Do not scan between 7am and 7pm (UTC+01:00).",
        PROMISED
        + '[[rule]]\nname = "s"\nclause = "Do not scan between 7am and 7pm (UTC+01:00)."\n'
        + 'window = { from = "07:00", to = "19:00", offset = "+02:00" }\n',
        "window",
        "has another offset",
    ),
    "bounds of no reward": (
        GOOD,
        PROMISED + '[reward]\ncurrency = "EUR"\n[[reward.bounds]]\nseverity = "low"\nleast = 1\nmost = 2\n',
        "reward-gap",
        "is false beside bounds",
    ),
    "quality without bounds": (
        GOOD,
        PROMISED + '[reward]\noffered = true\ncurrency = "EUR"\nqualities = ["plain", "good"]\n'
        '[[reward.bounds]]\nseverity = "low"\nquality = "good"\nleast = 1\nmost = 2\n',
        "reward-gap",
        "low severity has no bounds where its quality is plain",
    ),
    "summer time": (GOOD + "Our office is at UTC+1.", "", "offset", "Europe/Zurich is not at UTC+01:00"),
}


@pytest.mark.parametrize("case", WORDS)
def test_each_rule_finds_what_it_is_for(tmp_path, case):
    text, tables, rule, words = WORDS[case]
    found = findings(tmp_path, text, tables or PROMISED)
    assert any(one[0] == rule and words in one[2] for one in found), found


def test_we_will_not_prosecute_is_no_threat(tmp_path):
    found = findings(tmp_path, GOOD + "We will not sue you or press charges, nor prosecute you.\n")
    assert "threat" not in [one[0] for one in found]


@pytest.mark.parametrize("address", ["me@example-works.ch", "me@example.ch", "me@test.ch", "me@invalid.example.ch"])
def test_an_address_that_only_looks_like_an_example_is_none(tmp_path, address):
    found = findings(tmp_path, GOOD + f"Or ask {address}.\n")
    assert [one[0] for one in found if one[0] in ("placeholder", "other-address")] == ["other-address"]


def test_a_mailbox_that_is_not_the_published_one_is_found(tmp_path):
    """S0-1: exactly the published mailbox is read."""
    found = findings(tmp_path, GOOD, PROMISED + WRITE, mailbox="other@here.ch")
    assert [(one[0], one[1]) for one in found] == [("mailbox", "p.toml: policy.contact")]


@pytest.mark.parametrize(
    ("publish", "wanted"),
    [
        ('policy = "https://other.ch/policy"', ["publish.policy"]),
        ('acknowledgments = "https://here.ch.evil.test/thanks"', ["publish.acknowledgments"]),
        ('policy = "https://here.ch/security-policy.html"', []),
        ("expires_days = 200", []),
    ],
)
def test_an_address_that_leads_past_the_site_is_found(tmp_path, publish, wanted):
    found = findings(tmp_path, GOOD, f'{PROMISED}[publish]\nsite = "https://here.ch/"\n{publish}\n')
    assert [one[1].removeprefix("p.toml: ") for one in found if one[0] == "outside-site"] == wanted


@pytest.mark.parametrize(
    ("publish", "words"),
    [
        ("expires = 2026-11-19", "ended on 2026-11-19"),
        ('expires = "2026-12-20"', "ends on 2026-12-20, within 30 days"),
        ("expires = 2028-01-01", "more than a year away"),
        ("expires = 2027-05-01", ""),
        ("expires_days = 200", ""),
        ('security_txt = "good.txt"', ""),
        ('security_txt = "old.txt"', "the published security.txt ended on 2026-01-01"),
        ('security_txt = "none.txt"', "has not exactly one Expires"),
        ('security_txt = "zoneless.txt"', "has not exactly one Expires"),
        ('security_txt = "other.txt"', "the published Contact is not mailto:security@here.ch"),
    ],
)
def test_what_expires_is_named_30_days_before(tmp_path, publish, words):
    """ST-1."""
    contact = "Contact: mailto:security@here.ch\n"
    files = {
        "good.txt": contact + "Expires: 2027-05-01T00:00:00Z\n",
        "old.txt": contact + "Expires: 2026-01-01T00:00:00Z\n",
        "none.txt": contact,
        "zoneless.txt": contact + "Expires: 2027-05-01T00:00:00\n",
        "other.txt": "Contact: mailto:x@here.ch\nExpires: 2027-05-01T00:00:00Z\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = [one[2] for one in findings(tmp_path, GOOD, PROMISED + WRITE + f"[publish]\n{publish}\n")]
    assert len(found) == bool(words)
    assert all(words in text for text in found)


def test_every_rule_has_a_name_of_its_own():
    names = [name for name, _ in (*TEXT_RULES, *FILE_RULES)]
    assert len(set(names)) == len(names)


def test_a_text_is_cut_into_sentences_whatever_its_marks():
    text = "# Head\n\nOne e.g. this. Two!\nThree goes\non.\n\nPlease:\n* four\n  more\n- five. Six\nBare line\n"
    found = sentences(text)
    assert [(one.text, one.line) for one in found] == [
        ("One e.g. this.", 3),
        ("Two!", 3),
        ("Three goes on.", 3),
        ("Please:", 7),
        ("four more", 8),
        ("five.", 10),
        ("Six", 10),
    ]
    assert [one.sense for one in found if one.line > 6] == [Sense.ASK] * 4


SENSES = {
    "The team will get in touch within two working days.": Sense.PROMISE,
    "Our crew answers in 48 hours.": Sense.PROMISE,
    "We won\u2019t take you to court.": Sense.PROMISE,
    "You will hear from us.": Sense.PROMISE,
    "We fix what is critical first.": Sense.PROMISE,
    "Finders may be named in our advisories.": Sense.PROMISE,
    "Only test what is yours.": Sense.ASK,
    "Testers are expected to keep the law.": Sense.ASK,
    "Tests of the door locks are not authorised.": Sense.ASK,
    "Please give us 90 days before you publish.": Sense.ASK,
    "We are the largest maker of teapots.": Sense.NONE,
    "Thank you for reading.": Sense.NONE,
}


@pytest.mark.parametrize("sentence", SENSES)
def test_a_sentence_promises_or_asks_by_its_words(sentence):
    assert [one.sense for one in sentences(sentence)] == [SENSES[sentence]]


def test_a_list_means_what_its_lead_or_else_its_heading_says():
    text = (
        "## Our commitments\n\nSome words:\n- A cake.\n\n"
        "The following are not permitted:\n- Drones.\n\n## About us\n\n- Teapots.\n"
    )
    assert {one.text: str(one.sense) for one in sentences(text)} == {
        "Some words:": "",
        "A cake.": "promise",
        "The following are not permitted:": "ask",
        "Drones.": "ask",
        "Teapots.": "",
    }


PIECES = [*SENSES, "- ", "\n", "#", "7am to", "\u00f0\u0178", "@", "[your "]
RULES = load_policy(POLICIES / "good-faith-rules.toml")


@given(st.text(max_size=400) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_is_too_strange_to_be_checked(text):
    for one in lint(replace(RULES, text=text), NOW):
        assert one.rule
        assert one.where
        assert one.text


@pytest.mark.parametrize(
    "piece", ["a@", "- ", "e.g. ", "7am to ", "\u00f0\u0178", "[your ", "1 ", "# ", "A. ", "a.", "We will a. "]
)
def test_the_largest_text_is_checked_in_seconds_whatever_it_holds(tmp_path, piece):
    text = GOOD + piece * ((1 << 19) // len(piece.encode()))
    started = time.process_time()
    findings(tmp_path, text)
    assert time.process_time() - started < 20
