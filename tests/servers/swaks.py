"""swaks, the mailer that people test servers with, as one function."""

from __future__ import annotations

import subprocess

from tests.servers.process import HOST, NotStarted, binary

MEND = "apt-get install swaks"


def send(port: int, sender: str, to: str, *more: str, subject: str = "A report", body: str = "It is open.") -> str:
    """Send one message to a port of the loopback; `more` are further options of swaks. Gives the dialogue."""
    options = ["--server", f"{HOST}:{port}", "--from", sender, "--to", to, "--h-Subject", subject, "--body", body]
    command = [binary("swaks", MEND), "--helo", "client.test", *options, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise NotStarted(f"swaks: {done.stdout}{done.stderr}")
    return done.stdout
