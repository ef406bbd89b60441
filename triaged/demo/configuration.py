"""The configuration that the daemon runs with on the embedded server: text only, nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Mapping

from triaged.demo.mailboxes import PASSWORD
from triaged.demo.server import HOST
from triaged.demo.trace import AUTHSERV_ID
from triaged.resources import starter_policies

MAILBOX = "security@example.test"
TEAM = "security-team@example.test"
MEMBER = "dana@example.test"

_HEAD = """\
# {remark}
[tracker]
url = "sqlite:///triaged.db"

"""

_MAILBOX = """\
[[mailbox]]
name = {name}
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

"""

_TAIL = """\
[authenticity]
trusted_authserv_ids = [{authserv_id}]

[team]
notify = [{team}]
{team_keys}
[[team.member]]
name = "Dana Levi"
address = {member}
role = "triager"
{member_keys}
[http]
listen = ""
"""


def configuration(smtp_port: int, imap_port: int) -> str:
    """triaged.toml for the embedded server on these ports; the tracker's file lies beside it."""
    # Who tries it wants to see an answer arrive, and has time to take one back.
    remark = "Written again at each `make run`. `triaged init` writes one to keep."
    mailbox = _mailbox("security", MAILBOX, "ims-network", smtp_port, imap_port)
    return _HEAD.format(remark=remark) + mailbox + _tail("undo_seconds = 20\n", "")


def story_configuration(mailboxes: Mapping[str, str], smtp_port: int, imap_port: int) -> str:
    """The same with a mailbox for each policy that ships: name of the policy -> address."""
    blocks = [_mailbox(name, address, name, smtp_port, imap_port) for name, address in mailboxes.items()]
    # The member reads the team's mailbox: nobody wants to be told the story twice.
    remark = "Written by `triaged demo`. Its mail server is gone; what reads the tracker alone works."
    return _HEAD.format(remark=remark) + "".join(blocks) + _tail('board_at = "23:59"\n', 'notify = "mine"\n')


def _mailbox(name: str, address: str, policy: str, smtp_port: int, imap_port: int) -> str:
    texts = {
        "name": name,
        "mailbox": address,
        "policy": str(starter_policies() / f"{policy}.toml"),
        "host": HOST,
        "password": PASSWORD,
    }
    return _MAILBOX.format(smtp_port=smtp_port, imap_port=imap_port, **_quoted(texts))


def _tail(team_keys: str, member_keys: str) -> str:
    known = {"team_keys": team_keys, "member_keys": member_keys}
    return _TAIL.format(**known, **_quoted({"authserv_id": AUTHSERV_ID, "team": TEAM, "member": MEMBER}))


def _quoted(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: json.dumps(text) for name, text in texts.items()}  # a JSON string is a TOML basic string
