"""An advisory → CSAF 2.0 and 2.1, profile Security Advisory (OASIS). Values to values; sends and signs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triaged.policy.model import Policy
from triaged.publication.advisory import (
    address,
    first_at,
    midnight,
    namespace,
    page_path,
    present,
    product,
    releases,
    score,
    severity,
    slug,
    stamp,
)
from triaged.publication.cleaning import one_line
from triaged.publication.product_tree import Products, products
from triaged.publication.scoring import cvss_object
from triaged.publication.values import Advisory

SCHEMA_21 = "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/csaf.json"
FOLDERS = {"2.0": "white", "2.1": "clear"}  # the names of the Traffic Light Protocol before and since its version 2


def path(advisory: Advisory, version: str) -> str:
    """Where the document stands below the root (CSAF 2.0 section 7.1.11 to 7.1.13: a folder a year)."""
    return f".well-known/csaf/{FOLDERS[version]}/{first_at(advisory).year}/{slug(advisory)}.json"


def csaf(
    advisory: Advisory, policy: Policy, base: str, version: str, titles: Mapping[str, str], catalogue: str
) -> dict[str, Any]:
    """One document of version 2.0 or 2.1."""
    found = products(advisory, policy)
    made = {
        "document": _document(advisory, policy, base, version),
        "product_tree": found.tree,
        "vulnerabilities": [_vulnerability(advisory, policy, found, version, titles, catalogue)],
    }
    return {"$schema": SCHEMA_21, **made} if version == "2.1" else made


def publisher(policy: Policy, base: str, version: str) -> dict[str, Any]:
    contact = {"contact_details": policy.contact} if version == "2.0" else {"contact": {"email": policy.contact}}
    return {
        **contact,
        "category": "vendor",
        "name": one_line(policy.organisation),
        "namespace": namespace(policy, base),
    }


def _document(advisory: Advisory, policy: Policy, base: str, version: str) -> dict[str, Any]:
    label = {"2.0": "WHITE", "2.1": "CLEAR"}[version]
    word = severity(advisory)
    return present(
        {
            "aggregate_severity": {"text": word.capitalize()} if word else None,
            "category": "csaf_security_advisory",
            "csaf_version": version,
            "distribution": {"tlp": {"label": label, "url": "https://www.first.org/tlp/"}},
            "lang": "en",
            "notes": [{"category": "summary", "text": one_line(advisory.title), "title": "Summary"}],
            "publisher": publisher(policy, base, version),
            "references": _references(advisory, base, version),
            "title": one_line(advisory.title),
            "tracking": _tracking(advisory),
        }
    )


def _references(advisory: Advisory, base: str, version: str) -> list[dict[str, str]]:
    if not base:
        return []
    return [
        {"category": "self", "summary": "This document", "url": address(base, path(advisory, version))},
        {"category": "self", "summary": "The advisory as a page", "url": address(base, page_path(advisory))},
    ]


def _tracking(advisory: Advisory) -> dict[str, Any]:
    history = [
        {"date": stamp(at), "number": str(number), "summary": "Published." if number == 1 else "Revised."}
        for number, at in enumerate(releases(advisory), 1)
    ] or [{"date": stamp(first_at(advisory)), "number": "0", "summary": "Draft."}]
    return {
        "current_release_date": history[-1]["date"],
        "generator": {"engine": {"name": "triaged"}},
        "id": advisory.name,
        "initial_release_date": history[0]["date"],
        "revision_history": history,
        "status": "final" if advisory.published_at else "draft",
        "version": history[-1]["number"],
    }


def _vulnerability(
    advisory: Advisory, policy: Policy, found: Products, version: str, titles: Mapping[str, str], catalogue: str
) -> dict[str, Any]:
    scores = [{"products": list(found.affected), **one} for one in _scores(advisory, version)]
    names = [one_line(credit) for credit in advisory.credits if one_line(credit)]
    released = stamp(first_at(advisory)) if advisory.published_at else None
    return present(
        {
            "acknowledgments": [{"names": names, "summary": "Reported it."}] if names else [],
            "cve": advisory.cve,
            **_weakness(advisory, version, titles, catalogue),
            "ids": [{"system_name": f"Advisories of {one_line(policy.organisation)}", "text": advisory.name}],
            "notes": [{"category": "description", "text": advisory.text.strip() or advisory.title.strip()}],
            "product_status": present({"fixed": list(found.fixed), "known_affected": list(found.affected)}),
            {"2.0": "release_date", "2.1": "disclosure_date"}[version]: released,
            "remediations": [_remediation(advisory, policy, found)],
            {"2.0": "scores", "2.1": "metrics"}[version]: scores,
            "title": one_line(advisory.title),
        }
    )


def _scores(advisory: Advisory, version: str) -> list[dict[str, Any]]:
    """CSAF 2.0 has no place for CVSS 4.0."""
    found = score(advisory)
    if found is None or (version == "2.0" and found.version == "4.0"):
        return []
    held = {f"cvss_v{found.version[0]}": cvss_object(found)}
    return [held] if version == "2.0" else [{"content": held}]


def _weakness(advisory: Advisory, version: str, titles: Mapping[str, str], catalogue: str) -> dict[str, Any]:
    """Only with the catalogue's own name: another is a mistake (6.1.11)."""
    name = titles.get(advisory.cwe, "")
    if not name or (version == "2.1" and not catalogue):
        return {}
    entry = {"id": advisory.cwe, "name": name}
    return {"cwe": entry} if version == "2.0" else {"cwes": [{**entry, "version": catalogue}]}


def _remediation(advisory: Advisory, policy: Policy, found: Products) -> dict[str, Any]:
    fixed_in = one_line(advisory.fixed_in)
    category, details = "none_available", "No fix is available yet."
    if fixed_in:
        category, details = "vendor_fix", f"The fix is in {product(advisory, policy)} {fixed_in}."
    elif advisory.fixed_on:
        category, details = "vendor_fix", f"The problem was fixed on {advisory.fixed_on.isoformat()}."
    date = midnight(advisory.fixed_on) if advisory.fixed_on else None
    return present({"category": category, "date": date, "details": details, "product_ids": list(found.affected)})
