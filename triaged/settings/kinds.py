"""The types of value that only the configuration has: secrets, hosts, listening addresses, database URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from urllib.parse import urlsplit

from triaged.policy import kinds
from triaged.policy.problem import Refused, shown
from triaged.policy.table import Kind

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}", re.ASCII)
_LISTEN = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HOURS = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])", re.ASCII)
_WORD = re.compile(r"[\x21-\x7e]{1,1024}")
_FORMS = ("env", "file")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is: in the file itself, in an environment variable, or in a file of its own."""

    form: str  # value | env | file
    text: str = ""

    def __repr__(self) -> str:
        return f"SecretSource({self.form})"


def secret() -> Kind:
    """A string, { env = "NAME" } or { file = "PATH" }. Never shows what it was given."""
    says = 'a secret: text in quotes, { env = "NAME" } or { file = "PATH" }'

    def read(value: object) -> SecretSource:
        if isinstance(value, str) and value:
            return SecretSource("value", value)
        if isinstance(value, dict) and len(value) == 1 and (form := next(iter(value))) in _FORMS:
            text = value[form]
            if isinstance(text, str) and text and "\0" not in text:
                return SecretSource(form, text)
        raise Refused(f"must be {says}, exactly one of them and not empty")

    return Kind(says, read, forms=_FORMS)


def host() -> Kind:
    """A host name or address, without a port."""

    def check(value: str) -> str:
        if not _HOST.fullmatch(value):
            raise Refused(f'must be a host name or address such as "imap.example.org", not {shown(value)}')
        return value.strip("[]")

    return kinds.text("a host name or address", check=check)


def listen() -> Kind:
    """host:port, or "" for none."""

    def check(value: str) -> str:
        found = _LISTEN.fullmatch(value)
        if value and not (found and 0 < int(found[1]) < 65536):
            raise Refused(f'must be host:port such as "127.0.0.1:9464", or "" for none, not {shown(value)}')
        return value

    return kinds.text("host:port", empty=True, check=check)


def name() -> Kind:
    """The name of a mailbox or tenant: it stands in commands, logs and environment variables."""

    def check(value: str) -> str:
        if not _NAME.fullmatch(value):
            raise Refused(
                f"must be ASCII letters, digits, dots, hyphens and underscores, at most 64, not {shown(value)}"
            )
        return value

    return kinds.text("a name", check=check)


def database() -> Kind:
    """sqlite:/// or postgresql+psycopg://. Never shows what it was given: the URL may hold a password."""
    says = 'a URL such as "sqlite:///triaged.db" or "postgresql+psycopg://user@host/triaged"'

    def check(value: str) -> str:
        for short in ("postgresql://", "postgres://"):
            if value.startswith(short):
                value = "postgresql+psycopg://" + value.removeprefix(short)
        in_memory = value.startswith("sqlite") and (value.endswith("://") or ":memory:" in value)
        if in_memory:
            raise Refused("must name a file: a database in memory forgets every report; write sqlite:///triaged.db")
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise Refused(f"must be {says}")
        return value

    return kinds.text(says, check=check)


def hours() -> Kind:
    """Two times of day, from and to; the second may be of the next morning. None for "", which is never."""

    def check(value: str) -> tuple[time, time] | None:
        if not value:
            return None
        found = _HOURS.fullmatch(value)
        if not found or not all(int(hour) < 24 for hour in found.group(1, 3)):
            raise Refused(f'must be two times of day such as "20:00-07:30", or "" for never, not {shown(value)}')
        first, last = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
        if first == last:
            raise Refused(f'must be two different times of day, not {shown(value)}: write "" for never')
        return time(*first), time(*last)

    return kinds.text("two times of day", empty=True, check=check)


def lower(says: str) -> Kind:
    """A domain-like word, compared in lower case."""
    return kinds.text(says, check=lambda value: value.strip().lower())


def identifier(says: str) -> Kind:
    """One word of a URL's or a form's: printable ASCII without spaces."""

    def check(value: str) -> str:
        if value and not _WORD.fullmatch(value):
            raise Refused(f"must be {says} without spaces, in ASCII, not {shown(value)}")
        return value

    return kinds.text(says, empty=True, check=check)


def url() -> Kind:
    """https, because secrets go there; http on loopback alone. Without user, password and fragment."""
    says = 'a URL such as "https://login.example.org/token"'

    def check(value: str) -> str:
        if value and not _usable_url(value):
            raise Refused(f"must be {says}, with https unless its host is this machine, and without user and #")
        return value

    return kinds.text(says, empty=True, check=check)


def _usable_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        known = bool(parts.hostname) and (parts.port is None or parts.port > 0) and "@" not in parts.netloc
    except ValueError:
        return False
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return (
        known
        and not parts.fragment
        and _WORD.fullmatch(value) is not None
        and (parts.scheme == "https" or (parts.scheme == "http" and local))
    )
