"""Orders carried out on a ticket: each verb, who may use it, where text goes, what waits, what is refused."""

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
    POLICIES,
    RESEARCHER,
    TICKET,
    entropy,
    view,
    worked,
)
from triaged.message.replies import own_words
from triaged.policy.load import load_policy
from triaged.ticket.address import Role
from triaged.ticket.clocks import is_open
from triaged.ticket.commands import EVERYBODY, VERBS
from triaged.ticket.desk import Colleague
from triaged.ticket.events import EventKind, State
from triaged.ticket.grammar import Orders, Refused, read_orders
from triaged.ticket.known import OpenPromise
from triaged.ticket.letters import Audience
from triaged.ticket.obeying import DEEDS, obey
from triaged.ticket.worked import Obeyed, Other, Person, WaitingLetter, Worked, case_of

RON, LEA, OLA = "ron@example.test", "lea@example.test", "ola@example.test"
TEAM_DESK = replace(
    DESK,
    undo=timedelta(seconds=120),
    two_person=True,
    members={
        MEMBER: Colleague("Dana Levi", MEMBER),
        RON: Colleague("Ron Katz", RON),
        LEA: Colleague("Lea Lead", LEA, "lead"),
        OLA: Colleague("Ola Observer", OLA, "observer"),
    },
)
PROMISES = (
    OpenPromise("acknowledge", "acknowledging", AT, True),
    OpenPromise("assess", "an initial assessment", AT + timedelta(days=7), False),
    OpenPromise("update", "regular updates", AT + timedelta(days=14), False, every=True),
)
EARLIER = Other(OTHER, RESEARCHER, AT - timedelta(days=3), False, False)


def obeyed(
    words: str, by: str = MEMBER, role: Role = Role.TEAM, ticket: Worked | None = None, desk=TEAM_DESK
) -> Obeyed | Refused:  # type: ignore[no-untyped-def]
    orders = read_orders(own_words(words, 1000))
    if isinstance(orders, Refused):
        return orders
    return obey(ticket or worked(view(promises=PROMISES)), orders, role, case_of(by, desk, AT, entropy, by_mail=True))


def done(words: str, **changes: Any) -> Obeyed:
    found = obeyed(words, **changes)
    assert isinstance(found, Obeyed), found
    return found


def refused(words: str, **changes: Any) -> Refused:
    found = obeyed(words, **changes)
    assert isinstance(found, Refused), found
    return found


def kinds(found: Obeyed) -> list[EventKind]:
    return [event.kind for event in found.events]


def test_every_verb_has_its_deed_and_no_deed_is_without_a_verb() -> None:
    assert set(DEEDS) | {"confirm"} == set(VERBS)


# --- where the text goes


def test_a_text_without_a_command_is_an_answer_or_a_note_by_its_address() -> None:
    answer = done("Thank you.", role=Role.RESEARCHER)
    assert [(x.to, x.text.strip(), x.audience) for x in answer.letters] == [
        (RESEARCHER, "Thank you.", Audience.RESEARCHER)
    ]
    note = done("He seems to know what he does.", role=Role.TEAM)
    assert note.letters == () and note.noted


def test_a_text_beside_commands_that_take_none_is_refused_at_the_researchers_address_and_a_note_at_the_teams() -> None:
    """Never to both, and never by accident."""
    assert "where its text goes" in refused("/close\n\nWe are done here.", role=Role.RESEARCHER).why
    found = done("/close\n\nWe are done here.", role=Role.TEAM)
    assert found.noted and found.letters == () and found.worked.tended.state is State.CLOSED


def test_a_note_sent_to_the_researchers_address_stays_a_note() -> None:
    found = done("/note\nHe is a crank.", role=Role.RESEARCHER)
    assert found.noted and found.letters == ()


def test_a_mail_without_words_does_nothing() -> None:
    assert "no words" in refused("", role=Role.RESEARCHER).why


# --- letters


def test_a_letter_waits_for_the_undo_time_and_the_echo_says_until_when() -> None:
    found = done("/reply\nThank you.")
    assert found.letters[0].not_before == AT + timedelta(seconds=120)
    assert found.letters[0].author == MEMBER
    assert any("/cancel drops it" in line for line in found.lines)


def test_a_question_waits_on_the_researcher() -> None:
    found = done("/ask\nWhich version?")
    assert found.worked.tended.waiting and EventKind.WAITING in kinds(found)


def test_what_goes_out_holds_nothing_of_the_member() -> None:
    """AT-29, AT-30."""
    letter = done("/update\nWe work on it.").letters[0]
    for inside in (b"Dana", b"dana@", b"example.test; ", b"team@", b"Received", b"User-Agent", b"Cc:", b"Bcc"):
        assert inside not in letter.data


def test_quoted_team_mail_is_refused() -> None:
    """AT-29."""
    assert "team's mail says" in refused("/reply\nYes.\n\nA reply to this mail stays with the team.").why


def test_participants_get_what_the_researcher_gets_each_alone_and_only_the_reporters_keeps_promises() -> None:
    ticket = worked(view())
    friend = Person(FRIEND, FRIEND, "", "participant", False)
    found = done("/reply\nThank you both.", ticket=replace(ticket, people=(*ticket.people, friend)))
    assert [x.to for x in found.letters] == [RESEARCHER, FRIEND]
    assert found.letters[0].meets and not found.letters[1].meets
    assert FRIEND.encode() not in found.letters[0].data and RESEARCHER.encode() not in found.letters[1].data


def test_nobody_to_write_to_is_said() -> None:
    assert "nobody to write to" in refused("/reply\nHello.", ticket=worked(view(reporter="", reporter_written=""))).why


def test_a_report_is_acknowledged_once() -> None:
    """AR-10."""
    found = done("/acknowledge", ticket=worked(view(reporter_proven=False)))
    (letter,) = found.letters
    assert letter.template == "acknowledgement" and "acknowledge" in letter.meets
    assert "XSS in login" not in letter.subject + letter.text, "P2: what nothing proves does not come back"
    assert "acknowledged already" in refused("/acknowledge", ticket=worked(view(), acknowledged=True)).why


def waiting(state: str = "queued") -> WaitingLetter:
    return WaitingLetter(7, "<x@y>", RESEARCHER, "Re: XSS", "answer", state, AT + timedelta(seconds=60), "", MEMBER)


def test_cancel_drops_what_waits_and_says_what_stays() -> None:
    found = done("/cancel", ticket=worked(view(), waiting=(waiting(),)))
    assert [x.state for x in found.worked.waiting] == ["dropped"] and kinds(found) == [EventKind.CANCELLED]
    assert "can't be taken back" in refused("/cancel").why


def test_hold_keeps_it_back_and_send_lets_it_go() -> None:
    held = done("/hold", ticket=worked(view(), waiting=(waiting(),)))
    assert held.worked.waiting[0].state == "held" and held.worked.waiting[0].reason == "held by Dana Levi"
    sent = done("/send", ticket=held.worked)
    assert sent.worked.waiting[0].state == "queued" and sent.worked.waiting[0].not_before == AT
    assert "no letter is held" in refused("/send").why and "no letter is waiting" in refused("/hold").why


# --- what became of the report


def test_an_assessment_tells_the_researcher_and_keeps_the_promise() -> None:
    words = "/assess accepted cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H fix-by 24 December\n\nWell found."
    found = done(words)
    (letter,) = found.letters
    for said in ("accepted it", "critical (9.8", "by the end of Thursday, 24 December 2026", "Well found."):
        assert said in letter.text
    assert "assess" in letter.meets
    assert (found.worked.severity, found.worked.tended.state) == ("critical", State.ACCEPTED)
    fix = next(c for c in found.worked.tended.clocks if c.promise == "fix")
    assert is_open(fix)
    assert kinds(found) == [EventKind.STARTED, EventKind.VALID, EventKind.ASSESSED]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("/assess", "say accepted or declined first"),
        ("/assess maybe", "say accepted or declined first"),
        ("/assess accepted bananas", "can't be read"),
        ("/assess accepted out-of-scope", "why a report is declined"),
        ("/assess accepted high low", "at once"),
        ("/assess accepted low cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "at once"),
        ("/assess accepted cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "can't be read"),
        ("/assess accepted cvss 9.8", "can't be read"),
        ("/assess accepted fix-by 3/4/2027", "begins with no day"),
        ("/assess accepted fix-by 2020-01-01", "is past"),
        ("/assess declined duplicate fix-by", "can't be read"),
    ],
)
def test_an_assessment_that_can_not_be_read_does_nothing(words: str, why: str) -> None:
    assert why in refused(words).why


def test_a_declined_report_says_why_in_our_words() -> None:
    found = done("/assess declined not-reproducible\n\nPlease send the steps again.")
    assert "could not reproduce it" in found.letters[0].text and found.worked.decision == "not-reproducible"
    assert found.worked.tended.state is State.DECLINED


def test_cvss_4_is_read_too() -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    assert done(f"/assess accepted {vector}").worked.severity == "critical"


def test_a_duplicate_is_declined_and_the_letter_names_no_other_ticket() -> None:
    """Law 7."""
    found = done(f"/duplicate-of {OTHER.ref}", ticket=worked(view(), others={OTHER.token: EARLIER}))
    assert OTHER.ref not in found.letters[0].text and "known to us" in found.letters[0].text
    assert found.elsewhere[0][0] == OTHER.token
    assert "there is no ticket" in refused("/duplicate-of IMS-1111-1111").why
    assert (
        "this ticket"
        in refused(
            f"/duplicate-of {TICKET.ref}", ticket=worked(view(), others={TICKET.token: replace(EARLIER, name=TICKET)})
        ).why
    )


def test_merging_joins_tickets_of_one_researcher_only() -> None:
    """Law 7, TH-8."""
    found = done(f"/merge {OTHER.ref}", ticket=worked(view(), others={OTHER.token: EARLIER}))
    assert found.worked.merged_into == OTHER.token and found.worked.tended.state is State.CLOSED
    assert not [c for c in found.worked.tended.clocks if is_open(c)]
    for other, why in (
        (replace(EARLIER, reporter="eve@evil.example"), "of another researcher"),
        (replace(EARLIER, merged=True), "merged itself"),
        (replace(EARLIER, received_at=AT), "came later"),
    ):
        assert why in refused(f"/merge {OTHER.ref}", ticket=worked(view(), others={OTHER.token: other})).why


def test_a_split_opens_a_second_ticket_with_promises_from_the_reports_receipt() -> None:
    found = done("/split SQL injection in the search")
    (split,) = found.splits
    assert split.new.subject == "SQL injection in the search" and split.new.reporter == RESEARCHER
    assert {c.started_at for c in split.clocks} == {AT - timedelta(hours=1)}
    (letter,) = found.letters
    assert letter.token == split.new.name.token and split.new.name.ref in letter.text


def test_a_ticket_is_closed_and_taken_up_again() -> None:
    closed = done("/close")
    assert "closed already" in refused("/close", ticket=closed.worked).why
    again = done("/reopen", ticket=closed.worked)
    assert again.worked.tended.state is State.ASSESSING
    assert "is open" in refused("/reopen").why


def test_spam_is_closed_and_owes_nothing() -> None:
    found = done("/spam")
    assert found.worked.tended.state is State.CLOSED and found.letters == ()
    assert not [c for c in found.worked.tended.clocks if is_open(c)]


def test_a_question_owes_the_acknowledgement_alone_and_a_report_again_all() -> None:
    question = done("/question")
    assert {c.promise for c in question.worked.tended.clocks if is_open(c)} <= {"acknowledge"}
    report = done("/report", ticket=question.worked)
    assert {"assess", "update"} <= {c.promise for c in report.worked.tended.clocks if is_open(c)}


def test_words_that_mean_nothing_are_refused_not_swallowed() -> None:
    for words in ("/close now", "/fixed yesterday", "/wait a bit", "/cancel it", "/show me"):
        assert "means nothing" in refused(words).why


# --- promises and people


def test_a_date_is_extended_with_a_reason_that_the_researcher_reads() -> None:
    ticket = done("/assess accepted fix-by 2026-12-01").worked
    found = done("/extend 2026-12-24 the vendor needs two more weeks", ticket=ticket)
    assert "the vendor needs two more weeks" in found.letters[0].text
    assert found.letters[0].not_before == AT + timedelta(seconds=120), "a member's words can be taken back"
    assert "say why" in refused("/extend 2026-12-24", ticket=ticket).why
    assert "not later" in refused("/extend 2026-11-25 why", ticket=ticket).why


def test_a_promise_is_waived_by_a_lead_where_there_is_one() -> None:
    assert "for lead" in refused("/waive assess nobody needs it").why
    found = done("/waive assess the researcher asked us not to", by=LEA)
    assert "assess" not in {c.promise for c in found.worked.tended.clocks if is_open(c)}
    alone = replace(TEAM_DESK, members={MEMBER: Colleague("Dana Levi", MEMBER)})
    done("/waive assess the researcher asked us not to", desk=alone)


def test_an_observer_looks_and_writes_notes_and_nothing_else() -> None:
    for verb in VERBS.values():
        words = f"/{verb.name}\n\ntext" if verb.wanted else f"/{verb.name}"
        if verb.roles is EVERYBODY:
            found = obeyed(words, by=OLA)
            assert isinstance(found, Obeyed) or "role" not in found.why, verb.name
        else:
            assert "your role is observer" in refused(words, by=OLA).why, verb.name
    assert "your role is observer" in refused("An answer.", by=OLA, role=Role.RESEARCHER).why


def test_a_ticket_is_assigned_by_name_first_name_or_address() -> None:
    for words, address in (("me", MEMBER), ("Ron", RON), ("ron katz", RON), (LEA, LEA)):
        assert done(f"/assign {words}").worked.assigned == address
    assert done("/assign nobody", ticket=worked(view(), assigned=RON)).worked.assigned == ""
    assert "no member" in refused("/assign Zoe").why
    away = worked(view(), away=frozenset({RON}))
    assert any("is away" in line for line in done("/assign Ron", ticket=away).lines)


def test_a_person_is_added_by_a_member_only_and_gets_nothing_of_before() -> None:
    """AT-3."""
    found = done("/add friend@elsewhere.example")
    assert [p.role for p in found.worked.people] == ["reporter", "participant"] and found.letters == ()
    for words, why in (
        ("/add nonsense", "no address"),
        (f"/add {MEMBER}", "one of ours"),
        (f"/add {MAILBOX}", "one of ours"),
        (f"/add {RESEARCHER}", "takes part already"),
    ):
        assert why in refused(words).why
    gone = done("/remove friend@elsewhere.example", ticket=found.worked)
    assert len(gone.worked.people) == 1
    assert "reported it" in refused(f"/remove {RESEARCHER}").why


def test_a_breach_is_recorded_and_told_nobody_outside() -> None:
    ruled = replace(TEAM_DESK, policy=load_policy(POLICIES / "good-faith-rules.toml"))
    found = done("/breach no-leaks downloaded the whole table", desk=ruled)
    assert found.letters == () and kinds(found) == [EventKind.BREACHED]
    assert "no rule" in refused("/breach nonsense").why


# --- all or nothing, two people


def test_all_commands_of_a_mail_are_done_or_none() -> None:
    assert "no member" in refused("/close\n/assign Zoe").why
    found = done("/assign me\n/assess accepted high\n\nThank you.")
    assert found.worked.assigned == MEMBER and found.worked.severity == "high" and len(found.letters) == 1


def test_disclosure_waits_for_a_second_member() -> None:
    """AT-31."""
    proposed = done("/disclose 2027-01-15")
    assert proposed.worked.proposals and not [
        c
        for c in proposed.worked.tended.clocks
        if c.promise == "disclose" and c.due_at.year == 2027 and c.due_at.month == 1
    ]
    assert kinds(proposed) == [EventKind.PROPOSED]
    assert "nothing of another member's" in refused("/confirm", ticket=proposed.worked).why, "nobody confirms their own"
    assert "role" in refused("/confirm", by=OLA, ticket=proposed.worked).why
    confirmed = done("/confirm", by=RON, ticket=proposed.worked)
    assert confirmed.worked.proposals == () and EventKind.CONFIRMED in kinds(confirmed)
    assert "nothing of another" in refused("/confirm", by=RON, ticket=confirmed.worked).why
    assert "is past" in refused("/disclose 2020-01-01").why, "what can't be done is not proposed"
    alone = replace(TEAM_DESK, two_person=False)
    assert EventKind.PROPOSED not in kinds(done("/disclose 2027-01-15", desk=alone))


def test_a_proposal_is_cancelled_like_a_letter() -> None:
    proposed = done("/disclose 2027-01-15")
    assert done("/cancel", ticket=proposed.worked).worked.proposals == ()


def test_show_and_help_change_nothing_and_stay_with_who_asked() -> None:
    for words in ("/show", "/help"):
        found = done(words, by=OLA)
        assert found.private and found.events == () and found.letters == ()
    assert "/assess" in done("/help").body


def test_orders_made_by_hand_are_checked_as_mail_is() -> None:
    orders = Orders((), "")
    assert isinstance(obey(worked(view()), orders, Role.TEAM, case_of("operator", TEAM_DESK, AT, entropy)), Refused)
