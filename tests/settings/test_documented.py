"""docs/configuration.md names every setting with its default, its meaning and its variable, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from triaged.policy.table import REQUIRED, Field, Table
from triaged.settings.schema import ROOT

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "configuration.md"


def settings(
    table: Table, path: tuple[str, ...] = (), variable: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, Field]]:
    """Each setting: its key, its variable, its field."""
    for field in table.fields:
        yield ".".join((*path, field.name)), "TRIAGED_" + "__".join((*variable, field.name.upper())), field
    for name, inner in table.tables.items():
        yield from settings(inner, (*path, name), (*variable, name.upper()))
    for name, inner in table.arrays.items():
        yield from settings(inner, (*path, f"{name}[]"), (*variable, name.upper(), "N"))


def default(field: Field) -> str:
    if field.default is REQUIRED:
        return "required"
    return field.default_doc or f"`{toml(field.default)}`" if field.default is not None else field.default_doc or "none"


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def row(key: str, variable: str, field: Field) -> str:
    return f"| `{key}` | {default(field)} | {field.doc} | `{variable}` |"


def test_every_setting_is_documented_with_default_meaning_and_variable():
    lines = DOCUMENT.read_text().splitlines()
    assert [line for line in (row(*one) for one in settings(ROOT)) if line not in lines] == []


def test_no_setting_is_documented_that_there_is_not():
    documented = re.findall(r"^\| `([a-z0-9_.\[\]]+)` \|.*`TRIAGED_", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(key for key, _, _ in settings(ROOT))


def test_every_documented_choice_is_named():
    text = DOCUMENT.read_text()
    for word in (
        "tls",
        "starttls",
        "none-insecure",
        "minimal",
        "full",
        "hold",
        "keyed",
        "null",
        "triager",
        "lead",
        "observer",
    ):
        assert f"`{word}`" in text, word
