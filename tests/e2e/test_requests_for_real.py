"""A researcher whom nothing proves asks in one line, confirms, and is named; who only claims to be them gets nothing."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import pytest

from tests.conftest import installed
from tests.e2e.installation import Installation, parsed, report
from tests.servers import mutt

pytestmark = pytest.mark.timeout(300)

NAME = "Zebra Quagga"


@pytest.fixture(autouse=True)
def clients() -> None:
    installed("mutt", mutt.MEND)


def words(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def reply(house: Installation, raw: bytes, text: str) -> None:
    """As the researcher does with mutt, above its quote of the letter; then a pass of the program."""
    before = len(house.inbox(house.address))
    mutt.reply(raw, text, f"Wombat <{house.stranger}>", house.mx_port)
    house.dovecot.wait_for(house.address, before + 1)
    house.once()


def credit(house: Installation) -> Any:
    [ticket] = house.tickets()
    return ticket["credit"]


def test_an_unproven_researcher_is_named_after_a_confirming_reply_and_a_stranger_hears_nothing(
    house: Installation,
) -> None:
    house.deliver(report(house.stranger, house.address), house.stranger)
    house.once()
    reply(house, house.inbox(house.stranger)[0], f"CREDIT AS {NAME}")
    asks = parsed(house.inbox(house.stranger)[1])
    a_letter_says_how_to_confirm(asks)
    assert credit(house) == {}
    a_strangers_request_gets_nothing(house, str(asks["Reply-To"]))
    a_forgers_request_gets_nothing(house)
    code = re.search(r"^  (CONFIRM \S+)$", words(asks), re.MULTILINE)
    assert code
    reply(house, house.inbox(house.stranger)[1], code[1])
    given = credit(house)
    assert (given["name"], given["anonymous"], given["pending"]) == (NAME, False, False)
    assert {p["purpose"]: p["state"] for p in given["purposes"]} == {"hall": "given", "advisory": "given"}
    reply(house, house.inbox(house.stranger)[2], "Status.")
    answer = house.inbox(house.stranger)[3]
    assert "It is received, not assessed yet." in words(parsed(answer))
    nothing_that_was_written_comes_back(house)
    the_team_read_of_it_all(house)
    assert len(house.tickets()) == 1
    house.audit()


def a_letter_says_how_to_confirm(message: EmailMessage) -> None:
    assert message["Auto-Submitted"] == "auto-replied"
    assert "asks\nthat its owner be named for it." in words(message)


def a_strangers_request_gets_nothing(house: Installation, keyed: str) -> None:
    """TH-2: at the ticket's own key, proven to be somebody else."""
    house.mail_to_key(keyed, report(house.researcher, keyed, body="STATUS\n\nQuagga"))
    house.once()
    assert house.inbox(house.researcher) == []
    assert house.receipts()[0]["outcome"] == "held"


def a_forgers_request_gets_nothing(house: Installation) -> None:
    """Law 5: in the researcher's name, naming the researcher's own report, without a letter of ours."""
    before = len(house.inbox(house.stranger))
    named = str(parsed(house.inbox(house.address)[0])["Message-ID"])
    house.deliver(report(house.stranger, house.address, body="STATUS\n\nokapi", In_Reply_To=named), house.stranger)
    house.once()
    assert len(house.inbox(house.stranger)) == before
    assert house.receipts()[0]["outcome"] == "appended"


def nothing_that_was_written_comes_back(house: Installation) -> None:
    """P2: the four letters to an address that never proved itself."""
    letters = house.inbox(house.stranger)
    assert len(letters) == 4
    for raw, word in ((raw, word) for raw in letters for word in (b"zebra", b"quagga", b"okapi", b"wombat")):
        assert word not in raw.lower()
        assert house.team.encode() not in raw and house.member.encode() not in raw


def the_team_read_of_it_all(house: Installation) -> None:
    told = [" ".join(words(parsed(raw)).split()) for raw in house.inbox(house.team)]
    assert any(f"Request: CREDIT AS {NAME}: NOT done yet" in text for text in told)
    assert any(f"Request: CREDIT AS: to be named as {NAME}" in text for text in told)
    assert any("Request: STATUS: NOT done: nothing proves the sender" in text for text in told)
    assert any("Request: STATUS: answered" in text for text in told)
    assert any("HELD" in text for text in told)
