"""A process under measurement: its CPU seconds and peak memory, read from /proc. Measures only what it is given."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used until now."""

    cpu: float  # seconds, user and system, of all threads and of children that ended
    peak: int  # bytes resident at most (VmHWM)
    now: int  # bytes resident (VmRSS)


def usage(process: subprocess.Popen[str]) -> Usage:
    """proc(5): stat and status."""
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return Usage(sum(map(int, stat[11:15])) / TICK, _bytes(status["VmHWM"]), _bytes(status["VmRSS"]))


def _bytes(field: str) -> int:
    return int(field.split()[0]) * 1024
