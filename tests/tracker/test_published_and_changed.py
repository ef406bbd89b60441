"""What the world reads of an advisory after its publication, as the ticket behind it goes on: each change is a new version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import key, mail
from tests.tracker.test_advisories import TEXT, on_the_day, publish, sent
from tests.tracker.test_commanding import HOUSE, RON, name, says
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon import publishing
from triaged.publication.values import Advisory
from triaged.ticket.address import Role
from triaged.tracker.engine import writing

NOA = "Noa <noa@example.org>"


@pytest.fixture
def house(engine: Engine) -> Tracked:
    """Two reports of one researcher, who is named; the second is published."""
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(mail(proven=True, subject="Something else", text="The search page runs what is typed into it."))
    tracked.receive(
        mail(proven=True, subject="Hole in the login", text="The login page answers to no password at all.")
    )
    tracked.send_all()
    says(tracked, "/affects Gateway: before 2.3.1\n/assess accepted high fix-by 2026-12-20", number=1)
    tracked.receive(mail(NOA, key(name(tracked, 1), Role.RESEARCHER), proven=True, text="CREDIT AS Noa the Great"))
    says(tracked, f"/advisory Cross-site scripting in the login page\n\n{TEXT}", number=1)
    says(tracked, "/draft", number=1)
    sent(tracked)
    says(tracked, "/disclose 2026-12-24", number=1)
    says(tracked, "/confirm", by=RON, number=1)
    sent(tracked)
    on_the_day(tracked)
    assert publish(tracked) == ("IMS-2026-0001",)
    assert (on_site(tracked).version, on_site(tracked).credits) == (1, ("Noa the Great",))
    tracked.at += timedelta(hours=1)
    return tracked


def on_site(tracked: Tracked) -> Advisory:
    """As `triaged publish` would write it now."""
    ((mailbox, desk),) = tracked.desks.items()
    with writing(tracked.engine) as connection:
        publishing.revise(connection, "default", desk.policy, tracked.at)
        site = publishing.site_of(connection, "default", mailbox, desk.policy, "", tracked.at)
    (found,) = site.advisories
    return found


@pytest.mark.parametrize("words", ["/affects Gateway: before 2.4", "/fixed in 2.3.1", "/fixed"])
def test_other_facts_of_a_published_problem_are_a_new_version(house: Tracked, words: str) -> None:
    before = on_site(house)
    says(house, words, number=1)
    after = on_site(house)
    assert (after.product, after.affected, after.fixed_in, after.fixed_on) != (
        before.product,
        before.affected,
        before.fixed_in,
        before.fixed_on,
    )
    assert after.version == 2
    assert on_site(house) == after, "once"


def test_a_published_ticket_that_is_merged_names_nobody_in_a_new_version(house: Tracked) -> None:
    says(house, f"/merge {name(house).ref}", number=1)
    after = on_site(house)
    assert (after.credits, after.version, after.text) == ((), 2, TEXT)


def test_a_duplicate_of_what_is_published_makes_no_new_version(house: Tracked) -> None:
    house.receive(mail("Bo <bo@example.net>", proven=True, subject="Login", text="Anybody can log in at your portal."))
    says(house, f"/duplicate-of {name(house, 1).ref}", number=2)
    assert on_site(house).version == 1
