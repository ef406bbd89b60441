"""An SMTP server that keeps or counts what it is given and misbehaves on request. Delivers nothing to anybody.

In the process: `with sink() as server`. Beside it, for measurements: `with sink_process() as server`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

from tests.servers.loop import Loop
from tests.servers.process import HOST, stop

Phase = Literal["greeting", "ehlo", "auth", "mail", "rcpt", "data", "dot", "quit"]
LONGEST = 256 * 1024 * 1024
EXTENSIONS = ("PIPELINING", "SIZE 104857600", "ENHANCEDSTATUSCODES", "8BITMIME")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it came: envelope, bytes after dot-unstuffing with CRLF line ends, arrival."""

    sender: str  # "" is the null path
    recipients: tuple[str, ...]
    data: bytes
    seconds: float  # time.monotonic() at the final dot
    parameters: str = ""  # of MAIL FROM, e.g. "BODY=8BITMIME"
    username: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sink does at one phase instead of the usual. Empty: the usual."""

    code: int | None = None
    text: str = "scripted"
    delay: float = 0  # seconds before the answer
    drop: bool = False  # close without an answer
    keep: bool | None = None  # at "dot": is the message taken? By default only when the answer is 2xx


USUAL = {
    "greeting": "220 sink.test ESMTP",
    "auth": "235 2.7.0 ok",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go ahead",
    "dot": "250 2.0.0 taken",
    "quit": "221 2.0.0 bye",
}


@dataclass(slots=True)
class Behaviour:
    """What all connections of one sink share."""

    extensions: tuple[str, ...] = EXTENSIONS
    login: tuple[str, str] | None = None  # who may log in ("": anybody); with it, MAIL without AUTH is 530
    unknown: re.Pattern[str] | None = None  # recipients that are 550
    tls: ssl.SSLContext | None = None  # offers STARTTLS
    keep: bool = True
    script: dict[str, deque[Answer]] = field(default_factory=dict)
    always: dict[str, Answer] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    count: int = 0
    size: int = 0
    connections: int = 0  # ever opened
    open: int = 0
    commands: list[str] = field(default_factory=list)
    taken: Callable[[Mail], None] | None = None  # may raise: 451

    def answer(self, phase: str) -> Answer:
        waiting = self.script.get(phase)
        return waiting.popleft() if waiting else self.always.get(phase, Answer())

    def take(self, mail: Mail) -> None:
        self.count += 1
        self.size += len(mail.data)
        if self.keep:
            self.mails.append(mail)
        if self.taken is not None:
            self.taken(mail)


class Connection:
    """One client, command by command (RFC 5321 section 3)."""

    def __init__(self, behaviour: Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.behaviour = behaviour
        self.reader = reader
        self.writer = writer
        self.mail: Mail | None = None
        self.username = ""
        self.secured = writer.get_extra_info("sslcontext") is not None

    async def run(self) -> None:
        self.behaviour.connections += 1
        self.behaviour.open += 1
        try:
            await self.reply("greeting")
            while line := await self.reader.readline():
                await self.command(line.decode("utf-8", "surrogateescape").strip())
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, ssl.SSLError):
            return  # the client went away, or was dropped by script
        finally:
            self.behaviour.open -= 1
            self.writer.close()

    async def command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if self.behaviour.keep:
            self.behaviour.commands.append(line)
        act = self.ACTS.get(verb.upper())
        if act is None:
            self.say("502 5.5.2 not known here")
        else:
            await act(self, rest)

    def say(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")

    async def reply(self, phase: Phase, usual: str = "") -> bool:
        """Answer for the phase; True when it was positive. A scripted drop raises ConnectionError."""
        answer = await self.scripted(phase)
        line = usual or USUAL[phase] if answer.code is None else f"{answer.code} {answer.text}"
        self.say(line)
        return line[0] in "23"

    async def scripted(self, phase: Phase) -> Answer:
        answer = self.behaviour.answer(phase)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.drop:
            self.writer.transport.abort()
            raise ConnectionError(phase)
        return answer

    async def ehlo(self, rest: str) -> None:
        offers = [*self.behaviour.extensions]
        if self.behaviour.tls and not self.secured:
            offers.append("STARTTLS")
        if self.behaviour.login:
            offers.append("AUTH PLAIN LOGIN")
        lines = ["sink.test", *offers]
        usual = "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])
        await self.reply("ehlo", usual)

    async def helo(self, rest: str) -> None:
        await self.reply("ehlo", "250 sink.test")

    async def starttls(self, rest: str) -> None:
        if self.behaviour.tls is None:
            self.say("502 5.5.1 no TLS here")
            return
        self.say("220 2.0.0 go ahead")
        await self.writer.drain()
        await self.writer.start_tls(self.behaviour.tls)
        self.secured = True

    async def auth(self, rest: str) -> None:
        """PLAIN (RFC 4616) and LOGIN."""
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            fields = (decode(initial) if initial else await self.ask("")).split("\0")
            given = (fields[1], fields[2]) if len(fields) == 3 else ("", "")
        else:
            given = (decode(initial) if initial else await self.ask("Username:"), await self.ask("Password:"))
        name, password = self.behaviour.login or ("", None)
        if given[1] != password or name not in ("", given[0]):
            self.say("535 5.7.8 no such login")
        elif await self.reply("auth"):
            self.username = given[0]

    async def ask(self, prompt: str) -> str:
        self.say(f"334 {base64.b64encode(prompt.encode()).decode()}")
        return decode((await self.reader.readline()).decode().strip())

    async def mail_from(self, rest: str) -> None:
        if self.behaviour.login and not self.username:
            self.say("530 5.7.0 log in first")
        elif await self.reply("mail"):
            path, _, parameters = rest.partition(":")[2].strip().partition(" ")
            self.mail = Mail(path.strip("<>"), (), b"", 0, parameters, self.username)

    async def rcpt_to(self, rest: str) -> None:
        if self.mail is None:
            self.say("503 5.5.1 MAIL first")
            return
        path = rest.partition(":")[2].strip().partition(" ")[0].strip("<>")
        if self.behaviour.unknown and self.behaviour.unknown.match(path):
            self.say("550 5.1.1 no such user here")
        elif await self.reply("rcpt"):
            self.mail = replace(self.mail, recipients=(*self.mail.recipients, path))

    async def data(self, rest: str) -> None:
        if self.mail is None or not self.mail.recipients:
            self.say("503 5.5.1 RCPT first")
        elif await self.reply("data"):
            raw = b"\r\n" + await self.reader.readuntil(b"\r\n.\r\n")
            self.mail = replace(self.mail, data=raw[2:-3].replace(b"\r\n..", b"\r\n."), seconds=time.monotonic())
            await self.final_dot(self.mail)
            self.mail = None

    async def final_dot(self, mail: Mail) -> None:
        """Taken or not is decided apart from what the client hears of it (RFC 1047)."""
        answer = self.behaviour.answer("dot")
        positive = not answer.drop if answer.code is None else answer.code < 300
        line = USUAL["dot"] if answer.code is None else f"{answer.code} {answer.text}"
        if positive if answer.keep is None else answer.keep:
            try:
                self.behaviour.take(mail)
            except OSError as error:
                line = f"451 4.3.0 {error}".replace("\n", " ")
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.drop:
            self.writer.transport.abort()
            raise ConnectionError("dot")
        self.say(line)

    async def rset(self, rest: str) -> None:
        self.mail = None
        self.say("250 2.0.0 ok")

    async def noop(self, rest: str) -> None:
        self.say("250 2.0.0 ok")

    async def quit(self, rest: str) -> None:
        await self.reply("quit")
        await self.writer.drain()
        raise ConnectionError("quit")

    ACTS: ClassVar = {
        "EHLO": ehlo,
        "HELO": helo,
        "STARTTLS": starttls,
        "AUTH": auth,
        "MAIL": mail_from,
        "RCPT": rcpt_to,
        "DATA": data,
        "RSET": rset,
        "NOOP": noop,
        "QUIT": quit,
    }


def decode(text: str) -> str:
    return base64.b64decode(text).decode("utf-8", "replace")


class Sink:
    """A listening sink. Attributes: host, port; `behaviour` may be read at any time."""

    def __init__(self, loop: Loop, behaviour: Behaviour, implicit: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.loop = loop
        self.behaviour = behaviour
        self.implicit = implicit
        self.host = HOST
        self.port = port
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    def start(self) -> None:
        """Listen; after stop() on the same port as before."""
        self.loop.run(self.listen())

    def stop(self) -> None:
        """Refuse connections and drop those that are open."""
        self.loop.run(self.close())

    def script(self, phase: Phase, *answers: Answer) -> None:
        """The next visits to this phase get these answers, one each; then the usual again."""
        self.loop.call(lambda: self.behaviour.script.setdefault(phase, deque()).extend(answers))

    def always(self, phase: Phase, answer: Answer | None) -> None:
        """Every visit gets this answer until it is called with None."""
        if answer is None:
            self.loop.call(lambda: self.behaviour.always.pop(phase, None))
        else:
            self.loop.call(lambda: self.behaviour.always.update({phase: answer}))

    def clear(self) -> None:
        """Forget mails, counts and scripts."""
        fresh = Behaviour()
        for name in ("script", "always", "mails", "count", "size", "connections", "commands"):
            setattr(self.behaviour, name, getattr(fresh, name))

    @property
    def mails(self) -> list[Mail]:
        return list(self.behaviour.mails)

    @property
    def count(self) -> int:
        return self.behaviour.count

    @property
    def commands(self) -> list[str]:
        return list(self.behaviour.commands)

    def wait_for(self, count: int, seconds: float = 15) -> list[Mail]:
        """The mails as soon as there are this many; AssertionError when there are not in time."""
        end = time.monotonic() + seconds
        while self.behaviour.count < count:
            assert time.monotonic() < end, f"{self.behaviour.count} of {count} mails after {seconds} s"
            time.sleep(0.01)
        return self.mails

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self.serve, HOST, self.port, ssl=self.implicit, limit=LONGEST)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            await Connection(self.behaviour, reader, writer).run()
        finally:
            self.writers.discard(writer)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
        for writer in list(self.writers):
            writer.transport.abort()


@contextlib.contextmanager
def sink(
    *,
    login: tuple[str, str] | None = None,
    unknown: re.Pattern[str] | None = None,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    extensions: tuple[str, ...] = EXTENSIONS,
    keep: bool = True,
    taken: Callable[[Mail], None] | None = None,
    port: int = 0,
) -> Iterator[Sink]:
    """A sink in a thread of this process; `taken` is called there with each mail and may refuse it with OSError."""
    behaviour = Behaviour(extensions=extensions, login=login, unknown=unknown, tls=starttls, keep=keep, taken=taken)
    with Loop() as loop:
        server = Sink(loop, behaviour, tls, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class SinkProcess:
    """A counting sink in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.host = HOST
        self.port = port

    def ask(self) -> dict[str, float]:
        """{"count": mails, "bytes": their size, "cpu": seconds of the sink itself} until now."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer


@contextlib.contextmanager
def sink_process() -> Iterator[SinkProcess]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.servers.sink"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield SinkProcess(process, int(process.stdout.readline()))
        finally:
            stop(process)  # type: ignore[arg-type]


def main() -> None:
    """Print the port, then one line of counts for each line read; end with the input."""
    with sink(keep=False) as server:
        print(server.port, flush=True)
        for _ in sys.stdin:
            seen = {"count": server.count, "bytes": server.behaviour.size, "cpu": time.process_time()}
            print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    threading.current_thread().name = "sink"
    main()
