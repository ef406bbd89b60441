"""`triaged check --probe` before a mail server that removes what strangers write in its name, and one that leaves it in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.installation import Installation
from tests.servers.postfix import Server

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def stripping(submission: Server) -> Iterator[Server]:
    submission.strip(True)
    yield submission
    submission.strip(False)


def test_a_server_that_leaves_forged_results_in_fails_the_check_and_the_daemon_files_the_probe(
    house: Installation,
) -> None:
    """AU-3."""
    house.once()
    done = house.command("check", "--probe")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL  probe security" in done.stdout and "(RFC 8601 section 5)" in done.stdout
    assert "no DKIM signature of ims-network.net" in done.stdout  # AU-9
    assert "waiting for it to come back" in done.stderr
    house.once()
    assert [(r["outcome"], r["reason"]) for r in house.receipts()] == [("filed", "a probe of ours")]
    assert house.tickets() == [] and house.letters() == []
    house.audit()


def test_a_server_that_removes_them_passes(small_house: Installation, stripping: Server) -> None:
    house = small_house
    house.once()
    items = {item["item"]: item for item in house.read("check", "--probe")}
    assert items["probe security"]["ok"] and items["probe security"]["mend"] == ""


def test_without_the_option_nothing_is_sent(small_house: Installation) -> None:
    small_house.once()
    assert small_house.command("check").returncode == 0
    assert small_house.inbox(small_house.address) == []


def test_before_the_first_run_it_says_that_it_could_not_be_tried(small_house: Installation) -> None:
    done = small_house.command("check", "--probe")
    assert done.returncode == 1 and "run `triaged run` first" in done.stdout


def test_a_probe_that_does_not_come_back_fails_in_time(small_house: Installation) -> None:
    house = small_house
    house.once()
    house.dovecot.create_folder(house.address, "Elsewhere")
    house.write(folders=["Elsewhere"])
    done = house.command("check", "--probe", "--wait", "1")
    assert done.returncode == 1 and "did not come back to Elsewhere in 1 seconds" in done.stdout
