"""The HTTP server stands up to whoever connects: two methods, no long header, no slow one, no crowd, nothing of an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread

import pytest

from tests.servers.process import free_port
from triaged.daemon import web
from triaged.daemon.web import Answer


@pytest.fixture
def port() -> Iterator[int]:
    """A server with a page that answers, one that fails and one that is large."""

    async def well() -> Answer:
        return Answer(200, b"ok\n")

    async def fails() -> Answer:
        raise RuntimeError("words of a stranger")

    async def large() -> Answer:
        return Answer(200, b"x" * 4_000_000)

    stop, up, number = Event(), Event(), free_port()
    pages = {"/well": well, "/fails": fails, "/large": large}
    thread = Thread(target=web.serve, args=(f"127.0.0.1:{number}", pages, stop, up.set))
    thread.start()
    assert up.wait(10)
    yield number
    stop.set()
    thread.join(5)
    assert not thread.is_alive(), "who is connected must not hold the stop back"


def said(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        return read(connection)


def read(connection: socket.socket) -> bytes:
    found = b""
    while block := connection.recv(65536):
        found += block
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def test_get_is_answered_and_head_without_the_body(port: int) -> None:
    whole = said(port, b"GET /well?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status(whole) == 200 and whole.endswith(b"\r\n\r\nok\n")
    assert said(port, b"HEAD /well HTTP/1.1\r\n\r\n") == whole.removesuffix(b"ok\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X" * 100])
def test_no_other_method_is_answered(port: int, method: str) -> None:
    answer = said(port, f"{method} /well HTTP/1.1\r\n\r\n".encode())
    assert status(answer) == 405 and b"Allow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"GET /well\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /well HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_for_a_page_is_refused(port: int, request_: bytes, code: int) -> None:
    assert status(said(port, request_)) == code


def test_a_page_that_fails_shows_nothing_of_the_error(port: int) -> None:
    answer = said(port, b"GET /fails HTTP/1.1\r\n\r\n")
    assert status(answer) == 500 and b"stranger" not in answer and b"RuntimeError" not in answer


def test_a_large_page_arrives_whole_at_a_slow_reader(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        time.sleep(0.5)
        assert len(read(connection).partition(b"\r\n\r\n")[2]) == 4_000_000


def test_who_says_nothing_is_cut_off_in_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET /well HTTP/1.1\r\n")
        assert status(read(connection)) == 408


def test_a_crowd_that_says_nothing_keeps_the_door_shut_for_seconds_alone(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.5)
    with ExitStack() as crowd:
        for _ in range(web.CONNECTIONS):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port), 10))
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", port), 10) as late, pytest.raises(ConnectionError):
            late.sendall(b"GET /well HTTP/1.1\r\n\r\n")
            read(late) or pytest.fail("closed, not reset")
        time.sleep(1)
        assert status(said(port, b"GET /well HTTP/1.1\r\n\r\n")) == 200


@pytest.fixture
def idle() -> Iterator[socket.socket]:
    """A connection that outlives the server."""
    with socket.socket() as connection:
        yield connection


def test_the_stop_does_not_wait_for_who_is_connected(idle: socket.socket, port: int) -> None:
    """The server's fixture sees to it when it ends."""
    idle.connect(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:80", "::1", 80), ("localhost:1", "localhost", 1)],
)
def test_an_address_is_split_into_host_and_port(listen: str, host: str, port: int) -> None:
    assert web.split(listen) == (host, port)
