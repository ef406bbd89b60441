"""Trace fields: where the message came through and when it was received (RFC 5321 section 4.4). It believes only
configured hosts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailparser.dates import parse_mail_date

from triaged.message.addresses import a_labels, addr_spec
from triaged.message.fields import Field, Header
from triaged.message.model import Trust

_BY = re.compile(r"(?:^|[\s;])by\s+([^\s();]{1,253})", re.I)
_WITH_LMTP = re.compile(r"\swith\s+(?:UTF8)?LMTPS?A?(?=[\s;(]|$)", re.I)
_PATH = re.compile(r"<([^<>]*)>")


def parse_date(value: str) -> datetime | None:
    """A date-time of RFC 5322 section 3.3 as aware UTC; None where it is not one."""
    result = parse_mail_date(value[:200])
    return result.value if result.value is not None else _lenient(value[:200])


def _lenient(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def return_path(header: Header) -> str | None:
    """The topmost Return-Path (RFC 7103 section 7.5.3): the address, "" for the null path, None where there is no such
    field.
    """
    found = header.all("return-path")
    if not found:
        return None
    match = _PATH.search(found[0])
    path = (match[1] if match else found[0]).strip().strip('"').strip()
    local, _, domain = path.rpartition("@")
    return f"{local}@{domain.lower()}" if local else path if domain else ""


def delivered_to(header: Header) -> tuple[str, ...]:
    """Envelope recipients that delivery agents noted, lower-case, topmost first, once each."""
    names = ("delivered-to", "x-original-to", "envelope-to")
    found = (addr_spec(field.value.strip().strip("<>")).lower() for field in header.fields if field.name in names)
    return tuple(dict.fromkeys(address for address in found if address))


def trusted_region(header: Header, trust: Trust) -> tuple[Field, ...]:
    """The fields above the first Received that no trusted host wrote (RFC 8601 section 7.1, AU-2)."""
    received = 0
    for index, field in enumerate(header.fields):
        if field.name != "received":
            continue
        received += 1
        # The topmost one by LMTP is the store's own: delivery inside the house, after the border server wrote its
        # results.
        if host(field.value) not in trust.hosts and not (received == 1 and _WITH_LMTP.search(field.value)):
            return header.fields[:index]
    return header.fields


def host(received: str) -> str:
    """The host that wrote a Received field, as lower-case A-labels; "" where it does not say."""
    match = _BY.search(_without_comments(received.rpartition(";")[0] or received))
    return a_labels(match[1].strip("[]")) if match else ""


def _without_comments(value: str) -> str:
    out: list[str] = []
    depth = 0
    for character in value:
        depth += character == "("
        if depth == 0:
            out.append(character)
        elif character == ")":
            depth -= 1
            out.append(" ")
    return "".join(out)


def received_at(header: Header, trust: Trust) -> datetime | None:
    """The instant of the topmost Received of a trusted host, UTC (ML-7); one that an untrusted host stands above does
    not count.
    """
    for field in trusted_region(header, trust):
        if field.name == "received" and host(field.value) in trust.hosts:
            return parse_date(field.value.rpartition(";")[2].strip())
    return None
