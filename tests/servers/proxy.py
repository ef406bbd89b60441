"""A TCP proxy whose line can be cut, slowed or frozen while it runs. Never reads what it carries."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from enum import Enum, auto

from tests.servers.loop import Loop
from tests.servers.process import HOST

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, no time: close sends RST


class Mode(Enum):
    FORWARD = auto()
    BLACKHOLE = auto()  # accepts and says nothing; what is open stays open and silent
    DROP = auto()  # accepts and closes at once


class Proxy:
    """Attributes: host, port, opened (connections ever accepted), carried (bytes from the server to clients)."""

    def __init__(self, loop: Loop, target_port: int, target_host: str = HOST) -> None:
        self.loop = loop
        self.target = (target_host, target_port)
        self.host = HOST
        self.port = 0
        self.mode = Mode.FORWARD
        self.seconds = 0.0
        self.limit: int | None = None
        self.opened = 0
        self.carried = 0
        self.server: asyncio.Server | None = None
        self.clients: set[asyncio.StreamWriter] = set()
        self.upstreams: set[asyncio.StreamWriter] = set()
        self.flowing = asyncio.Event()

    def forward(self) -> None:
        """Everything as it should be; also ends delay, blackhole, truncate, drop and refuse."""

        async def work() -> None:
            self.mode, self.seconds, self.limit = Mode.FORWARD, 0.0, None
            self.flowing.set()
            await self.listen()

        self.loop.run(work())

    def delay(self, seconds: float) -> None:
        """Each chunk waits this long, both ways."""
        self.seconds = seconds

    def drop(self) -> None:
        """Close what is open (FIN to both ends) and every new connection as soon as it is made."""
        self.mode = Mode.DROP
        self.loop.call(self.close_all)

    def cut(self) -> None:
        """Close what is open, once; new connections are forwarded."""
        self.loop.call(self.close_all)

    def reset(self) -> None:
        """Like cut, with RST instead of FIN."""
        self.loop.call(self.reset_all)

    def half_close(self) -> None:
        """FIN to the clients alone: they read an end, and can still write."""

        def work() -> None:
            for client in self.clients:
                client.write_eof()

        self.loop.call(work)

    def blackhole(self) -> None:
        """Nothing passes any more and nothing is closed; new connections are accepted and never answered."""

        def work() -> None:
            self.mode = Mode.BLACKHOLE
            self.flowing.clear()

        self.loop.call(work)

    def truncate(self, count: int) -> None:
        """After this many more bytes from the server, on any connection together, all are closed."""
        self.limit = count

    def refuse(self) -> None:
        """ECONNREFUSED for new connections; what is open goes on until cut()."""

        def work() -> None:
            if self.server is not None:
                self.server.close()
                self.server = None

        self.loop.call(work)

    @property
    def open(self) -> int:
        return len(self.clients)

    def start(self) -> None:
        self.forward()

    def stop(self) -> None:
        self.refuse()
        self.drop()

    async def listen(self) -> None:
        if self.server is None:
            self.server = await asyncio.start_server(self.serve, HOST, self.port)
            self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.clients.add(writer)
        try:
            if self.mode is not Mode.DROP:
                await self.flowing.wait()
                await self.join(reader, writer)
        except OSError:
            return  # either end went away: what this proxy is for
        finally:
            self.clients.discard(writer)
            writer.close()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self.target)
        self.upstreams.add(up_writer)
        try:
            up = asyncio.ensure_future(self.pump(reader, up_writer, False))
            down = asyncio.ensure_future(self.pump(up_reader, writer, True))
            await asyncio.gather(up, down)
        finally:
            self.upstreams.discard(up_writer)
            up_writer.close()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_server: bool) -> None:
        while data := await reader.read(CHUNK):
            await self.flowing.wait()
            if self.seconds:
                await asyncio.sleep(self.seconds)
            if from_server:
                data = self.bounded(data)
            writer.write(data)
            await writer.drain()
            if from_server and self.limit == 0:
                self.limit = None
                self.close_all()
        await self.flowing.wait()
        if not writer.is_closing() and writer.can_write_eof():
            writer.write_eof()

    def bounded(self, data: bytes) -> bytes:
        """What of it may still pass."""
        if self.limit is not None:
            data = data[: self.limit]
            self.limit -= len(data)
        self.carried += len(data)
        return data

    def close_all(self) -> None:
        for writer in [*self.clients, *self.upstreams]:
            writer.close()

    def reset_all(self) -> None:
        for writer in [*self.clients, *self.upstreams]:
            held: socket.socket = writer.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


@contextlib.contextmanager
def proxy(target_port: int, target_host: str = HOST) -> Iterator[Proxy]:
    """A forwarding proxy before that port."""
    with Loop() as loop:
        server = Proxy(loop, target_port, target_host)
        server.start()
        try:
            yield server
        finally:
            server.stop()
