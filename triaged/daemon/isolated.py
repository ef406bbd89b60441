"""Reads one message in a child process with limits on memory and time. Only for messages that failed before."""

from __future__ import annotations

import pickle
import resource
import subprocess
import sys
from dataclasses import asdict

from triaged.message.model import Limits, Message, Trust
from triaged.message.parse import parse

MEMORY_BYTES = 1024 * 1024 * 1024
SECONDS = 10


class IsolatedReadingError(Exception):
    """The child died, ran out of its limits or answered nothing."""


def read_isolated(raw: bytes, limits: Limits, trust: Trust) -> Message:
    """Like parse, but what goes wrong is an exception here and not the end of this process."""
    asked = pickle.dumps((raw, asdict(limits), trust.authserv_ids, trust.hosts))
    try:
        child = subprocess.run(
            [sys.executable, "-m", "triaged.daemon.isolated"],
            input=asked,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        message = pickle.loads(child.stdout)  # noqa: S301 - what our own module wrote
    except (subprocess.SubprocessError, pickle.UnpicklingError, EOFError) as error:
        raise IsolatedReadingError(type(error).__name__) from None
    if not isinstance(message, Message):
        raise IsolatedReadingError("no message")
    return message


def _child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    raw, limits, ids, hosts = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from our own parent
    sys.stdout.buffer.write(pickle.dumps(parse(raw, Limits(**limits), Trust(ids, hosts))))


if __name__ == "__main__":
    _child()
