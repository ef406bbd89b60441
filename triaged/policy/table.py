"""A TOML table against its list of fields: every unknown, missing and ill-typed key at once. Knows no field by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triaged.policy.problem import Path, Refused, did_you_mean

Note = Callable[[Path, str], None]  # takes down one problem


class Required:
    """The default of a field that has none."""


REQUIRED = Required()


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: how TOML's value becomes ours, and how an environment variable's text becomes TOML's."""

    says: str  # "a whole number"
    read: Callable[[object], Any]  # raises Refused
    from_text: Callable[[str], object] = str  # raises ValueError
    forms: tuple[str, ...] = ()  # keys of the table that may stand instead of the value: { env = … }


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table."""

    name: str
    kind: Kind
    doc: str  # one line, for docs/configuration.md
    default: Any = REQUIRED
    default_doc: str = ""  # where the default depends on something else


@dataclass(frozen=True, slots=True)
class Table:
    """The keys, tables and arrays of tables that may stand in one table."""

    fields: tuple[Field, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    arrays: Mapping[str, Table] = field(default_factory=dict)
    optional: bool = False  # absent: None, and its required fields are not missed

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def names(self) -> tuple[str, ...]:
        return (*(f.name for f in self.fields), *self.tables, *self.arrays)


def read_table(table: Table, raw: object, at: Path, note: Note) -> dict[str, Any]:
    """The values by key, defaults filled in. A key whose value can't stand is noted and left out."""
    if not isinstance(raw, dict):
        note(at, f"must be a table: write [{_header(at)}]")
        return {}
    _unknown(table, raw, at, note)
    values = {f.name: v for f in table.fields if (v := _value(f, raw, at, note)) is not REQUIRED}
    for name, inner in table.tables.items():
        absent = inner.optional and name not in raw
        values[name] = None if absent else read_table(inner, raw.get(name, {}), (*at, name), note)
    for name, inner in table.arrays.items():
        values[name] = _array(inner, raw.get(name, []), (*at, name), note)
    return values


def _unknown(table: Table, raw: Mapping[str, object], at: Path, note: Note) -> None:
    for key in raw:
        if key not in table.names():
            near = did_you_mean(key, table.names()) or f"; the keys here are {', '.join(table.names())}"
            note((*at, key), f"is not a key of this table: remove or rename it{near}")


def _value(entry: Field, raw: Mapping[str, object], at: Path, note: Note) -> Any:
    if entry.name not in raw:
        if entry.default is REQUIRED:
            note((*at, entry.name), f"is missing: write {entry.name} = … ({entry.kind.says}; {entry.doc})")
        return entry.default
    try:
        return entry.kind.read(raw[entry.name])
    except Refused as refused:
        note((*at, entry.name), str(refused))
        return REQUIRED


def _array(table: Table, raw: object, at: Path, note: Note) -> list[dict[str, Any]]:
    if not isinstance(raw, list):
        note(at, f"must be an array of tables: write [[{_header(at)}]], with double brackets")
        return []
    return [read_table(table, item, (*at, index), note) for index, item in enumerate(raw)]


def _header(at: Path) -> str:
    return ".".join(step for step in at if isinstance(step, str))
