"""One story of 120 days for real: Dovecot, Postfix, and `triaged run --once --at` at the instants that the simulation names."""

from __future__ import annotations

import signal
import smtplib
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.e2e.installation import POLICY, Installation, report, unusual
from triaged.cli.simulate import arrival, play_one, sample, simulated_desk
from triaged.policy.load import load_policy
from triaged.tracker.engine import connect, reading
from triaged.tracker.schema import letter, ticket

DAYS = 120
CLOCKS = ("reminder", "update", "missed", "deadline")
Told = tuple[datetime, str, str]  # when, to the researcher or the team, which template
pytestmark = pytest.mark.timeout(600)


def simulated(received_at: datetime) -> list[Told]:
    """What clocks say where the team stays silent."""
    policy = load_policy(POLICY)
    desk = simulated_desk(policy)
    raw = sample(received_at, desk.address, proven=True)
    story = play_one(arrival(raw, received_at, policy), desk, (), DAYS)
    return [(s.at, s.audience.value, s.template) for s in story.sent if s.template in CLOCKS]


def reported(house: Installation) -> datetime:
    """A proven researcher's report through Postfix, taken in and acknowledged; when it was received."""
    with smtplib.SMTP("127.0.0.1", house.mx_port) as server:
        server.sendmail(house.researcher, [house.address], report(house.researcher, house.address))
    house.got(house.address)
    house.once()
    engine = connect(house.url)
    with reading(engine) as connection:
        at: datetime = connection.execute(select(ticket.c.received_at)).scalar_one()
    engine.dispose()
    return at


def told(house: Installation) -> list[Told]:
    engine = connect(house.url)
    with reading(engine) as connection:
        rows = connection.execute(select(letter).where(letter.c.template.in_(CLOCKS)).order_by(letter.c.id)).all()
    engine.dispose()
    assert {row.state for row in rows} <= {"accepted"}
    return [(row.queued_at, row.audience, row.template) for row in rows]


def pass_at(house: Installation, at: datetime) -> None:
    done = house.command("run", "--once", "--at", at.isoformat())
    assert done.returncode == 0, unusual(done.stderr)


def each_letter_arrived_once(house: Installation) -> None:
    letters = house.letters()
    for person in (house.team, house.researcher):
        sent = [x["message_id"] for x in letters if x["to"] == person]
        found = Counter(str(mail["Message-ID"]) for mail in house.got(person, len(sent)))
        assert found == Counter(sent)
    house.audit()


def test_a_report_that_nobody_answers_is_told_of_as_in_the_simulation(small_house: Installation) -> None:
    """Each pass comes twice, and the last one late: what fell due meanwhile is one mail to each."""
    house = small_house
    story = simulated(reported(house))
    instants = sorted({at for at, _, _ in story})
    timely, late = instants[:8], instants[-1]
    for at in (*timely, late):
        pass_at(house, at)
        pass_at(house, at)
    expected = sorted(one for one in story if one[0] <= timely[-1])
    found = told(house)
    assert sorted(found[: len(expected)]) == expected
    assert {template for _, _, template in expected} == {"reminder", "missed"}
    assert sorted(found[len(expected) :]) == [(late, "researcher", "missed"), (late, "team", "reminder")]
    each_letter_arrived_once(house)


@pytest.mark.parametrize("point", ["clocks-claimed", "clocks-written"])
def test_a_kill_while_a_ticket_is_tended_costs_nothing_and_doubles_nothing(house: Installation, point: str) -> None:
    at = reported(house) + timedelta(days=8)
    done = house.command("run", "--once", "--at", at.isoformat(), kill=point)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert len(told(house) if point == "clocks-claimed" else []) == 0, "all of it happened, or none"
    pass_at(house, at)
    assert sorted(told(house)) == [(at, "researcher", "missed"), (at, "team", "reminder")]
    each_letter_arrived_once(house)
