"""All CSAF documents of a site → what a CSAF provider serves beside them: lists, metadata, ROLIE feeds. Signs nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from triaged.policy.model import Policy
from triaged.publication import csaf
from triaged.publication.advisory import address, first_at, json_bytes, latest_at, stamp
from triaged.publication.cleaning import one_line
from triaged.publication.values import Advisory

_SCHEMAS = {
    "2.0": "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json",
    "2.1": csaf.SCHEMA_21,
}
_METADATA = {version: f".well-known/csaf/v{version}/provider-metadata.json" for version in _SCHEMAS}
WELL_KNOWN = ".well-known/csaf/provider-metadata.json"
_LABELS = {"2.0": "WHITE", "2.1": "CLEAR"}


def lists(advisories: Sequence[Advisory]) -> dict[str, bytes]:
    """index.txt and changes.csv of each folder (7.1.12 and 7.1.13); there is none without a document."""
    files: dict[str, bytes] = {}
    for version, folder in csaf.FOLDERS.items() if advisories else ():
        root = f".well-known/csaf/{folder}"
        # CSAF 2.0 wants quotes and 2.1 none: the paths hold nothing that needs them.
        quote = '"' if version == "2.0" else ""
        latest = sorted(advisories, key=lambda one: (latest_at(one), one.name), reverse=True)
        names = [_below(one, version) for one in latest]
        changes = [f"{quote}{_below(one, version)}{quote},{quote}{stamp(latest_at(one))}{quote}\n" for one in latest]
        files[f"{root}/index.txt"] = "".join(f"{name}\n" for name in sorted(names, reverse=True)).encode()
        files[f"{root}/changes.csv"] = "".join(changes).encode()
    return files


def _below(one: Advisory, version: str) -> str:
    return csaf.path(one, version).removeprefix(f".well-known/csaf/{csaf.FOLDERS[version]}/")


def addresses(base: str) -> tuple[str, ...]:
    """What security.txt names (7.1.8): the well-known one first, then one for each version."""
    return tuple(address(base, path) for path in (WELL_KNOWN, *_METADATA.values()))


def metadata(policy: Policy, base: str, at: datetime) -> dict[str, dict[str, Any]]:
    """Path → provider-metadata.json for both versions; the well-known one is that of CSAF 2.0 while 2.1 is a draft (2.1, 7.4)."""
    made = {_METADATA[version]: _metadata(policy, base, at, version) for version in _SCHEMAS}
    return {**made, WELL_KNOWN: made[_METADATA["2.0"]]}


def _metadata(policy: Policy, base: str, at: datetime, version: str) -> dict[str, Any]:
    folder = address(base, f".well-known/csaf/{csaf.FOLDERS[version]}/")
    directory = {"directory_url": folder}
    if version == "2.1":
        directory = {"directory": {"tlp_label": "CLEAR", "url": folder}}  # type: ignore[dict-item]
    feed = {
        "summary": f"All advisories of {one_line(policy.organisation)}.",
        "tlp_label": _LABELS[version],
        "url": address(base, _feed_path(version)),
    }
    if version == "2.1":
        feed["last_updated"] = stamp(at)
    schema = {"$schema": "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/provider.json"} if version == "2.1" else {}
    return {
        **schema,
        "canonical_url": address(base, _METADATA[version]),
        "distributions": [directory, {"rolie": {"feeds": [feed]}}],
        "last_updated": stamp(at),
        "list_on_CSAF_aggregators": True,
        "metadata_version": version,
        "mirror_on_CSAF_aggregators": True,
        "publisher": csaf.publisher(policy, base, version),
        "role": "csaf_provider",
    }


def _feed_path(version: str) -> str:
    return f".well-known/csaf/{csaf.FOLDERS[version]}/feed-tlp-{csaf.FOLDERS[version]}.json"


def feeds(advisories: Sequence[Advisory], policy: Policy, base: str, at: datetime) -> dict[str, bytes]:
    """One ROLIE feed for each version (7.1.15, RFC 8322)."""
    return {_feed_path(version): json_bytes(_feed(advisories, policy, base, at, version)) for version in _SCHEMAS}


def _feed(advisories: Sequence[Advisory], policy: Policy, base: str, at: datetime, version: str) -> Mapping[str, Any]:
    label = csaf.FOLDERS[version]
    latest = sorted(advisories, key=lambda one: (latest_at(one), one.name), reverse=True)
    return {
        "feed": {
            "id": f"{_word(policy.prefix)}-csaf-feed-tlp-{label}",
            "title": f"Advisories of {one_line(policy.organisation)} (TLP:{_LABELS[version]})",
            "link": [{"rel": "self", "href": address(base, _feed_path(version))}],
            "category": [{"scheme": "urn:ietf:params:rolie:category:information-type", "term": "csaf"}],
            "updated": stamp(max(map(latest_at, advisories), default=at)),
            "entry": [_entry(one, base, version) for one in latest],
        }
    }


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def _entry(one: Advisory, base: str, version: str) -> dict[str, Any]:
    document = address(base, csaf.path(one, version))
    hashes = [{"rel": "hash", "href": f"{document}.{kind}"} for kind in ("sha256", "sha512")]
    return {
        "id": one.name,
        "title": one_line(one.title),
        "link": [{"rel": "self", "href": document}, *hashes],
        "published": stamp(first_at(one)),
        "updated": stamp(latest_at(one)),
        "content": {"type": "application/json", "src": document},
        "format": {"schema": _SCHEMAS[version], "version": version},
    }
