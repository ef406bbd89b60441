"""Nobody's report vanishes from the team's eyes: by chance, by a forger, or by what it looks like."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.attack.world import TEAM, mail, world

IN_REPLY = "In-Reply-To: <{}>"


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


@pytest.mark.parametrize(
    ("author", "subject", "text"),
    [
        (
            "Postmaster <postmaster@small.example>",
            "Your server relays mail",
            "message was rejected for others, see the steps",
        ),
        ("SMTP Research <noa@example.org>", "Accounts leak", "The answer says whether the user does not exist."),
    ],
)
def test_a_report_that_only_reads_like_a_delivery_report_is_told_to_the_team(
    tmp_path: Path, author: str, subject: str, text: str
) -> None:
    """P3; it may still be a bounce of our own mail to the team, so it is told in the daily digest (AT-8)."""
    with world(tmp_path) as w:
        assert w.receive(mail(author, subject=subject, text=text)) == []
        assert [r.outcome for r in w.receipts()] == ["ticket"]
        assert [x.to_address for x in w.tick()] == [TEAM]


def test_a_postmasters_second_mail_reaches_the_team(tmp_path: Path) -> None:
    who = "postmaster@small.example"
    with world(tmp_path) as w:
        w.receive(mail(who, text="The answer says that the user does not exist.", message_id="<first@small.example>"))
        told = w.receive(
            mail(
                who, text="For others as well: message was rejected.", fields=(IN_REPLY.format("first@small.example"),)
            )
        )
        assert [(x.template, x.to_address) for x in told] == [("relay", TEAM)]


def test_the_same_words_under_another_subject_are_another_report(tmp_path: Path) -> None:
    words = "Hello team, please see the details at my page. Regards, Noa"
    with world(tmp_path) as w:
        told = [
            w.receive(mail(proven=True, subject=s, text=words))
            for s in ("XSS in login", "SQL injection", "Re: xss in Login")
        ]
        assert [[x.template for x in letters] for letters in told] == [["acknowledgement", "relay"]] * 2 + [[]]


def test_what_waited_while_nobody_read_it_is_no_flood(tmp_path: Path) -> None:
    """AR-11 counts when mail came, not when it was read after a night's outage."""
    with world(tmp_path) as w:
        w.receive(mail(proven=True, message_id="<report@example.org>"))
        before = len(w.letters())
        for number in range(9):
            more = mail(
                proven=True, text=f"More about it, number {number}", fields=(IN_REPLY.format("report@example.org"),)
            )
            w.deliver(more, received=w.now[0] + timedelta(minutes=30 * number))
        w.later(hours=8)
        w.settle()
        assert len(w.letters()) - before == 9


def test_a_forger_who_floods_a_thread_does_not_silence_the_proven_researcher(tmp_path: Path) -> None:
    answers = (IN_REPLY.format("report@example.org"),)
    with world(tmp_path) as w:
        w.receive(mail(proven=True, message_id="<report@example.org>"))
        flood = [len(w.receive(mail(text=f"forged words number {n}", fields=answers))) for n in range(9)]
        assert sum(flood) == 6  # the last of them says that the rest is kept, and not mailed
        told = w.receive(mail(proven=True, text="It is exploited now.", fields=answers))
        assert [(x.template, x.to_address) for x in told] == [("relay", TEAM)]


def test_forged_reports_do_not_use_up_the_acknowledgements_of_the_proven(tmp_path: Path) -> None:
    limits = "acknowledgements_unproven_per_address_per_day = 20"
    with world(tmp_path, limits=limits) as w:
        for number in range(12):
            w.receive(mail(text=f"forged report number {number} in words of its own"))
        told = w.receive(mail(proven=True, text="A real report in words of its own, for once"))
        assert [x.template for x in told] == ["acknowledgement", "relay"]


def test_a_digest_dated_into_the_future_does_not_silence_the_next_ones(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.later(days=365)
        for number in range(2):
            w.receive(mail(text=f"report number {number} with enough words of its own"))
        assert len(w.tick()) == 1
        w.later(days=-365)
        for number in range(2, 4):
            w.receive(mail(text=f"report number {number} with enough words of its own"))
        assert [x.template for x in w.tick()] == ["caps"]
