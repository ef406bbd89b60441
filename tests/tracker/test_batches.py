"""Many messages at once are as one after the other: waves, floods, copies, loops (law 2, AR-9 to AR-11, AT-8)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.ticket.scene import CAPS, DESK, MAILBOX, MEMBER, RESEARCHER, STRANGER, TEAM, mail
from tests.tracker.tracked import Tracked
from triaged.ticket.desk import Desk
from triaged.tracker import digests
from triaged.tracker.engine import writing
from triaged.tracker.knowing import THREAD_ROWS
from triaged.tracker.schema import message, receipt, ticket


def capped(**caps: int) -> Desk:
    return replace(DESK, caps=replace(CAPS, **caps))


def reply_to(tracked: Tracked, number: int = 0, template: str = "acknowledgement") -> tuple[str, str]:
    """(Reply-To, Message-ID) of a letter that went."""
    from email import message_from_bytes, policy

    letter = tracked.letters(template)[number]
    data = message_from_bytes(_bytes(tracked, letter.blob_id), policy=policy.default)
    return data["Reply-To"].addresses[0].addr_spec, str(data["Message-ID"])


def _bytes(tracked: Tracked, blob_id: int) -> bytes:
    from triaged.tracker.schema import blob

    data: bytes = tracked.rows(blob, id=blob_id)[0].data
    return data


def day_of_mail(seed: int) -> list[bytes]:
    """Mixed mail in which much depends on what came before: repeated authors, texts, contents, threads, floods."""
    draw = random.Random(seed)
    authors = [RESEARCHER, "ada@example.org", "bob@example.net", STRANGER, MEMBER, MAILBOX]
    ids: list[str] = []
    mails: list[bytes] = []
    for number in range(30):
        if mails and draw.random() < 0.1:
            mails.append(draw.choice(mails))
            continue
        own = f"<{seed}.{number}@example.org>"
        fields = []
        if ids and draw.random() < 0.4:
            fields.append(f"In-Reply-To: {draw.choice(ids)}")
        if draw.random() < 0.15:
            fields.append("Auto-Submitted: auto-replied")
        text = f"the text number {draw.randrange(12)} of all of these reports"
        author = draw.choice(authors)
        mails.append(mail(author, proven=draw.random() < 0.5, text=text, fields=tuple(fields), message_id=own))
        ids.append(own)
    return mails


def picture(tracked: Tracked) -> list[Any]:
    """What became of every receipt, in words that do not depend on random references."""
    order = {row.id: number for number, row in enumerate(tracked.rows(ticket))}
    placed = {row.receipt_id: (row.audience, row.proven) for row in tracked.rows(message, direction="in")}
    receipts = [(r.uid, r.outcome, order.get(r.ticket_id), r.reason, placed.get(r.id)) for r in tracked.rows(receipt)]
    letters = [(order[r.ticket_id], r.template, r.to_address) for r in tracked.letters()]
    return [*receipts, *sorted(letters)]


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_causes_what_its_messages_cause_one_by_one(tracked_sqlite: Tracked, tmp_path: Any, seed: int) -> None:
    """Law 2: waves of a batch, against each message read before the next one arrives; small caps make order matter."""
    desk = capped(unproven_per_hour=5, proven_per_hour=7, proven_per_address_per_day=3)
    batched = replace(tracked_sqlite, desks={"security": desk})
    singly = _another_tracker(desk, tmp_path)
    mails = day_of_mail(seed)
    batched.receive(*mails)
    for raw in mails:
        singly.receive(raw)
    assert picture(batched) == picture(singly)
    assert batched.findings() == singly.findings() == []
    singly.engine.dispose()


def _another_tracker(desk: Desk, tmp_path: Any) -> Tracked:
    from tests.tracker.tracked import open_tracker
    from triaged import resources
    from triaged.tracker import migrate
    from triaged.tracker.engine import connect

    engine = connect(f"sqlite:///{tmp_path}/singly.db")
    migrate.upgrade(engine, resources.migrations())
    return open_tracker(engine, desk)


def test_a_flood_that_nobody_answers_uses_up_no_budget(tracked_sqlite: Tracked) -> None:
    """AR-10: what is not acknowledged is not counted, be it in one batch with what is."""
    tracked = replace(tracked_sqlite, desks={"security": capped(unproven_per_hour=5)})
    machines = [
        mail(f"m{n}@example.org", fields=("Auto-Submitted: auto-replied",), text=f"machine number {n} says hello")
        for n in range(30)
    ]
    tracked.receive(*machines, mail("ada@example.org"))
    assert [row.to_address for row in tracked.letters("acknowledgement")] == ["ada@example.org"]


@pytest.mark.parametrize("batch", [1, 50])
def test_hundreds_of_mails_of_one_forged_address_are_answered_once(tracked_sqlite: Tracked, batch: int) -> None:
    """AR-10, AT-8: across restarts as well; the tickets and their promises are there, and one digest tells the team."""
    count = 300 if batch == 50 else 30
    tracked = tracked_sqlite
    for start in range(0, count, 50):
        restarted = replace(tracked.another(f"here:1:{start}"), most=batch)
        mails = [mail(RESEARCHER, text=f"a forged report, the number {n} of many") for n in range(start, start + 50)]
        restarted.receive(*mails[: count - start])
        tracked.uids = restarted.uids
    assert len(tracked.letters("acknowledgement")) == 1
    assert len(tracked.refs()) == count
    assert len(tracked.letters("relay")) == 1, "the rest is for the digest"
    with writing(tracked.engine) as connection:
        assert digests.queue_digest(connection, DESK, tracked.at, tracked.entropy) == count - 1
        assert digests.queue_digest(connection, DESK, tracked.at, tracked.entropy) == 0
    assert len(tracked.letters("caps")) == 1
    tracked.later(hours=25)
    tracked.receive(mail(RESEARCHER, text="the day after, one more of these reports"))
    assert len(tracked.letters("acknowledgement")) == 2


def test_a_forged_flood_leaves_the_proven_their_answers(tracked_sqlite: Tracked) -> None:
    """AR-10: budgets apart, and the victim's own proven mail is answered all the same."""
    tracked = tracked_sqlite
    tracked.receive(*[mail(f"v{n}@example.org", text=f"forged report number {n} of the flood") for n in range(80)])
    assert len(tracked.letters("acknowledgement")) == 60
    tracked.receive(mail("v1@example.org", proven=True, text="my own report, and truly mine this time"))
    tracked.receive(mail("new@example.org", proven=True, text="somebody else, with a proven report as well"))
    proven = [row.to_address for row in tracked.letters("acknowledgement") if row.template == "acknowledgement"]
    assert proven == ["v1@example.org", "new@example.org"]


@pytest.mark.parametrize("author", ["Noa@Example.ORG", "Ü@example.org", "ü@EXAMPLE.org"])
def test_the_case_of_an_address_makes_no_second_answer(tracked_sqlite: Tracked, author: str) -> None:
    """AR-10."""
    for number, written in enumerate((author, author.upper(), author.lower(), author.swapcase())):
        tracked_sqlite.receive(mail(written, text=f"a report, sent the {number}th time with other words"))
    assert len(tracked_sqlite.letters("acknowledgement")) == 1


def test_the_same_words_from_one_address_are_no_new_report(tracked: Tracked) -> None:
    """AR-10."""
    tracked.receive(mail(proven=True, text="The very same words, again and again."))
    tracked.receive(mail(proven=True, text="The  VERY same words; again and again!"))
    tracked.receive(mail("ada@example.org", proven=True, text="The very same words, again and again."))
    assert tracked.outcomes() == ["ticket", "appended", "ticket"] and len(tracked.refs()) == 2


def answers_of_a_machine(tracked: Tracked, author: str, number: int, to: str, parent: str) -> bytes:
    text = f"We have received your message, it is number {number} with us. Thank you."
    return mail(author, to, text=text, fields=(f"In-Reply-To: {parent}",), message_id=f"<{number}@machine.test>")


def test_two_ticket_systems_without_a_mark_write_to_each_other_at_most_twice(tracked_sqlite: Tracked) -> None:
    """AR-9, AR-11: a peer that answers every letter of ours at once, without any header that says so."""
    tracked = tracked_sqlite
    tracked.receive(mail("helpdesk@example.org", text="A ticket of another system about your product."))
    answered = 0
    for round_ in range(20):
        ours = [row for row in tracked.letters() if row.to_address == "helpdesk@example.org"]
        if len(ours) == answered:
            break
        answered = len(ours)
        to, parent = reply_to(tracked, -1)
        tracked.receive(answers_of_a_machine(tracked, "helpdesk@example.org", round_, to, parent))
    assert answered == 1


def test_a_team_address_that_answers_everything_ends_by_itself(tracked_sqlite: Tracked) -> None:
    """AR-11: the team's list is a ticket system too, and answers each mail of ours to it, for a whole day."""
    tracked = tracked_sqlite
    tracked.receive(mail(proven=True))
    answered = 0
    for round_ in range(200):
        to_team = [row for row in tracked.letters() if row.to_address == TEAM]
        if len(to_team) == answered:
            break
        answered = len(to_team)
        to, parent = reply_to(tracked, answered - 1, "relay")
        tracked.receive(answers_of_a_machine(tracked, TEAM, round_, to, parent))
        tracked.later(minutes=11)
    assert answered <= 7


def test_a_researcher_is_relayed_again_once_ten_minutes_have_passed(tracked_sqlite: Tracked) -> None:
    """AR-11."""
    tracked = tracked_sqlite
    tracked.receive(mail(message_id="<first@example.org>"))
    for number in range(10):
        tracked.receive(
            mail(fields=("In-Reply-To: <first@example.org>",), text=f"further remark number {number} of mine")
        )
    assert len(tracked.letters("relay")) == 1 + 5
    tracked.later(minutes=11)
    tracked.receive(mail(fields=("In-Reply-To: <first@example.org>",), text="a last remark after a good while"))
    assert len(tracked.letters("relay")) == 1 + 5 + 1
    assert len(tracked.rows(message, direction="in")) == 12, "each is kept with the ticket"


def test_a_long_thread_keeps_its_first_id(tracked_sqlite: Tracked) -> None:
    """TH-4: the conversation's first Message-ID stands in References however long it is."""
    from email import message_from_bytes

    tracked = tracked_sqlite
    tracked.receive(mail(proven=True, message_id="<first@example.org>"))
    for number in range(THREAD_ROWS):
        tracked.later(minutes=11)
        tracked.receive(
            mail(fields=("In-Reply-To: <first@example.org>",), text=f"further remark number {number} of mine")
        )
    read = message_from_bytes(_bytes(tracked, tracked.letters("relay")[-1].blob_id))
    first = message_from_bytes(_bytes(tracked, tracked.letters("relay")[0].blob_id))
    assert read["References"].split()[0] == first["Message-ID"]
    assert len(read["References"].split()) <= CAPS.references_ids


def test_mail_found_in_junk_is_a_ticket_that_is_gathered(tracked_sqlite: Tracked) -> None:
    """IM-13."""
    tracked_sqlite.deliver(mail(proven=True), folder="Junk", junk=True)
    tracked_sqlite.take_in()
    assert tracked_sqlite.outcomes() == ["ticket"] and tracked_sqlite.letters() == []
    assert [row.unannounced for row in tracked_sqlite.rows(ticket)] == [True]
