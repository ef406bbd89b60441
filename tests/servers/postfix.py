"""Postfix for the tests: a receiving port that proves senders, a submission port with login, all mail into Dovecot.

Postfix's master wants root. Who isn't root gets `stand_in` instead: our own SMTP server before Dovecot's LMTP, with two
such ports, the same Authentication-Results and no queue.
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import re
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Protocol

from tests.servers.dovecot import Dovecot
from tests.servers.imap import PASSWORD
from tests.servers.process import (
    HOST,
    Missing,
    binary,
    free_port,
    render,
    session,
    start,
    stop,
    wait_for_greeting,
    workdir,
)
from tests.servers.sink import Mail, Sink, sink

MEND = "apt-get install postfix"
DAEMONS = ("/usr/lib/postfix/sbin", "/usr/libexec/postfix")
AUTHSERV_ID = "mx.example.test"
PROVEN = ("@example.test", "@proven.test")  # an address, or @ and a whole domain
UNKNOWN = re.compile(r"^(unknown|no-such)[^@]*@")  # recipients refused with 550 5.1.1
OWNED = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"]
GROUPED = ("maildrop", "public")


class Server(Protocol):
    """What Postfix and its stand-in have in common."""

    host: str
    mx_port: int  # takes mail from anybody for anybody; no login
    submission_port: int  # any address with the password of Dovecot's accounts
    real: bool

    def prove(self, *senders: str) -> None:
        """From now on these envelope senders get `dmarc=pass`; addresses, or @domain for all of one."""

    def strip(self, strips: bool) -> None:
        """From now on the submission port takes results in the server's own name out, or leaves them in."""

    def send(self, raw: bytes, sender: str, *recipients: str) -> None:
        """To the receiving port."""

    def processes(self) -> set[int]:
        """Of the server."""


def verdict(domain: str) -> str:
    """The field of a receiving server that has checked the author's domain (RFC 8601)."""
    return f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from={domain}"


def send(port: int, raw: bytes, sender: str, recipients: tuple[str, ...]) -> None:
    with smtplib.SMTP(HOST, port, timeout=30) as peer:
        refused = peer.sendmail(sender, list(recipients), raw)
    assert not refused, refused


class Postfix:
    """One instance with a queue of its own. Ports and queue outlive stop() and start()."""

    real = True

    def __init__(self, directory: Path, dovecot: Dovecot) -> None:
        self.host = HOST
        self.password = PASSWORD
        self.directory = directory
        self.dovecot = dovecot
        self.mx_port, self.submission_port = free_port(), free_port()
        self.owner = pwd.getpwnam("postfix")
        self.group = grp.getgrnam("postdrop")
        self.proven: tuple[str, ...] = PROVEN
        self.strips = False
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "log" / "mail"

    def lay_out(self) -> None:
        """What `postfix check` would make, without its half second."""
        for name in ("etc", "log", "queue", "queue/pid"):
            (self.directory / name).mkdir(parents=True)
        for name in ["data", *(f"queue/{name}" for name in (*OWNED, *GROUPED))]:
            (self.directory / name).mkdir(mode=0o700)
            os.chown(self.directory / name, self.owner.pw_uid, -1)
        for name, mode in zip(GROUPED, (0o730, 0o710), strict=True):
            os.chown(self.directory / "queue" / name, -1, self.group.gr_gid)
            (self.directory / "queue" / name).chmod(mode)
        render("main.cf.in", self.directory / "etc/main.cf", self.values())
        render("master.cf.in", self.directory / "etc/master.cf", self.values())
        (self.directory / "etc/recipients").write_text(f"/{UNKNOWN.pattern}/ 550 5.1.1 no such user here\n")
        self.write_senders()
        self.write_checks()

    def write_checks(self) -> None:
        """RFC 8601 section 5: what an account's owner writes in the server's name is taken out, where it strips."""
        rule = f"/^Authentication-Results:\\s*{re.escape(AUTHSERV_ID)}/ IGNORE\n" if self.strips else ""
        (self.directory / "etc/submission_checks").write_text(rule)

    def write_senders(self) -> None:
        """PREPEND puts the field above Postfix's own Received (access(5))."""
        rules = [f"/^{pattern(sender)}$/ PREPEND {verdict('$1')}\n" for sender in self.proven]
        (self.directory / "etc/senders").write_text("".join(rules))

    def start(self) -> None:
        """Up when both ports greet."""
        master = binary("master", MEND, *DAEMONS)
        self.process = start([master, "-d", "-c", self.directory / "etc"], self.directory / "stderr.log")
        for port in (self.mx_port, self.submission_port):
            wait_for_greeting(self.process, port, self.log)

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def prove(self, *senders: str) -> None:
        self.proven = (*self.proven, *senders)
        self.write_senders()
        self.reload()

    def strip(self, strips: bool) -> None:
        self.strips = strips
        self.write_checks()
        self.reload()

    def reload(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)  # smtpd processes of before end after the connection in hand

    def send(self, raw: bytes, sender: str, *recipients: str) -> None:
        send(self.mx_port, raw, sender, recipients)

    def flush(self) -> None:
        """Try all that is deferred now."""
        self.command("postqueue", "-f")

    def queued(self, address: str) -> int:
        """Messages that wait for that address. One on its way from queue to queue is listed twice."""
        listed = [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]
        return len({x["queue_id"] for x in listed if address in [to["address"] for to in x["recipients"]]})

    def command(self, name: str, *words: str) -> str:
        done = [binary(name, MEND), "-c", str(self.directory / "etc"), *words]
        return subprocess.run(done, capture_output=True, text=True, check=True).stdout

    def processes(self) -> set[int]:
        return session(self.process.pid) if self.process is not None else set()

    def values(self) -> dict[str, object]:
        return {
            "dir": self.directory,
            "daemons": Path(binary("master", MEND, *DAEMONS)).parent,
            "owner": self.owner.pw_name,
            "group": self.group.gr_name,
            "mx_port": self.mx_port,
            "submission_port": self.submission_port,
            "lmtp_port": self.dovecot.lmtp_port,
            "sasl_port": self.dovecot.sasl_port,
            "certificate": self.dovecot.certificates.certificate,
            "key": self.dovecot.certificates.key,
        }


def pattern(sender: str) -> str:
    """The regular expression of an address or @domain; its group 1 is the domain."""
    local, _, domain = sender.rpartition("@")
    return f"{re.escape(local) if local else '.*'}@({re.escape(domain)})"


@contextlib.contextmanager
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    """A running instance before that Dovecot. Raises Missing when it isn't installed or we are not root."""
    binary("master", MEND, *DAEMONS)
    if os.geteuid() != 0:
        raise Missing("postfix is not started: its master wants root; run the tests as root, or use stand_in")
    with workdir("postfix") as directory:
        server = Postfix(directory, dovecot)
        server.lay_out()
        try:
            server.start()
            yield server
        finally:
            server.stop()


class StandIn:
    """Our own SMTP server in Postfix's place."""

    real = False

    def __init__(self, mx: Sink, submission: Sink, proven: list[str]) -> None:
        self.host = HOST
        self.password = PASSWORD
        self.mx_port = mx.port
        self.submission_port = submission.port
        self.proven = proven
        self.stripping: set[str] = set()

    def prove(self, *senders: str) -> None:
        self.proven.extend(senders)

    def strip(self, strips: bool) -> None:
        self.stripping.clear()
        self.stripping.update([AUTHSERV_ID] if strips else [])

    def send(self, raw: bytes, sender: str, *recipients: str) -> None:
        send(self.mx_port, raw, sender, recipients)

    def processes(self) -> set[int]:
        return set()


@contextlib.contextmanager
def stand_in(dovecot: Dovecot) -> Iterator[StandIn]:
    """For who isn't root: proves senders as Postfix does and delivers at once."""
    proven = [*PROVEN]

    def from_the_world(mail: Mail) -> None:
        known = [found[1] for sender in proven if (found := re.fullmatch(pattern(sender), mail.sender))]
        fields = [*(verdict(domain) for domain in known[:1]), received()]
        pass_on("".join(f"{field}\r\n" for field in fields).encode() + mail.data, mail)

    def from_our_own(mail: Mail) -> None:
        own = f"Authentication-Results: {AUTHSERV_ID};".encode()
        lines = mail.data.split(b"\r\n")
        kept = [line for line in lines if not (server.stripping and line.startswith(own))]
        pass_on(received().encode() + b"\r\n" + b"\r\n".join(kept), mail)

    def pass_on(raw: bytes, mail: Mail) -> None:
        """smtplib's errors are OSErrors, which the sink answers with 451."""
        for recipient in mail.recipients:
            dovecot.deliver(raw, recipient, mail.sender)

    with (
        sink(keep=False, taken=from_the_world, unknown=UNKNOWN) as mx,
        sink(keep=False, taken=from_our_own, unknown=UNKNOWN, login=("", PASSWORD)) as submission,
    ):
        server = StandIn(mx, submission, proven)
        yield server


def received() -> str:
    """As in RFC 5321 section 4.4."""
    return f"Received: from localhost (localhost [127.0.0.1]) by {AUTHSERV_ID} with ESMTP;\r\n\t{formatdate()}"
