"""Named places where a test may kill the process, to see what a crash there leaves behind. Does nothing unless armed."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

VARIABLE = "TRIAGED_TEST_KILL"  # NAME or NAME:N, for the Nth time that the point is reached

# Of a pass of the daemon.
PASSED = (
    "receipts-stored",
    "reading-claimed",
    "consequences-written",
    "study-claimed",
    "study-indexed",
    "study-written",
    "clocks-claimed",
    "clocks-written",
    "letters-claimed",
    "letter-accepted",
    "results-recorded",
    "copy-appended",
)
# Of an erasure, and of the sweep that meets a forgotten message again.
ERASING = ("erasure-tickets", "erasure-traces", "erasure-committed", "forgotten-again")
NAMES = (*PASSED, *ERASING)

_armed: dict[str, int] = {}


def arm(environ: Mapping[str, str]) -> None:
    """Arm the point that the environment names, if it names one."""
    name, _, count = environ.get(VARIABLE, "").partition(":")
    if name:
        _armed[name] = int(count or "1")


def reach(name: str) -> None:
    """Die here by SIGKILL, if this is the armed point and its count is reached."""
    if not _armed or name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
