"""Two tenants in one installation, by mail: a member of one is a stranger to the other, whatever keys and letters they hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.attacks import TEAM_KEY
from tests.e2e.installation import POLICY, Installation, parsed, report
from tests.e2e.watched import Mail, Watch
from tests.servers.imap import PASSWORD
from triaged.ticket.reference import token_of

pytestmark = pytest.mark.timeout(300)

OTHER = """
[[mailbox]]
name = "other"
tenant = "other"
address = {address}
policy = {policy}

[mailbox.imap]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = {address}
password = {password}

[mailbox.smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
username = {address}
password = {password}

[[tenant]]
name = "other"

[tenant.authenticity]
trusted_authserv_ids = ["mx.example.test"]

[tenant.team]
notify = [{team}]
undo_seconds = 0

[[tenant.team.member]]
name = "Uri Sela"
address = {member}
notify = "board"
"""


def with_another_tenant(house: Installation, address: str, team: str, member: str) -> None:
    values = {"address": address, "team": team, "member": member, "policy": str(POLICY), "password": PASSWORD}
    ports = {name: house.values[name] for name in ("imap_port", "smtp_port")}
    with Path(house.config).open("a") as config:
        config.write(OTHER.format(**ports, **{name: json.dumps(value) for name, value in values.items()}))


def test_a_member_of_one_tenant_is_a_stranger_to_the_other(small_house: Installation) -> None:
    """The same researcher has a ticket with both; Dana is of the first team, Uri of the second."""
    house = small_house
    there, team, uri = (f"{who}.{house.name}@example.test" for who in ("other", "others", "uri"))
    with_another_tenant(house, there, team, uri)
    watch = Watch(house)
    reports = [Mail(report(house.researcher, to), house.researcher, to) for to in (house.address, there)]
    watch.pass_of(reports)
    seen = watch.seen()
    ours, theirs = (
        next(one for one in seen if one.mailbox == box and one.template == "relay") for box in (house.team, team)
    )
    keys = [str(parsed(theirs.raw)["Reply-To"].addresses[0].addr_spec), TEAM_KEY.findall(theirs.text)[0]]
    crossed = TEAM_KEY.findall(ours.text)[0].replace(house.address.partition("@")[0], there.partition("@")[0])
    crossed = crossed.replace("ims-network.net", "example.test")
    named = {"In_Reply_To": theirs.message_id, "References": theirs.message_id}
    mails = [Mail(report(house.member, to, "Re: it", f"/close\n\n{to}"), house.member, to) for to in (*keys, crossed)]
    mails.append(Mail(report(house.member, there, "Re: it", "/add eve@evil.test", **named), house.member, there))
    mails.append(Mail(report(house.member, house.address, "Re: it", "/close", **named), house.member, house.address))
    watch.pass_of(mails)
    new = [one for one in watch.seen() if one not in seen]
    took = watch.took()
    outcomes = [took[str(parsed(mail.raw)["Message-ID"])][-1].outcome for mail in mails]
    assert outcomes == ["held", "held", "ticket", "ticket", "ticket"]
    assert {one["ref"]: one["state"] for one in house.tickets()}[theirs.ref] == "received"
    assert {one["ref"]: one["state"] for one in house.tickets()}[ours.ref] == "received"
    assert not [one for one in new if one.mailbox in (house.researcher, uri) or "eve" in one.mailbox]
    # What goes to one team names nothing of the other's but what its own mail said.
    for one in new:
        other = theirs.ref if one.mailbox == house.team else ours.ref
        assert other not in one.plain and (token_of(other) or "-") not in one.plain.replace(crossed, ""), one.mailbox
    watch.pass_of([Mail(report(uri, keys[1], "Re: it", "/close"), uri, keys[1])])
    assert {one["ref"]: one["state"] for one in house.tickets()}[theirs.ref] == "closed"
    assert {one["ref"]: one["state"] for one in house.tickets()}[ours.ref] == "received"
