"""The Common Weakness Enumeration: which numbers there are, and what each is called. Knows names only; licence in NOTICE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_WRITTEN = re.compile(r"(?:CWE-?)?([1-9][0-9]{0,5})", re.ASCII | re.IGNORECASE)
_GONE = "DEPRECATED"  # how the catalogue marks an entry that must not be used any more


def cwe_id(written: str) -> str:
    """CWE-79, however it was written: "cwe-79", "CWE79", "79". "" where the catalogue has no such weakness in use."""
    found = _WRITTEN.fullmatch(written)
    name = _names().get(found[1], _GONE) if found else _GONE
    return f"CWE-{found[1]}" if found and not name.startswith(_GONE) else ""


def cwe_title(cwe: str) -> str:
    """What the weakness is called, for "CWE-79"; "" where there is none."""
    found = _WRITTEN.fullmatch(cwe)
    return _names().get(found[1], "") if found else ""


def catalogue() -> str:
    """The version of the catalogue, such as "4.20"."""
    return str(_read()["version"])


@cache
def _names() -> Mapping[str, str]:
    """Read when it is first asked for: most processes never do."""
    names: Mapping[str, str] = _read()["names"]
    return names


def _read() -> dict[str, Any]:
    import json

    text = files("triaged.ticket").joinpath("cwe.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read
