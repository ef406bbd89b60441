"""The reading side of an IMAP connection, bounded in octets and time; what a server only announces is not allocated."""

from __future__ import annotations

import imaplib
import logging
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

# The library's debug records hold mail text and folder names.
logging.getLogger("imapclient").setLevel(logging.WARNING)

LINE_OCTETS = 1_000_000  # a response line, where a command doesn't expect more
COMMAND_OCTETS = 4_000_000  # everything one command reads, where it doesn't expect more
_CHUNK = 262_144


class LiteralTooLarge(imaplib.IMAP4.abort):
    """The server announced a literal over the cap; the connection can't go on, its octets would follow."""


@dataclass(slots=True)
class Meter:
    """What the running command may still read, and until when."""

    read_seconds: float  # without a single octet
    literal_octets: int
    octets: int = COMMAND_OCTETS
    line_octets: int = LINE_OCTETS
    until: float = float("inf")  # of time.monotonic()

    def start(self, seconds: float, octets: int = COMMAND_OCTETS, line_octets: int = LINE_OCTETS) -> None:
        """Begin a command. The deadline is for all of it: a read timeout lets one octet a second pass for ever."""
        self.until = time.monotonic() + seconds
        self.octets = octets
        self.line_octets = line_octets

    def arm(self, sock: socket.socket) -> None:
        """Give the next read what is left of the time."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took longer than its deadline")
        sock.settimeout(min(self.read_seconds, left))

    def spend(self, octets: int) -> None:
        """Count octets read."""
        self.octets -= octets
        if self.octets < 0:
            raise imaplib.IMAP4.abort("the answer is longer than the command can have asked for")


class _Metered:
    """imaplib's two reading methods, under a meter. They are used from the greeting on."""

    meter: Meter
    sock: socket.socket
    file: Any

    def read(self, size: int) -> bytes:
        """A literal (RFC 9051 section 4.3), refused before allocation when it is over the cap (IM-12)."""
        if size > self.meter.literal_octets:
            raise LiteralTooLarge(f"the server announced a literal of {size} octets")
        self.meter.spend(size)
        literal = bytearray()
        while len(literal) < size:
            self.meter.arm(self.sock)
            chunk = self.file.read1(min(_CHUNK, size - len(literal)))
            if not chunk:
                raise imaplib.IMAP4.abort("the connection ended inside a literal")
            literal += chunk
        return bytes(literal)

    def readline(self) -> bytes:
        """A line with its end; what there was of it when the connection ends."""
        line = bytearray()
        while not line.endswith(b"\n"):
            self.meter.arm(self.sock)
            chunk = self.file.peek(1)
            if not chunk:
                break
            end = chunk.find(b"\n") + 1
            line += self.file.read(end or len(chunk))
            if len(line) > self.meter.line_octets:
                raise imaplib.IMAP4.abort(f"the server sent a line over {self.meter.line_octets} octets")
        self.meter.spend(len(line))
        return bytes(line)


class _MeteredPlain(_Metered, IMAP4WithTimeout):  # type: ignore[misc]  # untyped library
    def __init__(self, host: str, port: int, timeout: float, meter: Meter) -> None:
        self.meter = meter
        super().__init__(host, port, timeout)


class _MeteredTls(_Metered, IMAP4_TLS):  # type: ignore[misc]  # untyped library
    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float, meter: Meter) -> None:
        self.meter = meter
        super().__init__(host, port, context, timeout)


class MeteredClient(IMAPClient):  # type: ignore[misc]  # the library is untyped
    """IMAPClient over a metered connection; `wire` is the imaplib object below it."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, connect_seconds: float, meter: Meter) -> None:
        self.meter = meter
        timeout = SocketTimeout(connect=connect_seconds, read=meter.read_seconds)
        super().__init__(host, port, ssl=tls is not None, ssl_context=tls, timeout=timeout)
        self.normalise_times = False  # aware times, not the local clock's
        self._imap.debug = 0
        self.wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # A command in two writes would wait 40 ms for the server to acknowledge the first.
        self.wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def wire(self) -> Any:
        return self._imap

    def _create_IMAP4(self) -> Any:
        if self.ssl:
            return _MeteredTls(self.host, self.port, self.ssl_context, self._timeout.connect, self.meter)
        return _MeteredPlain(self.host, self.port, self._timeout.connect, self.meter)
