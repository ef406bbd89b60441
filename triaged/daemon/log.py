"""Structured logs: events with ids, one JSON object a line. Never contents, never researchers' addresses."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

import structlog


class _Unfailing:
    """A stream that loses lines rather than raise: a full disk under the log must not end the parts that write to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Write to `stream`. Control characters are escaped by JSON (AT-26)."""
    # mail-parser logs what it can't read, which is report text.
    for name in ("mailparser", "imapclient", "aiosmtplib", "apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing(stream))),
        cache_logger_on_first_use=False,
    )


def place(error: BaseException) -> str:
    """Where an error arose, as "module:line": its text may hold what a stranger wrote, this never does."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "triaged" in frame.filename] or list(frames)
    return f"{Path(ours[-1].filename).stem}:{ours[-1].lineno}" if ours else ""


log = structlog.get_logger()
