"""The policies that tickets came in under, from their kept texts. Nothing here is the policy of today."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from triaged.policy.load import PolicyError, kept_policy
from triaged.policy.model import Policy
from triaged.tracker.schema import policy_text

_KEPT: dict[str, Policy | None] = {}  # by hash: what stands behind one never changes


def kept(connection: Connection, hashes: Iterable[str]) -> dict[str, Policy | None]:
    """Hash -> policy; None where this program can't read the text any more."""
    wanted = frozenset(hashes)
    unread = wanted - _KEPT.keys()
    if unread:
        columns = (policy_text.c.sha256, policy_text.c.source, policy_text.c.published, policy_text.c.name)
        for row in connection.execute(select(*columns).where(policy_text.c.sha256.in_(unread))):
            _KEPT[row.sha256] = _read(row.source, row.published, row.name)
    return {digest: _KEPT.get(digest) for digest in wanted}


def _read(source: str, published: str | None, name: str) -> Policy | None:
    try:
        return kept_policy(source, published, name)
    except PolicyError:
        return None
