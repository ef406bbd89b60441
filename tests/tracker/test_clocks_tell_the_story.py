"""What the tracker's clocks send over 120 days, with mail, commands and rows, is what the simulation says of the same policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tests.ticket.telling_stories import ACTS, DAYS, NAMES, POLICIES, RECEIVED, assessment
from tests.tracker import tracked as tracker
from tests.tracker.tracked import Tracked, open_tracker
from triaged.cli.simulate import REPORTER, SERVER, arrival, play_one, sample, simulated_desk
from triaged.message.model import Trust
from triaged.policy.load import load_policy
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.desk import Colleague, Desk
from triaged.ticket.events import State
from triaged.ticket.reference import token_of
from triaged.ticket.simulation import Act, Story
from triaged.ticket.verbs import move
from triaged.tracker.schema import message

MEMBER = "dana@simulated.example"
END = RECEIVED + timedelta(days=DAYS)
Told = tuple[datetime, str, str, str, str]  # when, to whom, template, subject, text

_KEY = re.compile(r"\+[0-9a-z]{8}\.[rtb]\.[0-9a-z]{16}@")


def house(name: str) -> Desk:
    return replace(
        simulated_desk(load_policy(POLICIES / f"{name}.toml")), members={MEMBER: Colleague("Dana Levi", MEMBER)}
    )


def plain(text: str, ref: str) -> str:
    return _KEY.sub("+KEY@", text.replace(ref, "REF"))


def simulated(story: Story) -> Iterator[Told]:
    for sent in story.sent:
        subject = plain(sent.letter.subject, story.ref) if sent.letter else ""
        text = plain(sent.letter.text, story.ref) if sent.letter else ""
        yield sent.at, sent.to, sent.template, subject, text


def tracked_letters(tracked: Tracked) -> Iterator[Told]:
    (ref,) = tracked.refs()
    texts = {row.message_id: row for row in tracked.rows(message, direction="out")}
    for row in tracked.letters():
        sent = texts[row.message_id]
        if row.template == "done":  # the team's copy of its own answer, which the simulation leaves out
            continue
        answer = row.template in ("answer", "assessed")
        words = ("", "") if answer else (plain(sent.subject, ref), plain(sent.text, ref))
        yield row.queued_at, row.to_address, row.template, *words


def answer(tracked: Tracked, number: int, promise: str) -> bytes:
    (ref,) = tracked.refs()
    to = keyed_address(
        tracked.desks["security"].address, token_of(ref) or "", Role.RESEARCHER, tracked.desks["security"].keys[0]
    )
    lines = (
        f"Authentication-Results: {SERVER}; dmarc=pass header.from=simulated.example",
        f"From: {MEMBER}",
        f"To: {to}",
        "Subject: your report",
        f"Message-ID: <{number}@simulated.example>",
        "",
        *((assessment(tracked.desks["security"].policy), "") if promise == "assess" else ()),
        f"These are the words of answer {number}.",
        "",
    )
    return "\r\n".join(lines).encode()


def do(tracked: Tracked, act: Act, number: int) -> None:
    if act.promise or act.state is None:
        tracked.receive(answer(tracked, number, act.promise))
        return
    state: State = act.state
    at = tracked.at
    tracked.act(tracked.refs()[0], lambda ticket, _: move(ticket, state, "member:Dana Levi", at))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def lived(engine: Engine, desk: Desk, acts: tuple[Act, ...], monkeypatch: pytest.MonkeyPatch) -> Tracked:
    monkeypatch.setattr(tracker, "TRUST", Trust(frozenset({SERVER})))
    tracked = open_tracker(engine, desk)
    tracked.at = RECEIVED
    tracked.receive(sample(RECEIVED, desk.address, proven=True))
    for number, act in enumerate(acts):
        tracked.live(act.at - timedelta(microseconds=1))
        tracked.at = act.at
        do(tracked, act, number)
    tracked.live(END)
    return tracked


@pytest.mark.parametrize("acts", [(), ACTS], ids=["silent team", "working team"])
def test_the_letters_are_those_of_the_simulation(
    engine: Engine, name: str, acts: tuple[Act, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on closed days, over Christmas, and when a letter is due at the instant of another."""
    desk = house(name)
    tracked = lived(engine, desk, acts, monkeypatch)
    story = play_one(arrival(sample(RECEIVED, desk.address, proven=True), RECEIVED, desk.policy), desk, acts, DAYS)
    assert sorted(tracked_letters(tracked)) == sorted(simulated(story))
    assert REPORTER in {row.to_address for row in tracked.letters()}
    assert tracked.findings() == [] and tracked.broken() == []
