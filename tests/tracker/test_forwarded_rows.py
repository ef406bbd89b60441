"""Reports that a member sent on, in the rows of both databases: whose words stand where, and who is no party."""

from __future__ import annotations

from tests.ticket.forwards import REMARK, REPORTED, REPORTER, attached, inline
from tests.ticket.scene import DESK, MAILBOX, MEMBER, STRANGER, mail
from tests.tracker.tracked import Tracked, body_of
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.reference import token_of
from triaged.tracker import showing
from triaged.tracker.engine import reading
from triaged.tracker.schema import event, fact, message, receipt, ticket


def to_researcher(tracked: Tracked) -> list[str]:
    return [row.to_address for row in tracked.letters() if row.audience == "researcher"]


def test_the_two_conversations_hold_the_original_and_the_remark_apart(tracked: Tracked) -> None:
    tracked.receive(inline())
    (theirs, note, told) = tracked.rows(message)
    assert (theirs.audience, theirs.counterpart, theirs.text.strip()) == ("researcher", REPORTER, REPORTED)
    assert (note.audience, note.counterpart, note.text) == ("team", MEMBER, REMARK)
    assert told.direction == "out" and told.audience == "team"
    assert {row.message_id for row in tracked.rows(fact)} == {theirs.id}
    assert tracked.findings() == [] and tracked.broken() == []


def test_show_names_the_forwarder_who_is_no_participant(tracked: Tracked) -> None:
    tracked.receive(inline(), mail(STRANGER))
    with reading(tracked.engine) as connection:
        first, second = (showing.one_ticket(connection, token_of(ref) or "") for ref in tracked.refs())
    assert first is not None and second is not None
    assert (first["forwarded_by"], second["forwarded_by"]) == (MEMBER, None)
    assert [p["address"] for p in first["participants"]] == [REPORTER]
    opened = body_of(tracked.rows(event, kind="received")[0])
    assert opened["actor"] == "member:Dana Levi" and opened["data"]["forwarded_by"] == MEMBER


def test_nobody_is_written_to_by_itself_however_long_it_waits(tracked: Tracked) -> None:
    """Law 5, and law 8: the team hears of what falls due."""
    tracked.receive(inline())
    tracked.later(days=40)
    tracked.tend()
    assert to_researcher(tracked) == []
    assert tracked.letters("reminder")


def test_the_original_sender_joins_by_their_own_message_id(tracked: Tracked) -> None:
    """TH-1."""
    tracked.receive(attached())
    tracked.receive(
        mail(REPORTER, text="I forgot the video, here it is.", fields=("In-Reply-To: <original@example.org>",))
    )
    assert len(tracked.refs()) == 1 and tracked.outcomes() == ["ticket", "appended"]


def test_a_members_answer_names_nothing_of_the_forwarders_mail(tracked: Tracked) -> None:
    """What goes out threads after the original, or after nothing: the member's Message-ID stays inside."""
    tracked.receive(inline())
    tracked.send_all()
    own = next(row.message_id for row in tracked.rows(message, audience="team", direction="in"))
    to = keyed_address(MAILBOX, token_of(tracked.refs()[0]) or "", Role.RESEARCHER, DESK.keys[0])
    tracked.receive(mail(MEMBER, to, proven=True, text="Thank you, we have your report and look into it."))
    sent = next(parcel for parcel in tracked.send_all() if parcel.recipient == REPORTER)
    assert own.encode() not in sent.data and b"db7" not in sent.data and b"In-Reply-To" not in sent.data


def test_what_the_forwarder_adds_to_their_own_mail_is_a_note(tracked: Tracked) -> None:
    tracked.receive(inline())
    own = next(row.message_id for row in tracked.rows(message, audience="team", direction="in"))
    more = mail(MEMBER, proven=True, text="And they called us, too.", fields=(f"In-Reply-To: {own}",))
    tracked.receive(more)
    assert tracked.rows(receipt)[-1].reason == "note" and to_researcher(tracked) == []


def test_the_same_forward_twice_is_one_ticket(tracked: Tracked) -> None:
    first = inline()
    tracked.receive(first, first, inline(remark="Once more, in case that you missed it."))
    assert tracked.outcomes() == ["ticket", "copy", "appended"]
    assert len(tracked.rows(ticket)) == 1 and len(tracked.letters("relay")) == 1


def test_the_original_senders_own_report_is_answered_as_any(tracked: Tracked) -> None:
    """A forward that waits for the team must not swallow the acknowledgement of who writes to us."""
    tracked.receive(inline())
    tracked.receive(mail(REPORTER, proven=True, text=REPORTED))
    assert tracked.outcomes() == ["ticket", "ticket"] and to_researcher(tracked) == [REPORTER]
