"""`make run` as a newcomer meets it: up, a report mailed, the acknowledgement and the ticket there to see."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triaged.demo.inbox import inbox


class Running:
    """`python -m triaged.demo` in an empty directory, and the lines that it printed until it was ready."""

    def __init__(self, directory):
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONWARNINGS": "default"}
        self.directory = directory
        self.log = (directory / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "triaged.demo"],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.lines = []
        while not self.lines or not self.lines[-1].startswith("Ctrl-C ends it"):
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.process.wait()} {self.errors()}"
            self.lines.append(line.strip())
        self.imap_port = int(re.search(r"IMAP on 127\.0\.0\.1:(\d+)", "\n".join(self.lines))[1])

    def errors(self):
        return (self.directory / "log").read_text(encoding="utf-8")

    def shell(self, start):
        """Runs the printed line that starts so, as a newcomer would paste it; its standard output."""
        (line,) = [line for line in self.lines if line.startswith(start)]
        words = shlex.split(line)
        run = [sys.executable if words[0] == "python3" else words[0], *words[1:]]
        return subprocess.run(run, cwd=self.directory, capture_output=True, text=True, check=True, timeout=30).stdout

    def wait_for_mail(self, address, count=1, seconds=20):
        until = time.monotonic() + seconds
        while len(found := inbox(self.imap_port, address)) < count:
            assert time.monotonic() < until, f"no mail for {address}: {self.errors()}"
            time.sleep(0.05)
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.close()
        return code, time.monotonic() - begun


@pytest.fixture
def demo(tmp_path):
    with Running(tmp_path) as running:
        yield running


def test_a_report_mailed_by_the_printed_line_is_acknowledged_listed_and_told_to_the_team(demo):
    begun = time.monotonic()
    demo.shell("python3 -c")
    (acknowledgement,) = demo.wait_for_mail("noa@example.org")
    assert time.monotonic() - begun < 5
    (reference,) = set(re.findall(rb"\[(IMS-[0-9A-Z]{4}-[0-9A-Z]{4})\]", acknowledgement))
    (told,) = demo.wait_for_mail("security-team@example.test")
    assert reference in told
    (hers,) = demo.wait_for_mail("dana@example.test")
    assert reference in hers and b"TO RESEARCHER" in hers, "so that a newcomer answers from there"
    command = next(line for line in demo.lines if " ticket list " in line)
    listed = subprocess.run(
        [*shlex.split(command), "--json"], cwd=demo.directory, capture_output=True, text=True, check=True, timeout=30
    )
    (ticket,) = json.loads(listed.stdout)
    assert ticket["ref"] == reference.decode() and ticket["subject"] == "XSS in login"
    assert "Subject: " in demo.shell(f"{sys.executable} -m triaged.demo.inbox {demo.imap_port} noa@example.org")


def test_sigterm_ends_it_within_ten_seconds_and_with_exit_code_0(demo):
    code, seconds = demo.stop()
    assert (code, seconds < 10) == (0, True), demo.errors()
    assert "Traceback" not in demo.errors()


def test_a_second_run_goes_on_with_the_same_tracker(tmp_path):
    for _ in range(2):
        with Running(tmp_path) as demo:
            demo.shell("python3 -c")
            demo.wait_for_mail("noa@example.org")
            assert demo.stop()[0] == 0
    program = Path(sys.executable).with_name("triaged")
    run = [program, "ticket", "list", "--json", "--config", "var/triaged.toml"]
    listed = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    assert len(json.loads(listed.stdout)) == 2
