"""`triaged policy simulate`: the table, the document, the picture, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Triaged
from tests.ticket.scene import mail

IMS = "policies/ims-network.toml"
RECEIVED = ("--received", "2026-11-20T09:12:00Z")


def test_every_clock_and_every_letter_with_its_date(triaged: Triaged) -> None:
    said = triaged("policy", "simulate", IMS, *RECEIVED, "--answer", "assess=5 days", "--days", "30", "--json")
    story = said.document
    assert (said.code, story["outcome"], story["received"]) == (0, "ticket", "2026-11-20T09:12:00Z")
    first = {c["promise"]: c for c in story["clocks"] if c["round"] == 1}
    assert first["assess"]["due_local"] == "2026-11-28T00:00+02:00"
    assert (first["assess"]["standing"], first["assess"]["met_at"]) == ("met", "2026-11-25T21:00:00Z")
    assert (story["letters"][0]["template"], story["letters"][0]["keeps"]) == ("acknowledgement", ["acknowledge"])
    assert [x["at"] for x in story["letters"]] == sorted(x["at"] for x in story["letters"])
    missed = next(x for x in story["letters"] if x["template"] == "missed")
    assert (missed["at_local"], missed["audience"]) == ("2026-12-10T00:00+02:00", "researcher")
    assert "did not keep it" in missed["text"]


def test_the_same_command_prints_the_same(triaged: Triaged) -> None:
    first, second = (triaged("policy", "simulate", IMS, *RECEIVED, "--letters").out for _ in range(2))
    assert first == second and "---- 2026-11-20T11:12+02:00  to researcher@" in first


def test_a_table_without_letters(triaged: Triaged) -> None:
    said = triaged("policy", "simulate", IMS, *RECEIVED)
    assert said.code == 0 and "clock" in said.out and "reminder" in said.out and "----" not in said.out


def test_nothing_automatic_goes_to_a_sender_whom_nothing_proves(triaged: Triaged) -> None:
    """Law 5: one minimal acknowledgement, then work for the team, until a member writes."""
    letters = triaged("policy", "simulate", IMS, *RECEIVED, "--unproven", "--json").document["letters"]
    assert [x["template"] for x in letters if x["audience"] == "researcher"] == ["acknowledgement_minimal"]
    said = triaged("policy", "simulate", IMS, *RECEIVED, "--unproven", "--answer", "assess=2 days", "--json").document
    assert {"missed", "assessed"} <= {x["template"] for x in said["letters"] if x["audience"] == "researcher"}


def test_a_member_moves_the_ticket_and_the_update_tells_it(triaged: Triaged) -> None:
    said = triaged("policy", "simulate", IMS, *RECEIVED, "--state", "fixing=2026-11-30T10:00:00Z", "--json").document
    told = [x for x in said["letters"] if "We began to work on a fix." in x["text"]]
    assert [x["audience"] for x in told] == ["researcher"] and told[0]["keeps"] == ["update"]


def test_each_message_of_an_mbox_is_a_report_at_its_own_date(triaged: Triaged, installation: Path) -> None:
    dates = ("Mon, 02 Nov 2026 10:00:00 +0000", "Sun, 01 Nov 2026 10:00:00 +0000")
    raw = [mail(fields=(f"Date: {d}",)) for d in dates] + [
        mail(fields=(f"Date: {dates[0]}", "Auto-Submitted: auto-replied"))
    ]
    box = b"".join(
        b"From x@example.org Mon Nov  2 10:00:00 2026\n" + one.replace(b"\r\n", b"\n") + b"\n" for one in raw
    )
    (installation / "some.mbox").write_bytes(box)
    stories = triaged("policy", "simulate", IMS, "--mbox", "some.mbox", "--days", "10", "--json").document
    assert [s["received"] for s in stories] == [f"2026-11-0{n}T10:00:00Z" for n in (1, 2, 2)]
    assert {s["outcome"] for s in stories} == {"ticket"} and len({s["ref"] for s in stories}) == 3
    answered = [any(x["template"].startswith("acknowledgement") for x in s["letters"]) for s in stories]
    assert answered == [True, True, False], "a machine is not answered (AR-1), its clocks run all the same"


def test_the_picture_is_whole_and_names_every_promise(triaged: Triaged, installation: Path) -> None:
    assert triaged("policy", "simulate", IMS, *RECEIVED, "--days", "40", "--svg", "a.svg").code == 0
    picture = ElementTree.fromstring((installation / "a.svg").read_text())
    words = {t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"acknowledge", "assess", "update", "to researcher", "to team", "2026-11-20"} <= words
    hints = [t.text or "" for t in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert any(h.startswith("assess: from 2026-11-20 11:12, due 2026-11-28 00:00, missed") for h in hints)


WRONG = {
    "neither": (),
    "both": (*RECEIVED, "--mbox", IMS),
    "no such promise": (*RECEIVED, "--answer", "tomorrow=2 days"),
    "no such state": (*RECEIVED, "--state", "lost=2 days"),
    "no time": (*RECEIVED, "--answer", "assess"),
    "no zone": (*RECEIVED, "--answer", "assess=2026-11-24T10:00:00"),
    "no days": (*RECEIVED, "--days", "0"),
    "no calendar so far": ("--received", "9999-12-01T00:00:00Z"),
    "before time": ("--received", "0001-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_line_is_a_sentence(triaged: Triaged, name: str) -> None:
    said = triaged("policy", "simulate", IMS, *WRONG[name])
    assert said.code == 2 and said.out == "" and said.err


def test_a_file_that_is_no_policy_says_what_to_mend(triaged: Triaged) -> None:
    said = triaged("policy", "simulate", "triaged.toml", *RECEIVED)
    assert said.code == 2 and "policy" in said.err


def test_an_empty_mbox_says_so(triaged: Triaged, installation: Path) -> None:
    (installation / "empty").mkdir()
    said = triaged("policy", "simulate", IMS, "--mbox", "empty")
    assert said.code == 1 and "no message" in said.err


def test_a_move_that_the_table_of_states_does_not_have_is_refused_in_words(triaged: Triaged) -> None:
    moves = ("--state", "declined=2 days", "--state", "fixed=3 days")
    said = triaged("policy", "simulate", IMS, *RECEIVED, *moves)
    assert said.code == 2 and "is declined: /reopen takes it up again first" in said.err
