"""`triaged known`: sealed, opened, and proved by a file, with our program and with sha256sum alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Triaged
from tests.conftest import installed


@pytest.fixture
def sealed(imported: Triaged, installation: Path) -> Triaged:
    (installation / "issue.txt").write_text("The parameter “next” runs as a script.\n")
    said = imported(
        "known", "add", "SEC-17", "--title", "XSS in login", "--text", "issue.txt", "--seal", "--as", "Dana Levi"
    )
    assert said.code == 0, said.err
    return imported


def test_the_list_says_what_is_sealed_and_what_is_open(sealed: Triaged) -> None:
    (one,) = sealed("known", "list", "--json").document
    assert one["sealed_at"] and not one["opened_at"] and len(one["seal"]) == 64
    assert "sealed 20" in sealed("known", "list").out
    assert sealed("known", "open", "SEC-17").code == 0
    assert "opened 20" in sealed("known", "list").out


def test_the_file_proves_the_seal_with_our_program(sealed: Triaged) -> None:
    (one,) = sealed("known", "list", "--json").document
    assert sealed("known", "open", "SEC-17", "--to", "proof.json").code == 0
    said = sealed("known", "verify", "proof.json", "--seal", one["seal"])
    assert said.code == 0 and "XSS in login" in said.out
    assert sealed("known", "verify", "proof.json", "--seal", "00" * 32).code == 1


def test_the_file_proves_the_seal_without_it(sealed: Triaged, installation: Path) -> None:
    """As docs/publication.md writes it."""
    installed("sha256sum", "install coreutils")
    if not (shutil.which("jq") and shutil.which("xxd")):
        pytest.skip("jq and xxd are not installed")
    (one,) = sealed("known", "list", "--json").document
    sealed("known", "open", "SEC-17")
    recipe = "(jq -r .salt SEC-17.json | xxd -r -p; jq -j .canonical SEC-17.json) | sha256sum"
    assert subprocess.check_output(recipe, shell=True, cwd=installation, text=True).split()[0] == one["seal"]


def test_a_changed_file_proves_nothing(sealed: Triaged, installation: Path) -> None:
    sealed("known", "open", "SEC-17")
    proof = installation / "SEC-17.json"
    proof.write_text(proof.read_text().replace("XSS", "RCE"))
    said = sealed("known", "verify", "SEC-17.json")
    assert said.code == 1 and "was changed" in said.out
    for nonsense in ("nonsense", "[]", "{}", "[" * 100_000, "\0"):
        proof.write_text(nonsense)
        assert sealed("known", "verify", "SEC-17.json").code == 1
    assert sealed("known", "verify", "not-there.json").code == 1


def test_a_file_proves_its_seal_whatever_else_it_says(sealed: Triaged, installation: Path) -> None:
    sealed("known", "open", "SEC-17")
    proof = installation / "SEC-17.json"
    kept = json.loads(proof.read_text())
    proof.write_text(json.dumps({**{k: kept[k] for k in ("form", "canonical", "salt", "seal")}, "journal": {}}))
    assert sealed("known", "verify", "SEC-17.json").code == 0


def test_nobodys_file_is_written_over_and_nothing_is_half_done(sealed: Triaged, installation: Path) -> None:
    (installation / "SEC-17.json").write_text("mine")
    assert "name another with --to" in sealed("known", "open", "SEC-17").err
    assert (installation / "SEC-17.json").read_text() == "mine"
    assert sealed("known", "list", "--json").document[0]["opened_at"] is None
    assert sealed("known", "open", "SEC-17", "--to", "no/such/folder.json").code == 1
    assert sealed("known", "list", "--json").document[0]["opened_at"] is None


def test_opening_again_writes_the_same_file(sealed: Triaged, installation: Path) -> None:
    sealed("known", "open", "SEC-17")
    before = (installation / "SEC-17.json").read_bytes()
    assert sealed("known", "open", "SEC-17").code == 0
    assert (installation / "SEC-17.json").read_bytes() == before
    assert json.loads(before) == sealed("known", "open", "SEC-17", "--to", "-").document


def test_who_seals_stands_in_the_journal_and_audit_holds(sealed: Triaged) -> None:
    said = sealed("audit", "--offline", "--json")
    assert said.code == 0 and said.document["looked_at"]["journal_entries"] == 1
    assert sealed("known", "seal", "SEC-17").code == 1
    assert sealed("known", "seal", "SEC-18").code == 1
    assert sealed("known", "add", "SEC-18", "--title", "x", "--text", "issue.txt", "--as", "Nobody").code == 1
    assert sealed("known", "remove", "SEC-17").code == 0
    assert sealed("known", "list", "--json").document == []
