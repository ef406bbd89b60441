"""`triaged reward list`: what was decided, with sums; a CSV file that no spreadsheet runs; exports in the journal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Triaged
from triaged.ticket.events import JournalKind
from triaged.tracker.engine import connect, reading
from triaged.tracker.journal import entries


@pytest.fixture
def rewarded(triaged: Triaged, installation: Path) -> Triaged:
    """Three reports under a policy that offers rewards: one rewarded and paid, one approved, one declined."""
    from tests.ticket.scene import mail

    configuration = installation / "triaged.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace("policies/ims-network.toml", "policies/responsible-disclosure.toml"))
    box = installation / "box"
    box.mkdir()
    for number, subject in enumerate(("XSS in login", "=cmd|' /C calc'!A0", "Open redirect"), start=1):
        raw = mail(
            f"r{number}@example.org", proven=True, subject=subject, text=f"A problem of kind {number}, and its steps."
        )
        (box / f"{number}.eml").write_bytes(raw)
    said = triaged("import", box, "--mailbox", "security", "--clocks", "--letters")
    assert said.code == 0, said.err
    return triaged


def refs(triaged: Triaged) -> list[str]:
    return sorted((d["ref"] for d in triaged("ticket", "list", "--json").document), key=str)


def decide(triaged: Triaged, ref: str, *words: str) -> None:
    assert triaged("ticket", "assess", ref, "accepted", "high", "--as", "Dana Levi").code == 0
    said = triaged("ticket", "reward", ref, *words, "--as", "Dana Levi")
    assert said.code == 0, said.err
    if "proposed:" in said.out:
        assert triaged("ticket", "confirm", ref).code == 0


def test_the_list_has_a_line_a_ticket_and_sums_by_year_and_currency(rewarded: Triaged) -> None:
    first, second, third = refs(rewarded)
    decide(rewarded, first, "1,500", "EUR", "well written")
    assert rewarded("ticket", "reward", first, "paid", "PO-1").code == 0
    decide(rewarded, second, "200 EUR nice")
    assert rewarded("ticket", "assess", third, "declined", "out-of-scope").code == 0
    found = {d["ref"]: d for d in rewarded("reward", "list", "--json").document}
    assert [found[ref]["state"] for ref in (first, second, third)] == ["paid", "approved", "declined"]
    said = rewarded("reward", "list").out
    assert "EUR  200 approved, 1,500 paid" in said
    assert [d["ref"] for d in rewarded("reward", "list", "--state", "approved", "--json").document] == [second]
    assert "reward     paid 1,500 EUR" in rewarded("ticket", "show", first).out
    assert rewarded("audit", "--offline").code == 0


def test_no_cell_of_the_csv_file_is_a_formula(rewarded: Triaged, installation: Path) -> None:
    """Nor is a person in it; a reason stands there where it was asked for."""
    (first, *_) = refs(rewarded)
    decide(rewarded, first, "200", "EUR", "=HYPERLINK(1)")
    assert rewarded("ticket", "reward", first, "paid", "=1+1").code == 0
    assert rewarded("reward", "list", "--csv", "ledger.csv").code == 0
    text = (installation / "ledger.csv").read_text()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["amount"], row["currency"], row["reference"]) == ("200", "EUR", "'=1+1")
    assert "HYPERLINK" not in text and "example.org" not in text
    (row,) = csv.DictReader(io.StringIO(rewarded("reward", "list", "--csv", "-", "--reasons").out))
    assert row["why"] == "'=HYPERLINK(1)"


def test_what_is_exported_stands_in_the_journal(rewarded: Triaged, installation: Path) -> None:
    decide(rewarded, refs(rewarded)[0], "200 EUR nice")
    assert rewarded("reward", "list").code == 0
    assert rewarded("reward", "list", "--csv", "-", "--reasons", "--as", "Dana Levi").code == 0
    assert rewarded("reward", "list", "--json").code == 0
    with reading(connect(f"sqlite:///{installation}/triaged.db")) as connection:
        noted = [(e.kind, e.actor, dict(e.data)) for e in entries(connection, "default", JournalKind.REWARD_EXPORTED)]
    assert noted == [
        ("reward_exported", "member:Dana Levi", {"form": "csv", "rows": 1, "state": "", "reasons": True}),
        ("reward_exported", "operator", {"form": "json", "rows": 1, "state": "", "reasons": False}),
    ]
    assert rewarded("audit", "--offline").code == 0


def test_what_can_not_be_decided_is_a_sentence_and_an_exit_code(rewarded: Triaged) -> None:
    (first, *_) = refs(rewarded)
    for words, why in (
        ("1.500 EUR x", "1500"),
        ("0 EUR x", "/reward none"),
        ("200 EUR x", "no severity yet"),
        ("paid 1", "no reward"),
    ):
        said = rewarded("ticket", "reward", first, words)
        assert said.code in (1, 2) and why in said.err
    assert "--help" not in rewarded("reward", "list", "--tenant", "nobody").err
    assert rewarded("reward", "list", "--tenant", "nobody").code == 1
    assert rewarded("reward", "list", "--json").document == []
