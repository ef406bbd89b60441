"""Ops are mailed past the outbox, by the second server first; what they heard is in the tracker, so that no restart repeats it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.process import free_port
from tests.servers.sink import Sink
from tests.servers.sink import sink as another_sink
from tests.ticket.scene import AT, POLICIES, READING
from tests.tracker.tracked import Tracked
from triaged.daemon import alarming, status
from triaged.daemon.alarming import Memory
from triaged.daemon.house import House
from triaged.message.parse import parse
from triaged.settings.load import load
from triaged.tracker import alarms
from triaged.tracker.engine import connect, reading, writing

CONFIGURATION = """
[tracker]
url = "{url}"
[[mailbox]]
name = "security"
address = "security@example.test"
policy = "{policy}"
[mailbox.imap]
host = "127.0.0.1"
security = "none"
username = "x"
password = "x"
[mailbox.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
[ops]
alarm = ["ops@example.test", "night@example.test"]
disk_free_mib = 1
{more}
"""
SECOND = '[ops.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nenvelope = "null"\n'


def house(tracked: Tracked, tmp_path: Path, port: int, more: str = "", owner: str = "here:1:a") -> House:
    url = tracked.engine.url.render_as_string(hide_password=False)
    policy = POLICIES / "ims-network.toml"
    path = tmp_path / "triaged.toml"
    path.write_text(CONFIGURATION.format(url=url, policy=policy, port=port, more=more))
    return House(load(path, {}), tracked.engine, tracked.desks, owner, lambda: tracked.at, {})


def look(of: House, memory: Memory, minutes: float) -> bool:
    """Whether anything was to be said, so many minutes after the start."""
    return bool(alarming.look(of, memory, status.look(of), AT + timedelta(minutes=minutes)))


def heard(tracked: Tracked) -> list[str]:
    with reading(tracked.engine) as connection:
        return sorted(alarms.said(connection))


UNSWEPT = ["mailbox security INBOX"]


def test_an_alarm_goes_to_all_of_ops_once_and_so_does_its_end(tracked: Tracked, tmp_path: Path, sink: Sink) -> None:
    of, memory = house(tracked, tmp_path, sink.port), Memory(AT)
    assert not look(of, memory, 15)
    assert look(of, memory, 16) and not look(of, memory, 17)
    assert [mail.recipients for mail in sink.mails] == [("ops@example.test",), ("night@example.test",)]
    assert heard(tracked) == UNSWEPT
    tracked.later(minutes=18)
    tracked.folders().open("INBOX", 1)
    tracked.folders().swept("INBOX", 0)
    assert look(of, memory, 18) and not look(of, memory, 19)
    assert b"all clear" in sink.mails[-1].data and len(sink.mails) == 4
    assert heard(tracked) == []


def test_a_restart_repeats_no_alarm_within_the_day(tracked: Tracked, tmp_path: Path, sink: Sink) -> None:
    of = house(tracked, tmp_path, sink.port)
    assert look(of, Memory(AT), 16)
    again = Memory(AT + timedelta(minutes=17))
    assert not look(of, again, 18) and not look(of, again, 60)
    assert look(of, again, 16 + 24 * 60) and not look(of, again, 17 + 24 * 60)
    assert b"still amiss" in sink.mails[-1].data and len(sink.mails) == 4


def test_of_two_processes_one_speaks(tracked: Tracked, tmp_path: Path, sink: Sink) -> None:
    first, second = (house(tracked, tmp_path, sink.port, owner=owner) for owner in ("here:1:a", "here:2:b"))
    mine, other = Memory(AT), Memory(AT)
    look(first, mine, 12)
    assert not look(second, other, 16) and sink.mails == []
    assert look(first, mine, 17) and not look(second, other, 17) and len(sink.mails) == 2
    assert not look(second, other, 28), "it speaks now, and knows what was said"


def test_the_second_server_is_asked_first_and_the_mailboxs_own_where_it_is_away(
    tracked: Tracked, tmp_path: Path, sink: Sink
) -> None:
    with another_sink() as second:
        look(house(tracked, tmp_path, sink.port, SECOND.format(port=second.port)), Memory(AT), 16)
        assert (len(second.mails), len(sink.mails)) == (2, 0)
        assert {mail.sender for mail in second.mails} == {""}, "null, as its envelope says"
    tracked.later(days=2)
    look(house(tracked, tmp_path, sink.port, SECOND.format(port=free_port())), Memory(AT), 16 + 2 * 24 * 60)
    assert {mail.sender for mail in sink.mails} == {"security@example.test"} and len(sink.mails) == 2


def test_what_nobody_took_is_not_taken_for_said(tracked: Tracked, tmp_path: Path, sink: Sink) -> None:
    memory = Memory(AT)
    assert look(house(tracked, tmp_path, free_port()), memory, 16) and heard(tracked) == []
    assert look(house(tracked, tmp_path, sink.port), memory, 17) and heard(tracked) == UNSWEPT


def test_a_database_that_is_away_is_told_from_memory_and_its_end_is_told_too(
    tracked: Tracked, tmp_path: Path, sink: Sink
) -> None:
    """Nothing can be written down then: what was said is kept by the process, and written when the database is back."""
    of, memory = house(tracked, tmp_path, sink.port), Memory(AT)
    away = replace(of, engine=connect("sqlite:////nowhere/at/all/triaged.db"))
    tracked.folders().open("INBOX", 1)
    tracked.folders().swept("INBOX", 0)
    for minutes in (0, 5, 6):
        alarming.look(away, memory, None, AT + timedelta(minutes=minutes))
    assert len(sink.mails) == 2 and b"ALARM: database" in sink.mails[0].data and heard(tracked) == []
    assert look(of, memory, 7) and b"all clear: database" in sink.mails[-1].data and heard(tracked) == []
    assert not look(of, memory, 8)


def test_nobody_answers_an_alarm_by_machine_and_an_answer_goes_to_ops(
    tracked: Tracked, tmp_path: Path, sink: Sink
) -> None:
    look(house(tracked, tmp_path, sink.port), Memory(AT), 16)
    message = parse(sink.mails[0].data, READING)
    assert [a.address for a in message.reply_to] == ["ops@example.test", "night@example.test"]
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in sink.mails[0].data


@pytest.mark.parametrize("key", ["mailbox security " + "x" * 255, "mailbox s Zoë/ßent"])
def test_a_long_or_foreign_folder_name_is_remembered_whole(tracked: Tracked, key: str) -> None:
    with writing(tracked.engine) as connection:
        alarms.replace(connection, {key: AT})
        alarms.replace(connection, {key: AT, "disk": AT})
    assert heard(tracked) == sorted([key, "disk"])
