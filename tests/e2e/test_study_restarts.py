"""The child that reads, and the process that studies, killed and stopped in the midst of forty reports."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, end_well, until

pytestmark = pytest.mark.timeout(600)


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_forty_reports_survive_kills_of_the_reader_and_of_the_process_and_a_stop(house: Installation) -> None:
    house.arrives(*(f"p{n}-{house.researcher}" for n in range(40)))
    process = house.start()
    seen: set[int] = set()
    until(lambda: children(process.pid) or house.tickets(), what="the reader is there")
    for child in children(process.pid):
        seen.add(child)
        os.kill(child, signal.SIGKILL)
    until(house.tickets, what="reading goes on")
    seen |= {*children(process.pid)}
    process.kill()
    process.wait()
    again = house.start()
    time.sleep(1)
    seen |= {*children(again.pid)}
    end_well(again, house.log, 10)
    until(lambda: not [pid for pid in seen if alive(pid)], what="no child is left")
    house.once()
    house.once()
    tickets = house.tickets()
    assert len(tickets) == 40
    told = [letter for letter in house.letters() if letter["to"] == house.team]
    assert len(told) == 40
    house.audit()
