"""How long a sender waits: from a mail's delivery until its acknowledgement was accepted, one by one, by IDLE. And idling."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.contest import configure, daemon, until
from tests.bench.mails import Mail, plain
from tests.bench.measured import usage
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Sink, sink


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds from delivery to acknowledgement, sorted; the share of one CPU that idling takes; bytes resident then."""

    seconds: tuple[float, ...]
    idle: float
    resident: int

    def at(self, share: float) -> float:
        """The wait that this share of the mails did not exceed."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def wait(server: Dovecot, directory: Path, user: str, count: int, idle_seconds: float) -> Waited:
    """Deliver one mail after the other by LMTP, each when the one before was answered."""
    log = directory / "waiting.log"
    written = plain(count + 1, 7)
    _deliver(server, user, written[0])  # makes the mailbox, before two sessions of the server would at once
    with sink() as taken:
        configuration = configure(directory, f"sqlite:///{directory}/waiting.db", user, server.imap_port, taken.port)
        with daemon(configuration, log) as process:
            until(lambda: '"connected"' in log.read_text(), process, log)
            time.sleep(1)  # the first sweep ends in IDLE
            seconds = sorted(_one(server, user, taken, mail) for mail in written[1:])
            time.sleep(2)
            before, began = usage(process), time.monotonic()
            time.sleep(idle_seconds)
            after = usage(process)
            share = (after.cpu - before.cpu) / (time.monotonic() - began)
            return Waited(tuple(seconds), share, after.now)


def _one(server: Dovecot, user: str, taken: Sink, mail: Mail) -> float:
    delivered = time.monotonic()
    _deliver(server, user, mail)
    end = delivered + 30
    while time.monotonic() < end:
        accepted = [letter.seconds for letter in taken.mails[-4:] if letter.recipients == (mail.sender,)]
        if accepted:
            time.sleep(0.3)  # the watcher is back in IDLE
            return accepted[0] - delivered
        time.sleep(0.005)
    raise AssertionError("no acknowledgement in 30 s")


def _deliver(server: Dovecot, user: str, mail: Mail) -> None:
    server.deliver(mail.raw.partition(b"\n")[2], user, mail.sender)  # LMTP writes the Return-Path itself
