"""What is published, as values: no person but by consent, no ticket's mail, no member. Decides and reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from triaged.policy.model import Policy
from triaged.ticket.hall import Thanked, Year

__all__ = ["Advisory", "Kept", "Site", "Thanked", "Year"]


@dataclass(frozen=True, slots=True)
class Advisory:
    """One published problem, in the team's words."""

    name: str  # IMS-2026-0001
    title: str
    text: str  # plain paragraphs; empty lines part them
    product: str
    affected: str  # versions as the team wrote them: "before 2.3.1", "2.0 to 2.3", "1.0, 1.1"
    fixed_in: str
    severity: str  # none | low | medium | high | critical | ""
    cvss: str  # vector of CVSS 3.0, 3.1 or 4.0
    cwe: str  # CWE-79
    cve: str
    credits: tuple[str, ...]  # by consent only
    received_on: date
    fixed_on: date | None
    published_at: datetime | None  # None: a draft
    revised_at: datetime | None = None
    version: int = 1  # 1, and one more for each revision
    revisions: tuple[datetime, ...] = ()  # of all revisions, the oldest first; needed from the second on


@dataclass(frozen=True, slots=True)
class Kept:
    """How one promise fared. Numbers only."""

    promise: str
    clause: str
    made: int
    kept: int
    late: int
    missed: int


@dataclass(frozen=True, slots=True)
class Site:
    """All that a site is made of. The same values give the same bytes."""

    policy: Policy
    base: str  # https address of the site's root, without a slash at its end; "" where none is set
    at: datetime  # of the newest content; the only instant that files hold
    years: tuple[Year, ...] = ()  # newest first
    advisories: tuple[Advisory, ...] = ()  # newest first
    kept: tuple[Kept, ...] = ()
    issued: datetime | None = None  # from when security.txt counts its Expires; None: at
    public_key: str = ""  # PEM: with which receipts are verified
    titles: Mapping[str, str] = field(default_factory=dict)  # CWE-79 -> its name in the catalogue
    catalogue: str = ""  # version of the CWE catalogue that these names are of: "4.18"
