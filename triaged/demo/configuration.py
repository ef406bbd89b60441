"""The configuration that the daemon runs with on the embedded server: text only, nothing is written here."""

from __future__ import annotations

import json

from triaged.demo.mailboxes import PASSWORD
from triaged.demo.server import HOST
from triaged.demo.trace import AUTHSERV_ID
from triaged.resources import starter_policies

MAILBOX = "security@example.test"
TEAM = "security-team@example.test"
MEMBER = "dana@example.test"

_TEMPLATE = """\
# Written again at each `make run`. `triaged init` writes one to keep.
[tracker]
url = "sqlite:///triaged.db"

[[mailbox]]
name = "security"
tenant = "default"
address = {mailbox}
policy = {policy}
plus_addressing = true
acknowledge_unproven = "minimal"

[mailbox.imap]
host = {host}
port = {imap_port}
security = "none"
username = {mailbox}
password = {password}
folders = ["INBOX", "Junk"]
poll_seconds = 10

[mailbox.smtp]
host = {host}
port = {smtp_port}
security = "none"
username = {mailbox}
password = {password}
envelope = "keyed"

[authenticity]
trusted_authserv_ids = [{authserv_id}]

[team]
notify = [{team}]

[[team.member]]
name = "Dana Levi"
address = {member}
role = "triager"

[http]
listen = ""
"""


def configuration(smtp_port: int, imap_port: int) -> str:
    """triaged.toml for the embedded server on these ports; the tracker's file lies beside it."""
    texts = {
        "host": HOST,
        "mailbox": MAILBOX,
        "password": PASSWORD,
        "authserv_id": AUTHSERV_ID,
        "team": TEAM,
        "member": MEMBER,
        "policy": str(starter_policies() / "ims-network.toml"),
    }
    quoted = {name: json.dumps(text) for name, text in texts.items()}  # a JSON string is a TOML basic string
    return _TEMPLATE.format(smtp_port=smtp_port, imap_port=imap_port, **quoted)
