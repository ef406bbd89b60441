"""`triaged promises` as people and scripts use it."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.etree import ElementTree

from tests.cli.conftest import Triaged

COUNTS = ("kept", "kept_unchanged", "late", "missed", "open", "waived")


def test_the_document_counts_every_promise_exactly(imported: Triaged) -> None:
    document = imported("promises", "--json").document
    assert set(document) == {
        *("at", "since", "until", "mailbox", "promises", "by_policy", "letters_unchanged", "bod_20_01"),
    }
    by_name = {one["promise"]: one for one in document["promises"]}
    assert {"acknowledge", "assess", "update"} <= set(by_name)
    for one in document["promises"]:
        assert sum(one[name] for name in COUNTS) == one["made"]
        assert set(one) == {"promise", "made", *COUNTS, "median_seconds", "p90_seconds", "worst_seconds"}
    assert document["by_policy"][0]["policy"]["name"] == "ims-network"
    assert len(document["bod_20_01"]) == 10
    priority = next(one for one in document["bod_20_01"] if one["measure"].endswith("by_priority"))
    assert priority["value"] is None and priority["why"], "what cannot be known says why"


def test_what_is_open_now_is_missed_in_a_year(imported: Triaged) -> None:
    now = imported("promises", "--json").document["promises"]
    later = imported("promises", "--json", "--at", "2099-01-01").document["promises"]
    assert any(one["open"] for one in now) and not any(one["open"] for one in later)
    assert all(one["missed"] for one in later)


def test_the_table_tells_the_same_to_people(imported: Triaged) -> None:
    said = imported("promises")
    head, first = said.out.split("\n")[:2]
    assert head.split() == [
        *("promise", "made", "kept", "unchanged", "late", "missed", "open", "waived", "median", "90%", "worst"),
    ]
    assert first.startswith("acknowledge") and "CISA BOD 20-01:" in said.out
    assert "no priority of a report is kept" in said.out and said.err == ""


def test_files_are_written_beside_it(imported: Triaged, tmp_path: Path) -> None:
    table, picture = tmp_path / "promises.csv", tmp_path / "promises.svg"
    document = imported("promises", "--json", "--csv", table, "--svg", picture).document
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert len(rows) == sum(one["made"] for one in document["promises"])
    assert {row["outcome"] for row in rows} <= set(COUNTS) and all(row["due_at"].endswith("Z") for row in rows)
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_a_tracker_without_tickets_has_nothing_to_tell_and_says_why(triaged: Triaged) -> None:
    assert triaged("db", "upgrade").code == 0
    document = triaged("promises", "--json").document
    assert document["promises"] == [] and document["bod_20_01"][0]["value"] == 0
    assert all(one["why"] for one in document["bod_20_01"] if one["value"] is None)
    assert triaged("promises").code == 0


def test_what_is_asked_for_in_vain_is_a_sentence(imported: Triaged, tmp_path: Path) -> None:
    nobody = imported("promises", "--mailbox", "nobody")
    assert nobody.code == 1 and "no mailbox 'nobody'" in nobody.err
    nowhere = imported("promises", "--csv", tmp_path / "none" / "x.csv")
    assert nowhere.code == 1 and "could not be written" in nowhere.err


def test_the_page_for_the_world_is_written_and_noted(imported: Triaged, installation: Path) -> None:
    out = installation / "site"
    said = imported("promises", "--publish", out, "--at", "2027-06-01T00:00:00Z")
    assert said.code == 0, said.err
    page = (out / "promises.html").read_text()
    assert "acknowledg" in page and "IMS-" not in page and (out / "promises.json").is_file()
    assert imported("audit", "--offline").code == 0
