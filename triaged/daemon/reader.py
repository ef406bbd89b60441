"""Reads blocks of messages in a child process beside this one, so that reading costs the other threads nothing. Decides nothing."""

from __future__ import annotations

import ctypes
import pickle
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from typing import IO, Any

from triaged.message.model import Limits, Trust
from triaged.reading.whole import Whole, read

LEAST = 4  # messages that are worth the way; fewer are read here
SECONDS = 60.0  # for a block of what fits into memory: reading is linear, and takes milliseconds a message
_LENGTH = struct.Struct(">Q")

Asked = tuple[bytes, Trust, tuple[str, ...]]  # raw bytes, whose trace fields count, items that the policy asks for


class ReaderDiedError(Exception):
    """The child ended or did not answer: one of the block's messages may be the reason."""


class Reader:
    """One child, started when it is first needed. Used by one thread."""

    def __init__(self, limits: Limits, seconds: float = SECONDS) -> None:
        self._limits = limits
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def read(self, block: Sequence[Asked]) -> list[Whole]:
        """The messages of a block, in its order. Raises ReaderDiedError; the next block gets a new child."""
        asked = [(raw, trust.authserv_ids, trust.hosts, wanted) for raw, trust, wanted in block]
        child = self._child or self._start()
        try:
            assert child.stdin and child.stdout  # noqa: S101 - both are pipes
            _send(child.stdin, pickle.dumps(asked))
            found = pickle.loads(_receive(child.stdout, monotonic() + self._seconds))  # noqa: S301 - what our own module wrote
        except (OSError, EOFError, pickle.UnpicklingError, TimeoutError) as error:
            self.close()
            raise ReaderDiedError(type(error).__name__) from None
        if not isinstance(found, list) or len(found) != len(block):
            self.close()
            raise ReaderDiedError("no answer")
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "triaged.daemon.reader"]
        self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
        assert self._child.stdin  # noqa: S101 - a pipe
        _send(self._child.stdin, pickle.dumps(asdict(self._limits)))
        return self._child

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        child.wait()


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes], until: float) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size, until))
    return _exactly(pipe, length, until)


def _exactly(pipe: IO[bytes], length: int, until: float) -> bytes:
    pieces: list[bytes] = []
    missing = length
    while missing:
        if not select.select([pipe], [], [], max(0.0, until - monotonic()))[0]:
            raise TimeoutError
        piece = pipe.read1(missing)  # type: ignore[attr-defined]  # what subprocess gives is buffered
        if not piece:
            raise EOFError
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _child() -> None:
    """Answer until the parent is gone: its end closes our input, however it ended."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # both go to whole groups: the block in hand is finished, the parent ends us
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    limits = Limits(**_block(asked) or {})
    while (block := _block(asked)) is not None:
        found = [read(raw, limits, Trust(ids, hosts), wanted) for raw, ids, hosts, wanted in block]
        _send(answers, pickle.dumps(found))


_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _end_with_parent() -> None:
    """On Linux the kernel kills us with the thread that started us: one that is stuck never sees its input's end."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _block(pipe: IO[bytes]) -> Any:
    """What the parent pickled; None after its end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(pipe.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - from our own parent


if __name__ == "__main__":
    _child()
