"""[mailbox.oauth2]: what each provider and flow needs is said at once, defaults are the provider's, no secret is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.settings.test_mistakes import IMAP, MAILBOX, SMTP, loads, mistakes
from tests.settings.test_mistakes import folder as folder
from triaged.settings.model import OAuth2Settings

READ = IMAP.replace('password = "hunter2"\n', "")
SENT = SMTP + 'username = "security"\n'
KEY_FILE = {"client_email": "bot@project.iam.test", "private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n"}


def table(provider: str, flow: str, *lines: str) -> str:
    return "\n".join(["[mailbox.oauth2]", f'provider = "{provider}"', f'flow = "{flow}"', *lines, ""])


def oauth2(folder: Path, *words: str) -> OAuth2Settings:
    found = loads(folder, MAILBOX + READ + SENT + table(*words)).mailboxes[0].oauth2
    assert found is not None
    return found


def test_microsofts_application_needs_its_tenant_its_id_and_its_secret_and_nothing_else(folder: Path) -> None:
    ours = ('tenant = "example.org"', 'client_id = "1-2"', 'client_secret = "hunter2"')
    found = oauth2(folder, "microsoft", "client_credentials", *ours)
    assert found.token_url == "https://login.microsoftonline.com/example.org/oauth2/v2.0/token"
    assert found.scopes == ("https://outlook.office365.com/.default",)
    assert "hunter2" not in repr(found)


def test_microsofts_device_flow_asks_to_stay_logged_in(folder: Path) -> None:
    found = oauth2(folder, "microsoft", "device_code", 'client_id = "1-2"')
    assert found.device_url == "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode"
    assert "offline_access" in found.scopes


def test_a_service_accounts_key_file_has_many_lines(folder: Path) -> None:
    (folder / "key.json").write_text(json.dumps(KEY_FILE, indent=2))
    found = oauth2(folder, "google", "service_account", 'service_account = { file = "key.json" }')
    assert found.service_account is not None
    assert json.loads(found.service_account.reveal()) == KEY_FILE
    assert found.scopes == ("https://mail.google.com/",)
    assert "hunter2" not in repr(found)


def test_a_mailbox_may_read_by_token_and_send_by_password(folder: Path) -> None:
    ours = table("google", "refresh_token", 'client_id = "1"', 'refresh_token = "hunter2"')
    settings = loads(folder, MAILBOX + READ + SENT + 'password = "hunter3"\n' + ours)
    (mailbox,) = settings.mailboxes
    assert mailbox.imap is not None
    assert mailbox.imap.password is None
    assert mailbox.smtp is not None
    assert mailbox.smtp.password is not None


MISTAKES = {
    "neither password nor tokens": (READ, "imap.password: is missing: write password = …, or .mailbox.oauth2"),
    "nothing to do": (
        IMAP + table("google", "refresh_token", 'client_id = "1"', 'refresh_token = "hunter2"'),
        "oauth2: has nothing to do",
    ),
    "no tenant": (
        READ + table("microsoft", "client_credentials", 'client_id = "1"', 'client_secret = "hunter2"'),
        "oauth2.tenant: is missing",
    ),
    "another's tenant": (
        READ + table("google", "refresh_token", 'client_id = "1"', 'refresh_token = "hunter2"', 'tenant = "x"'),
        "oauth2.tenant: is Microsoft's alone",
    ),
    "Google's devices": (READ + table("google", "device_code", 'client_id = "1"'), "oauth2.flow: .* Google gives no"),
    "Google's client": (READ + table("google", "client_credentials"), "oauth2.flow: .* Google has no such flow"),
    "Microsoft's key": (READ + table("microsoft", "service_account"), "oauth2.flow: .* Microsoft has no such flow"),
    "no such flow": (READ + table("google", "password"), 'oauth2.flow: must be .*"refresh_token"'),
    "no key file": (
        READ + table("google", "service_account", 'service_account = "hunter2"'),
        "oauth2.service_account: the secret is not the JSON key file",
    ),
    "key file absent": (
        READ + table("google", "service_account", 'service_account = { file = "nope" }'),
        "oauth2.service_account: nope can't be read",
    ),
    "secret in the clear": (
        READ
        + table("generic", "client_credentials", 'client_id = "1"', 'client_secret = "hunter2"', 'scopes = ["a"]')
        + 'token_url = "http://login.example.org/token"\n',
        "oauth2.token_url: must be a URL .* with https",
    ),
    "a user in the URL": (
        READ
        + table("generic", "client_credentials", 'client_id = "1"', 'client_secret = "hunter2"', 'scopes = ["a"]')
        + 'token_url = "https://hunter2@login.example.org/token"\n',
        "oauth2.token_url: must be a URL",
    ),
    "scopes in one word": (
        READ + table("google", "refresh_token", 'client_id = "1"', 'refresh_token = "hunter2"', 'scopes = ["a b"]'),
        "oauth2.scopes.*without spaces",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_with_key_and_mend(folder: Path, case: str) -> None:
    text, wanted = MISTAKES[case]
    (found,) = mistakes(folder, MAILBOX + text)
    assert re.search(wanted, found), found
    assert "hunter2" not in found


def test_everything_that_a_flow_lacks_is_said_at_once(folder: Path) -> None:
    found = mistakes(folder, MAILBOX + READ + table("generic", "device_code"))
    keys = {text.partition("oauth2.")[2].partition(":")[0] for text in found}
    assert keys == {"client_id", "token_url", "device_url", "scopes"}


def test_a_service_account_acts_for_one_user(folder: Path) -> None:
    (folder / "key.json").write_text(json.dumps(KEY_FILE))
    ours = table("google", "service_account", 'service_account = { file = "key.json" }')
    (found,) = mistakes(folder, MAILBOX + READ + SMTP + 'username = "other"\n' + ours)
    assert "smtp.username: is another than imap.username" in found
