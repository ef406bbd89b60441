"""An advisory from its draft to its publication, on real databases: sent for comment, agreed on, published on that day or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import MEMBER, key, mail
from tests.tracker.test_commanding import HOUSE, RON, echo, name, says, to_researcher
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon.tending import desk_of
from triaged.ticket.address import Role
from triaged.ticket.draft import When
from triaged.tracker import advisories
from triaged.tracker.disclosing import disclose_due
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import advisory, clock, event, message, ticket

TEXT = "An attacker who gets somebody to follow a link runs a script in their session.\n\nUpdate to 2.3.1."
SECRET = "the vault of the old billing machine has no password at all"


@pytest.fixture
def house(engine: Engine) -> Tracked:
    tracked = open_tracker(engine, replace(HOUSE, internal=("vault.corp",)))
    tracked.receive(mail(proven=True))
    tracked.send_all()
    says(tracked, "/assess accepted high fix-by 2026-12-20")
    sent(tracked)
    return tracked


def sent(tracked: Tracked) -> None:
    tracked.later(minutes=3)  # the undo time
    tracked.send_all()


def written(tracked: Tracked, text: str = TEXT, title: str = "Cross-site scripting in the login page") -> None:
    says(tracked, f"/advisory {title}\n\n{text}")


def agreed(tracked: Tracked, day: str = "2026-12-24") -> None:
    says(tracked, f"/disclose {day}")
    says(tracked, "/confirm", by=RON)
    sent(tracked)


def ready(tracked: Tracked) -> None:
    written(tracked)
    says(tracked, "/draft\n\nDoes this look right to you?")
    sent(tracked)
    agreed(tracked)


def found(tracked: Tracked) -> list[tuple[When, str]]:
    with reading(tracked.engine) as connection:
        some = advisories.candidates(connection, "default", tracked.desks, tracked.at)
    return [(one.when, one.why) for one in some]


def publish(tracked: Tracked) -> tuple[str, ...]:
    with writing(tracked.engine) as connection:
        some = advisories.candidates(connection, "default", tracked.desks, tracked.at)
        desks = tracked.desks
        return disclose_due(
            connection,
            some,
            lambda loaded: desk_of(loaded, desks),
            "https://www.example.test",
            tracked.at,
            tracked.entropy,
        )


def on_the_day(tracked: Tracked) -> None:
    due = next(row.due_at for row in tracked.rows(clock) if row.promise == "disclose" and row.met_at is None)
    tracked.at = due - timedelta(hours=9)


def test_a_draft_that_was_commented_on_is_published_on_the_agreed_day(house: Tracked) -> None:
    ready(house)
    assert found(house) == [(When.LATER, "its day is 2026-12-24")]
    assert publish(house) == ()
    on_the_day(house)
    assert publish(house) == ("IMS-2026-0001",)
    (row,) = house.rows(ticket)
    assert row.state == "disclosed"
    assert [r.met_at is not None for r in house.rows(clock) if r.promise == "disclose"] == [True]
    (letter,) = [p for p in house.send_all() if b"is published as of today" in p.data]
    assert b"IMS-2026-0001" in letter.data and b"noa" not in letter.data.split(b"\r\n\r\n", 1)[1].lower()
    assert found(house) == [], "it is published"
    assert publish(house) == (), "once"
    assert house.broken() == []
    with reading(house.engine) as connection:
        (public,) = advisories.public(connection, "default", ZoneInfo("Asia/Jerusalem"))
    assert (public.name, public.severity, public.draft.text) == ("IMS-2026-0001", "high", TEXT)


def test_a_day_that_passed_publishes_nothing_and_the_team_is_told(house: Tracked) -> None:
    ready(house)
    on_the_day(house)
    house.live(house.at + timedelta(days=2))
    ((when, why),) = found(house)
    assert when is When.NOT and "has passed" in why
    assert publish(house) == ()
    assert [r.missed_at is not None for r in house.rows(clock) if r.promise == "disclose"] == [True]
    assert any("disclose" in row.subject.lower() or "missed" in row.template for row in _letters(house))
    agreed(house, "2027-01-10")
    on_the_day(house)
    assert publish(house) == ("IMS-2027-0001",)


def _letters(tracked: Tracked) -> list[object]:
    from triaged.tracker.schema import message

    subjects = {row.id: row.subject for row in tracked.rows(message)}
    return [
        type("L", (), {"subject": subjects.get(r.message_row, ""), "template": r.template}) for r in tracked.letters()
    ]


def test_without_a_second_members_word_nothing_is_published(house: Tracked) -> None:
    written(house)
    says(house, "/draft")
    sent(house)
    says(house, "/disclose 2026-12-24")
    says(house, "/confirm", by=MEMBER)
    house.at = datetime(2026, 12, 24, 9, tzinfo=UTC)
    ((when, why),) = found(house)
    assert when is When.NOT and "waits for a second member" in why
    assert publish(house) == ()


def test_a_draft_that_changed_after_it_was_sent_is_sent_again_first(house: Tracked) -> None:
    ready(house)
    house.later(hours=1)
    written(house, TEXT + "\n\nOr turn the page off.")
    on_the_day(house)
    ((when, why),) = found(house)
    assert when is When.NOT and "/draft sends it" in why
    says(house, "/draft")
    sent(house)
    agreed(house)
    assert publish(house) == ("IMS-2026-0001",)


def test_one_member_alone_changes_no_words_after_two_agreed(house: Tracked) -> None:
    """What two agreed on is published, and not what one of them wrote, sent and proposed since."""
    ready(house)
    house.later(hours=1)
    written(house, "It was never of any weight.")
    says(house, "/draft")
    sent(house)
    says(house, "/disclose 2026-12-24")
    says(house, "/cancel")
    on_the_day(house)
    ((when, why),) = found(house)
    assert when is When.NOT and "changed after the day was agreed on" in why
    assert publish(house) == ()
    agreed(house)
    assert publish(house) == ("IMS-2026-0001",)


@pytest.mark.parametrize("words", ["/question", "/other"])
def test_what_is_taken_for_no_report_any_more_is_not_published(house: Tracked, words: str) -> None:
    ready(house)
    says(house, words)
    house.at = datetime(2026, 12, 24, 9, tzinfo=UTC)
    assert "no report" in found(house)[0][1]
    assert publish(house) == ()


def test_a_draft_that_names_somebody_who_came_later_is_not_published(house: Tracked) -> None:
    """When it was written, nobody of that name took part."""
    written(house, f"{TEXT}\n\nWith thanks to Bo Lindqvist.")
    says(house, "/draft")
    sent(house)
    agreed(house)
    says(house, "/add bo@example.net")
    to = key(name(house), Role.RESEARCHER)
    house.receive(mail("Bo Lindqvist <bo@example.net>", to, proven=True, text="I saw it as well, on another page."))
    on_the_day(house)
    ((when, why),) = found(house)
    assert when is When.NOT and "names" in why and "Bo" not in why
    assert publish(house) == ()


def test_a_draft_that_holds_the_name_of_somebody_who_took_it_back_is_not_published(house: Tracked) -> None:
    house.receive(mail(to=key(name(house), Role.RESEARCHER), proven=True, text="CREDIT AS Noa the Great"))
    written(house, f"{TEXT}\n\nFound by Noa the Great.")
    says(house, "/draft")
    sent(house)
    agreed(house)
    house.receive(mail(to=key(name(house), Role.RESEARCHER), proven=True, text="ANONYMOUS"))
    on_the_day(house)
    assert "it names somebody" in found(house)[0][1]
    assert publish(house) == ()


def test_a_product_that_names_the_researcher_is_refused(engine: Engine) -> None:
    house = open_tracker(engine, HOUSE)
    house.receive(mail("Noa Adams <noa@example.org>", proven=True))
    says(house, "/affects Gateway of Noa Adams: before 2.3.1")
    assert "names the researcher" in " ".join(echo(house).split())
    assert house.rows(ticket)[0].product == ""


def test_the_researcher_comments_on_all_that_is_to_be_published(house: Tracked) -> None:
    """Product, versions, weakness and CVE stand in every document beside the words."""
    says(house, "/affects Gateway: before 2.3.1\n/fixed in 2.3.1\n/assess accepted high cwe CWE-79")
    written(house)
    says(house, "/cve CVE-2026-12345")
    says(house, "/draft")
    text = next(row.text for row in house.rows(message) if row.id == house.letters("draft")[0].message_row)
    for said in ("Gateway: before 2.3.1", "Fixed in:     2.3.1", "CWE-79", "CVE-2026-12345"):
        assert said in text, said
    assert max(len(line) for line in text.split("\n") if "CWE-79" not in line) <= 80


def test_a_draft_that_was_cancelled_or_held_was_not_sent(house: Tracked) -> None:
    written(house)
    says(house, "/draft")
    says(house, "/cancel")
    agreed(house)
    on_the_day(house)
    assert "was not sent" in found(house)[0][1]


def test_a_note_pasted_into_a_draft_is_held_before_anybody_reads_it(house: Tracked) -> None:
    """AT-29: what is published was seen by the gate, since its researcher gets it first."""
    says(house, f"/note\n\n{SECRET}")
    written(house, f"{TEXT}\n\nBesides, {SECRET}.")
    says(house, "/draft")
    assert house.letters("draft")[0].state == "held"
    agreed(house)
    on_the_day(house)
    assert publish(house) == ()


def test_a_draft_is_no_secret_to_its_own_letter_and_may_be_written_again(house: Tracked) -> None:
    written(house)
    written(house, TEXT + " Or 2.4.")
    says(house, "/draft")
    assert house.letters("draft")[0].state == "queued"


@pytest.mark.parametrize(
    "text",
    [
        "Found by Noa.Adams on a Sunday; thank her at noa@example.org.",
        "Ask dana@example.test for the details of it.",
        "See vault.corp for the patch.",
        "Details in IMS-7F3K-9QXD, which is another ticket.",
    ],
)
def test_a_draft_names_no_researcher_member_ticket_or_machine(house: Tracked, text: str) -> None:
    written(house, text)
    assert "NOTHING of it was done" in echo(house)
    assert house.rows(advisory) == []


def test_other_words_for_what_is_published_need_a_second_member(house: Tracked) -> None:
    ready(house)
    on_the_day(house)
    publish(house)
    written(house, "Nothing was ever wrong.")
    assert "/revise TITLE" in " ".join(echo(house).split())
    says(house, "/revise Cross-site scripting in two pages\n\nThe logout page is affected as well.")
    assert house.rows(advisory)[0].revisions == []
    says(house, "/confirm", by=RON)
    (row,) = house.rows(advisory)
    assert (len(row.revisions), row.text, row.name) == (1, "The logout page is affected as well.", "IMS-2026-0001")
    assert row.published_at is not None


def test_a_cve_number_is_kept_and_a_slip_is_refused(house: Tracked) -> None:
    says(house, "/cve CVE-2026-1234")
    assert "no draft yet" in echo(house)
    written(house)
    says(house, "/cve CVE-26-1234")
    assert "write it like CVE-2026-12345" in " ".join(echo(house).split())
    says(house, "/cve cve-2026-12345")
    assert house.rows(advisory)[0].cve == "CVE-2026-12345"


def test_an_agreed_day_that_moves_by_itself_has_to_be_agreed_on_again(house: Tracked) -> None:
    ready(house)
    says(house, "/extend disclose 2027-01-05 the vendor needs the holidays")
    sent(house)
    on_the_day(house)
    assert "agree again" in found(house)[0][1]
    assert publish(house) == ()


def test_the_draft_is_in_no_event_and_no_log(house: Tracked, capfd: pytest.CaptureFixture[str]) -> None:
    ready(house)
    bodies = " ".join(row.body for row in house.rows(event))
    assert "Update to 2.3.1" not in bodies
    assert "Update to 2.3.1" not in "".join(capfd.readouterr())


def test_of_two_publications_each_gets_its_own_number(engine: Engine) -> None:
    tracked = open_tracker(engine, HOUSE)
    for number, subject in enumerate(("Hole in one", "Hole in two")):
        tracked.receive(mail(proven=True, subject=subject, text=f"Something number {number} is wrong with {subject}."))
        tracked.send_all()
        says(tracked, "/assess accepted high fix-by 2026-12-20", number=number)
        says(tracked, f"/advisory {subject}\n\nIt is bad.", number=number)
        says(tracked, "/draft", number=number)
        sent(tracked)
        says(tracked, "/disclose 2026-12-24", number=number)
        says(tracked, "/confirm", by=RON, number=number)
        sent(tracked)
    on_the_day(tracked)
    assert publish(tracked) == ("IMS-2026-0001", "IMS-2026-0002")
    assert to_researcher(tracked)
    assert name(tracked, 1)
