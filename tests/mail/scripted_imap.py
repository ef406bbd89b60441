"""An IMAP server of a few lines that misbehaves as told: one thread a connection, messages in memory, no TLS."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DATE = b'"20-Nov-2026 09:00:00 +0000"'


class Hangup(Exception):
    """The server closes the connection."""


@dataclass
class Connection:
    """One client. `act` of the server may take any command over by its first word."""

    server: ScriptedImap
    sock: socket.socket
    lines: Iterator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = iter(self.sock.makefile("rb"))

    def say(self, *lines: bytes) -> None:
        self.sock.sendall(b"".join(line + b"\r\n" for line in lines))

    def say_raw(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on over TLS."""
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.lines = iter(self.sock.makefile("rb"))

    def hang(self) -> None:
        """Say nothing until the server is stopped."""
        while not self.server.stopping.wait(0.05):
            pass
        raise Hangup

    def run(self) -> None:
        with suppress(OSError, Hangup, StopIteration):
            if self.server.greet is not None:
                self.server.greet(self)
            else:
                self.say(b"* OK ready")
            while True:
                self.command(next(self.lines).rstrip(b"\r\n"))
        self.sock.close()

    def command(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        word = b" ".join(rest.upper().split(b" ")[: 2 if rest.upper().startswith(b"UID ") else 1])
        self.server.commands.append(rest)
        acts = self.server.act
        if word in acts:
            acts[word](self, tag, rest)
        else:
            self.usual(word, tag, rest)

    def usual(self, word: bytes, tag: bytes, rest: bytes) -> None:
        messages = self.server.messages
        if word == b"CAPABILITY":
            self.say(b"* CAPABILITY " + self.server.capabilities)
        elif word == b"EXAMINE":
            last = max(messages, default=0)
            self.say(
                b"* %d EXISTS" % len(messages),
                b"* OK [UIDVALIDITY %d] ok" % self.server.uidvalidity,
                b"* OK [UIDNEXT %d] ok" % (last + 1),
            )
        elif word == b"UID SEARCH":
            self.say(b"* SEARCH" + b"".join(b" %d" % uid for uid in self.asked(rest)))
        elif word == b"UID FETCH":
            self.fetch(rest)
        elif word == b"IDLE":
            self.say(b"+ idling")
            self.idle()
        elif word == b"LOGOUT":
            self.say(b"* BYE bye", tag + b" OK done")
            raise Hangup
        elif word not in (b"LOGIN", b"NOOP", b"LIST"):
            self.say(tag + b" BAD what")
            return
        self.say(tag + b" OK done")

    def idle(self) -> None:
        """Announce what comes until DONE."""
        seen, done = len(self.server.messages), threading.Event()

        def announce() -> None:
            known = seen
            while not done.wait(0.02):
                if len(self.server.messages) != known:
                    known = len(self.server.messages)
                    self.say(b"* %d EXISTS" % known)

        thread = threading.Thread(target=announce, daemon=True)
        thread.start()
        assert next(self.lines).upper() == b"DONE\r\n"
        done.set()
        thread.join()

    def asked(self, rest: bytes) -> list[int]:
        uids = sorted(self.server.messages)
        between = re.search(rb"(\d+):\*", rest)
        if between:
            return [uid for uid in uids if uid >= int(between[1])] or uids[-1:]
        named = {int(number) for number in re.findall(rb"\b\d+\b", rest.split(b"(")[0])}
        return [uid for uid in uids if uid in named]

    def fetch(self, rest: bytes) -> None:
        for uid in self.asked(rest):
            self.fetch_one(uid, rest)

    def fetch_one(self, uid: int, rest: bytes) -> None:
        raw = self.server.messages[uid]
        if b"RFC822.SIZE" in rest:
            self.say(b"* 1 FETCH (UID %d RFC822.SIZE %d INTERNALDATE %s FLAGS ())" % (uid, len(raw), DATE))
        elif b"HEADER" in rest:
            head, body = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", raw.partition(b"\r\n\r\n")[2]
            self.say_raw(b"* 1 FETCH (UID %d BODY[HEADER]<0> {%d}\r\n%s" % (uid, len(head), head))
            self.say_raw(b" BODY[TEXT]<0> {%d}\r\n%s)\r\n" % (len(body), body))
        else:
            self.say_raw(b"* 1 FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, len(raw), raw))


@dataclass
class ScriptedImap:
    """The server. Set `act` (first word of a command, "UID FETCH" for two, to a function) before or while it runs."""

    messages: dict[int, bytes] = field(default_factory=dict)
    capabilities: bytes = b"IMAP4rev1 IDLE"
    uidvalidity: int = 7
    greet: Callable[[Connection], None] | None = None
    act: dict[bytes, Callable[[Connection, bytes, bytes], None]] = field(default_factory=dict)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def once(self, word: bytes, act: Callable[[Connection, bytes, bytes], None]) -> None:
        """Only the next such command."""

        def first(connection: Connection, tag: bytes, rest: bytes) -> None:
            self.act.pop(word, None)
            act(connection, tag, rest)

        self.act[word] = first

    def serve(self, listening: socket.socket) -> None:
        threads = []
        while not self.stopping.is_set():
            try:
                sock, _ = listening.accept()
            except TimeoutError:
                continue
            sock.settimeout(20)
            self.connections += 1
            threads.append(threading.Thread(target=Connection(self, sock).run, daemon=True))
            threads[-1].start()


@contextmanager
def scripted(**settings: object) -> Iterator[ScriptedImap]:
    """A running one."""
    server = ScriptedImap(**settings)  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        server.port = listening.getsockname()[1]
        thread = threading.Thread(target=server.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            thread.join(5)


def drip(connection: Connection, octets: bytes, seconds: float) -> None:
    """One octet at a time."""
    for octet in octets:
        connection.say_raw(bytes([octet]))
        time.sleep(seconds)
