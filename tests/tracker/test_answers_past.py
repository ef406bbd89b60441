"""Answers that people send from the mailbox itself, in the rows of both databases: clocks, news, threads, and nothing twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.ticket.scene import AT, DESK, FRIEND, MAILBOX, MEMBER, RESEARCHER, STRANGER, mail
from tests.tracker.test_outbox import bounce
from tests.tracker.tracked import SENT, Tracked, body_of
from triaged.mail.ports import Fetched
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.events import State
from triaged.ticket.reference import token_of
from triaged.ticket.verbs import move
from triaged.tracker import showing, tending
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import clock, event, letter, message, participant, person, receipt, ticket

REPORT = "<the.report@example.org>"
LETTER = "<written.by.hand@example.test>"
WORDS = "Thank you, we could reproduce it and will write again on Tuesday."
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def reported(tracked: Tracked) -> Tracked:
    """A report that nothing proves: acknowledged in the minimal form, and nothing more goes to its sender by itself."""
    tracked.receive(mail(message_id=REPORT))
    tracked.send_all()
    tracked.later(hours=2)
    return tracked


def by_hand(to: str = RESEARCHER, *, names: str = REPORT, message_id: str = LETTER, author: str = MAILBOX) -> bytes:
    return mail(author, to, text=WORDS, fields=(f"In-Reply-To: {names}",), message_id=message_id)


def found(tracked: Tracked, *raws: bytes, at: datetime | None = None) -> None:
    """Letters lie in the sent folder, and are taken in."""
    tracked.deliver(*raws, folder=SENT, at=at)
    tracked.take_in()


def clocks(tracked: Tracked) -> dict[str, Any]:
    return {f"{row.promise} {row.round}": row for row in tracked.rows(clock)}


def loaded(tracked: Tracked) -> Any:
    with writing(tracked.engine) as connection:
        one = tending.load(connection, tracked.rows(ticket)[0].id)
    assert one is not None
    return one.ticket


def to_researcher(tracked: Tracked) -> list[Any]:
    return [row for row in tracked.letters() if row.audience == "researcher"]


def test_it_keeps_the_clocks_that_a_members_answer_keeps_at_its_own_instant(reported: Tracked) -> None:
    before = clocks(reported)
    sent_at = AT + HOUR
    found(reported, by_hand(), at=sent_at)
    after = clocks(reported)
    kept = {name for name, row in after.items() if row.met_at is not None and row.kept_by == LETTER}
    assert kept == {"update 1"} - {name for name, row in before.items() if row.met_at}
    assert after["assess 1"].met_at is None, "whether it assesses the report, nobody but a person sees"
    assert {after[name].met_at for name in kept} == {sent_at}
    assert "update 2" in after and after["update 2"].started_at == sent_at
    assert after["fix 1"].met_at is None if "fix 1" in after else True
    assert reported.findings() == [] and reported.broken() == []


def test_the_team_reads_that_the_assessment_is_owed_and_keeps_it_by_a_word(reported: Tracked) -> None:
    """By the policy that the ticket came in under, whatever the policy of today says."""
    found(reported, by_hand())
    texts = [" ".join(row.text.split()) for row in reported.rows(message, direction="out", audience="team")]
    assert any("assess is still owed" in text and "/keep assess" in text for text in texts)
    reported.orders(reported.refs()[0], "/keep assess")
    assert clocks(reported)["assess 1"].met_at == reported.at and reported.findings() == []


def test_what_the_server_dates_in_the_future_was_sent_now(reported: Tracked) -> None:
    found(reported, by_hand(), at=reported.at + 30 * DAY)
    assert clocks(reported)["update 1"].met_at == reported.at


def test_nothing_goes_to_the_researcher_and_the_team_gets_one_mail(reported: Tracked) -> None:
    before = len(to_researcher(reported))
    found(reported, by_hand())
    assert len(to_researcher(reported)) == before
    assert [row.audience for row in reported.letters("answered_past")] == ["team"]


def test_it_is_the_last_letter_and_makes_the_reporter_reachable(reported: Tracked) -> None:
    """Law 5: a member wrote to them."""
    assert not loaded(reported).reachable
    sent_at = AT + HOUR
    found(reported, by_hand(), at=sent_at)
    after = loaded(reported)
    assert after.reachable and after.written_at == sent_at
    assert after.happenings == () and after.researcher_ids[-1] == LETTER


def test_a_letter_to_another_participant_alone_makes_nobody_reachable(reported: Tracked) -> None:
    with writing(reported.engine) as connection:
        row = {"tenant": "default", "address": FRIEND, "written": FRIEND, "name": ""}
        number = connection.execute(person.insert().values(row)).inserted_primary_key[0]
        named = {"ticket_id": reported.rows(ticket)[0].id, "person_id": number, "role": "participant"}
        connection.execute(participant.insert().values(**named, proven=False, since=AT))
    found(reported, by_hand(FRIEND))
    assert reported.rows(receipt)[-1].outcome == "appended"
    assert not loaded(reported).reachable


def test_a_letter_that_is_found_late_does_not_hide_what_happened_since(reported: Tracked) -> None:
    """The sent folder could not be swept for hours: what was done meanwhile is still news."""
    reported.act(reported.refs()[0], lambda one, desk: move(one, State.ASSESSING, "member:Dana", reported.at))
    found(reported, by_hand(), at=AT + HOUR)
    after = loaded(reported)
    assert after.written_at == AT + HOUR
    assert [one.words for one in after.happenings] == ["We began to assess your report."]


@pytest.mark.parametrize("fields", [f"In-Reply-To: {LETTER}", f"References: {REPORT} {LETTER}"])
def test_the_researchers_reply_to_it_joins_the_ticket(reported: Tracked, fields: str) -> None:
    """TH-1."""
    found(reported, by_hand())
    reported.receive(mail(text="And here is what I see in version two.", fields=(fields,)))
    assert len(reported.refs()) == 1
    assert reported.rows(receipt)[-1].outcome == "appended"


def test_the_reply_may_be_found_before_the_letter_that_it_answers(reported: Tracked) -> None:
    answered = (f"In-Reply-To: {LETTER}", f"References: {REPORT} {LETTER}")
    reported.receive(mail(text="And here is what I see in version two.", fields=answered))
    found(reported, by_hand())
    assert len(reported.refs()) == 1
    assert [row.outcome for row in reported.rows(receipt)] == ["ticket", "appended", "appended"]


def test_a_strangers_reply_to_it_does_not_join(reported: Tracked) -> None:
    """TH-2."""
    found(reported, by_hand())
    reported.receive(mail(STRANGER, text="I would like to have all that.", fields=(f"In-Reply-To: {LETTER}",)))
    assert reported.rows(receipt)[-1].outcome in ("ticket", "held")
    assert {row.counterpart for row in reported.rows(message, ticket_id=1)} & {STRANGER} == set()


def test_our_next_letter_threads_after_it(reported: Tracked) -> None:
    """TH-3."""
    found(reported, by_hand())
    to = keyed_address(MAILBOX, token_of(reported.refs()[0]) or "", Role.RESEARCHER, DESK.keys[0])
    reported.receive(mail(MEMBER, to, proven=True, text="We have fixed it, please look again."))
    sent = next(parcel for parcel in reported.send_all() if parcel.recipient == RESEARCHER)
    assert f"In-Reply-To: {LETTER}".encode() in sent.data


def test_copies_of_our_own_letters_are_filed_and_send_nothing(reported: Tracked) -> None:
    with reading(reported.engine) as connection:
        every = [showing.one_letter(connection, row.id) for row in reported.rows(letter)]
    before = len(reported.letters()), len(reported.rows(event)), clocks(reported)
    found(reported, *(one[1] for one in every if one))
    assert reported.outcomes()[1:] == ["filed"] * len(every)
    assert (len(reported.letters()), len(reported.rows(event)), clocks(reported)) == before


def test_the_folder_numbered_anew_sends_nothing_and_keeps_nothing_twice(reported: Tracked) -> None:
    """IM-3."""
    found(reported, by_hand())
    before = len(reported.letters()), len(reported.rows(event)), clocks(reported)
    reported.later(hours=1)
    folders, raw = reported.folders(), by_hand()
    folders.open(SENT, 2)
    folders.keep(SENT, 2, [Fetched(1, reported.at, len(raw), raw, False, False)], 1)
    reported.take_in()
    assert reported.outcomes()[-1] == "copy"
    assert (len(reported.letters()), len(reported.rows(event)), clocks(reported)) == before


def test_a_second_copy_with_other_fields_counts_once(reported: Tracked) -> None:
    """The client files one with Bcc, the server one without."""
    found(reported, by_hand(), by_hand().replace(b"To: ", b"Bcc: boss@example.test\r\nTo: ", 1))
    assert reported.outcomes()[1:] == ["appended", "filed"]
    assert len(reported.letters("answered_past")) == 1


def test_an_answer_that_came_to_the_mailbox_as_well_counts_all_the_same(reported: Tracked) -> None:
    """Somebody answers with a copy to the mailbox itself, and that copy is taken in first."""
    both = by_hand(f"{RESEARCHER}, {MAILBOX}")
    reported.receive(both)
    acknowledged = len(reported.letters("acknowledgement"))
    found(reported, both)
    assert reported.outcomes()[-1] == "appended" and clocks(reported)["update 1"].kept_by == LETTER
    assert len(reported.letters("acknowledgement")) == acknowledged
    reported.receive(mail(text="Thank you for the quick answer of yours.", fields=(f"In-Reply-To: {LETTER}",)))
    assert reported.rows(receipt)[-1].ticket_id == reported.rows(ticket)[0].id


def test_a_report_that_somebody_moved_there_is_taken_in_where_it_is_moved_back_to(tracked: Tracked) -> None:
    """P3: nothing is lost by a slip of the mouse."""
    raw = mail(proven=True)
    found(tracked, raw)
    assert tracked.outcomes() == ["filed"] and tracked.letters() == []
    tracked.receive(raw)
    assert tracked.outcomes() == ["filed", "ticket"]


def test_what_was_swept_as_sent_stays_so_whatever_the_settings_say_later(reported: Tracked) -> None:
    """A folder that is no sent folder any more must not turn its letters into reports."""
    reported.deliver(mail(MAILBOX, STRANGER, text="We thank you for the offer and decline."), folder=SENT)
    (row,) = [one for one in reported.rows(receipt) if one.folder == SENT]
    assert row.sent and row.outcome == "waiting"
    assert not any(one.sent for one in reported.rows(receipt) if one.folder != SENT)


def test_what_cannot_be_read_there_opens_no_ticket(reported: Tracked) -> None:
    found(reported, b"", b"\x00\xff" * 5000)
    assert len(reported.refs()) == 1 and set(reported.outcomes()[1:]) == {"filed"}


def test_it_is_shown_as_what_the_team_wrote(reported: Tracked) -> None:
    found(reported, by_hand())
    with reading(reported.engine) as connection:
        shown = showing.one_ticket(connection, token_of(reported.refs()[0]) or "")
    assert shown is not None
    (own,) = [one for one in shown["messages"] if one["message_id"] == LETTER]
    assert (own["direction"], own["audience"], own["from"]["address"]) == ("out", "researcher", "security")
    (happened,) = [body_of(row) for row in reported.rows(event, kind="message")]
    assert happened["actor"] == "mailbox" and "past triaged" in happened["data"]["note"]


def test_a_bounce_of_it_reaches_the_team(reported: Tracked) -> None:
    found(reported, by_hand())
    reported.receive(bounce(reported, MAILBOX, LETTER))
    assert reported.rows(receipt)[-1].outcome == "appended"
    assert [row.audience for row in reported.letters("undelivered")] == ["team"]
