"""The story of a reward on the tracker: mails in, rows and letters out, and what the ledger shows. On both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update

from tests.ticket.scene import MEMBER, POLICIES, RESEARCHER, mail
from tests.tracker.test_commanding import HOUSE, RON, echo, says, state, to_researcher
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.policy.load import load_policy
from triaged.policy.terms import Bounds
from triaged.ticket.address import Role
from triaged.ticket.desk import Colleague
from triaged.tracker.engine import reading, writing
from triaged.tracker.rewards import ledger
from triaged.tracker.schema import event, message, proposal, reward, ticket
from triaged.tracker.showing import one_ticket, tickets

FREE = load_policy(POLICIES / "responsible-disclosure.toml")
OLA = "ola@example.test"
DESK = replace(
    HOUSE,
    policy=FREE,
    own=HOUSE.own | {OLA},
    members={**HOUSE.members, OLA: Colleague("Ola Observer", OLA, "observer", notify="board")},
)


@pytest.fixture
def house(engine: Engine) -> Tracked:
    tracked = open_tracker(engine, DESK)
    tracked.receive(mail(proven=True))
    tracked.send_all()
    return tracked


@pytest.fixture
def assessed(house: Tracked) -> Tracked:
    """Accepted as high, and the letter has gone."""
    says(house, "/assess accepted high\n\nWell found.")
    house.at += DESK.undo
    house.send_all()
    return house


def rows(house: Tracked) -> list[tuple[str, int | None, str, str, str]]:
    return [(r.state, r.amount, r.currency, r.by, r.second) for r in house.rows(reward)]


def shown(house: Tracked) -> dict[str, Any]:
    with reading(house.engine) as connection:
        document = one_ticket(connection, house.rows(ticket)[0].token)
        assert document is not None and document["reward"] == tickets(connection)[0]["reward"]
        return dict(document["reward"])


def word(house: Tracked, to: str = MEMBER) -> str:
    return " ".join(echo(house, to).split())


def test_from_the_assessment_to_the_payment(assessed: Tracked) -> None:
    house = assessed
    says(house, "/reward 1,500 CHF the steps were exact")
    assert rows(house) == [] and shown(house)["proposed"]["words"] == "1,500 CHF the steps were exact"
    for said in ("amount: 1,500 CHF", "severity: high", "bounds: the policy has none", "reason: the steps were exact"):
        assert said in word(house), "the proposer reads it"
    house.later(hours=1)
    says(house, "/confirm", by=RON)
    assert rows(house) == [("approved", 1500, "CHF", MEMBER, RON)]
    assert to_researcher(house)[-1] == ("rewarded", "queued"), "it can be taken back"
    house.at += DESK.undo
    house.send_all()
    assert to_researcher(house)[-1] == ("rewarded", "accepted")
    (letter,) = [r for r in house.rows(message) if r.counterpart == RESEARCHER and "decided on a reward" in r.text]
    assert "1,500 CHF" in letter.text and "exact" not in letter.text and "Ron" not in letter.text
    says(house, "/reward paid PO-2026-118")
    says(house, "/close", by=RON)
    assert state(house) == "closed" and rows(house)[-1] == ("paid", 1500, "CHF", MEMBER, "")
    found = shown(house)
    assert (found["state"], found["reference"], found["by"], found["second"]) == ("paid", "PO-2026-118", MEMBER, RON)
    assert found["decided_at"] < found["paid_at"]
    assert house.findings() == [] and house.broken() == []


def test_the_one_who_confirms_is_mailed_what_they_confirm(assessed: Tracked) -> None:
    """To the team's address, which every member of `notify` reads."""
    says(assessed, "/reward 900 EUR because it was quick")
    told = [row.text for row in assessed.rows(message) if row.counterpart == "team@example.test"][-1]
    for said in ("900 EUR", "severity: high", "because it was quick", "/confirm"):
        assert said in told


def test_a_report_can_not_be_closed_undecided(assessed: Tracked) -> None:
    says(assessed, "/close")
    assert state(assessed) == "accepted" and "/reward none REASON" in word(assessed)
    says(assessed, "/reward none it was on our list")
    says(assessed, "/confirm\n/close", by=RON)
    assert state(assessed) == "closed"
    assert rows(assessed) == [("declined", None, "", MEMBER, RON)]
    assert to_researcher(assessed)[-1][0] == "unrewarded"


def test_declining_decides_by_itself(house: Tracked) -> None:
    says(house, "/assess declined not-reproducible\n\nWe tried twice.")
    assert rows(house) == [("declined", None, "", MEMBER, "")]
    says(house, "/close")
    assert state(house) == "closed" and house.findings() == []


def test_researchers_and_strangers_and_observers_decide_nothing(assessed: Tracked) -> None:
    says(assessed, "/reward 9000 EUR for me", by=RESEARCHER, role=Role.RESEARCHER)
    says(assessed, "/reward 9000 EUR for me", by=RESEARCHER, role=Role.TEAM)
    says(assessed, "/reward 9000 EUR for him", by="eve@evil.example")
    says(assessed, "/reward 9000 EUR for him", by=OLA)
    assert assessed.rows(proposal) == [] and rows(assessed) == []
    says(assessed, "/reward 900 EUR for him")
    for by in (RESEARCHER, "eve@evil.example", OLA, MEMBER):
        says(assessed, "/confirm", by=by)
    assert rows(assessed) == []


def test_a_forged_member_confirms_nothing(assessed: Tracked) -> None:
    from tests.ticket.scene import key
    from tests.tracker.test_commanding import name

    says(assessed, "/reward 900 EUR for him")
    assessed.receive(mail(RON, key(name(assessed), Role.TEAM), proven=False, text="/confirm"))
    assert rows(assessed) == []


def test_a_proposal_falls_with_the_severity_that_it_was_made_under(assessed: Tracked) -> None:
    says(assessed, "/reward 900 EUR for the steps")
    says(assessed, "/assess accepted low\n\nIt is less than we thought.", by=RON)
    says(assessed, "/confirm", by=RON)
    assert rows(assessed) == [] and "severity: high is now low" in word(assessed, RON)
    says(assessed, "/cancel")
    says(assessed, "/confirm", by=RON)
    assert rows(assessed) == []
    says(assessed, "/reward 100 EUR for the steps")
    says(assessed, "/confirm", by=RON)
    assert rows(assessed) == [("approved", 100, "EUR", MEMBER, RON)]


def test_bounds_are_those_of_the_policy_that_the_ticket_came_in_under(engine: Engine) -> None:
    terms = replace(FREE.reward, currency="EUR", bounds=(Bounds("high", 500, 800),))
    source = FREE.source.replace(
        'severity of the leak and the quality of the report.",\n]',
        'severity of the leak and the quality of the report.",\n]\ncurrency = "EUR"\n'
        '[[reward.bounds]]\nseverity = "high"\nleast = 500\nmost = 800\n',
    )
    from triaged.policy.load import kept_policy

    policy = kept_policy(source, FREE.text, FREE.name)
    assert policy.reward == terms
    house = open_tracker(engine, replace(DESK, policy=policy))
    house.receive(mail(proven=True))
    says(house, "/assess accepted high\n\nWell found.")
    says(house, "/reward 900 well written")
    assert "500 to 800 EUR" in word(house) and house.rows(proposal) == []
    says(house, "/reward 800 well written")
    says(house, "/confirm", by=RON)
    assert rows(house) == [("approved", 800, "EUR", MEMBER, RON)]


def test_two_confirmations_at_once_are_one_decision(assessed: Tracked) -> None:
    """The ticket's row is locked: whoever comes second finds nothing to confirm."""
    says(assessed, "/reward 900 EUR for the steps")
    errors: list[BaseException] = []

    def confirm(process: Tracked, by: str) -> None:
        try:
            process.orders(process.refs()[0], "/confirm", by=by)
        except AssertionError as refusal:
            errors.append(refusal)

    threads = [threading.Thread(target=confirm, args=(assessed.another(f"h:{n}:x"), RON)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 3
    assert rows(assessed) == [("approved", 900, "EUR", MEMBER, RON)]
    assert [r.template for r in assessed.letters("rewarded")] == ["rewarded"]


def test_a_reward_letter_does_not_stand_for_news(assessed: Tracked) -> None:
    """What happened before it is still told with the next update."""
    says(assessed, "/fixed")
    says(assessed, "/reward 900 EUR for the steps")
    says(assessed, "/confirm", by=RON)
    assessed.live(assessed.at.replace(month=12, day=31))
    assert any("The problem was fixed" in r.text for r in assessed.rows(message) if r.counterpart == RESEARCHER)


TAMPERING: dict[str, Any] = {
    "another amount": update(reward).values(amount=9000),
    "another state": update(reward).values(state="paid"),
    "another second": update(reward).values(second="nobody@example.test"),
    "gone": delete(reward),
    "one more": insert(reward).from_select(
        [c.name for c in reward.c if c.name != "id"],
        reward.select().with_only_columns(*[c for c in reward.c if c.name != "id"]),
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_ledger_that_was_changed_shows(assessed: Tracked, what: str) -> None:
    says(assessed, "/reward 900 EUR for the steps")
    says(assessed, "/confirm", by=RON)
    assert assessed.findings() == []
    with writing(assessed.engine) as connection:
        connection.execute(TAMPERING[what])
    assert any("ledger of rewards" in finding for finding in assessed.findings())


def test_what_was_forgotten_is_no_finding(assessed: Tracked) -> None:
    says(assessed, "/reward 900 EUR for the steps")
    says(assessed, "/confirm", by=RON)
    with writing(assessed.engine) as connection:
        connection.execute(update(event).values(body=None, salt=None))
    assert not any("ledger" in finding for finding in assessed.findings()), "rows kept, events redacted"
    with writing(assessed.engine) as connection:
        connection.execute(delete(reward))
    assert not any("ledger" in finding for finding in assessed.findings()), "rows gone as well"


def test_the_ledger_has_one_document_a_ticket_and_none_of_another_tenant(assessed: Tracked) -> None:
    assessed.receive(mail("kim@third.example", proven=True, text="Another page of yours shows a secret."))
    says(assessed, "/reward 900 EUR for the steps")
    with reading(assessed.engine) as connection:
        (one,) = ledger(connection, "default")
        assert (one["state"], one["proposed"]["by"]) == ("proposed", MEMBER)
        assert ledger(connection, "other") == []
    says(assessed, "/confirm", by=RON)
    says(assessed, "/assess declined not-a-vulnerability\n\nIt is public.", number=1)
    with reading(assessed.engine) as connection:
        found = ledger(connection, "default")
    assert [(one["state"], one["amount"]) for one in found] == [("approved", 900), ("declined", None)]
    assert {tuple(sorted(one)) for one in found} == {tuple(sorted(found[0]))}, "every document has every key"
    assert RESEARCHER not in str(found) and "kim" not in str(found)


def test_the_event_holds_the_row(assessed: Tracked) -> None:
    says(assessed, "/reward 900 EUR for the steps")
    says(assessed, "/confirm", by=RON)
    (happened,) = assessed.rows(event, kind="rewarded")
    assert body_of(happened)["data"]["amount"] == 900 and body_of(happened)["actor"] == "member:Dana Levi"
