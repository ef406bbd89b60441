"""Ticket references as people quote them: a prefix and eight Crockford base32 characters, IMS-7F3K-9QXD. Never an authorisation."""

from __future__ import annotations

import re
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LENGTH = 8  # 40 random bits (TH-6): not enumerable, short enough to read out

Entropy = Callable[[int], bytes]  # n -> n random bytes; the shell passes secrets.token_bytes

# What people type for a character that the alphabet leaves out.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_TOKEN = re.compile(r"[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}")


def base32(value: bytes) -> str:
    """Crockford base32 of `value`, most significant bit first; its bits must be a multiple of five."""
    bits = len(value) * 8
    number = int.from_bytes(value, "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(bits - 5, -1, -5))


def new_token(entropy: Entropy) -> str:
    """A fresh ticket token, lower-case, as it stands in addresses: 7f3k9qxd."""
    return base32(entropy(5)).lower()


def reference(prefix: str, token: str) -> str:
    """The reference people see: ("IMS", "7f3k9qxd") -> "IMS-7F3K-9QXD"."""
    upper = token.upper()
    return f"{prefix}-{upper[:4]}-{upper[4:]}"


def token_of(text: str) -> str | None:
    """The token in a reference as people write it: any case, hyphens optional, prefix optional. None where it is none."""
    squeezed = text.strip().strip("[]").replace("-", "").upper()
    tail = squeezed[-TOKEN_LENGTH:].translate(_MISREAD)
    if len(tail) != TOKEN_LENGTH or any(c not in ALPHABET for c in tail):
        return None
    return tail.lower()


def tokens_in(subject: str, prefix: str) -> tuple[str, ...]:
    """Every token quoted in a subject as [PREFIX-XXXX-XXXX]. A hint for people only (TH-1): it threads nothing."""
    found = re.findall(rf"\[{re.escape(prefix)}-?({_TOKEN.pattern})\]", subject, re.IGNORECASE)
    return tuple(token for token in map(token_of, found) if token)
