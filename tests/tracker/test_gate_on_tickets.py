"""What the leak gate compares a letter with, on tickets of real databases: other tickets, notes beside commands, files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import AT, MEMBER, POLICIES, STRANGER, TEAM, key, mail
from tests.tracker.test_commanding import HOUSE, RON, echo, name, says, to_researcher
from tests.tracker.tracked import Tracked, open_tracker
from triaged.policy.load import load_policy
from triaged.ticket.address import Role
from triaged.tracker.schema import letter, message, participant, ticket

KENJI = "Kenji Watanabe <kenji@hall.example>"
FRIEND = "friend@example.org"
SECRET = "the vault of the old billing machine has no password at all"
MORE = "Access by key_7fa3312, seen in march"


@pytest.fixture
def house(engine: Engine) -> Tracked:
    """Two tickets of two researchers."""
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(mail(proven=True))
    theirs = f"I came in by the back door of the warehouse with nothing but a spoon.\n{MORE}"
    tracked.receive(mail(KENJI, proven=True, subject="Back door", text=theirs))
    tracked.send_all()
    return tracked


def answers(tracked: Tracked, text: str, number: int = 0) -> None:
    says(tracked, text, role=Role.RESEARCHER, number=number)


def last(tracked: Tracked, number: int = 0) -> tuple[str, str]:
    """State and reason of the last letter to the researcher of a ticket."""
    here = {row.id for row in tracked.rows(ticket)[number : number + 1]}
    row = [r for r in tracked.rows(letter) if r.ticket_id in here and r.audience == "researcher"][-1]
    return row.state, row.hold_reason


@pytest.mark.parametrize(
    "words",
    [
        "You came in by the back door of the warehouse with nothing but a spoon, right?",
        "Do you know key_7fa3312?",
        "Ask Kenji Watanabe.",
        "Write to kenji@hall.example about it.",
    ],
)
def test_what_another_researcher_wrote_or_is_called_is_held_on_the_wrong_ticket(house: Tracked, words: str) -> None:
    answers(house, words, number=1)
    assert last(house, 1)[0] == "queued", "they know it"
    answers(house, words)
    state, reason = last(house)
    assert state == "held"
    assert reason.startswith(("other-ticket", "reference"))


def test_a_note_on_another_ticket_is_held_and_an_answer_that_was_sent_there_is_not(house: Tracked) -> None:
    says(house, f"/note\n\n{SECRET}", number=1)
    answers(house, SECRET)
    assert last(house)[0] == "held"
    canned = "We found it hard to follow your steps: could you send a recording of the screen?"
    answers(house, canned, number=1)
    answers(house, canned)
    assert last(house) == ("queued", "")


def test_a_file_name_and_a_held_strangers_words_on_another_ticket_are_held(house: Tracked) -> None:
    house.receive(mail(STRANGER, key(name(house, 1), Role.RESEARCHER), text=f"Let me in. {SECRET}"))
    answers(house, SECRET)
    assert last(house)[0] == "held"


@pytest.mark.parametrize("beside", ["/split Another hole", "/extend 2027-03-01 we need more time", "/keep update"])
def test_a_note_beside_a_command_that_writes_a_letter_stays_inside(house: Tracked, beside: str) -> None:
    says(house, f"{beside}\n/note\n\n{SECRET}")
    answers(house, f"As it happens, {SECRET}.")
    assert last(house)[0] == "held"


def test_the_reason_of_a_waiver_beside_an_answer_stays_inside(house: Tracked) -> None:
    says(house, f"/waive update {SECRET}\n/reply\n\nThank you, we look at it.", by=RON)
    answers(house, f"As it happens, {SECRET}.")
    assert last(house)[0] == "held"


@pytest.mark.parametrize("letter", ["/reply", "/assess accepted medium fix-by 2027-03-01"])
@pytest.mark.parametrize("secret", [f"/waive update {SECRET}", f"/breach no-leaks {SECRET}"])
@pytest.mark.parametrize("first", [True, False])
def test_a_reason_that_nobody_outside_is_told_is_no_text_of_a_letter_of_the_same_mail(
    engine: Engine, letter: str, secret: str, first: bool
) -> None:
    house = open_tracker(engine, replace(HOUSE, policy=load_policy(POLICIES / "good-faith-rules.toml")))
    house.receive(mail(proven=True))
    house.send_all()
    commands = (secret, letter) if first else (letter, secret)
    says(house, "\n".join((*commands, "", f"As it happens, {SECRET}.")), by=RON)
    assert last(house)[0] == "held"


def test_the_reason_of_a_waiver_at_the_command_line_stays_inside(house: Tracked) -> None:
    house.orders(name(house).ref, f"/waive update {SECRET}")
    answers(house, f"As it happens, {SECRET}.")
    assert last(house)[0] == "held"


def test_the_reason_of_a_waiver_at_the_command_line_stays_inside_on_other_tickets_too(house: Tracked) -> None:
    house.orders(name(house, 1).ref, f"/waive update {SECRET}")
    answers(house, f"As it happens, {SECRET}.")
    assert last(house)[0] == "held"


def test_an_answer_that_was_cancelled_may_be_written_again(house: Tracked) -> None:
    words = "Could you try the build of last night and tell us whether it still falls over?"
    answers(house, words)
    says(house, "/cancel")
    answers(house, words)
    assert last(house) == ("queued", "")


@pytest.mark.parametrize(
    "refused",
    [
        f"/assess accepted low high\n\nWell found.\n\n-----Original Message-----\nFrom: Legal <legal@example.test>\n"
        f"Sent: Friday, November 20, 2026 11:12 AM\nTo: dana@example.test\nSubject: privileged\n\nSo {SECRET}.",
        f"/noet\n\n{SECRET}",
        f"Listen:\n/note\n{SECRET}",
        f"/keep update\n\n{SECRET}",
    ],
    ids=["a colleague's mail below it", "a note with a slip", "a note too far down", "a text that no command takes"],
)
def test_of_a_refused_mail_only_what_was_surely_meant_for_the_researcher_is_no_secret(
    house: Tracked, refused: str
) -> None:
    answers(house, refused)
    assert house.outcomes()[-1] == "held"
    answers(house, f"As it happens, {SECRET}.")
    assert last(house)[0] == "held"


def test_who_takes_part_no_more_gets_no_letter_that_still_waited(house: Tracked) -> None:
    says(house, f"/add {FRIEND}")
    answers(house, "Thank you, we look at it.")
    says(house, f"/remove {FRIEND}")
    waited = [(row.to_lower, row.state) for row in house.rows(letter) if row.template == "answer"]
    assert waited == [("noa@example.org", "queued"), (FRIEND, "dropped")]
    assert f"dropped: the letter to {FRIEND}" in echo(house)
    assert len(house.rows(participant, ticket_id=house.rows(ticket)[0].id)) == 1


def with_file(tracked: Tracked, filename: str, content: str) -> bytes:
    fields = ("MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"')
    head = mail(MEMBER, key(name(tracked), Role.RESEARCHER), proven=True, fields=fields, text="")
    parts = (
        "--b", "Content-Type: text/plain", "", "/attach", "", "Here is the patch.", "--b", "Content-Type: text/x-patch",
        f'Content-Disposition: attachment; filename="{filename}"', "", content, "--b--", "",
    )  # fmt: skip
    return head.rstrip(b"\r\n") + b"\r\n\r\n" + "\r\n".join(parts).encode()


@pytest.mark.parametrize(
    ("filename", "content", "state"),
    [
        ("fix.patch", "--- a/login.c", "queued"),
        ("mail.eml", f"Subject: a note\r\n\r\nSo {SECRET}.", "held"),
        ("key_99c01d2.txt", "nothing", "held"),
    ],
)
def test_a_file_that_holds_a_note_or_is_named_in_one_is_held(
    house: Tracked, filename: str, content: str, state: str
) -> None:
    says(house, f"/note\n\n{SECRET}; see key_99c01d2.txt")
    house.receive(with_file(house, filename, content))
    assert last(house)[0] == state


def test_the_name_of_a_ticket_that_is_split_off_holds_nothing_of_the_inside(house: Tracked) -> None:
    """Every later letter about it says its name: it could be held only once."""
    says(house, f"/note\n\n{SECRET}")
    says(house, f"/split {SECRET}")
    assert len(house.rows(ticket)) == 2
    assert "choose another" in " ".join(echo(house).split())
    says(house, "/split The search form")
    assert len(house.rows(ticket)) == 3


def test_a_researchers_own_words_may_be_quoted_on_their_second_ticket_and_the_notes_there_may_not(
    house: Tracked,
) -> None:
    house.receive(
        mail(KENJI, proven=True, subject="Window", text="The window on the second floor is open all night long.")
    )
    house.send_all()
    answers(house, "You said the window on the second floor is open all night long?", number=1)
    assert last(house, 1) == ("queued", "")
    says(house, f"/note\n\n{SECRET}", number=2)
    answers(house, SECRET, number=1)
    assert last(house, 1)[0] == "held"


def test_who_takes_part_in_one_ticket_of_two_does_not_read_of_the_other(house: Tracked) -> None:
    says(house, f"/add {FRIEND}")
    house.receive(mail(proven=True, subject="Window", text="The window on the second floor is open all night long."))
    answers(house, "You said the window on the second floor is open all night long?")
    waited = [(row.to_lower, row.state) for row in house.rows(letter) if row.template == "answer"]
    assert waited == [("noa@example.org", "queued"), (FRIEND, "held")]


@pytest.mark.parametrize(
    ("first", "second", "template"),
    [
        ("/assess declined out-of-scope", "/assess declined out-of-scope", "assessed"),
        ("/assess accepted high fix-by 2027-03-01", "/assess accepted high fix-by 2027-03-01", "assessed"),
        (
            "/extend assess 2026-12-24 the vendor wants it",
            "/extend assess 2026-12-24 we wait for a release",
            "extended",
        ),
    ],
)
def test_what_our_letters_say_to_everybody_is_no_secret_because_another_researcher_quotes_it(
    house: Tracked, first: str, second: str, template: str
) -> None:
    says(house, first, number=1)
    house.at += timedelta(hours=1)
    house.send_all()
    quoted = next(r for r in house.rows(message) if r.direction == "out" and r.subject.startswith("Re: Back door")).text
    theirs = [r.text for r in house.rows(message) if r.direction == "out" and r.audience == "researcher"]
    house.receive(mail(KENJI, key(name(house, 1), Role.RESEARCHER), proven=True, text=f"Why?\n{quoted}\n{theirs[-1]}"))
    says(house, second)
    assert [r.hold_reason for r in house.letters(template)] == ["", ""]


def test_an_answer_that_is_written_to_many_is_no_secret_because_one_of_them_quotes_it(house: Tracked) -> None:
    canned = "We found it hard to follow your steps: could you send a recording of the screen?"
    answers(house, canned, number=1)
    house.at += timedelta(hours=1)
    house.send_all()
    quote = "> We found it hard to follow your\n> steps: could you send a recording of the screen?"
    quoting = f"Here it is.\n\nOn Friday IMS Network security wrote:\n{quote}\n{SECRET}"
    house.receive(mail(KENJI, key(name(house, 1), Role.RESEARCHER), proven=True, text=quoting))
    says(house, f"It plays.\n\nOn Friday IMS Network security wrote:\n> Here it is.\n>> {canned}", number=1)
    answers(house, canned)
    assert last(house) == ("queued", "")
    answers(house, SECRET)
    assert last(house)[0] == "held"


def test_a_note_that_was_let_go_to_one_researcher_is_still_held_for_another(house: Tracked) -> None:
    says(house, f"/note\n\n{SECRET}", number=1)
    answers(house, SECRET, number=1)
    says(house, "/send", number=1)
    house.send_all()
    answers(house, SECRET)
    assert last(house)[0] == "held"


def test_another_tenants_tickets_are_not_looked_at(engine: Engine) -> None:
    second = replace(HOUSE, tenant="second", mailbox="psirt", address="psirt@other.test", own=frozenset(),
                     mailboxes=frozenset({"psirt@other.test"}), notify=(TEAM,), members={})  # fmt: skip
    tracked = open_tracker(engine, HOUSE, second)
    tracked.receive(mail(proven=True))
    tracked.receive(mail(KENJI, to="psirt@other.test", proven=True, text=SECRET), mailbox="psirt")
    tracked.at = AT + timedelta(minutes=5)
    answers(tracked, SECRET)
    assert to_researcher(tracked)[-1] == ("answer", "queued")
