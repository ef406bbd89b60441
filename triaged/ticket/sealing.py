"""A commitment to what the team knows: sealed by a salted hash today, opened on the day that it may be read. Keeps nothing.

The seal is SHA-256(salt || canonical bytes). Who has the seal alone learns nothing of the issue; who is given salt and issue later
can see, with sha256sum and nothing of ours, that it is what was sealed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

SALT_BYTES = 32  # always: salt and issue can't slide into each other
FORM = "triaged known issue, form 1"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Issue:
    """What is committed to."""

    name: str
    title: str
    text: str
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal, and where the journal has it."""

    salt: bytes
    seal: bytes
    sealed_at: datetime
    entry: int  # of the journal
    entry_hash: bytes


def canonical(issue: Issue) -> bytes:
    """The issue as the bytes that are hashed: JSON with sorted keys, no spaces, UTF-8, the instant in UTC with microseconds."""
    said = {"known_at": _instant(issue.known_at), "name": issue.name, "text": issue.text, "title": issue.title}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def seal_of(salt: bytes, said: bytes) -> bytes:
    """The commitment."""
    return hashlib.sha256(salt + said).digest()


def digest(text: str) -> str:
    """How the journal's entry of an opening names a title or a text: by its hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def opening(issue: Issue, sealed: Sealed) -> dict[str, object]:
    """The document that opens a seal. `canonical` is what is hashed after the salt; the rest says where the seal stands."""
    return {
        "form": FORM,
        "canonical": canonical(issue).decode(),
        "salt": sealed.salt.hex(),
        "seal": sealed.seal.hex(),
        "sealed_at": _instant(sealed.sealed_at),
        "journal": {"entry": sealed.entry, "hash": sealed.entry_hash.hex()},
    }


def faults(document: object, seal: str = "") -> Iterator[str]:
    """Why a document opens no seal, in words; nothing where it does. `seal`: as a letter or another copy of the journal has it."""
    if not isinstance(document, Mapping) or document.get("form") != FORM:
        yield f"it is no opening: its form must be {FORM!r}"
        return
    said, salt, own = (document.get(name) for name in ("canonical", "salt", "seal"))
    if not isinstance(said, str) or not _is_hex(salt, SALT_BYTES) or not _is_hex(own, 32):
        yield "it needs canonical (text), salt and seal (64 hexadecimal digits each)"
        return
    if not _is_an_issue(said):
        yield "what it says is sealed is no issue: known_at, name, text and title, as JSON with sorted keys and no spaces"
    if seal_of(bytes.fromhex(str(salt)), said.encode("utf-8", "surrogatepass")).hex() != own:
        yield "the seal is not that of this issue and salt: one of them was changed"
    if seal and seal.lower() != own:
        yield "it opens another seal than the one that you named"


def _is_hex(value: object, octets: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * octets and _HEX.issuperset(value)


def _is_an_issue(said: str) -> bool:
    """Exactly what is sealed: no further key that a reader might not see, and one spelling."""
    issue = issue_of(said)
    return issue is not None and canonical(issue).decode() == said


def issue_of(said: str) -> Issue | None:
    """The issue again, from its canonical text; None where it is none."""
    try:
        read = json.loads(said)
        issue = Issue(read["name"], read["title"], read["text"], datetime.fromisoformat(read["known_at"]))
        canonical(issue)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return issue if all(isinstance(part, str) for part in (issue.name, issue.title, issue.text)) else None
