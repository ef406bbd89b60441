"""A member forwards to the mailbox a report that came to a wrong address, through real servers."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from tests.e2e.installation import Installation
from tests.servers.postfix import send

pytestmark = pytest.mark.timeout(300)

REMARK = "Came to info@ yesterday. They mean db7.corp.example.test."
REPORTED = "Opening https://app.example.test/login?next=%3Cscript%3E runs what stands in it, each time."


def forward(house: Installation) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = house.member, house.address, "Fwd: XSS in login"
    message["Message-ID"] = make_msgid(domain="example.test")
    head = f"---------- Forwarded message ---------\nFrom: Noa Barak <{house.researcher}>\n"
    head += "Date: Fri, 20 Nov 2026 at 09:00\nSubject: XSS in login\nTo: <info@example.test>\n\n"
    message.set_content(f"{REMARK}\n\n{head}{REPORTED}\n")
    return bytes(message)


def test_a_forwarded_report_is_its_senders_and_waits_for_a_member(house: Installation) -> None:
    send(house.mx_port, forward(house), house.member, (house.address,))
    house.dovecot.wait_for(house.address)
    house.once()
    [ticket] = house.tickets()
    assert ticket["reporter"]["address"] == house.researcher and not ticket["reporter"]["proven"]
    shown = house.read("ticket", "show", ticket["ref"])
    assert shown["forwarded_by"] == "Dana Levi"
    [told] = house.got(house.team)
    assert "has not been answered" in " ".join(str(told.get_content()).split())
    house.once()
    assert house.inbox(house.researcher) == []
    assert {x["audience"] for x in house.letters()} == {"team"}
    house.audit()
