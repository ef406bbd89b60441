"""Machines that answer us: a mail server that bounces, robots that reply to every letter."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from tests.e2e.installation import Installation, parsed, report, until
from tests.servers.postfix import Postfix

pytestmark = pytest.mark.timeout(300)

VERDICT = b"Authentication-Results: mx.example.test; dmarc=pass header.from=%s\r\n"


def acknowledge(house: Installation, ref: str) -> dict[str, object]:
    clocks: list[dict[str, object]] = house.ticket(ref)["clocks"]
    return next(clock for clock in clocks if clock["promise"] == "acknowledge")


def test_a_bounced_acknowledgement_opens_its_promise_again_and_the_team_is_told(
    house: Installation, postfix: Postfix
) -> None:
    """NT-1, NT-2, SM-10: Postfix accepts the letter, Dovecot does not know the address, Postfix reports it."""
    house.write(smtp_port=postfix.submission_port)
    nobody = f"noa{{{house.name}}}@proven.test"
    house.deliver(report(nobody, house.address), nobody)
    house.once()
    [ticket] = house.tickets()
    assert acknowledge(house, ticket["ref"])["met_at"] is not None
    until(lambda: len(house.inbox(house.address)) == 2, what="the delivery report comes to the keyed address")
    assert b".b." in house.inbox(house.address)[1].split(b"\r\n\r\n")[0]
    house.once()
    assert acknowledge(house, ticket["ref"])["met_at"] is None
    told = house.got(house.team, 2)[1]
    assert "did not arrive" in told.get_content()
    assert "acknowledge" in told.get_content()
    assert [e["kind"] for e in house.ticket(ticket["ref"])["events"]][-2:] == ["undelivered", "reopened"]
    [letter] = [x for x in house.letters() if x["to"] == nobody]
    assert letter["undelivered_at"] is not None
    assert len(house.tickets()) == 1
    house.audit()


def test_a_refused_acknowledgement_stays_the_teams_work(house: Installation) -> None:
    """SM-4: a 550 at once."""
    nobody = f"unknown.{house.researcher}"
    house.deliver(report(nobody, house.address), nobody)
    assert house.command("run", "--once").returncode == 1
    house.once()
    [ticket] = house.tickets()
    assert acknowledge(house, ticket["ref"])["met_at"] is None
    told = [letter.get_content() for letter in house.got(house.team, 2)]
    assert any("did not arrive" in text and "550" in text for text in told)
    house.audit()


def test_a_forged_delivery_report_takes_no_promise_back(house: Installation) -> None:
    """NT-1: it names our letter, but did not come to the letter's own address."""
    house.deliver(report(house.researcher, house.address), house.researcher)
    house.once()
    [ticket] = house.tickets()
    [letter] = [x for x in house.letters() if x["to"] == house.researcher]
    house.deliver(DSN.format(to=house.address, about=house.researcher, id=letter["message_id"]).encode())
    house.once()
    assert acknowledge(house, ticket["ref"])["met_at"] is not None
    assert len(house.inbox(house.researcher)) == 1
    house.audit()


DSN = """\
From: MAILER-DAEMON@example.test\r
To: {to}\r
Subject: Undelivered Mail Returned to Sender\r
Message-ID: <forged@example.test>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.test\r
\r
Final-Recipient: rfc822; {about}\r
Action: failed\r
Status: 5.1.1\r
\r
--b\r
Content-Type: message/rfc822\r
\r
Message-ID: {id}\r
Subject: Re: XSS\r
\r
--b--\r
"""


def away(_letter: EmailMessage) -> str:
    return "I am not in the office and will read your mail when I am back on Monday."


def numbered(_letter: EmailMessage) -> str:
    return f"Your request was filed under the number {uuid.uuid4().hex} and a colleague will answer it soon."


def quoting(letter: EmailMessage) -> str:
    words = letter.get_body(("plain",)) or letter
    quoted = "\n".join(f"> {line}" for line in str(words.get_content()).splitlines())
    return f"Thank you for your mail, which reads as follows.\n\n{quoted}\n"


ROBOTS = {"away": away, "numbered": numbered, "quoting": quoting}


@pytest.mark.parametrize(
    ("robot", "to", "proven"),
    [
        ("away", "From", True),
        ("numbered", "From", True),
        ("quoting", "From", True),
        ("numbered", "Reply-To", True),
        ("numbered", "From", False),
    ],
)
def test_a_robot_that_says_nothing_of_itself_gets_two_letters_at_most(
    small_house: Installation, robot: str, to: str, proven: bool
) -> None:
    """AR-11: it answers each letter at once, with neither Auto-Submitted nor In-Reply-To."""
    house = small_house
    address = house.researcher if proven else house.stranger
    send_as(house, report(address, house.address), house.address, address, proven)
    answered = 0
    for _ in range(4):
        house.once()
        for raw in house.inbox(address)[answered:]:
            answered += 1
            answer_as(ROBOTS[robot], parsed(raw), to, house, address, proven)
    assert 1 <= answered <= 2, f"{answered} letters"
    house.audit()


def answer_as(
    robot: Callable[[EmailMessage], str], letter: EmailMessage, to: str, house: Installation, address: str, proven: bool
) -> None:
    target = parseaddr(str(letter[to]))[1]
    answer = report(address, target, f"Re: {letter['Subject']}", robot(letter))
    send_as(house, answer, target, address, proven)


def send_as(house: Installation, raw: bytes, to: str, sender: str, proven: bool) -> None:
    verdict = VERDICT % sender.rpartition("@")[2].encode() if proven else b""
    house.dovecot.deliver(verdict + raw, to, sender)
