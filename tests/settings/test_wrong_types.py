"""Whatever type of value stands at a key, the answer is settings or problems, never another exception."""

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triaged.policy.load import PolicyError, load_policy
from triaged.settings.load import SettingsError, load

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
WRONG = (
    "5",
    "-5",
    "1e400",
    "nan",
    "true",
    '""',
    '" "',
    '"\\u0000"',
    '"../../x"',
    '"%s{x}"',
    "[]",
    "[[]]",
    "[1]",
    '["", ""]',
    "{}",
    '{ env = "X" }',
    "{ file = 5 }",
    "2026-11-20",
    "08:30:00",
    "2026-11-20T08:30:00Z",
    "99999999999999999999",
    '"' + "x" * 5000 + '"',
)
SETTINGS = """
[tracker]
url = "sqlite:///triaged.db"
[[mailbox]]
name = "security"
tenant = "acme"
address = "security@example.test"
policy = "ims-network.toml"
plus_addressing = true
acknowledge_unproven = "minimal"
require_return_path = false
history = "7 days"
[mailbox.imap]
host = "127.0.0.1"
port = 143
security = "none"
username = "x"
password = "x"
folders = ["INBOX"]
poll_seconds = 60
sent_folder = "Sent"
[mailbox.smtp]
host = "127.0.0.1"
port = 25
security = "none"
username = "x"
password = "x"
envelope = "keyed"
[authenticity]
trusted_authserv_ids = ["mx.example.test"]
trusted_hosts = []
[team]
notify = ["team@example.test"]
escalate = []
undo_seconds = 120
two_person = true
board_at = "08:30"
[[team.member]]
name = "Dana"
address = "dana@example.test"
role = "lead"
notify = "all"
[[tenant]]
name = "acme"
[tenant.team]
notify = []
[tenant.authenticity]
trusted_hosts = []
[limits]
parts = 500
[keys]
address = "k"
[http]
listen = "127.0.0.1:9464"
[ops]
alarm = []
unswept_minutes = 15
"""
POLICY = (POLICIES / "ims-network.toml").read_text()


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def with_value(document: dict[str, Any], path: tuple[str | int, ...], value: str) -> str:
    changed = copy.deepcopy(document)
    node: Any = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = _Literal(value)
    return "\n".join(f"{key} = {written(part)}" for key, part in changed.items())


class _Literal(str):
    """TOML as it stands."""


def written(value: Any) -> str:
    if isinstance(value, _Literal):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


@pytest.mark.parametrize("path", list(places(tomllib.loads(SETTINGS))), ids=lambda path: ".".join(map(str, path)))
def test_any_value_at_a_key_of_the_configuration_is_read_or_refused(path, tmp_path):
    for name in ("ims-network.toml", "ims-network.txt"):
        (tmp_path / name).symlink_to(POLICIES / name)
    for value in WRONG:
        (tmp_path / "triaged.toml").write_text(with_value(tomllib.loads(SETTINGS), path, value))
        try:
            load(tmp_path / "triaged.toml", {"TRIAGED_MAILBOX__0__IMAP__HOST": "::1"})
        except SettingsError as error:
            assert all(problem.text.isprintable() and len(str(problem)) < 12_000 for problem in error.problems)


@pytest.mark.parametrize("path", list(places(tomllib.loads(POLICY))), ids=lambda path: ".".join(map(str, path)))
def test_any_value_at_a_key_of_a_policy_is_read_or_refused(path, tmp_path):
    (tmp_path / "ims-network.txt").symlink_to(POLICIES / "ims-network.txt")
    for value in WRONG:
        (tmp_path / "policy.toml").write_text(with_value(tomllib.loads(POLICY), path, value))
        try:
            load_policy(tmp_path / "policy.toml")
        except PolicyError as error:
            assert all(problem.text.isprintable() and len(str(problem)) < 12_000 for problem in error.problems)
