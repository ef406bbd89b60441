"""The published site as files: read back strictly, the same bytes each time, and no word of anybody's that is markup."""

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectxt import Parser

from tests.publication.published_samples import (
    ADVISORIES,
    AT,
    BASE,
    NAMES,
    POLICIES,
    YEARS,
    advisory,
    policy,
    site,
)
from triaged.policy.load import load_policy
from triaged.publication.advisory import InvalidDocument
from triaged.publication.check import problems
from triaged.publication.shown import monogram, shown_kept, shown_year
from triaged.publication.site import site_files
from triaged.publication.values import Advisory, Kept, Thanked, Year

EMPTY = {"years": (), "advisories": (), "kept": (), "public_key": ""}
SITES = {"full": site(), "no address": site(base=""), "empty": site(**EMPTY), "bare": site(base="", **EMPTY)}
ATOM = "{http://www.w3.org/2005/Atom}"
# All that the templates hold; a word of anybody's can add nothing to it.
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "body",
        "a",
        "header",
        "div",
        "span",
        "nav",
        "ul",
        "ol",
        "li",
        "main",
        "footer",
        "p",
        "h1",
        "h2",
        "h3",
        "section",
        "article",
        "aside",
        "table",
        "tbody",
        "tr",
        "th",
        "td",
        "time",
        "code",
        "pre",
        "strong",
        "br",
        "wbr",
        "blockquote",
        "svg",
        "rect",
    ]
)
ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "rel",
        "href",
        "type",
        "title",
        "class",
        "aria-label",
        "aria-current",
        "aria-hidden",
        "aria-labelledby",
        "id",
        "tabindex",
        "dir",
        "datetime",
        "scope",
        "reversed",
        "viewBox",
        "preserveAspectRatio",
        "role",
        "x",
        "y",
        "width",
        "height",
        "xmlns",
    ]
)


@pytest.fixture(scope="module", params=SITES)
def files(request):
    return site_files(SITES[request.param])


def pages(files):
    return {path: octets.decode() for path, octets in files.items() if path.endswith(".html")}


def tree(text):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def atom(files):
    return ElementTree.fromstring(files["feed.atom"])


def test_the_same_values_give_the_same_bytes_in_the_same_order():
    assert list(site_files(site()).items()) == list(site_files(site()).items())
    shuffled = site(advisories=ADVISORIES[::-1], years=YEARS[::-1])
    assert site_files(shuffled) == site_files(site())


def test_every_page_is_html_that_a_strict_parser_reads(files):
    assert len(pages(files)) >= 5
    for text in pages(files).values():
        tree(text)


def test_every_page_has_one_heading_a_language_landmarks_a_title_and_a_skip_link(files):
    for path, text in pages(files).items():
        document = tree(text)
        assert document.attrib["lang"] == "en", path
        assert len(list(document.iter("h1"))) == 1, path
        assert {"header", "nav", "main", "footer"} <= {
            one.tag for one in document.iter() if isinstance(one.tag, str)
        }, path
        assert document.findtext("head/title").endswith(" – IMS Network"), path
        assert document.find("body/a").attrib["href"] == "#content"
    assert len({tree(text).findtext("head/title") for text in pages(files).values()}) == len(pages(files))


def test_every_link_within_the_site_leads_to_a_file(files):
    for path, text in pages(files).items():
        for element in tree(text).iter():
            target = element.attrib.get("href", "") if isinstance(element.tag, str) else ""
            if not re.match(r"[a-z]+:|#|$", target):
                parts = [*path.split("/")[:-1], *target.split("/")]
                while ".." in parts:
                    at = parts.index("..")
                    del parts[at - 1 : at + 1]
                assert "/".join(parts) in files, (path, target)


def test_no_page_runs_or_loads_anything_from_elsewhere(files):
    for path, text in pages(files).items():
        document = tree(text)
        for element in document.iter():
            assert not {"src", "style", "srcset", "action"} & set(element.attrib), path
            assert not [name for name in element.attrib if name.startswith("on")], path
            assert element.tag not in ("script", "style", "img", "iframe", "object", "embed", "form", "base"), path
        assert "default-src 'none'; style-src 'self'; img-src 'self' data:" in text
        loaded = [one.attrib for one in document.iter("link") if one.attrib["rel"] in ("stylesheet", "icon")]
        assert all(not one["href"].startswith("http") for one in loaded)
    css = files["site.css"].decode()
    assert "url(" not in css
    assert "@import" not in css


def test_an_empty_site_says_so_in_words():
    found = pages(site_files(SITES["empty"]))
    assert "No advisory has been published yet." in found["advisories/index.html"]
    assert "Nobody has been thanked yet." in found["hall-of-fame/index.html"]
    assert "No promise has come due yet." in found["promises.html"]


def words(text):
    return " ".join("".join(tree(text).itertext()).split())


def test_those_who_agreed_are_named_and_the_others_counted():
    found = pages(site_files(site()))
    said = words(found["hall-of-fame/2026.html"])
    assert all(" ".join(name.split()) in said for name in NAMES)
    assert "and 7 more who are not named here." in said
    assert "3 people reported problems to us; none is named here." in words(found["hall-of-fame/2024.html"])
    one = shown_year(Year(2026, (Thanked("A", 1),), 1))
    assert one.sentence == "1 person named, and 1 more who is not named here."


def test_an_advisory_shows_its_facts_its_credit_its_timeline_and_its_files():
    said = words(pages(site_files(site()))["advisories/ims-2026-0005.html"])
    for fact in (
        "IMS-2026-0005",
        "Severity: High",
        "CVSS 3.1: 8.2",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:L/A:N",
        "Customer Portal",
        "before 2.3.1",
        "CVE-2026-12345",
        "CWE-79 Improper Neutralization",
        "2 March 2026 reported to us",
        "9 April 2026 fixed",
        "4 May 2026 published",
        "Reported by נועה בר־לב and Amina El-Fassi. Thank you.",
        "CSAF 2.0 (JSON)",
    ):
        assert fact in said, fact


def test_a_draft_is_on_no_site():
    with pytest.raises(InvalidDocument, match="IMS-2026-0009: is a draft"):
        site_files(site(advisories=(*ADVISORIES, advisory(9, published_at=None))))


def test_what_is_wrong_with_any_advisory_is_said_of_all_of_them_and_nothing_is_given():
    bad = (advisory(7, cvss="nonsense"), advisory(8, cwe="nonsense"), advisory(5))
    with pytest.raises(InvalidDocument) as refused:
        site_files(site(advisories=(*ADVISORIES, *bad)))
    assert [said.split(":")[0] for said in refused.value.problems] == [
        "IMS-2026-0007",
        "IMS-2026-0008",
        "IMS-2026-0005",
    ]


def test_the_feed_has_all_that_atom_requires(files):
    """RFC 4287 sections 4.1.1 and 4.1.2."""
    feed = atom(files)
    assert feed.tag == f"{ATOM}feed"
    assert len(feed.findall(f"{ATOM}author/{ATOM}name")) == 1
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}").strip()
        assert re.match(r"https://|tag:|urn:uuid:", element.findtext(f"{ATOM}id"))
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo is not None
        relations = [link.attrib["rel"] for link in element.findall(f"{ATOM}link")]
        assert len(relations) == len(set(relations))
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))


def test_what_identifies_an_entry_outlives_a_revision_and_a_new_policy():
    later = replace(policy(), version="2027-01-01")
    for base in (BASE, ""):
        before = atom(site_files(site(base=base, advisories=(advisory(),))))
        revised = advisory(revised_at=AT, version=2, title="Another title")
        after = atom(site_files(site(base=base, policy=later, advisories=(revised,))))
        assert [one.text for one in before.iter(f"{ATOM}id")] == [one.text for one in after.iter(f"{ATOM}id")]
        assert after.findtext(f"{ATOM}entry/{ATOM}updated") == "2026-11-20T09:00:00Z"


def test_the_json_of_the_site_says_what_the_pages_say():
    files = site_files(site())
    listed = json.loads(files["advisories.json"])
    assert [one["id"] for one in listed] == [one.name for one in ADVISORIES]
    assert all(path.removeprefix(f"{BASE}/") in files for one in listed for path in one["files"].values())
    (year, *_) = json.loads(files["hall-of-fame.json"])
    assert (year["year"], year["not_named"], len(year["thanked"])) == (2026, 7, len(NAMES))


def test_sectxt_finds_security_txt_valid_with_the_provider_metadata():
    parser = Parser(site_files(site())[".well-known/security.txt"])
    assert {error["code"] for error in parser.errors} <= {"expired"}
    text = site_files(site())[".well-known/security.txt"].decode()
    assert f"CSAF: {BASE}/.well-known/csaf/provider-metadata.json" in text
    assert f"Acknowledgments: {BASE}/hall-of-fame/index.html" in text
    assert "CSAF:" not in site_files(SITES["no address"])[".well-known/security.txt"].decode()
    issued = site_files(site(issued=datetime(2027, 6, 1, tzinfo=UTC)))[".well-known/security.txt"].decode()
    assert "Expires: 2027-11-28T00:00:00Z" in issued


def test_a_csaf_provider_serves_metadata_lists_and_feeds():
    files = site_files(site())
    for path in ("provider-metadata.json", "v2.0/provider-metadata.json", "v2.1/provider-metadata.json"):
        assert problems(f".well-known/csaf/{path}", json.loads(files[f".well-known/csaf/{path}"])) == ()
    for folder, version in (("white", "2.0"), ("clear", "2.1")):
        root = f".well-known/csaf/{folder}"
        index = files[f"{root}/index.txt"].decode().splitlines()
        assert len(index) == len(ADVISORIES)
        assert all(f"{root}/{name}" in files for name in index)
        changes = [line.replace('"', "").split(",") for line in files[f"{root}/changes.csv"].decode().splitlines()]
        assert [at for _, at in changes] == sorted((at for _, at in changes), reverse=True)
        for name, at in changes:
            assert json.loads(files[f"{root}/{name}"])["document"]["tracking"]["current_release_date"] == at
        feed = json.loads(files[f"{root}/feed-tlp-{folder}.json"])["feed"]
        for entry in feed["entry"]:
            assert entry["format"]["version"] == version
            assert all(link["href"].removeprefix(f"{BASE}/") in files for link in entry["link"])
    assert not [path for path in site_files(SITES["no address"]) if "provider-metadata" in path or "feed-tlp" in path]


def test_a_share_is_rounded_down_and_what_runs_counts_for_nothing():
    assert shown_kept(Kept("fix", "", 1000, 999, 1, 0)).percent == 99
    one = shown_kept(Kept("fix", "", 10, 4, 0, 0))
    assert (one.percent, one.running) == (100, 6)
    assert shown_kept(Kept("fix", "", 0, 0, 0, 0)).parts == ()


def test_a_mark_is_made_of_any_name():
    names = {"IMS Network": "IN", "Example": "E", "רשת אימס": "רא", "東京 電力": "東電", "...": "?", "ß": "SS"}
    assert {name: monogram(name) for name in names} == names


def test_the_site_names_its_own_pages_unless_the_policy_names_others():
    elsewhere = replace(policy(), publish=replace(policy().publish, policy="https://example.test/policy"))
    text = site_files(site(policy=elsewhere))[".well-known/security.txt"].decode()
    assert "Policy: https://example.test/policy" in text


@pytest.mark.parametrize("name", ["ims-network", "responsible-disclosure", "good-faith-rules"])
def test_tidy_finds_no_fault_in_any_page(name, tidy):
    for path, text in pages(site_files(site(policy=load_policy(POLICIES / f"{name}.toml")))).items():
        assert tidy(text) == "", path


MARKUP = ["<script>alert(1)</script>", "]]>", "\u202egnp.exe", "{{ 7*7 }}", '" onx="', "&#0;\x00\ufffe"]
texts = st.text(max_size=30) | st.sampled_from(MARKUP)
HOSTILE = st.builds(
    lambda **said: site(
        advisories=(
            advisory(**{key: said[key] for key in ("title", "text", "product", "affected", "fixed_in", "credits")}),
        ),
        years=(Year(2026, (Thanked(said["name"], 1),), 1),),
        kept=(Kept(said["promise"], said["clause"], 3, 1, 1, 0),),
        public_key=said["key"],
        policy=replace(policy(), organisation=said["organisation"]),
        base=said["base"],
    ),
    **dict.fromkeys(("title", "organisation"), texts.map(lambda text: f"x{text}")),
    **dict.fromkeys(("text", "product", "affected", "fixed_in", "name", "promise", "clause", "key"), texts),
    credits=st.lists(texts, max_size=2).map(tuple),
    base=st.sampled_from([BASE, ""]),
)


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_any_text_in_any_field_is_text_and_no_markup(hostile):
    try:
        files = site_files(hostile)
    except InvalidDocument as refused:
        assert all(": " in said for said in refused.problems)
        return
    for path, text in pages(files).items():
        for element in tree(text).iter():
            if isinstance(element.tag, str):
                assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS, path
                assert {str(name) for name in element.attrib} <= ATTRIBUTES, path
                assert re.match(r"https://|mailto:|(?![a-z]+:)", element.attrib.get("href", "")), path
    ElementTree.fromstring(files["feed.atom"])
    ElementTree.fromstring(files["mark.svg"])
    for path, octets in files.items():
        if path.endswith(".json"):
            json.loads(octets)


def test_no_field_of_an_advisory_is_forgotten_by_the_hostile_texts():
    """A new field has to be thought of here."""
    known = {"name", "title", "text", "product", "affected", "fixed_in", "severity", "cvss", "cwe", "cve", "credits"}
    dates = {"received_on", "fixed_on", "published_at", "revised_at", "version", "revisions"}
    assert {field.name for field in fields(Advisory)} == known | dates
