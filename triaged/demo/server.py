"""An embedded mail server for a first look and for quick tests: SMTP in, IMAP out, loopback only; never relays."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.sock import SocketInfo

from triaged.demo.mailboxes import PASSWORD, Mailboxes
from triaged.demo.trace import AUTHSERV_ID, Transaction, stamp

HOST = "127.0.0.1"
SMTP_PORT, IMAP_PORT = 2025, 2143
MESSAGE_BYTES = 60 * 1024 * 1024
_START_SECONDS, _STOP_SECONDS = 10, 10


def wall_clock() -> datetime:
    """The hour of delivery. The server stands for the world outside, so it has a clock of its own."""
    return datetime.now(UTC)


class EmbeddedMail:
    """`with EmbeddedMail() as mail:` serves mail.smtp_port and mail.imap_port on 127.0.0.1 until the block ends.

    Every address has a mailbox, made at its first delivery or login; its password is PASSWORD. A port that is taken
    is replaced by a free one; 0 asks for any free one. Its event loop runs in a thread of its own.
    """

    def __init__(self, smtp_port: int = 0, imap_port: int = 0, clock: Callable[[], datetime] = wall_clock) -> None:
        self.smtp_port, self.imap_port = smtp_port, imap_port
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="embedded-mail", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: WeakSet[asyncio.BaseTransport] = WeakSet()

    def __enter__(self) -> EmbeddedMail:
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError("the embedded mail server did not start")
        if self._failure:
            self._thread.join(_STOP_SECONDS)
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        except BaseException as failure:  # handed to the thread that is waiting in __enter__
            self._failure = failure
        finally:
            self._started.set()
            self._loop.close()

    async def _main(self) -> None:
        mailboxes = await Mailboxes.open()
        imap_socket, smtp_socket = _listen(self.imap_port), _listen(self.smtp_port)
        imap = await asyncio.start_server(partial(self._imap_connected, mailboxes), sock=imap_socket)
        session = partial(_session, Delivery(mailboxes, self._clock), self._connections)
        smtp = await self._loop.create_server(session, sock=smtp_socket)
        self.imap_port, self.smtp_port = imap_socket.getsockname()[1], smtp_socket.getsockname()[1]
        self._started.set()
        await self._stop.wait()
        imap.close()
        smtp.close()
        await _end(self._connections)

    def _imap_connected(self, mailboxes: Mailboxes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The set holds the task: a loop knows its tasks weakly only, and 3.13 collected sessions that stood in IDLE.
        self._connections.add(writer.transport)
        task = self._loop.create_task(_imap_session(mailboxes, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class JoinedWrites:
    """A stream writer that sends at drain() only.

    pymap writes one line in several pieces, and an IMAP client that wakes in between takes half a line for a broken
    connection.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pending = bytearray()

    def write(self, data: bytes) -> None:
        """Keep `data` for the next drain()."""
        self._pending += data

    async def drain(self) -> None:
        """Send all that was written since the last one."""
        data = bytes(self._pending)
        self._pending.clear()
        self._writer.write(data)
        await self._writer.drain()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class Delivery:
    """What aiosmtpd asks at DATA: every recipient has a mailbox here."""

    def __init__(self, mailboxes: Mailboxes, clock: Callable[[], datetime]) -> None:
        self._mailboxes = mailboxes
        self._clock = clock

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Deliver to each recipient's INBOX before answering 250 (RFC 5321 section 6.1)."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        at = self._clock()
        sender = (envelope.mail_from or "").strip("<>")  # aiosmtpd spells the null return path "<>"
        for recipient in envelope.rcpt_tos:
            transaction = Transaction(sender, recipient, session.host_name or "unknown", HOST, at)
            await self._mailboxes.deliver(recipient, stamp(content, transaction), at)
        return "250 2.0.0 delivered"


class Submission(SMTP):
    """aiosmtpd's SMTP with room for the overlong lines that broken senders write (RFC 5321 allows 1000 octets)."""

    line_length_limit = 65536

    def __init__(self, delivery: Delivery, connections: WeakSet[asyncio.BaseTransport], **options: Any) -> None:
        super().__init__(delivery, **options)
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembered, so that it can be closed at the end of the server."""
        self._connections.add(transport)
        super().connection_made(transport)


def _session(delivery: Delivery, connections: WeakSet[asyncio.BaseTransport]) -> SMTP:
    return Submission(
        delivery,
        connections,
        data_size_limit=MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        hostname=AUTHSERV_ID,  # else it asks the resolver for a name, and waits where there is no network
        ident="triaged demo",
        auth_require_tls=False,
        authenticator=_authenticate,
        loop=asyncio.get_running_loop(),
    )


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
    accepted = isinstance(login, LoginPassword) and login.password == PASSWORD.encode()
    return AuthResult(success=accepted, handled=False, auth_data=login)


def _imap_session(
    mailboxes: Mailboxes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Coroutine[Any, Any, None]:
    connection = SocketInfo.get(writer, None, unique_id=uuid.uuid4().bytes)
    return mailboxes.serve(reader, JoinedWrites(writer), connection)  # type: ignore[arg-type]  # what it calls is there


def _listen(port: int) -> socket.socket:
    """A listening socket on the loopback: `port`, or any free one where that is taken."""
    try:
        return socket.create_server((HOST, port))
    except OSError:
        if port == 0:
            raise
        return socket.create_server((HOST, 0))


async def _end(connections: Iterable[asyncio.BaseTransport]) -> None:
    """Ends every session and waits for it, so that neither a task nor a socket outlives the loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for connection in list(connections):
        connection.close()
    await asyncio.sleep(0)  # a transport closes its socket in the loop's next round
