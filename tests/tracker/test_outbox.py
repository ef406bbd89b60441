"""Letters: claimed by one, sent as queued, counted when nobody knows (law 4, SM-1, SM-2, SM-4, SM-10, NT-1)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from tests.ticket.scene import DESK, MEMBER, RESEARCHER, TEAM, mail
from tests.tracker.tracked import Tracked
from triaged.ticket.events import EventKind
from triaged.tracker import failing, leases, outbox, receipts
from triaged.tracker.engine import writing
from triaged.tracker.schema import clock, event, letter


@pytest.fixture
def queued(tracked: Tracked) -> Tracked:
    """An acknowledgement and a relay wait."""
    tracked.receive(mail(proven=True))
    assert [row.state for row in tracked.letters()] == ["queued", "queued"]
    return tracked


def kinds(tracked: Tracked) -> list[str]:
    return [row.kind for row in tracked.rows(event)]


def test_an_attempt_is_on_record_before_anybody_dials(queued: Tracked) -> None:
    """SM-1."""
    parcels = queued.claim()
    assert [p.attempts for p in parcels] == [1, 1]
    assert {(row.state, row.attempts) for row in queued.letters()} == {("sending", 1)}
    assert queued.claim() == [], "nobody else gets them"


def test_two_workers_at_once_never_share_a_letter(engine: Engine, tracked: Tracked) -> None:
    """SKIP LOCKED on PostgreSQL, one writer on SQLite."""
    tracked.receive(*[mail(f"r{n}@example.org", text=f"report number {n} of these reports") for n in range(40)])
    got: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    gate = threading.Barrier(len(got))

    def work(owner: str) -> None:
        mine = tracked.another(owner)
        gate.wait()
        while parcels := mine.claim(most=3):
            got[owner] += [p.id for p in parcels]

    threads = [threading.Thread(target=work, args=(owner,)) for owner in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_ids = [number for mine in got.values() for number in mine]
    assert sorted(all_ids) == [row.id for row in tracked.letters()] and len(all_ids) == 80


def test_two_workers_hold_their_claims_side_by_side_on_postgresql(postgres_engine: Engine) -> None:
    """Neither waits for the other: what one has locked, the other skips."""
    from tests.tracker.tracked import open_tracker

    tracked = open_tracker(postgres_engine)
    tracked.receive(mail(proven=True))
    with writing(postgres_engine) as one, writing(postgres_engine) as other:
        first = outbox.claim(one, "a", tracked.at, 1, ["security"])
        second = outbox.claim(other, "b", tracked.at, 5, ["security"])
        assert len(first) == len(second) == 1 and first[0].id != second[0].id


def test_acceptance_keeps_the_promise_at_that_instant(queued: Tracked) -> None:
    """SM-10: met by the server's 250, not by queueing."""
    assert [row.met_at for row in queued.rows(clock, promise="acknowledge")] == [None]
    queued.later(seconds=2)
    queued.send_all()
    assert [row.met_at for row in queued.rows(clock, promise="acknowledge")] == [queued.at]
    assert [row.met_at for row in queued.rows(clock) if row.promise != "acknowledge"] == [None] * (
        len(DESK.policy.promises) - 1
    )
    assert kinds(queued)[-2:] == ["accepted", "met"] and queued.findings() == []


def test_what_a_dead_process_was_sending_goes_again_with_the_same_bytes_and_is_counted(queued: Tracked) -> None:
    """RFC 1047, law 4: the window in which a copy can go twice."""
    queued.owner = "here:999999999:dead"
    first = queued.claim()
    with writing(queued.engine) as connection:
        assert outbox.release(connection, queued.owner, queued.at) == 2
    assert {row.state for row in queued.letters()} == {"unknown"}
    other = queued.another("here:1:b")
    second = other.claim()
    assert [(p.id, p.data, p.recipient) for p in second] == [(p.id, p.data, p.recipient) for p in first]
    assert {(row.attempts, row.repeats) for row in queued.letters()} == {(2, 1)}
    other.record(second)
    assert {row.state for row in queued.letters()} == {"accepted"} and queued.findings() == []


def test_a_slow_process_that_was_taken_for_dead_still_settles_what_was_accepted(queued: Tracked) -> None:
    """Law 4: the server has it, and says so: it must not go once more."""
    parcels = queued.claim()
    with writing(queued.engine) as connection:
        outbox.release(connection, queued.owner, queued.at)
    queued.record(parcels)
    assert {row.state for row in queued.letters()} == {"accepted"}
    assert queued.claim() == []


def test_two_acceptances_of_one_letter_meet_its_promise_once(queued: Tracked) -> None:
    parcels = queued.claim()
    queued.record(parcels)
    queued.later(minutes=1)
    queued.record(parcels)
    assert kinds(queued).count("met") == 1
    assert {row.accepted_at for row in queued.letters()} == {queued.at.replace(minute=12)}


def test_an_unknown_end_is_tried_again_and_counted(queued: Tracked) -> None:
    """SM-2."""
    queued.record(queued.claim(), "unknown", "the connection was lost after the final dot")
    assert [p.attempts for p in queued.claim()] == [2, 2]
    assert {row.repeats for row in queued.letters()} == {1}


def test_a_temporary_refusal_is_no_repeat(queued: Tracked) -> None:
    queued.record(queued.claim(), "queued", "451 later")
    queued.claim()
    assert {row.repeats for row in queued.letters()} == {0}


def test_a_claim_that_lapsed_is_free(queued: Tracked) -> None:
    queued.claim()
    queued.later(minutes=31)
    assert len(queued.another("here:1:b").claim()) == 2
    assert {row.repeats for row in queued.letters()} == {1}


def test_a_permanent_refusal_is_told_to_the_team_and_leaves_the_promise_open(queued: Tracked) -> None:
    """SM-4, P1."""
    parcels = queued.claim()
    queued.record(parcels, "failed", "550 5.1.1 no such user")
    with writing(queued.engine) as connection:
        failing.tell_team(connection, [p.id for p in parcels], queued.desks, queued.at, queued.entropy)
    told = queued.letters("undelivered")
    assert [row.to_address for row in told] == [TEAM], "a refusal of the team's own letter tells nobody"
    assert [row.met_at for row in queued.rows(clock, promise="acknowledge")] == [None]
    assert "failed" in kinds(queued) and queued.findings() == []


@pytest.mark.parametrize(
    ("state", "may"),
    [
        ("queued", True),
        ("unknown", True),
        ("failed", True),
        ("held", True),
        ("sending", False),
        ("accepted", False),
        ("dropped", False),
    ],
)
def test_retry_lets_go_what_waits_and_nothing_else(tracked_sqlite: Tracked, state: str, may: bool) -> None:
    tracked = tracked_sqlite
    tracked.receive(mail(proven=True))
    with writing(tracked.engine) as connection:
        connection.execute(letter.update().values(state=state))
        assert outbox.retry(connection, 1, tracked.at) is may
    assert tracked.letters()[0].state == ("queued" if may else state)


def test_the_dead_are_reaped_and_the_living_are_not(tracked: Tracked) -> None:
    """Leases, readings and letters of a process that has said nothing for 20 s; of this machine, of one whose PID is gone."""
    import os
    import socket

    dead, silent, living = f"{socket.gethostname()}:999999999:x", "elsewhere:1:x", "elsewhere:2:x"
    tracked.deliver(*[mail(f"r{n}@example.org", text=f"report number {n} of these reports") for n in range(3)])
    with writing(tracked.engine) as connection:
        for owner in (dead, silent, living):
            leases.beat(connection, owner, tracked.at)
            assert leases.take(connection, f"mailbox:{owner}", owner, tracked.at, leases.ALIVE)
            assert len(receipts.claim_fresh(connection, owner, tracked.at, 1, ["security"])) == 1
    tracked.later(seconds=15)
    me = leases.owner_name("me")
    assert me.split(":")[1] == str(os.getpid())
    with writing(tracked.engine) as connection:
        leases.beat(connection, living, tracked.at)
        assert leases.reap(connection, me, tracked.at) == [dead]
    tracked.later(seconds=15)
    with writing(tracked.engine) as connection:
        assert leases.reap(connection, me, tracked.at) == [silent]
        assert leases.others(connection, me, tracked.at) == [living]
        taken = [leases.take(connection, f"mailbox:{o}", me, tracked.at, leases.ALIVE) for o in (dead, silent)]
        assert taken == [True, True]
        failed = [receipts.claim_failed(connection, me, tracked.at, ["security"]) for _ in range(3)]
    assert [len(found) for found in failed] == [1, 1, 0], "what the living process holds is its own"
    assert [one.attempts for found in failed for one in found] == [2, 2], "begun readings stay counted"


def test_a_lease_has_one_owner(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        assert leases.take(connection, "mailbox:security", "a", tracked.at, leases.ALIVE)
        assert not leases.take(connection, "mailbox:security", "b", tracked.at, leases.ALIVE)
        assert leases.take(connection, "mailbox:security", "a", tracked.at, leases.ALIVE), "renewed"
    tracked.later(seconds=21)
    with writing(tracked.engine) as connection:
        assert leases.take(connection, "mailbox:security", "b", tracked.at, leases.ALIVE)
        assert not leases.take(connection, "mailbox:security", "a", tracked.at, leases.ALIVE)


def bounce(tracked: Tracked, to: str, message_id: str, action: str = "failed") -> bytes:
    return (
        f"Return-Path: <>\r\nFrom: mailer-daemon@example.org\r\nTo: {to}\r\nSubject: Undelivered\r\n"
        "Message-ID: <dsn@example.org>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {RESEARCHER}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("keyed", "action", "believed", "told"),
    [
        (True, "failed", True, 1),
        (False, "failed", False, 1),
        (True, "delayed", False, 0),
        (True, "delivered", False, 0),
    ],
)
def test_a_delivery_report_is_believed_at_its_own_address_alone(
    queued: Tracked, keyed: bool, action: str, believed: bool, told: int
) -> None:
    """NT-1, NT-2, SM-10: a forged one must not mark an acknowledgement undelivered."""
    queued.send_all()
    acknowledgement = queued.letters("acknowledgement")[0]
    to = acknowledgement.envelope_from if keyed else "security@example.test"
    queued.later(minutes=1)
    queued.receive(bounce(queued, to, acknowledgement.message_id, action))
    assert queued.outcomes() == ["ticket", "appended"]
    met = queued.rows(clock, promise="acknowledge")[0].met_at
    assert (met is None) is believed, "the promise is open again"
    assert (queued.letters("acknowledgement")[0].undelivered_at is not None) is believed
    assert len(queued.letters("undelivered")) == told
    assert (EventKind.UNDELIVERED.value in kinds(queued)) is believed
    assert queued.findings() == []


@pytest.mark.parametrize("by", ["the ENVID", "the recipient"])
def test_a_delivery_report_that_names_no_message_id_still_finds_its_letter(queued: Tracked, by: str) -> None:
    """NT-1: many reports return no header at all; the promise must not stay kept."""
    queued.send_all()
    acknowledgement = queued.letters("acknowledgement")[0]
    raw = bounce(queued, acknowledgement.envelope_from, "<none@example.org>").replace(
        b"Content-Type: message/rfc822-headers\r\n\r\nMessage-ID: <none@example.org>",
        b"Content-Type: text/plain\r\n\r\n",
    )
    if by == "the ENVID":
        raw = raw.replace(
            b"Reporting-MTA:", f"Original-Envelope-Id: triaged-{acknowledgement.id}\r\nReporting-MTA:".encode()
        )
        raw = raw.replace(RESEARCHER.encode(), b"somebody-else@example.net")
    queued.receive(raw)
    assert queued.rows(clock, promise="acknowledge")[0].met_at is None, "the promise is open again"
    assert len(queued.letters("undelivered")) == 1


def test_a_thousandth_forged_delivery_report_tells_nobody_any_more(tracked_sqlite: Tracked) -> None:
    """AR-11, AT-8."""
    tracked = tracked_sqlite
    tracked.receive(mail(proven=True))
    tracked.send_all()
    named = tracked.letters("acknowledgement")[0].message_id
    for number in range(12):
        raw = bounce(tracked, "security@example.test", named).replace(b"<dsn@", f"<{number}@".encode())
        tracked.receive(raw)
    assert len(tracked.letters("undelivered")) <= 6


def test_the_conversation_is_one_thread_for_both_sides(tracked: Tracked) -> None:
    """TH-3, law 7: report, answer of a member, reply; no note, quote, signature or address of a member gets out."""
    from email import message_from_bytes, policy

    from triaged.tracker.schema import blob

    tracked.receive(mail(proven=True, message_id="<r1@example.org>"))
    relay = message_from_bytes(
        tracked.rows(blob, id=tracked.letters("relay")[0].blob_id)[0].data, policy=policy.default
    )
    words = (
        "We can reproduce it, thank you.\n\n-- \nDana Levi, +41 44 000 00 00\n\n"
        "On Fri, 20 Nov 2026 at 10:12, IMS Network security wrote:\n> New report, this is an internal remark\n> more"
    )
    to = relay["Reply-To"].addresses[0].addr_spec
    tracked.receive(mail(MEMBER, to, proven=True, text=words, fields=(f"In-Reply-To: {relay['Message-ID']}",)))
    (answer,) = tracked.letters("answer")[:1]
    assert answer.to_address == RESEARCHER
    data = tracked.rows(blob, id=answer.blob_id)[0].data
    read = message_from_bytes(data, policy=policy.default)
    assert read.get_content().strip() == "We can reproduce it, thank you."
    for secret in (b"Dana", b"dana@", b"+41", b"internal remark", TEAM.encode(), b"Auto-Submitted"):
        assert secret not in data, secret
    assert read["References"].split()[0] == "<r1@example.org>" and read["In-Reply-To"] == read["References"].split()[-1]
    tracked.receive(mail(fields=(f"In-Reply-To: {read['Message-ID']}",), text="Good, I am looking forward to the fix."))
    assert tracked.outcomes() == ["ticket", "appended", "appended"] and len(tracked.refs()) == 1
    assert tracked.findings() == []


def test_a_part_says_how_it_fares_each_time(tracked: Tracked) -> None:
    """`check` shows the last word of each part, and since when it holds."""
    began = tracked.at
    with writing(tracked.engine) as connection:
        leases.report(connection, "intake", "a", "running", "", began)
        leases.report(connection, "intake", "a", "failing", "why", began + leases.ALIVE)
        leases.report(connection, "intake", "a", "failing", "why", began + 2 * leases.ALIVE)
        (part,) = leases.parts(connection)
    assert (part.state, part.reason) == ("failing", "why")
    assert (part.since, part.beat_at) == (began + leases.ALIVE, began + 2 * leases.ALIVE)


def test_an_operator_holds_a_letter_back_lets_it_go_and_drops_another(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True))
    first, second = sorted(row.id for row in tracked.letters())
    with writing(tracked.engine) as connection:
        assert outbox.hold(connection, first) and not outbox.hold(connection, first)
        assert outbox.drop(connection, second) and not outbox.drop(connection, second)
    assert tracked.send_all() == []
    with writing(tracked.engine) as connection:
        assert outbox.retry(connection, first, tracked.at) and not outbox.retry(connection, second, tracked.at)
    assert [parcel.id for parcel in tracked.send_all()] == [first]
    with writing(tracked.engine) as connection:
        assert not outbox.drop(connection, first), "what has gone can't be taken back"
