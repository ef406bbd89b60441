"""An advisory → what a CVE Numbering Authority submits (CVE record 5.2). Reserves no number and submits nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triaged.policy.model import Policy
from triaged.publication.advisory import address, first_at, midnight, page_path, present, product, score, slug, stamp
from triaged.publication.cleaning import one_line
from triaged.publication.scoring import cvss_object
from triaged.publication.values import Advisory
from triaged.publication.versions import Range, read, semantic, singles

DATA_VERSION = "5.2.0"
_LONGEST_TITLE, _LONGEST_TEXT = 256, 4096  # of the schema


def path(advisory: Advisory) -> str:
    return f"advisories/{slug(advisory)}.cve.json"


def cve(advisory: Advisory, policy: Policy, base: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """A whole record where its number and the organisation's own are known, else the container that CVE Services takes."""
    container = _container(advisory, policy, base, titles)
    organisation = policy.publish.cna
    if not (advisory.cve and organisation):
        return {"cnaContainer": container}
    published = stamp(first_at(advisory)) if advisory.published_at else None
    metadata = {"cveId": advisory.cve, "assignerOrgId": organisation, "state": "PUBLISHED", "datePublished": published}
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": DATA_VERSION,
        "cveMetadata": present(metadata),
        "containers": {"cna": {"providerMetadata": {"orgId": organisation}, **container}},
    }


def _container(advisory: Advisory, policy: Policy, base: str, titles: Mapping[str, str]) -> dict[str, Any]:
    page = address(base, page_path(advisory))
    found = score(advisory)
    fix = _solution(advisory, policy)
    return present(
        {
            "title": _cut(one_line(advisory.title), _LONGEST_TITLE),
            "descriptions": [_english(advisory.text.strip() or advisory.title.strip())],
            "affected": [_affected(advisory, policy)],
            "problemTypes": _weakness(advisory, titles),
            "metrics": [_metric(found.version, cvss_object(found))] if found else [],
            "references": [{"url": page, "tags": ["vendor-advisory"]}] if page else [],
            "solutions": [_english(fix)] if fix else [],
            "credits": [{"lang": "en", "value": name, "type": "finder"} for name in _names(advisory)],
            "datePublic": stamp(first_at(advisory)) if advisory.published_at else None,
            "timeline": list(_timeline(advisory)),
        }
    )


def _english(text: str) -> dict[str, str]:
    return {"lang": "en", "value": _cut(text, _LONGEST_TEXT)}


def _names(advisory: Advisory) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(name) for name in advisory.credits if one_line(name)))


def _cut(text: str, most: int) -> str:
    """The schema has a limit; the page that the record refers to holds the whole."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _weakness(advisory: Advisory, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    if not advisory.cwe:
        return []
    words = f"{advisory.cwe} {titles.get(advisory.cwe, '')}".strip()
    return [{"descriptions": [{"lang": "en", "description": words, "cweId": advisory.cwe, "type": "CWE"}]}]


def _metric(version: str, held: dict[str, Any]) -> dict[str, Any]:
    scenarios = [{"lang": "en", "value": "GENERAL"}]
    return {f"cvssV{version.replace('.', '_')}": held, "format": "CVSS", "scenarios": scenarios}


def _solution(advisory: Advisory, policy: Policy) -> str:
    fixed_in = one_line(advisory.fixed_in)
    return f"The fix is in {product(advisory, policy)} {fixed_in}." if fixed_in else ""


def _affected(advisory: Advisory, policy: Policy) -> dict[str, Any]:
    versions = list(_versions(advisory))
    # What is not listed is not affected only where the list was read; else nobody can tell.
    status = "unaffected" if versions and not read(advisory.affected, advisory.fixed_in).words else "unknown"
    named = {"vendor": one_line(policy.organisation), "product": product(advisory, policy), "defaultStatus": status}
    return present({**named, "versions": versions})


def _versions(advisory: Advisory) -> Iterator[dict[str, str]]:
    found = read(advisory.affected, advisory.fixed_in)
    kind = "semver" if semantic(found) else "custom"
    yield from ({**_range(one), "status": "affected", "versionType": kind} for one in found.ranges)
    yield from ({"version": one, "status": "affected"} for one in found.single)
    if found.words:
        yield {"version": found.words, "status": "affected"}
    yield from ({"version": one, "status": "unaffected"} for one in singles(advisory.fixed_in))


def _range(one: Range) -> dict[str, str]:
    end = {"lessThanOrEqual": one.last} if one.last else {"lessThan": one.fixed or "*"}
    return {"version": one.introduced, **end}


def _timeline(advisory: Advisory) -> Iterator[dict[str, str]]:
    yield {"time": midnight(advisory.received_on), "lang": "en", "value": "Reported."}
    if advisory.fixed_on:
        yield {"time": midnight(advisory.fixed_on), "lang": "en", "value": "Fixed."}
    if advisory.published_at:
        yield {"time": stamp(advisory.published_at), "lang": "en", "value": "Published."}
