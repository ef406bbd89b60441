"""Identifiers with a grammar of their own: CVE and CWE numbers, CVSS vectors. Looks none of them up."""

from __future__ import annotations

from triaged.reading.cues import Text, cued
from triaged.reading.facts_model import Fact

_HYPHEN = r"[-_\u2010-\u2015 ]"
_CVE = cued("cve", rf"\bcve(?:-id)?[:\s]{{0,2}}{_HYPHEN}?((?:19|20)\d\d){_HYPHEN}(\d{{4,7}})(?!\d)")
_CWE = cued("cwe", r"\bcwe(?:-?id)?[-_:\s]{0,3}(\d{1,4})(?![\d.])")
_CVSS = cued("av:", r"\b(?:CVSS:(\d\.\d)/)?(AV:[NALP]/[A-Za-z0-9:/]{10,400})", as_written=True)


def identifiers(text: Text) -> list[Fact]:
    """`cve`, `cwe` and `cvss` facts, in the form of their registries."""
    return [
        *(Fact("cve", f"CVE-{match[1]}-{match[2]}", match.span()) for match in _CVE.matches(text)),
        *(Fact("cwe", f"CWE-{int(match[1])}", match.span()) for match in _CWE.matches(text) if int(match[1])),
        *_vectors(text),
    ]


def _vectors(text: Text) -> list[Fact]:
    """CVSS 2.0, 3.x and 4.0 vectors that hold; a vector without a version is 2.0 by its Au, else 3.1."""
    found = []
    for match in _CVSS.matches(text):
        body = match[2].rstrip("/:")
        version = match[1] or ("2.0" if "/Au:" in body else "3.1")
        value = body if version == "2.0" else f"CVSS:{version}/{body}"
        if _holds(version, value):
            found.append(Fact("cvss", value, (match.start(), match.start(2) + len(body))))
    return found


def _holds(version: str, vector: str) -> bool:
    """Whether the `cvss` library can score it: all mandatory metrics once, with values that exist."""
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # only where a report has a vector

    reader = {"2.0": CVSS2, "3.0": CVSS3, "3.1": CVSS3, "4.0": CVSS4}.get(version)
    if reader is None:
        return False
    try:
        reader(vector)
    except CVSSError:
        return False
    return True
