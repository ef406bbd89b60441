"""Tenants never see each other, naive instants and NULs never reach SQL, poison ends as a ticket (laws 1, 7, 9; IM-14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import StatementError

from tests.ticket.scene import AT, DESK, KEY, POLICY, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon import intake as taking
from triaged.daemon.intake import take_in
from triaged.ticket.address import Role, keyed_address
from triaged.tracker import installation, receipts
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import cursor, event, letter, message, receipt, ticket

OTHER = replace(
    DESK,
    tenant="other",
    mailbox="abuse",
    address="abuse@other.test",
    own=frozenset({"abuse@other.test", "team@other.test"}),
    mailboxes=frozenset({"abuse@other.test"}),
    notify=("team@other.test",),
    members={},
)


@pytest.fixture
def two(engine: Engine) -> Tracked:
    return open_tracker(engine, DESK, OTHER)


def test_the_same_content_and_id_in_two_tenants_are_two_tickets(two: Tracked) -> None:
    """Law 7: neither a copy nor a thread of the other's."""
    raw = mail(proven=True, message_id="<same@example.org>")
    two.receive(raw)
    two.receive(raw, mailbox="abuse")
    assert two.outcomes() == ["ticket", "ticket"]
    assert [row.tenant for row in two.rows(ticket)] == ["default", "other"]
    assert len(two.letters("acknowledgement")) == 2, "one tenant's cap is not the other's"


def test_a_reply_to_one_tenants_letter_is_a_new_report_for_the_other(two: Tracked) -> None:
    two.receive(mail(proven=True, message_id="<first@example.org>"))
    ours = two.letters("acknowledgement")[0].message_id
    for named in (ours, "<first@example.org>"):
        two.receive(mail(fields=(f"In-Reply-To: {named}",), text=f"an answer that names {named} here"), mailbox="abuse")
    assert two.outcomes() == ["ticket", "ticket", "ticket"]
    assert all(row.kind != "suggested" for row in two.rows(event)), "and the other's ticket is not even hinted at"


def test_a_key_of_one_tenants_ticket_opens_nothing_in_the_other(two: Tracked) -> None:
    two.receive(mail(proven=True))
    token = two.rows(ticket)[0].token
    key = keyed_address("abuse@other.test", token, Role.RESEARCHER, KEY)
    two.receive(mail(to=key, text="words to the other tenant, by a key of ours"), mailbox="abuse")
    assert [row.tenant for row in two.rows(ticket)] == ["default", "other"]


def test_an_id_that_the_other_tenant_knew_first_still_threads(two: Tracked) -> None:
    two.receive(mail("ada@example.org", text="to the one tenant, under an id of its own", message_id="<x@y>"))
    two.receive(
        mail("bob@example.org", text="to the other one, and the id is the same", message_id="<x@y>"), mailbox="abuse"
    )
    answer = mail("bob@example.org", text="and one thing more about my report", fields=("In-Reply-To: <x@y>",))
    two.receive(answer, mailbox="abuse")
    assert two.outcomes() == ["ticket", "ticket", "appended"]


def test_the_same_words_to_two_tenants_are_two_reports(two: Tracked) -> None:
    words = "the very same words to both of the tenants"
    two.receive(mail(proven=True, text=words))
    two.receive(mail(proven=True, text=words), mailbox="abuse")
    assert two.outcomes() == ["ticket", "ticket"]


def test_no_letter_crosses_from_one_team_to_the_other(two: Tracked) -> None:
    two.receive(mail(proven=True), mailbox="abuse")
    assert {row.to_address for row in two.letters("relay")} == {"team@other.test"}
    assert {row.mailbox for row in two.letters()} == {"abuse"}


@pytest.mark.parametrize("table", [cursor, receipt])
def test_a_naive_instant_is_refused(tracked: Tracked, table) -> None:  # type: ignore[no-untyped-def]
    """Law 9."""
    tracked.receive(mail())
    column = "history_before" if table is cursor else "taken_at"
    with pytest.raises(StatementError, match="naive"), writing(tracked.engine) as connection:
        connection.execute(table.update().values({column: datetime(2026, 11, 20)}))  # noqa: DTZ001


def test_an_instant_comes_back_as_it_went_in_whatever_its_zone(tracked: Tracked) -> None:
    from zoneinfo import ZoneInfo

    given = datetime(2026, 11, 20, 11, 12, 13, 456789, tzinfo=ZoneInfo("Asia/Jerusalem"))
    tracked.receive(mail())
    with writing(tracked.engine) as connection:
        connection.execute(receipt.update().values(taken_at=given))
    found = tracked.rows(receipt)[0].taken_at
    assert found == given and found.utcoffset() == timedelta(0)


NASTY = {
    "NULs": b"From: a\0b <noa@example.org>\r\nSubject: a\0b\r\nMessage-ID: <a\0b@c>\r\n\r\nfive words and \0 some more",
    "surrogates": b"From: noa@example.org\r\nSubject: =?utf-8?b?7aCA?= \xed\xa0\x80\r\n\r\n\xed\xa0\x80 five words and some more",
    "utf-16 halves": b'From: noa@example.org\r\nContent-Type: text/plain; charset="utf-16"\r\n\r\n\x00\xd8\x00\xd8 words',
    "file name": b'From: noa@example.org\r\nContent-Type: application/x; name="a\0\xed\xa0\x80b"\r\n'
    b"Content-Disposition: attachment; filename*=utf-8''a%00b%ED%A0%80\r\n\r\nx",
    "nothing": b"",
    "no header": b"\r\n\r\n",
    "only NULs": b"\0" * 5000,
    "garbage": bytes(range(256)) * 40,
    "long address": b"From: "
    + b"a" * 64
    + b"@"
    + b".".join([b"b" * 60] * 4)
    + b"\r\n\r\nfive words and some more of them",
    "long subject": b"From: noa@example.org\r\nSubject: " + b"s" * 15000 + b"\r\n\r\nfive words and some more of them",
    "long media type": b"From: noa@example.org\r\nContent-Type: application/" + b"x" * 900 + b"\r\n\r\nfive words",
    "long encoding": b"From: noa@example.org\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: "
    + b"y" * 900
    + b"\r\n\r\nz",
    "year 9999": b"From: noa@example.org\r\nDate: Fri, 31 Dec 9999 23:59:59 -2359\r\n\r\nfive words and some more",
    "a bounce's NULs": b"From: mailer-daemon@x\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a\0b\r\n"
    b"Action: failed\r\nStatus: 5.\0\r\nDiagnostic-Code: smtp; \0\xed\xa0\x80\r\n\r\n--b--\r\n",
}


@pytest.mark.parametrize("what", NASTY)
def test_no_bytes_at_all_are_set_aside_or_lost(tracked: Tracked, what: str) -> None:
    """P3, AT-18: NULs and lone surrogates never reach SQL; whatever comes is settled at its first reading."""
    tracked.receive(NASTY[what])
    assert tracked.outcomes()[0] in ("ticket", "filed")
    assert tracked.rows(receipt)[0].attempts == 1
    assert tracked.findings() == []
    for table in (ticket, message, event, letter):
        for row in tracked.rows(table):
            assert not any("\0" in value for value in row if isinstance(value, str))


def test_a_reading_is_counted_before_it_starts_and_crashes_end_as_a_ticket(tracked: Tracked) -> None:
    """Law 1: poison that kills the process can't loop."""
    tracked.deliver(mail(proven=True))
    with writing(tracked.engine) as connection:
        assert receipts.claim_fresh(connection, tracked.owner, AT, 50, ["security"])[0].attempts == 1
    for crash in range(2, taking.CRASHES + 1):
        with writing(tracked.engine) as connection:
            receipts.release(connection, tracked.owner)
            assert receipts.claim_fresh(connection, tracked.owner, AT, 50, ["security"]) == []
            assert receipts.claim_failed(connection, tracked.owner, AT, ["security"])[0].attempts == crash
    with writing(tracked.engine) as connection:
        receipts.release(connection, tracked.owner)
    tracked.take_in()
    (aside,) = tracked.rows(receipt)
    assert aside.outcome == "set_aside" and "died" in aside.reason
    assert len(tracked.refs()) == 1 and [row.to_address for row in tracked.letters()] == list(DESK.notify)
    assert tracked.findings() == []


def test_a_reading_that_lapsed_is_free_for_another_process(tracked: Tracked) -> None:
    tracked.deliver(mail(proven=True))
    with writing(tracked.engine) as connection:
        assert len(receipts.claim_fresh(connection, tracked.owner, AT, 50, ["security"])) == 1
    other = tracked.another("elsewhere:1:b")
    assert take_in(other.intake()) == 0
    other.at += receipts.CLAIM + timedelta(seconds=1)
    assert take_in(other.intake()) == 1
    assert tracked.outcomes() == ["ticket"]


def test_two_processes_take_in_side_by_side_without_sharing_a_receipt(postgres_engine: Engine) -> None:
    import threading

    tracked = open_tracker(postgres_engine)
    tracked.deliver(*[mail(f"r{n}@example.org", text=f"report number {n} of these reports") for n in range(40)])
    errors: list[Exception] = []

    def work(owner: str) -> None:
        try:
            replace(tracked.another(owner), most=5).take_in()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"here:{n}:x",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert tracked.outcomes() == ["ticket"] * 40 and len(tracked.refs()) == 40
    assert tracked.findings() == []


def test_two_identical_messages_that_cannot_be_read_are_one_ticket_and_its_copy(tracked_sqlite: Tracked) -> None:
    """IM-14, law 1."""
    tracked = tracked_sqlite
    raw = mail(proven=True)
    tracked.deliver(raw, raw)
    with writing(tracked.engine) as connection:
        connection.execute(receipt.update().values(attempts=taking.CRASHES))
    tracked.take_in()
    assert tracked.outcomes() == ["set_aside", "copy"]
    assert len(tracked.refs()) == 1 and tracked.findings() == []


def test_one_policy_file_under_two_names_is_no_change(tracked_sqlite: Tracked) -> None:
    """Two mailboxes with a copy each of one file."""
    with writing(tracked_sqlite.engine) as connection:
        installation.know_policy(connection, replace(POLICY, name="a-copy"), AT)


def test_one_version_with_two_texts_is_refused_with_the_mend(tracked: Tracked) -> None:
    changed = replace(POLICY, sha256="0" * 64, source="changed")
    with pytest.raises(installation.PolicyChangedError, match="new version"), writing(tracked.engine) as connection:
        installation.know_policy(connection, changed, AT)
    with writing(tracked.engine) as connection:
        installation.know_policy(connection, replace(changed, version="2"), AT)


def test_the_address_key_is_made_once(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        first = installation.address_key(connection, AT, tracked.entropy)
        assert installation.address_key(connection, AT, tracked.entropy) == first and len(first) == 32
    with reading(tracked.engine) as connection:
        assert len(connection.execute(select(installation.installation)).all()) == 1
