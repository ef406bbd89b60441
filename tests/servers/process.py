"""Child processes of the tests: found, started as an unprivileged user, waited for, stopped by PID. Never by name."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
GRACE = 1.5  # seconds; Dovecot's auth outlives its master while Postfix holds a connection to it
HERE = Path(__file__).parent


class Missing(Exception):
    """A server is not installed, or can't run as this user. The text is one line: what is missing and how to get it."""


class NotStarted(Exception):
    """A server is installed but did not come up. The text ends with the tail of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as: ourselves, or when we are root, somebody who owns nothing."""

    name: str
    uid: int
    gid: int

    def arguments(self) -> dict[str, object]:
        """For subprocess.Popen; empty when nothing changes."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def unprivileged() -> Account:
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def binary(name: str, mend: str, *places: str) -> str:
    """The program of this name in PATH, /usr/sbin or the places (globs, the last in order wins); else Missing."""
    found = [path for place in places for path in sorted(glob.glob(f"{place}/{name}"))]
    usual = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    for path in [*reversed(found), *([usual] if usual else [])]:
        return path
    raise Missing(f"{name} is missing: {mend}")


@contextlib.contextmanager
def workdir(name: str, owner: Account | None = None) -> Iterator[Path]:
    """A short path that other users may enter; pytest's own are closed to them and too long for Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix=f"tr-{name}-", dir="/tmp"))
    path.chmod(0o755)
    if owner is not None and os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on, below the range that outgoing connections take, so that a restart finds it free."""
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise NotStarted("no free port between 20000 and 32000")


def render(template: str, target: Path, values: Mapping[str, object]) -> None:
    """tests/servers/TEMPLATE with its @{name} filled in. An unknown name is a KeyError."""
    text = (HERE / template).read_text()
    target.write_text(re.sub(r"@\{(\w+)\}", lambda name: str(values[name[1]]), text))


def start(
    command: Sequence[str | Path], log: Path, owner: Account | None = None, **more: object
) -> subprocess.Popen[bytes]:
    """In a session of its own, output appended to the log."""
    with log.open("ab") as output:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **({} if owner is None else owner.arguments()),
            **more,
        )


def wait_for_greeting(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    """Until the port answers with a first byte. Raises NotStarted with the log's tail when it doesn't."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1) as peer:
            peer.settimeout(5)
            if peer.recv(1):
                return
        time.sleep(0.02)
    raise NotStarted(f"{process.args!r} on port {port}: {tail(log)}")


def tail(log: Path, count: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else "(no log)"


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGTERM, seconds: float = 10) -> None:
    """End the process, then whatever of its session is left. Returns when all are gone."""
    members = session(process.pid)
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end_left_over(members | session(process.pid), GRACE)


def end_left_over(members: set[int], seconds: float) -> None:
    """Children close down on their own once their master is gone; who doesn't in time is killed."""
    end = time.monotonic() + seconds
    while (left := {pid for pid in members if alive(pid)}) and time.monotonic() < end:
        time.sleep(0.01)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def session(leader: int) -> set[int]:
    """The processes below this one, by session or by descent."""
    rows = {pid: fields for pid in processes() if (fields := status(pid))}
    found = {pid for pid, (_, _, sid) in rows.items() if sid == leader} | {leader}
    while more := {pid for pid, (_, parent, _) in rows.items() if parent in found} - found:
        found |= more
    return found


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status(pid: int) -> tuple[str, int, int] | None:
    """State letter, parent and session from /proc/PID/stat (proc(5)); None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent, _group, sid = text.rpartition(")")[2].split()[:4]
    return state, int(parent), int(sid)


def alive(pid: int) -> bool:
    fields = status(pid)
    return fields is not None and fields[0] not in "ZX"
