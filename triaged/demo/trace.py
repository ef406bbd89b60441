"""The fields that the embedded server writes on top at delivery, as a receiving host would; never reads a body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, getaddresses

AUTHSERV_ID = "mx.example.test"

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")
_OUR_RESULTS = re.compile(rb"\s*" + re.escape(AUTHSERV_ID.encode()) + rb"(?![\w.-])", re.IGNORECASE)
_FROM_BYTES = 16384  # a longer From field is not weighed: no author domain is proven by it


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the SMTP transaction said, which the message's own header can't (RFC 5321 section 3.3)."""

    sender: str  # MAIL FROM; empty for the null return path
    recipient: str
    helo: str
    peer: str  # address literal's content, such as 127.0.0.1
    at: datetime


def stamp(content: bytes, transaction: Transaction) -> bytes:
    """The message as it is delivered: RFC 5321 section 4.4 trace fields and RFC 8601 results above what came in.

    Return-Path and results under our own name that came with the message are taken out: nobody may bring their own
    (RFC 5321 section 4.4, RFC 8601 section 5).
    """
    end = _HEADER_END.search(content)
    cut = end.end() if end else len(content)
    fields = [field for field in _FIELD.findall(content[:cut]) if field and not _is_ours(field)]
    verdict, domain = _dmarc(fields, transaction.sender)
    return _trace(transaction, verdict, domain) + b"".join(fields) + content[cut:]


def _trace(transaction: Transaction, verdict: str, domain: str) -> bytes:
    lines = (
        f"Return-Path: <{transaction.sender}>",
        f"Authentication-Results: {AUTHSERV_ID}; dmarc={verdict}" + (f" header.from={domain}" if domain else ""),
        f"Delivered-To: {transaction.recipient}",
        f"Received: from {transaction.helo} ([{transaction.peer}]) by {AUTHSERV_ID} with ESMTP;",
        f"\t{format_datetime(transaction.at)}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def _is_ours(field: bytes) -> bool:
    name, _, value = field.partition(b":")
    match name.strip().lower():
        case b"return-path":
            return True
        case b"authentication-results":
            return _OUR_RESULTS.match(value) is not None
        case _:
            return False


def _dmarc(fields: list[bytes], sender: str) -> tuple[str, str]:
    """("pass", domain) where the envelope sender's domain is the author's, as SPF with strict alignment would say
    of a host that may send for that domain (RFC 7489 section 3.1.2); else ("none", domain), and no domain where
    there isn't exactly one author."""
    authors = [field.partition(b":")[2] for field in fields if field.partition(b":")[0].strip().lower() == b"from"]
    if len(authors) != 1 or len(authors[0]) > _FROM_BYTES:
        return "none", ""
    addresses = getaddresses([authors[0].decode("utf-8", "replace").replace("\r", "").replace("\n", "")])
    domains = [_domain(address) for _, address in addresses]
    if len(domains) != 1 or not re.fullmatch(r"[\w.-]+", domains[0]):
        return "none", ""
    return ("pass" if _domain(sender) == domains[0] else "none"), domains[0]


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
