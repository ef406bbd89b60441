"""The real program before a Dovecot and a Postfix that take tokens: no password anywhere, and no token in any log."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import PATIENCE, ROOT, Installation, installation, until
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.tokens import CLIENT, SECRET, Tokens


@pytest.fixture
def server(token_server: Tokens) -> Iterator[Tokens]:
    """As it was, after each test."""
    yield token_server
    token_server.lifetime, token_server.rotate, token_server.agreed = 3600.0, False, False
    token_server.spent.clear()


@pytest.fixture
def house(
    tmp_path: Path, tracker_url: str, token_dovecot: Dovecot, token_postfix: Postfix, server: Tokens
) -> Installation:
    ports = (token_postfix.mx_port, token_postfix.submission_port)
    made = installation(tmp_path, tracker_url, token_dovecot, *ports, uuid.uuid4().hex[:10])
    server.user = made.address
    return made


def by_token(house: Installation, server: Tokens, *lines: str) -> None:
    """The configuration without a password."""
    house.more = "\n".join(
        [
            "[mailbox.oauth2]",
            'provider = "generic"',
            f'client_id = "{CLIENT}"',
            f'client_secret = "{SECRET}"',
            f'token_url = "{server.url("token")}"',
            f'device_url = "{server.url("device")}"',
            'scopes = ["mail"]',
            *lines,
            "",
        ]
    )
    house.write()
    house.config.write_text(re.sub(r"(?m)^password = .*\n", "", house.config.read_text()))


def shown(house: Installation, server: Tokens, *outputs: str) -> list[str]:
    """The secrets that stand where they must not."""
    log = house.log.read_text(errors="replace") if house.log.exists() else ""
    files = b"".join(path.read_bytes() for path in house.directory.glob("triaged.db*"))
    text = log + "".join(outputs)
    return [secret for secret in server.every_secret() if secret in text or secret.encode() in files]


def test_a_report_is_answered_over_restarts_with_a_refresh_token_that_is_good_once(
    house: Installation, server: Tokens
) -> None:
    server.rotate, server.lifetime = True, 4.0
    by_token(house, server, 'flow = "refresh_token"', f'refresh_token = "{server.refresh_token()}"')
    for n in range(2):
        with house.running():
            house.arrives(f"noa.{n}.{house.name}@proven.test")
            house.got(f"noa.{n}.{house.name}@proven.test")
        time.sleep(4.0)  # each start finds a token that is over
    house.audit()
    assert len(house.tickets()) == 2
    assert len({form["refresh_token"] for form in server.asked[-3:]}) == 3
    assert server.spent == []
    assert shown(house, server) == []


def test_a_daemon_goes_on_after_its_tokens_were_revoked(house: Installation, server: Tokens) -> None:
    by_token(house, server, 'flow = "client_credentials"')
    with house.running():
        house.arrives(f"noa.0.{house.name}@proven.test")
        house.got(f"noa.0.{house.name}@proven.test")
        server.revoke()
        house.dovecot.kick(house.address)
        house.arrives(f"noa.1.{house.name}@proven.test")
        house.got(f"noa.1.{house.name}@proven.test")
    assert shown(house, server) == []


def test_check_says_what_is_wrong_with_a_token_and_daemon_says_the_same(house: Installation, server: Tokens) -> None:
    by_token(house, server, 'flow = "client_credentials"')
    house.command("db", "upgrade")
    good = house.command("check", "--json")
    items = {item["item"]: item for item in json.loads(good.stdout)}
    assert all(items[f"{what} security"]["ok"] for what in ("token", "imap", "smtp")), good.stdout
    by_token(house, server, 'flow = "refresh_token"', 'refresh_token = "gone"')
    bad = house.command("check", "--json")
    item = next(one for one in json.loads(bad.stdout) if one["item"] == "token security")
    assert bad.returncode == 1
    assert "has expired or was revoked: make a new one and put it into oauth2.refresh_token" in item["mend"]
    with house.running():
        until(lambda: "has expired or was revoked" in house.command("check").stdout, PATIENCE, "the daemon's word")
    assert shown(house, server, good.stdout, good.stderr, bad.stdout, bad.stderr) == []


def test_a_person_logs_a_mailbox_in_once(house: Installation, server: Tokens) -> None:
    by_token(house, server, 'flow = "device_code"')
    house.command("db", "upgrade")
    before = house.command("check")
    assert "log in with `triaged login security`" in before.stdout
    command = [sys.executable, "-m", "triaged", "login", "security", "--config", str(house.config)]
    with subprocess.Popen(
        command,
        env={**house.environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as login:
        assert login.stdout is not None
        assert login.stdout.readline() == f"Open {server.url('activate')} in a browser and type the code WDJB-MJHT\n"
        server.agreed = True
        rest, errors = login.communicate(timeout=PATIENCE)
    assert login.returncode == 0, errors
    assert "mailbox 'security' is logged in" in rest
    house.arrives(f"noa.{house.name}@proven.test")
    house.once()
    house.got(f"noa.{house.name}@proven.test")
    assert shown(house, server, rest, errors) == []


def test_a_login_for_a_mailbox_that_needs_none_says_so(house: Installation, server: Tokens) -> None:
    by_token(house, server, 'flow = "client_credentials"')
    for name, wanted in (("security", "needs no login by a person"), ("nobody", "there is no mailbox 'nobody'")):
        done = house.command("login", name)
        assert done.returncode == 1
        assert wanted in done.stderr
