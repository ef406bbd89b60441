"""One installation of the real program before real servers, as an operator has it: a directory, a file, commands."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tests.servers.dovecot import Dovecot
from tests.servers.imap import PASSWORD
from tests.servers.process import stop, tail
from triaged.mail.retry import LETTER_RETRIES, SERVER_HOLDS
from triaged.ticket.reference import token_of
from triaged.tracker import showing
from triaged.tracker.engine import connect, reading

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "config/policies/ims-network.toml"
REF = re.compile(r"(?:IMS|RD|GFR)-[0-9A-Z]{4}-[0-9A-Z]{4}")
BUSY = 60.0  # seconds; what takes one on a machine of its own takes many on a busy one
# A letter that a fault cut off in the midst goes again after the first retry, and a server that fails on and on is held.
PATIENCE = BUSY + max(LETTER_RETRIES[0], SERVER_HOLDS[-1]).total_seconds()
TRACE = re.compile(rb"\A(?:(?:Return-Path|Delivered-To|Received|Authentication-Results):[^\n]*\n(?:[ \t][^\n]*\n)*)+")

TEMPLATE = """\
[tracker]
url = {url}

[[mailbox]]
name = "security"
address = {address}
policy = {policy}
plus_addressing = {plus}

[mailbox.imap]
host = "127.0.0.1"
port = {imap_port}
security = {imap_security}
username = {address}
password = {password}
folders = {folders}
poll_seconds = {poll_seconds}
sent_folder = {sent_folder}

[mailbox.smtp]
host = {smtp_host}
port = {smtp_port}
security = {smtp_security}
username = {address}
password = {smtp_password}
envelope = {envelope}

[authenticity]
trusted_authserv_ids = ["mx.example.test"]

[team]
notify = [{team}]
undo_seconds = {undo_seconds}

[[team.member]]
name = "Dana Levi"
address = {member}
role = "triager"
notify = "board"

[http]
listen = {listen}

[limits]
fetch_messages = {fetch_messages}
"""


@dataclass
class Installation:
    """A mailbox of its own at Dovecot, a tracker of its own, and the people around it. Written to disk at each change."""

    directory: Path
    url: str
    dovecot: Dovecot
    mx_port: int
    name: str  # unique among all tests: the servers keep the mail of all
    values: dict[str, object] = field(default_factory=dict)
    policy: Path = POLICY
    more: str = ""  # of the configuration, after all else

    def __post_init__(self) -> None:
        self.address = f"security.{self.name}@ims-network.net"
        self.team = f"team.{self.name}@example.test"
        self.member = f"dana.{self.name}@example.test"
        self.researcher = f"noa.{self.name}@proven.test"
        self.stranger = f"mal.{self.name}@elsewhere.test"
        self.config = self.directory / "triaged.toml"
        self.log = self.directory / "log"

    def write(self, **changes: object) -> None:
        """The configuration with these values changed from now on."""
        self.values.update(changes)
        texts = {name: json.dumps(value) for name, value in self.values.items()}
        people = {"address": self.address, "team": self.team, "member": self.member}
        texts |= {name: json.dumps(value) for name, value in people.items()}
        texts |= {"url": json.dumps(self.url), "policy": json.dumps(str(self.policy))}
        self.config.write_text(TEMPLATE.format(**texts) + self.more)

    def command(self, *words: str, kill: str = "", wrap: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """`triaged WORDS`; `kill` arms a point of triaged/daemon/points.py."""
        program = [*wrap, sys.executable, "-m", "triaged", *words, "--config", str(self.config)]
        return subprocess.run(
            program,
            env=self.environment(kill),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )

    def environment(self, kill: str = "") -> Mapping[str, str]:
        known = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGED_")}
        return {**known, "PYTHONPATH": str(ROOT), **({"TRIAGED_TEST_KILL": kill} if kill else {})}

    def once(self) -> None:
        """`triaged run --once`, which must go well."""
        done = self.command("run", "--once")
        assert done.returncode == 0, unusual(done.stderr)

    def killed_at(self, point: str) -> None:
        """A pass that dies at that point."""
        done = self.command("run", "--once", kill=point)
        assert done.returncode == -signal.SIGKILL, f"{point} was not reached: {done.stderr[-2000:]}"

    def read(self, *words: str) -> Any:
        """The document that a command prints with --json."""
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def tickets(self) -> Any:
        """What `triaged ticket list --json` prints, without the start of a process; so are the next three."""
        return self.document(showing.tickets)

    def ticket(self, ref: str) -> Any:
        return self.document(lambda connection: showing.one_ticket(connection, token_of(ref) or ""))

    def receipts(self) -> Any:
        return self.document(showing.receipts)

    def letters(self) -> Any:
        return self.document(showing.letters)

    def document(self, of: Callable[[Connection], object]) -> Any:
        engine = connect(self.url)
        try:
            with reading(engine) as connection:
                return json.loads(json.dumps(of(connection)))
        finally:
            engine.dispose()

    def audit(self) -> None:
        done = self.command("audit")
        assert done.returncode == 0, done.stdout + done.stderr

    @contextlib.contextmanager
    def running(self, stopped_within: float = 10) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, from its "ready" to its clean end by SIGTERM."""
        process = self.start()
        try:
            yield process
            end_well(process, self.log, stopped_within)
        except BaseException as error:
            error.add_note(unusual(self.log.read_text(errors="replace")))
            raise
        finally:
            stop(process)

    def start(self, kill: str = "") -> subprocess.Popen[bytes]:
        """The daemon, ready."""
        before = self.log.stat().st_size if self.log.exists() else 0
        program = [sys.executable, "-m", "triaged", "run", "--config", str(self.config)]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                program,
                env=self.environment(kill),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            until(
                lambda: b"\nready\n" in b"\n" + self.log.read_bytes()[before:] or process.poll() is not None,
                PATIENCE,
                "the daemon says ready",
            )
            assert process.poll() is None, tail(self.log)
        except BaseException:
            stop(process)
            raise
        return process

    def arrives(self, *senders: str) -> None:
        """A report from each."""
        self.dovecot.deliver_many([(report(sender, self.address), self.address, sender) for sender in senders])

    def deliver(self, raw: bytes, sender: str = "") -> None:
        """Straight into the mailbox by LMTP."""
        self.dovecot.deliver(raw, self.address, sender)

    def append_or_deliver(self, raw: bytes) -> None:
        """Into the mailbox whatever it is: as a client files it, where that can be, else by LMTP."""
        try:
            self.dovecot.append(raw, self.address)
        except AssertionError:
            self.deliver(raw)

    def mail_to_key(self, keyed: str, raw: bytes) -> None:
        """To a keyed address, as it stands in a Reply-To, from whoever the message says."""
        sender = str(parsed(raw)["From"])
        self.dovecot.deliver(raw, parseaddr(keyed)[1], sender)

    def got(self, address: str, count: int = 1, seconds: float = PATIENCE) -> list[EmailMessage]:
        """The mail of that address, once there are that many."""
        return [parsed(raw) for raw in self.dovecot.wait_for(address, count, seconds=seconds)]

    def inbox(self, address: str) -> list[bytes]:
        return self.dovecot.fetch_all(address)


def unusual(log: str) -> str:
    """The lines of a log that do not tell of work well done."""
    usual = ('"outcome": "Sent"', '"event": "message taken in"')
    return "\n".join(line for line in log.splitlines() if not any(sign in line for sign in usual))[-3000:]


def end_well(process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """SIGTERM ends it with 0 in time."""
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(seconds) == 0, tail(log)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still there {seconds} s after SIGTERM: {tail(log)}") from None


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def without_trace(raw: bytes) -> bytes:
    """What we handed in: the fields that servers put on top are gone."""
    return TRACE.sub(b"", raw)


def report(sender: str, to: str, subject: str = "XSS in the login form", body: str = "", **fields: str) -> bytes:
    """A person's report, with words of its own so that no two say the same."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(body or f"The form at https://app.example.test/{uuid.uuid4().hex} shows what it is given.\n")
    return bytes(message)


def until(condition: Callable[[], object], seconds: float = PATIENCE, what: str = "") -> None:
    """Wait; AssertionError when it doesn't become true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what or "waited in vain"
        time.sleep(0.02)


def installation(directory: Path, url: str, dovecot: Dovecot, mx_port: int, smtp_port: int, name: str) -> Installation:
    """Written and ready to run."""
    made = Installation(directory, url, dovecot, mx_port, name)
    made.write(
        plus=True,
        imap_port=dovecot.imap_port,
        imap_security="none",
        password=PASSWORD,
        folders=["INBOX"],
        poll_seconds=60,
        sent_folder="",
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security="none",
        smtp_password=PASSWORD,
        envelope="keyed",
        fetch_messages=50,
        undo_seconds=0,
        listen="",
    )
    return made
