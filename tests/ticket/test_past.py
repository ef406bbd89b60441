"""What lies in the mailbox's own sent folder: what becomes of it, by where it went, what it names and who wrote it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.ticket.scene import (
    AT,
    DESK,
    FRIEND,
    MAILBOX,
    MEMBER,
    OTHER,
    RELAY,
    REPORT,
    RESEARCHER,
    STRANGER,
    TEAM,
    TEAM_ONLY,
    TICKET,
    TO_RESEARCHER,
    arrive,
    entropy,
    key,
    known,
    mail,
    view,
)
from triaged.ticket.address import Role
from triaged.ticket.arrival import receive
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.events import Event, EventKind
from triaged.ticket.known import OpenPromise, clues
from triaged.ticket.letters import Audience
from triaged.ticket.news import happenings

WORDS = "Thank you, we could reproduce it and will write again on Tuesday."
OPEN = (
    OpenPromise("acknowledge", "acknowledging", AT + timedelta(days=3), False),
    OpenPromise("update", "updating", AT + timedelta(days=7), False, every=True),
    OpenPromise("fix", "fixing", AT + timedelta(days=90), False),
)


def found(to: str = RESEARCHER, names: str = REPORT, author: str | None = MAILBOX, **changes: Any) -> Consequence:
    """What a letter in the sent folder causes; answering the researcher's report, where nothing else is said."""
    fields = (*((f"In-Reply-To: {names}",) if names else ()), *changes.pop("fields", ()))
    received_at = changes.pop("received_at", AT)
    raw = mail(author, to, text=changes.pop("text", WORDS), fields=fields, message_id=changes.pop("message_id", None))
    arrival = replace(arrive(raw), sent=True, folder="Sent", received_at=received_at)
    ticket = changes.pop("ticket", view(promises=OPEN))
    facts = known(arrival, DESK, ticket, **changes)
    return receive(arrival, clues(arrival.message, DESK), facts, DESK, AT, entropy)


ANSWERS: dict[str, dict[str, Any]] = {
    "to the reporter": {},
    "to a participant": {"to": FRIEND},
    "to the reporter and a stranger": {"to": f"{STRANGER}, {RESEARCHER}"},
    "to the reporter, with a copy to our own address": {"fields": (f"Cc: {MAILBOX}",)},
    "to a stranger, with a copy to the reporter": {"to": STRANGER, "fields": (f"Cc: {RESEARCHER}",)},
    "naming a letter of ours to them": {"names": TO_RESEARCHER},
    "naming the mail that told the team": {"names": RELAY},
    "naming a letter that stays with the team": {"names": TEAM_ONLY},
    "naming it by References alone": {"names": "", "fields": (f"References: <x@example.org> {REPORT}",)},
    "under a member's name": {"author": MEMBER},
    "under a name that nobody knows": {"author": "Support <support@example.test>"},
    "marked by Exchange": {"fields": ("X-Auto-Response-Suppress: DR, OOF, AutoReply",)},
}
FILED: dict[str, tuple[dict[str, Any], str]] = {
    "a copy of ours": ({"message_id": TO_RESEARCHER}, "a copy of a letter that is on its ticket"),
    "ours under another Message-ID": (
        {"fields": (f"Reply-To: {key(TICKET, Role.RESEARCHER)}",)},
        "a copy of a letter that is on its ticket",
    ),
    "to a keyed address": ({"to": key(TICKET, Role.RESEARCHER)}, "an address of our own"),
    "to a garbled key": ({"to": key(TICKET, Role.TEAM, b"not the key")}, "an address of our own"),
    "to a stranger": ({"to": STRANGER}, "nobody on the ticket"),
    "to the team": ({"to": TEAM}, "nobody on the ticket"),
    "to nobody": ({"to": "undisclosed-recipients:;"}, "nobody on the ticket"),
    "naming nothing": ({"names": ""}, "no message of a ticket"),
    "naming nobody's": ({"names": "<other@example.org>"}, "no message of a ticket"),
    "of a participant": ({"author": FRIEND}, "a participant of the ticket wrote it"),
    "an absence notice": ({"fields": ("Auto-Submitted: auto-replied",)}, "by a machine"),
    "a letter of a list": ({"fields": ("List-Id: <x.example.test>",)}, "by a machine"),
    "a command": ({"to": key(TICKET, Role.TEAM), "text": "/close\n/reward 500"}, "an address of our own"),
    "a report": ({"names": "", "to": MAILBOX, "author": STRANGER}, "no message of a ticket"),
}


@pytest.mark.parametrize("changes", ANSWERS.values(), ids=ANSWERS)
def test_a_persons_letter_joins_as_the_teams_answer_and_the_team_alone_hears(changes: dict[str, Any]) -> None:
    caused = found(**changes)
    assert caused.outcome is Outcome.APPENDED and caused.ticket == TICKET
    assert caused.answered is not None and caused.answered.meets == ("acknowledge", "update")
    assert caused.placed is not None and caused.placed.audience is Audience.RESEARCHER
    assert [event.kind for event in caused.events] == [EventKind.MESSAGE]
    assert {(letter.audience, letter.to, letter.answers) for letter in caused.letters} == {
        (Audience.TEAM, TEAM, Role.TEAM)
    }


@pytest.mark.parametrize(("changes", "why"), FILED.values(), ids=FILED)
def test_all_else_is_filed_with_its_reason_and_causes_nothing(changes: dict[str, Any], why: str) -> None:
    caused = found(**changes)
    assert caused == Consequence(Outcome.FILED, caused.reason)
    assert why in caused.reason


def test_a_promise_that_asks_for_an_assessment_stays_owed_and_the_team_reads_how_it_is_kept() -> None:
    """No machine sees whether the letter assessed the report; without that ask, any letter keeps the promise."""
    asked = OpenPromise("assess", "assessing", AT + timedelta(days=7), False, holds=frozenset({"assessment"}))
    caused = found(ticket=view(promises=(*OPEN, asked)))
    assert caused.answered is not None and caused.answered.meets == ("acknowledge", "update")
    told = " ".join(caused.letters[0].text.split())
    assert "assess is still owed: /assess accepted|declined …, or /keep assess where you have said it" in told
    for ended in (replace(asked, met=True), replace(asked, over=True)):
        assert "still owed" not in found(ticket=view(promises=(*OPEN, ended))).letters[0].text
    unasked = found(ticket=view(promises=(*OPEN, replace(asked, holds=frozenset()))))
    assert unasked.answered is not None and unasked.answered.meets == ("acknowledge", "update", "assess")
    assert "still owed" not in unasked.letters[0].text


def test_known_content_is_a_copy() -> None:
    assert found(copy=True) == Consequence(Outcome.COPY, "the same content has been taken in before")


def test_a_keyed_address_beside_the_reporter_does_not_hide_that_they_were_written_to() -> None:
    caused = found(to=f"{RESEARCHER}, {key(OTHER, Role.TEAM)}")
    assert caused.outcome is Outcome.APPENDED and caused.ticket == TICKET


def test_the_letter_counts_for_its_reporter_where_they_are_among_the_recipients() -> None:
    caused = found(to=f"{FRIEND}, {RESEARCHER}")
    assert caused.answered is not None and caused.answered.to == RESEARCHER


def test_it_counts_at_its_own_instant_and_never_before_the_report_came() -> None:
    opened = view(promises=OPEN).received_at
    for received_at, counted in (
        (AT - timedelta(minutes=9), AT - timedelta(minutes=9)),
        (AT - timedelta(days=9), opened),
    ):
        caused = found(received_at=received_at)
        assert caused.answered is not None and caused.answered.at == counted


def test_the_team_reads_whom_it_went_to_and_what_it_says_and_that_others_have_it() -> None:
    (letter,) = found(to=f"{RESEARCHER}, {STRANGER}", text=f"{WORDS}\n\nOn Friday Noa wrote:\n> the report").letters
    assert "was answered from the mailbox itself" in letter.text
    assert f"To:           {RESEARCHER}" in letter.text and f"as well to {STRANGER}" in letter.text
    assert f"> {WORDS}" in letter.text and "the report" not in letter.text


def test_our_own_answer_is_no_message_of_the_researchers_in_a_later_letter() -> None:
    theirs = Event(EventKind.MESSAGE, "triaged", {"audience": "researcher"})
    told = happenings([(AT, theirs), *((AT, event) for event in found().events)])
    assert [one.words for one in told] == ["Your message reached us."]
