"""The reader's child ends with its parent, though it be stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PARENT = """
import sys
from tests.ticket.scene import READING, TRUST, mail
from triaged.daemon.reader import Reader
reader = Reader(READING)
reader.read([(mail(), TRUST, ())] * 4)
print(reader._child.pid, flush=True)
sys.stdin.read()
"""


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_reader_that_is_stuck_is_gone_when_its_parent_was_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    words = [sys.executable, "-c", PARENT]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGSTOP)  # stands for a message that it never comes back from
        parent.kill()
    until = time.monotonic() + 10
    while not (gone := ended(child)) and time.monotonic() < until:
        time.sleep(0.05)
    if not gone:
        os.kill(child, signal.SIGKILL)
    assert gone
