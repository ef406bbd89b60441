"""What the installation keeps about itself: the address key made here, policies seen, the last rehearsed instant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from triaged.policy.model import Policy
from triaged.ticket.events import EventKind
from triaged.ticket.reference import Entropy
from triaged.tracker.engine import insert_new
from triaged.tracker.schema import event, installation, policy_text

KEY_BYTES = 32


class PolicyChangedError(Exception):
    """One policy version has two texts. The message says the mend."""


def address_key(connection: Connection, now: datetime, entropy: Entropy) -> bytes:
    """The key of the reply addresses, made once and kept here: losing it kills every live reply address."""
    return _made_once(connection, "address_key", now, entropy)


def kept_key(connection: Connection) -> bytes | None:
    """The key, where one has been made."""
    return _kept(connection, "address_key")


def tombstone_key(connection: Connection, now: datetime, entropy: Entropy) -> bytes:
    """The key of the marks of what was forgotten: without it nobody can try whether a message was among it."""
    return _made_once(connection, "tombstone_key", now, entropy)


def kept_tombstone_key(connection: Connection) -> bytes | None:
    """The same, where anything has ever been forgotten."""
    return _kept(connection, "tombstone_key")


def signing_key(connection: Connection, now: datetime, entropy: Entropy) -> bytes:
    """The seed of the Ed25519 key that receipts, bundles and certificates are signed with."""
    return _made_once(connection, "signing_key", now, entropy)


def kept_signing_key(connection: Connection) -> bytes | None:
    """The same, where one has been made."""
    return _kept(connection, "signing_key")


def token_key(connection: Connection, now: datetime, entropy: Entropy) -> bytes:
    """The key of kept tokens where [keys] brings none. It lies beside what it opens: it hides them from a glance, no more."""
    return _made_once(connection, "token_key", now, entropy)


def _made_once(connection: Connection, name: str, now: datetime, entropy: Entropy) -> bytes:
    insert_new(connection, installation, [{"name": name, "value": entropy(KEY_BYTES), "at": now}])
    key: bytes = connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar_one()
    return key


def _kept(connection: Connection, name: str) -> bytes | None:
    return connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar()


def know_policy(connection: Connection, policy: Policy, now: datetime) -> None:
    """Keep the policy's text with its hash. One version with two texts is refused: tickets say which text they came in under."""
    row = {
        "sha256": policy.sha256,
        "name": policy.name,
        "version": policy.version,
        "organisation": policy.organisation,
        "source": policy.source,
        "published": policy.text,
        "seen_at": now,
    }
    insert_new(connection, policy_text, [row])
    same = (policy_text.c.name == policy.name, policy_text.c.version == policy.version)
    known = connection.execute(select(policy_text.c.sha256).where(*same)).scalar()
    if known not in (None, policy.sha256):  # none: the same file is known by another name
        raise PolicyChangedError(
            f"policy {policy.name!r} was changed, but its version is still {policy.version!r}: "
            "give it a new version in [policy], or undo the change"
        )


def last_event_at(connection: Connection) -> datetime | None:
    """The instant of the newest event. That somebody looked is none that a rehearsal could come before."""
    return connection.execute(select(func.max(event.c.at)).where(event.c.kind != EventKind.LOOKED)).scalar()


def record_rehearsal(connection: Connection, at: datetime, now: datetime) -> None:
    """Keep that the instant `at` was given by hand at the real instant `now`."""
    name = f"rehearsed {now.isoformat()}"
    insert_new(connection, installation, [{"name": name, "value": at.isoformat().encode(), "at": now}])
