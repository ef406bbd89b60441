"""Marks of people: names, addresses, handles, hosts, files, IP addresses, phones that nobody else has. Finds them in any bytes."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import lru_cache
from ipaddress import ip_address
from random import Random
from urllib.parse import unquote

_TOKEN = re.compile(r"qz[a-z]{9}z")
_IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_IPV6 = re.compile(r"\b[0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){2,7}\b")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_DIGITS = re.compile(r"(?<=\d)[\s().-]+(?=\d)")
PHONE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark, and whose it is."""

    kind: str  # name | credit | address | handle | signature | file | host | ip | phone
    owner: str  # address
    key: str  # as it is found: a token without case and accents, an IP address, the digits of a phone


@dataclass
class Marks:
    """All of one tracker."""

    random: Random
    by_key: dict[str, Mark] = field(default_factory=dict)

    def word(self, kind: str, owner: str) -> str:
        """A new word that is nobody else's."""
        middle = "".join(self.random.choice("bdfgklmnprst") + self.random.choice("aeiou") for _ in range(5))[:9]
        return self._new(kind, owner, f"qz{middle}z")

    def ip(self, owner: str) -> str:
        number = self.random.randrange(1, 2**17)
        if self.random.random() < 0.5:
            written = str(ip_address(int(ip_address("198.18.0.0")) + number))
        else:
            written = str(ip_address(int(ip_address("2001:db8:77::")) + self.random.randrange(1, 2**60)))
        return self._new("ip", owner, written)

    def phone(self, owner: str) -> str:
        digits = self._new("phone", owner, "9725" + "".join(self.random.choices("0123456789", k=8)))
        return f"+{digits[:3]}-{digits[3:5]}-{digits[5:8]}-{digits[8:]}"

    def _new(self, kind: str, owner: str, key: str) -> str:
        self.by_key[key] = Mark(kind, owner, key)
        return key

    def found_in(self, data: bytes) -> set[Mark]:
        """Every mark that stands in the bytes, in any of the ways in which text is written down."""
        return {mark for text in faces(data) for key in _keys(text) if (mark := self.by_key.get(key))}


def keys_of(name: str) -> set[str]:
    """The tokens within a name."""
    return set(_TOKEN.findall(folded(name)))


def folded(text: str) -> str:
    """Without case and accents."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def _keys(text: str) -> Iterator[str]:
    plain = folded(text).replace("[.]", ".")
    yield from _TOKEN.findall(plain)
    yield from _IPV4.findall(plain)
    for written in _IPV6.findall(plain):
        try:
            yield str(ip_address(written))
        except ValueError:
            continue
    for run in re.findall(r"\d{12,}", _DIGITS.sub("", plain)):
        yield from (run[n : n + PHONE_DIGITS] for n in range(len(run) - PHONE_DIGITS + 1))


def faces(data: bytes) -> Iterator[str]:
    """The bytes as text, and with each escape undone."""
    texts = [data.decode("utf-8", "replace"), *_mail(data)]
    for text in texts:
        seen = {text}
        for undo in (_json, html.unescape, unquote, _quoted_printable):
            seen |= {undo(one) for one in tuple(seen)}
        yield from seen
        yield _decoded(text)


def _json(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _quoted_printable(text: str) -> str:
    return quopri.decodestring(text.encode()).decode("utf-8", "replace") if "=" in text else text


def _mail(data: bytes) -> Iterator[str]:
    """Headers and parts as a mail client shows them."""
    if b"Message-ID:" not in data[:4000]:
        return
    message = message_from_bytes(data, policy=policy.default)
    yield "\n".join(str(value) for value in message.values())
    for part in message.walk():
        yield " ".join((part.get_filename() or "", str(part.get("Content-Type", ""))))
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            yield content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _decoded(text: str) -> str:
    """What stands in base64, wherever its groups of four begin, also in lines of it. A zero octet between two of them."""
    joined = re.sub(r"(?<=[A-Za-z0-9+/]{60})\r?\n", "", text)
    runs = dict.fromkeys(run for body in ({text, joined}) for run in _BASE64.findall(body))
    return "\0".join(map(_of_base64, runs))


@lru_cache(maxsize=100_000)  # the words of our own pages stand in thousands of them
def _of_base64(run: str) -> str:
    found = []
    for start in range(4):
        some = run[start:].replace("-", "+").replace("_", "/")
        some = some[:-1] if len(some) % 4 == 1 else some
        try:
            found.append(base64.b64decode(some + "=" * (-len(some) % 4)).decode("utf-8", "replace"))
        except (binascii.Error, ValueError):
            continue
    return "\0".join(found)
