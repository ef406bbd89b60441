"""docs/policy.md names every key, profile and lint rule there is, and its example is a policy that loads."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from triaged.policy.lint import FILE_RULES, TEXT_RULES, lint
from triaged.policy.load import load_policy
from triaged.policy.schema import ROOT
from triaged.policy.table import REQUIRED, Field, Table
from triaged.policy.terms import PROFILES

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "policy.md").read_text()


def keys(table: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Field]]:
    for field in table.fields:
        yield ".".join((*path, field.name)), field
    for name, inner in table.tables.items():
        yield from keys(inner, (*path, name))
    for name, inner in table.arrays.items():
        yield from keys(inner, (*path, f"{name}[]"))


def default(field: Field) -> str:
    if field.default is REQUIRED:
        return "required"
    return field.default_doc or ("none" if field.default is None else f"`{toml(field.default)}`")


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | frozenset):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_every_key_is_documented_with_default_and_meaning_and_no_other():
    wanted = [f"| `{key}` | {default(field)} | {field.doc} |" for key, field in keys(ROOT)]
    assert [row for row in wanted if row not in DOCUMENT.splitlines()] == []
    assert sorted(re.findall(r"^\| `([a-z_]+(?:\[\])?\.[a-z_.\[\]]+)` \|", DOCUMENT, re.MULTILINE)) == sorted(
        key for key, _ in keys(ROOT)
    )


def test_every_profile_is_documented_with_its_days():
    for name, one in PROFILES.items():
        reminders = ", ".join(map(str, one.reminders))
        row = f"| `{name}` | {one.fix_by_days} days | {one.disclose_days} days | {one.grace_days} days | {reminders} |"
        assert row in DOCUMENT


def test_every_rule_of_lint_is_documented():
    section = DOCUMENT[DOCUMENT.index("## What lint says") :]
    rules = [name for name, _ in (*TEXT_RULES, *FILE_RULES)]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == [*rules, "mailbox"]


def example(folder: Path) -> Path:
    """The example of the document, with a text of its clauses."""
    source = DOCUMENT[DOCUMENT.index("```toml\n") + 8 : DOCUMENT.index("```\n\n## Who")]
    clauses = re.findall(r'^clause = "(.*)"$', source, re.MULTILINE) + re.findall(
        r'^clauses = \["(.*)"\]$', source, re.M
    )
    (folder / "example-works.txt").write_text("\n\n".join(clauses), encoding="utf-8")
    (folder / "example-works.toml").write_text(source, encoding="utf-8")
    return folder / "example-works.toml"


def test_the_complete_example_loads_and_holds_every_table(tmp_path):
    policy = load_policy(example(tmp_path))
    assert policy.disclosure.reminders == (45, 75, 85)
    named = re.findall(r"^\[+([a-z_]+)\]", policy.source, re.MULTILINE)
    assert set(named) == {*ROOT.tables, *ROOT.arrays}


def test_the_complete_example_has_only_the_findings_that_it_means_to_have(tmp_path):
    found = lint(load_policy(example(tmp_path)), datetime(2026, 11, 20, tzinfo=UTC))
    assert [(one.rule, one.where) for one in found] == [
        ("chosen-period", "example-works.toml: promise[update]"),
        ("offset", "example-works.toml: calendar.zone"),
    ]
