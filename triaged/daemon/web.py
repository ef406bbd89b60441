"""A small HTTP server: GET and HEAD of a few pages, bounded in time, size and number. Knows no page itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

REQUEST_OCTETS = 8192  # of the request line and the header together
REQUEST_SECONDS = 5.0  # until the header is whole
ANSWER_SECONDS = 10.0  # until the answer is made and taken
CONNECTIONS = 16  # at a time; others are closed at once
BEAT_SECONDS = 0.5  # between looks at whether all stops

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One response."""

    status: int
    body: bytes
    content_type: str = PLAIN


Page = Callable[[], Awaitable[Answer]]
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def split(listen: str) -> tuple[str, int]:
    """host:port as settings/kinds.py has it, the brackets of IPv6 taken off."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def serve(listen: str, pages: Mapping[str, Page], stop: Event, listening: Callable[[], None]) -> None:
    """Answer until `stop` is set. Raises OSError where the address can't be had."""
    asyncio.run(_serve(listen, pages, stop, listening))


async def _serve(listen: str, pages: Mapping[str, Page], stop: Event, listening: Callable[[], None]) -> None:
    open_now: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(open_now) >= CONNECTIONS:
            writer.transport.abort()
            return
        open_now.add(writer)
        try:
            await _converse(reader, writer, pages)
        finally:
            open_now.discard(writer)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    host, port = split(listen)
    server = await asyncio.start_server(connected, host, port, limit=REQUEST_OCTETS)
    listening()
    try:
        while not stop.is_set():
            await asyncio.sleep(BEAT_SECONDS)
    finally:
        server.close()  # not waited for: who is connected is cut off when this loop ends


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Mapping[str, Page]) -> None:
    """One request, one response, and the connection ends: nothing is kept open, no body is read."""
    writer.transport.set_write_buffer_limits(high=0)  # `drain` then waits until the kernel has it all
    with suppress(OSError, TimeoutError):
        method, answer = await _answer(reader, pages)
        writer.write(_response(method, answer))
        await asyncio.wait_for(writer.drain(), ANSWER_SECONDS)


async def _answer(reader: asyncio.StreamReader, pages: Mapping[str, Page]) -> tuple[str, Answer]:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_SECONDS)
    except asyncio.LimitOverrunError:
        return "GET", _says(431)
    except asyncio.IncompleteReadError:
        return "GET", _says(400)
    except TimeoutError:
        return "GET", _says(408)
    method, path = asked(head)
    if method not in ("GET", "HEAD"):
        return "GET", _says(405 if method else 400)
    page = pages.get(path)
    return method, await _made(page) if page else _says(404)


def asked(head: bytes) -> tuple[str, str]:
    """Method and path of a request (RFC 9112 section 3), without its query; empty where it is none."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return "", ""
    method, target, _ = (word.decode("ascii", "replace") for word in words)
    return method, target.partition("?")[0]


async def _made(page: Page) -> Answer:
    """A page that fails is an answer too, without the error's words."""
    try:
        return await asyncio.wait_for(page(), ANSWER_SECONDS)
    except Exception:
        return _says(500)


def _says(status: int) -> Answer:
    return Answer(status, f"{_REASONS[status]}\n".encode())


def _response(method: str, answer: Answer) -> bytes:
    fields = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **({"Allow": "GET, HEAD"} if answer.status == 405 else {}),
    }
    head = f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in fields.items()
    )
    return head.encode() + b"\r\n" + (b"" if method == "HEAD" else answer.body)
