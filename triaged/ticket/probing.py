"""Probes: mail of `triaged check` to its own mailbox, known again by a Message-ID that only we can make. Believes nothing else."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from triaged.message.model import Message
from triaged.ticket.desk import Desk
from triaged.ticket.reference import Entropy, base32
from triaged.ticket.wire import compose, date_value, mailbox_value, text_value

MAC_BYTES = 10  # 80 bits, as in reply addresses
TOKEN_BYTES = 10
_CONTEXT = b"triaged probe v1\0"  # another than that of reply addresses: neither serves as the other
_ID = re.compile(r"<probe\.([0-9a-z]{16})\.([0-9a-z]{16})@[^<>@\s]+>")
TEXT = (
    "This mail was sent by `triaged check --probe` to see what the mail server does with\n"
    "results of authentication that strangers write. It may be deleted.\n"
)


def new_token(entropy: Entropy) -> str:
    """What tells one probe from another."""
    return base32(entropy(TOKEN_BYTES)).lower()


def probe_id(token: str, address: str, key: bytes) -> str:
    """The Message-ID of a probe to the mailbox `address`."""
    return f"<probe.{token}.{_mac(token, address, key)}@{address.rpartition('@')[2].lower()}>"


def is_probe(message: Message, desk: Desk) -> bool:
    """Whether we made it, for this mailbox; a guessed Message-ID makes ordinary mail of it."""
    found = _ID.fullmatch(message.message_id.lower())
    if found is None or message.author is None or message.author.address.lower() != desk.address:
        return False
    given = found[2].encode()
    matches = [hmac.compare_digest(_mac(found[1], desk.address, key).encode(), given) for key in desk.keys]
    return any(matches)


def _mac(token: str, address: str, key: bytes) -> str:
    said = _CONTEXT + address.lower().encode() + b"\0" + token.encode()
    return base32(hmac.new(key, said, hashlib.sha256).digest()[:MAC_BYTES]).lower()


def forged(authserv_id: str, token: str) -> str:
    """A result that nobody came to, for a domain that nobody has (RFC 2606 section 2)."""
    result = f"dmarc=pass header.from={token}.invalid"
    return f"{authserv_id}; {result}" if authserv_id else result  # Microsoft 365 writes none


def write_probe(token: str, address: str, authserv_id: str | None, key: bytes, at: datetime) -> bytes:
    """The probe, with the forged field on top; None: without it, where no server is trusted."""
    fields = [
        ("From", mailbox_value("", address)),
        ("To", mailbox_value("", address)),
        ("Subject", text_value("A probe of triaged")),
        ("Date", date_value(at)),
        ("Message-ID", probe_id(token, address, key)),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ]
    # On top by hand: no letter of ours may hold such a field, and `compose` sees to it.
    field = f"Authentication-Results: {forged(authserv_id, token)}\r\n" if authserv_id is not None else ""
    return field.encode("ascii", "replace") + compose(fields, TEXT)
