"""Every setting can come from the environment, and a mistyped variable is a mistake like one in the file."""

from datetime import timedelta
from pathlib import Path

import pytest

from triaged.settings.load import SettingsError, load

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
MAILBOX = """
[[mailbox]]
name = "sec-team"
address = "security@example.test"
policy = "ims-network.toml"
[mailbox.imap]
host = "imap.example.test"
username = "security"
password = { file = "gone" }
"""
PASSWORD = {"TRIAGED_MAILBOX__0__IMAP__PASSWORD": "s3cret"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for file in POLICIES.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "triaged.toml").write_text(MAILBOX)
    return tmp_path / "triaged.toml"


def mistake(path: Path, environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, PASSWORD | environ)
    (problem,) = caught.value.problems
    return str(problem)


def test_a_variable_beats_the_file(path):
    settings = load(
        path,
        PASSWORD
        | {
            "TRIAGED_TRACKER__URL": "postgresql+psycopg://u@h/t",
            "TRIAGED_LIMITS__MESSAGE_BYTES": "1048576",
            "TRIAGED_TEAM__NOTIFY": "a@example.test, b@example.test",
            "TRIAGED_TEAM__TWO_PERSON": "true",
            "TRIAGED_AUTHENTICITY__TRUSTED_AUTHSERV_IDS": '["MX.example.test"]',
            "TRIAGED_MAILBOX__0__IMAP__HOST": "other.example.test",
            "TRIAGED_MAILBOX__SEC_TEAM__IMAP__FOLDERS": "INBOX,Junk",
            "TRIAGED_MAILBOX__SEC_TEAM__HISTORY": "0 days",
            "TRIAGED_HTTP__LISTEN": "",
        },
    )
    assert settings.tracker.url == "postgresql+psycopg://u@h/t"
    assert settings.limits.message_bytes == 1048576
    team = settings.tenant("default").team
    assert (team.notify, team.two_person) == (("a@example.test", "b@example.test"), True)
    assert settings.tenant("default").authenticity.trusted_authserv_ids == ("mx.example.test",)
    (mailbox,) = settings.mailboxes
    assert (mailbox.imap.host, mailbox.imap.folders) == ("other.example.test", ("INBOX", "Junk"))
    assert mailbox.imap.password.reveal() == "s3cret"
    assert (mailbox.history, settings.http.listen) == (timedelta(0), "")


def test_a_secret_may_be_a_file_or_another_variable_from_the_environment_too(path):
    (path.parent / "pw").write_text("from file\n")
    by_file = load(path, {"TRIAGED_MAILBOX__SEC_TEAM__IMAP__PASSWORD__FILE": "pw"})
    assert by_file.mailboxes[0].imap.password.reveal() == "from file"
    by_env = load(path, {"TRIAGED_MAILBOX__SEC_TEAM__IMAP__PASSWORD__ENV": "TRIAGED_PW", "TRIAGED_PW": "named"})
    assert by_env.mailboxes[0].imap.password.reveal() == "named"


def test_a_whole_mailbox_tenant_and_member_can_come_from_the_environment(path):
    settings = load(
        path,
        PASSWORD
        | {
            "TRIAGED_TENANT__0__NAME": "acme",
            "TRIAGED_TENANT__0__TEAM__MEMBER": '[{"name": "Noor", "address": "noor@acme.test"}]',
            "TRIAGED_MAILBOX__1__NAME": "acme",
            "TRIAGED_MAILBOX__1__TENANT": "acme",
            "TRIAGED_MAILBOX__1__ADDRESS": "security@acme.test",
            "TRIAGED_MAILBOX__1__POLICY": "good-faith-rules.toml",
            "TRIAGED_TEAM__MEMBER__0__NAME": "Dana",
            "TRIAGED_TEAM__MEMBER__0__ADDRESS": "dana@example.test",
        },
    )
    assert [mailbox.tenant for mailbox in settings.mailboxes] == ["default", "acme"]
    assert settings.tenant("acme").team.members[0].name == "Noor"
    assert settings.tenant("default").team.members[0].name == "Dana"


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("TRIAGED_TRAKCER__URL", "x", 'names no setting: remove or rename it; did you mean "tracker"?'),
        ("TRIAGED_TRACKER__ULR", "x", 'names no setting: remove or rename it; did you mean "url"?'),
        ("TRIAGED_LIMITS__PARTS__X", "1", "names nothing below parts: end the name there"),
        ("TRIAGED_TRACKER", "x", "must name a key of tracker"),
        (
            "TRIAGED_MAILBOX__NOPE__ADDRESS",
            "x",
            "names no mailbox: use a name in the file (SEC_TEAM) or a number up to 1",
        ),
        ("TRIAGED_MAILBOX__7__ADDRESS", "x", "names no mailbox"),
        ("TRIAGED_MAILBOX__0", "x", "must name a key of mailbox 0"),
        ("TRIAGED_MAILBOX", "x", "must be JSON such as"),
        ("TRIAGED_LIMITS__PARTS", "many", "must be a whole number from 1"),
        ("TRIAGED_LIMITS__PARTS", "0", "limits.parts: must be a whole number from 1"),
        ("TRIAGED_TEAM__TWO_PERSON", "maybe", "must be true or false"),
        ("TRIAGED_TEAM__NOTIFY", "[1", "must be a list of an e-mail address"),
        ("TRIAGED_TEAM__NOTIFY", "nobody", "team.notify: must be an e-mail address"),
        ("TRIAGED_MAILBOX__0__IMAP__PASSWORD__VAULT", "x", "names nothing below password"),
        ("TRIAGED_", "x", "names no setting"),
        ("TRIAGED_X", "x", "names no setting"),
    ],
)
def test_a_mistyped_variable_is_a_mistake_that_names_it(path, variable, text, wanted):
    found = mistake(path, {variable: text})
    assert found.startswith(f"environment variable {variable}: ")
    assert wanted in found


@pytest.mark.parametrize(
    "variable",
    [
        "TRIAGED_CONFIG",
        "TRIAGED_REQUIRE_SERVERS",
        "TRIAGED_TEST_X",
        "TRIAGED_PORT_9464_TCP_ADDR",
        "TRIAGED_SERVICE_HOST",
    ],
)
def test_variables_that_are_no_settings_are_left_alone(path, variable):
    load(path, PASSWORD | {variable: "x"})


def test_a_variable_never_shows_the_secret_that_it_holds(path):
    assert "s3cret" not in mistake(path, {"TRIAGED_MAILBOX__0__IMAP__PASSWORT": "s3cret"})


def test_a_file_that_is_wrong_beneath_a_variable_is_a_mistake_and_no_crash(path):
    path.write_text('tracker = "x"\nmailbox = [1]\nteam = []\n')
    with pytest.raises(SettingsError) as caught:
        load(path, {"TRIAGED_TRACKER__URL": "x", "TRIAGED_MAILBOX__0__NAME": "x", "TRIAGED_TEAM__NOTIFY": "x"})
    assert len(caught.value.problems) == 6
