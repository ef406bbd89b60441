"""What people and scripts hold on to: help, documents, exit codes, sentences, and text that a terminal does not obey."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.conftest import ROOT, Triaged
from tests.ticket.scene import mail
from triaged.cli.main import command as whole

COMMANDS = (ROOT / "docs" / "commands.md").read_text()


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from leaves(found, (*path, name))
        else:
            yield (*path, name), found


ALL = dict(leaves(whole))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_is_documented(path: tuple[str, ...]) -> None:
    """docs/commands.md has a row for it with each of its options and arguments."""
    row = next((line for line in COMMANDS.split("\n") if line.startswith(f"| `triaged {' '.join(path)}")), None)
    assert row is not None, f"{path} stands in no row"
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in row, parameter.opts[0]
        else:
            shown = parameter.metavar or parameter.name or ""
            assert shown.upper() in row.upper().replace("\\|", "|")


def test_nothing_is_documented_that_is_not_there() -> None:
    rows = re.findall(r"^\| `triaged ([a-z -]+?)(?: [A-Z\[].*?)?` \| (.*?) \|", COMMANDS, re.MULTILINE)
    assert {tuple(words.split()) for words, _ in rows} == set(ALL)
    for words, options in rows:
        named = set(re.findall(r"`(--[a-z-]+)", options))
        there = {p.opts[0] for p in ALL[tuple(words.split())].params if isinstance(p, click.Option)}
        assert named == there, words


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_every_command_has_help(triaged: Triaged, path: tuple[str, ...]) -> None:
    said = triaged(*path, "--help")
    assert said.code == 0 and said.out.startswith("Usage:") and said.err == ""
    assert path == () or ALL[path].help


def test_help_comes_at_once() -> None:
    """Without the libraries that it does not need."""
    best = 9.0
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "triaged", "--help"], cwd=ROOT, capture_output=True, check=True)
        best = min(best, time.perf_counter() - begun)
    assert best < 1.0
    loaded = "import sys, triaged.cli.main; print(*(m for m in ('sqlalchemy','jinja2','holidays','alembic') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


TICKET = (
    "ref kind tenant mailbox state waiting subject reporter participants received_at policy severity cvss clocks facts "
    "duplicates credit reward"
)
RECEIPT = "id mailbox folder uidvalidity uid received_at sha256 size outcome ref reason"
LETTER = "id ref audience to message_id state not_before attempts accepted_at last_reply"
READ = (
    "kind from to cc reply_to subject date message_id in_reply_to references text new_text attachments automatic bounce forwarded "
    "encrypted authenticity facts missing noise defects"
)


def test_the_lists_have_the_keys_that_scripts_hold_on_to(imported: Triaged) -> None:
    for words, keys in ((("ticket", "list"), TICKET), (("receipt", "list"), RECEIPT), (("outbox", "list"), LETTER)):
        document = imported(*words, "--json").document
        assert len(document) >= 3
        for entry in document:
            assert set(keys.split()) <= set(entry), words
    assert not {"messages", "attachments", "events"} & set(imported("ticket", "list", "--json").document[0])


def test_a_ticket_has_the_keys_that_scripts_hold_on_to(imported: Triaged) -> None:
    ref = imported("ticket", "list", "--json").document[-1]["ref"]
    shown = imported("ticket", "show", ref.lower().replace("-", ""), "--json").document
    assert {*TICKET.split(), "messages", "attachments", "events"} <= set(shown)
    assert {"name", "version"} <= set(shown["policy"])
    keys = "direction audience from to subject at message_id text"
    assert all(set(keys.split()) <= set(message) for message in shown["messages"])
    assert [m["direction"] for m in shown["messages"]] == ["in", *["out"] * 3], "the team's address and Dana"
    keys = "promise clause every started_at due_at warned_at met_at missed_at paused waived"
    assert shown["clocks"] and all(set(keys.split()) <= set(clock) for clock in shown["clocks"])
    assert shown["events"] and all({"seq", "at", "actor", "kind", "data"} <= set(e) for e in shown["events"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["at"]) for e in shown["events"])


def test_message_read_and_policy_due_have_their_keys(triaged: Triaged, installation: Path) -> None:
    (installation / "a.eml").write_bytes(mail())
    assert set(READ.split()) <= set(triaged("message", "read", "a.eml", "--json").document)
    said = triaged(
        "policy", "due", "--policy", "policies/ims-network.toml", "--received", "2026-11-20T09:12:00Z", "--json"
    )
    assert {"promise", "clause", "due_at", "due_local", "calendar"} <= set(said.document["promises"][0])
    assert said.document["received"] == "2026-11-20T09:12:00Z"


def test_audit_offline_holds_after_an_import(imported: Triaged) -> None:
    said = imported("audit", "--offline", "--json")
    assert (said.code, said.document["ok"], said.document["findings"]) == (0, True, [])


def test_a_letter_is_shown_and_let_go_again(imported: Triaged) -> None:
    number = imported("outbox", "list", "--json").document[0]["id"]
    shown = imported("outbox", "show", number, "--json").document
    assert "Subject: " in shown["data"] and {*LETTER.split()} <= set(shown)
    assert imported("outbox", "retry", number).code == 0


WRONG = {
    ("nonsense",): 2,
    ("ticket",): 2,
    ("ticket", "show"): 2,
    ("ticket", "list", "--most", "many"): 2,
    ("ticket", "list", "--most", "-1"): 2,
    ("ticket", "list", "--most", "99999999999999999999"): 2,
    ("receipt", "list", "--most", "0"): 2,
    ("outbox", "show", "99999999999999999999"): 2,
    ("outbox", "list", "--state", "lost"): 2,
    ("outbox", "list", "--config", "nowhere.toml"): 2,
    ("run", "--at", "2026-11-20T09:12:00Z"): 2,
    ("run", "--once", "--at", "2026-11-20T09:12:00"): 2,
    ("import", "nowhere", "--mailbox", "security"): 2,
    ("message", "read", "nowhere.eml"): 1,
    ("policy", "due", "--policy", "nowhere.toml", "--received", "2026-11-20"): 2,
    ("policy", "due", "--policy", "imap-password", "--received", "2026-11-20"): 2,
    ("policy", "due", "--policy", "policies/ims-network.toml", "--received", "tomorrow"): 2,
    ("policy", "due", "--policy", "policies/ims-network.toml", "--received", "9999-12-31"): 2,
    ("ticket", "list"): 1,  # no tracker yet
    ("audit", "--offline"): 1,
    ("init", "."): 1,
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_is_wrong_is_said_in_a_sentence_with_its_code(triaged: Triaged, arguments: tuple[str, ...]) -> None:
    said = triaged(*arguments)
    assert (said.code, said.out) == (WRONG[arguments], ""), said.err
    assert len(said.err) > 10 and "should not happen" not in said.err


def test_a_ticket_that_is_not_there_is_said_without_its_control_characters(imported: Triaged) -> None:
    """AT-26, TH-6."""
    said = imported("ticket", "show", "\x1b]0;evil\x07")
    assert said.code == 1 and "\x1b" not in said.err and "ticket list" in said.err


def test_a_mailbox_that_is_not_configured_is_said(triaged: Triaged, installation: Path) -> None:
    said = triaged("import", installation, "--mailbox", "nobody")
    assert said.code in (1, 2) and "'nobody'" in said.err and "security" in said.err


def test_a_database_that_is_newer_is_said(imported: Triaged, installation: Path) -> None:
    import sqlite3

    database = sqlite3.connect(installation / "triaged.db")
    with database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    for words in (("db", "upgrade"), ("run", "--once"), ("ticket", "list"), ("audit", "--offline")):
        said = imported(*words)
        assert said.code == 1 and "newer than this program" in said.err and "Install" in said.err


def test_a_file_that_is_no_database_is_said(triaged: Triaged, installation: Path) -> None:
    (installation / "triaged.db").write_bytes(b"this is no database" * 100)
    said = triaged("ticket", "list")
    assert said.code == 1 and "no SQLite database" in said.err


def test_an_unknown_database_url_is_said(triaged: Triaged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGED_TRACKER__URL", "oracle://x")
    said = triaged("ticket", "list")
    assert said.code in (1, 2) and "sqlite:///" in said.err


OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def test_no_command_prints_what_a_terminal_obeys(imported: Triaged) -> None:
    """AT-26: escapes, C1 and bidi controls of strangers; in JSON they are escaped."""
    refs = [d["ref"] for d in imported("ticket", "list", "--json").document]
    calls: list[tuple[object, ...]] = [("ticket", "show", ref) for ref in refs]
    calls += [("outbox", "show", d["id"]) for d in imported("outbox", "list", "--json").document]
    calls += [("ticket", "list"), ("receipt", "list"), ("outbox", "list")]
    calls += [("message", "read", f"box/{n}.eml") for n in (1, 2, 3)]
    for call in calls:
        for form in ((), ("--json",)):
            said = imported(*call, *form)
            assert said.code == 0
            found = OBEYED.search(said.out)
            assert found is None, (call, form, said.out[max(0, found.start() - 40) : found.end() + 10])


def test_a_bidi_control_is_shown_and_not_obeyed() -> None:
    from triaged.cli.options import safe

    for character in ("\x1b", "\x9b", "\x00", "\x7f", "\u202e", "\u2066", "\u061c", "\u200f"):
        assert character not in safe(f"a{character}b") and len(safe(f"a{character}b")) > 3
    assert safe("plain\ttext\nשלום é") == "plain\ttext\nשלום é"


def test_init_writes_a_configuration_that_loads_and_overwrites_nothing(triaged: Triaged, tmp_path: Path) -> None:
    said = triaged("init", tmp_path / "fresh")
    assert said.code == 0 and (tmp_path / "fresh" / "triaged.toml").is_file()
    again = triaged("init", tmp_path / "fresh")
    assert again.code == 1 and "there already" in again.err


def test_a_pipe_that_is_closed_early_is_no_traceback(installation: Path) -> None:
    pipe = f"{sys.executable} -m triaged policy due --policy policies/ims-network.toml --received 2026-11-20 | true"
    done = subprocess.run(
        ["sh", "-c", pipe],
        cwd=installation,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "Traceback" not in done.stderr
