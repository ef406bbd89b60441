"""The benchmark works: both programs take in the same few mails and send the same letters. No speed is asserted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import audited, contest, mails
from tests.bench.run import Round, judge, report
from tests.servers.dovecot import Dovecot
from tests.servers.sink import SinkProcess, sink_process

COUNT = 50


@pytest.fixture
def counting() -> Iterator[SinkProcess]:
    with sink_process() as server:
        yield server


def test_the_same_seed_writes_the_same_mails() -> None:
    assert mails.mix(40, 3) == mails.mix(40, 3)
    assert mails.mix(40, 3) != mails.mix(40, 4)


def test_mails_are_of_the_sizes_that_are_promised() -> None:
    sizes = [len(mail.raw) for mail in mails.mix(300, 3)]
    assert min(sizes) > 800 and max(sizes) < 80_000
    assert all(3_000 <= len(mail.raw) <= 4_000 for mail in mails.plain(20, 3))
    assert max(len(mail.raw) for mail in mails.mix(30, 3, large=True)) > mails.LARGE_BYTES


def test_both_programs_take_in_all_and_send_every_letter_once(
    dovecot: Dovecot, counting: SinkProcess, tmp_path: Path, fresh_address: str
) -> None:
    written = mails.mix(COUNT, 5)
    expected = sum(mail.letters for mail in written)
    ours, theirs = fresh_address, "bare-" + fresh_address
    for user in (ours, theirs):
        contest.wait_in_inbox(dovecot, user, written)
    file = contest.configure(tmp_path, f"sqlite:///{tmp_path}/triaged.db", ours, dovecot.imap_port, counting.port)
    triaged = contest.triaged_lap(file, tmp_path / "triaged.log", counting, expected)
    bare = contest.bare_lap(dovecot, theirs, f"sqlite:///{tmp_path}/bare.db", counting, expected, tmp_path / "bare.log")
    assert triaged.letters == bare.letters == expected
    assert "ratio" in report([Round(triaged, bare)], written)
    assert judge([Round(triaged, bare)], written) in (0, 1)


def test_the_audit_of_chains_written_in_bulk_holds(tmp_path: Path) -> None:
    small, large = audited.measure(tmp_path, 2000, on_postgres=False)
    assert "all holds" in large.words and "2000 events" in large.words and "200 events" in small.words
