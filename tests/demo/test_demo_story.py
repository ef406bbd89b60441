"""`triaged demo`: the story as it is told, and the tracker that it leaves: played once, on the embedded server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from triaged.demo.script import BEGINS, DAYS, MAILBOXES, RESEARCHERS, SCRIPT, Looks, Reports
from triaged.demo.telling import Told, line, whole

TEAM, MEMBER = "security-team@example.test", "dana@example.test"
ROOT = Path(__file__).resolve().parents[2]
LETTER = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d)  (.*?) → (\S+): (.*)")
END = "2027-03-20T09:12:00Z"


@dataclass(frozen=True)
class Played:
    """What it said, and where its tracker is."""

    said: str
    errors: str
    directory: Path

    def letters(self, to: str) -> list[tuple[str, str, str]]:
        """(when, from, subject and words) of each letter to an address."""
        found = (LETTER.match(said) for said in self.said.split("\n"))
        return [(m[1], m[2], m[4]) for m in found if m and m[3] == to]

    def triaged(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, "--config", str(self.directory / "triaged.toml"), directory=self.directory)


def run(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "COLUMNS": "400", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "triaged", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, cwd=directory, env=environment)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    directory = tmp_path_factory.mktemp("demo")
    done = run("demo", "--keep", str(directory / "kept"), directory=directory)
    assert done.returncode == 0, done.stderr
    return Played(done.stdout, done.stderr, directory / "kept")


pytestmark = pytest.mark.timeout(420)


def test_every_letter_is_shown_in_the_order_of_its_time(played: Played) -> None:
    times = [said[:16] for said in played.said.split("\n") if re.match(r"\d{4}-\d\d-\d\d ", said)]
    assert times == sorted(times) and len(times) > 100
    assert times[0] == "2026-11-20 09:12" and times[-1] < "2027-03-20 09:12"
    assert played.errors == "", "no log line, no warning"


def test_nobody_is_written_to_who_is_not_in_the_story(played: Played) -> None:
    people = {TEAM, MEMBER, *MAILBOXES.values(), *(one.address for one in RESEARCHERS.values())}
    found = {m[3].replace("+…", "") for m in map(LETTER.match, played.said.split("\n")) if m}
    assert found <= people


def test_proven_senders_get_the_card_and_others_the_minimal_form_alone(played: Played) -> None:
    """AR-14: nothing automatic goes to Luca before Dana has written."""
    assert played.letters("noa@example.org")[0][2].startswith("Re: Cross-site scripting in the login page [IMS-")
    first, second = played.letters("luca@example.com")[:2]
    assert first[0] == "2026-11-24 20:40" and "We received your report [GFR-" in first[2] and "Open" not in first[2]
    assert second[0] == "2026-12-03 10:17" and "We are sorry for the wait, Luca." in second[2]


def test_what_the_team_is_silent_about_is_said_at_the_promised_time(played: Played) -> None:
    """The update under the first policy is due at the end of 20 December in Jerusalem, and nobody writes."""
    missed = [when for when, _, said in played.letters("noa@example.org") if "We promised you something" in said]
    assert missed == ["2026-12-20 22:00"]
    told = [when for when, _, said in played.letters(TEAM) if "MISSED just now on IMS-" in said]
    assert told == ["2026-12-20 22:00"]


def test_news_go_out_as_the_scheduled_update_and_moved_dates_with_their_reason(played: Played) -> None:
    updates = [
        when for when, _, said in played.letters("noa@example.org") if "This is the update on your report" in said
    ]
    assert updates[0] == "2026-12-06 18:00"
    moved = [said for _, _, said in played.letters("luca@example.com") if "has been moved" in said]
    assert len(moved) == 2


def test_it_ends_with_the_promises_and_where_to_look_further(played: Played) -> None:
    ending = played.said[played.said.index("How the promises were kept") :]
    assert "CISA BOD 20-01:" in ending and "Under good-faith-rules, version" in ending
    assert f"--config {played.directory / 'triaged.toml'}" in ending


def test_the_kept_tracker_tells_the_same_and_is_whole(played: Played) -> None:
    document = json.loads(played.triaged("promises", "--json", "--at", END).stdout)
    kept = {one["promise"]: one for one in document["promises"]}
    assert (kept["acknowledge"]["made"], kept["acknowledge"]["kept"]) == (3, 3)
    assert (kept["assess"]["kept"], kept["assess"]["late"]) == (2, 1), "the third report waited too long"
    assert kept["update"]["late"] == 1 and not any(one["missed"] or one["open"] for one in document["promises"])
    assert {one["state"] for one in json.loads(played.triaged("ticket", "list", "--json").stdout)} == {"closed"}
    audit = played.triaged("audit", "--offline", "--json")
    assert audit.returncode == 0, audit.stdout


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").write_text("")
    refused = run("demo", "--keep", "kept", directory=tmp_path)
    assert refused.returncode == 1 and "is not empty" in refused.stderr


def test_the_script_keeps_to_its_120_days_and_each_report_begins_it() -> None:
    days = [at for at, _ in SCRIPT]
    assert min(days) == BEGINS and (max(days) - BEGINS).days < DAYS
    for policy in MAILBOXES:
        deeds = [deed for _, deed in sorted(SCRIPT, key=lambda pair: pair[0]) if deed.policy == policy]
        assert isinstance(deeds[0], Reports) and deeds[0].subject
    assert any(isinstance(deed, Looks) for _, deed in SCRIPT)


def test_no_control_character_of_a_letter_reaches_the_terminal() -> None:
    """AT-26."""
    message = EmailMessage()
    message["From"] = "Eve <eve@evil.example>"
    message["Subject"] = "=?utf-8?q?a=1B[31mb=9B?="
    message.set_content("one\x1b[2Jtwo\x07 \x9b31m three\n")
    told = Told(datetime(2026, 11, 20, tzinfo=UTC), "security+7f3k9qxd.r.abcdef@example.test", message)
    shown = "".join((line(told), *whole(told)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    assert "security+…@example.test" in line(told) and len(line(told, 60)) == 60
