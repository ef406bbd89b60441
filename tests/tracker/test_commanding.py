"""Members' mail with commands, taken in whole: rows, letters that wait, and nothing half done. On both databases."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any

import pytest
import pyzipper
from sqlalchemy import Engine, update

from tests.ticket.scene import DESK, MEMBER, RESEARCHER, TEAM, key, mail
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.ticket.address import Role
from triaged.ticket.desk import Colleague
from triaged.ticket.letters import TicketName
from triaged.tracker import blobs
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import advisory, clock, event, letter, message, participant, proposal, ticket
from triaged.tracker.showing import one_ticket

RON = "ron@example.test"
UNDO = timedelta(seconds=120)
HOUSE = replace(
    DESK,
    undo=UNDO,
    two_person=True,
    own=DESK.own | {RON},
    members={
        MEMBER: Colleague("Dana Levi", MEMBER, notify="board"),
        RON: Colleague("Ron Katz", RON, notify="board"),
    },
)


@pytest.fixture
def house(engine: Engine) -> Tracked:
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(mail(proven=True))
    tracked.send_all()
    return tracked


def name(tracked: Tracked, number: int = 0) -> TicketName:
    row = tracked.rows(ticket)[number]
    return TicketName(row.token, row.ref)


def says(tracked: Tracked, words: str, by: str = MEMBER, role: Role = Role.TEAM, number: int = 0) -> None:
    tracked.receive(mail(by, key(name(tracked, number), role), proven=True, text=words))


def state(tracked: Tracked) -> str:
    return str(tracked.rows(ticket)[0].state)


def echo(tracked: Tracked, to: str = MEMBER) -> str:
    found = [row for row in tracked.rows(message) if row.direction == "out" and row.counterpart == to]
    return str(found[-1].text)


def kinds(tracked: Tracked) -> list[str]:
    return [row.kind for row in tracked.rows(event)]


def to_researcher(tracked: Tracked) -> list[tuple[str, str]]:
    return [(row.template, row.state) for row in tracked.letters() if row.audience == "researcher"]


def test_an_answer_waits_and_goes_when_its_time_has_come(house: Tracked) -> None:
    says(house, "Thank you, we look at it.", role=Role.RESEARCHER)
    assert to_researcher(house) == [("acknowledgement", "accepted"), ("answer", "queued")]
    house.send_all()
    assert to_researcher(house)[1] == ("answer", "queued"), "it can be taken back"
    house.at += UNDO
    house.send_all()
    assert to_researcher(house)[1] == ("answer", "accepted")
    assert "until then /cancel drops it" in " ".join(echo(house).split())
    assert house.findings() == []


def test_a_cancelled_letter_never_goes_and_keeps_nothing(house: Tracked) -> None:
    says(house, "/assess accepted high\n\nWell found.")
    says(house, "/cancel")
    house.later(days=1)
    house.send_all()
    assert to_researcher(house) == [("acknowledgement", "accepted"), ("assessed", "dropped")]
    assert next(c for c in house.rows(clock) if c.promise == "assess").met_at is None
    assert state(house) == "accepted" and "stays done" in echo(house)
    says(house, "/cancel")
    assert "nothing waits any more" in " ".join(echo(house).split())


def test_a_letter_that_went_can_not_be_taken_back(house: Tracked) -> None:
    says(house, "/update\n\nWe work on it.")
    house.at += UNDO
    house.send_all()
    says(house, "/cancel")
    assert to_researcher(house)[1] == ("answer", "accepted")


def test_a_held_letter_waits_for_a_members_word(house: Tracked) -> None:
    says(house, "/update\n\nWe work on it.")
    says(house, "/hold")
    house.later(days=2)
    house.send_all()
    assert to_researcher(house)[1] == ("answer", "held")
    says(house, "/send", by=RON)
    house.send_all()
    assert to_researcher(house)[1] == ("answer", "accepted")
    assert kinds(house).count("kept_back") == kinds(house).count("released") == 1


def test_what_a_dropped_letter_told_is_told_again(house: Tracked) -> None:
    """News that nobody received are news."""
    says(house, "/assess accepted\n\nWell found.")
    says(house, "/cancel")
    house.later(days=13, hours=23)
    house.tend()
    (update,) = [row for row in house.rows(message) if row.direction == "out" and "We assessed your report" in row.text]
    assert update.counterpart == RESEARCHER


def test_commands_are_all_done_or_none(house: Tracked) -> None:
    says(house, "/assign me\n/close\n/assign Zoe")
    (row,) = house.rows(ticket)
    assert (row.assigned, row.state) == ("", "received")
    assert house.outcomes() == ["ticket", "held"] and "refused" in kinds(house)
    assert "no member" in echo(house) and "NOT" in echo(house)
    assert [row.template for row in house.letters() if row.to_lower == TEAM] == ["relay"], "nobody else is told"


def test_the_same_mail_twice_is_one_deed(house: Tracked) -> None:
    raw = mail(MEMBER, key(name(house), Role.TEAM), proven=True, text="/update\n\nWe work on it.")
    house.receive(raw)
    house.receive(raw)
    assert [t for t, _ in to_researcher(house)] == ["acknowledgement", "answer"]
    assert house.outcomes() == ["ticket", "appended", "copy"]


def test_an_unproven_members_commands_do_nothing(house: Tracked) -> None:
    """AT-31."""
    house.receive(mail(MEMBER, key(name(house), Role.TEAM), text="/close\n/add eve@evil.example"))
    assert state(house) == "received" and len(house.rows(participant)) == 1
    assert "nothing proves that you wrote it" in " ".join(echo(house).split())


def test_commands_in_what_a_member_forwards_or_quotes_do_nothing(house: Tracked) -> None:
    """Law 6: a stranger's words command nothing, whoever sends them on."""
    quoted = "> /close\n> /add eve@evil.example"
    head = "From: Eve <eve@evil.example>\nDate: Mon, 1 Jan 2026 10:00\nSubject: x"
    forwarded = f"---------- Forwarded message ---------\n{head}\n\n/close"
    for words in (quoted, f"On Mon, 1 Jan 2026, Eve <eve@evil.example> wrote:\n{quoted}", forwarded):
        says(house, words)
    assert state(house) == "received" and len(house.rows(participant)) == 1


def test_disclosure_takes_two_members(house: Tracked) -> None:
    """AT-31."""
    says(house, "/disclose 2027-01-15")
    (waits,) = house.rows(proposal)
    assert waits.settled_at is None and "second member" in echo(house)
    says(house, "/confirm")
    assert house.rows(proposal)[0].settled_at is None
    says(house, "/confirm", by=RON)
    assert house.rows(proposal)[0].settled_at is not None
    due = [c.due_at.date().isoformat() for c in house.rows(clock) if c.promise == "disclose"]
    assert due and due[-1] in ("2027-01-15", "2027-01-16")
    confirmed = [body_of(e) for e in house.rows(event) if e.kind == "confirmed"]
    assert confirmed[0]["actor"] == "member:Ron Katz" and confirmed[0]["data"]["by"] == "member:Dana Levi"


def test_one_proposal_of_a_kind_waits_at_a_time(house: Tracked) -> None:
    """Else whoever answers the mail about the first confirms a second that they have not read."""
    says(house, "/disclose 2027-01-15")
    says(house, "/disclose 2026-11-25")
    assert "is proposed already" in " ".join(echo(house).split())
    says(house, "/confirm", by=RON)
    due = [c.due_at.date().isoformat() for c in house.rows(clock) if c.promise == "disclose"]
    assert due and due[-1] in ("2027-01-15", "2027-01-16")
    assert [row.settled_at is not None for row in house.rows(proposal)] == [True]


def test_of_two_proposals_the_second_member_says_which(house: Tracked) -> None:
    says(house, "/assess accepted high")
    says(house, "/advisory A hole\n\nIt is mended.")
    says(house, "/disclose 2027-01-15")
    _published(house)
    says(house, "/revise A smaller hole\n\nIt is small.")
    says(house, "/confirm", by=RON)
    assert "/confirm disclose or /confirm revise" in " ".join(echo(house, RON).split())
    assert all(row.settled_at is None for row in house.rows(proposal))
    says(house, "/confirm revise", by=RON)
    assert [row.settled_at is not None for row in house.rows(proposal)] == [False, True]
    says(house, "/confirm nonsense", by=RON)
    assert "no /nonsense" in " ".join(echo(house, RON).split())
    says(house, "/confirm", by=RON)
    assert all(row.settled_at is not None for row in house.rows(proposal))


def _published(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        connection.execute(update(advisory).values(published_at=tracked.at))


def test_a_confirmation_of_what_its_writer_had_not_read_is_refused(engine: Engine) -> None:
    """One proposes, cancels and proposes otherwise, while the other answers the mail about the first."""
    house = open_tracker(engine, replace(HOUSE, members={**HOUSE.members, RON: Colleague("Ron Katz", RON)}))
    house.receive(mail(proven=True))
    says(house, "/disclose 2027-01-15")
    first = _last_to(house, RON)
    house.later(minutes=1)
    says(house, "/cancel")
    says(house, "/disclose 2026-11-25")
    second, to = _last_to(house, RON), key(name(house), Role.TEAM)
    house.receive(mail(RON, to, proven=True, text="/confirm", fields=(f"In-Reply-To: {first}",)))
    assert "was proposed after the mail that you answer" in " ".join(echo(house, RON).split())
    assert house.rows(proposal)[-1].settled_at is None
    house.receive(mail(RON, to, proven=True, text="/confirm", fields=(f"In-Reply-To: {second}",)))
    assert house.rows(proposal)[-1].settled_at is not None


def _last_to(tracked: Tracked, member: str) -> str:
    found = [row for row in tracked.rows(message) if row.direction == "out" and row.counterpart == member]
    return str(found[-1].message_id)


def test_a_participant_takes_part_from_then_on_and_no_longer(house: Tracked) -> None:
    """AT-3."""
    says(house, "/add friend@elsewhere.example")
    says(house, "/update\n\nWe work on it.")
    assert [row.to_lower for row in house.letters("answer")] == [RESEARCHER, "friend@elsewhere.example"]
    house.receive(mail("friend@elsewhere.example", key(name(house), Role.RESEARCHER), text="I saw it as well."))
    assert house.outcomes()[-1] == "appended"
    says(house, "/remove friend@elsewhere.example")
    house.receive(mail("friend@elsewhere.example", key(name(house), Role.RESEARCHER), text="And one thing more."))
    assert house.outcomes()[-1] == "held"


def test_mail_for_a_merged_ticket_goes_to_the_other(house: Tracked) -> None:
    """TH-8."""
    house.later(days=1)
    house.receive(mail(proven=True, text="Another page of yours does the same: see /search?q=1 and look at it there."))
    first, second = name(house), name(house, 1)
    says(house, f"/merge {first.ref}", number=1)
    assert [row.state for row in house.rows(ticket)] == ["received", "closed"]
    house.receive(mail(RESEARCHER, key(second, Role.RESEARCHER), proven=True, text="Any news of the second one?"))
    last = house.rows(message)[-1]
    came = [row for row in house.rows(message) if row.direction == "in"][-1]
    assert came.ticket_id == house.rows(ticket)[0].id and last.ticket_id == came.ticket_id
    says(house, "/note\nseen", number=1)
    assert [row for row in house.rows(message) if row.direction == "in"][-1].ticket_id == house.rows(ticket)[0].id
    assert house.findings() == []


def test_a_split_ticket_has_its_own_address_and_promises(house: Tracked) -> None:
    says(house, "/split SQL injection in the search")
    first, second = house.rows(ticket)
    assert second.subject == "SQL injection in the search" and second.received_at == first.received_at
    house.at += UNDO
    house.send_all()
    house.receive(mail(RESEARCHER, key(name(house, 1), Role.RESEARCHER), proven=True, text="More of the search."))
    assert [row for row in house.rows(message) if row.direction == "in"][-1].ticket_id == second.id
    assert {c.promise for c in house.rows(clock) if c.ticket_id == second.id} >= {"acknowledge", "assess", "update"}
    assert house.findings() == []


def test_a_note_stays_inside_and_an_answer_stays_outside(house: Tracked) -> None:
    """AT-29, law 7."""
    says(house, "He seems to know what he does.")
    says(house, "/note\nSecond thoughts.", role=Role.RESEARCHER)
    assert [t for t, _ in to_researcher(house)] == ["acknowledgement"]
    notes = [row for row in house.rows(message) if row.direction == "in" and row.audience == "team"]
    assert len(notes) == 2


def test_the_echo_carries_no_key_that_reaches_the_researcher_by_reply(house: Tracked) -> None:
    says(house, "/update\n\nWe work on it.")
    row = next(r for r in house.rows(message) if r.direction == "out" and r.counterpart == MEMBER)
    assert row.answers == "t"


def test_the_letters_state_is_what_the_database_holds_when_it_is_cancelled(house: Tracked) -> None:
    """The outbox has claimed it: too late."""
    says(house, "/update\n\nWe work on it.")
    house.at += UNDO
    (parcel,) = [p for p in house.claim() if p.recipient == RESEARCHER]
    says(house, "/cancel")
    house.record([parcel])
    assert to_researcher(house)[1] == ("answer", "accepted")
    assert "nothing waits" in echo(house)


def test_many_commands_in_one_wave_see_each_other(house: Tracked) -> None:
    to = key(name(house), Role.TEAM)
    house.receive(
        mail(MEMBER, to, proven=True, text="/assign me"),
        mail(RON, to, proven=True, text="/assign Ron"),
        mail(MEMBER, to, proven=True, text="/close"),
        mail(RON, to, proven=True, text="/reopen"),
    )
    (row,) = house.rows(ticket)
    assert (row.assigned, row.state) == (RON, "assessing")
    assert house.broken() == []


def test_an_assessment_keeps_its_promise_when_the_server_took_the_letter(house: Tracked) -> None:
    """SM-10."""
    says(house, "/assess accepted medium fix-by 2026-12-24")
    house.at += UNDO
    house.send_all()
    assert next(c for c in house.rows(clock) if c.promise == "assess").met_at == house.at
    (row,) = house.rows(ticket)
    assert (row.severity, row.state) == ("medium", "accepted")
    assert [r.author for r in house.rows(letter) if r.template == "assessed"] == [MEMBER]


def test_a_closed_report_is_open_again_when_its_proven_researcher_writes_three_times_a_day(house: Tracked) -> None:
    """TH-8."""
    to = key(name(house), Role.RESEARCHER)
    for number in range(4):
        says(house, "/close")
        house.receive(mail(RESEARCHER, to, proven=True, text=f"It is still there, look at page {number} of the list."))
        assert state(house) == ("assessing" if number < 3 else "closed")
    house.later(days=1, hours=1)
    house.receive(mail(RESEARCHER, to, text="It is there for sure, says nobody in particular."))
    assert state(house) == "closed", "what nothing proves opens nothing"
    house.receive(mail(RESEARCHER, to, proven=True, text="STATUS"))
    assert state(house) == "closed", "a request is no word on the matter"
    house.receive(mail(RESEARCHER, to, proven=True, text="It is still there on the last page of the list."))
    assert state(house) == "assessing"


def with_file(to: str, name_: str, content: bytes, text: str, author: str = RESEARCHER) -> bytes:
    message = EmailMessage()
    message["Authentication-Results"] = f"mx.example.test; dmarc=pass header.from={author.partition('@')[2]}"
    message["From"], message["To"], message["Subject"] = author, to, "a file"
    message["Message-ID"] = f"<{name_}.{len(content)}@{author.partition('@')[2]}>"
    message.set_content(text)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name_)
    return message.as_bytes(policy=SMTP)


def raw_letter(tracked: Tracked, row: Any) -> EmailMessage:
    with reading(tracked.engine) as connection:
        found = message_from_bytes(blobs.load(connection, [row.blob_id])[row.blob_id][1], policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_evidence_goes_to_the_member_who_asks_in_an_archive_that_the_password_of_another_mail_opens(
    house: Tracked,
) -> None:
    """AT-28: nobody else gets it, and its name can't leave its folder (AT-24)."""
    house.receive(with_file(key(name(house), Role.RESEARCHER), "../../poc.sh", b"#!/bin/sh\nid\n", "The script."))
    says(house, "/attachments")
    (row,) = house.letters("done")
    assert row.to_lower == MEMBER
    (archive,) = [part for part in raw_letter(house, row).walk() if part.get_content_type() == "application/zip"]
    says(house, "/password")
    password = re.search(r"[0-9a-z]{5}(?:-[0-9a-z]{5}){3}", echo(house))
    assert password and password[0] not in raw_letter(house, row).as_string()
    with pyzipper.AESZipFile(io.BytesIO(archive.get_payload(decode=True))) as opened:
        opened.setpassword(password[0].encode())
        (inner,) = opened.namelist()
        assert opened.read(inner) == b"#!/bin/sh\nid\n" and "/" not in inner and not inner.startswith(".")
    says(house, "/attachments 7")
    assert "there is no file 7" in echo(house)
    says(house, "/password", by=RON)
    assert password[0] not in echo(house, RON), "each member's archives open by their own"
    assert "shown" in kinds(house)


def test_a_members_file_goes_to_the_researcher_by_a_command_only(house: Tracked) -> None:
    to = key(name(house), Role.RESEARCHER)
    house.receive(with_file(to, "fix.patch", b"--- a\n+++ b\n", "Here is the fix.", MEMBER))
    (plain,) = house.letters("answer")
    assert b"fix.patch" not in raw_letter(house, plain).as_bytes() and "were NOT sent" in echo(house)
    house.receive(with_file(to, "fix2.patch", b"--- a\n+++ c\n", "/attach\n\nHere is the second fix.", MEMBER))
    (_, sent) = house.letters("answer")
    (part,) = list(raw_letter(house, sent).iter_attachments())
    assert part.get_filename() == "fix2.patch" and part.get_payload(decode=True) == b"--- a\n+++ c\n"
    assert MEMBER.encode() not in raw_letter(house, sent).as_bytes()


def test_a_ticket_is_shown_with_what_members_made_of_it(house: Tracked) -> None:
    says(house, "/assign me\n/assess accepted cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    with reading(house.engine) as connection:
        document = one_ticket(connection, name(house).token)
    assert document is not None
    assert (document["severity"], document["assigned"]) == ("critical", MEMBER)
    assert document["cvss"] == "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def test_a_refused_mail_is_mended_and_sent_again_and_its_text_is_no_secret(house: Tracked) -> None:
    says(house, "/assess accepted high low\n\nThank you Noa, we could reproduce all of it this morning.")
    assert "NOTHING of it was done" in echo(house)
    says(house, "/assess accepted high\n\nThank you Noa, we could reproduce all of it this morning.")
    assert [r.hold_reason for r in house.letters("assessed")] == [""]
    says(house, "/note\n/close\n\nThe billing host of last year has the very same hole in it.")
    says(house, "/update\n\nThe billing host of last year has the very same hole in it.")
    assert house.letters("answer")[0].state == "held", "what was noted stays inside"
