"""Parts that die are started again, leases and results are read from tables, and logs hold no words of a report."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from threading import Event

import pytest

from tests.ticket.scene import AT, mail
from triaged.daemon import log as logging
from triaged.daemon.clock import rehearsed
from triaged.daemon.notify import VARIABLE, notify
from triaged.daemon.points import arm, reach
from triaged.daemon.sending import result
from triaged.daemon.supervise import Part, join, start
from triaged.mail.ports import Permanent, Sent, Temporary, Unknown
from triaged.tracker.outbox import Parcel

PARCEL = Parcel(7, "security", "a@b", "c@d", b"", 1, AT)


def test_a_part_that_dies_is_started_again_and_says_so() -> None:
    said: list[tuple[str, str]] = []
    stop, runs = Event(), []

    def part(stopping: Event) -> None:
        runs.append(1)
        if len(runs) < 2:
            raise RuntimeError("secret words of a report")
        stopping.wait()

    threads = start([Part("intake", part)], stop, lambda name, state, why: said.append((state, why)))
    while len(runs) < 2:
        stop.wait(0.01)
    stop.set()
    assert join(threads, 5) == []
    assert [state for state, _ in said] == ["running", "failing", "running", "stopped"]
    assert all("secret" not in why for _, why in said)


def test_a_part_that_does_not_end_is_named() -> None:
    never, stop = Event(), Event()
    threads = start([Part("stuck", lambda _: never.wait() and None)], stop, lambda *_: None)
    stop.set()
    assert join(threads, 0.05) == ["stuck"]
    never.set()


@pytest.mark.parametrize(
    ("outcome", "state", "again"),
    [
        (Sent("250 ok"), "accepted", timedelta(0)),
        (Permanent("550 no"), "failed", timedelta(0)),
        (Temporary("451 later", "letter"), "queued", timedelta(minutes=1)),
        (Unknown("lost after the final dot"), "unknown", timedelta(minutes=1)),
        (Temporary("connection refused", "server"), "queued", timedelta(0)),
        (Temporary("535 no", "login"), "queued", timedelta(0)),
    ],
)
def test_each_end_of_an_attempt_has_its_state(outcome: Sent, state: str, again: timedelta) -> None:
    """SM-2, SM-4, SM-5."""
    found = result(PARCEL, outcome, AT, None)
    assert (found.state, found.not_before - AT, found.reply) == (state, again, outcome.reply)


def test_after_five_days_a_temporary_refusal_is_a_permanent_one() -> None:
    """SM-5."""
    assert result(PARCEL, Temporary("451", "letter"), AT + timedelta(days=6), None).state == "failed"


def test_a_log_line_is_json_with_its_control_characters_escaped() -> None:
    """AT-26."""
    stream = io.StringIO()
    logging.configure(stream)
    try:
        logging.log.info("swept", folder="\x1b[31m\n\u202e")
        line = stream.getvalue()
        assert line.count("\n") == 1 and "\x1b" not in line and json.loads(line)["folder"] == "\x1b[31m\n\u202e"
    finally:
        import structlog

        structlog.reset_defaults()


def test_what_is_logged_of_a_message_is_ids_alone(tracked_sqlite, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    tracked_sqlite.receive(
        mail("Opensesame <secret@example.org>", subject="wonderwall", text="wonderwall and more of it all")
    )
    said = capsys.readouterr()
    assert "message taken in" in said.out + said.err
    for secret in ("wonderwall", "secret@", "Opensesame"):
        assert secret not in said.out + said.err


def test_where_an_error_arose_is_said_without_its_text() -> None:
    try:
        raise ValueError("words of a stranger")
    except ValueError as error:
        assert "words" not in logging.place(error) and ":" in logging.place(error)


def test_systemd_is_told_where_it_listens(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import socket

    notify({}, "READY=1")
    notify({VARIABLE: str(tmp_path / "nobody")}, "READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        notify({VARIABLE: str(tmp_path / "notify")}, "READY=1")
        assert server.recv(100) == b"READY=1"


def test_a_kill_point_does_nothing_unless_it_is_armed() -> None:
    arm({})
    reach("receipts-stored")


def test_a_rehearsed_clock_stands() -> None:
    assert {rehearsed(AT)() for _ in range(3)} == {AT}
