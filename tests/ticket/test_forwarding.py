"""A member forwards a report that came to a wrong address: whose ticket it is, who is answered, and what stays inside."""

from __future__ import annotations

import pytest

from tests.ticket.forwards import REMARK, REPORTED, REPORTER, attached, inline
from tests.ticket.scene import AT, DESK, MAILBOX, MEMBER, STRANGER, TEAM, TICKET, arrive, decide, entropy, known, view
from triaged.ticket.arrival import receive
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.events import EventKind
from triaged.ticket.forwarding import AGAIN, REASON, clues_of
from triaged.ticket.letters import Audience

SHAPES = {"inline": inline(), "attached": attached()}


@pytest.mark.parametrize("raw", SHAPES.values(), ids=SHAPES)
def test_the_ticket_is_the_original_senders_and_nobody_is_answered(raw: bytes) -> None:
    caused = decide(raw)
    assert caused.outcome is Outcome.TICKET and caused.reason == REASON and caused.opens is not None
    assert (caused.opens.reporter, caused.opens.reporter_name) == (REPORTER, "Noa Barak")
    assert not caused.opens.reporter_proven and caused.opens.forwarded_by == MEMBER
    assert caused.opens.received_at == AT and {c.started_at for c in caused.clocks} == {AT}
    assert {letter.audience for letter in caused.letters} == {Audience.TEAM}
    unanswered = next(e for e in caused.events if e.kind is EventKind.UNANSWERED)
    assert unanswered.data["why"] == [[REASON, "From"]]


@pytest.mark.parametrize("raw", SHAPES.values(), ids=SHAPES)
def test_the_reporters_words_are_the_forwarded_ones_and_the_remark_is_a_note(raw: bytes) -> None:
    """AT-29: nothing of the remark stands where a letter to the researcher could ever take it from."""
    caused = decide(raw)
    assert caused.passed_on is not None
    assert caused.passed_on.text.strip() == REPORTED and caused.passed_on.remarks == REMARK
    assert caused.passed_on.subject == "XSS in login"
    assert not any("db7" in fact.value for fact in caused.facts)
    assert any(fact.kind == "url" for fact in caused.facts)
    assert caused.gaps is not None and "steps" not in caused.gaps.items and not caused.gaps.asked


def test_an_attached_originals_own_message_id_is_kept_so_that_its_sender_can_follow_up() -> None:
    """TH-1."""
    for raw, own in ((attached(), "<original@example.org>"), (inline(), "")):
        caused = decide(raw)
        assert caused.passed_on is not None and caused.passed_on.message_id == own


def test_the_teams_mail_says_who_forwarded_it_and_that_nobody_was_answered() -> None:
    (letter,) = decide(inline()).letters
    words = " ".join(letter.text.split())
    assert letter.to == TEAM
    assert "forwarded by Dana Levi; the original sender has not been answered; reply `/acknowledge` to do so" in words
    assert REPORTER in words and "the remark above it, for the team alone: This came to info@" in words
    assert "> Opening hxxps://app[.]example[.]test" in letter.text


UNREADABLE = {
    "no address": "Noa Barak",
    "two addresses": "noa@example.org, eve@evil.example",
    "one in the name of another": "victim@example.org <noa@example.org> <eve@evil.example>",
    "a group": "us: noa@example.org;",
    "a member": f"Dana <{MEMBER}>",
    "our own mailbox": MAILBOX,
    "our mailbox with a detail": MAILBOX.replace("@", "+x@"),
    "the team": TEAM,
}


@pytest.mark.parametrize("sender", UNREADABLE.values(), ids=UNREADABLE)
def test_whoever_is_no_single_stranger_is_no_reporter_and_the_team_reads_so(sender: str) -> None:
    """AT-10, AR-3."""
    caused = decide(inline(sender=sender))
    assert caused.opens is not None and caused.opens.reporter == "" and caused.opens.forwarded_by == MEMBER
    assert "nobody can be answered" in " ".join(caused.letters[0].text.split())


@pytest.mark.parametrize("raw", [inline(proven=False), inline(STRANGER), inline(STRANGER, proven=False)])
def test_nobody_else_forwards_for_another(raw: bytes) -> None:
    """Law 6: anybody can write any name into a forward."""
    caused = decide(raw)
    author = arrive(raw).message.author
    assert caused.passed_on is None and caused.opens is not None and author is not None
    assert (caused.opens.reporter, caused.opens.forwarded_by) == (author.address, "")


def test_a_machine_that_forwards_in_a_members_name_is_no_member() -> None:
    raw = inline().replace(b"Subject: Fwd", b"Auto-Submitted: auto-generated\r\nSubject: Fwd", 1)
    assert decide(raw).passed_on is None


def again(raw: bytes, ticket: str | None) -> Consequence:
    arrival = arrive(raw)
    facts = known(arrival, DESK, view(forwarded_by=MEMBER), same_text=ticket)
    return receive(arrival, clues_of(arrival, DESK), facts, DESK, AT, entropy)


def test_the_same_report_sent_on_again_joins_as_a_note_and_tells_nobody() -> None:
    caused = again(inline(remark="And once more, in case that you missed it."), TICKET.token)
    assert (caused.outcome, caused.reason, caused.letters) == (Outcome.APPENDED, AGAIN, ())
    assert caused.placed is not None and caused.placed.audience is Audience.TEAM


def test_two_forwards_are_the_same_by_what_was_forwarded_and_not_by_the_remark_above() -> None:
    first, other = inline(), inline(reported="Another report, of a door that stands open in your second system.")
    hashes = [clues_of(arrive(raw), DESK).text_hash for raw in (first, inline(remark="Once more."), other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_of_a_chain_of_forwards_the_remarks_of_all_who_sent_it_on_are_notes() -> None:
    inner = "---------- Forwarded message ---------\nFrom: Bob <bob@example.test>\nSubject: Fwd: XSS\nTo: x\n\nBob's secret.\n\n"
    caused = decide(inline(remark=f"{REMARK}\n\n{inner}"))
    assert caused.passed_on is not None
    assert caused.passed_on.text.strip() == REPORTED and "Bob's secret" in caused.passed_on.remarks
    assert caused.passed_on.author == REPORTER


def test_a_quoted_forward_loses_its_marks() -> None:
    quoted = "\n".join(f"> {line}" for line in REPORTED.split("\n"))
    caused = decide(inline(reported=quoted))
    assert caused.passed_on is not None and caused.passed_on.text.strip() == REPORTED
