"""One round: the same mails waiting in Dovecot, taken in once by triaged and once by the bare loop. Decides no gate."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.mails import AUTHSERV_ID, MAILBOX, Mail
from tests.bench.measured import Usage, usage
from tests.servers.dovecot import Dovecot
from tests.servers.sink import SinkProcess

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds for a round
PROGRAM = (sys.executable, "-m", "triaged")
CONNECTIONS = 4
CONFIGURATION = """\
[tracker]
url = {url}
[[mailbox]]
name = "security"
tenant = "default"
address = {address}
policy = {policy}
[mailbox.imap]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = {user}
password = "demo"
[mailbox.smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
[authenticity]
trusted_authserv_ids = [{authserv_id}]
[team]
notify = ["team@example.test"]
[limits]
acknowledgements_proven_per_hour = 10000000
acknowledgements_unproven_per_hour = 10000000
acknowledgements_proven_per_address_per_day = 1000000
smtp_connections = {connections}
[http]
listen = ""
"""


@dataclass(frozen=True, slots=True)
class Lap:
    """One program's round: from the start of its process until the sink had accepted the last letter."""

    seconds: float
    starting: float  # of these, until it said that it was ready; 0 for the bare loop
    letters: int
    usage: Usage  # at the end of the lap, start-up included

    def rate(self, mails: int) -> float:
        """Mails a second."""
        return mails / self.seconds


def wait_in_inbox(server: Dovecot, user: str, mails: Sequence[Mail]) -> None:
    """Put the mails into the user's Maildir as a delivery agent does, before anybody looks."""
    new = server.maildir(user) / "new"
    for folder in (new, new.with_name("cur"), new.with_name("tmp")):
        folder.mkdir(parents=True)
    for number, mail in enumerate(mails):
        (new / f"{1_700_000_000 + number}.M{number}.bench").write_bytes(mail.raw)
    if os.geteuid() == 0:
        # The folder of all homes too: made here by root, it would shut Dovecot out of every later one.
        for path in [server.home(user).parent, server.home(user), *server.home(user).rglob("*")]:
            os.chown(path, server.account.uid, server.account.gid)


def configure(directory: Path, url: str, user: str, imap_port: int, smtp_port: int) -> Path:
    """A triaged.toml with the caps lifted."""
    texts = {
        "url": url,
        "address": MAILBOX,
        "policy": str(ROOT / "config" / "policies" / "ims-network.toml"),
        "user": user,
        "authserv_id": AUTHSERV_ID,
    }
    quoted = {name: json.dumps(text) for name, text in texts.items()}
    numbers = {"imap_port": imap_port, "smtp_port": smtp_port, "connections": CONNECTIONS}
    path = directory / "triaged.toml"
    path.write_text(CONFIGURATION.format(**quoted, **numbers))
    return path


@contextlib.contextmanager
def daemon(configuration: Path, log: Path, environ: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """`triaged run`, ended by SIGTERM."""
    with log.open("w") as output:
        command = [*PROGRAM, "run", "--config", str(configuration)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=output, text=True, env={**os.environ, **(environ or {})})
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def triaged_lap(configuration: Path, log: Path, sink: SinkProcess, letters: int) -> Lap:
    """The real program, all of it."""
    before = sink.ask()["count"]
    began = time.monotonic()
    with daemon(configuration, log) as process:
        starting = until(lambda: "\nready\n" in "\n" + log.read_text(), process, log) - began
        ended = until(lambda: sink.ask()["count"] - before >= letters, process, log)
        time.sleep(0.5)  # what goes beyond the expected would show
        return Lap(ended - began, starting, round(sink.ask()["count"] - before), usage(process))


def bare_lap(server: Dovecot, user: str, url: str, sink: SinkProcess, letters: int, log: Path) -> Lap:
    """The bare loop, in a process of its own as well."""
    before = sink.ask()["count"]
    words = [user, str(server.imap_port), str(sink.port), url, str(CONNECTIONS)]
    began = time.monotonic()
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=output,
            text=True,
        ) as process,
    ):
        try:
            ended = until(lambda: sink.ask()["count"] - before >= letters, process, log)
            time.sleep(0.5)
            return Lap(ended - began, 0.0, round(sink.ask()["count"] - before), usage(process))
        finally:
            process.kill()


def until(true: Callable[[], bool], process: subprocess.Popen[str], log: Path) -> float:
    """The instant (time.monotonic) at which it was; AssertionError when the process ends or the patience does."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.01)
    return time.monotonic()


def start_up(words: Sequence[str], runs: int = 5) -> float:
    """Seconds of a whole command, the best of several runs."""
    best = PATIENCE
    for _ in range(runs):
        began = time.monotonic()
        subprocess.run([*PROGRAM, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.monotonic() - began)
    return best


def forget(server: Dovecot, *users: str) -> None:
    """Their mail, gone."""
    for user in users:
        shutil.rmtree(server.home(user), ignore_errors=True)
