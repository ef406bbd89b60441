"""Whatever the database or the address does, the pages answer in time and the part goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import create_engine

from tests.ticket.scene import AT, DESK, POLICIES
from triaged.daemon import status
from triaged.daemon.house import House
from triaged.settings.load import load

CONFIGURATION = """
[[mailbox]]
name = "security"
address = "security@example.test"
policy = "{policy}"
[http]
listen = "{listen}"
"""


def house(tmp_path: Path, hang: Event, listen: str = "") -> House:
    """Its database takes the connection and says nothing."""
    path = tmp_path / "triaged.toml"
    path.write_text(CONFIGURATION.format(policy=POLICIES / "ims-network.toml", listen=listen))
    engine = create_engine("postgresql+psycopg://", creator=lambda: hang.wait(60) and None)
    return House(load(path, {}), engine, {"security": DESK}, "here:1:a", lambda: AT, {})


def test_a_database_that_hangs_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE_SECONDS", 0.2)
    hang = Event()
    pages = status.pages(house(tmp_path, hang), {"intake": "running", "outbox": "failing"})

    async def ask() -> list[tuple[int, bytes]]:
        return [(answer.status, answer.body) for answer in [await pages[path]() for path in sorted(pages)]]

    assert asyncio.run(asyncio.wait_for(ask(), 5)) == [
        (503, b"part outbox: failing\n"),
        (503, b"the database does not answer\n"),
        (503, b"database: it does not answer\n"),
    ]
    hang.set()


@pytest.mark.parametrize("listen", ["a..b:9464", f"{'a' * 64}.test:9464", "192.0.2.1:9464"])
def test_an_address_that_none_can_have_is_said_once_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listen: str
) -> None:
    monkeypatch.setattr(status, "AGAIN_SECONDS", 0.01)
    stop, said = Event(), []
    shown = house(tmp_path, Event(), listen)
    thread = Thread(target=status.show, args=(shown, {}, stop, lambda *words: said.append(words)))
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert [(part, state) for part, state, _ in said] == [("http", "failing")] and "[http] listen" in said[0][2]
    assert status.taken(listen) is not None
