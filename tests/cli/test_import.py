"""Mail from files: quiet by itself, whole, and the same the second time."""

from __future__ import annotations

import mailbox
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Triaged
from tests.ticket.scene import mail

DATED = ("Date: Tue, 05 Nov 2024 10:00:00 +0000",)


def raws(count: int = 5) -> list[bytes]:
    return [
        mail(f"r{n}@example.org", proven=n % 2 == 0, text=f"report number {n} of these reports", fields=DATED)
        for n in range(count)
    ]


def as_mbox(path: Path) -> Path:
    box = mailbox.mbox(str(path / "box.mbox"))
    for raw in raws():
        box.add(mailbox.mboxMessage(raw))
    box.close()
    return path / "box.mbox"


def as_maildir(path: Path) -> Path:
    box = mailbox.Maildir(str(path / "Maildir"))
    for raw in raws():
        box.add(raw)
    box.close()
    return path / "Maildir"


def as_folder(path: Path) -> Path:
    (path / "folder" / "inner").mkdir(parents=True)
    for number, raw in enumerate(raws()):
        (path / "folder" / ("inner" if number % 2 else ".") / f"{number}.eml").write_bytes(raw)
    (path / "folder" / "notes.pdf").write_bytes(b"no mail")
    return path / "folder"


def as_files(path: Path) -> Path:
    (path / "mixed").mkdir()
    as_mbox(path / "mixed")
    return path / "mixed"


@pytest.mark.parametrize("form", [as_mbox, as_maildir, as_folder, as_files])
def test_an_import_is_quiet_and_whole_whatever_the_form(triaged: Triaged, tmp_path: Path, form) -> None:  # type: ignore[no-untyped-def]
    said = triaged("import", form(tmp_path), "--mailbox", "security", "--json")
    assert said.code == 0, said.err
    assert said.document == {"messages": 5, "outcomes": {"ticket": 5}}
    assert triaged("outbox", "list", "--json").document == []
    tickets = triaged("ticket", "list", "--json").document
    assert [t["clocks"] for t in tickets] == [[]] * 5
    assert {t["received_at"] for t in tickets} == {"2024-11-05T10:00:00Z"}
    assert triaged("audit", "--offline").code == 0


def test_importing_again_does_nothing(triaged: Triaged, tmp_path: Path) -> None:
    box = as_folder(tmp_path)
    assert triaged("import", box, "--mailbox", "security").code == 0
    said = triaged("import", box, "--mailbox", "security", "--json")
    assert said.document == {"messages": 5, "outcomes": {"ticket": 5}}
    assert len(triaged("ticket", "list", "--json").document) == 5 == len(triaged("receipt", "list", "--json").document)


def test_clocks_and_letters_are_started_when_asked_for(triaged: Triaged, tmp_path: Path) -> None:
    triaged("import", as_mbox(tmp_path), "--mailbox", "security", "--clocks", "--letters")
    assert all(t["clocks"] for t in triaged("ticket", "list", "--json").document)
    assert {d["state"] for d in triaged("outbox", "list", "--json").document} == {"queued"}


def test_an_import_over_a_cap_tells_nobody_later(
    triaged: Triaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is imported quietly waits in no digest: the first pass of the daemon would mail it."""
    monkeypatch.setenv("TRIAGED_LIMITS__ACKNOWLEDGEMENTS_UNPROVEN_PER_HOUR", "0")
    monkeypatch.setenv("TRIAGED_LIMITS__ACKNOWLEDGEMENTS_PROVEN_PER_HOUR", "0")
    assert triaged("import", as_mbox(tmp_path), "--mailbox", "security").code == 0
    assert triaged("run", "--once").code == 1, "no server is there"
    assert triaged("outbox", "list", "--json").document == []


def test_what_is_no_file_in_a_folder_is_passed_over(triaged: Triaged, tmp_path: Path) -> None:
    box = as_folder(tmp_path)
    os.mkfifo(box / "pipe.eml")
    (box / "loop").symlink_to(box)
    (box / "gone.eml").symlink_to(tmp_path / "nowhere")
    said = triaged("import", box, "--mailbox", "security", "--json")
    assert said.code == 0, said.err
    assert said.document["outcomes"]["ticket"] == 5


def test_an_empty_folder_is_no_error(triaged: Triaged, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = triaged("import", tmp_path / "empty", "--mailbox", "security", "--json")
    assert (said.code, said.document) == (0, {"messages": 0, "outcomes": {}})
