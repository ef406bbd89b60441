"""Nobody's report vanishes from the team's eyes: by chance, by a forger, or by what it looks like."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.attack.world import mail, world


def test_messages_that_the_server_gave_no_octets_of_are_not_copies_of_each_other(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.receive(b"", b"", b"Received: from x by y\r\n", b"Received: from z by y\r\n")
        assert [r.outcome for r in w.receipts()] == ["ticket"] * 4


def test_two_large_messages_with_the_same_beginning_are_two(tmp_path: Path) -> None:
    raw = mail()
    with world(tmp_path) as w:
        (mailbox,) = w.house.settings.mailboxes
        store = w.house.store(mailbox)
        store.open("INBOX", 1)
        from triaged.mail.ports import Fetched

        batch = [Fetched(n, w.now[0], 60_000_000 + n // 3, raw, True, False) for n in (1, 2, 3)]
        store.keep("INBOX", 1, batch, 3)
        w.settle()
        assert [r.outcome for r in w.receipts()] == ["ticket", "copy", "appended"]


def test_a_file_imported_under_the_same_name_with_other_mail_is_taken_in(tmp_path: Path) -> None:
    from triaged.daemon.clock import real
    from triaged.tracker.engine import writing
    from triaged.tracker.imported import keep_imported

    first, second = mail(), mail(subject="another", text="quite another report with words of its own")
    with world(tmp_path) as w:
        for raw in (first, second, first):
            with writing(w.house.engine) as connection:
                found = [("in.mbox#0", raw, len(raw), real() - timedelta(days=1))]
                keep_imported(connection, "default", "security", "import x", found, False, False, real())
        w.settle()
        assert [r.outcome for r in w.receipts()] == ["ticket", "ticket"]
