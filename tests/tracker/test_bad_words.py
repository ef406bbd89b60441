"""What a member or a researcher gets wrong on the way to a publication: said in words, and nothing of it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import MEMBER, key, mail
from tests.tracker.test_commanding import HOUSE, echo, name, says
from tests.tracker.test_reward_ledger import FREE
from tests.tracker.tracked import Tracked, open_tracker
from triaged.policy.terms import Bounds
from triaged.ticket.address import Role
from triaged.ticket.consent import Purpose
from triaged.tracker import consents
from triaged.tracker.engine import reading
from triaged.tracker.schema import advisory, consent, proposal, reward, ticket

BOUNDED = replace(FREE, reward=replace(FREE.reward, currency="EUR", bounds=(Bounds("high", 100, 5000),)))


@pytest.fixture
def house(engine: Engine) -> Tracked:
    tracked = open_tracker(engine, replace(HOUSE, policy=BOUNDED))
    tracked.receive(mail("Noa Adams <noa@example.org>", proven=True))
    tracked.send_all()
    says(tracked, "/assess accepted high")
    return tracked


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("/assess accepted cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:X", "CVSS"),
        ("/assess accepted low cwe CWE-9999999", "CWE"),
        ("/assess accepted low fix-by 2020-01-01", "past"),
        ("/disclose 2020-01-01", "past"),
        ("/extend 2020-01-01 we need more time", "not later"),
        ("/reward 5,001 EUR well written", "5,000"),
        ("/reward 99 EUR well written", "100"),
        ("/affects <b>Gateway</b>: before 2.3.1", "markup"),
        ("/advisory " + "x" * 201 + "\n\nWords.", "too long"),
        ("/cve CVE-26-1", "CVE-2026-12345"),
    ],
)
def test_what_a_member_gets_wrong_is_said_and_nothing_of_it_is_done(house: Tracked, words: str, why: str) -> None:
    before = [house.rows(table) for table in (ticket, reward, proposal, advisory)]
    says(house, f"{words}")
    said = " ".join(echo(house).split())
    assert "NOTHING of it was done" in said and why in said
    after = [house.rows(table) for table in (ticket, reward, proposal, advisory)]
    assert [len(rows) for rows in after] == [len(rows) for rows in before]
    kept = ("severity", "cvss", "cwe", "product", "agreed_for", "state")
    assert [getattr(after[0][0], one) for one in kept] == [getattr(before[0][0], one) for one in kept]


@pytest.mark.parametrize(
    "chosen",
    ["<script>alert(1)</script>", "x" * 4000, "https://evil.example/", "Google", "Dana Levi"],
)
def test_no_name_that_could_deceive_is_rendered(house: Tracked, chosen: str) -> None:
    house.receive(
        mail("Noa Adams <noa@example.org>", key(name(house), Role.RESEARCHER), proven=True, text=f"CREDIT AS {chosen}")
    )
    with reading(house.engine) as connection:
        for purpose in (Purpose.HALL, Purpose.ADVISORY):
            assert consents.names_for(connection, "default", purpose) == {}
    assert house.broken() == [] and MEMBER not in str(house.rows(consent))
