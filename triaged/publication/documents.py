"""An advisory → all its machine-readable files, each valid by its official schema, or none. Writes no file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from triaged.policy.model import Policy
from triaged.publication import advisory_markdown, csaf, cve, osv
from triaged.publication.advisory import InvalidDocument, doubts, json_bytes
from triaged.publication.check import Document, problems
from triaged.publication.cleaning import cleaned
from triaged.publication.values import Advisory

_NO_TITLES: Mapping[str, str] = {}


def documents(
    advisory: Advisory, policy: Policy, base: str, titles: Mapping[str, str] = _NO_TITLES, catalogue: str = ""
) -> dict[str, bytes]:
    """Path → bytes. Raises InvalidDocument with everything that is wrong, and then gives nothing.

    Without a base there is no CVE document: a record needs an address that it refers to.
    """
    found = doubts(advisory)
    if found:
        raise InvalidDocument(found)
    advisory = cleaned(advisory)
    made = _documents(advisory, policy, base, titles, catalogue)
    wrong = tuple(said for path, document in made.items() for said in problems(path, document))
    if wrong:
        raise InvalidDocument(wrong)
    files = {advisory_markdown.path(advisory): advisory_markdown.advisory_markdown(advisory, policy).encode()}
    for path, document in made.items():
        files[path] = json_bytes(document)
        if "/csaf/" in path:
            files |= hashes(path, files[path])
    return files


def _documents(
    advisory: Advisory, policy: Policy, base: str, titles: Mapping[str, str], catalogue: str
) -> dict[str, Document]:
    made = {csaf.path(advisory, one): csaf.csaf(advisory, policy, base, one, titles, catalogue) for one in csaf.FOLDERS}
    made[osv.path(advisory)] = osv.osv(advisory, policy, base)
    if base:
        made[cve.path(advisory)] = cve.cve(advisory, policy, base, titles)
    return made


def hashes(path: str, octets: bytes) -> dict[str, bytes]:
    """CSAF 2.0 section 7.1.18: beside each document, as sha256sum and sha512sum write them."""
    name = path.rpartition("/")[2]
    return {
        f"{path}.{kind}": f"{hashlib.new(kind, octets).hexdigest()}  {name}\n".encode() for kind in ("sha256", "sha512")
    }
