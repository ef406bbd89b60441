"""What is published of a policy: read back by software that is not ours, and the same bytes for the same input."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import html5lib
import pytest
from sectxt import Parser

from triaged.policy.build import folded
from triaged.policy.clauses import clauses
from triaged.policy.lint import lint
from triaged.policy.load import load_policy
from triaged.policy.publishing import expiring, mailto, published_contacts, published_expiry
from triaged.publication.files import published
from triaged.publication.page import plain

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
NAMES = ["ims-network", "responsible-disclosure", "good-faith-rules"]
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FULL = """
[policy]
organisation = "Smith & <b>Söhne</b> | *Ltd*"
prefix = "EX"
contact = "security+a%b'c@example.test"
version = "2026-11 <script>alert(1)</script>"
languages = ["de-CH", "en", "tlh"]

[calendar]
zone = "+01:00"
country = "US"
weekend = []
closing = "17:00"

[[promise]]
name = "acknowledge"
source = "added"
clause = "# Within *3* [business](https://evil.test) days <img src=x onerror=alert(1)>"
within = "3 business days"

[[rule]]
name = "a"
source = "added"
clause = "1. Do not `run` this | </li></section>"
window = { from = "22:00", to = "06:00", offset = "-03:00" }

[reward]
offered = true
currency = "EUR"
source = "added"
clauses = ["We pay."]
[[reward.bounds]]
severity = "low"
least = 10
most = 100

[disclosure]
profile = "zdi_120"
source = "added"

[scope]
included = ["*.example.test"]
excluded = ["the cafeteria"]

[safe_harbour]
level = "full"
source = "added"
clauses = ["We will not sue you as long as you keep these rules:"]

[publish]
canonical = ["https://example.test/.well-known/security.txt"]
policy = "https://example.test/security-policy.html"
encryption = ["https://example.test/key.asc", "openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f"]
acknowledgments = "https://example.test/thanks"
hiring = "https://example.test/jobs"
expires = 2027-05-01
"""


@pytest.fixture
def full(tmp_path):
    (tmp_path / "full.toml").write_text(FULL)
    return load_policy(tmp_path / "full.toml")


def shipped(name: str):
    return load_policy(POLICIES / f"{name}.toml")


def texts(policy) -> dict[str, str]:
    return {path: octets.decode() for path, octets in published(policy, AT).items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_policy_and_instant_give_the_same_bytes(name):
    assert published(shipped(name), AT) == published(shipped(name), AT)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_a_shipped_policy_is_the_one_that_was_read_by_a_person(name):
    golden = Path(__file__).parent / "golden" / f"{name}.md"
    assert texts(shipped(name))["security-policy.md"] == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*NAMES, "full"])
def test_sectxt_finds_security_txt_valid(name, full):
    """ST-1, RFC 9116."""
    policy = full if name == "full" else shipped(name)
    parser = Parser(published(policy, AT)[".well-known/security.txt"])
    expected = {"not_signed"} if name == "full" else {"not_signed", "no_encryption"}
    # an Expires is judged against the real day: only that may fail once these days have passed
    assert {error["code"] for error in parser.errors} <= {"expired"}
    assert {one["code"] for one in parser.recommendations} <= {*expected, "long_expiry"}
    assert parser.notifications == []


def test_what_was_published_is_what_lint_wants_to_see(full):
    own = replace(full, publish=replace(full.publish, security_txt=texts(full)[".well-known/security.txt"]))
    assert [one for one in lint(own, AT) if one.rule in ("expires", "security-txt")] == []


def test_security_txt_says_all_that_the_policy_gives(full):
    assert texts(full)[".well-known/security.txt"].splitlines() == [
        "Contact: mailto:security+a%25b%27c@example.test",
        "Expires: 2027-05-01T00:00:00Z",
        "Encryption: https://example.test/key.asc",
        "Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f",
        "Acknowledgments: https://example.test/thanks",
        "Preferred-Languages: de-CH, en, tlh",
        "Canonical: https://example.test/.well-known/security.txt",
        "Policy: https://example.test/security-policy.html",
        "Hiring: https://example.test/jobs",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_security_txt_ends_within_a_year_and_names_the_mailbox(name):
    """S0-1, ST-1."""
    policy = shipped(name)
    text = texts(policy)[".well-known/security.txt"]
    assert published_expiry(text) == AT + timedelta(days=180)
    assert published_contacts(text) == (mailto(policy.contact),)
    assert expiring(policy, AT) == ()


@pytest.mark.parametrize("name", [*NAMES, "full"])
def test_the_page_is_html_that_a_strict_parser_reads(name, full):
    page = texts(full if name == "full" else shipped(name))["security-policy.html"]
    html5lib.HTMLParser(strict=True).parse(page)


@pytest.mark.parametrize("name", [*NAMES, "full"])
def test_the_page_runs_nothing_and_loads_nothing(name, full):
    page = texts(full if name == "full" else shipped(name))["security-policy.html"]
    document = html5lib.parse(page, namespaceHTMLElements=False)
    tags = {element.tag for element in document.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "b"}
    attributes = {name for element in document.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "style")}
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("name", NAMES)
def test_the_page_quotes_every_clause_but_threats_and_placeholders_word_for_word(name):
    policy = shipped(name)
    document = html5lib.parse(texts(policy)["security-policy.html"], namespaceHTMLElements=False)
    words = folded(" ".join(document.itertext()))
    threats = [one.clause for one in policy.statements if one.kind == "threat"]
    for clause in clauses(policy):
        left_out = clause.text in threats or "[email" in clause.text or clause.table == "reply"
        lead_in = clause.table == "statement" and clause.text.endswith(":")
        assert (folded(clause.text) in words) or left_out or lead_in, clause
    assert not any(folded(threat) in words for threat in threats)
    assert "protected]" not in words


def test_the_page_has_headings_in_order_a_language_and_labelled_sections(full):
    document = html5lib.parse(texts(full)["security-policy.html"], namespaceHTMLElements=False)
    assert document.attrib["lang"] == "en"
    headings = [element.tag for element in document.iter() if element.tag in ("h1", "h2", "h3")]
    assert headings == ["h1"] + ["h2"] * (len(headings) - 1)
    ids = {element.attrib.get("id") for element in document.iter()}
    assert all(element.attrib["aria-labelledby"] in ids for element in document.iter("section"))
    assert [element.attrib["lang"] for element in document.iter("span") if "lang" in element.attrib] == [
        "de-CH",
        "en",
        "tlh",
    ]


def test_markup_in_a_policy_is_text_on_the_page(full):
    document = html5lib.parse(texts(full)["security-policy.html"], namespaceHTMLElements=False)
    words = " ".join(document.itertext())
    assert "<img src=x onerror=alert(1)>" in words
    assert "Smith & <b>Söhne</b> | *Ltd*" in words
    assert "</li></section>" in words


def test_markup_in_a_policy_is_text_in_the_markdown(full):
    page = texts(full)["security-policy.md"]
    assert r"\# Within \*3\* \[business\](https://evil.test) days \<img src=x onerror=alert(1)\>" in page
    assert r"1\. Do not \`run\` this \| \</li\>\</section\>" in page
    assert plain("1. one") == r"1\. one"
    assert plain("- one") == r"\- one"
    assert plain("===") == r"\==="  # below a line it would make a heading of it


def test_what_the_page_says_in_our_words_is_what_the_file_says(full):
    page = folded(texts(full)["security-policy.md"])
    for said in (
        "**Within 3 business days:**",
        "**22:00 to 06:00 (UTC-03:00):**",
        "Business days are all but public holidays (United States).",
        "a period ends at 17:00 on the last day (UTC+01:00).",
        "By severity: low 10 to 100 EUR.",
        "We aim to mend what is reported within 120 days. "
        "Details may be published 120 days after we received the report.",
        r"In scope: \*.example.test. Out of scope: the cafeteria.",
        "The rules are those above.",
        "Languages: Deutsch, English, tlh.",
    ):
        assert said in page, said


def test_a_policy_of_nothing_has_a_page(tmp_path):
    head = FULL[: FULL.index("[[promise]]")]
    (tmp_path / "bare.toml").write_text(head)
    page = texts(load_policy(tmp_path / "bare.toml"))
    assert "What you can expect" not in page["security-policy.md"]
    html5lib.HTMLParser(strict=True).parse(page["security-policy.html"])


# The fields, and the words that they may hold, of disclose/diodb's program-list-schema.json.
ADDRESS = re.compile(r"https://\S+")
FIELDS = {
    "program_name": re.compile(r".+"),
    "policy_url": ADDRESS,
    "contact_email": re.compile(r"\S+@\S+"),
    "offers_bounty": re.compile("yes|no|partial"),
    "hall_of_fame": ADDRESS,
    "safe_harbor": re.compile("full|partial|none"),
    "public_disclosure": re.compile("nda|discretionary|co-ordinated|"),
    "pgp_key": ADDRESS,
    "hiring": ADDRESS,
    "securitytxt_url": ADDRESS,
    "preferred_languages": re.compile(r"[\w-]+(, [\w-]+)*"),
}


@pytest.mark.parametrize("name", [*NAMES, "full"])
def test_the_directory_entry_holds_only_fields_and_words_of_its_schema(name, full):
    (entry,) = json.loads(texts(full if name == "full" else shipped(name))["disclose-io.json"])
    days = entry.pop("disclosure_timeline_days", None)
    assert (days is not None) == (entry["public_disclosure"] == "co-ordinated")
    for field, value in entry.items():
        assert FIELDS[field].fullmatch(value), field


def test_the_directory_entry_says_what_the_policy_says(full):
    (entry,) = json.loads(texts(full)["disclose-io.json"])
    assert (entry["safe_harbor"], entry["offers_bounty"], entry["disclosure_timeline_days"]) == ("full", "yes", 120)
    assert entry["pgp_key"] == "https://example.test/key.asc"
    assert entry["policy_url"] == "https://example.test/security-policy.html"
    (ims,) = json.loads(texts(shipped("ims-network"))["disclose-io.json"])
    assert (ims["safe_harbor"], ims["offers_bounty"], ims["public_disclosure"]) == ("none", "no", "")
