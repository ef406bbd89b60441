"""What the team knew before: sealed, opened, removed, and named to decline a report. On both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from tests.ticket.scene import MEMBER, RESEARCHER, key, mail
from tests.tracker.test_commanding import HOUSE, echo, name, says, state
from tests.tracker.tracked import Tracked, open_tracker
from triaged.ticket.address import Role
from triaged.ticket.events import JournalKind
from triaged.ticket.sealing import faults
from triaged.tracker import known_issues
from triaged.tracker.engine import reading, writing
from triaged.tracker.journal import entries
from triaged.tracker.known_issues import KnownError
from triaged.tracker.schema import known_issue, message

TITLE, TEXT = "Cross-site scripting in the login", "The parameter next runs as a script: marzipan and more of it."


@pytest.fixture
def house(engine: Engine) -> Tracked:
    return open_tracker(engine, HOUSE)


def knows(house: Tracked, *, sealed: bool = False) -> str:
    with writing(house.engine) as connection:
        assert known_issues.add(connection, "default", "SEC-17", TITLE, TEXT, house.at)
        return _sealed(house, connection) if sealed else ""


def _sealed(house: Tracked, connection: Any) -> str:
    return known_issues.seal(connection, "default", "SEC-17", "operator", house.at, house.entropy)


def opens(house: Tracked) -> dict[str, Any]:
    with writing(house.engine) as connection:
        return known_issues.open_(connection, "default", "SEC-17", "operator", house.at, house.entropy)


def journal_of(house: Tracked) -> list[tuple[str, dict[str, Any]]]:
    with reading(house.engine) as connection:
        return [(one.kind, dict(one.data)) for one in entries(connection, "default")]


def last_letter(house: Tracked) -> str:
    found = [row for row in house.rows(message) if row.direction == "out" and row.counterpart == RESEARCHER]
    return " ".join(str(found[-1].text).split())


def test_the_journal_holds_the_seal_and_nothing_of_the_issue(house: Tracked) -> None:
    seal = knows(house, sealed=True)
    assert journal_of(house) == [("known_sealed", {"seal": seal})]
    assert house.findings() == []


def test_a_seal_that_is_opened_proves_issue_and_day(house: Tracked) -> None:
    seal = knows(house, sealed=True)
    sealed_at = house.at
    house.later(days=30)
    document = opens(house)
    assert list(faults(document, seal)) == [] and TEXT in str(document["canonical"])
    assert document["sealed_at"] == sealed_at.isoformat(timespec="microseconds")
    assert [kind for kind, _ in journal_of(house)] == ["known_sealed", "known_opened"]
    assert journal_of(house)[1][1]["salt"] == document["salt"]
    house.later(days=1)
    assert opens(house) == document and len(journal_of(house)) == 2, "again: the same, noted once"
    assert house.findings() == []


def test_what_is_sealed_stays_as_it_is(house: Tracked) -> None:
    knows(house, sealed=True)
    with writing(house.engine) as connection:
        assert not known_issues.add(connection, "default", "SEC-17", "another", "text", house.at)
        with pytest.raises(KnownError, match="sealed already"):
            _sealed(house, connection)


@pytest.mark.parametrize("column", ["title", "text", "known_at", "salt", "seal", "sealed_at"])
def test_a_sealed_issue_that_was_changed_in_the_database_shows(house: Tracked, column: str) -> None:
    """Nor can what was changed be opened: it would prove something else."""
    knows(house, sealed=True)
    changed: dict[str, Any] = {"known_at": house.at - timedelta(days=900), "sealed_at": house.at - timedelta(days=900)}
    value = changed.get(column, bytes(32) if column in ("salt", "seal") else "another")
    with writing(house.engine) as connection:
        connection.execute(update(known_issue).values({column: value}))
    assert any("known issue SEC-17" in finding for finding in house.findings())
    if column != "sealed_at":
        with pytest.raises(KnownError):
            opens(house)
    else:
        assert opens(house)["sealed_at"] == house.at.isoformat(timespec="microseconds"), "the journal's instant counts"


def test_a_removed_issue_leaves_its_seal_in_the_journal(house: Tracked) -> None:
    seal = knows(house, sealed=True)
    with writing(house.engine) as connection:
        assert known_issues.remove(connection, "default", "SEC-17", "operator", house.at, house.entropy)
    assert journal_of(house)[1] == ("known_removed", {"seal": seal, "opened": False})
    assert house.findings() == []


def test_an_issue_that_was_never_sealed_is_not_opened_and_leaves_no_trace(house: Tracked) -> None:
    knows(house)
    with pytest.raises(KnownError, match="never sealed"):
        opens(house)
    with writing(house.engine) as connection:
        assert known_issues.remove(connection, "default", "SEC-17", "operator", house.at, house.entropy)
    assert journal_of(house) == []


# --- naming it to a researcher


def reported(house: Tracked, author: str = RESEARCHER, text: str = "A page of yours runs what it is given.") -> None:
    house.later(hours=1)
    house.receive(mail(author, proven=True, text=text))
    house.send_all()


def test_a_report_of_what_was_sealed_before_gets_day_and_seal_and_not_a_word_of_it(house: Tracked) -> None:
    seal = knows(house, sealed=True)
    reported(house)
    says(house, "/duplicate-of known:sec-17\n\nThank you for looking so closely.")
    assert state(house) == "declined"
    said = last_letter(house)
    assert seal in said and "20 November 2026" in said
    for secret in ("SEC-17", "sec-17", "marzipan", "scripting", "Cross-site"):
        assert secret not in said
    (row,) = house.letters("duplicate")
    assert (row.template, row.state, row.hold_reason) == ("duplicate", "queued", ""), "the gate lets it go"
    assert "known to us before, SEC-17" in " ".join(echo(house).split())
    assert house.findings() == []


def test_a_report_of_what_was_known_and_never_sealed_gets_no_seal(house: Tracked) -> None:
    knows(house)
    reported(house)
    says(house, "/duplicate-of known:SEC-17")
    assert "from our own work" in last_letter(house) and "SHA-256" not in last_letter(house)


def test_a_seal_made_after_the_report_is_not_given(house: Tracked) -> None:
    """It proves nothing, and would look as if it did."""
    knows(house)
    reported(house)
    house.later(hours=1)
    with writing(house.engine) as connection:
        _sealed(house, connection)
    says(house, "/duplicate-of known:SEC-17")
    assert state(house) == "declined" and "SHA-256" not in last_letter(house)


def test_what_came_on_the_list_after_the_report_was_not_known_before(house: Tracked) -> None:
    """Nobody declines a report by writing it on the list."""
    reported(house)
    house.later(hours=1)
    knows(house, sealed=True)
    says(house, "/duplicate-of known:SEC-17")
    assert state(house) == "received" and "was not known when it came" in " ".join(echo(house).split())


@pytest.mark.parametrize("words", ["known:SEC-18", "known:", "known:SEC 17", "known:%", "known:SEC-1_"])
def test_an_issue_that_is_not_on_the_list_is_refused(house: Tracked, words: str) -> None:
    knows(house)
    reported(house)
    says(house, f"/duplicate-of {words}")
    assert state(house) == "received" and "NOT" in echo(house)


def test_the_first_reporter_is_whose_report_was_received_first(house: Tracked) -> None:
    reported(house)
    reported(house, "kim@third.example", "The login of yours runs whatever stands in next.")
    first, second = name(house), name(house, 1)
    says(house, f"/duplicate-of {second.ref}")
    assert state(house) == "received"
    assert f"write /duplicate-of {first.ref} there" in " ".join(echo(house).split())
    house.receive(mail(MEMBER, key(second, Role.TEAM), proven=True, text=f"/duplicate-of {first.ref}"))
    said = [
        row.text for row in house.rows(message) if row.direction == "out" and row.counterpart == "kim@third.example"
    ]
    assert "from an earlier report" in said[-1] and first.ref not in said[-1] and RESEARCHER not in said[-1]
    assert JournalKind.KNOWN_SEALED not in dict(journal_of(house))
