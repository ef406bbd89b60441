"""The configuration file that the documentation shows works as it stands."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from triaged.settings.limits import Limits
from triaged.settings.load import SettingsError, find, load

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
EXAMPLE = """
[tracker]
url = "sqlite:///triaged.db"             # or postgresql+psycopg://user@host/triaged

[[mailbox]]
name = "security"
tenant = "default"
address = "security@example.test"
policy = "policies/ims-network.toml"
plus_addressing = true                   # security+TOKEN@… reaches this mailbox
acknowledge_unproven = "minimal"         # minimal | full | hold
require_return_path = false
history = "7 days"                       # what is older at the first sweep is recorded, and starts no ticket

[mailbox.imap]
host = "127.0.0.1"
port = 2143
security = "none"                        # tls (default) | starttls | none (loopback only) | none-insecure
username = "security@example.test"
password = { file = "imap-password" }
folders = ["INBOX"]                      # the first is held by IDLE, the others swept; put Junk here too
poll_seconds = 60                        # the sweep that stays on beside IDLE
sent_folder = ""                         # a copy of what is sent goes here

[mailbox.smtp]
host = "127.0.0.1"
port = 2025
security = "none"
username = "security@example.test"       # no username: no login
password = { env = "SMTP_PASSWORD" }
envelope = "keyed"                       # keyed (bounces come back to the letter) | address | null

[authenticity]                           # of the tenant "default"
trusted_authserv_ids = ["mx.example.test"]   # whose Authentication-Results are believed; empty: nobody is proven
trusted_hosts = []                       # whose Received lines count for the instant of receipt

[team]                                   # of the tenant "default"
notify = ["security-team@example.test"]
escalate = []                            # who hears of a missed promise as well
undo_seconds = 120
two_person = true
board_at = "08:30"
[[team.member]]
name = "Dana Levi"
address = "dana@example.test"
role = "triager"                         # triager | lead | observer
notify = "all"                           # all | mine | board

[limits]                                 # each limit by name, with its default
message_bytes = 52428800
acknowledgements_unproven_per_address_per_day = 1

[keys]
address = { file = "address.key" }       # the key of the reply addresses

[http]
listen = "127.0.0.1:9464"                # metrics and health; "" for none

[ops]
alarm = []                               # who hears when a mailbox is unswept, the outbox stands, the disk runs low
unswept_minutes = 15
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    (tmp_path / "policies").symlink_to(POLICIES)
    (tmp_path / "imap-password").write_text("imap secret\n")
    (tmp_path / "triaged.toml").write_text(EXAMPLE)
    return tmp_path / "triaged.toml"


def test_the_documented_file_loads_as_it_stands(example):
    settings = load(example, {"SMTP_PASSWORD": "smtp secret"})
    (mailbox,) = settings.mailboxes
    assert settings.path == example
    assert settings.tracker.url == f"sqlite:///{example.parent}/triaged.db"
    assert (mailbox.name, mailbox.tenant, mailbox.address) == ("security", "default", "security@example.test")
    assert mailbox.policy.organisation == "IMS Network"
    assert (mailbox.plus_addressing, mailbox.acknowledge_unproven, mailbox.require_return_path) == (
        True,
        "minimal",
        False,
    )
    assert mailbox.history == timedelta(days=7)
    assert mailbox.imap is not None
    assert (mailbox.imap.host, mailbox.imap.port, mailbox.imap.security) == ("127.0.0.1", 2143, "none")
    assert mailbox.imap.password.reveal() == "imap secret"
    assert (mailbox.imap.folders, mailbox.imap.poll_seconds, mailbox.imap.sent_folder) == (("INBOX",), 60, "")
    assert mailbox.smtp is not None
    assert mailbox.smtp.password is not None
    assert (mailbox.smtp.port, mailbox.smtp.envelope) == (2025, "keyed")
    assert mailbox.smtp.password.reveal() == "smtp secret"
    assert settings.limits == Limits()
    assert settings.keys.address is None, "made once and kept in the tracker where absent"
    assert (settings.http.listen, settings.ops.alarm, settings.ops.unswept_minutes) == ("127.0.0.1:9464", (), 15)


def test_the_team_and_trust_at_the_top_are_the_default_tenants(example):
    tenant = load(example, {"SMTP_PASSWORD": "x"}).tenant("default")
    assert tenant.authenticity.trusted_authserv_ids == ("mx.example.test",)
    assert tenant.team.notify == ("security-team@example.test",)
    assert (tenant.team.undo_seconds, tenant.team.two_person, tenant.team.board_at) == (120, True, time(8, 30))
    (member,) = tenant.team.members
    assert (member.name, member.address, member.role, member.notify) == (
        "Dana Levi",
        "dana@example.test",
        "triager",
        "all",
    )


def test_the_key_of_the_reply_addresses_is_read_where_it_is(example):
    (example.parent / "address.key").write_text("k" * 43 + "\n")
    key = load(example, {"SMTP_PASSWORD": "x"}).keys.address
    assert key is not None
    assert key.reveal() == "k" * 43


def test_other_tenants_have_teams_and_trust_of_their_own(example):
    example.write_text(
        EXAMPLE
        + """
[[tenant]]
name = "acme"
[tenant.team]
notify = ["soc@acme.test"]
[[tenant.team.member]]
name = "Noor"
address = "noor@acme.test"
[[tenant.team.member]]
name = "Sam"
address = "sam@acme.test"
role = "lead"
[tenant.authenticity]
trusted_authserv_ids = ["MX.acme.test"]

[[mailbox]]
name = "acme"
tenant = "acme"
address = "security@acme.test"
policy = "policies/responsible-disclosure.toml"
"""
    )
    settings = load(example, {"SMTP_PASSWORD": "x"})
    acme = settings.tenant("acme")
    assert acme.authenticity.trusted_authserv_ids == ("mx.acme.test",)
    assert [member.name for member in acme.team.members] == ["Noor", "Sam"]
    assert acme.team.two_person, "the default with two members"
    assert settings.mailboxes[1].imap is None, "a mailbox may be for import only"
    assert settings.mailboxes[1].smtp is None


def test_no_secret_shows_in_the_text_of_the_settings(example):
    shown = repr(load(example, {"SMTP_PASSWORD": "smtp secret"})) + str(load(example, {"SMTP_PASSWORD": "smtp secret"}))
    assert "smtp secret" not in shown
    assert "imap secret" not in shown


def test_the_file_is_found_by_option_then_variable_then_folder(tmp_path):
    (tmp_path / "triaged.toml").touch()
    assert find(Path("mine.toml"), {"TRIAGED_CONFIG": "/other.toml"}, tmp_path) == tmp_path / "mine.toml"
    assert find(None, {"TRIAGED_CONFIG": "/other.toml"}, tmp_path) == Path("/other.toml")
    assert find(None, {}, tmp_path) == tmp_path / "triaged.toml"


def test_no_file_at_all_says_how_to_get_one(tmp_path):
    with pytest.raises(SettingsError, match="triaged init"):
        find(None, {}, tmp_path)
