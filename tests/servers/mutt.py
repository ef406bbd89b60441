"""A real mutt that replies to a message or forwards it as a person does. What the header holds is mutt's own work."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from email.utils import parseaddr
from pathlib import Path

from tests.servers.process import NotStarted, binary, render, workdir

MEND = "apt-get install mutt"
REPLY = "<first-entry><reply>"
ANSWERED = b"\nX-Status: A"  # mutt notes it once the server has taken the reply
GROUP_REPLY = "<first-entry><group-reply>"
FORWARD = "<first-entry><forward-message>{to}<enter>"


def reply(raw: bytes, text: str, sender: str, smtp_port: int, *, group: bool = False, seconds: float = 20) -> None:
    """Answer the message `raw` from `sender` ("Name <a@b>" or an address) with `text` above mutt's own quote of it.

    Sent through smtp_port of the loopback. Raises Missing without mutt, NotStarted when mutt did not send.
    """
    mailbox, screen = _compose(raw, text, sender, smtp_port, GROUP_REPLY if group else REPLY, seconds)
    if ANSWERED not in mailbox:
        raise NotStarted(f"mutt did not send: {screen[-2000:]!r}")


def forward(raw: bytes, remark: str, sender: str, to: str, smtp_port: int, *, seconds: float = 20) -> None:
    """Forward the message to `to` with `remark` above it. Whether it was sent is for the server to say."""
    _compose(raw, remark, sender, smtp_port, FORWARD.format(to=to), seconds)


def _compose(raw: bytes, text: str, sender: str, smtp_port: int, keys: str, seconds: float) -> tuple[bytes, bytes]:
    """The mailbox and what mutt drew, once it has ended."""
    program = binary("mutt", MEND)
    with workdir("mutt") as directory:
        (directory / "mbox").write_bytes(mbox(raw))
        (directory / "text").write_text(f"{text.rstrip(chr(10))}\n\n" if text else "")
        editor = directory / "editor"
        editor.write_text(
            # With its old time: mutt asks about a file that was written in a later second than it looked, on a busy machine.
            f'#!/bin/sh\ntouch -r "$1" {directory}/then\n'
            f'cat {directory}/text "$1" > {directory}/joined && cat {directory}/joined > "$1"\n'
            f'touch -r {directory}/then "$1"\n'
        )
        editor.chmod(0o755)
        render("muttrc.in", directory / "muttrc", values(directory, editor, sender, smtp_port))
        push = f'push "{keys}<send-message><quit>"'
        command = [program, "-n", "-F", directory / "muttrc", "-f", directory / "mbox", "-e", push]
        screen = run_on_terminal([str(word) for word in command], directory, seconds)
        return (directory / "mbox").read_bytes(), screen


def values(directory: Path, editor: Path, sender: str, port: int) -> dict[str, object]:
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    return {"name": name, "sender": address, "domain": domain, "port": port, "editor": editor, "dir": directory}


def mbox(raw: bytes) -> bytes:
    """One message in the form mboxrd (RFC 4155 is its plainer kin), with LF line ends."""
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    quoted = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
    return b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n" + b"\n".join(quoted).rstrip(b"\n") + b"\n\n"


def run_on_terminal(command: list[str], home: Path, seconds: float) -> bytes:
    """What the program drew until it ended; it is killed when it doesn't."""
    master, slave = pty.openpty()
    environment = {"HOME": str(home), "TERM": "vt100", "LANG": "C.UTF-8", "PATH": os.environ["PATH"], "LINES": "40"}
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=home, start_new_session=True
    )
    os.close(slave)
    try:
        return read_until_end(master, process, time.monotonic() + seconds)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until_end(master: int, process: subprocess.Popen[bytes], end: float) -> bytes:
    screen = b""
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                screen += os.read(master, 65536)
            except OSError:  # EIO: the other end is closed
                return screen
        elif process.poll() is not None:
            return screen
    return screen
