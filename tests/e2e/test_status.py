"""The daemon before Dovecot tells how it fares over HTTP while it works; what is away or taken is said, and stops nothing."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.installation import Installation, until
from tests.servers.process import free_port

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def shown(house: Installation) -> Installation:
    """With metrics and health on a port of its own."""
    house.write(listen=f"127.0.0.1:{free_port()}")
    return house


def get(house: Installation, path: str) -> tuple[int, str]:
    """Status and body; 0 where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://{house.values['listen']}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def samples(house: Installation) -> dict[Any, float]:
    status, text = get(house, "/metrics")
    assert status == 200, (status, text)
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_it_is_scraped_while_it_works(shown: Installation) -> None:
    house = shown
    with house.running():
        until(lambda: get(house, "/readyz") == (200, "ok\n"), what="ready over HTTP")
        house.arrives(house.researcher)
        assert len(house.got(house.researcher)) == 1
        until(lambda: samples(house).get(("triaged_outbox_letters", "queued")) == 0, what="the outbox is empty")
        found = samples(house)
        assert found[("triaged_folder_swept_seconds", "INBOX", "security")] < 120
        assert found[("triaged_oldest_unprocessed_seconds",)] == 0
        assert found[("triaged_part_up", "intake")] == found[("triaged_part_up", "watch security")] == 1
        assert found[("process_resident_memory_bytes",)] > 0
        assert get(house, "/healthz") == (200, "ok\n")
        text = get(house, "/metrics")[1]
        assert "@" not in text and house.name not in text
        checked = json.loads(house.command("check", "--json").stdout)
        assert [item["ok"] for item in checked if item["item"] == "http"] == [True], "ours is no fault"
    assert get(house, "/healthz")[0] == 0


def test_a_mailbox_that_cannot_be_swept_is_not_ready_and_the_process_is_well(shown: Installation) -> None:
    house = shown
    house.write(imap_port=free_port())
    with house.running():
        until(lambda: get(house, "/readyz")[0] == 503, what="not ready")
        assert get(house, "/readyz")[1] == "mailbox security: INBOX was never swept\n"
        assert get(house, "/healthz") == (200, "ok\n"), "no restart would mend it"
        assert samples(house)[("triaged_folder_swept_seconds", "INBOX", "security")] == float("inf")


def test_a_port_that_is_taken_is_said_once_and_mail_goes_on(small_house: Installation) -> None:
    house = small_house
    with socket.create_server(("127.0.0.1", 0)) as taken:
        house.write(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        checked = json.loads(house.command("check", "--json").stdout)
        [item] = [item for item in checked if item["item"] == "http"]
        assert not item["ok"] and "in use" in item["mend"] and "[http] listen" in item["mend"]
        with house.running():
            house.arrives(house.researcher)
            assert len(house.got(house.researcher)) == 1
        lines = [line for line in house.log.read_text().splitlines() if "http does not listen" in line]
        assert len(lines) == 1 and "in use" in json.loads(lines[0])["mend"]


def test_ops_hear_of_a_low_disk_once_however_often_the_daemon_starts(small_house: Installation) -> None:
    house = small_house
    ops = f"ops.{house.name}@example.test"
    house.more = f'[ops]\nalarm = ["{ops}"]\ndisk_free_mib = {2**30}\n'
    house.write()
    with house.running():
        [alarm] = house.got(ops)
    assert alarm["Subject"] == "triaged: ALARM: disk" and alarm["Reply-To"] == ops
    with house.running():
        house.arrives(house.researcher)
        assert len(house.got(house.researcher)) == 1
    house.more = house.more.replace(str(2**30), "1")
    house.write()
    with house.running():
        assert [mail["Subject"] for mail in house.got(ops, 2)] == ["triaged: ALARM: disk", "triaged: all clear: disk"]
    assert len(house.tickets()) == 1, "an alarm is no report"


def test_check_tries_the_second_server_of_ops(small_house: Installation) -> None:
    house = small_house
    house.more = f'[ops.smtp]\nhost = "127.0.0.1"\nport = {free_port()}\nsecurity = "none"\n'
    house.write()
    items = {item["item"]: item for item in json.loads(house.command("check", "--json").stdout)}
    assert not items["smtp of ops"]["ok"] and "[ops.smtp]" in items["smtp of ops"]["mend"]
    assert "[ops] alarm" in items["alarms"]["note"] and items["http"]["note"].startswith("off")
