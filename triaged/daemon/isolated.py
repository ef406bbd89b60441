"""Reads one message in a child process with limits on memory and time. Only for messages that failed before."""

from __future__ import annotations

import pickle
import resource
import subprocess
import sys
from dataclasses import asdict

from triaged.message.model import Limits, Trust
from triaged.reading.whole import Whole, read

MEMORY_BYTES = 1024 * 1024 * 1024
SECONDS = 10


class IsolatedReadingError(Exception):
    """The child died, ran out of its limits or answered nothing."""


def read_isolated(raw: bytes, limits: Limits, trust: Trust, wanted: tuple[str, ...]) -> Whole:
    """Like read, but what goes wrong is an exception here and not the end of this process."""
    asked = pickle.dumps((raw, asdict(limits), trust.authserv_ids, trust.hosts, wanted))
    try:
        child = subprocess.run(
            [sys.executable, "-m", "triaged.daemon.isolated"],
            input=asked,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        whole = pickle.loads(child.stdout)  # noqa: S301 - what our own module wrote
    except (subprocess.SubprocessError, pickle.UnpicklingError, EOFError) as error:
        raise IsolatedReadingError(type(error).__name__) from None
    if not isinstance(whole, Whole):
        raise IsolatedReadingError("no message")
    return whole


def _child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    raw, limits, ids, hosts, wanted = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from our own parent
    sys.stdout.buffer.write(pickle.dumps(read(raw, Limits(**limits), Trust(ids, hosts), wanted)))


if __name__ == "__main__":
    _child()
