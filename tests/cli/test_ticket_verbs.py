"""What members do to tickets by the command line: states, dates, waivers, with an event each and what the clocks then say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Triaged
from tests.ticket.scene import RESEARCHER


@pytest.fixture
def ref(imported: Triaged) -> str:
    """The ticket of a proven researcher."""
    found = imported("ticket", "list", "--json").document
    return next(str(d["ref"]) for d in found if d["reporter"] and d["reporter"]["address"] == RESEARCHER)


def shown(triaged: Triaged, ref: str) -> Any:
    return triaged("ticket", "show", ref, "--json").document


def standings(document: Any) -> dict[str, str]:
    return {c["promise"]: c["standing"] for c in document["clocks"]}


def kinds(document: Any) -> list[tuple[str, str]]:
    return [(e["kind"], e["actor"]) for e in document["events"]]


def test_a_state_is_moved_once_and_ends_what_it_ends(imported: Triaged, ref: str) -> None:
    said = imported("ticket", "close", ref, "--as", "Dana Levi")
    assert (said.code, "is closed; open promises: acknowledge, assess" in said.out) == (0, True)
    document = shown(imported, ref)
    assert document["state"] == "closed" and ("closed", "member:Dana Levi") in kinds(document)
    assert {"running", "waived"} == set(standings(document).values()), "what only a letter keeps is owed still"
    again = imported("ticket", "close", ref)
    assert again.code == 1 and "is closed already" in again.err


def test_a_fix_is_news_for_the_researcher(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "fixed", ref).code == 0
    document = shown(imported, ref)
    assert document["state"] == "fixed" and ("fixed", "operator") in kinds(document)


def test_what_the_team_says_of_the_problem_is_shown(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "assessing", ref).code == 0
    assert imported("ticket", "affects", ref, "Gateway:", "before", "2.3.1").code == 0
    said = imported("ticket", "fixing", ref)
    assert said.code == 0 and "assess is still owed: /assess accepted|declined" in said.out
    assert imported("ticket", "assess", ref, "accepted", "high", "CWE-79").code == 0
    assert imported("ticket", "fixed", ref, "in", "2.3.2").code == 0
    out = imported("ticket", "show", ref).out
    for line in (
        "severity   high",
        "weakness   CWE-79 Improper Neut",
        "affected   Gateway: before 2.3.1",
        "fixed in   2.3.2",
    ):
        assert f"  {line}" in out
    assert imported("ticket", "assess", ref, "declined").code == 1, "it is fixed: only /reopen leads back"
    assert imported("ticket", "affects", ref).code == 2


def test_a_waived_promise_stands_with_who_and_why(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "waive", ref, "assess", "a", "duplicate", "--as", "Dana Levi").code == 0
    document = shown(imported, ref)
    waived = next(c["waived"] for c in document["clocks"] if c["promise"] == "assess")
    assert (waived["by"], waived["why"]) == ("member:Dana Levi", "a duplicate")
    assert standings(document)["assess"] == "waived"
    said = imported("ticket", "waive", ref, "assess", "again")
    assert said.code == 1 and "'assess' is no open promise" in said.err


def test_a_promise_that_a_person_kept_is_met(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "keep", ref, "assess").code == 0
    assert standings(shown(imported, ref))["assess"] == "met"


def test_a_later_day_is_told_to_the_researcher_with_its_reason(imported: Triaged, ref: str) -> None:
    before = len(imported("outbox", "list", "--json").document)
    said = imported("ticket", "extend", ref, "assess", "2099-01-15", "the", "vendor", "is", "slow")
    assert said.code == 0, said.err
    newest = imported("outbox", "list", "--json").document
    assert len(newest) == before + 1 and newest[0]["template"] == "extended" and newest[0]["to"] == RESEARCHER
    assert any("the vendor is slow" in m["text"] for m in shown(imported, ref)["messages"])
    assert imported("ticket", "extend", ref, "assess", "2020-01-01", "no").code == 1
    nothing = imported("ticket", "extend", ref, "2099-01-01", "no", "date", "of", "disclosure")
    assert nothing.code == 1 and "no open date for fix or disclose" in nothing.err


def test_an_agreed_day_of_publication_runs_as_a_clock_once_a_second_person_says_so(imported: Triaged, ref: str) -> None:
    """AT-31."""
    assert "second member" in imported("ticket", "disclose", ref, "2099-03-01").out
    assert "disclose" not in standings(shown(imported, ref))
    assert imported("ticket", "confirm", ref, "--as", "Dana Levi").code == 0
    clock = next(c for c in shown(imported, ref)["clocks"] if c["promise"] == "disclose")
    assert clock["standing"] == "running" and clock["due_at"].startswith("2099-03-01")
    assert imported("ticket", "disclose", ref, "2099-02-01").code == 0
    assert imported("ticket", "confirm", ref, "--as", "Dana Levi").code == 0
    assert imported("ticket", "disclose", ref, "2001-02-01").code == 1
    clocks = [c for c in shown(imported, ref)["clocks"] if c["promise"] == "disclose"]
    assert [c["due_at"][:7] for c in clocks] == ["2099-02"]


def test_exploitation_is_recorded(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "exploited", ref, "--as", "Dana Levi").code == 0
    assert ("exploited", "member:Dana Levi") in kinds(shown(imported, ref))


@pytest.mark.parametrize("words", [("fixed",), ("waive", "assess", "x"), ("extend", "2099-01-01", "x")])
def test_a_reference_or_member_that_is_not_there_is_said(imported: Triaged, ref: str, words: tuple[str, ...]) -> None:
    verb, *rest = words
    nobody = imported("ticket", verb, "IMS-0000-0000", *rest)
    assert nobody.code == 1 and "there is no ticket" in nobody.err
    stranger = imported("ticket", verb, ref, *rest, "--as", "Mallory")
    assert stranger.code == 1 and "no member 'Mallory'" in stranger.err


def test_a_day_that_is_none_is_a_wrong_command_line(imported: Triaged, ref: str) -> None:
    assert imported("ticket", "extend", ref, "soon", "please").code == 2


def test_files_go_to_the_researcher_and_evidence_to_a_member_from_the_command_line_too(
    imported: Triaged, ref: str, tmp_path: Path
) -> None:
    patch = tmp_path / "fix.patch"
    patch.write_text("--- a\n+++ b\n")
    (tmp_path / "words").write_text("Here is the fix.")
    words = ("--text", str(tmp_path / "words"))
    sent = imported("ticket", "attach", ref, "--file", str(patch), *words, "--as", "Dana Levi")
    assert sent.code == 0 and "fix.patch" in sent.out
    assert "there is no file" in imported("ticket", "attach", ref, *words).err
    assert "--as MEMBER" in imported("ticket", "attachments", ref).err
    assert imported("ticket", "password", ref, "--as", "Dana Levi").out.count("-") >= 3
