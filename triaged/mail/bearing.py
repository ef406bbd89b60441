"""Access tokens as SASL says them, OAUTHBEARER (RFC 7628) and XOAUTH2, and what a server answers; it opens nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection
from typing import Literal

Mechanism = Literal["OAUTHBEARER", "XOAUTH2"]
# The standard's own first. Microsoft has XOAUTH2 alone, Google and Dovecot have both.
MECHANISMS: tuple[Mechanism, ...] = ("OAUTHBEARER", "XOAUTH2")
NOT_OFFERED = "the server offers neither OAUTHBEARER nor XOAUTH2 here: use a password, or the host that takes tokens"
_LONGEST_CHALLENGE = 8_192
_WORD = re.compile(r"[A-Za-z0-9_.:/+ -]{1,200}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNFIT = re.compile(r"[^\x21-\x7e]")  # RFC 6750 section 2.1: a token is printable ASCII without spaces


def chosen(offered: Collection[str]) -> Mechanism | None:
    """The mechanism to use, of those that the server offers in any case of letters."""
    upper = {name.upper() for name in offered}
    return next((name for name in MECHANISMS if name in upper), None)


def initial(mechanism: Mechanism, username: str, token: str) -> bytes:
    """The first and only thing that a client says, before base64. Raises ValueError for what would end it early."""
    if _UNFIT.search(token) or _CONTROL.search(username):
        raise ValueError("a user name or token with a control character is never sent")
    if mechanism == "XOAUTH2":
        return f"user={username}\1auth=Bearer {token}\1\1".encode()
    name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    return f"n,a={name},\1auth=Bearer {token}\1\1".encode()


def without_token(text: str, mechanism: Mechanism, username: str, token: str) -> str:
    """A server's words, should it say back what it was told (IM-10)."""
    said = base64.b64encode(initial(mechanism, username, token)).decode()
    return text.replace(said, "(token)").replace(token, "(token)")


def acknowledgement(mechanism: Mechanism) -> bytes:
    """What answers an error challenge so that the server says NO: %x01 (RFC 7628 section 3.2.3), or nothing at all."""
    return b"\1" if mechanism == "OAUTHBEARER" else b""


def challenge_of(encoded: bytes | str) -> str:
    """A challenge that came in base64, in words; "" where it is none that can be read."""
    try:
        return challenge(base64.b64decode(encoded, validate=False))
    except ValueError:
        return ""


def challenge(octets: bytes) -> str:
    """The error challenge (RFC 7628 section 3.2.2) in words; its status is "invalid_token", or "401" at Google and Microsoft."""
    try:
        said = json.loads(octets[:_LONGEST_CHALLENGE])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    status, scope = (said.get(key) if isinstance(said.get(key), str) else "" for key in ("status", "scope"))
    words = [f"the server says {status}"] if status and _WORD.fullmatch(status) else []
    if scope and _WORD.fullmatch(scope):
        words.append(f"the scope it wants is {scope}")
    return ", ".join(words)
