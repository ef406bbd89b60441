"""An advisory → a record of the Open Source Vulnerability format 1.7. Names no ecosystem: the team's words hold none."""

from __future__ import annotations

from typing import Any

from triaged.policy.model import Policy
from triaged.publication.advisory import (
    address,
    first_at,
    latest_at,
    page_path,
    present,
    product,
    score,
    severity,
    slug,
    stamp,
)
from triaged.publication.cleaning import one_line, paragraphs
from triaged.publication.page import plain
from triaged.publication.values import Advisory
from triaged.publication.versions import Range, Versions, read, semantic

SCHEMA_VERSION = "1.7.5"


def path(advisory: Advisory) -> str:
    return f"advisories/{slug(advisory)}.osv.json"


def osv(advisory: Advisory, policy: Policy, base: str) -> dict[str, Any]:
    """One record; `x_` is the prefix of databases that are not registered."""
    page = address(base, page_path(advisory))
    return present(
        {
            "schema_version": SCHEMA_VERSION,
            "id": f"x_{advisory.name}",
            "aliases": [advisory.cve] if advisory.cve else [],
            "modified": stamp(latest_at(advisory)),
            "published": stamp(first_at(advisory)) if advisory.published_at else None,
            "summary": one_line(advisory.title),
            "details": _details(advisory.text),
            "severity": _severity(advisory),
            "affected": [_affected(advisory, policy)],
            "references": [{"type": "ADVISORY", "url": page}] if page else [],
            "credits": [{"name": one_line(name), "type": "FINDER"} for name in advisory.credits if one_line(name)],
            "database_specific": present(
                {"cwe_ids": [advisory.cwe] if advisory.cwe else [], "severity": severity(advisory)}
            ),
        }
    )


def _details(text: str) -> str:
    """CommonMark that shows the words as they stand."""
    return "\n\n".join("\\\n".join(plain(line.strip()) for line in block) for block in paragraphs(text))


def _severity(advisory: Advisory) -> list[dict[str, str]]:
    found = score(advisory)
    return [{"type": f"CVSS_V{found.version[0]}", "score": found.vector}] if found else []


def _affected(advisory: Advisory, policy: Policy) -> dict[str, Any]:
    found = read(advisory.affected, advisory.fixed_in)
    named = {"vendor": one_line(policy.organisation), "product": product(advisory, policy), "affected": found.words}
    return present({"ranges": _ranges(found), "versions": list(found.single), "database_specific": present(named)})


def _ranges(found: Versions) -> list[dict[str, Any]]:
    kind = "SEMVER" if semantic(found) else "ECOSYSTEM"
    return [{"type": kind, "events": _events(one)} for one in found.ranges]


def _events(one: Range) -> list[dict[str, str]]:
    events = [{"introduced": one.introduced}]
    if one.fixed:
        events.append({"fixed": one.fixed})
    elif one.last:
        events.append({"last_affected": one.last})
    return events
