"""What all forms of an advisory share: its file name, instants, addresses and severity, and what in it can't be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any

from triaged.policy.model import Policy
from triaged.publication.cleaning import one_line
from triaged.publication.scoring import SEVERITIES, Score, scored
from triaged.publication.values import Advisory

_NAME = re.compile(r"[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){1,4}", re.ASCII)
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}", re.ASCII)
_CWE = re.compile(r"CWE-[1-9][0-9]{0,4}", re.ASCII)
_YEARS = range(1990, 2900)  # the span that the pattern of CVE timestamps holds


class InvalidDocument(Exception):
    """Something can't be published as it stands; `problems` says what and why, all of it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def doubts(advisory: Advisory) -> tuple[str, ...]:
    """What in the values no document could say rightly, in words."""
    return tuple(f"{one_line(advisory.name)[:80] or 'an advisory'}: {said}" for said in _doubts(advisory))


def _doubts(advisory: Advisory) -> Iterator[str]:
    if not _NAME.fullmatch(advisory.name):
        yield "name: must be letters and digits with single hyphens, such as IMS-2026-0001"
    if not advisory.title.strip():
        yield "title: must not be empty"
    if advisory.severity and advisory.severity not in SEVERITIES:
        yield f"severity: must be one of {', '.join(SEVERITIES)}"
    if advisory.cvss and scored(advisory.cvss) is None:
        yield "cvss: is no vector of CVSS 3.0, 3.1 or 4.0"
    if advisory.cwe and not _CWE.fullmatch(advisory.cwe):
        yield "cwe: must be a number of the catalogue, such as CWE-79"
    if advisory.cve and not _CVE.fullmatch(advisory.cve):
        yield "cve: must be an identifier such as CVE-2026-12345"
    yield from _untimely(advisory)


def _untimely(advisory: Advisory) -> Iterator[str]:
    instants = releases(advisory)
    if any(one.tzinfo is None for one in instants):
        yield "published_at, revised_at and revisions: need a zone"
    elif any(later <= earlier for earlier, later in pairwise(instants)):
        yield "revised_at and revisions: must lie after published_at, and each after the one before it"
    if advisory.published_at is None and len(instants) > 0:
        yield "revised_at: a draft has no revision"
    if advisory.published_at and advisory.version != len(instants):
        yield f"version: is {advisory.version}, and the instants of {len(instants)} are known"
    days = (advisory.received_on, *filter(None, (advisory.fixed_on,)))
    if any(one.year not in _YEARS for one in (*instants, *days)):
        yield f"dates: must lie from {_YEARS.start} to {_YEARS.stop - 1}"


def releases(advisory: Advisory) -> tuple[datetime, ...]:
    """When it was published, and each time that it was published again."""
    revised = advisory.revisions or ((advisory.revised_at,) if advisory.revised_at else ())
    return (*filter(None, (advisory.published_at,)), *revised)


def slug(advisory: Advisory) -> str:
    """The name in files and addresses: ims-2026-0001 (CSAF section 5.1 asks for lower case)."""
    return advisory.name.lower()


def first_at(advisory: Advisory) -> datetime:
    """When it was published; of a draft, the day of the fix or else of the report, for the forms that need a date."""
    return (
        advisory.published_at or datetime.combine(advisory.fixed_on or advisory.received_on, time(), UTC)
    ).astimezone(UTC)


def latest_at(advisory: Advisory) -> datetime:
    return (releases(advisory) or (first_at(advisory),))[-1].astimezone(UTC)


def stamp(instant: datetime) -> str:
    """RFC 3339 in UTC, to the second: what every format reads."""
    return f"{instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def score(advisory: Advisory) -> Score | None:
    return scored(advisory.cvss) if advisory.cvss else None


def severity(advisory: Advisory) -> str:
    """The team's word, or else the vector's; "" where there is neither."""
    found = score(advisory)
    return advisory.severity or (found.severity if found else "")


def product(advisory: Advisory, policy: Policy) -> str:
    """What is affected; a report that names no product is about what the organisation runs."""
    return one_line(advisory.product) or one_line(policy.organisation)


def page_path(advisory: Advisory) -> str:
    return f"advisories/{slug(advisory)}.html"


def address(base: str, path: str) -> str:
    """The absolute address; "" where the site has none."""
    return f"{base}/{path}" if base else ""


def namespace(policy: Policy, base: str) -> str:
    """An address that the organisation controls (CSAF section 3.2.1.8.3): the site, or else the domain of its mail."""
    return base or f"https://{policy.contact.rpartition('@')[2]}"


def json_bytes(document: object) -> bytes:
    """Canonical enough for git: sorted, two spaces, one newline at the end; the same value gives the same bytes."""
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n").encode()


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known: no format here has a place for emptiness."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, ())}
