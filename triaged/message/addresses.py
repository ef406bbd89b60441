"""Address fields -> mailboxes, by mail-parser's linear scanner and a strict addr-spec of our own (RFC 5322 section
3.4, AT-10).
"""

from __future__ import annotations

import re
import unicodedata
from email.errors import HeaderParseError
from itertools import accumulate

from mailparser.utils import get_addresses

from triaged.message.clean import clean_header
from triaged.message.model import Address
from triaged.message.words import decode_words

_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f@()<>\[\]:;,\\\"]{1,64}|\"(?:[^\"\\\x00-\x1f]|\\.){0,62}\"")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_RESCUE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,10}")
_COMMENT_DEPTH = 50
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
# An encoded word over 75 characters makes a name ugly, not an address doubtful.
_HARMLESS = frozenset({"overlong-encoded-word"})


def parse_addresses(value: str, limit: int) -> tuple[tuple[Address, ...], tuple[str, ...]]:
    """The usable mailboxes of one field in order, at most `limit`, and the words of what is wrong with it."""
    found, problems = _scanned(_bounded(value, limit))
    out: list[Address] = []
    for name, address in found:
        spec = addr_spec(address)
        if spec:
            out.append(Address(_name(name, value), spec))
        elif address:
            problems.append("invalid-addr-spec")
    if len(out) > limit or len(_bounded(value, limit)) < len(value):
        problems.append("truncated: addresses")
    return tuple(out[:limit]), tuple(dict.fromkeys(problems))


def _scanned(value: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of name and address as the scanner finds them, and its reasons for doubt."""
    if _deepest_comment(value) > _COMMENT_DEPTH:
        return [], ["nested-comments"]
    diagnostics: list[dict[str, object]] = []
    try:
        found = get_addresses(value, defects=diagnostics, decode_names=True)
        broken = []
    except HeaderParseError:  # a name whose base64 is none: the addresses are still there, the name is decoded by ours
        diagnostics = []
        found, broken = get_addresses(value, defects=diagnostics, decode_names=False), ["broken-encoded-word"]
    return found, [str(item["reason"]) for item in diagnostics if item["reason"] not in _HARMLESS] + broken


def _deepest_comment(value: str) -> int:
    """How deep brackets stand in one another, whatever they stand in: the standard library follows them by recursion."""
    if value.count("(") <= _COMMENT_DEPTH:
        return 0
    return max(accumulate({"(": 1, ")": -1}.get(character, 0) for character in value))


def has_group_or_route(value: str) -> bool:
    """Whether a colon stands outside quotes and comments: a group (RFC 5322 section 3.4) or an obsolete
    route (section 4.4), which readers of an author take in several ways.
    """
    quoted, depth, escaped = False, 0, False
    for character in value if ":" in value else "":
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + {"(": 1, ")": -1}.get(character, 0))
            if character == ":" and not depth:
                return True
    return False


def _bounded(value: str, limit: int) -> str:
    """Cut at the comma after four times as many items as will be kept: commas in names must not hide mailboxes."""
    if value.count(",") <= limit * 4:
        return value
    position = -1
    for _ in range(limit * 4):
        position = value.find(",", position + 1)
    return value[:position]


def _name(name: str, value: str) -> str:
    # A name that was quoted keeps its encoded words as they are (ML-3); one in an unknown charset is read by our own
    # decoder.
    return clean_header(decode_words(name) if "=?" in name and '"=?' not in value else name, 255)


def addr_spec(address: str) -> str:
    """The address with its domain in lower-case A-labels; "" where it is not one that mail can be sent to."""
    local, at, domain = address.strip().rpartition("@")
    labels = a_labels(domain)
    # RFC 5322 section 3.2.3: dots at an end or in a row only within quotes.
    dotted = not local.startswith('"') and (local.startswith(".") or local.endswith(".") or ".." in local)
    if not at or not labels or dotted or not _LOCAL.fullmatch(local):
        return ""
    return f"{local}@{labels}"


def a_labels(domain: str) -> str:
    """The domain in lower-case A-labels without a final dot; "" where it is none (ML-5)."""
    domain = domain.strip().rstrip(".").lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
    labels = domain.split(".")
    return domain if len(domain) <= 253 and all(_LABEL.fullmatch(label) for label in labels) else ""


def rescue(value: str) -> Address | None:
    """The last thing that looks like an address in a field that could not be parsed: for people to see, it proves
    nothing.
    """
    found = _RESCUE.findall(value)
    spec = addr_spec(found[-1]) if found else ""
    return Address("", spec) if spec else None


def misleading_name(author: Address) -> str:
    """What is wrong with a display name (AT-11): "address" where it holds another address than its own, "mixed-script"
    where one word of it has letters of several alphabets that look alike; "" for neither.
    """
    shown = {item.lower() for item in _RESCUE.findall(unicodedata.normalize("NFKC", author.name))}
    if shown - {author.address.lower()}:
        return "address"
    return "mixed-script" if any(_is_mixed(word) for word in author.name.split()) else ""


def _is_mixed(word: str) -> bool:
    alphabets = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    return len(alphabets & _ALIKE) > 1
