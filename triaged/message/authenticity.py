"""Authentication-Results of trusted servers -> whether the author is proven (RFC 8601, RFC 9989, AU-1 to AU-6). It
verifies no signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaged.message.addresses import a_labels
from triaged.message.fields import Header
from triaged.message.model import Address, Authenticity, Trust, Verdict
from triaged.message.trace import trusted_region

_RESULT = re.compile(r"\s*([a-z][a-z0-9-]{0,30})\s*(?:/\s*1\s*)?=\s*([a-z]+)(?=\s|$)", re.I)
_PROPERTY = re.compile(r"(?:^|\s)(header|smtp|policy)\s*\.\s*([a-z0-9_-]{1,40})\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.I)
_FORGED = "ignored-authentication-results"
# Registries below which anybody registers: a shared parent that is one of these joins nobody.
_SUFFIX_LABELS = frozenset(
    {
        "ac",
        "co",
        "com",
        "edu",
        "gen",
        "go",
        "gob",
        "gov",
        "gv",
        "ind",
        "id",
        "ltd",
        "me",
        "mil",
        "ne",
        "net",
        "nhs",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
    }
)
_SHARED_SUFFIXES = frozenset(
    {
        "github.io",
        "gitlab.io",
        "herokuapp.com",
        "appspot.com",
        "web.app",
        "firebaseapp.com",
        "azurewebsites.net",
        "cloudapp.net",
        "amazonaws.com",
        "blogspot.com",
        "pages.dev",
        "workers.dev",
        "netlify.app",
        "vercel.app",
        "onmicrosoft.com",
        "duckdns.org",
        "dyndns.org",
        "eu.org",
        "no-ip.org",
        "uk.com",
        "us.com",
        "eu.com",
        "de.com",
        "gb.net",
        "in.net",
        "mydomain.com",
        "sharepoint.com",
        "fly.dev",
        "onrender.com",
        "ngrok.io",
    }
)


@dataclass(frozen=True, slots=True)
class Result:
    """One resinfo of RFC 8601 section 2.2."""

    method: str
    result: str
    properties: dict[str, str]  # "header.d" -> value, lower-case


def authenticity(
    header: Header, authors: tuple[Address, ...], sound: bool, trust: Trust
) -> tuple[Authenticity, tuple[str, ...]]:
    """The verdict and the defects. `sound`: one From field without any defect; only then can anything be proven (AU-5,
    AT-10).
    """
    domain = authors[0].address.rpartition("@")[2].lower() if authors else ""
    region = trusted_region(header, trust)
    trusted = [
        results
        for field in region
        if field.name == "authentication-results" and (results := _trusted(field.value, trust)) is not None
    ]
    below = [field for field in header.fields[len(region) :] if field.name == "authentication-results"]
    defects = (_FORGED,) if any(_trusted(field.value, trust) is not None for field in below) else ()
    verdict, method = _verdict(trusted, domain)
    if verdict is Verdict.PASS and not (sound and len(authors) == 1):
        verdict, method = Verdict.NONE, ""
    return Authenticity(verdict, domain, method), defects


def _verdict(fields: list[list[Result]], domain: str) -> tuple[Verdict, str]:
    """Fields that disagree count as the lowest of them (AU-2); SPF alone never proves an author (AU-4)."""
    dmarc = [_dmarc(result, domain) for results in fields for result in results if result.method == "dmarc"]
    if Verdict.FAIL in dmarc:
        return Verdict.FAIL, "dmarc"
    if dmarc and all(verdict is Verdict.PASS for verdict in dmarc):
        return Verdict.PASS, "dmarc"
    if Verdict.PASS in dmarc:
        return Verdict.NONE, ""
    signed = [_signers(results) for results in fields]
    passed = {signer for passing, _ in signed for signer in passing if aligned(signer, domain)}
    return (
        (Verdict.PASS, "dkim")
        if passed - {signer for _, failing in signed for signer in failing}
        else (Verdict.NONE, "")
    )


def _signers(results: list[Result]) -> tuple[set[str], set[str]]:
    """The domains with a good signature in one field, and those that have only bad ones there."""
    dkim = [(_signer(result), result.result) for result in results if result.method == "dkim"]
    passing = {signer for signer, word in dkim if word == "pass"}
    return passing, {signer for signer, _ in dkim} - passing


def _dmarc(result: Result, domain: str) -> Verdict:
    if result.result == "fail":
        return Verdict.FAIL
    same = bool(domain) and a_labels(result.properties.get("header.from", "").rpartition("@")[2]) == domain
    return Verdict.PASS if result.result == "pass" and same else Verdict.NONE


def _signer(result: Result) -> str:
    """RFC 6376 header.d; header.i where only that is given."""
    return a_labels(result.properties.get("header.d") or result.properties.get("header.i", "").rpartition("@")[2])


def aligned(signer: str, author: str) -> bool:
    """Relaxed alignment: the same domain, or one below the other where the upper one is nobody's registry."""
    shorter, longer = sorted((signer, author), key=len)
    if not shorter or shorter == longer:
        return bool(shorter)
    return longer.endswith("." + shorter) and not _is_suffix(shorter)


def _is_suffix(domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(labels) < 2
        or domain in _SHARED_SUFFIXES
        or (len(labels) == 2 and labels[0] in _SUFFIX_LABELS and len(labels[1]) == 2)
    )


def _trusted(value: str, trust: Trust) -> list[Result] | None:
    """The results of a field whose authserv-id is configured; None where it is another's, or can't be read (AU-1)."""
    first, *rest = _segments(value)
    if _RESULT.match(first):  # Microsoft 365 writes no authserv-id; "" must then be configured
        identifier, rest = "", [first, *rest]
    else:
        words = first.split()
        identifier = a_labels(words[0].strip('"')) if words else ""
        if not identifier or (len(words) > 1 and words[1] != "1"):
            return None
    if identifier not in trust.authserv_ids:
        return None
    return [result for segment in rest if (result := _result(segment)) is not None]


def _result(segment: str) -> Result | None:
    match = _RESULT.match(segment)
    if match is None:
        return None
    found = _PROPERTY.finditer(segment, match.end())
    properties: dict[str, str] = {}
    for item in found:
        properties.setdefault(f"{item[1]}.{item[2]}".lower(), item[3].strip('"').lower())
    return Result(match[1].lower(), match[2].lower(), properties)


def _segments(value: str) -> list[str]:
    """The field at its semicolons, without comments; quoted strings stay whole (RFC 5322 section 3.2)."""
    segments: list[str] = []
    current: list[str] = []
    depth = 0
    quoted = escaped = False
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"' and depth == 0:
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and depth and character == ")":
            depth -= 1
            character = " "
        elif not quoted and depth == 0 and character == ";":
            segments.append("".join(current))
            current = []
            continue
        if depth == 0:
            current.append(character)
    return [*segments, "".join(current)]
