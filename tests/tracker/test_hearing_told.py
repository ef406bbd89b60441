"""Who of the team is mailed in whole stories, through the tracker: settings, assignment, absence, notes, conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import update

from tests.ticket.grouping import gmail, outlook, read
from tests.ticket.scene import AT, DESK, MEMBER, RESEARCHER, STRANGER, TEAM, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon.tending import send_boards
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.desk import Colleague, Desk
from triaged.ticket.reference import token_of
from triaged.tracker import blobs
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import absence, letter, receipt, ticket

DAY = timedelta(days=1)
SAM, LEE = "sam@example.test", "lee@example.test"
HOUSE = replace(
    DESK,
    members={
        MEMBER: Colleague("Dana Levi", MEMBER),
        SAM: Colleague("Sam Okoro", SAM, notify="mine"),
        LEE: Colleague("Lee Park", LEE, notify="board"),
    },
)
OUT = ("Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All")


@pytest.fixture
def house(tracked: Tracked) -> Tracked:
    """A team of three and its address; a proven researcher's report, acknowledged and told."""
    return reported(tracked)


@pytest.fixture
def house_sqlite(tracked_sqlite: Tracked) -> Tracked:
    return reported(tracked_sqlite)


def reported(tracked: Tracked, desk: Desk = HOUSE) -> Tracked:
    opened = open_tracker(tracked.engine, desk)
    opened.receive(mail(proven=True))
    opened.send_all()
    return opened


def address(tracked: Tracked, role: Role = Role.TEAM, number: int = 0) -> str:
    return keyed_address(DESK.address, token_of(tracked.refs()[number]) or "", role, DESK.keys[0])


def heard(tracked: Tracked, *raws: bytes) -> list[tuple[str, str]]:
    """(template, to) of what these mails cause; the letters go."""
    before = len(tracked.letters())
    tracked.receive(*raws)
    tracked.send_all()
    return [(row.template, row.to_address) for row in tracked.letters()[before:]]


def assign(tracked: Tracked, to: str) -> None:
    with writing(tracked.engine) as connection:
        connection.execute(update(ticket).values(assigned=to))


def board(tracked: Tracked) -> dict[str, str]:
    """Today's board: to whom, and its words."""
    before = {row.id for row in tracked.letters("board")}
    send_boards(tracked.tender())
    return {row.to_address: words(tracked, row) for row in tracked.letters("board") if row.id not in before}


def words(tracked: Tracked, row: object) -> str:
    return str(sent(tracked, row).get_content()).replace("\r\n", "\n")


def sent(tracked: Tracked, row: object) -> EmailMessage:
    blob_id = row.blob_id  # type: ignore[attr-defined]
    with reading(tracked.engine) as connection:
        return read(blobs.load(connection, [blob_id])[blob_id][1])


def test_a_member_hears_by_their_setting_and_of_what_is_theirs(house: Tracked) -> None:
    assert [row.to_address for row in house.letters("relay")] == [TEAM, MEMBER]
    said = [mail(to=address(house, Role.RESEARCHER), text=f"and {n} more") for n in range(2)]
    assert heard(house, said[0]) == [("relay", TEAM), ("relay", MEMBER)]
    assign(house, SAM)
    assert heard(house, said[1]) == [("relay", TEAM), ("relay", MEMBER), ("relay", SAM)]
    house.live(AT + 4 * DAY)
    reminded = {row.to_address for row in house.letters("reminder")}
    assert reminded == {TEAM, MEMBER, SAM}
    house.at = AT + 5 * DAY
    found = board(house)
    assert set(found) == {TEAM, MEMBER, SAM, LEE} and "    Sam Okoro\n" in found[LEE]


def test_an_autoresponder_of_a_proven_member_makes_them_absent_until_they_write(house: Tracked) -> None:
    out = mail(SAM, address(house), proven=True, subject="I am away", text="Back on Monday.", fields=OUT)
    assign(house, SAM)
    assert heard(house, out) == [] and [row.address for row in house.rows(absence)] == [SAM]
    said = [mail(to=address(house, Role.RESEARCHER), text=f"and {n} more") for n in range(2)]
    assert heard(house, said[0]) == [("relay", TEAM), ("relay", MEMBER), ("relay", LEE)], (
        "Lee, though board only: law 8"
    )
    assert "it is assigned to Sam Okoro, who is away" in words(house, house.letters("relay")[-1])
    house.live(AT + 4 * DAY)
    reminders = house.letters("reminder")
    assert SAM not in {row.to_address for row in reminders} and "who is away" in words(house, reminders[-1])
    found = board(house)
    assert set(found) == {TEAM, MEMBER, LEE}
    assert "Away: Sam Okoro.\n" in found[TEAM] and "    Sam Okoro (away)\n" in found[TEAM]
    assert heard(house, mail(SAM, address(house), proven=True, text="I am back."))
    assert house.rows(absence) == []
    assert heard(house, said[1])[-1] == ("relay", SAM)
    assert house.broken() == [] and house.findings() == []


def test_nobody_makes_a_member_absent_by_writing_in_their_name(house_sqlite: Tracked) -> None:
    """Law 6, AT-31."""
    house = house_sqlite
    heard(house, mail(MEMBER, address(house), fields=OUT))
    heard(house, mail(RESEARCHER, address(house, Role.RESEARCHER), proven=True, fields=OUT))
    assert house.rows(absence) == []
    heard(house, mail(MEMBER, address(house), proven=True, fields=OUT))
    heard(house, mail(MEMBER, address(house), text="not Dana"))
    assert len(house.rows(absence)) == 1, "nor present"


def test_an_absence_that_nothing_confirms_ends_after_a_week(house: Tracked) -> None:
    """Who is mailed nothing writes nothing: they would stay away for ever."""
    heard(house, mail(MEMBER, address(house), proven=True, fields=OUT))
    house.at = AT + 6 * DAY
    assert set(board(house)) == {TEAM, SAM, LEE}
    house.at = AT + 8 * DAY
    assert set(board(house)) == {TEAM, MEMBER, SAM, LEE}
    house.at = AT + 9 * DAY
    heard(house, mail(MEMBER, address(house), proven=True, fields=OUT, text="again"))
    assert MEMBER not in board(house)


def test_an_old_mail_that_is_read_late_does_not_call_a_member_back(house_sqlite: Tracked) -> None:
    house = house_sqlite
    house.deliver(mail(MEMBER, address(house), proven=True, text="off to the sea"))
    house.later(hours=1)
    house.deliver(mail(MEMBER, address(house), proven=True, fields=OUT), folder="Junk")
    with writing(house.engine) as connection:  # the folder's turn comes late
        late = update(receipt).where(receipt.c.id == 2)
        connection.execute(late.values(claimed_by="somebody", claimed_until=house.at + DAY))
    house.take_in()
    with writing(house.engine) as connection:
        connection.execute(update(receipt).where(receipt.c.id == 2).values(claimed_by=None, claimed_until=None))
    house.take_in()
    assert [row.address for row in house.rows(absence)] == [MEMBER]


def test_a_note_copied_to_colleagues_is_kept_once_and_mailed_to_the_others_once(house: Tracked) -> None:
    """By itself and by the list that it was copied to: law 1 where the bytes are the same, else by its Message-ID."""
    fields = (f"Cc: team list <{TEAM}>, someone@elsewhere.test",)
    note = mail(SAM, address(house), proven=True, text="I have it.", fields=fields, message_id="<note@example.test>")
    assert heard(house, note) == [("note", MEMBER)], "the list has it by the Cc, Lee wants the board only"
    traced = b"Received: from list.example.test by mx.example.test; Fri, 20 Nov 2026 10:00:00 +0000\r\n" + note
    assert heard(house, b"Delivered-To: security@example.test\r\n" + traced) == []
    footed = note.replace(
        b"I have it.", b"I have it.\r\n\r\n_______\r\nTo leave this list, write to leave@example.test"
    )
    listed = footed.replace(b"Subject: ", b"List-Id: <team.example.test>\r\nSubject: [team] ", 1)
    broken = listed.replace(b"dmarc=pass", b"dmarc=fail").replace(b"_______", b"-------")
    assert heard(house, listed, broken) == []
    assert house.outcomes()[1:] == ["appended", "copy", "filed", "filed"]
    assert [row.reason[:12] for row in house.rows(receipt)][3:] == ["kept already"] * 2
    assert house.broken() == [] and house.findings() == []


def test_a_reply_to_the_board_stands_on_no_ticket_and_its_author_is_told(house: Tracked) -> None:
    house.at = AT + DAY
    board(house)
    (row,) = [row for row in house.letters("board") if row.to_address == LEE]
    got = sent(house, row)
    reply = mail(
        LEE,
        str(got["Reply-To"]),
        proven=True,
        subject=f"Re: {got['Subject']}",
        text=f"/assign {house.refs()[0]} me",
        fields=(f"In-Reply-To: {got['Message-ID']}",),
    )
    assert heard(house, reply)[0] == ("board_reply", LEE)
    assert house.outcomes() == ["ticket", "filed"] and house.rows(ticket)[0].assigned == LEE
    answer = house.letters("board_reply")[0]
    again = mail(LEE, proven=True, text="oh", fields=(f"In-Reply-To: {answer.message_id}",))
    assert heard(house, again) == [("board_reply", LEE)], "by the Message-ID alone as well"
    assert house.outcomes()[-1] == "held" and "NOTHING was done" in words(house, house.letters("board_reply")[1])


def test_the_commands_of_a_board_reply_are_all_done_or_none(house: Tracked) -> None:
    house.receive(mail(STRANGER, proven=True, text="Another page of yours shows the password of the database."))
    house.at = AT + DAY
    board(house)
    (row,) = [row for row in house.letters("board") if row.to_address == LEE]
    got = sent(house, row)
    first, second = house.refs()
    for number, (text, owners) in enumerate(
        (
            (f"/assign {first} me\n/assign {second} nobody-of-that-name", ["", ""]),
            (f"/assign {first} me\n/close IMS-1111-1111", ["", ""]),
            (f"/assign {first} me\n\nand a text", ["", ""]),
            (f"/assign {first} me\n/close {second}", [LEE, ""]),
        )
    ):
        fields = (f"In-Reply-To: {got['Message-ID']}",)
        house.receive(mail(LEE, str(got["Reply-To"]), proven=True, text=text, fields=fields))
        assert [r.assigned for r in house.rows(ticket)] == owners, number
    assert [r.state for r in house.rows(ticket)] == ["received", "closed"]
    assert house.findings() == []


def mailboxes(tracked: Tracked) -> Iterator[tuple[str, list[EmailMessage]]]:
    """Each team address with the letters that it got, in order, the boards aside."""
    rows = [row for row in tracked.rows(letter, audience="team") if not row.template.startswith("board")]
    for to in dict.fromkeys(row.to_address for row in rows):
        yield to, [sent(tracked, row) for row in rows if row.to_address == to]


def test_gmail_and_outlook_show_a_ticket_as_one_conversation_and_its_misses_as_another(house_sqlite: Tracked) -> None:
    """Two reports with the same subject, each through relays, notes, answers, reminders and misses."""
    house = house_sqlite
    house.receive(mail("kim@proven.org", proven=True, text="another hole with the same name, in the search field"))
    house.send_all()
    assign(house, SAM)
    researchers = (RESEARCHER, "kim@proven.org")
    for day in range(1, 4):
        house.live(AT + day * DAY)
        for number, who in enumerate(researchers):
            words_ = f"day {day} of {who}"
            heard(house, mail(who, address(house, Role.RESEARCHER, number), proven=True, text=words_))
            heard(house, mail(MEMBER, address(house, Role.TEAM, number), proven=True, text=f"a note, {words_}"))
            heard(house, mail(SAM, address(house, Role.TEAM, number), proven=True, text=f"another, {words_}"))
    heard(house, mail(MEMBER, address(house, Role.RESEARCHER, 0), proven=True, text="We have it."))
    house.live(AT + 20 * DAY)
    found = dict(mailboxes(house))
    assert set(found) == {TEAM, MEMBER, SAM} and all(len(got) > 20 for got in found.values())
    for got in found.values():
        for groups in (gmail(got), outlook(got)):
            kinds = Counter((group[0]["Subject"].startswith("MISSED"), ref(group[0])) for group in groups)
            assert kinds == Counter({(missed, name): 1 for missed in (False, True) for name in house.refs()})
            for group in groups:
                assert len({ref(one) for one in group}) == 1
                assert len({one["Subject"].startswith("MISSED") for one in group}) == 1


def ref(one: EmailMessage) -> str:
    return str(one["Subject"]).partition("[")[2].partition("]")[0]


def test_only_the_first_letter_of_a_conversation_is_no_reply(house_sqlite: Tracked) -> None:
    house = house_sqlite
    heard(house, mail(to=address(house, Role.RESEARCHER), text="and more"))
    (name,) = house.refs()
    subjects = [str(one["Subject"]) for one in dict(mailboxes(house))[MEMBER]]
    assert subjects == [f"[{name}] XSS in login", f"Re: [{name}] XSS in login"]
