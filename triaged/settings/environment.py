"""TRIAGED_… variables laid over the file's tables. Never reads the process's environment: it is an argument."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from triaged.policy.problem import Path, Problem, did_you_mean
from triaged.policy.table import Field, Table

PREFIX = "TRIAGED_"
_NOT_SETTINGS = ("TRIAGED_CONFIG", "TRIAGED_REQUIRE_SERVERS")
_FOR_TESTS = "TRIAGED_TEST_"
# A service named triaged is announced to every container of its namespace by these.
_OF_KUBERNETES = re.compile(r"TRIAGED_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_[0-9]+_(TCP|UDP).*)")
_MOST_ENTRIES = 10_000  # of an array that the environment adds to


@dataclass(frozen=True, slots=True)
class Overlay:
    """The file's tables with the variables laid over them."""

    raw: dict[str, Any]
    origins: dict[Path, str] = field(default_factory=dict)  # key: the variable that set it
    problems: list[Problem] = field(default_factory=list)


def overlay(raw: Mapping[str, Any], environ: Mapping[str, str], root: Table) -> Overlay:
    """`TRIAGED_MAILBOX__SECURITY__IMAP__HOST=…` sets `imap.host` of the mailbox named security."""
    result = Overlay(copy.deepcopy(dict(raw)))
    secrets = set(_named_for_secrets(raw)) | {text for name, text in environ.items() if name.endswith("__ENV")}
    for variable in sorted(filter(_is_setting, environ.keys() - secrets), key=_numbers_in_order):
        try:
            at = _Place(root, result.raw, (), variable.removeprefix(PREFIX).split("__"))
            result.origins[_set(at, environ[variable])] = variable
        except _Mistyped as mistyped:
            result.problems.append(Problem(f"environment variable {variable}", "", str(mistyped)))
    return result


def _is_setting(variable: str) -> bool:
    others = variable in _NOT_SETTINGS or variable.startswith(_FOR_TESTS) or _OF_KUBERNETES.fullmatch(variable)
    return variable.startswith(PREFIX) and not others


def _named_for_secrets(raw: object) -> Iterator[str]:
    """The variables that the file itself names: password = { env = "TRIAGED_IMAP_PASSWORD" } is no setting."""
    inner = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
    if isinstance(raw, dict) and isinstance(raw.get("env"), str):
        yield raw["env"]
    for value in inner:
        yield from _named_for_secrets(value)


def _numbers_in_order(variable: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if _is_index(part) else (-1, part) for part in variable.split("__"))


def _is_index(part: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", part, re.ASCII) is not None


class _Mistyped(Exception):
    """A variable that names no setting, or whose text is no value of it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a variable's name has led so far."""

    table: Table
    node: dict[str, Any]
    path: Path
    parts: list[str]  # of the name, still to go


def _set(at: _Place, text: str) -> Path:
    """Sets the value and gives its key."""
    head, *rest = at.parts
    word = head.lower()
    entry = at.table.field(word)
    if entry:
        at.node[word] = _form(entry, rest, text) if rest else _value(entry, text)
        return (*at.path, word)
    if word in at.table.tables and rest:
        return _set(_Place(at.table.tables[word], _inner(at, word), (*at.path, word), rest), text)
    if word in at.table.arrays:
        return _set_in_array(at, word, rest, text)
    raise _Mistyped(_no_such(at, word, rest))


def _value(entry: Field, text: str) -> object:
    try:
        return entry.kind.from_text(text)
    except (ValueError, KeyError, RecursionError):
        raise _Mistyped(f"must be {entry.kind.says}") from None


def _form(entry: Field, rest: list[str], text: str) -> object:
    """`…__PASSWORD__FILE=PATH` is { file = "PATH" }."""
    if len(rest) != 1 or rest[0].lower() not in entry.kind.forms:
        raise _Mistyped(f"names nothing below {entry.name}: end the name there")
    return {rest[0].lower(): text}


def _inner(at: _Place, word: str) -> dict[str, Any]:
    node = at.node.setdefault(word, {})
    if not isinstance(node, dict):
        raise _Mistyped(f"can't be laid over the file, where {word} is no table: mend the file first")
    return node


def _set_in_array(at: _Place, word: str, rest: list[str], text: str) -> Path:
    entries = at.node.setdefault(word, [])
    if not isinstance(entries, list):
        raise _Mistyped(f"can't be laid over the file, where {word} is no array: write [[{word}]] there")
    if not rest:
        at.node[word] = _whole_array(word, text)
        return (*at.path, word)
    index = _index(entries, word, rest[0])
    if index == len(entries):
        entries.append({})
    if len(rest) < 2 or not isinstance(entries[index], dict):
        raise _Mistyped(f"must name a key of {word} {rest[0].lower()}, after two more underscores")
    return _set(_Place(at.table.arrays[word], entries[index], (*at.path, word, index), rest[1:]), text)


def _whole_array(word: str, text: str) -> list[Any]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise _Mistyped(f'must be JSON such as [{{"name": "…"}}], or name one entry: …{word.upper()}__0__NAME')
    return entries


def _index(entries: list[Any], word: str, part: str) -> int:
    """An entry by its name, or by its number from 0; the number after the last adds one."""
    names = [_as_variable(entry.get("name")) if isinstance(entry, dict) else "" for entry in entries]
    if part.upper() in names:
        return names.index(part.upper())
    if _is_index(part) and int(part) <= min(len(entries), _MOST_ENTRIES):
        return int(part)
    known = ", ".join(filter(None, names)) or "none"
    raise _Mistyped(f"names no {word}: use a name in the file ({known}) or a number up to {len(entries)}")


def _as_variable(name: object) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper()) if isinstance(name, str) else ""


def _no_such(at: _Place, word: str, rest: list[str]) -> str:
    if word in at.table.tables:
        return f"must name a key of {word}, after two more underscores"
    parts = [str(step) for step in at.path]
    near = did_you_mean(word, at.table.names())
    keys = ", ".join("__".join([*parts, known]).upper() for known in at.table.names())
    return f"names no setting: remove or rename it{near or f'; the keys here are {keys}'}"
