"""Receipt first, one consequence a message, one bad message alone (laws 1, 2 and 7), on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, func, select

from tests.ticket.scene import AT, DESK, mail
from tests.tracker.tracked import Tracked
from triaged.daemon.intake import take_in
from triaged.mail.ports import Fetched
from triaged.tracker import receipts
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import cursor, metadata, receipt


class PowerCut(BaseException):
    """The process ends here."""


@contextmanager
def cut_at(engine: Engine, number: int) -> Iterator[dict[str, int]]:
    """Raise at the `number`th statement that changes rows; count them."""
    seen = {"statements": 0}

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            seen["statements"] += 1
            if seen["statements"] == number:
                raise PowerCut

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)


def everything(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {
            t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in metadata.sorted_tables
        }


def three_messages() -> tuple[bytes, ...]:
    return (
        mail("a@example.org", proven=True, text="one report with enough words in it"),
        mail("b@example.org", text="another report with enough words in it"),
        mail("c@example.org", fields=("Auto-Submitted: auto-replied",), text="a third one, by a machine of theirs"),
    )


def test_a_cut_anywhere_while_storing_leaves_all_receipts_and_the_cursor_or_none(tracked: Tracked) -> None:
    """Law 1: receipts and the cursor commit together."""
    batch = [Fetched(n, AT, len(raw), raw, False, False) for n, raw in enumerate(three_messages(), start=1)]
    folders = tracked.folders()
    folders.open("INBOX", 1)
    number, cuts = 1, 0
    while True:
        before = everything(tracked.engine)
        with cut_at(tracked.engine, number):
            try:
                folders.keep("INBOX", 1, batch, 3)
                break
            except PowerCut:
                cuts += 1
        assert everything(tracked.engine) == before
        assert [row.last_uid for row in tracked.rows(cursor)] == [0]
        number += 1
    assert cuts >= 3, "blobs, receipts and cursor are statements of their own"
    assert [row.last_uid for row in tracked.rows(cursor)] == [3] and len(tracked.rows(receipt)) == 3


def test_a_cut_anywhere_while_deciding_leaves_nothing_or_everything(tracked: Tracked) -> None:
    """Law 2: for every statement of a wave's transaction."""
    tracked.deliver(*three_messages())
    number, cuts = 1, 0
    while True:
        before = everything(tracked.engine)
        with cut_at(tracked.engine, number):
            try:
                while take_in(tracked.intake()):
                    pass
                break
            except PowerCut:
                cuts += 1
        if "waiting" not in tracked.outcomes():
            break  # it was the claim after the last message that was cut
        assert everything(tracked.engine) == before, f"statement {number}"
        assert tracked.broken() == []
        with writing(tracked.engine) as connection:  # as the next start of the process does
            receipts.forget_attempts(connection, tracked.owner)
        number += 1
    assert cuts >= 12
    assert tracked.outcomes() == ["ticket"] * 3 and len(tracked.letters("acknowledgement")) == 2
    assert tracked.findings() == []


def test_a_cut_anywhere_while_recording_leaves_a_letter_unsettled_or_settled(tracked: Tracked) -> None:
    """Law 2: acceptance, the met promise and its events."""
    tracked.receive(mail(proven=True))
    parcels = tracked.claim()
    number = 1
    while True:
        before = everything(tracked.engine)
        with cut_at(tracked.engine, number):
            try:
                tracked.record(parcels)
                break
            except PowerCut:
                number += 1
        assert everything(tracked.engine) == before
        assert {row.state for row in tracked.letters()} == {"sending"}
    assert number >= 3 and {row.state for row in tracked.letters()} == {"accepted"}
    assert tracked.findings() == []


def test_the_same_uid_is_one_receipt_however_often_it_is_fetched(tracked: Tracked) -> None:
    """Law 1: once per (mailbox, folder, UIDVALIDITY, UID)."""
    folders, raw = tracked.folders(), mail()
    folders.open("INBOX", 1)
    for _ in range(3):
        folders.keep("INBOX", 1, [Fetched(7, AT, len(raw), raw, False, False)], 7)
        tracked.take_in()
    assert tracked.outcomes() == ["ticket"] and len(tracked.letters("acknowledgement")) == 1


def test_the_cursor_never_goes_back(tracked: Tracked) -> None:
    """IM-2."""
    folders = tracked.folders()
    folders.open("INBOX", 1)
    folders.keep("INBOX", 1, [], 9)
    folders.keep("INBOX", 1, [], 4)
    assert folders.open("INBOX", 1).last_uid == 9


def test_a_new_uidvalidity_reads_again_and_sends_nothing(tracked: Tracked) -> None:
    """IM-3: the same mails, other UIDs, another Return-Path and Received: copies."""
    raws = three_messages()
    tracked.receive(*raws)
    letters = len(tracked.letters())
    folders = tracked.folders()
    position = folders.open("INBOX", 2)
    assert (position.last_uid, position.history_before) == (0, AT - timedelta(days=7))
    again = [b"Return-Path: <x@y>\r\nReceived: from z by w; Fri, 20 Nov 2026 09:12:00 +0000\r\n" + raw for raw in raws]
    folders.keep("INBOX", 2, [Fetched(n, AT, len(r), r, False, False) for n, r in enumerate(again, start=1)], 3)
    tracked.take_in()
    assert tracked.outcomes() == ["ticket"] * 3 + ["copy"] * 3 and len(tracked.letters()) == letters
    assert tracked.findings() == []


def test_a_message_id_alone_makes_no_copy(tracked: Tracked) -> None:
    """Law 1, ML-6: two messages of one id are two reports."""
    one = mail("a@example.org", message_id="<same@id>", text="the first of the two reports")
    two = mail("b@example.org", message_id="<same@id>", text="the second one, of somebody else")
    tracked.receive(one, two)
    assert tracked.outcomes() == ["ticket", "ticket"] and len(tracked.refs()) == 2


def test_history_is_recorded_and_starts_nothing(tracked: Tracked) -> None:
    folders = tracked.folders()
    folders.open("INBOX", 1)
    folders.keep("INBOX", 1, [Fetched(1, AT - timedelta(days=3650), 1000, None, False, False)], 1)
    tracked.take_in()
    assert tracked.outcomes() == ["history"] and everything(tracked.engine)["ticket"] == 0
    assert tracked.findings() == []


def hundred_with_one_bad(bad: bytes) -> list[bytes]:
    good = [mail(f"r{n}@example.org", text=f"report number {n} of one hundred") for n in range(99)]
    return [*good[:42], bad, *good[42:]]


def test_one_bad_message_in_a_hundred_takes_only_itself_down(tracked_sqlite: Tracked) -> None:
    """IM-14, P3: whatever raises in deciding, here the desk itself, for one author."""
    tracked = tracked_sqlite
    tracked.desks = {"security": replace(DESK, own=Trap("r-bad@example.org"))}
    tracked.receive(*hundred_with_one_bad(mail("r-bad@example.org", text="the one that can't be decided")))
    assert tracked.outcomes() == ["ticket"] * 42 + ["set_aside"] + ["ticket"] * 57
    aside = tracked.rows(receipt, outcome="set_aside")[0]
    assert aside.attempts == 2 and "2 attempts" in aside.reason and aside.blob_id is not None
    assert aside.claimed_by is None


class Trap(frozenset[str]):
    """Addresses of ours, of which asking for one raises."""

    def __new__(cls, address: str) -> Trap:
        trap = super().__new__(cls, DESK.own)
        trap.address = address
        return trap

    address: str

    def __contains__(self, address: object) -> bool:
        if address == self.address:
            raise RuntimeError("a planted fault")
        return super().__contains__(address)
