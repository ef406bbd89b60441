"""The whole way with real clients and servers: report, acknowledgement, replies of both sides, on both databases."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from email.message import EmailMessage

import pytest

from tests.conftest import installed
from tests.e2e.installation import REF, Installation, parsed, report, until
from tests.servers import mutt, swaks

pytestmark = pytest.mark.timeout(300)

STORY = "Opening https://app.example.test/login?next=%3Cscript%3E shows the script's words in my browser, each time."
ASKED = "I forgot to say that it needs no login at all."
ANSWERED = "Thank you Noa, we could reproduce it and will write again on Tuesday."


@pytest.fixture(autouse=True)
def clients() -> None:
    installed("swaks", swaks.MEND)
    installed("mutt", mutt.MEND)


def field(message: EmailMessage, name: str) -> str:
    return str(message[name] or "").replace("\r\n", "").replace("\n", "")


def references(message: EmailMessage) -> list[str]:
    return field(message, "References").split()


def words(message: EmailMessage) -> str:
    text = message.get_body(("plain",))
    assert isinstance(text, EmailMessage)
    return str(text.get_content())


def by_swaks(house: Installation, sender: str, subject: str, body: str) -> str:
    """Report as a person with swaks does; gives the Message-ID."""
    message_id = f"<{time.time_ns()}@{sender.rpartition('@')[2]}>"
    given = ("--h-From", f"Noa Barak <{sender}>", "--header", f"Message-Id: {message_id}")
    swaks.send(house.mx_port, sender, house.address, *given, subject=subject, body=body)
    return message_id


def by_mutt(house: Installation, raw: bytes, text: str, sender: str) -> None:
    mutt.reply(raw, text, sender, house.mx_port)


def test_a_report_goes_the_whole_way_and_back(house: Installation) -> None:
    with house.running():
        reported = by_swaks(house, house.researcher, "XSS in the login form", STORY)
        acknowledgement = an_acknowledgement_reaches_the_researcher(house, reported)
        announcement = the_team_holds_the_report(house)
        by_mutt(house, house.inbox(house.researcher)[0], ASKED, f"Noa Barak <{house.researcher}>")
        the_reply_reaches_the_team(house, announcement)
        by_mutt(house, house.inbox(house.team)[1], f"{ANSWERED}\n\n-- \nDana Levi\nroom 4.17", house.member)
        the_answer_reaches_the_researcher(house, acknowledgement)
        the_team_hears_that_it_was_answered(house)
        until(lambda: {x["state"] for x in house.read("outbox", "list")} == {"accepted"})
    the_tracker_holds_it_all(house, reported)
    house.audit()


def an_acknowledgement_reaches_the_researcher(house: Installation, reported: str) -> EmailMessage:
    [message] = house.got(house.researcher)
    ref = REF.search(field(message, "Subject"))
    assert ref
    assert field(message, "Subject") == f"Re: XSS in the login form [{ref[0]}]"
    assert field(message, "From") == f"IMS Network security <{house.address}>"
    assert field(message, "To") == house.researcher
    local, _, domain = house.address.partition("@")
    token = ref[0].removeprefix("IMS-").replace("-", "").lower()
    assert f"<{local}+{token}.r." in field(message, "Reply-To")
    assert field(message, "Return-Path").startswith(f"<{local}+{token}.b.")
    assert field(message, "In-Reply-To") == reported
    assert references(message) == [reported]
    assert field(message, "Auto-Submitted") == "auto-replied"  # AR-12
    assert field(message, "Message-ID").endswith(f"@{domain}>")  # AR-18
    assert "acknowledging your report within 3 business days" in " ".join(words(message).split())
    assert house.team not in message.as_string()
    return message


def the_team_holds_the_report(house: Installation) -> EmailMessage:
    [message] = house.got(house.team)
    assert field(message, "To") == house.team
    assert "TO RESEARCHER" in field(message, "Reply-To")
    assert field(message, "Auto-Submitted") == "auto-generated"
    assert field(message, "Subject").endswith("XSS in the login form")
    assert "> Opening hxxps://app[.]example[.]test/login" in words(message)  # AT-21
    assert house.researcher in words(message)
    assert "proven for proven.test" in words(message)
    return message


def the_reply_reaches_the_team(house: Installation, announcement: EmailMessage) -> None:
    message = house.got(house.team, 2)[1]
    assert f"> {ASKED}" in words(message)
    assert field(message, "In-Reply-To") == field(announcement, "Message-ID")
    assert references(message) == [field(announcement, "Message-ID")]
    assert len(house.inbox(house.researcher)) == 1  # AR-9: no second acknowledgement


def the_answer_reaches_the_researcher(house: Installation, acknowledgement: EmailMessage) -> None:
    message = house.got(house.researcher, 2)[1]
    raw = house.inbox(house.researcher)[1].decode()
    assert words(message).strip() == ANSWERED
    assert field(message, "From") == f"IMS Network security <{house.address}>"
    assert field(message, "To") == house.researcher
    assert field(message, "Subject") == field(acknowledgement, "Subject")
    assert field(message, "Reply-To") == field(acknowledgement, "Reply-To")
    assert message["Auto-Submitted"] is None  # AR-12: a person's words
    assert field(acknowledgement, "Message-ID") in references(message)
    assert references(message)[-1] == field(message, "In-Reply-To")
    for ours in (house.team, house.member, "Dana", "room 4.17", "New report", "TO RESEARCHER"):
        assert ours not in raw  # AT-29, AT-30


def the_team_hears_that_it_was_answered(house: Installation) -> None:
    message = house.got(house.team, 3)[2]
    assert "answered the researcher" in words(message) and "assess is still owed" in words(message)
    assert "team only" in field(message, "Reply-To")


def the_tracker_holds_it_all(house: Installation, reported: str) -> None:
    [listed] = house.read("ticket", "list")
    ticket = house.read("ticket", "show", listed["ref"].lower().replace("-", ""))
    assert ticket["ref"] == listed["ref"]
    assert (ticket["kind"], ticket["state"], ticket["waiting"]) == ("report", "received", False)
    assert ticket["subject"] == "XSS in the login form"
    assert ticket["reporter"] == {"name": "Noa Barak", "address": house.researcher, "proven": True}
    assert ticket["policy"]["version"] == "2026-11-20"
    shape = Counter((m["direction"], m["audience"]) for m in ticket["messages"])
    assert shape == {("in", "researcher"): 2, ("out", "researcher"): 2, ("in", "team"): 1, ("out", "team"): 4}
    assert ticket["messages"][0]["message_id"] == reported
    assert STORY in " ".join(ticket["messages"][0]["text"].split())
    clocks = {c["promise"]: c for c in ticket["clocks"]}
    assert set(clocks) == {"acknowledge", "assess", "update"}
    assert clocks["acknowledge"]["met_at"] is not None
    assert clocks["acknowledge"]["clause"] == "acknowledging your report within 3 business days"
    assert not any(c["missed_at"] or c["paused"] or c["waived"] for c in clocks.values())
    assert [e["seq"] for e in ticket["events"]] == list(range(1, len(ticket["events"]) + 1))
    kinds = [e["kind"] for e in ticket["events"]]
    assert (kinds[0], kinds.count("received"), kinds.count("message"), kinds.count("met")) == ("received", 1, 2, 2)
    assert clocks["assess"]["met_at"] is None, "an answer is no assessment"
    assert {e["actor"] for e in ticket["events"]} == {"researcher", "triaged", "member:Dana Levi"}
    outcomes = [r["outcome"] for r in house.read("receipt", "list")]
    assert sorted(outcomes) == ["appended", "appended", "ticket"]


def test_an_acknowledgement_comes_within_two_seconds_of_delivery(house: Installation) -> None:
    seconds = []
    with house.running():
        for number in range(10):
            sender = f"n{number}.{house.researcher}"
            began = time.monotonic()
            house.deliver(report(sender, house.address), sender)
            house.got(sender)
            seconds.append(time.monotonic() - began)
    median = statistics.median(seconds)
    print(f"delivery to acknowledgement: median {median:.3f} s, worst {max(seconds):.3f} s")
    assert median < 2


def test_what_an_unproven_sender_wrote_comes_back_in_nothing(house: Installation) -> None:
    """P2, AR-14, AR-16, AR-17."""
    given = ("--h-From", f"Zebra Quagga <{house.stranger}>", "--header", "Message-Id: <okapi@elsewhere.test>")
    subject, body = "Pangolin in the cellar", "A numbat opens the tapir without a key."
    swaks.send(house.mx_port, house.stranger, house.address, *given, subject=subject, body=body)
    house.once()
    [raw] = house.inbox(house.stranger)
    assert len(raw) - raw.find(b"From: IMS Network") <= 2048
    for word in (b"Zebra", b"Quagga", b"Pangolin", b"cellar", b"numbat", b"tapir"):
        assert word.lower() not in raw.lower()
    message = parsed(raw)
    [ticket] = house.tickets()
    assert field(message, "Subject") == f"We received your report [{ticket['ref']}]"
    assert field(message, "Auto-Submitted") == "auto-replied"
    assert ticket["reporter"]["proven"] is False
    assert next(c for c in ticket["clocks"] if c["promise"] == "acknowledge")["met_at"]


def test_a_second_report_of_an_unproven_address_is_the_teams_work(house: Installation) -> None:
    """AR-10: one automatic letter a day; the promise runs on."""
    for _ in range(2):
        house.deliver(report(house.stranger, house.address), house.stranger)
    house.once()
    assert len(house.inbox(house.stranger)) == 1
    met = sorted(bool(next(c for c in t["clocks"] if c["promise"] == "acknowledge")["met_at"]) for t in house.tickets())
    assert met == [False, True]
    house.audit()


def opened(house: Installation) -> str:
    """A proven report that has been taken in; its reference."""
    house.deliver(b"Authentication-Results: mx.example.test; dmarc=pass header.from=proven.test\r\n"
                  + report(house.researcher, house.address), house.researcher)  # fmt: skip
    house.once()
    [ticket] = house.tickets()
    assert ticket["reporter"]["proven"]
    ref: str = ticket["ref"]
    return ref


def test_a_members_reply_that_nothing_proves_is_held_and_the_member_is_told(house: Installation) -> None:
    ref = opened(house)
    [announcement] = house.got(house.team)
    answer = report(house.member, field(announcement, "Reply-To"), f"Re: [{ref}]", ANSWERED)
    house.deliver(answer, house.member)
    house.once()
    assert len(house.inbox(house.researcher)) == 1
    [told] = house.got(house.member)
    assert "NOT sent to the researcher" in words(told)
    assert [r["outcome"] for r in house.receipts()] == ["held", "ticket"]
    house.audit()


def test_a_stranger_at_a_keyed_address_is_held_and_hears_nothing(house: Installation) -> None:
    """TH-2."""
    ref = opened(house)
    [acknowledgement] = house.got(house.researcher)
    keyed = field(acknowledgement, "Reply-To")
    house.mail_to_key(keyed, report(house.stranger, keyed, f"Re: [{ref}]", "Please tell me all about it."))
    house.once()
    assert house.inbox(house.stranger) == []
    assert len(house.tickets()) == 1
    assert [r["outcome"] for r in house.receipts()] == ["held", "ticket"]
    assert "HELD" in words(house.got(house.team, 2)[1])
    assert "tell me all" not in str([m["text"] for m in house.ticket(ref)["messages"] if m["direction"] == "in"])
    house.audit()


def test_a_wrong_key_makes_a_new_report(house: Installation) -> None:
    """AT-6: a guess is neither believed nor lost, and is answered like any report."""
    opened(house)
    [acknowledgement] = house.got(house.researcher)
    keyed = field(acknowledgement, "Reply-To")
    head, _, mac = keyed.rpartition(".r.")
    wrong = f"{head}.r.{'0' * 16}{mac[16:]}"
    house.mail_to_key(wrong, report(house.stranger, wrong))
    house.once()
    assert len(house.tickets()) == 2
    assert len(house.inbox(house.stranger)) == 1
    house.audit()


def test_without_plus_addressing_message_ids_carry_the_story(house: Installation) -> None:
    house.write(plus=False, envelope="address")
    with house.running():
        reported = by_swaks(house, house.researcher, "XSS in the login form", STORY)
        [acknowledgement] = house.got(house.researcher)
        assert acknowledgement["Reply-To"] is None
        assert field(acknowledgement, "Return-Path") == f"<{house.address}>"
        assert field(acknowledgement, "In-Reply-To") == reported
        house.got(house.team)
        by_mutt(house, house.inbox(house.researcher)[0], ASKED, f"Noa Barak <{house.researcher}>")
        house.got(house.team, 2)
        by_mutt(house, house.inbox(house.team)[1], ANSWERED, house.member)
        answer = house.got(house.researcher, 2)[1]
        house.got(house.team, 3)
    assert words(answer).strip() == ANSWERED
    assert field(acknowledgement, "Message-ID") in references(answer)
    assert house.team not in answer.as_string()
    assert house.member not in answer.as_string()
    assert len(house.tickets()) == 1
    assert sorted(r["outcome"] for r in house.receipts()) == ["appended", "appended", "ticket"]
    house.audit()


def test_without_plus_addressing_a_stranger_who_names_a_letter_is_held(house: Installation) -> None:
    """TH-2: knowing a Message-ID is no proof of who one is."""
    house.write(plus=False, envelope="address")
    opened(house)
    [acknowledgement] = house.got(house.researcher)
    house.deliver(
        report(house.stranger, house.address, In_Reply_To=field(acknowledgement, "Message-ID")), house.stranger
    )
    house.once()
    assert house.inbox(house.stranger) == []
    assert [r["outcome"] for r in house.receipts()] == ["held", "ticket"]
    house.audit()
