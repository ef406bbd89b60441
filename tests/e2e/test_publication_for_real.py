"""The story of each policy from report to publication, by mail through real servers: letters, promises, the site at its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.attacks import TEAM_KEY
from tests.e2e.installation import ROOT, Installation, parsed, report, unusual
from tests.e2e.watched import Mail, Seen, Watch

pytestmark = pytest.mark.timeout(600)

NAME, PLAIN = "Zebra Quagga", "wombat"  # the name to be thanked by; in the sender's own name and nowhere else
SECOND = """
[[team.member]]
name = "Ron Katz"
address = "{second}"
role = "lead"
notify = "board"
"""
TITLE = "Cross-site scripting in the login page"
TEXT = "Whoever follows a prepared link runs a script in their own session.\n\nUpdate the gateway to version 2.3.1."
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"


@dataclass
class Tale:
    """One installation with two members, one researcher, and the mail between them."""

    house: Installation
    at: datetime
    watch: Watch
    first: str = ""  # the researcher's and the team's keyed addresses
    team: str = ""
    ref: str = ""
    counted: int = 0  # of the mail that was seen

    @property
    def second(self) -> str:
        return f"ron.{self.house.name}@example.test"

    def passes(self, hours: float, *mails: Mail) -> list[Seen]:
        """Time goes by, the mail arrives, and the program runs once."""
        self.at += timedelta(hours=hours)
        self.watch.arrive(mails)
        done = self.house.command("run", "--once", "--at", self.at.isoformat())
        assert done.returncode == 0, unusual(done.stderr)
        self.watch.settled()
        seen = self.watch.seen()
        self.counted, before = len(seen), self.counted
        return seen[before:]

    def members(self, text: str, by: str = "") -> list[Seen]:
        """A command, obeyed: the echo says so."""
        by = by or self.house.member
        seen = self.passes(1, Mail(report(by, self.team, "Re: it", text), by, self.team))
        said = [one.text for one in seen if one.mailbox == by and one.template in ("done", "refused", "not_sent")]
        assert said and "NOTHING of it was done" not in said[0], (text, said)
        return seen

    def researcher(self, text: str) -> list[Seen]:
        who = self.house.researcher
        raw = report(f"{PLAIN.title()} Nugget <{who}>", self.first, "Re: it", text)
        return self.passes(2, Mail(raw, who, self.first))

    def to_researcher(self, seen: list[Seen], template: str) -> Seen:
        found = [one for one in seen if one.mailbox == self.house.researcher and one.template == template]
        assert len(found) == 1, (template, [(one.mailbox, one.template) for one in seen])
        return found[0]

    def ticket(self) -> Any:
        return self.house.ticket(self.ref)

    def clock(self, promise: str) -> Any:
        return next(one for one in self.ticket()["clocks"] if one["promise"] == promise)

    def publish(self, directory: Path, hours: float) -> Any:
        self.at += timedelta(hours=hours)
        done = self.house.command("publish", str(directory), "--json", "--at", self.at.isoformat())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def begun(house: Installation, policy: str) -> Tale:
    """A report that was acknowledged, and that the team was told of."""
    house.policy = ROOT / f"config/policies/{policy}.toml"
    house.more = SECOND.format(second=f"ron.{house.name}@example.test")
    house.write()
    tale = Tale(house, datetime.now(UTC), Watch(house))
    body = "The login page https://app.example.test/login?next=x shows what it is given as a part of the page.\n"
    raw = report(f"{PLAIN.title()} Nugget <{house.researcher}>", house.address, "XSS in the login form", body)
    seen = tale.passes(0, Mail(raw, house.researcher, house.address))
    acknowledged = tale.to_researcher(seen, "acknowledgement")
    tale.ref, tale.first = acknowledged.ref, str(parsed(acknowledged.raw)["Reply-To"].addresses[0].addr_spec)
    relay = next(one for one in seen if one.template == "relay")
    key = TEAM_KEY.search(relay.text)
    assert key
    tale.team = key[1]
    assert tale.clock("acknowledge")["met_at"]
    return tale


def it_is_assessed(tale: Tale) -> None:
    day = (tale.at + timedelta(days=20)).date()
    tale.members(
        f"/affects Gateway: before 2.3.1\n/assess accepted cvss {VECTOR} cwe CWE-79 fix-by {day}\n\nWell found!"
    )
    letter = next(one for one in reversed(tale.watch.seen()) if one.template == "assessed")
    assert letter.mailbox == tale.house.researcher and VECTOR in letter.text and "medium" in letter.text
    assert tale.clock("assess")["met_at"]


def it_is_rewarded(tale: Tale) -> None:
    """Two members say the amount; the letter is the first that names it."""
    tale.members("/reward 300 EUR It shows every step, and was not known to us.")
    assert not [one for one in tale.watch.seen() if "300" in one.text and one.mailbox == tale.house.researcher]
    seen = tale.members("/confirm", tale.second)
    assert "300" in tale.to_researcher(seen, "rewarded").text
    assert tale.ticket()["reward"]["state"] == "approved"


def the_researcher_is_asked_and_agrees(tale: Tale) -> None:
    seen = tale.members("/credit ask")
    assert "CREDIT AS" in tale.to_researcher(seen, "consent").text
    tale.researcher(f"CREDIT AS {NAME}")
    assert tale.ticket()["credit"]["name"] == NAME


def the_draft_is_commented_on(tale: Tale) -> None:
    tale.members(f"/advisory {TITLE}\n\n{TEXT}")
    seen = tale.members("/draft\n\nDoes this look right to you?")
    draft = tale.to_researcher(seen, "draft").text
    assert TITLE in draft and "Update the gateway" in draft and NAME not in draft
    seen = tale.researcher("It does, thank you.")
    assert [one for one in seen if "It does, thank you." in one.text and one.mailbox == tale.house.team]


def it_is_fixed_and_a_day_is_agreed_on(tale: Tale) -> None:
    tale.members("/fixed in 2.3.1")
    day = (tale.at + timedelta(days=6)).date()
    tale.members(f"/disclose {day}")
    tale.members("/confirm", tale.second)
    assert tale.ticket()["state"] == "fixed"


def it_is_published_on_that_day(tale: Tale, directory: Path) -> None:
    early = tale.publish(directory, 48)
    assert early["published"] == [] and [one["when"] for one in early["waiting"]] == ["later"]
    assert TITLE not in everything(directory)
    tale.at = datetime.fromisoformat(tale.clock("disclose")["due_at"]) - timedelta(hours=12)
    done = tale.publish(directory, 0)
    assert len(done["published"]) == 1 and done["waiting"] == []
    assert tale.ticket()["state"] == "disclosed" and tale.clock("disclose")["met_at"]
    seen = tale.passes(1)
    assert done["published"][0] in tale.to_researcher(seen, "published").text
    tale.publish(directory, 1)  # the letter kept a promise since: the numbers have changed
    again = tale.publish(directory, 1)
    assert (again["published"], again["written"], again["removed"]) == ([], [], []), "the same input, the same bytes"


def everything(directory: Path) -> str:
    found = (path.read_text(errors="replace") for path in sorted(directory.rglob("*")) if path.is_file())
    return "\n".join(found)


def the_site_names_who_agreed_and_nobody_else(tale: Tale, directory: Path) -> None:
    site = everything(directory)
    assert TITLE in site and NAME in site and "2.3.1" in site
    assert PLAIN not in site.lower() and tale.house.researcher not in site and tale.house.member not in site
    assert "Dana Levi" not in site and tale.ref not in site


def who_wants_to_be_named_no_more_is_gone_from_it(tale: Tale, directory: Path) -> None:
    tale.researcher("ANONYMOUS")
    tale.publish(directory, 1)
    assert NAME not in everything(directory)
    assert TITLE in everything(directory)


def every_promise_was_kept_and_shown(tale: Tale) -> None:
    clocks = tale.ticket()["clocks"]
    assert all(one["missed_at"] is None for one in clocks), clocks
    rows = tale.house.read("promises")
    assert "missed" in json.dumps(rows)
    tale.house.audit()


def told(tale: Tale, directory: Path, rewarded: bool) -> None:
    it_is_assessed(tale)
    if rewarded:
        it_is_rewarded(tale)
    the_researcher_is_asked_and_agrees(tale)
    the_draft_is_commented_on(tale)
    it_is_fixed_and_a_day_is_agreed_on(tale)
    it_is_published_on_that_day(tale, directory)
    the_site_names_who_agreed_and_nobody_else(tale, directory)
    every_promise_was_kept_and_shown(tale)
    who_wants_to_be_named_no_more_is_gone_from_it(tale, directory)


@pytest.mark.parametrize("policy", ["ims-network", "good-faith-rules"])
def test_a_report_goes_from_its_assessment_to_its_publication(small_house: Installation, policy: str) -> None:
    told(begun(small_house, policy), small_house.directory / "www", rewarded=False)


def test_a_report_under_a_policy_that_rewards_goes_the_same_way(house: Installation) -> None:
    tale = begun(house, "responsible-disclosure")
    told(tale, house.directory / "www", rewarded=True)
    tale.members("/reward paid 2027-0117")
    assert tale.ticket()["reward"]["state"] == "paid"
    tale.members("/close")
