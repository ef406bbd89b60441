"""Fuzzes a target along the branches that its cases reach, by atheris, which is no part of the requirements.

    pip install atheris
    python -m tests.fuzz.guided [--target message|reply|command|member|request] [--start DIR] [libFuzzer's options, as -runs=100000]

libFuzzer stops at the first case that breaks something, keeps it as crash-* or slow-unit-*, and prints its counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["triaged.message", "triaged.cli.message"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.mutate import SLOW, TOKENS, watched
from tests.fuzz.seeds import read_seeds

_LARGEST = 20_000  # bytes of a case: libFuzzer learns most from short ones


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--target", choices=TARGETS, default="message")
    arguments.add_argument("--start", type=Path)
    options, others = arguments.parse_known_args()
    target = TARGETS[options.target]

    def one(case: bytes) -> None:
        problem, _ = watched(target, case)
        # Under instrumentation everything takes several times as long: libFuzzer's own -timeout looks for hangs here.
        if problem and not problem.startswith("slow"):
            raise RuntimeError(problem)

    with tempfile.TemporaryDirectory() as folder:
        start, words = Path(folder) / "start", Path(folder) / "words"
        start.mkdir()
        for number, seed in enumerate(read_seeds(options.start)):
            (start / str(number)).write_bytes(seed[:_LARGEST])
        words.write_text("".join(f'"{_quoted(token)}"\n' for token in TOKENS))
        given = [f"-dict={words}", f"-max_len={_LARGEST}", f"-timeout={int(10 * SLOW)}", "-rss_limit_mb=512"]
        atheris.Setup([sys.argv[0], *given, *others, str(start)], one)
        atheris.Fuzz()


def _quoted(token: bytes) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(f"\\x{octet:02x}" for octet in token)


if __name__ == "__main__":
    main()
