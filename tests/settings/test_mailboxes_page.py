"""docs/mailboxes.md: each configuration on it is one that loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.settings.test_mistakes import POLICY, loads

PAGE = (Path(__file__).parents[2] / "docs/mailboxes.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS, ids=re.findall(r'flow = "(\w+)"', "".join(BLOCKS)))
def test_every_configuration_of_the_page_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/example.toml").write_text(POLICY)
    for name in ("client-secret", "refresh-token"):
        (tmp_path / name).write_text("secret\n")
    key = {"client_email": "a@b.test", "private_key": "-----BEGIN PRIVATE KEY-----\n"}
    (tmp_path / "service-account.json").write_text(json.dumps(key))
    settings = loads(tmp_path, text, {"GOOGLE_CLIENT_SECRET": "secret"})
    assert settings.mailboxes[0].oauth2 is not None


def test_all_flows_are_shown() -> None:
    assert len(BLOCKS) == 4
