"""The values of a site → all its files, by their path below the web root: pages, feeds, documents. Writes none, asks no clock."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from triaged.policy.publishing import mailto
from triaged.publication import csaf_provider
from triaged.publication.advisory import InvalidDocument, address, json_bytes, latest_at, stamp
from triaged.publication.check import problems
from triaged.publication.cleaning import cleaned, one_line
from triaged.publication.disclose_io import disclose_io
from triaged.publication.documents import documents
from triaged.publication.page import markdown, page_values
from triaged.publication.security_txt import WELL_KNOWN, security_txt
from triaged.publication.shown import (
    ShownAdvisory,
    ShownYear,
    counted,
    day,
    iso,
    kept_sentence,
    monogram,
    shown_advisory,
    shown_kept,
    shown_year,
)
from triaged.publication.values import Advisory, Site

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY_PAGE, PROMISES_PAGE = "security-policy.html", "promises.html"
ADVISORIES_PAGE, HALL_PAGE = "advisories/index.html", "hall-of-fame/index.html"
PAGES = (
    ("Advisories", ADVISORIES_PAGE),
    ("Hall of Fame", HALL_PAGE),
    ("Policy", POLICY_PAGE),
    ("Promises", PROMISES_PAGE),
)
_RECENT = 50  # entries of the feed


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it stands, what it is made of, and the part of the site that it belongs to."""

    path: str
    template: str
    values: dict[str, object]
    section: str = ""


def site_files(site: Site) -> dict[str, bytes]:
    """Path → bytes. The same values give the same bytes; what can't be published raises InvalidDocument, and nothing is given."""
    site = _clean(site)
    files = _documents(site) | _machine_files(site)
    shared = _shared(site)
    for page in _pages(site, shared):
        files[page.path] = _page(page, shared)
    if site.base:
        pages = [path for path in files if path.endswith(".html")]
        files["sitemap.xml"] = _rendered("sitemap.xml.j2", {"base": site.base, "paths": sorted(pages)})
    return dict(sorted(files.items()))


def _clean(site: Site) -> Site:
    """Text that every format holds, and a policy that names the site's own pages where it names none."""
    terms = site.policy.publish
    if site.base:
        home = address(site.base, POLICY_PAGE), address(site.base, HALL_PAGE)
        terms = replace(
            terms,
            policy=terms.policy or home[0],
            acknowledgments=terms.acknowledgments or home[1],
            canonical=terms.canonical or (address(site.base, WELL_KNOWN),),
        )
    policy = replace(site.policy, publish=terms, organisation=one_line(cleaned(site.policy.organisation)))
    return replace(
        site,
        policy=policy,
        years=tuple(sorted(cleaned(site.years), key=lambda one: -one.year)),
        kept=cleaned(site.kept),
        public_key=cleaned(site.public_key).strip(),
    )


def _documents(site: Site) -> dict[str, bytes]:
    """Of every advisory, or a list of everything that is wrong with any of them."""
    files: dict[str, bytes] = {}
    wrong: list[str] = []
    for one in site.advisories:
        try:
            made = documents(one, site.policy, site.base, site.titles, site.catalogue)
        except InvalidDocument as refused:
            wrong += refused.problems
            continue
        wrong += _unpublishable(one, made, files)
        files |= made
    if wrong:
        raise InvalidDocument(tuple(wrong))
    return files


def _unpublishable(one: Advisory, made: dict[str, bytes], others: dict[str, bytes]) -> Iterator[str]:
    if one.published_at is None:
        yield f"{one.name}: is a draft, which no site holds"
    if made.keys() & others.keys():
        yield f"{one.name}: another advisory has this name"


def _machine_files(site: Site) -> dict[str, bytes]:
    advisories = tuple(cleaned(one) for one in site.advisories)
    known = csaf_provider.addresses(site.base) if site.base else ()
    texts = {
        WELL_KNOWN: security_txt(site.policy, site.issued or site.at, known),
        "security-policy.md": markdown(site.policy),
        "disclose-io.json": disclose_io(site.policy),
        "site.css": _file("site.css"),
    }
    if site.public_key:
        texts["receipts.pem"] = f"{site.public_key}\n"
    files = {path: text.encode() for path, text in texts.items()} | csaf_provider.lists(advisories)
    return files | (_provider(site, advisories) if site.base else {})


def _provider(site: Site, advisories: tuple[Advisory, ...]) -> dict[str, bytes]:
    made = csaf_provider.metadata(site.policy, site.base, site.at)
    wrong = tuple(said for path, document in made.items() for said in problems(path, document))
    if wrong:
        raise InvalidDocument(wrong)
    lists = {path: json_bytes(document) for path, document in made.items()}
    return lists | csaf_provider.feeds(advisories, site.policy, site.base, site.at)


def _shared(site: Site) -> dict[str, Any]:
    """What every template may use."""
    shown = [shown_advisory(cleaned(one), site.policy, site.base, site.titles) for one in site.advisories]
    advisories = sorted(shown, key=lambda one: (one.first, one.name), reverse=True)
    kept = tuple(map(shown_kept, site.kept))
    acknowledge = site.policy.promise("acknowledge")
    return {
        **page_values(site.policy),
        "acknowledged": str(acknowledge.period) if acknowledge and acknowledge.within else "",
        "advisories": advisories,
        "at": site.at,
        "base": site.base,
        "counted": counted,
        "day": day,
        "iso": iso,
        "kept": kept,
        "kept_sentence": kept_sentence(kept),
        "mailto": mailto(site.policy.contact),
        "monogram": monogram(site.policy.organisation),
        "organisation": site.policy.organisation,
        "pages": PAGES,
        "policy": site.policy,
        "public_key": site.public_key,
        "years": [shown_year(one) for one in site.years],
    }


def _pages(site: Site, shared: dict[str, Any]) -> Iterator[Page]:
    advisories: list[ShownAdvisory] = shared["advisories"]
    years: list[ShownYear] = shared["years"]
    yield Page("index.html", "index.html.j2", {})
    yield Page(ADVISORIES_PAGE, "advisories.html.j2", {}, ADVISORIES_PAGE)
    yield from (Page(one.page, "advisory.html.j2", {"one": one}, ADVISORIES_PAGE) for one in advisories)
    yield Page(HALL_PAGE, "years.html.j2", {}, HALL_PAGE)
    for year in years:
        others = [other for other in years if other is not year]
        yield Page(year.page, "year.html.j2", {"year": year, "others": others}, HALL_PAGE)
    yield Page(POLICY_PAGE, "policy.html.j2", {}, POLICY_PAGE)
    yield Page(PROMISES_PAGE, "promises.html.j2", {}, PROMISES_PAGE)
    yield Page("feed.atom", "feed.atom.j2", _feed(site, advisories))
    yield Page("mark.svg", "mark.svg.j2", {})
    yield Page("advisories.json", "", {"json": [_advisory_entry(one, site.base) for one in advisories]})
    yield Page("hall-of-fame.json", "", {"json": [_year_entry(one) for one in years]})


def _page(page: Page, shared: dict[str, Any]) -> bytes:
    if "json" in page.values:
        return json_bytes(page.values["json"])
    root = "../" * page.path.count("/")
    return _rendered(page.template, {**shared, **page.values, "root": root, "path": page.path, "section": page.section})


def _feed(site: Site, advisories: list[ShownAdvisory]) -> dict[str, object]:
    recent = sorted(advisories, key=lambda one: (one.latest, one.name), reverse=True)[:_RECENT]
    # Without an address: an identifier of the mailbox, which no new version of the policy changes (RFC 4287 section 4.2.6).
    own = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'mailto:{site.policy.contact}')}"
    return {
        "recent": recent,
        "feed_id": address(site.base, "feed.atom") or own,
        "feed_updated": stamp(max(map(latest_at, site.advisories), default=site.at)),
        "base_or_here": f"{site.base}/" if site.base else "",
        "stamp": stamp,
    }


def _advisory_entry(one: ShownAdvisory, base: str) -> dict[str, object]:
    files = {name: address(base, path) or path for name, path in one.files}
    return {
        "id": one.name,
        "title": one.title,
        "product": one.product,
        "severity": one.severity or None,
        "cvss": {"vector": one.score.vector, "base_score": one.score.base} if one.score else None,
        "published": stamp(one.first),
        "updated": stamp(one.latest),
        "version": one.version,
        "page": address(base, one.page) or one.page,
        "credits": list(one.credits),
        "files": files,
    }


def _year_entry(one: ShownYear) -> dict[str, object]:
    named = [{"name": who.name, "reports": who.reports} for who in one.thanked]
    return {"year": one.year, "thanked": named, "not_named": one.unnamed}


def _rendered(template: str, values: dict[str, Any]) -> bytes:
    return _templates().get_template(f"site/{template}").render(values).encode()


def _file(name: str) -> str:
    return (package_files("triaged.publication") / "templates" / "site" / name).read_text(encoding="utf-8")


def _final(value: object) -> object:
    """What a template writes: text of the policy is cleaned here, markup of our own stands as it is."""
    return cleaned(value) if type(value) is str else value


@cache
def _templates() -> Environment:
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("triaged.publication"),
        autoescape=True,  # XML as well as HTML: the five characters have the same references in both
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
