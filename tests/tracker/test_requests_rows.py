"""A researcher's one-line requests in the tracker: rows, chains, clocks and documents, on both databases."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.ticket.scene import DESK, FRIEND, KEY, POLICY, RESEARCHER, STRANGER, mail
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.events import State
from triaged.ticket.granting import TEMPLATES
from triaged.ticket.reference import token_of
from triaged.ticket.verbs import exploited, move
from triaged.tracker import requests, showing
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, event, participant, person, request, ticket

NAME = "Noa Barak"
ENDED = "withdrawn by the researcher"


@pytest.fixture
def reported(tracked: Tracked) -> Tracked:
    tracked.receive(mail("Noa@Example.org"))
    tracked.send_all()
    return tracked


def key(tracked: Tracked) -> str:
    token = token_of(tracked.refs()[0])
    assert token is not None
    return keyed_address(DESK.address, token, Role.RESEARCHER, KEY)


def ask(
    tracked: Tracked, line: str, author: str = RESEARCHER, *, proven: bool = False, fields: tuple[str, ...] = ()
) -> None:
    tracked.later(minutes=20)
    tracked.receive(mail(author, key(tracked), proven=proven, text=f"{line}\n\nregards {tracked.at}", fields=fields))


def answered(tracked: Tracked) -> list[tuple[str, str]]:
    return [(row.template, row.to_address) for row in tracked.letters() if row.template in TEMPLATES]


def code(tracked: Tracked) -> str:
    """As the last letter with one tells it."""
    sent = [m for m in shown(tracked)["messages"] if (m["direction"], m["audience"]) == ("out", "researcher")]
    texts = [m["text"] for m in sent if "CONFIRM" in m["text"]]
    found = re.search(r"^  (CONFIRM \S+)$", texts[-1], re.MULTILINE)
    assert found
    return found[1]


def shown(tracked: Tracked) -> dict[str, Any]:
    with reading(tracked.engine) as connection:
        document = showing.one_ticket(connection, token_of(tracked.refs()[0]) or "")
    loaded: dict[str, Any] = json.loads(json.dumps(document))
    return loaded


def wish(credit: dict[str, Any]) -> dict[str, Any]:
    return {name: credit[name] for name in ("name", "anonymous")}


def kinds(tracked: Tracked) -> list[str]:
    return [row.kind for row in tracked.rows(event)]


def add_friend(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        row = {"tenant": DESK.tenant, "address": FRIEND, "written": "Friend@Example.org", "name": ""}
        number = connection.execute(person.insert().returning(person.c.id), row).scalar_one()
        joins = {"ticket_id": tracked.rows(ticket)[0].id, "person_id": number, "role": "participant"}
        connection.execute(participant.insert(), {**joins, "proven": False, "since": tracked.at})


def test_a_name_waits_for_the_code_that_was_mailed_to_the_address(reported: Tracked) -> None:
    ask(reported, f"CREDIT AS {NAME}")
    assert shown(reported)["credit"] == {}
    [row] = reported.rows(request)
    assert (row.address, row.kind, row.value, row.settled_at) == (RESEARCHER, "credit", NAME, None)
    ask(reported, "CONFIRM 0000-0000")
    assert shown(reported)["credit"] == {} and reported.rows(request)[0].settled_at is None
    ask(reported, code(reported).lower())
    assert wish(shown(reported)["credit"]) == {"name": NAME, "anonymous": False}
    assert reported.rows(request)[0].settled_at == reported.at
    assert answered(reported) == [("confirm", "Noa@example.org"), ("requested", "Noa@example.org")]
    assert kinds(reported).count("credited") == 1
    assert reported.broken() == [] and reported.findings() == []


def test_a_code_works_once(reported: Tracked) -> None:
    ask(reported, f"CREDIT AS {NAME}")
    first = code(reported)
    ask(reported, first)
    ask(reported, "ANONYMOUS")
    ask(reported, first)
    assert wish(shown(reported)["credit"]) == {"name": NAME, "anonymous": True}
    assert kinds(reported).count("credited") == 1


def test_a_code_lapses(reported: Tracked) -> None:
    ask(reported, f"CREDIT AS {NAME}")
    reported.later(days=14)
    ask(reported, code(reported))
    assert shown(reported)["credit"] == {} and reported.rows(request)[0].settled_at is None


def test_another_participant_confirms_nothing_of_the_reporters(reported: Tracked) -> None:
    """Law 6."""
    add_friend(reported)
    ask(reported, f"CREDIT AS {NAME}")
    ask(reported, code(reported), FRIEND, proven=True)
    assert all(one["credit"] == {} for one in shown(reported)["participants"])


def test_a_participant_is_named_and_nameless_for_themselves_alone(reported: Tracked) -> None:
    """Law 6."""
    add_friend(reported)
    ask(reported, f"CREDIT AS {NAME}", proven=True)
    ask(reported, "CREDIT AS A friend", FRIEND, proven=True)
    wishes = {one["address"]: wish(one["credit"]) for one in shown(reported)["participants"]}
    assert wishes == {
        RESEARCHER: {"name": NAME, "anonymous": False},
        FRIEND: {"name": "A friend", "anonymous": False},
    }
    ask(reported, "ANONYMOUS", FRIEND)
    wishes = {one["address"]: one["credit"]["anonymous"] for one in shown(reported)["participants"]}
    assert wishes == {RESEARCHER: False, FRIEND: True}
    assert wish(shown(reported)["credit"]) == {"name": NAME, "anonymous": False}, "the ticket's is its reporter's"
    assert ("anonymous", "Friend@Example.org") in answered(reported)


def test_a_withdrawn_report_owes_its_researcher_nothing_and_keeps_its_state(engine: Any) -> None:
    """Legal duties are owed to others; they run on."""
    desk = replace(DESK, policy=replace(POLICY, exploited=True))
    tracked = open_tracker(engine, desk)
    tracked.receive(mail("Noa@Example.org", proven=True))
    tracked.send_all()
    tracked.act(tracked.refs()[0], lambda one, d: exploited(one, "member:Dana Levi", d, tracked.at))
    ask(tracked, "WITHDRAW", proven=True)
    open_ones = [row for row in tracked.rows(clock) if row.met_at is None]
    waived = {row.promise: row.waived for row in open_ones if row.waived}
    assert waived and all((w["by"], w["why"]) == ("researcher", ENDED) for w in waived.values())
    assert {"assess", "update"} <= set(waived)
    assert {row.promise for row in open_ones if not row.waived} == {"cra_early_warning", "cra_notification"}
    assert all(row.wake_at is None for row in open_ones if row.waived), "nothing is to be said of them any more"
    assert tracked.rows(ticket)[0].state == State.RECEIVED
    assert kinds(tracked).count("withdrawn") == 1 and kinds(tracked).count("waived") == len(waived)
    assert tracked.broken() == [] and tracked.findings() == []


def test_after_it_was_withdrawn_no_letter_comes_by_itself(reported: Tracked) -> None:
    ask(reported, "WITHDRAW")
    ask(reported, code(reported))
    assert kinds(reported).count("withdrawn") == 1
    before = len(reported.letters())
    reported.send_all()
    reported.live(reported.at + 100 * (reported.at - reported.at.replace(day=1)))
    assert [row.template for row in reported.letters()[before:] if row.audience == "researcher"] == []
    assert [row.template for row in reported.letters()[before:] if row.template != "board"] == []


def test_a_participants_withdrawal_ends_nothing(reported: Tracked) -> None:
    """Law 6."""
    add_friend(reported)
    ask(reported, "WITHDRAW", FRIEND, proven=True)
    assert "withdrawn" not in kinds(reported) and not [row for row in reported.rows(clock) if row.waived]


def test_a_strangers_request_is_held_and_answered_by_nothing(reported: Tracked) -> None:
    """TH-2."""
    for line in ("STATUS", "ANONYMOUS", f"CREDIT AS {NAME}", "WITHDRAW"):
        ask(reported, line, STRANGER, proven=True)
    assert reported.outcomes()[1:] == ["held"] * 4
    assert answered(reported) == [] and shown(reported)["credit"] == {} and reported.rows(request) == []


def test_how_it_stands_is_answered_three_times_a_day(reported: Tracked) -> None:
    for _ in range(5):
        ask(reported, "STATUS")
    assert answered(reported) == [("status", "Noa@example.org")] * 3
    assert len(reported.letters("relay")) == 6, "the team reads of each"
    reported.later(days=1)
    ask(reported, "STATUS")
    assert len(answered(reported)) == 4


def test_a_forged_report_and_a_request_that_names_it_get_its_victim_one_letter(tracked: Tracked) -> None:
    """Law 5: the forger knows the Message-ID of their own forgery, and no key of ours."""
    tracked.receive(mail(RESEARCHER, message_id="<forged@evil.example>"))
    for line in ("STATUS", "ANONYMOUS", f"CREDIT AS {NAME}", "WITHDRAW"):
        tracked.later(minutes=20)
        names_it = ("In-Reply-To: <forged@evil.example>",)
        tracked.receive(mail(RESEARCHER, text=f"{line}\n\n{tracked.at}", fields=names_it))
    assert [row.template for row in tracked.letters() if row.audience == "researcher"] == ["acknowledgement_minimal"]
    assert tracked.rows(request) == []


def test_an_answer_to_a_request_is_not_the_letter_that_told_the_news(engine: Any) -> None:
    """What happened before it is told with the next update."""
    tracked = open_tracker(engine)
    tracked.receive(mail("Noa@Example.org", proven=True))
    tracked.tend()
    tracked.later(days=2)
    tracked.act(tracked.refs()[0], lambda one, _: move(one, State.ACCEPTED, "member:Dana Levi", tracked.at))
    ask(tracked, "ANONYMOUS")
    tracked.live(tracked.at.replace(month=12, day=20))
    texts = [row["text"] for row in shown(tracked)["messages"] if row["direction"] == "out"]
    assert [text for text in texts if "We assessed your report and accepted it." in text]


def test_the_events_of_a_request_hold_no_name(reported: Tracked) -> None:
    ask(reported, f"CREDIT AS {NAME}", proven=True)
    [made] = reported.rows(event, kind="credited")
    assert body_of(made) == {"actor": "researcher", "data": {"receipt": 2, "role": "reporter"}}


def test_two_processes_that_read_one_code_settle_it_once(reported: Tracked) -> None:
    """The second decides again, and finds no open request."""
    ask(reported, f"CREDIT AS {NAME}")
    [row] = reported.rows(request)
    with writing(reported.engine) as connection:
        requests._settle(connection, row.id, reported.at)
    with writing(reported.engine) as connection, pytest.raises(requests.SettledElsewhereError):
        requests._settle(connection, row.id, reported.at)
