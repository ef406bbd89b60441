"""A member's note with Cc, through Postfix and Dovecot: kept once, and in each mailbox once."""

from __future__ import annotations

import re

import pytest

from tests.conftest import installed
from tests.e2e.installation import Installation, parsed, report, until
from tests.servers import swaks

pytestmark = pytest.mark.timeout(300)

COLLEAGUE = """
[[team.member]]
name = "Sam Okoro"
address = "{address}"
role = "lead"
"""
WORDS = "I have it: the fix is in review."
FOOTER = "\r\n_______________\r\nTo leave this list, write to team-leave@example.test"


@pytest.fixture(autouse=True)
def client() -> None:
    installed("swaks", swaks.MEND)


def test_a_note_with_a_copy_to_colleagues_is_kept_once_and_nobody_gets_it_twice(house: Installation) -> None:
    sam = f"sam.{house.name}@example.test"
    with house.config.open("a") as file:
        file.write(COLLEAGUE.format(address=sam))
    with house.running():
        house.deliver(report(house.researcher, house.address), house.researcher)
        told = house.got(house.team)[0]
        (own,) = house.got(sam)
        assert told["Subject"] == own["Subject"] and told["Message-ID"] != own["Message-ID"]
        (key,) = re.findall(r"To write to the team only: (\S+)", told.get_content())
        fields = ("--h-To", key, "--h-Cc", f"The team <{house.team}>", "--header", f"In-Reply-To: {told['Message-ID']}")
        subject = f"Re: {told['Subject']}"
        swaks.send(house.mx_port, house.member, f"{key},{house.team}", *fields, subject=subject, body=WORDS)
        note = house.got(sam, 2)[1]
        assert note["Subject"] == subject and own["Message-ID"] in note["References"]
        assert "Dana Levi wrote a note on IMS-" in note.get_content() and f"> {WORDS}" in note.get_content()
        direct = house.inbox(house.team)[1]
        assert parsed(direct)["Cc"], "the team's address has it from Dana"
        house.deliver(direct, house.member)  # the list that the team's address is has us among its readers
        changed = direct.replace(WORDS.encode(), (WORDS + FOOTER).encode()).replace(
            b"Subject: Re:", b"Subject: [team] Re:"
        )
        house.deliver(b"List-Id: <team.example.test>\r\n" + changed, house.member)
        until(lambda: len([r for r in house.receipts() if r["outcome"] != "waiting"]) == 4)
        until(lambda: {x["state"] for x in house.letters()} == {"accepted"})
    outcomes = sorted((r["outcome"], r["reason"][:12]) for r in house.receipts())
    assert [outcome for outcome, _ in outcomes] == ["appended", "copy", "filed", "ticket"]
    assert outcomes[2] == ("filed", "kept already")
    mailboxes = {address: len(house.inbox(address)) for address in (house.team, sam, house.member, house.researcher)}
    assert mailboxes == {house.team: 2, sam: 2, house.member: 0, house.researcher: 1}
    assert not any(WORDS.encode() in raw for raw in house.inbox(house.researcher)), "law 7"
    house.audit()
