"""Who writes to which address, naming which message: what becomes of it, for every combination."""

from itertools import product

import pytest

from tests.ticket.scene import (
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
    decide,
    key,
    mail,
    view,
)
from triaged.ticket.address import Role
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.events import EventKind
from triaged.ticket.letters import Audience

SENDERS = {
    "researcher, proven": {"author": RESEARCHER, "proven": True},
    "researcher": {"author": RESEARCHER},
    "participant": {"author": FRIEND},
    "stranger, proven": {"author": STRANGER, "proven": True},
    "stranger": {"author": STRANGER},
    "member, proven": {"author": MEMBER, "proven": True},
    "member": {"author": MEMBER},
    "own mailbox": {"author": MAILBOX},
    "no From": {"author": None},
    "two Froms": {"author": f"{STRANGER}\r\nFrom: {RESEARCHER}"},
}
ADDRESSES = {
    "plain": MAILBOX,
    "r key": key(TICKET, Role.RESEARCHER),
    "t key": key(TICKET, Role.TEAM),
    "b key": key(TICKET, Role.BOUNCE),
    "other ticket's key": key(OTHER, Role.RESEARCHER),
    "garbled": key(TICKET, Role.RESEARCHER, b"not the key"),
}
# Another tenant's Message-IDs are not known here, as those that nobody has.
NAMED = {
    "nothing": None,
    "to the researcher": TO_RESEARCHER,
    "relay": RELAY,
    "to the team": TEAM_ONLY,
    "participant's own": REPORT,
    "nobody's": "<forged@example.test>",
}

KEYS = {"r key", "t key", "b key", "other ticket's key"}
THREAD = {"to the researcher", "relay", "to the team", "participant's own"}
OURS = THREAD - {"participant's own"}
ANY = set(SENDERS) | set(ADDRESSES) | set(NAMED)
RESEARCHERS = {"researcher, proven", "researcher", "participant"}
STRANGERS = {"stranger, proven", "stranger", "own mailbox", "no From", "two Froms"}

# The first row that fits decides. Outcome; on which ticket; the letters that go. By keys, then by ids (TH-1).
TABLE = [
    # A participant's mail joins the ticket and reaches the team (TH-1); a key of the team is in no researcher's hands.
    (RESEARCHERS, {"t key"}, ANY, "held on the ticket: the team is told"),
    (RESEARCHERS, {"r key", "b key"}, ANY, "joins the ticket: relayed to the team"),
    (RESEARCHERS, {"other ticket's key"}, ANY, "held on the other ticket: the team is told"),
    (RESEARCHERS, ANY, {"to the team"}, "held on the ticket: the team is told"),
    (RESEARCHERS, ANY, THREAD, "joins the ticket: relayed to the team"),
    # A member reaches the researcher by the researcher's address alone, and proven (AT-29, law 6); the rest stays inside.
    ({"member, proven"}, {"r key"}, ANY, "joins the ticket, inside: the researcher is answered, the team is told"),
    ({"member, proven"}, {"other ticket's key"}, ANY, "joins the other ticket, inside: its researcher is answered"),
    ({"member, proven"}, {"t key", "b key"}, ANY, "joins the ticket, inside: a note, mailed on"),
    ({"member, proven"}, ANY, THREAD, "joins the ticket, inside: a note, mailed on"),
    ({"member"}, {"other ticket's key"}, ANY, "held on the other ticket: the member is told"),
    ({"member"}, KEYS, ANY, "held on the ticket: the member is told"),
    ({"member"}, ANY, THREAD, "held on the ticket: the member is told"),
    # A key proves knowledge, not identity (TH-2).
    (STRANGERS, {"other ticket's key"}, ANY, "held on the other ticket: the team is told"),
    (STRANGERS, KEYS, ANY, "held on the ticket: the team is told"),
    # A report of its own. Naming a letter of ours is answered by nobody (AR-9).
    ({"stranger, proven"}, ANY, OURS, "a new ticket: announced, and not acknowledged"),
    ({"stranger"}, ANY, OURS, "a new ticket: announced, and not acknowledged"),
    ({"researcher, proven", "stranger, proven"}, ANY, ANY, "a new ticket: acknowledged in full, and announced"),
    ({"researcher", "participant", "stranger"}, ANY, ANY, "a new ticket: acknowledged minimally, and announced"),
    # Members, our own mailbox and who can't be told are never answered by a machine (AR-3, ML-1).
    (ANY, ANY, ANY, "a new ticket: announced, and not acknowledged"),
]

OTHERS_REPORTER = STRANGER
WORDS = {
    ("ticket", "new", Audience.RESEARCHER): "a new ticket",
    ("appended", TICKET, Audience.RESEARCHER): "joins the ticket",
    ("appended", TICKET, Audience.TEAM): "joins the ticket, inside",
    ("appended", OTHER, Audience.TEAM): "joins the other ticket, inside",
    ("held", TICKET, None): "held on the ticket",
    ("held", OTHER, None): "held on the other ticket",
    ("held", TICKET, Audience.TEAM): "held on the ticket",
    ("held", OTHER, Audience.TEAM): "held on the other ticket",
}


def _letters(caused: Consequence, author: str | None) -> str:
    sent = [(letter.template, letter.to) for letter in caused.letters]
    told = {
        (): "no letter" if caused.outcome is not Outcome.TICKET else "announced to nobody",
        (("relay", TEAM),): {
            Outcome.TICKET: "announced, and not acknowledged",
            Outcome.APPENDED: "relayed to the team",
            Outcome.HELD: "the team is told",
        }.get(caused.outcome, "?"),
        (("acknowledgement", author), ("relay", TEAM)): "acknowledged in full, and announced",
        (("acknowledgement_minimal", author), ("relay", TEAM)): "acknowledged minimally, and announced",
        (("answer", RESEARCHER), ("done", MEMBER), ("done", TEAM)): "the researcher is answered, the team is told",
        (("answer", OTHERS_REPORTER), ("done", MEMBER), ("done", TEAM)): "its researcher is answered",
        (("done", TEAM),): "the others read the note",
        (("not_sent", MEMBER),): "the member is told",
        (("note", TEAM),): "a note, mailed on",
    }
    return told.get(tuple(sent), f"unforeseen letters {sent}")


def _said(caused: Consequence, author: str | None) -> str:
    where = "new" if caused.opens else caused.ticket
    key_ = (caused.outcome.value, where, caused.placed.audience if caused.placed else None)
    return f"{WORDS.get(key_, str(key_))}: {_letters(caused, author)}"


@pytest.mark.parametrize("sender", SENDERS)
def test_every_combination_has_the_outcome_of_the_table(sender: str) -> None:
    """TH-1, TH-2, AR-3, AR-9, AU-5, AT-3, AT-6, AT-29."""
    for address, named in product(ADDRESSES, NAMED):
        fields = (f"In-Reply-To: {NAMED[named]}",) if NAMED[named] else ()
        caused = decide(mail(to=ADDRESSES[address], fields=fields, **SENDERS[sender]))  # type: ignore[arg-type]
        expected = next(row[3] for row in TABLE if sender in row[0] and address in row[1] and named in row[2])
        assert _said(caused, SENDERS[sender]["author"]) == expected, (sender, address, named)


def test_every_row_of_the_table_decides_something() -> None:
    used = {
        next(i for i, row in enumerate(TABLE) if s in row[0] and a in row[1] and n in row[2])
        for s, a, n in product(SENDERS, ADDRESSES, NAMED)
    }
    assert used == set(range(len(TABLE)))


def test_the_table_holds_with_references_in_place_of_in_reply_to() -> None:
    raw = mail(RESEARCHER, fields=(f"References: <x@y> {TO_RESEARCHER} <z@y>",))
    assert decide(raw).outcome is Outcome.APPENDED


def test_where_a_mailbox_has_no_keyed_addresses_an_answer_to_our_letter_reaches_the_researcher() -> None:
    """TH-7: In-Reply-To naming a Message-ID that we sent decides the same."""
    desk = _without_plus()
    by_relay = decide(mail(MEMBER, proven=True, fields=(f"In-Reply-To: {RELAY}",)), desk)
    assert [letter.to for letter in by_relay.letters] == [RESEARCHER, MEMBER, TEAM]
    for stays in (TEAM_ONLY, REPORT):
        noted = decide(mail(MEMBER, proven=True, fields=(f"In-Reply-To: {stays}",)), desk)
        assert {letter.audience for letter in noted.letters} == {Audience.TEAM}
    assert decide(mail(STRANGER, fields=(f"In-Reply-To: {TO_RESEARCHER}",)), desk).outcome is Outcome.HELD


def test_a_keyed_address_means_nothing_to_a_mailbox_without_them() -> None:
    caused = decide(mail(RESEARCHER, to=key(TICKET, Role.RESEARCHER)), _without_plus())
    assert caused.outcome is Outcome.TICKET


def _without_plus():  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(DESK, plus_addressing=False)


def test_a_report_forwarded_inside_with_a_remark_reaches_no_researcher() -> None:
    """AT-29, law 7: a mail client names the report's own id when a member forwards it to the mailbox."""
    raw = mail(MEMBER, proven=True, text="this one is a crank", fields=(f"References: {REPORT}",))
    caused = decide(raw)
    assert [(x.template, x.to) for x in caused.letters] == [("note", TEAM)]
    assert caused.placed is not None and caused.placed.audience is Audience.TEAM


def test_a_reference_in_the_subject_threads_nothing_and_is_a_hint() -> None:
    """TH-1."""
    caused = decide(mail(STRANGER, subject="Re: [IMS-7F3K-9QXD] XSS in login"))
    assert caused.opens is not None
    assert [e.data["ref"] for e in caused.events if e.kind is EventKind.SUGGESTED] == ["IMS-7F3K-9QXD"]


def test_a_stranger_who_names_a_message_is_a_suggestion_of_the_ticket() -> None:
    """TH-1, TH-2."""
    caused = decide(mail(STRANGER, fields=(f"In-Reply-To: {REPORT}",)))
    assert [e.data["ref"] for e in caused.events if e.kind is EventKind.SUGGESTED] == ["IMS-7F3K-9QXD"]
    assert "IMS-7F3K-9QXD" not in caused.letters[0].data.decode(), "what the stranger is told names no other ticket"


def test_nobody_who_stands_in_cc_is_ever_written_to() -> None:
    """AT-3: the Cc of an inbound mail is never added to ours."""
    for author, to in ((RESEARCHER, MAILBOX), (RESEARCHER, key(TICKET, Role.RESEARCHER)), (STRANGER, MAILBOX)):
        caused = decide(mail(author, to, proven=True, fields=("Cc: evil@evil.test", "Reply-To: evil@evil.test")))
        for letter in caused.letters:
            head = letter.data.partition(b"\r\n\r\n")[0]
            assert letter.to != "evil@evil.test" and b"evil@evil.test" not in head
            assert letter.audience is Audience.TEAM or b"evil@evil.test" not in letter.data


@pytest.mark.parametrize("automatic", ["Auto-Submitted: auto-replied", "X-Autoreply: yes"])
def test_an_absence_notice_of_a_member_reaches_nobody(automatic: str) -> None:
    caused = decide(mail(MEMBER, key(TICKET, Role.RESEARCHER), proven=True, fields=(automatic,)))
    assert caused.outcome is Outcome.APPENDED and caused.letters == ()


def test_an_absence_notice_of_the_researcher_joins_and_is_called_what_it_is() -> None:
    """NT-5."""
    caused = decide(mail(RESEARCHER, key(TICKET, Role.RESEARCHER), fields=("Auto-Submitted: auto-replied",)))
    assert caused.outcome is Outcome.APPENDED
    assert "An automatic answer" in caused.letters[0].text


def test_what_a_machine_of_the_team_answers_is_held_without_a_word() -> None:
    """AR-11: the team's own list answers our mail to it by itself; telling the list would be answered again."""
    caused = decide(mail(TEAM, key(TICKET, Role.RESEARCHER), fields=("Auto-Submitted: auto-replied",)))
    assert caused.outcome is Outcome.HELD and caused.letters == ()


@pytest.mark.parametrize(
    ("ticket", "author", "told"),
    [
        (view(), STRANGER, 1),
        (view(held_lately=4, held_ever=100), STRANGER, 1),
        (view(held_lately=5, held_ever=5), STRANGER, 0),
        (view(held_ever=4), TEAM, 1),
        (view(held_ever=5), TEAM, 0),  # a machine without Auto-Submitted, a day apart each time, ends as well
    ],
)
def test_held_mail_tells_the_team_a_bounded_number_of_times(ticket, author: str, told: int) -> None:  # type: ignore[no-untyped-def]
    """AR-11."""
    assert len(decide(mail(author, key(TICKET, Role.RESEARCHER)), ticket=ticket).letters) == told


def test_a_flood_of_held_mail_does_not_silence_the_researcher() -> None:
    """AR-11: who knows the address of a ticket could else keep its researcher's mail from the team."""
    caused = decide(mail(RESEARCHER, key(TICKET, Role.RESEARCHER)), ticket=view(held_lately=50, held_ever=50))
    assert len(caused.letters) == 1


@pytest.mark.parametrize(("recent", "told"), [(1, 1), (5, 1), (6, 1), (7, 0), (100, 0)])
def test_the_sixth_message_in_ten_minutes_mutes_a_thread(recent: int, told: int) -> None:
    """AR-11: the sixth says so, the ones after it are kept with the ticket."""
    caused = decide(mail(RESEARCHER, key(TICKET, Role.RESEARCHER)), ticket=view(recent=recent))
    assert caused.outcome is Outcome.APPENDED and len(caused.letters) == told
    assert (EventKind.MUTED in {e.kind for e in caused.events}) == (recent == 6)


def test_content_known_already_causes_nothing() -> None:
    """Law 1."""
    caused = decide(mail(), copy=True)
    assert (caused.outcome, caused.events, caused.letters, caused.clocks) == (Outcome.COPY, (), (), ())


def test_the_team_sees_who_else_was_sent_the_report() -> None:
    """S2-7: named for the team, and added to nothing (AT-3)."""
    (told,) = [
        x
        for x in decide(mail(proven=True, fields=("Cc: cert@cert.example, Security+x@example.test",))).letters
        if x.to == TEAM
    ]
    assert "also sent to cert@cert.example" in told.text and "Security+x" not in told.text
    (told,) = [x for x in decide(mail(proven=True)).letters if x.to == TEAM]
    assert "also sent to" not in told.text
