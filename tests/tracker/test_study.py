"""The second step of a new ticket: after the acknowledgement, once, whoever dies in between, and within one tenant."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import Engine, text, update

from tests.ticket.scene import AT, DESK, MEMBER, RESEARCHER, STRANGER, mail
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.daemon.intake import take_in
from triaged.daemon.studying import study_some
from triaged.reading.inventory import read_inventory
from triaged.ticket.reference import token_of
from triaged.tracker import studying
from triaged.tracker.digests import queue_digest
from triaged.tracker.engine import reading, writing
from triaged.tracker.known_issues import add, remove
from triaged.tracker.schema import clock, event, gap, study
from triaged.tracker.showing import one_ticket, queue

REPORT = """Hello,

the search page of https://app.example.test/search?term=1 answers with what stands in the parameter `term`,
unescaped: stored cross-site scripting (CWE-79) in ImageProxy 2.4.1.

1. open https://app.example.test/search?term=<script>alert(1)</script>
2. see the dialog

I tested from 203.0.113.7. I will publish on 2027-01-15.
Noa"""
OTHER_REPORT = """Hi, the wiki's export writes any file that the name says: a path traversal in the exporter.
GET https://wiki.example.test/export?name=../../etc/passwd gives the passwd file. See the attached log."""
BEGGING = """Dear Sir, I am ethical hacker and found bug called missing SPF record and no DMARC policy on your domain.
Email spoofing is possible, see mxtoolbox. Do you pay bounty? I am waiting for your positive response and any reward."""


def shown(tracked: Tracked, ref: str) -> dict[str, Any]:
    with reading(tracked.engine) as connection:
        document = one_ticket(connection, token_of(ref) or "")
    assert document is not None
    return document


def team_mail(tracked: Tracked, ref: str) -> str:
    sent = [m for m in shown(tracked, ref)["messages"] if m["direction"] == "out" and m["audience"] == "team"]
    assert sent, "the team has not heard"
    return str(sent[0]["text"])


def decide_only(tracked: Tracked, *raws: bytes) -> None:
    tracked.deliver(*raws)
    while take_in(tracked.intake()):
        pass


def test_the_acknowledgement_waits_for_no_study_and_the_teams_mail_does(tracked: Tracked) -> None:
    decide_only(tracked, mail(proven=True, text=REPORT))
    assert [row.template for row in tracked.letters()] == ["acknowledgement"]
    tracked.study()
    assert [row.template for row in tracked.letters()] == ["acknowledgement", "relay"]
    kinds = [row.kind for row in tracked.rows(event)]
    assert kinds.index("queued") < kinds.index("studied")
    assert tracked.broken() == [] and tracked.findings() == []


def test_a_ticket_shows_what_its_report_says_and_leaves_out(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True, text=REPORT))
    document = shown(tracked, tracked.refs()[0])
    said = {(f["kind"], f["value"]) for f in document["facts"]}
    assert {("cwe", "CWE-79"), ("tester_ip_address", "203.0.113.7"), ("disclosure_date", "2027-01-15")} <= said
    (received,) = [m["text"] for m in document["messages"] if m["direction"] == "in"]
    assert all(0 <= f["at"][0] < f["at"][1] <= len(received) for f in document["facts"])
    assert document["missing"] == [] and document["kind"] == "report"
    told = team_mail(tracked, document["ref"])
    assert "CWE: CWE-79" in told and "will disclose: 2027-01-15" in told and "tested from: 203.0.113.7" in told
    assert "https://app" not in told, "AT-21: no link of a stranger's can be clicked"


def test_what_is_missing_is_asked_for_once_and_ticked_off_by_the_reply_that_brings_it(tracked: Tracked) -> None:
    tracked.receive(
        mail(proven=True, subject="XSS", text="Your search page has cross-site scripting, I found it today.")
    )
    ref = tracked.refs()[0]
    asked = shown(tracked, ref)["missing"]
    assert "steps" in asked
    (thanks,) = [
        m for m in shown(tracked, ref)["messages"] if m["audience"] == "researcher" and m["direction"] == "out"
    ]
    assert "reply with" in thanks["text"] and "Missing:" not in thanks["text"]
    about = f"In-Reply-To: {thanks['message_id']}"
    tracked.receive(mail(proven=True, subject="Re: XSS", text="Good, thank you for the quick answer.", fields=(about,)))
    assert shown(tracked, ref)["missing"] == asked, "thanks bring nothing"
    machine = (about, "Auto-Submitted: auto-replied")
    tracked.receive(mail(proven=True, subject="Absent", text=REPORT, fields=machine))
    assert shown(tracked, ref)["missing"] == asked, "NT-5: what a machine answers brings nothing"
    tracked.receive(mail(proven=True, subject="Re: XSS", text=REPORT, fields=(about,)))
    assert shown(tracked, ref)["missing"] == []
    brought = [body_of(row)["data"]["items"] for row in tracked.rows(event) if row.kind == "brought"]
    assert brought == [sorted(asked)]
    assert [row.template for row in tracked.letters("acknowledgement")] == ["acknowledgement"], "asked once"
    relayed = [
        m["text"] for m in shown(tracked, ref)["messages"] if m["audience"] == "team" and m["direction"] == "out"
    ]
    assert "It brings:" in relayed[-1]


def test_an_unproven_sender_is_asked_for_nothing_and_the_team_knows(tracked: Tracked) -> None:
    """AR-14: the minimal form holds nothing beyond the reference and the dates."""
    tracked.receive(mail(text="Your search page has cross-site scripting, I found it today."))
    assert [row.asked_at for row in tracked.rows(gap)] == [None] * len(tracked.rows(gap)) != []
    assert "not asked for yet" in team_mail(tracked, tracked.refs()[0])


def test_a_report_that_says_the_same_is_named_with_the_words_that_made_it_so(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True, text=REPORT), mail(STRANGER, proven=True, subject="export", text=OTHER_REPORT))
    again = REPORT.replace("Hello", "Dear team").replace("Noa", "Kim").replace("see the dialog", "watch the alert")
    tracked.receive(mail("kim@third.example", proven=True, subject="reflected script in search", text=again))
    first, other, second = tracked.refs()
    (like,) = shown(tracked, second)["duplicates"]
    assert like["ref"] == first and like["score"] >= 0.3 and any("same path /search" in why for why in like["why"])
    assert f"{first}  {like['score']:.2f}" in team_mail(tracked, second)
    assert shown(tracked, other)["duplicates"] == []


def test_of_two_that_come_together_the_later_may_repeat_the_earlier(tracked: Tracked) -> None:
    decide_only(tracked, mail(proven=True, text=REPORT), mail(STRANGER, proven=True, text=REPORT))
    tracked.study()
    first, second = tracked.refs()
    assert shown(tracked, first)["duplicates"] == []
    assert [d["ref"] for d in shown(tracked, second)["duplicates"]] == [first]


def test_the_same_person_who_writes_again_is_recognised(tracked: Tracked) -> None:
    """Re-sent under another subject and with a line more: a ticket of its own, which says so."""
    tracked.receive(mail(proven=True, text=REPORT, message_id="<one@example.org>"))
    tracked.receive(
        mail(proven=True, subject="again: XSS", text=REPORT + "\nSent again.", message_id="<one@example.org>")
    )
    first, second = tracked.refs()
    assert f"the same Message-ID is on {first}" in team_mail(tracked, second)
    assert shown(tracked, second)["duplicates"][0]["why"][0] == "from the same address"


def test_no_tenant_hears_of_anothers_reports_or_issues(engine: Engine) -> None:
    theirs = replace(DESK, tenant="theirs", mailbox="theirs", address="security@theirs.test")
    tracked = open_tracker(engine, DESK, theirs)
    with writing(engine) as connection:
        add(connection, "default", "SEC-1", "XSS in the search page", REPORT, AT)
    tracked.receive(_with_file(REPORT))
    tracked.receive(_with_file(REPORT, to="security@theirs.test", author="kim@third.example"), mailbox="theirs")
    ours, other = tracked.refs()
    assert shown(tracked, other)["duplicates"] == [] and shown(tracked, other)["attachments"][0]["also_on"] == []
    assert [d["ref"] for d in shown(tracked, ours)["duplicates"]] == ["known:SEC-1"]


def test_a_known_issue_is_compared_until_it_is_removed(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        assert add(connection, "default", "SEC-1", "XSS in the search page", REPORT, AT)
        assert not add(connection, "default", "SEC-1", "another", "text", AT)
    tracked.receive(mail(proven=True, text=REPORT))
    assert shown(tracked, tracked.refs()[0])["duplicates"][0]["ref"] == "known:SEC-1"
    with writing(tracked.engine) as connection:
        assert remove(connection, "default", "SEC-1", "operator", AT, tracked.entropy)
        assert not remove(connection, "default", "SEC-1", "operator", AT, tracked.entropy)
    tracked.receive(mail("kim@third.example", proven=True, text=REPORT))
    assert [d["ref"] for d in shown(tracked, tracked.refs()[1])["duplicates"]] == [tracked.refs()[0]]


def _with_file(words: str, to: str = "security@example.test", author: str = RESEARCHER) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = author, to, "with a file"
    letter["Message-ID"] = f"<{author}.{to}>"
    letter.set_content(words)
    letter.add_attachment(b"\x89PNG\r\n\x1a\n" + b"x" * 20_000, maintype="image", subtype="png", filename="poc.png")
    return letter.as_bytes()


def test_a_file_that_another_ticket_holds_is_shown(tracked: Tracked) -> None:
    tracked.receive(_with_file(REPORT), _with_file(OTHER_REPORT, author="kim@third.example"))
    first, second = tracked.refs()
    assert shown(tracked, second)["attachments"][0]["also_on"] == [first]
    assert f"the same file is on {first}" in team_mail(tracked, second)


def test_noise_orders_the_queue_and_suggests_a_reply_and_suppresses_nothing(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True, subject="Bug Bounty", text=BEGGING), mail(STRANGER, proven=True, text=REPORT))
    begging, report = tracked.refs()
    assert shown(tracked, begging)["noise"]["score"] > 0.5 > shown(tracked, report)["noise"]["score"]
    with reading(tracked.engine) as connection:
        assert [d["ref"] for d in queue(connection)] == [report, begging]
    assert sorted(row.to_address for row in tracked.letters("acknowledgement")) == sorted([RESEARCHER, STRANGER])
    told = team_mail(tracked, begging)
    assert "asks-for-money" in told and "Our policy says:" in told
    assert "Our policy says:" not in team_mail(tracked, report)


def test_the_same_words_from_others_are_a_template(tracked: Tracked) -> None:
    for number in range(3):
        tracked.receive(mail(f"one{number}@sender{number}.example", proven=True, subject="Bug", text=BEGGING))
    scores = [shown(tracked, ref)["noise"] for ref in tracked.refs()]
    assert "same-text-before" not in scores[0]["reasons"] and "same-text-before" in scores[2]["reasons"]
    assert scores[2]["score"] > scores[0]["score"]


def test_a_report_that_cites_nothing_that_exists_is_noisier(tracked: Tracked) -> None:
    tracked.inventories = {"default": read_inventory("*.example.test\nImageProxy\nsrc/parse.c\n192.0.2.0/24\n")}
    invented = "There is a buffer overflow in lib/quantum_io.c, function decode_flux(), of https://nowhere.invalid/ when it runs."
    tracked.receive(mail(proven=True, text=REPORT), mail(STRANGER, proven=True, text=invented))
    known, unknown = (shown(tracked, ref)["noise"] for ref in tracked.refs())
    assert "cites-nothing-known" in unknown["reasons"] and "cites-nothing-known" not in known["reasons"]


def test_a_question_runs_no_clocks_of_a_report_until_a_member_says_otherwise(tracked: Tracked) -> None:
    """S0-13; and the clocks of what was taken for a question count from its receipt."""
    tracked.receive(mail(proven=True, subject="A question", text="Where can I find your PGP key, and who reads this?"))
    ref = tracked.refs()[0]
    assert shown(tracked, ref)["kind"] == "question"
    assert [c["promise"] for c in shown(tracked, ref)["clocks"]] == ["acknowledge"]
    assert "Taken for:    question" in team_mail(tracked, ref)
    tracked.receive(mail(STRANGER, proven=True, text=REPORT))
    report = shown(tracked, tracked.refs()[1])
    take(tracked, ref, "report")
    assert [(c["promise"], c["due_at"]) for c in shown(tracked, ref)["clocks"]] == [
        (c["promise"], c["due_at"]) for c in report["clocks"]
    ]
    assert take(tracked, ref, "question") == ["acknowledge"]
    assert {c["promise"]: bool(c["waived"]) for c in shown(tracked, ref)["clocks"]}["assess"] is True
    assert "assess" in take(tracked, ref, "report")
    assert [row.waived for row in tracked.rows(clock) if row.waived] == []
    assert [body_of(r)["actor"] for r in tracked.rows(event) if r.kind == "reclassified"] == ["member:Dana Levi"] * 3
    assert tracked.broken() == []


def take(tracked: Tracked, ref: str, kind: str) -> list[str]:
    return tracked.orders(ref, f"/{kind}", by=MEMBER)


def test_a_process_that_dies_in_the_study_leaves_it_to_the_next_and_the_team_hears_once(tracked: Tracked) -> None:
    decide_only(tracked, mail(proven=True, text=REPORT))
    with writing(tracked.engine) as connection:
        (begun,) = studying.claim(connection, "dead:1:x", tracked.at, 16, ["security"])
    assert study_some(tracked.studio()) == 0, "it may still be at it"
    tracked.at += studying.CLAIM + timedelta(seconds=1)
    tracked.study()
    assert len(tracked.letters("relay")) == 1
    with reading(tracked.engine) as connection:
        (late,) = studying.load(connection, [begun])
        assert late.announcement is None
    with writing(tracked.engine) as connection:
        assert not studying.end(connection, late, _nothing(), tracked.at, "dead:1:x"), "it has been ended by another"
    assert tracked.findings() == []


def _nothing() -> Any:
    from triaged.reading.noise import Noise
    from triaged.ticket.announcing import Studied

    return Studied(Noise(0.0, ()))


def test_what_kills_the_study_twice_is_announced_without_it(tracked: Tracked) -> None:
    decide_only(tracked, mail(proven=True, text=REPORT))
    for _ in range(2):
        with writing(tracked.engine) as connection:
            studying.release(connection, tracked.owner)
            assert studying.claim(connection, tracked.owner, tracked.at, 16, ["security"])
    with writing(tracked.engine) as connection:
        studying.release(connection, tracked.owner)
    tracked.study()
    assert "it was not compared with other reports" in team_mail(tracked, tracked.refs()[0])
    (studied,) = [body_of(row) for row in tracked.rows(event) if row.kind == "studied"]
    assert "begun 2 times" in studied["data"]["failed"]


def test_a_study_that_fails_costs_the_team_no_mail(tracked: Tracked) -> None:
    tracked.receive(mail(proven=True, text=REPORT))
    with writing(tracked.engine) as connection:
        connection.execute(text("update likeness set terms = 'no JSON'"))
    tracked.receive(mail(STRANGER, proven=True, text=REPORT))
    assert "it was not compared with other reports" in team_mail(tracked, tracked.refs()[1])
    assert tracked.rows(study)[1].studied_at is not None


def test_what_can_not_be_told_by_a_mail_is_told_by_the_digest(tracked: Tracked) -> None:
    """An announcement that no template takes: not in an endless loop, and not in silence."""
    decide_only(tracked, mail(proven=True, text=REPORT), mail(STRANGER, proven=True, text=OTHER_REPORT))
    with writing(tracked.engine) as connection:
        broken = update(study).where(study.c.ticket_id == 1).values(announcement={"headline": "cut short"})
        connection.execute(broken)
    for _ in range(4):
        tracked.study()
        tracked.at += studying.CLAIM + timedelta(seconds=1)
    assert [row.ticket_id for row in tracked.letters("relay")] == [2], "it takes nobody with it"
    assert all(row.studied_at for row in tracked.rows(study))
    with writing(tracked.engine) as connection:
        assert queue_digest(connection, DESK, tracked.at, tracked.entropy) == 1


def test_two_processes_study_side_by_side_and_announce_each_ticket_once(postgres_engine: Engine) -> None:
    from threading import Thread

    tracked = open_tracker(postgres_engine)
    decide_only(tracked, *(mail(f"p{n}@s{n}.example", proven=True, text=f"{REPORT}\n{n}") for n in range(40)))
    threads = [Thread(target=tracked.another(f"elsewhere:{n}:b").study) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(tracked.letters("relay")) == 40 and tracked.broken() == []


def test_what_the_study_keeps_holds_no_text_of_the_report(tracked: Tracked) -> None:
    """The announcement waits without the text, and is gone when it has been written."""
    decide_only(tracked, mail(proven=True, text=REPORT))
    waiting = tracked.rows(study)[0]
    assert "answers with what stands" not in json.dumps(waiting.announcement)
    tracked.study()
    assert tracked.rows(study)[0].announcement is None
    (studied,) = [row.body for row in tracked.rows(event) if row.kind == "studied"]
    assert "search" not in studied and MEMBER not in studied
