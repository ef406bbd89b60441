"""Members' notes by mail, their autoresponders, and their replies to the board (law 6, law 7, AT-29, AR-11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.ticket.scene import (
    DESK,
    IDS,
    MAILBOX,
    MEMBER,
    OTHER,
    RESEARCHER,
    STRANGER,
    TEAM,
    TICKET,
    decide,
    key,
    mail,
    view,
)
from triaged.ticket.address import Role
from triaged.ticket.consequence import Absence, Consequence, Outcome
from triaged.ticket.desk import Colleague
from triaged.ticket.known import KnownMessage
from triaged.ticket.letters import Audience

SAM, LEE = "sam@example.test", "Lee@example.test"
MEMBERS = {
    MEMBER: Colleague("Dana Levi", MEMBER),
    SAM: Colleague("Sam Okoro", SAM),
    LEE.lower(): Colleague("Lee Park", LEE, notify="mine"),
}
HOUSE = replace(DESK, members=MEMBERS, own=DESK.own | {SAM, LEE.lower()})
TO_TEAM, TO_RESEARCHER = key(TICKET, Role.TEAM), key(TICKET, Role.RESEARCHER)
NOTE = "<note@example.test>"
BOARD = "<board@example.test>"


def wrote(to: str = TO_TEAM, ticket: Any = None, ids: tuple[KnownMessage, ...] = (), **changes: Any) -> Consequence:
    """What a proven member's mail causes, where these messages are known as well."""
    author, proven = changes.pop("author", MEMBER), changes.pop("proven", True)
    known = {**IDS, **{one.message_id: one for one in ids}}
    return decide(mail(author, to, proven=proven, **changes), HOUSE, ticket or view(), ids=known)


def told(caused: Consequence) -> list[tuple[str, str]]:
    return [(letter.template, letter.to) for letter in caused.letters]


def inbound(reason: str, **changes: Any) -> KnownMessage:
    first = KnownMessage(NOTE, TICKET.token, False, Audience.TEAM, Role.TEAM, MEMBER, (), "", True, reason)
    return replace(first, **changes)


def board(token: str = TICKET.token, template: str = "board") -> KnownMessage:
    return KnownMessage(BOARD, token, True, Audience.TEAM, Role.TEAM, MEMBER, (), template)


def test_a_note_is_mailed_on_to_the_others_who_hear_once_each() -> None:
    caused = wrote(text="The fix is in review: https://review.example.test/7")
    assert (caused.outcome, caused.reason) == (Outcome.APPENDED, "note")
    assert told(caused) == [("note", TEAM), ("note", SAM)]
    letter = caused.letters[0]
    assert letter.audience is Audience.TEAM and letter.answers is Role.TEAM
    assert "Dana Levi wrote a note on IMS-7F3K-9QXD" in letter.text
    assert "> The fix is in review: hxxps://review[.]example[.]test/7" in letter.text, "AT-21, a member's words too"
    assert "A reply to this mail stays with the team." in letter.text


def test_a_note_on_somebodys_ticket_reaches_whose_it_is() -> None:
    assert told(wrote(ticket=view(assigned=LEE.lower()))) == [("note", TEAM), ("note", SAM), ("note", LEE)]


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        (("Cc: Sam Okoro <SAM@example.test>",), [TEAM]),
        ((f"Cc: {TEAM}, Sam <{SAM}>",), []),
        ((f"Cc: {TEAM}",), [SAM]),
        ((f"Cc: {RESEARCHER}, someone@example.net",), [TEAM, SAM]),
    ],
)
def test_who_stands_in_to_or_cc_has_the_note_already(fields: tuple[str, ...], heard: list[str]) -> None:
    assert [to for _, to in told(wrote(fields=fields))] == heard
    assert [to for _, to in told(wrote(to=f"{TO_TEAM}, {SAM}", fields=fields))] == [x for x in heard if x != SAM]


def test_a_note_of_an_unproven_member_is_mailed_to_nobody_else() -> None:
    """Law 6: a forged From puts no words before the team as a member's."""
    assert told(wrote(proven=False)) == [("not_sent", MEMBER)]


def test_a_note_lists_its_files_and_sends_none() -> None:
    raw = (
        f"Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\r\nFrom: {MEMBER}\r\n"
        f"To: {TO_TEAM}\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nsee the trace\r\n--b\r\n'
        'Content-Disposition: attachment; filename="trace.bin"\r\n\r\nsecret bytes\r\n--b--\r\n'
    ).encode()
    (letter, *_) = decide(raw, HOUSE).letters
    assert "trace.bin" in letter.text and "sha256" in letter.text and "secret bytes" not in letter.text


def test_a_flood_of_notes_is_kept_and_not_mailed() -> None:
    """AR-11."""
    assert told(wrote(ticket=view(recent=6))) == []


def test_a_note_holds_only_what_its_author_wrote_but_of_a_forwarded_mail_all() -> None:
    words = "look at this\n\nOn Friday, Noa wrote:\n> the old words\n"
    (letter, *_) = wrote(text=words).letters
    assert "look at this" in letter.text and "the old words" not in letter.text
    forwarded = (
        "see below\n\n---------- Forwarded message ---------\nFrom: X <x@example.net>\nSubject: y\n\nthe old words"
    )
    (letter, *_) = wrote(text=forwarded, subject="Fwd: y").letters
    assert "the old words" in letter.text


def test_a_mail_that_a_list_changed_counts_once() -> None:
    """The bytes differ, so it is no copy of law 1; the same member's same Message-ID on the same ticket is."""
    caused = wrote(ids=(inbound("note"),), message_id=NOTE, text="my words\n-- \nTo leave the list: …")
    assert (caused.outcome, caused.letters, caused.events) == (Outcome.FILED, (), ())
    assert caused.reason.startswith("kept already")
    unproven = wrote(ids=(inbound("note"),), message_id=NOTE, proven=False)
    assert (unproven.outcome, unproven.letters) == (Outcome.FILED, ()), "a list breaks signatures: no complaint"


@pytest.mark.parametrize(
    "first",
    [
        inbound("note", counterpart=SAM),  # another's mail
        inbound("note", counterpart=STRANGER),  # a stranger who knew the id first silences nobody
        inbound("note", token=OTHER.token),  # another ticket's
        inbound("held", proven=False),  # what nothing proved is no first one for what is proven
    ],
)
def test_what_another_wrote_or_nothing_proved_makes_no_second_copy(first: KnownMessage) -> None:
    assert told(wrote(ids=(first,), message_id=NOTE)) == [("note", TEAM), ("note", SAM)]


@pytest.mark.parametrize(("reason", "letters"), [("note", 4), ("it may be no person's mail", 4), ("answer", 0)])
def test_an_answer_is_not_lost_to_its_copy_on_a_list_and_goes_once(reason: str, letters: int) -> None:
    caused = wrote(TO_RESEARCHER, ids=(inbound(reason),), message_id=NOTE, text="We could reproduce it.")
    assert len(caused.letters) == letters
    assert ([RESEARCHER, MEMBER, TEAM, SAM] if letters else []) == [letter.to for letter in caused.letters]


def test_who_answered_gets_the_echo_alone_and_the_others_hear_once() -> None:
    assert told(wrote(TO_RESEARCHER, text="Thank you.")) == [
        ("answer", RESEARCHER),
        ("done", MEMBER),
        ("done", TEAM),
        ("done", SAM),
    ]


OUT = ("Auto-Submitted: auto-replied",)


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"fields": OUT}, Absence(MEMBER, True)),
        ({"fields": OUT, "to": TO_RESEARCHER}, Absence(MEMBER, True)),
        ({"fields": OUT, "to": key(TICKET, Role.BOUNCE)}, Absence(MEMBER, True)),
        ({"subject": "Automatic reply: [IMS-7F3K-9QXD] XSS"}, Absence(MEMBER, True)),
        ({"fields": OUT, "proven": False}, None),
        ({"fields": OUT, "author": RESEARCHER, "to": TO_RESEARCHER}, None),
        ({"fields": OUT, "to": MAILBOX}, None),
        ({"fields": ("Auto-Submitted: auto-generated",)}, None),
        ({}, Absence(MEMBER, False)),
        ({"to": MAILBOX}, Absence(MEMBER, False)),
        ({"to": TO_RESEARCHER}, Absence(MEMBER, False)),
        ({"proven": False}, None),
        ({"author": STRANGER}, None),
    ],
)
def test_only_a_proven_member_is_away_or_here(changes: dict[str, Any], absent: Absence | None) -> None:
    """Law 6: nobody silences a member by writing in their name."""
    assert wrote(**changes).absent == absent


def test_a_copy_says_nothing_of_its_author() -> None:
    assert decide(mail(MEMBER, TO_TEAM, proven=True), HOUSE, copy=True).absent is None


def test_mail_on_a_ticket_of_somebody_who_is_away_says_so_and_reaches_the_others() -> None:
    ticket = view(assigned=SAM, away=frozenset({SAM}))
    caused = decide(mail(RESEARCHER, TO_RESEARCHER), HOUSE, ticket)
    assert told(caused) == [("relay", TEAM), ("relay", MEMBER), ("relay", LEE)]
    assert "Note:         it is assigned to Sam Okoro, who is away" in caused.letters[0].text


@pytest.mark.parametrize("to", [TO_TEAM, MAILBOX])
@pytest.mark.parametrize("template", ["board", "board_reply", "caps"])
def test_a_reply_to_the_board_is_no_note_on_the_ticket_whose_address_it_bears(to: str, template: str) -> None:
    caused = wrote(to, ids=(board(template=template),), fields=(f"In-Reply-To: {BOARD}",), subject="Re: Board of x")
    assert (caused.outcome, caused.placed, caused.events, caused.letters) == (Outcome.FILED, None, (), ())
    assert caused.said is not None and caused.said.board == BOARD


@pytest.mark.parametrize(
    ("changes", "templates"),
    [
        ({"proven": False}, ["not_sent"]),  # law 6
        ({"fields": (f"In-Reply-To: {BOARD}", *OUT)}, []),  # AR-11: a machine is not answered
        ({"to": key(OTHER, Role.TEAM)}, ["note", "note"]),  # the key of another ticket means that ticket
        ({"to": TO_RESEARCHER}, ["answer", "done", "done", "done"]),
        ({"author": STRANGER}, ["relay", "relay", "relay"]),  # held: every member who hears, the author is none
    ],
)
def test_only_a_proven_members_own_reply_to_that_board_is_one(changes: dict[str, Any], templates: list[str]) -> None:
    caused = wrote(**{"ids": (board(),), "fields": (f"In-Reply-To: {BOARD}",), **changes})
    assert [letter.template for letter in caused.letters] == templates


def test_no_happening_mails_an_address_twice() -> None:
    house = replace(HOUSE, notify=(TEAM, SAM.upper(), TEAM.upper()))
    everything = [
        mail(RESEARCHER, TO_RESEARCHER),
        mail(STRANGER, TO_RESEARCHER),
        mail(STRANGER, proven=True),
        mail(MEMBER, TO_RESEARCHER, proven=True),
        mail(MEMBER, TO_TEAM, proven=True),
        mail(MEMBER, TO_TEAM),
    ]
    for raw in everything:
        sent = [letter.to.lower() for letter in decide(raw, house).letters]
        assert sent and len(sent) == len(set(sent))
