"""Values as rich as a year brings them: names in many scripts, advisories of every severity, promises kept and missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from triaged.policy.load import load_policy
from triaged.policy.model import Policy
from triaged.publication.values import Advisory, Kept, Site, Thanked, Year

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
BASE = "https://security.example.test"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TITLES = {
    "CWE-79": "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')",
    "CWE-89": "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')",
    "CWE-307": "Improper Restriction of Excessive Authentication Attempts",
    "CWE-787": "Out-of-bounds Write",
    "CWE-863": "Incorrect Authorization",
    "CWE-1021": "Improper Restriction of Rendered UI Layers or Frames",
}
NAMES = (
    "Amina El-Fassi",
    "נועה בר־לב",
    "محمد بن عبد الله",
    "李小龙",
    "山田 太郎",
    "김서연",
    "Ольга Иванова",
    "Ελένη Παπαδοπούλου",
    "अनन्या शर्मा",
    "ศิริพร วงศ์ไทย",
    "Nguyễn Thị Ánh Nguyệt",
    "Þórdís Guðmundsdóttir",
    "Siobhán Ní Bhriain",
    "José María Fernández-Villaverde y Álvarez de Toledo",
    "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafewarenwohlgepflege",
    "<script>alert(1)</script>",
    "]]> & \"quotes\" 'and' more",
    "x0rz",
    "დავით გელაშვილი",
    "Աննա Պետրոսյան",
    "తెలుగు వాడు",
    "தமிழ்ச்செல்வி",
    "Đorđe Šarčević",
    "Łukasz Żółć",
    "Zoë Åström",
    "Ayşe Gül Çelik",
    "Red Team of the University of Somewhere",
    "Mbali Nkosi",
    "Kāwika Kealoha",
    "O'Brien-Smythe, Pádraig",
)
TEXT = """The search page of the customer portal wrote the words that were searched for into its answer without escaping them.
Whoever got a signed-in customer to follow a link could act in that customer's name.

No sign of misuse was found in the logs of the last 400 days. Customers need to do nothing for the hosted portal.

Those who run the portal themselves should update to 2.3.1; there is no workaround."""


def policy(name: str = "ims-network") -> Policy:
    return load_policy(POLICIES / f"{name}.toml")


def advisory(number: int = 1, **changes: object) -> Advisory:
    made = Advisory(
        name=f"IMS-2026-{number:04}",
        title="Scripts of others run in the search page of the customer portal",
        text=TEXT,
        product="Customer Portal",
        affected="before 2.3.1",
        fixed_in="2.3.1",
        severity="high",
        cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:L/A:N",
        cwe="CWE-79",
        cve="CVE-2026-12345",
        credits=("נועה בר־לב", "Amina El-Fassi"),
        received_on=date(2026, 3, 2),
        fixed_on=date(2026, 4, 9),
        published_at=datetime(2026, 5, 4, 8, 30, tzinfo=UTC),
    )
    return replace(made, **changes)


ADVISORIES = (
    advisory(
        6,
        title="A firmware image with a long name overwrites memory of the router before anybody has signed in",
        product="IMS Router 4000 Series",
        affected="2.0 to 2.3",
        fixed_in="2.3.1",
        severity="critical",
        cvss="CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        cwe="CWE-787",
        cve="CVE-2026-40001",
        credits=(),
        received_on=date(2026, 8, 30),
        fixed_on=date(2026, 10, 2),
        published_at=datetime(2026, 11, 1, 7, 0, tzinfo=UTC),
        revised_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        version=3,
        revisions=(datetime(2026, 11, 9, 12, 0, tzinfo=UTC), datetime(2026, 11, 20, 9, 0, tzinfo=UTC)),
    ),
    advisory(5),
    advisory(
        4,
        title="Invoices of other customers can be read",
        severity="medium",
        cvss="CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
        cwe="CWE-863",
        cve="",
        product="",
        affected="",
        fixed_in="",
        credits=(NAMES[14],),
        published_at=datetime(2026, 4, 20, 10, 0, tzinfo=UTC),
    ),
    advisory(
        3,
        title="The sign-in of the status page takes any number of guesses",
        severity="low",
        cvss="CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N",
        cwe="CWE-307",
        cve="",
        affected="1.0, 1.1",
        fixed_in="1.2",
        published_at=datetime(2026, 3, 3, 10, 0, tzinfo=UTC),
    ),
    advisory(
        2,
        title="The help page can be shown in a frame of another site",
        severity="none",
        cvss="",
        cwe="CWE-1021",
        cve="",
        affected="the builds of January, on Windows only",
        fixed_in="the build of 3 February",
        credits=("<script>alert(1)</script>",),
        received_on=date(2026, 1, 10),
        fixed_on=date(2026, 2, 3),
        published_at=datetime(2026, 2, 20, 10, 0, tzinfo=UTC),
    ),
    advisory(
        1,
        name="IMS-2025-0001",
        title="Injected SQL in the export of reports",
        severity="",
        cvss="",
        cwe="CWE-89",
        cve="",
        affected="all",
        fixed_in="7.0.2",
        credits=("李小龙",),
        received_on=date(2025, 10, 10),
        fixed_on=date(2025, 11, 3),
        published_at=datetime(2025, 12, 1, 10, 0, tzinfo=UTC),
    ),
)
YEARS = (
    Year(2026, tuple(Thanked(name, 1 + (number * 7) % 5) for number, name in enumerate(NAMES)), unnamed=7),
    Year(2025, (Thanked("x0rz", 2), Thanked("李小龙", 1)), unnamed=1),
    Year(2024, (), unnamed=3),
)
KEPT = (
    Kept("acknowledge", "We will acknowledge your report within 3 business days.", 128, 126, 2, 0),
    Kept("assess", "We will tell you what we make of it.", 97, 80, 11, 6),
    Kept("update", "We keep you informed.", 310, 290, 12, 8),
    Kept("fix", "We aim to fix what is reported.", 0, 0, 0, 0),
)
KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"


def site(**changes: object) -> Site:
    return replace(Site(policy(), BASE, AT, YEARS, ADVISORIES, KEPT, None, KEY, TITLES, "4.18"), **changes)
