"""An advisory → Markdown (CommonMark), for people and for drafts. Every word of the values is shown as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from triaged.policy.model import Policy
from triaged.publication.advisory import product, score, severity, slug
from triaged.publication.cleaning import one_line, paragraphs
from triaged.publication.page import inline, plain
from triaged.publication.values import Advisory


def path(advisory: Advisory) -> str:
    return f"advisories/{slug(advisory)}.md"


def advisory_markdown(advisory: Advisory, policy: Policy) -> str:
    """Title, facts, text, credit."""
    parts = (
        f"# {inline(advisory.name)}: {inline(one_line(advisory.title))}",
        *(("**Draft. Not published.**",) if advisory.published_at is None else ()),
        "\n".join(f"- **{label}:** {value}" for label, value in _facts(advisory, policy)),
        *("\\\n".join(plain(line.strip()) for line in block) for block in paragraphs(advisory.text)),
        *_credit(advisory),
    )
    return "\n\n".join(parts) + "\n"


def _facts(advisory: Advisory, policy: Policy) -> Iterator[tuple[str, str]]:
    found = score(advisory)
    facts = (
        ("Product", product(advisory, policy)),
        ("Affected", one_line(advisory.affected)),
        ("Fixed in", one_line(advisory.fixed_in)),
        ("Severity", severity(advisory)),
        ("CVSS", f"{found.base} ({found.vector})" if found else ""),
        ("Weakness", advisory.cwe),
        ("CVE", advisory.cve),
        ("Reported", advisory.received_on.isoformat()),
        ("Fixed", advisory.fixed_on.isoformat() if advisory.fixed_on else ""),
        ("Published", f"{advisory.published_at:%Y-%m-%d}" if advisory.published_at else ""),
        ("Revised", f"{advisory.revised_at:%Y-%m-%d}" if advisory.revised_at else ""),
    )
    return ((label, inline(value)) for label, value in facts if value)


def _credit(advisory: Advisory) -> Iterator[str]:
    names = [inline(one_line(name)) for name in advisory.credits if one_line(name)]
    if names:
        yield f"## Credit\n\nReported by {', '.join(names)}."
