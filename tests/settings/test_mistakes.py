"""Every mistake in the configuration is said at once, each naming file, key and mend, and no secret is shown."""

import re
from pathlib import Path

import pytest

from triaged.settings.load import SettingsError, load

POLICY = """
[policy]
organisation = "Example"
prefix = "EX"
contact = "security@example.test"
version = "1"
[calendar]
zone = "UTC"
country = "NL"
"""
MAILBOX = """
[[mailbox]]
name = "security"
address = "security@example.test"
policy = "policy.toml"
"""
PSIRT = MAILBOX.replace('"security"', '"psirt"').replace("security@", "psirt@")
IMAP = """
[mailbox.imap]
host = "127.0.0.1"
security = "none"
username = "security"
password = "hunter2"
"""
SMTP = """
[mailbox.smtp]
host = "127.0.0.1"
security = "none"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.toml").write_text(POLICY)
    return tmp_path


def mistakes(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    (folder / "triaged.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(folder / "triaged.toml", environ or {})
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def loads(folder: Path, text: str, environ: dict[str, str] | None = None):
    (folder / "triaged.toml").write_text(text)
    return load(folder / "triaged.toml", environ or {})


def test_a_mailbox_alone_is_a_configuration(folder):
    settings = loads(folder, MAILBOX)
    assert settings.tracker.url == f"sqlite:///{folder}/triaged.db"
    assert settings.tenants[0].name == "default"


SINGLE = {
    "unknown key": (
        MAILBOX + "adress = 1\n",
        'mailbox.security..adress: is not a key of this table.*did you mean "address"',
    ),
    "unknown table": ("[trackers]\n" + MAILBOX, 'trackers: is not a key.*did you mean "tracker"'),
    "wrong type": (MAILBOX + "plus_addressing = 1\n", "plus_addressing: must be true or false"),
    "number in quotes": (
        MAILBOX + IMAP + 'port = "143"\n',
        "imap.port: must be a whole number from 1 to 65535, without quotes",
    ),
    "port out of range": (MAILBOX + IMAP + "port = 70000\n", "imap.port: must be a whole number from 1 to 65535"),
    "negative limit": ("[limits]\nparts = -1\n" + MAILBOX, "limits.parts: must be a whole number from 1"),
    "unknown word": (MAILBOX + IMAP.replace('"none"', '"tsl"'), 'security: must be one of.*did you mean "tls"'),
    "missing": (MAILBOX.replace('name = "security"', ""), "mailbox.0..name: is missing: write name = "),
    "no mailbox": ("", "mailbox: is missing: write ..mailbox.."),
    "single brackets": (
        MAILBOX.replace("[[mailbox]]", "[mailbox]"),
        "mailbox: must be an array of tables: write ..mailbox",
    ),
    "double brackets": ("[[tracker]]\n" + MAILBOX, "tracker: must be a table: write .tracker."),
    "bad address": (
        MAILBOX.replace("security@example.test", "security at example"),
        "address: must be an e-mail address",
    ),
    "placeholder": (
        MAILBOX.replace("security@example.test", "[email protected]"),
        "address: is a web page's placeholder",
    ),
    "text too long": (
        MAILBOX + IMAP.replace('= "security"', '= "' + "x" * 1001 + '"'),
        "imap.username: .* at most 1000",
    ),
    "blank folder": (MAILBOX + IMAP + 'sent_folder = " "\n', "imap.sent_folder: must not be empty"),
    "no folder": (MAILBOX + IMAP + "folders = []\n", "imap.folders: must be a list of a folder name, with 1 to"),
    "folder twice": (MAILBOX + IMAP + 'folders = ["INBOX", "INBOX"]\n', 'imap.folders: names "INBOX" twice'),
    "sent is watched": (MAILBOX + IMAP + 'sent_folder = "inbox"\n', "imap.sent_folder: is one of folders"),
    "sent is watched by another": (
        MAILBOX
        + IMAP
        + 'sent_folder = "Sent"\n'
        + MAILBOX.replace('"security"', '"psirt"').replace("security@", "psirt@")
        + IMAP
        + 'folders = ["Sent"]\n',
        "imap.sent_folder: is one of folders of another mailbox",
    ),
    "clear text": (
        MAILBOX + IMAP.replace("127.0.0.1", "imap.example.org"),
        'imap.security: "none" would send mail and password in the clear to "imap.example.org": write "tls"',
    ),
    "unknown tenant": (MAILBOX + 'tenant = "acme"\n', 'tenant: "acme" is no tenant: write ..tenant'),
    "tenant default again": (
        '[[tenant]]\nname = "default"\n' + MAILBOX,
        'tenant.default..name: "default" is the name of two',
    ),
    "mailbox name twice": (
        MAILBOX + MAILBOX.replace("security@", "psirt@"),
        'mailbox.security..name: "security" is the name of two mailboxes',
    ),
    "mailbox address twice": (
        MAILBOX + MAILBOX.replace('"security"', '"psirt"').replace("security@e", "Security@E"),
        'address: "security@example.test" is the address of two mailboxes',
    ),
    "account watched twice": (
        MAILBOX + IMAP + MAILBOX.replace('"security"', '"psirt"').replace("security@", "psirt@") + IMAP,
        'mailbox.psirt..imap.folders: "INBOX" of this account is watched twice',
    ),
    "notify is a mailbox": (
        '[team]\nnotify = ["security+team@EXAMPLE.test"]\n' + MAILBOX,
        "team.notify: .* is a mailbox of this configuration, so it would be a loop",
    ),
    "member is a mailbox": (
        '[team]\n[[team.member]]\nname = "Dana"\naddress = "security@example.test"\n' + MAILBOX,
        "team.member.Dana..address: .* is a mailbox of this configuration",
    ),
    "alarm is a mailbox": (
        '[ops]\nalarm = ["security@example.test"]\n' + MAILBOX,
        "ops.alarm: .* is a mailbox of this",
    ),
    "member twice": (
        '[[team.member]]\nname = "D"\naddress = "d@e.test"\n[[team.member]]\nname = "d"\naddress = "f@e.test"\n'
        + MAILBOX,
        'team.member.d..name: "d" is the name of two members',
    ),
    "no room for keys (TH-7)": (
        MAILBOX.replace("security@example.test", "s" * 37 + "@example.test"),
        "address: leaves no room for reply keys: at most 36 characters",
    ),
    "plus in a plus address": (
        MAILBOX.replace("security@example.test", "a+b@example.test"),
        "address: has a . of its own",
    ),
    "keyed without plus (AR-15)": (
        MAILBOX + "plus_addressing = false\n" + SMTP + 'envelope = "keyed"\n',
        'smtp.envelope: "keyed" needs plus-addressing',
    ),
    "user without password": (MAILBOX + SMTP + 'username = "x"\n', "smtp.password: is missing"),
    "password without user": (MAILBOX + SMTP + 'password = "hunter2"\n', "smtp.username: is missing"),
    "string and table": (
        MAILBOX + IMAP.replace('"hunter2"', '{ env = "A", file = "b" }'),
        "imap.password: must be a secret: text in quotes, . env = .NAME. . or . file = .PATH. ., exactly one",
    ),
    "secret not set": (
        MAILBOX + IMAP.replace('"hunter2"', '{ env = "NOPE" }'),
        "password: the environment variable NOPE is not set",
    ),
    "secret of two lines": (
        MAILBOX + IMAP.replace('"hunter2"', '"hunter2\\r\\nA1 LOGOUT"'),
        "password: the secret holds more than one",
    ),
    "secret file absent": (
        MAILBOX + IMAP.replace('"hunter2"', '{ file = "nope" }'),
        "nope can't be read .no such file",
    ),
    "secret file is a folder": (MAILBOX + IMAP.replace('"hunter2"', '{ file = "." }'), "can't be read .is a directory"),
    "policy absent": (MAILBOX.replace("policy.toml", "nope.toml"), "mailbox.security..policy: nope.toml is no file"),
    "policy name too long": (MAILBOX.replace("policy.toml", "n" * 999), "policy: n+ is no file"),
    "business days of history": (
        MAILBOX + 'history = "7 business days"\n',
        'history: must be a period such as "7 days"',
    ),
    "bad time": ('[team]\nboard_at = "25:00"\n' + MAILBOX, "team.board_at: must be a time of day"),
    "bad listen": ('[http]\nlisten = "9464"\n' + MAILBOX, "http.listen: must be host:port"),
    "database in memory": ('[tracker]\nurl = "sqlite://"\n' + MAILBOX, "tracker.url: must name a file"),
    "unknown database": (
        '[tracker]\nurl = "mysql://root:hunter2@h/x"\n' + MAILBOX,
        "tracker.url: must be a URL such as",
    ),
    "limits out of order": (
        "[limits]\nheader_bytes = 300000\n" + MAILBOX,
        "limits.header_bytes: is over limits.header_block",
    ),
    "literal too small": (
        "[limits]\nimap_literal_bytes = 1000\n" + MAILBOX,
        "limits.message_bytes: is over limits.imap_lit",
    ),
}


@pytest.mark.parametrize("case", SINGLE)
def test_a_mistake_is_one_sentence_with_file_key_and_mend(folder, case):
    text, wanted = SINGLE[case]
    (found,) = mistakes(folder, text)
    assert found.startswith(("triaged.toml: ", "environment variable"))
    assert re.search(wanted, found), found
    assert "hunter2" not in found


def test_all_mistakes_are_said_at_once(folder):
    (folder / "policy.toml").write_text(POLICY.replace('"UTC"', '"Europe/Nowhere"').replace('"EX"', '"ex"'))
    found = mistakes(
        folder,
        '[tracker]\nurl = 5\n[http]\nlitsen = ""\n'
        + MAILBOX
        + 'tenant = "acme"\n'
        + IMAP
        + "port = 0\n[limits]\nparts = 0\n",
        {"TRIAGED_LIMITS__DEPHT": "3", "TRIAGED_OPS__UNSWEPT_MINUTES": "soon"},
    )
    text = "\n".join(found)
    assert len(found) == 9, text
    for part in ("tracker.url", "litsen", "acme", "imap.port", "limits.parts", "DEPHT", "UNSWEPT", "prefix", "zone"):
        assert part in text, part


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (b"[tracker", "is not TOML"),
        (b"x = '\xff'", "is not TOML in UTF-8 .at octet 5."),
        (b"x = " + b"9" * 5000, "is not TOML"),
        (b"x = " + b"[" * 100_000, "nested too deep|is not TOML"),
        (b"#" * (2 << 20), "is larger than 1 MiB"),
        (b"\0", "is not TOML"),
    ],
    ids=["syntax", "not utf-8", "number of 5000 digits", "deep", "huge", "nul"],
)
def test_a_file_that_is_no_toml_is_a_sentence(folder, octets, wanted):
    (folder / "triaged.toml").write_bytes(octets)
    with pytest.raises(SettingsError, match=wanted):
        load(folder / "triaged.toml", {})


def test_a_file_that_is_not_there_is_a_sentence(folder):
    with pytest.raises(SettingsError, match=r"can't be read \(no such file or directory\): run `triaged init`"):
        load(folder / "nope.toml", {})


def test_an_unknown_key_that_holds_a_secret_does_not_show_it(folder):
    (found,) = mistakes(folder, MAILBOX + IMAP + 'pasword = "correct horse"\n')
    assert "correct horse" not in found


def test_a_secret_of_the_wrong_type_is_not_shown(folder):
    (found,) = mistakes(folder, MAILBOX + IMAP.replace('"hunter2"', "421337421337"))
    assert "421337" not in found


def test_one_version_of_a_policy_with_two_texts_is_refused(folder):
    (folder / "other").mkdir()
    (folder / "other" / "policy.toml").write_text(POLICY + "\n# another text\n")
    second = MAILBOX.replace('"security"', '"psirt"').replace("security@", "psirt@")
    (found,) = mistakes(folder, MAILBOX + second.replace('"policy.toml"', '"other/policy.toml"'))
    assert "policy.version: is version 1 of policy and so is" in found


def test_a_policy_that_two_mailboxes_name_is_complained_of_once(folder):
    (folder / "policy.toml").write_text(POLICY.replace('"UTC"', '"Europe/Nowhere"'))
    second = MAILBOX.replace('"security"', '"psirt"').replace("security@", "psirt@")
    (found,) = mistakes(folder, MAILBOX + second)
    assert found.startswith("policy.toml: calendar.zone: ")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "mail.localhost"])
def test_loopback_hosts_may_do_without_tls(folder, host):
    settings = loads(folder, MAILBOX + IMAP.replace("127.0.0.1", host))
    assert settings.mailboxes[0].imap.host == host.strip("[]")


def test_a_host_elsewhere_without_tls_must_be_meant(folder):
    text = MAILBOX + IMAP.replace("127.0.0.1", "imap.example.org").replace('"none"', '"none-insecure"')
    assert loads(folder, text).mailboxes[0].imap.security == "none-insecure"


@pytest.mark.parametrize(("security", "imap", "smtp"), [("tls", 993, 465), ("starttls", 143, 587), ("none", 143, 25)])
def test_the_port_follows_the_security_where_none_is_named(folder, security, imap, smtp):
    text = MAILBOX + IMAP.replace('"none"', f'"{security}"') + SMTP.replace('"none"', f'"{security}"')
    (mailbox,) = loads(folder, text).mailboxes
    assert (mailbox.imap.port, mailbox.smtp.port) == (imap, smtp)


def test_bounces_come_to_the_address_where_there_is_no_plus_addressing(folder):
    assert loads(folder, MAILBOX + "plus_addressing = false\n" + SMTP).mailboxes[0].smtp.envelope == "address"


def test_an_empty_key_file_is_as_good_as_none(folder):
    (folder / "address.key").touch()
    assert loads(folder, '[keys]\naddress = { file = "address.key" }\n' + MAILBOX).keys.address is None


def test_a_key_file_that_may_not_be_read_is_a_mistake(folder):
    (folder / "address.key").mkdir()
    (found,) = mistakes(folder, '[keys]\naddress = { file = "address.key" }\n' + MAILBOX)
    assert "keys.address: address.key can't be read (is a directory)" in found


def test_two_plus_address_variants_of_a_team_address_are_fine(folder):
    text = '[team]\nnotify = ["team+a@example.test", "team+b@example.test"]\n' + MAILBOX
    assert len(loads(folder, text).tenant("default").team.notify) == 2


def test_the_second_server_of_ops_is_held_to_what_the_others_are(folder):
    smtp = '[ops.smtp]\nhost = "mail.example.org"\nsecurity = "none"\nusername = "ops"\nenvelope = "keyed"\n'
    said = mistakes(folder, MAILBOX + smtp)
    assert any("ops.smtp.security" in line and "in the clear" in line for line in said)
    assert any("ops.smtp.password" in line and "is missing" in line for line in said)
    assert any("ops.smtp.envelope" in line for line in said)


def test_the_second_server_of_ops_has_its_secret_where_it_says(folder):
    smtp = '[ops.smtp]\nhost = "mail.example.org"\nusername = "ops"\npassword = { env = "OPS" }\n'
    found = loads(folder, MAILBOX + smtp, {"OPS": "hunter3"}).ops.smtp
    assert found is not None and found.password is not None
    assert (found.password.reveal(), found.port, found.envelope) == ("hunter3", 465, "address")
    assert loads(folder, MAILBOX).ops.smtp is None
