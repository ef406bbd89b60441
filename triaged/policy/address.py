"""E-mail addresses as an operator writes them (RFC 5321 section 4.1.2, dot-atoms only). Never reads mail."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def canonical(address: str) -> str | None:
    """The address with its domain in lower case, or None where it is none. Limits: RFC 5321 section 4.5.3.1."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if not 0 < len(local) <= 64 or not 0 < len(domain) <= 253 or not _LOCAL.fullmatch(local):
        return None
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        return None
    return f"{local}@{domain}"


def without_detail(address: str) -> str:
    """The mailbox behind a plus address, in lower case: security+x@Example.test is security@example.test."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
