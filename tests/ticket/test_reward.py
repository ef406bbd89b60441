"""A reward: proposed by one member, confirmed by another as shown, within the bounds, and told to the reporter alone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ticket.scene import AT, FRIEND, MEMBER, POLICIES, RESEARCHER, entropy, view, worked
from tests.ticket.test_obeying import EARLIER, LEA, OLA, OTHER, RON, TEAM_DESK
from triaged.message.replies import own_words
from triaged.policy.load import load_policy
from triaged.policy.terms import Bounds
from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.ticket.events import EventKind, State
from triaged.ticket.grammar import Orders, Refused, read_orders
from triaged.ticket.obeying import obey
from triaged.ticket.reward import Decided, standing
from triaged.ticket.worked import OPERATOR, Obeyed, Person, Worked, case_of

FREE = load_policy(POLICIES / "responsible-disclosure.toml")  # offers rewards, and has no bounds
CLAUSE = "we offer a reward for every report of a security issue"
BOUNDS = (
    Bounds("low", 50, 100),
    Bounds("high", 500, 2000),
    Bounds("critical", 1000, 3000, "plain"),
    Bounds("critical", 2000, 9000, "good"),
)
TERMS = replace(FREE.reward, currency="EUR", qualities=("plain", "good"), bounds=BOUNDS)
BOUNDED = replace(FREE, reward=TERMS)
DESK = replace(TEAM_DESK, policy=BOUNDED)
ALONE = replace(DESK, two_person=False)


def accepted(severity: str = "high", state: State = State.ACCEPTED, **changes: Any) -> Worked:
    base = worked(view(), severity=severity, **changes)
    return base.with_tended(replace(base.tended, state=state))


def said(words: str, ticket: Worked, by: str = MEMBER, desk: Desk = DESK) -> Obeyed | Refused:
    orders = read_orders(own_words(words, 1000))
    assert isinstance(orders, Orders), orders
    done = obey(ticket, orders, Role.TEAM, case_of(by, desk, AT, entropy, by_mail=True))
    return done if isinstance(done, Refused) else replace(done, worked=_kept(done.worked))


def _kept(ticket: Worked) -> Worked:
    """As the tracker gives it back: proposals have numbers."""
    return replace(ticket, proposals=tuple(replace(p, number=n) for n, p in enumerate(ticket.proposals, start=1)))


def done(words: str, ticket: Worked, **how: Any) -> Obeyed:
    found = said(words, ticket, **how)
    assert isinstance(found, Obeyed), found
    return found


def refused(words: str, ticket: Worked, **how: Any) -> str:
    found = said(words, ticket, **how)
    assert isinstance(found, Refused), found
    return found.why


def approved(words: str = "/reward 700 well written", ticket: Worked | None = None) -> Obeyed:
    proposed = done(words, ticket or accepted())
    return done("/confirm", proposed.worked, by=RON)


# --- two members


def test_an_amount_takes_effect_by_a_second_members_word_and_is_told_only_then() -> None:
    proposed = done("/reward 700 EUR well written", accepted())
    assert proposed.worked.rewards == () and proposed.letters == ()
    assert [event.kind for event in proposed.events] == [EventKind.PROPOSED]
    confirmed = done("/confirm", proposed.worked, by=RON)
    (decision,) = confirmed.worked.rewards
    assert (decision.state, decision.amount, decision.currency, decision.severity) == (
        Decided.APPROVED,
        700,
        "EUR",
        "high",
    )
    assert (decision.by, decision.second, decision.why) == (MEMBER, RON, "well written")
    (letter,) = confirmed.letters
    text = " ".join(letter.text.split())
    assert letter.to == RESEARCHER and "700 EUR" in text and CLAUSE in text
    assert "well written" not in text and "Dana" not in text and "Ron" not in text
    assert letter.not_before is not None and letter.meets == () and not letter.hold_reason


def test_who_is_asked_to_confirm_reads_all_that_the_amount_rests_on() -> None:
    ticket = accepted("critical")
    lines = " ".join(done("/reward 2500 quality good the steps were exact", ticket).lines)
    for shown in ("2,500 EUR", "critical", "good", "2,000 to 9,000 EUR", "the steps were exact"):
        assert shown in lines


def test_nobody_confirms_their_own() -> None:
    proposed = done("/reward 700 well written", accepted())
    assert "nothing of another member's" in refused("/confirm", proposed.worked)
    assert "your role is observer" in refused("/confirm", proposed.worked, by=OLA)


def test_an_observer_decides_nothing() -> None:
    assert "your role is observer" in refused("/reward 700 well written", accepted(), by=OLA)


def test_an_operator_needs_a_member_too() -> None:
    proposed = done("/reward 700 well written", accepted(), by=OPERATOR)
    assert proposed.worked.rewards == ()
    assert done("/confirm", proposed.worked, by=RON).worked.rewards[0].second == RON


def test_in_a_team_of_one_it_acts_at_once() -> None:
    found = done("/reward 700 well written", accepted(), desk=ALONE)
    assert (found.worked.rewards[0].second, len(found.letters)) == ("", 1)


def test_a_second_proposal_waits_for_the_first_to_be_settled() -> None:
    """Else the one who confirms would not know which."""
    first = done("/reward 700 well written", accepted())
    for by in (MEMBER, RON):
        assert "proposed already" in refused("/reward 900 very well written", first.worked, by=by)
    assert "proposed already" in refused("/reward 700 x\n/reward 900 y", accepted())
    cancelled = done("/cancel", first.worked)
    assert "nothing of another member's" in refused("/confirm", cancelled.worked, by=RON)
    assert done("/reward 900 well written", cancelled.worked).worked.proposals[0].words == "900 well written"


def test_what_was_proposed_under_another_severity_is_not_confirmed() -> None:
    """Within the new bounds, too: what is confirmed is what was shown."""
    proposed = done("/reward 700 well written", accepted("high")).worked
    for severity in ("low", "critical", "medium"):
        assert done("/cancel", proposed).worked.rewards == ()
        why = refused("/confirm", replace(proposed, severity=severity), by=RON)
        assert "propose it again" in why or "outside" in why or "no reward for" in why or "quality" in why
    free = replace(DESK, policy=FREE)
    shown = done("/reward 700 EUR well written", accepted("high"), desk=free).worked
    why = refused("/confirm", replace(shown, severity="critical"), by=RON, desk=free)
    assert "severity: high is now critical" in why and "propose it again" in why


def test_what_was_declined_meanwhile_is_not_confirmed() -> None:
    proposed = done("/reward 700 well written", accepted()).worked
    declined = done("/assess declined not-reproducible", proposed, by=LEA).worked
    assert "it is declined" in refused("/confirm", declined, by=RON)
    assert standing(declined.rewards).state is Decided.DECLINED  # type: ignore[union-attr]


# --- what is refused


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("/reward 499 x", "500 to 2,000 EUR"),
        ("/reward 2001 x", "500 to 2,000 EUR"),
        ("/reward 1000000000 x", "from 1 to"),
        ("/reward 0 x", "/reward none"),
        ("/reward -700 x", "no amount"),
        ("/reward 1.500 x", "1500"),
        ("/reward 700 USD x", "in EUR"),
        ("/reward 700", "say why"),
        ("/reward none", "say why"),
        ("/reward", "an amount and a reason"),
        ("/reward paid PO-1", "no reward is approved"),
        ("/reward 700 to DE89 3704 0044 0532 0130 00", "an IBAN"),
    ],
)
def test_what_can_not_be_done_is_refused_with_the_mend(words: str, why: str) -> None:
    assert why in refused(words, accepted())


def test_bounds_are_those_of_severity_and_quality() -> None:
    critical = accepted("critical")
    assert "2,000 to 9,000" in refused("/reward 1500 quality good x", critical)
    assert "write quality and one of plain, good" in refused("/reward 1500 x", critical)
    assert done("/reward 1500 quality plain x", critical).worked.proposals
    assert done("/reward 700 quality good x", accepted("high")).worked.proposals, "bounds of any quality"
    for severity in ("medium", "none"):
        assert f"no reward for severity {severity}" in refused("/reward 700 x", accepted(severity))


def test_a_quality_that_has_no_bounds_is_refused() -> None:
    desk = replace(DESK, policy=replace(BOUNDED, reward=replace(TERMS, bounds=BOUNDS[:3])))
    assert "no bounds for severity critical and quality good" in refused(
        "/reward 1500 quality good x", accepted("critical"), desk=desk
    )


@pytest.mark.parametrize(
    ("ticket", "why"),
    [
        (accepted(""), "/assess accepted SEVERITY comes first"),
        (accepted("high", State.RECEIVED), "/assess accepted SEVERITY comes first"),
        (accepted("high", State.DECLINED), "it is declined"),
        (accepted(kind="question"), "/report takes it for one"),
        (accepted(merged_into="0000zzzz"), "decide there"),
        (accepted(people=()), "nobody to reward"),
    ],
)
def test_what_is_not_to_be_rewarded_yet_is_refused(ticket: Worked, why: str) -> None:
    assert why in refused("/reward 700 x", ticket)


def test_a_policy_without_rewards_has_none() -> None:
    assert "offers no rewards" in refused("/reward 700 EUR x", accepted(), desk=TEAM_DESK)


def test_a_policy_without_bounds_takes_any_amount_with_its_currency() -> None:
    free = replace(DESK, policy=FREE)
    assert "names no currency" in refused("/reward 700 x", accepted(), desk=free)
    assert done("/reward 70000 chf x", accepted(), desk=free).worked.proposals


# --- none, and paid


def test_no_reward_is_two_members_word_too_and_told_politely_with_the_clause() -> None:
    proposed = done("/reward none it is a known duplicate of ours", accepted())
    assert proposed.worked.rewards == () and proposed.letters == ()
    found = done("/confirm", proposed.worked, by=RON)
    (letter,) = found.letters
    assert CLAUSE in " ".join(letter.text.split()) and "duplicate" not in letter.text
    assert (found.worked.rewards[0].state, found.worked.rewards[0].amount) == (Decided.DECLINED, None)


def test_payment_is_recorded_once_by_one_member_and_no_letter_says_so() -> None:
    rewarded = approved().worked
    paid = done("/reward paid PO-2026-118", rewarded)
    assert paid.letters == ()
    last = paid.worked.rewards[-1]
    assert (last.state, last.amount, last.currency, last.reference) == (Decided.PAID, 700, "EUR", "PO-2026-118")
    assert "paid already, PO-2026-118" in refused("/reward paid PO-2026-119", paid.worked)
    assert "paid already" in refused("/reward 900 more", paid.worked)
    assert "paid already" in refused("/reward none x", paid.worked)
    for reference, why in (
        ("", "a number of your own"),
        ("DE89370400440532013000", "an IBAN"),
        ("x" * 101, "100 characters"),
    ):
        assert why in refused(f"/reward paid {reference}", rewarded)


def test_paid_is_refused_where_none_was_decided() -> None:
    none = done("/confirm", done("/reward none x", accepted()).worked, by=RON).worked
    assert "no reward is approved" in refused("/reward paid PO-1", none)


def test_a_second_decision_before_payment_counts() -> None:
    found = done("/confirm", done("/reward 900 better than it looked", approved().worked).worked, by=RON)
    assert [one.amount for one in found.worked.rewards] == [700, 900]
    assert done("/reward paid PO-1", found.worked).worked.rewards[-1].amount == 900


# --- what goes with other commands


def test_a_report_is_not_closed_before_its_reward_is_decided() -> None:
    for state in (State.RECEIVED, State.ACCEPTED, State.FIXED, State.DISCLOSED):
        why = refused("/close", accepted(state=state))
        assert "/reward AMOUNT REASON or /reward none REASON" in why
    waiting = done("/reward 700 well written", accepted()).worked
    assert "none was decided" in refused("/close", waiting), "a proposal decides nothing"
    assert done("/close", approved().worked).worked.tended.state is State.CLOSED


def test_what_needs_no_decision_is_closed_without() -> None:
    assert done("/close", accepted(kind="question")).worked.tended.state is State.CLOSED
    assert done("/close", accepted(kind="other")).worked.tended.state is State.CLOSED
    assert done("/spam", accepted()).worked.tended.state is State.CLOSED
    assert done("/close", accepted(), desk=TEAM_DESK).worked.tended.state is State.CLOSED, "a policy without rewards"
    earlier = accepted(others={OTHER.token: EARLIER})
    assert done(f"/merge {OTHER.ref}", earlier).worked.tended.state is State.CLOSED


def test_declining_decides_against_a_reward_with_the_assessments_reason() -> None:
    found = done("/assess declined not-reproducible", accepted(state=State.ASSESSING))
    (decision,) = found.worked.rewards
    assert (decision.state, decision.why, decision.second) == (
        Decided.DECLINED,
        "assessed: declined, not-reproducible",
        "",
    )
    assert done("/close", found.worked).worked.tended.state is State.CLOSED
    duplicate = done(f"/duplicate-of {OTHER.ref}", accepted(state=State.ASSESSING, others={OTHER.token: EARLIER}))
    assert duplicate.worked.rewards[0].why == "assessed: declined, duplicate"
    assert CLAUSE in " ".join(duplicate.letters[0].text.split()), "and the letter says by which clause"


def test_a_duplicates_letter_refuses_no_reward_that_was_approved() -> None:
    ticket = approved(ticket=accepted(others={OTHER.token: EARLIER})).worked
    assert "we offer none" not in " ".join(done(f"/duplicate-of {OTHER.ref}", ticket).letters[0].text.split())


def test_accepting_what_was_declined_asks_for_a_decision_anew() -> None:
    declined = done("/assess declined not-reproducible", accepted(state=State.ASSESSING)).worked
    again = done("/assess accepted high", done("/reopen", declined).worked).worked
    assert standing(again.rewards) is None
    assert "none was decided" in refused("/close", again)
    assert done("/reward 700 now we can see it", again).worked.proposals


def test_declining_after_an_approval_takes_nothing_back_by_itself() -> None:
    found = done("/assess declined not-a-vulnerability", approved().worked)
    assert standing(found.worked.rewards).state is Decided.APPROVED  # type: ignore[union-attr]
    assert "stays approved" in " ".join(found.lines)


def test_cancelling_the_letter_says_that_the_decision_stays() -> None:
    from triaged.ticket.worked import WaitingLetter

    waiting = WaitingLetter(1, "<x@x>", RESEARCHER, "s", "rewarded", "queued", AT, "", RON)
    found = done("/cancel", replace(approved().worked, waiting=(waiting,)))
    assert "stays decided" in " ".join(found.lines)
    assert standing(found.worked.rewards).state is Decided.APPROVED  # type: ignore[union-attr]


def test_only_the_reporter_hears_of_the_amount() -> None:
    both = (*accepted().people, Person(FRIEND, FRIEND, "", "participant", True))
    assert [letter.to for letter in approved(ticket=accepted(people=both)).letters] == [RESEARCHER]


def test_the_events_say_the_whole_row() -> None:
    event = next(e for e in approved().events if e.kind is EventKind.REWARDED)
    assert event.data == {
        "state": "approved",
        "amount": 700,
        "currency": "EUR",
        "severity": "high",
        "quality": "",
        "why": "well written",
        "second": RON,
        "reference": "",
    }


def test_show_tells_how_it_stands() -> None:
    paid = done("/reward paid PO-1", approved().worked).worked
    assert any("reward: paid 700 EUR, PO-1" in line for line in done("/show", paid).lines)
    waiting = done("/reward 700 well written", accepted()).worked
    assert any("/reward 700 well written" in line for line in done("/show", waiting).lines)


def test_a_reason_never_goes_out_with_a_letter_of_the_same_mail() -> None:
    """The command's words are for nobody outside (AT-29)."""
    reason = "the steps were copied from a blog of last year"
    found = done(
        f"/reward none {reason}\n/update\n\nWe saw that the steps were copied from a blog of last year.", accepted()
    )
    assert found.letters[0].hold_reason


# --- whatever members do


AMOUNTS = st.one_of(
    st.integers(-5, 10_000).map(str), st.sampled_from(["1.500", "€700", "1,500", "none", "1e9", "700 EUR", "٧٠٠"])
)
WORDS = st.one_of(
    st.builds("/reward {} {}x".format, AMOUNTS, st.sampled_from(["", "quality good ", "quality plain "])),
    st.sampled_from(
        [
            "/confirm",
            "/confirm",
            "/confirm",
            "/cancel",
            "/close",
            "/reopen",
            "/reward paid PO-1",
            "/assess declined not-reproducible",
            "/spam",
            "/report",
            "/question",
            "/fixed",
            "/confirm\n/confirm",
        ]
    ),
    st.sampled_from(["low", "medium", "high", "critical"]).map("/assess accepted {}".format),
)
TEAMS = st.sampled_from([MEMBER, RON, LEA, OLA, OPERATOR])
LIKELY = st.sampled_from(["/reward 700 x", "/reward 1500 x", "/reward 2500 quality good x", "/reward none x"])
PAIRS = st.builds(lambda words, by, other: [(words, by), ("/confirm", other)], LIKELY, TEAMS, TEAMS)
STORIES = st.lists(st.one_of(PAIRS, st.tuples(WORDS, TEAMS).map(lambda one: [one])), max_size=10)


@settings(max_examples=150, deadline=None)
@given(STORIES, st.booleans(), st.sampled_from([State.RECEIVED, State.ACCEPTED]))
def test_the_ledger_never_holds_what_two_members_did_not_decide_within_the_bounds(
    story: list[list[tuple[str, str]]], two: bool, started: State
) -> None:
    ticket, desk = accepted(state=started), replace(DESK, two_person=two)
    for words, by in itertools.chain.from_iterable(story):
        before, found = ticket, said(words, ticket, by=by, desk=desk)
        if isinstance(found, Refused):
            continue
        ticket = found.worked
        assert ticket.rewards[: len(before.rewards)] == before.rewards, "append-only"
        for new in ticket.rewards[len(before.rewards) :]:
            _lawful(new, before, two)
        _closed_with_a_decision(before, ticket)


def _lawful(new: Any, before: Worked, two: bool) -> None:
    if new.state is Decided.APPROVED:
        bounds = [b for b in BOUNDS if b.severity == new.severity and b.quality in ("", new.quality)]
        assert any(b.least <= new.amount <= b.most for b in bounds) and new.currency == "EUR"
        assert new.severity == before.severity
        assert (new.second not in ("", new.by, OLA)) if two else new.second == ""
    if new.state is Decided.PAID:
        last = standing(before.rewards)
        assert last is not None and last.state is Decided.APPROVED and last.amount == new.amount
    if new.state is Decided.DECLINED and two and not new.why.startswith("assessed: "):
        assert new.second not in ("", new.by, OLA)
    assert OLA not in (new.by, new.second)


def _closed_with_a_decision(before: Worked, after: Worked) -> None:
    if after.tended.state is State.CLOSED and before.tended.state is not State.CLOSED and after.kind == "report":
        assert standing(after.rewards) is not None
