"""What a security.txt says and when it expires (RFC 9116), ours and one already published. Writes no file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote

from triaged.policy.model import Policy

SOON = timedelta(days=30)
_YEAR = timedelta(days=365)
_LONGEST_LINE, _MOST_LINES = 2048, 1000  # RFC 9116 section 5.4


def expires_at(policy: Policy, at: datetime) -> datetime:
    """When a security.txt published at that instant ends, UTC, on a whole second."""
    terms = policy.publish
    if terms.expires is not None:
        return datetime.combine(terms.expires, time(), UTC)
    return at.astimezone(UTC).replace(microsecond=0) + timedelta(days=terms.expires_days)


def mailto(address: str) -> str:
    """An address as the URI of a Contact (RFC 6068 section 2)."""
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe='!$*+-._~')}@{domain}"


def expiring(policy: Policy, now: datetime) -> tuple[str, ...]:
    """Why the day of expiry wants a person: past, within 30 days, or more than a year away. For lint and check."""
    terms = policy.publish
    ends: list[tuple[str, datetime | None]] = []
    if terms.expires is not None:
        ends.append(("expires", expires_at(policy, now)))
    if terms.security_txt is not None:
        ends.append(("the published security.txt", published_expiry(terms.security_txt)))
    return tuple(text for name, end in ends for text in _doubts(name, end, now))


def _doubts(name: str, end: datetime | None, now: datetime) -> Iterator[str]:
    if end is None:
        yield f"{name} has not exactly one Expires (RFC 9116 section 2.5.5): publish it again"
    elif end <= now:
        yield f"{name} ended on {end:%Y-%m-%d}: publish it again with a later day"
    elif end <= now + SOON:
        yield f"{name} ends on {end:%Y-%m-%d}, within 30 days: publish it again with a later day"
    elif end > now + _YEAR:
        yield f"{name} ends on {end:%Y-%m-%d}, more than a year away: choose a nearer day (RFC 9116 section 2.5.5)"


def published_expiry(text: str) -> datetime | None:
    """The Expires of a security.txt; None where there is not exactly one that can be read."""
    found = _values(text, "expires")
    try:
        end = datetime.fromisoformat(found[0]) if len(found) == 1 else None
    except ValueError:
        return None
    return end if end is not None and end.tzinfo is not None else None


def published_contacts(text: str) -> tuple[str, ...]:
    """The Contact values of a security.txt."""
    return _values(text, "contact")


def _values(text: str, field: str) -> tuple[str, ...]:
    lines = text.splitlines()[:_MOST_LINES]
    pairs = (line.partition(":") for line in lines if len(line) <= _LONGEST_LINE)
    return tuple(value.strip() for name, _, value in pairs if name.strip().lower() == field)
