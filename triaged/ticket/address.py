"""Keyed reply addresses, security+7f3k9qxd.r.MAC@…: made and checked here. A valid key proves knowledge, never identity (TH-2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from triaged.ticket.reference import ALPHABET, TOKEN_LENGTH, base32

MAC_BYTES = 10  # 80 bits (TH-1), 16 base32 characters
_MAC_LENGTH = MAC_BYTES * 8 // 5
_CONTEXT = b"triaged reply address v1\0"


class Role(StrEnum):
    """Where mail to a keyed address goes."""

    RESEARCHER = "r"
    TEAM = "t"
    BOUNCE = "b"


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a keyed address says, once its MAC has been checked."""

    token: str
    role: Role


class Garbled:
    """A detail part that looks like a key and is none: guessed, mistyped or of a lost key (AT-6)."""


GARBLED = Garbled()


def keyed_address(mailbox: str, token: str, role: Role, key: bytes) -> str:
    """The address of one ticket and role in `mailbox`. Lower-case throughout: relays change case (TH-7)."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{token}.{role}.{_mac(token, role, key)}@{domain}"


def read_address(address: str, mailbox: str, keys: tuple[bytes, ...]) -> Keyed | Garbled | None:
    """What `address` says to `mailbox`: a checked key, a garbled one, or None for the plain address and for other people's."""
    local, _, domain = address.lower().rpartition("@")
    own_local, _, own_domain = mailbox.lower().rpartition("@")
    if domain != own_domain or not local.startswith(own_local + "+"):
        return None
    return _read_detail(local[len(own_local) + 1 :], keys)


def _read_detail(detail: str, keys: tuple[bytes, ...]) -> Keyed | Garbled:
    token, _, rest = detail.partition(".")
    role, _, mac = rest.partition(".")
    if len(token) != TOKEN_LENGTH or len(mac) != _MAC_LENGTH or role not in tuple(Role):
        return GARBLED
    if any(c not in ALPHABET for c in token.upper()):
        return GARBLED
    given = mac.encode(errors="replace")  # of strings, compare_digest takes ASCII alone
    matches = [hmac.compare_digest(_mac(token, Role(role), key).encode(), given) for key in keys]
    return Keyed(token, Role(role)) if any(matches) else GARBLED


def _mac(token: str, role: Role, key: bytes) -> str:
    digest = hmac.new(key, _CONTEXT + role.encode() + b"\0" + token.encode(), hashlib.sha256).digest()
    return base32(digest[:MAC_BYTES]).lower()


def bare(address: str) -> str:
    """The address without its +detail, lower-case: how own addresses are compared (AR-3)."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
