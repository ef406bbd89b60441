"""The command line on an installation in a folder of its own: its configuration, its tracker, no servers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from triaged.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Triaged = Callable[..., Said]


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the starter configuration, from which commands are run."""
    shutil.copytree(ROOT / "config", tmp_path / "here")
    (tmp_path / "here" / "imap-password").write_text("demo\n")
    monkeypatch.setenv("SMTP_PASSWORD", "demo")
    monkeypatch.delenv("TRIAGED_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def triaged(installation: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Triaged:
    """Run `triaged` with these arguments."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["triaged", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def imported(triaged: Triaged, installation: Path) -> Triaged:
    """With three messages taken in, as if they had arrived, letters and all."""
    from tests.ticket.scene import STRANGER, mail

    box = installation / "box"
    box.mkdir()
    (box / "1.eml").write_bytes(mail(proven=True, subject="XSS in \x1b]0;login\x07", message_id="<1@example.org>"))
    hostile = "a \x1b[31mred\x9b31m and \u202e text of mine"
    (box / "2.eml").write_bytes(mail(STRANGER, subject="=?utf-8?b?4oCuZXZpbA==?=", text=hostile))
    (box / "3.eml").write_bytes(b"\0\xff garbage")
    said = triaged("import", box, "--mailbox", "security", "--clocks", "--letters")
    assert said.code == 0, said.err
    return triaged
