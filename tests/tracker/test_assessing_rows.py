"""An assessment in the rows of both databases: what is kept of it, what is owed after it, and which letters may go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import MEMBER, POLICIES, POLICY, RESEARCHER, key, mail
from tests.tracker.test_commanding import HOUSE, UNDO, echo, name, says
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.policy.load import load_policy
from triaged.ticket.address import Role
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, event, letter, ticket
from triaged.tracker.showing import one_ticket

LONG = "/affects Gateway appliance with the new firmware: from 2.0 up to and with 2.3.1, and 3.0 to 3.0.4"


def opened(engine: Engine, policy: str) -> Tracked:
    """A proven report under one of the shipped policies, acknowledged."""
    tracked = open_tracker(engine, replace(HOUSE, policy=load_policy(POLICIES / f"{policy}.toml")))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    return tracked


@pytest.fixture
def house(engine: Engine) -> Tracked:
    return opened(engine, "ims-network")


@pytest.fixture
def dated(engine: Engine) -> Tracked:
    """Under the policy that promises an expected date for a solution too."""
    return opened(engine, "responsible-disclosure")


def sent(tracked: Tracked) -> None:
    """The undo time passes, and the server takes what waits."""
    tracked.later(seconds=UNDO.seconds)
    tracked.send_all()


def assess_is_met(tracked: Tracked) -> bool:
    return bool([row.met_at for row in tracked.rows(clock, promise="assess")][-1])


def test_what_an_assessment_says_stands_in_the_ticket_and_in_what_scripts_read(house: Tracked) -> None:
    says(house, "/affects Gateway: before 2.3.1\n/assess accepted high CWE-79\n/fixed in 2.3.2\n\nWell found.")
    with reading(house.engine) as connection:
        shown = one_ticket(connection, name(house).token)
    assert shown is not None
    named = ("severity", "cwe", "product", "affected", "fixed_in", "state")
    assert [shown[key] for key in named] == ["high", "CWE-79", "Gateway", "before 2.3.1", "2.3.2", "fixed"]
    described = [body_of(row)["data"] for row in house.rows(event, kind="described")]
    assert {k for one in described for k in one} == {"cwe", "product", "affected", "fixed_in"}
    assert house.broken() == [] and house.findings() == []


def test_a_plain_answer_keeps_no_assessment_and_says_so_to_its_author(house: Tracked) -> None:
    says(house, "Thank you, we could reproduce it.", role=Role.RESEARCHER)
    assert "assess is still owed: /assess accepted|declined" in " ".join(echo(house).split())
    sent(house)
    assert not assess_is_met(house)
    says(house, "/assess accepted high\n\nIt is as you say.")
    assert not assess_is_met(house), "it has not gone yet"
    sent(house)
    assert assess_is_met(house)


def test_an_assessment_without_the_date_that_its_clause_names_goes_out_and_leaves_the_promise_open(
    dated: Tracked,
) -> None:
    says(dated, "/assess accepted high\n\nIt is as you say.")
    assert "/assess accepted fix-by DAY tells a date for a solution" in " ".join(echo(dated).split())
    sent(dated)
    assert [row.state for row in dated.letters("assessed")] == ["accepted"] and not assess_is_met(dated)
    says(dated, "/assess accepted fix-by 2026-12-24")
    sent(dated)
    assert assess_is_met(dated)


def test_a_declined_report_owes_no_date(dated: Tracked) -> None:
    says(dated, "/assess declined not-reproducible\n\nPlease send the steps again.")
    sent(dated)
    assert assess_is_met(dated)


def test_a_dropped_assessment_keeps_nothing(dated: Tracked) -> None:
    says(dated, "/assess accepted fix-by 2026-12-24\n\nIt is as you say.")
    says(dated, "/cancel")
    sent(dated)
    assert not assess_is_met(dated)


def test_a_ticket_from_before_goes_by_what_was_promised_then(engine: Engine) -> None:
    """The policy of today asks more of a letter; the ticket keeps the text that it came in under."""
    source = POLICY.source.replace('holds = ["assessment"]', "")
    before = replace(
        POLICY, source=source, sha256="e" * 64, promises=tuple(replace(p, holds=()) for p in POLICY.promises)
    )
    tracked = open_tracker(engine, replace(HOUSE, policy=before))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    today = replace(HOUSE, policy=replace(POLICY, version="next"))
    tracked = replace(tracked, desks={"security": today})
    says(tracked, "Thank you, we could reproduce it.", role=Role.RESEARCHER)
    sent(tracked)
    assert assess_is_met(tracked)


@pytest.mark.parametrize("by", ["operator", MEMBER])
def test_what_a_member_says_was_kept_is_no_finding_of_the_audit(engine: Engine, by: str) -> None:
    """The acknowledgement never went, and somebody called the researcher."""
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(mail(proven=True))
    tracked.orders(tracked.refs()[0], "/keep assess", by=by)
    assert assess_is_met(tracked) and not [row for row in tracked.rows(letter) if row.accepted_at]
    assert tracked.findings() == []


def test_a_promise_that_nobody_and_nothing_kept_is_a_finding(engine: Engine) -> None:
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(mail(proven=True))
    with writing(engine) as connection:
        connection.execute(clock.update().where(clock.c.promise == "assess").values(met_at=tracked.at))
    assert any("met though no letter was accepted" in one for one in tracked.findings())


def test_a_letter_with_long_versions_is_not_held_for_the_mail_that_gave_them(house: Tracked) -> None:
    """The member's own mail and its echo are mail of the team too."""
    says(house, LONG)
    says(house, "/assess accepted high\n\nIt is as you say.")
    (row,) = house.letters("assessed")
    assert (row.state, row.hold_reason) == ("queued", "")


def test_a_note_is_no_product(house: Tracked) -> None:
    """Law 7."""
    secret = "the appliance that the bank in Haifa never patched since the spring of last year"
    says(house, f"/note\n\nIt is {secret}, I fear.")
    says(house, f"/affects {secret}")
    assert house.rows(ticket)[0].product == "" and "is internal (note)" in " ".join(echo(house).split())


def test_a_stranger_and_a_researcher_describe_nothing(house: Tracked) -> None:
    for author in (RESEARCHER, MEMBER):
        house.receive(mail(author, key(name(house), Role.TEAM), text="/affects Gateway: all\n/fixing"))
    row = house.rows(ticket)[0]
    assert (row.product, row.state) == ("", "received")
    assert not [one for one in house.rows(letter) if one.template == "assessed"]
