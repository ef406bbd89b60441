"""What is left of a person after an erasure, and what stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, String

from tests.ticket.scene import MEMBER, key, mail
from tests.tracker.forgetting import (
    ADDRESS,
    ADVISED,
    FILE,
    FRIEND,
    INSIDE,
    MARKS,
    NAME,
    NEVER,
    PENDING,
    PHONE,
    SAID_OF_IT,
    SPOKEN,
    SUBJECT,
    WORDS,
    follow_up,
    forget,
    forms,
    hashes,
    lived,
    published,
    remains,
    report,
)
from tests.tracker.test_commanding import HOUSE, name, says
from tests.tracker.test_reward_ledger import FREE
from tests.tracker.tracked import SENT, Tracked, open_tracker
from triaged.daemon import publishing
from triaged.mail.ports import Fetched
from triaged.publication.values import Site
from triaged.ticket.address import Role
from triaged.ticket.certifying import text
from triaged.tracker.compacting import compact
from triaged.tracker.engine import writing
from triaged.tracker.erasures import NotNowError, look, perform
from triaged.tracker.schema import (
    blob,
    clock,
    consent,
    erasure,
    event,
    journal,
    letter,
    message,
    metadata,
    participant,
    person,
    proposal,
    receipt,
    ticket,
    tombstone,
)
from triaged.tracker.scope import Subject
from triaged.tracker.traces import APART, columns_with_words


def test_nothing_of_a_forgotten_person_is_in_the_database_its_files_or_a_dump(engine: Engine) -> None:
    tracked = lived(engine)
    assert remains(engine, forms(MARKS)), "the search finds what is there"
    forget(tracked)
    assert tracked.findings() == []
    compact(engine)
    assert remains(engine, [*forms(MARKS), *hashes(report())]) == []


def test_of_a_ticket_that_was_published_the_advisory_stays_and_names_nobody(engine: Engine) -> None:
    tracked = published(lived(engine, desk=replace(HOUSE, policy=FREE)))
    reported = tracked.rows(ticket)[0]
    before = _site(tracked)
    assert {row.purpose for row in tracked.rows(consent)} >= {"hall", "advisory"}
    assert tracked.rows(participant)[0].credit_pending
    assert [p.verb for p in tracked.rows(proposal)] == ["waive", "reward", "disclose"]
    tracked.later(minutes=1)
    done = forget(tracked)
    assert done["not_reached"]["published"] == ["RD-2026-0001"]
    (left,) = _site(tracked).advisories
    (was,) = before.advisories
    assert (left.title, left.text, left.affected) == (ADVISED, SAID_OF_IT, "before 2.3.1")
    assert (left.credits, left.version, was.version) == ((), 3, 2)
    assert [row for row in tracked.rows(consent) if row.ticket_id == reported.id] == []
    assert [row for row in tracked.rows(proposal) if row.ticket_id == reported.id] == []
    compact(engine)
    assert remains(engine, [*forms((*MARKS, PENDING, "Google")), *hashes(report())]) == []
    assert tracked.broken() == [] and tracked.findings() == []


def _site(tracked: Tracked) -> Site:
    ((mailbox, desk),) = tracked.desks.items()
    with writing(tracked.engine) as connection:
        publishing.revise(connection, "default", desk.policy, tracked.at)
        return publishing.site_of(connection, "default", mailbox, desk.policy, "", tracked.at)


def test_what_is_swept_again_is_stored_read_by_nobody_and_dropped(engine: Engine) -> None:
    tracked = lived(engine)
    forget(tracked)
    before = len(tracked.rows(ticket)), len(tracked.letters()), len(tracked.rows(message))
    again = [Fetched(1, tracked.at, len(report()), report(), truncated=False, junk=False)]
    folders = tracked.folders()
    folders.open("INBOX", 2)  # a new UIDVALIDITY: the folder is read from its beginning
    folders.keep("INBOX", 2, again, 1)
    tracked.take_in()
    last = tracked.rows(receipt)[-1]
    assert (last.outcome, last.blob_id, last.ticket_id) == ("forgotten", None, None)
    assert (len(tracked.rows(ticket)), len(tracked.letters()), len(tracked.rows(message))) == before
    compact(engine)
    assert remains(engine, forms(MARKS)) == []
    assert tracked.findings() == []


def test_our_own_letter_that_lies_in_the_sent_folder_does_not_come_back(engine: Engine) -> None:
    tracked = lived(engine)
    sent = next(row for row in tracked.letters() if row.template == "assessed")
    (data,) = (row.data for row in tracked.rows(blob) if row.id == sent.blob_id)
    forget(tracked)
    tracked.deliver(data, folder=SENT)
    tracked.take_in()
    assert tracked.rows(receipt)[-1].outcome == "forgotten"
    compact(engine)
    assert remains(engine, forms((SUBJECT,))) == []


def test_a_new_mail_of_a_forgotten_person_is_a_new_report_even_under_the_old_key(engine: Engine) -> None:
    tracked = lived(engine)
    old = name(tracked)
    forget(tracked)
    tracked.receive(mail(ADDRESS, proven=True, subject="Another one", text="I have found one more of them today."))
    assert tracked.outcomes()[-1] == "ticket"
    to_old = key(old, Role.RESEARCHER)
    tracked.receive(mail(ADDRESS, to_old, proven=True, subject="And this", text="Did you look at it in the end?"))
    assert tracked.outcomes()[-1] == "ticket"
    assert tracked.findings() == []


def test_others_keep_what_is_theirs(engine: Engine) -> None:
    tracked = lived(engine)
    forget(tracked)
    second = tracked.rows(ticket)[1]
    assert second.subject == "A hole in the fence of the shop" and second.forgotten_at is None
    texts = [row.text for row in tracked.rows(message) if row.ticket_id == second.id]
    assert any("behind the greenhouse" in text for text in texts)
    assert any("The same as what [forgotten]" in text for text in texts), "the note stays, without whom it names"
    assert [row.address for row in tracked.rows(person)] == ["ferdi@other-host.example"]
    first = tracked.rows(receipt)[1]
    assert first.blob_id is not None and first.outcome == "ticket"


def test_a_forgotten_ticket_keeps_its_chain_and_owes_nothing(engine: Engine) -> None:
    tracked = lived(engine)
    kept = [(row.seq, row.hash) for row in tracked.rows(event) if row.ticket_id == tracked.rows(ticket)[0].id]
    done = forget(tracked)
    row = tracked.rows(ticket)[0]
    events = [e for e in tracked.rows(event) if e.ticket_id == row.id]
    assert [(e.seq, e.hash) for e in events[: len(kept)]] == kept
    assert all(e.body is None and e.salt is None for e in events[: len(kept)])
    assert [e.kind for e in events[len(kept) :]] == ["closed", "forgotten"]
    assert done["chains"][0]["head_before"] == kept[-1][1].hex() and done["chains"][0]["head_after"] == row.head.hex()
    assert not [c for c in tracked.rows(clock) if c.ticket_id == row.id and c.met_at is None and not c.waived]
    assert tracked.broken() == []
    tracked.live(tracked.at + timedelta(days=60))
    after = [x for x in tracked.letters() if x.ticket_id == row.id and x.queued_at > row.forgotten_at]
    assert after == [], "nothing is sent about it any more"


def test_a_letter_that_waits_is_never_sent(engine: Engine) -> None:
    tracked = lived(engine)
    says(tracked, "Dear you, one more word.", role=Role.RESEARCHER)
    assert tracked.letters()[-1].state == "queued" or tracked.letters("answer")[-1].state == "queued"
    forget(tracked)
    tracked.at += timedelta(days=1)
    assert [p for p in tracked.send_all() if p.recipient.lower() == ADDRESS.lower()] == []
    assert all(x.state in ("accepted", "dropped") for x in tracked.letters() if x.to_lower == "")


def test_one_ticket_goes_and_its_reporter_stays_where_they_have_another(engine: Engine) -> None:
    tracked = lived(engine)
    second = mail(
        ADDRESS, proven=True, subject="Unrelated whistling", text="The whistling cupboard stands open at night."
    )
    tracked.receive(second)
    first = name(tracked)
    forget(tracked, token=first.token)
    assert ADDRESS.lower() in [row.address for row in tracked.rows(person)]
    kept = [row.text for row in tracked.rows(message) if row.ticket_id == tracked.rows(ticket)[2].id]
    assert any("whistling cupboard" in text for text in kept)
    compact(engine)
    gone = (SUBJECT, FILE, INSIDE, *WORDS, "plorkish", "glimmerous")
    assert remains(engine, [*forms(gone), *hashes(report())]) == []
    assert tracked.findings() == []


def test_on_a_ticket_of_several_only_what_is_theirs_goes(engine: Engine) -> None:
    tracked = open_tracker(engine, HOUSE)
    tracked.receive(
        mail(FRIEND, proven=True, subject="Joint finding of ours", text="We found a hole in the eastern wall.")
    )
    says(tracked, f"/add {ADDRESS}")
    assert len(tracked.rows(participant)) == 2
    tracked.receive(follow_up(tracked, f"{WORDS[1]}\n\n-- \n{NAME}\n{PHONE}"))
    quoting = f"I agree with {SPOKEN}.\n\n> {WORDS[1]}\n\nThe eastern wall is thin."
    friend = mail(FRIEND, key(name(tracked), Role.RESEARCHER), proven=True, text=quoting)
    tracked.receive(friend)
    says(tracked, "/note\n\nZelda seems right about it.")
    tracked.live(tracked.at + timedelta(days=1))
    done = forget(tracked)
    assert [(c["ref"], c["whole"]) for c in done["chains"]] == [(name(tracked).ref, False)]
    texts = "\n".join(row.text for row in tracked.rows(message))
    assert "The eastern wall is thin." in texts and "We found a hole in the eastern wall." in texts
    assert "[forgotten] seems right about it." in texts
    assert [row.address for row in tracked.rows(person)] == ["ferdi@other-host.example"]
    assert tracked.rows(ticket)[0].subject == "Joint finding of ours"
    compact(engine)
    assert remains(engine, forms((ADDRESS, NAME, SPOKEN, PHONE, WORDS[1], "glimmerous"))) == []
    assert tracked.findings() == []


def test_the_certificate_names_what_it_cannot_reach_and_nobody(engine: Engine) -> None:
    tracked = lived(engine)
    done = forget(tracked)
    words = text(done)
    assert {(p["folder"], p["uid"]) for p in done["not_reached"]["mailbox"]} >= {("INBOX", 1), ("INBOX", 3)}
    assert "UIDVALIDITY 1  UID 1" in words and "backups of the tracker made between" in words
    everything = (json.dumps(done) + words).lower()
    assert not [mark for mark in MARKS if mark.lower() in everything]
    row = tracked.rows(erasure)[0]
    assert (row.subject, row.second) == ("", MEMBER) and row.counts == done
    assert tracked.rows(journal)[-1].kind == "forgotten"


def test_a_look_changes_nothing_and_tells_what_will_be_done(engine: Engine) -> None:
    tracked = lived(engine)
    before = {table.name: tracked.rows(table) for table in (ticket, message, receipt, letter, event, tombstone)}
    looked = look(engine, Subject("default", ADDRESS.lower()), NEVER, tracked.at, tracked.entropy)
    assert looked is not None
    assert {table.name: tracked.rows(table) for table in (ticket, message, receipt, letter, event, tombstone)} == before
    assert forget(tracked)["removed"] == {"rows": dict(looked.erased.counts), "bytes": looked.erased.bytes}


def test_mail_that_nobody_has_read_yet_is_waited_for(engine: Engine) -> None:
    tracked = lived(engine)
    tracked.deliver(mail(ADDRESS, proven=True, subject="One more", text="It waits."))
    with pytest.raises(NotNowError, match="nobody has read it yet"):
        forget(tracked)
    tracked.take_in()
    forget(tracked)
    assert remains(engine, forms((ADDRESS,))) == [] or engine.dialect.name == "sqlite"


def test_bytes_that_another_ticket_needs_stay(engine: Engine) -> None:
    """The same bytes in a second tenant's mailbox."""
    other = replace(HOUSE, tenant="theirs", mailbox="theirs")
    tracked = open_tracker(engine, HOUSE, other)
    tracked.receive(report())
    tracked.receive(report(), mailbox="theirs")
    forget(tracked)
    assert [row.blob_id is not None for row in tracked.rows(receipt)] == [False, True]
    assert [row.forgotten_at is None for row in tracked.rows(ticket)] == [False, True]
    assert len([row for row in tracked.rows(blob) if row.data == report()]) == 1


@pytest.mark.parametrize("point", ["erasure-tickets", "erasure-traces"])
def test_killed_before_the_commit_nothing_is_gone(engine: Engine, point: str) -> None:
    tracked = lived(engine)
    before = {table.name: tracked.rows(table) for table in metadata.sorted_tables}

    def die(reached: str) -> None:
        if reached == point:
            raise SystemExit

    with pytest.raises(SystemExit):
        perform(engine, Subject("default", ADDRESS.lower()), NEVER, MEMBER, tracked.at, tracked.entropy, reach=die)
    assert {table.name: tracked.rows(table) for table in metadata.sorted_tables} == before


KEPT = {
    # What the sweep of words does not touch, and why.
    "policy_text": "the organisation's words",
    "installation": "keys",
    "chain_root": "hashes",
    "tombstone": "keyed hashes",
    "content": "deleted with its receipt",
    "blob": "dropped where it names them",
    "event": "loses body and salt",
    "journal": "loses body and salt",
    "journal_head": "hashes",
    "erasure": "its subject goes when it is done",
    "person": "deleted",
    "absence": "members",
    "lease": "processes",
    "cursor": "folders",
    "board": "days",
    "tally": "numbers of ours",
}


def test_every_table_is_swept_for_words_or_is_known_to_need_none() -> None:
    assert set(KEPT) == set(APART)
    narrow = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        if table.name not in APART
        for column in table.columns
        if isinstance(column.type, String) and column not in columns_with_words(table)
    }
    unwatched = {one for one in narrow if one.rpartition(".")[2] in ("name", "value", "text", "why", "subject", "note")}
    assert unwatched == {"likely.name", "advisory.name", "known_issue.name", "lease.name", "part.name"} - {"lease.name"}
