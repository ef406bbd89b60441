"""The benchmark from its options to its table. `make bench ARGS="--help"` lists the options."""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import contest, mails, stages, waiting
from tests.bench.contest import Lap
from tests.servers.dovecot import Dovecot, dovecot
from tests.servers.postgres import postgres
from tests.servers.process import workdir
from tests.servers.sink import SinkProcess, sink_process

MEBI = 1024 * 1024
RATIO = 0.25  # of the bare loop, at least
RESIDENT = 130 * MEBI  # and three times the largest mail where one is above MEBI


@dataclass(frozen=True, slots=True)
class Round:
    """Both programs over the same mails."""

    triaged: Lap
    bare: Lap

    @property
    def ratio(self) -> float:
        return self.bare.seconds / self.triaged.seconds


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Reports taken in per second, beside a bare loop.")
    parser.add_argument("--count", type=int, default=1000, help="mails that wait in the mailbox")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the medians count")
    parser.add_argument("--seed", type=int, default=1)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--plain", action="store_true", help="reports of 3 KB in plain text only")
    kinds.add_argument("--large", action="store_true", help="every fiftieth mail is 1 MiB")
    parser.add_argument("--postgres", action="store_true", help="the tracker on PostgreSQL, for both programs")
    parser.add_argument("--stages", action="store_true", help="each stage by itself as well")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="with --stages: where each stage spends its time")
    parser.add_argument("--waiting", type=int, default=0, metavar="N", help="N single mails by IDLE, then 30 s idle")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run, print, and say whether the gates hold: the ratio and the memory; the rate is told and not judged."""
    chosen = options(words)
    written = mails.plain(chosen.count, chosen.seed) if chosen.plain else mails.mix(
        chosen.count, chosen.seed, large=chosen.large
    )  # fmt: skip
    with dovecot() as server, sink_process() as sink, workdir("bench") as directory:
        rounds = [one_round(server, sink, directory, written, number, chosen) for number in range(chosen.rounds)]
        print(report(rounds, written))
        if chosen.stages or chosen.profile:
            print(by_stage(server, sink, directory, written, chosen))
        print(
            f"start-up: {min(r.triaged.starting for r in rounds):.2f} s to ready, --help {contest.start_up(['--help']):.2f} s"
        )
        if chosen.waiting:
            print(waited(waiting.wait(server, directory, "waiting@example.test", chosen.waiting, 30)))
    return judge(rounds, written)


def one_round(
    server: Dovecot,
    sink: SinkProcess,
    directory: Path,
    written: Sequence[mails.Mail],
    number: int,
    chosen: argparse.Namespace,
) -> Round:
    """Who goes first changes from round to round."""
    expected = sum(mail.letters for mail in written)
    order = ("triaged", "bare") if number % 2 == 0 else ("bare", "triaged")
    laps: dict[str, Lap] = {}
    for who in order:
        user = f"{who}{number}@example.test"
        contest.wait_in_inbox(server, user, written)
        with database(directory, f"{who}{number}", chosen.postgres) as url:
            if who == "bare":
                laps[who] = contest.bare_lap(server, user, url, sink, expected, directory / "bare.log")
            else:
                file = contest.configure(directory, url, user, server.imap_port, sink.port)
                laps[who] = contest.triaged_lap(file, directory / "triaged.log", sink, expected)
        contest.forget(server, user)
        assert laps[who].letters == expected, f"{who} sent {laps[who].letters} letters, not {expected}"
    return Round(laps["triaged"], laps["bare"])


@contextlib.contextmanager
def database(directory: Path, name: str, on_postgres: bool) -> Iterator[str]:
    """An empty database. SQLite writes to the disk at each commit; the tests' PostgreSQL does not, for either program."""
    if not on_postgres:
        yield f"sqlite:///{directory}/{name}.db"
        return
    with postgres() as cluster, cluster.database() as url:
        yield url


def report(rounds: Sequence[Round], written: Sequence[mails.Mail]) -> str:
    size = sum(len(mail.raw) for mail in written) / len(written) / 1000
    letters = sum(mail.letters for mail in written)
    lines = [
        f"{len(written)} mails of {size:.1f} KB on average, {letters} letters, {len(rounds)} round(s), medians",
        "",
    ]
    lines += ["| | mails a second | CPU a mail | peak resident |", "| --- | ---: | ---: | ---: |"]
    lines += [row(who, [getattr(r, who) for r in rounds], len(written)) for who in ("triaged", "bare")]
    ratio = statistics.median(r.ratio for r in rounds)
    return "\n".join([*lines, "", f"ratio {ratio:.2f} ({', '.join(f'{r.ratio:.2f}' for r in rounds)})"])


def row(who: str, laps: Sequence[Lap], count: int) -> str:
    rate = statistics.median(lap.rate(count) for lap in laps)
    cpu = statistics.median(lap.usage.cpu for lap in laps) * 1000 / count
    peak = statistics.median(lap.usage.peak for lap in laps) / MEBI
    return f"| {who} | {rate:.0f} | {cpu:.2f} ms | {peak:.0f} MiB |"


def by_stage(
    server: Dovecot, sink: SinkProcess, directory: Path, written: Sequence[mails.Mail], chosen: argparse.Namespace
) -> str:
    user = "stages@example.test"
    contest.wait_in_inbox(server, user, written)
    with database(directory, "stages", chosen.postgres) as url:
        file = contest.configure(directory, url, user, server.imap_port, sink.port)
        found = stages.stages(file, len(written), chosen.profile)
    lines = ["", "| stage, by itself | CPU a mail | by the clock |", "| --- | ---: | ---: |"]
    return "\n".join([*lines, *(f"| {s.name} | {s.cpu:.2f} ms | {s.wall:.2f} ms |" for s in found), ""])


def waited(found: waiting.Waited) -> str:
    return (
        f"delivery to acknowledgement by IDLE over {len(found.seconds)} mails: median {found.at(0.5):.2f} s, "
        f"99th percentile {found.at(0.99):.2f} s, most {found.seconds[-1]:.2f} s; "
        f"idle: {found.idle * 100:.2f} % of a CPU, {found.resident / MEBI:.0f} MiB"
    )


def judge(rounds: Sequence[Round], written: Sequence[mails.Mail]) -> int:
    """0 when the ratio and the memory are within their gates."""
    largest = max(len(mail.raw) for mail in written)
    allowed = RESIDENT + (3 * largest if largest > MEBI else 0)
    ratio = statistics.median(r.ratio for r in rounds)
    peak = max(r.triaged.usage.peak for r in rounds)
    if ratio < RATIO:
        print(f"too slow: {ratio:.2f} of the bare loop, {RATIO} is the least")
    if peak > allowed:
        print(f"too large: {peak / MEBI:.0f} MiB resident, {allowed / MEBI:.0f} MiB are allowed")
    return int(ratio < RATIO or peak > allowed)
