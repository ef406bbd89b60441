"""A policy → its security.txt (RFC 9116), unsigned. Never longer than a year, never a key inside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from triaged.policy.model import Policy
from triaged.policy.publishing import expires_at, mailto

WELL_KNOWN = ".well-known/security.txt"  # RFC 9116 section 3


def security_txt(policy: Policy, at: datetime, csaf: tuple[str, ...] = ()) -> str:
    """The file's text as published at that instant, with the addresses of CSAF provider metadata."""
    fields = (*_fields(policy, at), *(("CSAF", address) for address in csaf))
    return "".join(f"{name}: {value}\n" for name, value in fields)


def _fields(policy: Policy, at: datetime) -> Iterator[tuple[str, str]]:
    terms = policy.publish
    yield "Contact", mailto(policy.contact)
    yield "Expires", f"{expires_at(policy, at):%Y-%m-%dT%H:%M:%SZ}"
    yield from (("Encryption", key) for key in terms.encryption)
    if terms.acknowledgments:
        yield "Acknowledgments", terms.acknowledgments
    yield "Preferred-Languages", ", ".join(terms.preferred_languages or policy.languages)
    yield from (("Canonical", address) for address in terms.canonical)
    if terms.policy:
        yield "Policy", terms.policy
    if terms.hiring:
        yield "Hiring", terms.hiring
