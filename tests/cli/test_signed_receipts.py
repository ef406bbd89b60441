"""Signed receipts: what they say, and that an outsider can check them with nothing of ours."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Triaged
from tests.conftest import installed
from tests.ticket.scene import RESEARCHER


@pytest.fixture
def ref(imported: Triaged) -> str:
    found = imported("ticket", "list", "--json").document
    return next(str(d["ref"]) for d in found if d["reporter"] and d["reporter"]["address"] == RESEARCHER)


def test_a_receipt_holds_the_hash_of_the_exact_bytes_and_openssl_verifies_it(
    imported: Triaged, ref: str, installation: Path
) -> None:
    installed("openssl", "apt-get install openssl")
    out, pem = installation / "receipt.json", installation / "key.pem"
    said = imported("receipt", "sign", ref, "--out", out, "--as", "Dana Levi")
    assert said.code == 0, said.err
    raw = (installation / "box" / "1.eml").read_bytes()
    document = json.loads(out.read_text())
    assert (document["sha256"], document["size"]) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert (document["reference"], document["organisation"], document["whole"]) == (ref, "IMS Network", True)
    assert RESEARCHER not in out.read_text()
    pem.write_text(imported("receipt", "key").out)
    checked = [
        *["openssl", "pkeyutl", "-verify", "-pubin", "-rawin"],
        "-inkey",
        pem,
        "-sigfile",
        f"{out}.sig",
        "-in",
        out,
    ]
    assert "Verified Successfully" in subprocess.run(checked, capture_output=True, text=True, check=True).stdout
    events = imported("ticket", "show", ref, "--json").document["events"]
    told = next(e for e in events if e["kind"] == "receipted")
    assert told["actor"] == "member:Dana Levi" and told["data"]["key"] == document["key"]
    assert imported("audit", "--offline").code == 0


def test_verify_says_no_to_a_changed_file_and_to_another_key(imported: Triaged, ref: str, installation: Path) -> None:
    out = installation / "receipt.json"
    assert imported("receipt", "verify", installation / "triaged.toml").code == 1
    assert imported("receipt", "sign", ref, "--out", out).code == 0
    assert imported("receipt", "verify", out).code == 0
    out.write_bytes(out.read_bytes().replace(b"2026", b"2025"))
    said = imported("receipt", "verify", out)
    assert said.code == 1 and said.out.startswith("no")
    bad = installation / "bad.pem"
    bad.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    assert "is no public key" in imported("receipt", "verify", out, "--key", bad).err


def test_a_receipt_of_what_is_not_there_is_refused(imported: Triaged, ref: str, installation: Path) -> None:
    out = installation / "receipt.json"
    for which in ("99999", "IMS-0000-0000", "x", "9" * 40):
        assert imported("receipt", "sign", which, "--out", out).code == 1
    assert imported("receipt", "sign", "1", "--out", out).code == 0
    assert imported("forget", RESEARCHER, "--as", "Dana Levi", "--confirm").code == 0
    assert imported("receipt", "sign", ref, "--out", installation / "late.json").code == 1
