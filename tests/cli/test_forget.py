"""`triaged forget`: who may, what it says, and what it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Triaged
from tests.ticket.scene import RESEARCHER, STRANGER
from triaged.daemon.points import ERASING, VARIABLE
from triaged.tracker.engine import connect, writing
from triaged.tracker.schema import ticket

RON = '\n[[team.member]]\nname = "Ron Katz"\naddress = "ron@example.test"\nrole = "lead"\nnotify = "board"\n'


@pytest.fixture
def two(imported: Triaged, installation: Path) -> Triaged:
    """A team of two."""
    _join(installation, RON)
    return imported


def _join(installation: Path, member: str) -> None:
    path = installation / "triaged.toml"
    text = path.read_text()
    marker = "[[team.member]]"
    path.write_text(text.replace(marker, member.strip() + "\n\n" + marker, 1))


def tickets(triaged: Triaged) -> list[Any]:
    found: list[Any] = triaged("ticket", "list", "--json").document
    return found


def test_it_shows_what_would_go_and_erases_nothing(two: Triaged) -> None:
    said = two("forget", RESEARCHER.upper())
    assert said.code == 0 and "Nothing has been erased" in said.out and "all of it" in said.out
    assert "in the mailbox itself" in said.out and "backups" in said.out
    assert two("forget", RESEARCHER, "--json").document["rows"]["person"] == 1
    assert len([d for d in tickets(two) if d["reporter"]]) == 2


def test_whoever_proposed_it_does_not_confirm_it(two: Triaged, tmp_path: Path) -> None:
    assert two("forget", RESEARCHER, "--confirm").code == 1
    said = two("forget", RESEARCHER, "--as", "Ron Katz", "--confirm")
    assert said.code == 1 and "needs two members" in said.err
    assert "waits for another member" in two("forget", RESEARCHER, "--as", "Dana Levi").out
    said = two("forget", RESEARCHER, "--as", "Dana Levi", "--confirm")
    assert said.code == 1 and "can't confirm it" in said.err
    file = tmp_path / "certificate.json"
    said = two("forget", RESEARCHER, "--as", "Ron Katz", "--confirm", "--certificate", file)
    assert said.code == 0, said.err
    assert "Certificate of erasure 1" in said.out and "member:Dana Levi" in said.out and "member:Ron Katz" in said.out
    assert RESEARCHER not in file.read_text() and json.loads(file.read_text())["of"] == "person"
    assert two("receipt", "verify", file).code == 0
    assert RESEARCHER not in two("ticket", "list", "--json").out
    assert two("audit", "--offline").code == 0
    again = tmp_path / "again.json"
    assert two("forget", "--number", "1", "--certificate", again).code == 0 and again.exists()
    assert two("forget", RESEARCHER).code == 1


def test_one_ticket_is_forgotten_by_its_reference(two: Triaged) -> None:
    ref = next(d["ref"] for d in tickets(two) if d["reporter"] and d["reporter"]["address"] == STRANGER)
    assert two("forget", ref.lower(), "--as", "Ron Katz").code == 0
    assert two("forget", ref, "--as", "Dana Levi", "--confirm").code == 0
    document = two("ticket", "show", ref, "--json").document
    assert document["messages"] == [] and document["subject"] == "" and document["state"] == "closed"
    assert two("forget", ref).code == 1
    assert two("ticket", "reopen", ref).code == 1, "nobody works on it any more"
    assert RESEARCHER in two("ticket", "list", "--json").out


def test_a_team_of_one_needs_no_second(imported: Triaged) -> None:
    assert imported("forget", RESEARCHER, "--as", "Dana Levi", "--confirm").code == 0


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("security@example.test", "is a mailbox"),
        ("Dana@example.test", "is of the team"),
        ("nobody@example.org", "nothing is held of"),
        ("IMS-0000-0000", "there is no ticket"),
        ("nonsense", "there is no ticket"),
        ("\x1b[31m@x", "nothing is held of"),
    ],
)
def test_who_can_not_be_forgotten_is_told_in_words(two: Triaged, whom: str, why: str) -> None:
    said = two("forget", whom)
    assert said.code == 1 and why in said.err and "\x1b" not in said.err


def test_a_certificate_that_can_not_be_written_stops_it_before_anything_is_gone(imported: Triaged) -> None:
    said = imported("forget", RESEARCHER, "--as", "Dana Levi", "--confirm", "--certificate", "/nowhere/c.json")
    assert said.code == 1
    assert RESEARCHER in imported("ticket", "list", "--json").out


def test_closed_tickets_past_the_policys_time_are_listed(imported: Triaged, installation: Path) -> None:
    assert imported("forget", "--due", "--json").document == []
    policy = installation / "policies" / "ims-network.toml"
    text = policy.read_text()
    kept = '\n[retention]\nafter_close = "1 day"\nclauses = ["We keep reports for a day."]\nsource = "added"\n'
    policy.write_text(text.replace('version = "', 'version = "2', 1) + kept)
    ref = tickets(imported)[0]["ref"]
    assert imported("ticket", "close", ref).code == 0
    assert imported("forget", "--due", "--json").document == [], "its day has not passed"
    engine = connect(f"sqlite:///{installation / 'triaged.db'}")
    with writing(engine) as connection:
        connection.execute(ticket.update().where(ticket.c.ref == ref).values(since=datetime(2026, 1, 1, tzinfo=UTC)))
    engine.dispose()
    (one,) = imported("forget", "--due", "--json").document
    assert (one["ref"], one["due_at"], one["clause"]) == (ref, "2026-01-02T00:00:00Z", "We keep reports for a day.")


@pytest.mark.parametrize("after", ["2 year s", "0 days", "-1 days", "99 years", "two years", "3 business days", ""])
def test_a_time_that_can_not_be_read_is_refused_in_words(imported: Triaged, installation: Path, after: str) -> None:
    policy = installation / "policies" / "ims-network.toml"
    policy.write_text(policy.read_text() + f'\n[retention]\nafter_close = "{after}"\n')
    said = imported("forget", "--due")
    assert said.code == 2 and "retention.after_close" in said.err


@pytest.mark.parametrize("point", [name for name in ERASING if name.startswith("erasure-")])
def test_a_kill_in_the_middle_erases_all_of_it_or_nothing(two: Triaged, installation: Path, point: str) -> None:
    assert two("forget", RESEARCHER, "--as", "Dana Levi").code == 0
    before = two("forget", RESEARCHER, "--json").document["rows"]
    words = ("forget", RESEARCHER, "--as", "Ron Katz", "--confirm")
    program = [sys.executable, "-m", "triaged", *words]
    known = {**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: point}
    died = subprocess.run(program, env=known, cwd=installation, capture_output=True, timeout=100)
    assert died.returncode == -signal.SIGKILL, died.stderr
    left = two("forget", RESEARCHER, "--json")
    if point == "erasure-committed":
        assert RESEARCHER not in two("ticket", "list", "--json").out
    else:
        assert left.document["rows"] == before
        assert two(*words).code == 0
    assert two("audit", "--offline").code == 0
    assert RESEARCHER.encode() not in (installation / "triaged.db").read_bytes() or point == "erasure-committed"
