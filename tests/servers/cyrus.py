"""Cyrus IMAP for the tests: another family of server than Dovecot. Unpacked by get-cyrus.sh, never installed."""

from __future__ import annotations

import contextlib
import grp
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.servers.imap import PASSWORD, ImapServer
from tests.servers.process import (
    Account,
    Missing,
    free_port,
    render,
    start,
    stop,
    unprivileged,
    wait_for_greeting,
    workdir,
)

MEND = "run tests/servers/get-cyrus.sh"


def prefix() -> Path:
    """Where get-cyrus.sh puts it."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    usual = (Path("/var/cache") if os.geteuid() == 0 else home) / "triaged-tests/cyrus"
    return Path(os.environ.get("TRIAGED_TEST_CYRUS", usual))


class Cyrus(ImapServer):
    """One instance; ports and mail outlive stop() and start(). Plain IMAP only; it logs to syslog, if anywhere."""

    def __init__(self, directory: Path, root: Path, account: Account) -> None:
        self.directory = directory
        self.root = root
        self.account = account
        self.imap_port, self.lmtp_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "stderr.log"

    def lay_out(self) -> None:
        for name in ("conf", "conf/socket", "proc", "lock", "spool", "sieve", "socket"):
            (self.directory / name).mkdir()
            if os.geteuid() == 0:
                os.chown(self.directory / name, self.account.uid, self.account.gid)
        render("cyrus-imapd.conf.in", self.directory / "imapd.conf", self.values())
        render("cyrus.conf.in", self.directory / "cyrus.conf", self.values())

    def start(self) -> None:
        """Up when both ports greet."""
        files: list[str | Path] = ["-C", self.directory / "imapd.conf", "-M", self.directory / "cyrus.conf"]
        command: list[str | Path] = [self.programs / "master", "-D", *files, "-p", self.directory / "proc/master.pid"]
        paths = [*self.root.glob("usr/lib/*-linux-gnu"), *self.root.glob("lib/*-linux-gnu"), self.root / "usr/lib"]
        libraries = {"LD_LIBRARY_PATH": ":".join(map(str, paths)), "PATH": "/usr/bin:/bin"}
        self.process = start(command, self.log, self.account, env=libraries)
        for port in (self.imap_port, self.lmtp_port):
            wait_for_greeting(self.process, port, self.log)

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def programs(self) -> Path:
        return self.root / "usr/lib/cyrus/bin"

    def values(self) -> dict[str, object]:
        return {
            "dir": self.directory,
            "bin": self.programs,
            "user": self.account.name,
            "group": grp.getgrgid(self.account.gid).gr_name,
            "imap_port": self.imap_port,
            "lmtp_port": self.lmtp_port,
        }


@contextlib.contextmanager
def cyrus() -> Iterator[Cyrus]:
    """A running instance, gone with all its mail at the end. Raises Missing when it isn't unpacked."""
    root = prefix()
    if not (root / "usr/lib/cyrus/bin/master").exists():
        raise Missing(f"Cyrus is missing in {root}: {MEND}")
    account = unprivileged()
    with workdir("cyrus", account) as directory:
        server = Cyrus(directory, root, account)
        server.lay_out()
        with passwords(directory / "socket/mux"):
            try:
                server.start()
                yield server
            finally:
                server.stop()


@contextlib.contextmanager
def passwords(path: Path) -> Iterator[None]:
    """A saslauthd in a thread to which every user is known with PASSWORD."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(64)
        threading.Thread(target=answer_all, args=(listener,), daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def answer_all(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError, struct.error):
                answer(peer)


def answer(peer: socket.socket) -> None:
    """Four counted strings come (user, password, service, realm), one goes back."""
    with peer.makefile("rb") as stream:
        fields = [stream.read(struct.unpack("!H", stream.read(2))[0]) for _ in range(4)]
    verdict = b"OK" if fields[1].decode() == PASSWORD else b"NO"
    peer.sendall(struct.pack("!H", len(verdict)) + verdict)
