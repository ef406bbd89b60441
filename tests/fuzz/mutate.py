"""Mutates messages and feeds them to a target, counting what breaks. It writes only what it found, where it is told to.

    python -m tests.fuzz.mutate [DIR] [--target NAME] [--seconds N] [--cases N] [--seed S] [--findings DIR]

DIR: files to start from, beside the messages of our own. The same seed and the same files make the same cases.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.seeds import LARGEST, read_seeds
from tests.fuzz.targets import TARGETS

SLOW = 1.0  # seconds of CPU that one case may take
HANG = 10  # seconds of CPU after which a case is ended
MEMORY = 256 << 20  # bytes that the process may grow by while it reads all cases
_REPORTED_EVERY = 60.0  # seconds

# How often a token stands in a row: some, and seldom enough of them to fill a message, for patterns that look back.
_TIMES = (1,) * 20 + (2,) * 6 + (50,) * 6 + (1000,) * 6 + (30_000,)

# Pieces that the readers look for: a random byte hits none of them.
TOKENS: tuple[bytes, ...] = (
    b"\r\n", b"\n", b"\r", b"\x00", b"\xff\xfe", b"\x1b", b"\x1b$B", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xae",
    b"=?utf-8?b?", b"=?gb2312?q?", b"?=", b"=00", b"=0D=0A", b"=", b"--b\r\n", b"--b--\r\n", b"--", b"-- \r\n",
    b"boundary=b", b"boundary=", b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"\r\nContent-Type: message/rfc822\r\n\r\n", b"multipart/", b"text/html", b"text/plain", b"application/ms-tnef",
    b"; charset=utf-7", b"; charset=utf-16", b"; charset=iso-2022-kr", b"; charset=hz-gb-2312", b"; charset=idna",
    b"; charset=\"", b"; name*99999999=x", b"; filename*0*=utf-8''%", b"; format=flowed", b"base64",
    b"quoted-printable", b"x-uuencode", b"begin 644 x\n", b"\nend\n", b"<", b">", b"> ", b">>> ", b"<>", b"@", b"\"",
    b"(", b")", b"\\", b";", b":", b",", b"From: ", b"Date: ", b"Message-ID: <", b"Received: by mx.example.test; ",
    b"On a ", b" wrote:\n", b"-----Original Message-----\n", b"Sent: x\n", b"```\n", b"________________\n", b"<div>",
    b"<blockquote>", b"</blockquote>", b"<!--", b"<a href=", b"&#0;", b"&#xd800;", b"Final-Recipient: rfc822; ",
    b"Status: 5.1.1\n", b"\x78\x9f\x3e\x22", b"PK\x03\x04", b"-----BEGIN PGP MESSAGE-----\n", b"9" * 40,
    b"99999-99-99", b"; a", b"-", b"\r\nFrom: <>\r\nSubject: failure notice\r\n", b"Fri, 99 Foo 99999 99:99:99 +9999",
)  # fmt: skip


def flip(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    for _ in range(random_.randint(1, 8)):
        data[random_.randrange(len(data))] = random_.randrange(256)


def insert_token(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    position = random_.randrange(len(data))
    data[position:position] = random_.choice(TOKENS) * random_.choice(_TIMES)


def overwrite(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    token = random_.choice(TOKENS)
    position = random_.randrange(len(data))
    data[position : position + len(token)] = token


def cut(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    position = random_.randrange(len(data))
    del data[position : position + random_.choice((1, 2, 10, 100, 1000, 10**6))]


def repeat(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    position = random_.randrange(len(data))
    piece = data[position : position + random_.choice((1, 4, 20, 80, 400))]
    data[position:position] = piece * random_.choice((1, 2, 10, 300))


def splice(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    other = random_.choice(pool)
    data[random_.randrange(len(data)) :] = other[random_.randrange(len(other) + 1) :]


def move_line(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    lines = data.split(b"\n")
    lines.insert(random_.randrange(len(lines)), lines.pop(random_.randrange(len(lines))))
    data[:] = b"\n".join(lines)


def wrap(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    """The message as a part of another: the levels below the first are where parsers differ."""
    data[:] = b'From: a@example.org\nContent-Type: multipart/mixed; boundary="w"\n\n--w\n' + data + b"\n--w--\n"


def line_breaks(random_: random.Random, data: bytearray, pool: list[bytes]) -> None:
    data[:] = data.replace(b"\r\n", b"\n").replace(b"\n", random_.choice((b"\n", b"\r\n", b"\r", b"\n\n")))


MUTATIONS = (flip, insert_token, insert_token, overwrite, overwrite, cut, repeat, splice, move_line, wrap, line_breaks)


def mutated(random_: random.Random, pool: list[bytes]) -> bytes:
    """One of the pool after one to six changes, cut to what a seed may be at most."""
    data = bytearray(random_.choice(pool))
    for _ in range(random_.randint(1, 6)):
        random_.choice(MUTATIONS)(random_, data or bytearray(b"\n"), pool)
        del data[2 * LARGEST :]
    return bytes(data)


class Hang(BaseException):
    """Not an Exception, so that no last resort of the reader's can catch it."""


@dataclass
class Tally:
    """What one run saw."""

    cases: int = 0
    bytes: int = 0
    slowest: float = 0.0  # seconds of CPU
    findings: list[str] = field(default_factory=list)
    before: int = 0  # peak resident bytes before the first case

    def grown(self) -> int:
        return peak() - self.before

    def __str__(self) -> str:
        return (
            f"{self.cases:,} cases, {self.bytes / 2**20:,.0f} MiB, {len(self.findings)} findings, slowest "
            f"{self.slowest * 1000:.0f} ms of CPU, peak {peak() / 2**20:.0f} MiB ({self.grown() / 2**20:+.0f})"
        )


def peak() -> int:
    """The most resident memory so far, in bytes (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def run(
    target: Callable[[bytes], None],
    pool: list[bytes],
    seed: int,
    *,
    seconds: float,
    cases: int,
    found: Callable[[bytes, str], None],
) -> Tally:
    """Feeds the target until the time or the cases are used up; `found` gets each case that broke something, and why."""
    random_ = random.Random(seed)
    for case in pool[:50]:  # what is imported and cached at the first use is not growth
        watched(target, case)
    tally = Tally(before=peak())
    end = time.monotonic() + seconds
    report = time.monotonic() + _REPORTED_EVERY
    while tally.cases < cases and (now := time.monotonic()) < end:
        case = mutated(random_, pool)
        problem, spent = watched(target, case)
        tally.cases += 1
        tally.bytes += len(case)
        tally.slowest = max(tally.slowest, spent)
        if problem:
            tally.findings.append(problem)
            found(case, problem)
        if now > report:
            print(tally, flush=True)
            report = now + _REPORTED_EVERY
    return tally


def watched(target: Callable[[bytes], None], case: bytes) -> tuple[str, float]:
    """What was wrong ("" for nothing), and the seconds of CPU that it took."""
    signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG)
    start = time.process_time()
    try:
        target(case)
        problem = ""
    except (Exception, Hang) as error:
        problem = f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    spent = time.process_time() - start
    return problem or (f"slow: {spent:.1f} s" if spent > SLOW else ""), spent


def _end(signal_: int, frame: FrameType | None) -> None:
    raise Hang(f"after {HANG} s")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, nargs="?")
    arguments.add_argument("--target", choices=TARGETS, default="message")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--cases", type=int, default=10**12)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--findings", type=Path)
    options = arguments.parse_args()

    def found(case: bytes, problem: str) -> None:
        name = hashlib.sha256(case).hexdigest()[:16]
        print(f"{name} {problem}", flush=True)
        if options.findings:
            options.findings.mkdir(parents=True, exist_ok=True)
            (options.findings / name).write_bytes(case)

    pool = read_seeds(options.folder)
    tally = run(TARGETS[options.target], pool, options.seed, seconds=options.seconds, cases=options.cases, found=found)
    print(f"{options.target}, seed {options.seed}, {len(pool)} messages to start from: {tally}")
    return 1 if tally.findings or tally.grown() > MEMORY else 0


if __name__ == "__main__":
    raise SystemExit(main())
