"""What /assess, /affects and /fixed say: read or refused whole, what the letter holds of it, and which promise that keeps."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from tests.ticket.scene import AT, DESK, POLICIES, POLICY, view, worked
from tests.ticket.test_obeying import PROMISES, TEAM_DESK, done, kinds, refused
from triaged.policy.load import load_policy
from triaged.policy.model import Policy
from triaged.policy.terms import Assessment as Terms
from triaged.policy.terms import Level
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock, is_open
from triaged.ticket.cwe import cwe_id, cwe_title
from triaged.ticket.deeds_assess import Assessment, cvss_of, read_assessment
from triaged.ticket.describing import MOST_PRODUCT, MOST_VERSIONS
from triaged.ticket.events import EventKind, State
from triaged.ticket.worked import Obeyed, WaitingLetter, Worked

TODAY = date(2026, 11, 20)
V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V30 = V31.replace("3.1", "3.0")
V40 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
V2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C"


@cache
def dated() -> Policy:
    """The policy that promises an assessment and an expected date for a solution."""
    return load_policy(POLICIES / "responsible-disclosure.toml")


DATED = replace(TEAM_DESK, policy=dated())
SCALED = replace(
    TEAM_DESK,
    policy=replace(
        POLICY, assessment=Terms((Level("Sev1", "critical"), Level("sev2", "high"), Level("minor", "none")))
    ),
)


def ticket(*clocks: Clock, state: State = State.RECEIVED, **changes: object) -> Worked:
    """A report with an open promise to assess, and further clocks."""
    one = worked(view(promises=PROMISES))
    tended = replace(one.tended, clocks=(*one.tended.clocks, *clocks), state=state)
    return replace(one, tended=tended, **changes)  # type: ignore[arg-type]


def fix(due_at: datetime, **changes: object) -> Clock:
    return replace(Clock("fix", "We mend it.", None, AT - timedelta(hours=1), due_at, False, "60 days"), **changes)  # type: ignore[arg-type]


def letter(found: Obeyed) -> str:
    return found.letters[0].text


def keeps(found: Obeyed, promise: str = "assess") -> bool:
    return promise in found.letters[0].meets


# --- what is read


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("accepted", Assessment(True)),
        ("accepted high", Assessment(True, severity="high")),
        (
            "accepted CWE-79 high fix-by 2026-12-24",
            Assessment(True, "", "high", cwe="CWE-79", fix_by=date(2026, 12, 24)),
        ),
        (
            "accepted fix-by 24 December cwe 79 high",
            Assessment(True, "", "high", cwe="CWE-79", fix_by=date(2026, 12, 24)),
        ),
        (f"accepted cwe cwe-79 cvss {V31}", Assessment(True, "", "critical", "", V31, 9.8, "CWE-79")),
        (f"accepted {V40}, CWE-79", Assessment(True, "", "critical", "", V40, 9.3, "CWE-79")),
        (f"accepted critical {V30} critical", Assessment(True, "", "critical", "", V30, 9.8)),
        (f"accepted {V31.lower()}", Assessment(True, "", "critical", "", V31, 9.8)),
        ("declined out-of-scope", Assessment(False, "out-of-scope")),
        ("declined CWE-20 not-a-vulnerability low", Assessment(False, "not-a-vulnerability", "low", cwe="CWE-20")),
    ],
)
def test_an_assessment_is_read_in_any_order_after_the_decision(words: str, found: Assessment) -> None:
    assert read_assessment(words, TODAY) == found


def without_each_metric(vector: str) -> list[str]:
    head, *metrics = vector.split("/")
    return ["/".join((head, *metrics[:n], *metrics[n + 1 :])) for n in range(len(metrics))]


@pytest.mark.parametrize("vector", [*without_each_metric(V31), *without_each_metric(V40)])
def test_a_vector_without_a_metric_is_refused(vector: str) -> None:
    assert "can't be read" in refused(f"/assess accepted cvss {vector}").why


@pytest.mark.parametrize("vector", [V31, V30, V40])
def test_a_vector_with_a_metric_twice_is_refused(vector: str) -> None:
    for metric in vector.split("/")[1:]:
        assert "can't be read" in refused(f"/assess accepted cvss {vector}/{metric}").why, metric


@pytest.mark.parametrize(
    "vector",
    [
        V2,
        f"({V2})",
        V31 + "/",
        V31.replace("AV:N", "AV:X"),
        V31.replace("AV:N", "AV:"),
        V31.replace("3.1", "3.2"),
        V31.replace("3.1", "4.1"),
        V31.replace("S:U", "S:\N{LATIN SMALL LETTER LONG S}"),
        V31.replace("/", "\\"),
        "CVSS:",
        "CVSS:3.1",
        "9.8",
        V31 + "/XX:Y",
    ],
)
def test_a_mistyped_vector_is_refused_in_words(vector: str) -> None:
    why = refused(f"/assess accepted cvss {vector}").why
    assert "CVSS" in why and "Traceback" not in why


def test_a_vector_of_a_megabyte_is_refused_at_once() -> None:
    for huge in (V31 + "/E:X" * 262144, "CVSS:3.1/" + "A" * 1048576, "CVSS:4.0/" + "AV:N/" * 209715):
        begun = time.perf_counter()
        assert "300" in refused(f"/assess accepted cvss {huge}").why
        assert time.perf_counter() - begun < 5


def test_every_metric_of_cvss_4_at_once_fits() -> None:
    more = "/E:A/CR:H/IR:H/AR:H/MAV:N/MAC:L/MAT:N/MPR:N/MUI:N/MVC:H/MVI:H/MVA:H/MSC:H/MSI:S/MSA:S/S:P/AU:Y/R:U/V:C/RE:L/U:Clear"
    score, severity = cvss_of(V40 + more.replace("Clear", "Red"))
    assert severity == "critical" and score > 9


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (f"accepted low {V31}", "low and critical at once"),
        (f"accepted {V31} low", "critical and low at once"),
        (f"accepted {V31} {V40}", "at once"),
        ("accepted CWE-79 CWE-89", "CWE-79 and CWE-89 at once"),
        ("accepted CWE-99999", "no weakness of the CWE list"),
        ("accepted CWE-0", "no weakness of the CWE list"),
        ("accepted CWE-16", "no weakness of the CWE list"),  # a category
        ("accepted CWE-71", "no weakness of the CWE list"),  # deprecated
        ("accepted cwe XSS", "no weakness of the CWE list"),
        ("accepted cwe-79x", "no weakness of the CWE list"),
        ("accepted cwe", "can't be read"),
        ("accepted CWE79", "can't be read"),
        ("accepted fix-by 2026-11-19", "is past"),
        ("accepted fix-by 2026-12-24 fix-by 2026-12-25", "at once"),
        ("declined fix-by 2026-12-24", "no date for a solution"),
        ("declined duplicate out-of-scope", "at once"),
    ],
)
def test_what_contradicts_itself_or_does_not_exist_is_refused_and_nothing_is_done(words: str, why: str) -> None:
    assert why in refused(f"/assess {words}").why


def test_the_list_of_weaknesses_has_names_and_no_categories() -> None:
    assert cwe_title("CWE-79").startswith("Improper Neutralization of Input During Web Page Generation")
    assert cwe_title("CWE-71").startswith("DEPRECATED") and cwe_id("CWE-71") == ""
    assert (cwe_title("CWE-1000000"), cwe_title(""), cwe_title("CWE-\u0667\u0669")) == ("", "", "")
    assert cwe_id("cwe-89") == cwe_id("CWE89") == cwe_id("89") == "CWE-89"


def test_what_is_not_said_again_stays_and_a_vector_that_contradicts_goes() -> None:
    first = done(f"/assess accepted {V31} CWE-79").worked
    again = done("/assess accepted fix-by 2026-12-24", ticket=first)
    assert (again.worked.severity, again.worked.cvss, again.worked.cwe) == ("critical", V31, "CWE-79")
    assert "critical (9.8" in letter(again) and "CWE-79, Improper" in letter(again)
    other = done("/assess accepted low", ticket=first)
    assert (other.worked.severity, other.worked.cvss) == ("low", "")
    assert any("stands no more" in line for line in other.lines) and "CVSS" not in letter(other)


def test_a_weakness_is_an_event_once() -> None:
    first = done("/assess accepted CWE-79")
    assert [e.data for e in first.events if e.kind is EventKind.DESCRIBED] == [{"cwe": "CWE-79"}]
    assert EventKind.DESCRIBED not in kinds(done("/assess accepted CWE-79", ticket=first.worked))


# --- the policy's own scale


def test_a_word_of_the_policys_own_scale_is_kept_as_what_it_means_and_told_as_it_is_said() -> None:
    found = done("/assess accepted SEV1", desk=SCALED)
    assert found.worked.severity == "critical" and "Sev1 (critical)" in letter(found)
    assert done("/assess accepted minor", desk=SCALED).worked.severity == "none", "the policy's words come first"
    assert "can't be read" in refused("/assess accepted sev1").why
    assert "Sev1" in refused("/assess accepted sev9", desk=SCALED).why
    assert "at once" in refused(f"/assess accepted sev2 {V31}", desk=SCALED).why


# --- versions


def test_what_is_affected_and_fixed_is_kept_shown_and_told() -> None:
    found = done("/affects Gateway: before 2.3.1\n/fixed in 2.3.2\n/show")
    one = found.worked
    assert (one.product, one.affected, one.fixed_in) == ("Gateway", "before 2.3.1", "2.3.2")
    described = [e.data for e in found.events if e.kind is EventKind.DESCRIBED]
    assert described == [{"product": "Gateway", "affected": "before 2.3.1"}, {"fixed_in": "2.3.2"}]
    assert {"Affected: Gateway: before 2.3.1", "Fixed in: 2.3.2"} <= set(found.lines)
    told = letter(done("/assess accepted high", ticket=one))
    assert "Affected:     Gateway: before 2.3.1\n  Fixed in:     2.3.2\n" in told
    assert "Gateway" not in letter(done("/assess declined", ticket=replace(one, tended=ticket().tended)))


@pytest.mark.parametrize(
    ("words", "product", "affected"),
    [
        ("Gateway", "Gateway", ""),
        ("Gateway:", "Gateway", ""),
        ("Gateway 4 (appliance): >= 2.0, < 2.3.1", "Gateway 4 (appliance)", ">= 2.0, < 2.3.1"),
        ("Gateway: <2.3.1 and <v3", "Gateway", "<2.3.1 and <v3"),
        ("שער: לפני 2.3", "שער", "לפני 2.3"),
    ],
)
def test_versions_are_read_as_teams_write_them(words: str, product: str, affected: str) -> None:
    one = done(f"/affects {words}").worked
    assert (one.product, one.affected) == (product, affected)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("/affects", "name what is affected"),
        ("/affects : 2.3", "name what is affected"),
        (f"/affects {'G' * 4000}", f"{MOST_PRODUCT} characters, and it has 4,000"),
        (f"/affects Gateway: {'2' * 4000}", f"{MOST_VERSIONS} characters, and it has 4,000"),
        (f"/fixed in {'2' * 4000}", "4,000"),
        ("/affects <script>alert(1)</script>: 1", "markup"),
        ("/affects Gateway: 1 <img src=x onerror=alert(1)", "markup"),
        ("/affects [Gateway](https://evil.example): 1", "markup"),
        ("/affects Gateway: `1`", "markup"),
        ("/affects Gateway: &lt;b&gt;", "markup"),
        ("/affects Gateway: 1\N{RIGHT-TO-LEFT OVERRIDE}2", "can't be seen"),
        ("/affects Gate\x00way: 1", "can't be seen"),
        ("/affects Gate\x1b[31mway: 1", "can't be seen"),
        ("/affects Gate\N{ZERO WIDTH SPACE}way: 1", "can't be seen"),
        ("/fixed in 2\N{LEFT-TO-RIGHT ISOLATE}3", "can't be seen"),
        ("/fixed in", "means nothing"),
        ("/fixed 2.3.2", "means nothing"),
    ],
)
def test_versions_that_hold_more_than_plain_words_are_refused(words: str, why: str) -> None:
    assert why in refused(words).why


def test_the_version_of_a_fix_may_be_named_later() -> None:
    fixed = done("/fixed").worked
    named = done("/fixed in 2.3.2", ticket=fixed)
    assert kinds(named) == [EventKind.DESCRIBED] and named.worked.fixed_in == "2.3.2"


@pytest.mark.parametrize("words", ["/affects", "/fixed in"])
def test_what_is_internal_is_refused_as_a_product_or_version(words: str) -> None:
    """Every later letter with an assessment would say it, and none is held for what the team said to be for all (law 7)."""
    note = "the billing appliance of our customer in Haifa that nobody has patched since spring"
    one, desk = replace(ticket(), notes=(note,)), replace(TEAM_DESK, internal=("haifa-lab",))
    for said in ("billing appliance of our customer in Haifa that nobody has patched", "host haifa-lab", "Ron Katz's"):
        assert "is internal" in refused(f"{words} {said}", ticket=one, desk=desk).why, said
    done(f"{words} Gateway 4", ticket=one, desk=desk)


# --- what keeps the promise


def test_a_plain_answer_does_not_keep_a_promise_to_assess_and_the_echo_says_so() -> None:
    for words in ("/reply\nThank you.", "/update\nWe are on it.", "/ask\nWhich version?"):
        found = done(words)
        assert not keeps(found) and keeps(found, "update")
        owed = [line for line in found.lines if "still owed" in line]
        assert owed == [
            "assess is still owed: /assess accepted|declined …, or /keep assess where you have said it in other words"
        ]
    assert not keeps(done("Thank you.", role=Role.RESEARCHER))


def test_nothing_is_said_to_be_owed_while_the_letter_with_the_assessment_waits_or_once_it_is_met() -> None:
    waiting = WaitingLetter(1, "<a@b>", "noa@example.org", "XSS", "assessed", "queued", AT, "", "dana")
    for one in (replace(ticket(), waiting=(waiting,)), done("/keep assess").worked):
        assert not any("still owed" in line for line in done("/reply\nThank you.", ticket=one).lines)
    dropped = replace(ticket(), waiting=(replace(waiting, state="dropped"),))
    assert any("still owed" in line for line in done("/reply\nThank you.", ticket=dropped).lines)


def test_a_policy_that_asks_nothing_of_a_letter_is_kept_by_any() -> None:
    plain = tuple(replace(one, holds=()) for one in POLICY.promises)
    found = done("/reply\nThank you.", desk=replace(TEAM_DESK, policy=replace(POLICY, promises=plain)))
    assert keeps(found) and not any("still owed" in line for line in found.lines)


@pytest.mark.parametrize("words", ["accepted high", "accepted", "declined", "declined out-of-scope"])
def test_where_the_clause_names_the_assessment_alone_any_assessment_keeps_it(words: str) -> None:
    assert keeps(done(f"/assess {words}"))


@pytest.mark.parametrize(
    ("words", "state", "kept"),
    [
        ("accepted high fix-by 2026-12-24", State.RECEIVED, True),
        ("accepted high", State.RECEIVED, False),
        ("declined", State.RECEIVED, True),
        ("accepted high", State.FIXED, True),
        ("accepted high", State.FIXING, False),
        ("accepted fix-by 2026-12-24", State.FIXING, True),
    ],
)
def test_where_the_clause_names_a_date_too_it_is_kept_by_both_alone(words: str, state: State, kept: bool) -> None:
    """ "with our assessment of the report and an expected date for a solution"."""
    found = done(f"/assess {words}", ticket=ticket(state=state), desk=DATED)
    assert keeps(found) is kept
    owed = [line for line in found.lines if "still owed" in line]
    assert owed == (
        []
        if kept
        else [
            "assess is still owed: /assess accepted fix-by DAY tells a date for a solution, "
            "or /keep assess where you have said it in other words"
        ]
    )


def test_the_last_day_of_the_terms_is_told_and_is_no_expected_date() -> None:
    """It ran from the report's receipt, whatever the report was."""
    running = fix(AT + timedelta(days=60))
    found = done("/assess accepted high", ticket=ticket(running), desk=DATED)
    assert not keeps(found) and "the last day that our terms give" in letter(found)
    same = (running.due_at - timedelta(microseconds=1)).astimezone(dated().calendar.tzinfo).date()
    named = done(f"/assess accepted high fix-by {same}", ticket=ticket(running), desk=DATED)
    assert keeps(named) and "terms" not in letter(named)


def test_a_duplicate_keeps_it_without_a_date() -> None:
    assert "assess" in done("/assess declined duplicate", desk=DATED).letters[0].meets


def test_a_date_that_has_passed_is_not_told_as_one_to_expect() -> None:
    missed = fix(AT - timedelta(days=1), missed_at=AT - timedelta(days=1))
    assert "Solution" not in letter(done("/assess accepted high", ticket=ticket(missed), desk=DATED))


# --- dates that move


def test_a_later_date_is_told_with_the_one_before_and_its_reason() -> None:
    one = done("/assess accepted fix-by 2026-12-01").worked
    found = done("/assess accepted fix-by 2026-12-24\n\nThe vendor needs two more weeks.", ticket=one)
    told = " ".join(letter(found).split())
    assert "by the end of Thursday, 24 December 2026" in told
    assert "moved later: it was by the end of Tuesday, 1 December 2026" in told and "The vendor needs" in told
    assert not any("no reason" in line for line in found.lines)
    bare = done("/assess accepted fix-by 2026-12-24", ticket=one)
    assert any("the letter gives no reason" in line for line in bare.lines)


def test_a_nearer_date_is_told_with_the_one_before() -> None:
    one = done("/assess accepted fix-by 2026-12-24").worked
    told = " ".join(letter(done("/assess accepted fix-by 2026-12-01", ticket=one)).split())
    assert "moved nearer: it was by the end of Thursday, 24 December 2026" in told
    assert "moved" not in letter(done("/assess accepted fix-by 2026-12-24", ticket=one))


def test_an_extended_date_is_told_in_one_letter_with_both_dates_and_the_reason() -> None:
    one = done("/assess accepted fix-by 2026-12-01").worked
    found = done("/extend 2026-12-24 the vendor needs two more weeks", ticket=one)
    (sent,) = found.letters
    told = " ".join(sent.text.split())
    assert "was by the end of Tuesday, 1 December 2026" in told and "now by the end of Thursday, 24 December" in told
    assert "the vendor needs two more weeks" in told


@pytest.mark.parametrize("words", ["/extend 2026-11-19 why", "/extend 2026-11-18 why"])
def test_a_missed_date_is_not_extended_to_a_day_that_is_past(words: str) -> None:
    missed = fix(AT - timedelta(days=5), missed_at=AT - timedelta(days=5))
    assert "is past" in refused(words, ticket=ticket(missed)).why


def test_a_date_for_what_is_fixed_already_is_refused() -> None:
    assert "no solution to come" in refused("/assess accepted fix-by 2026-12-24", ticket=ticket(state=State.FIXED)).why


def test_no_letter_goes_for_a_date_that_is_not_told() -> None:
    """The team's legal duties are nobody's business outside."""
    duty = replace(fix(AT + timedelta(days=1)), promise="cra_early_warning")
    assert done("/extend cra_early_warning 2026-12-24 the authority agreed", ticket=ticket(duty)).letters == ()
    assert is_open(duty)


def test_the_desk_of_the_tests_promises_an_assessment() -> None:
    """What the tests above say of "the clause" stands in the shipped policies."""
    assert DESK.policy.promise("assess").holds == ("assessment",)  # type: ignore[union-attr]
    assert dated().promise("assess").holds == ("assessment", "date")  # type: ignore[union-attr]
