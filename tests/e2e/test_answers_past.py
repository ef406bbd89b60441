"""People answer from the shared mailbox itself: their letter is found in the sent folder, and nothing is sent twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.e2e.installation import Installation, parsed, report, until
from triaged.ticket.clocks import ACKNOWLEDGE

pytestmark = pytest.mark.timeout(300)

WORDS = "Thank you, we could reproduce it and will write again on Tuesday.\n"


def answered_by_hand(house: Installation) -> str:
    """The researcher reports, is acknowledged, and somebody answers from the mailbox's own web mail; gives the Message-ID."""
    house.write(sent_folder="Sent")
    reported = report(house.researcher, house.address)
    house.deliver(reported, house.researcher)
    house.once()
    letter = report(house.address, house.researcher, body=WORDS, In_Reply_To=str(parsed(reported)["Message-ID"]))
    house.dovecot.append(letter, house.address, "Sent", r"\Seen")
    house.once()
    return str(parsed(letter)["Message-ID"])


def test_a_letter_in_the_sent_folder_keeps_the_clocks_and_sends_no_second_one(house: Installation) -> None:
    letter = answered_by_hand(house)
    [ticket] = house.tickets()
    whole = house.ticket(ticket["ref"])
    [own] = [m for m in whole["messages"] if m["message_id"] == letter]
    assert (own["direction"], own["audience"]) == ("out", "researcher")
    met = {c["promise"] for c in whole["clocks"] if c["met_at"] == own["at"]}
    assert "update" in met and met <= {"update", ACKNOWLEDGE}, "an assessment that nobody sees keeps nothing"
    assert [x["template"] for x in house.letters() if x["audience"] == "researcher"] == ["acknowledgement_minimal"]
    assert len(house.got(house.researcher)) == 1  # what was appended was sent by another program
    told = house.got(house.team, 2)
    [said] = [str(m.get_content()) for m in told if "answered from the mailbox itself" in str(m.get_content())]
    assert "assess is still owed" in said
    house.audit()


def test_our_own_copies_there_are_filed_and_a_renumbered_folder_sends_nothing(house: Installation) -> None:
    """IM-3, IM-15."""
    answered_by_hand(house)
    house.once()
    before = house.letters(), house.ticket(house.tickets()[0]["ref"])
    outcomes = Counter(r["outcome"] for r in house.receipts() if r["folder"] == "Sent")
    assert outcomes == {"appended": 1, "filed": len(house.letters())}
    house.audit()
    house.dovecot.renumber(house.address, "Sent")
    house.once()
    assert (house.letters(), house.ticket(house.tickets()[0]["ref"])) == before
    assert Counter(r["outcome"] for r in house.receipts() if r["folder"] == "Sent")["copy"] == len(house.letters()) + 1
    house.audit()


def test_the_daemon_sees_it_too_and_leaves_the_folder_as_it_was(small_house: Installation) -> None:
    house = small_house
    house.write(sent_folder="Sent", poll_seconds=1)
    reported = report(house.researcher, house.address)
    with house.running():
        house.deliver(reported, house.researcher)
        house.got(house.researcher)
        letter = report(house.address, house.researcher, body=WORDS, In_Reply_To=str(parsed(reported)["Message-ID"]))
        house.dovecot.append(letter, house.address, "Sent")
        until(lambda: any(r["outcome"] == "appended" for r in house.receipts()), what="the letter joins its ticket")
        house.got(house.team, 2)
    with house.dovecot.session(house.address, "Sent") as peer:
        _, rows = peer.search(None, "UNSEEN")
        assert len(rows[0].split()) == 1, "law 3: looking marks nothing"


def test_check_says_when_the_sent_folder_is_not_there(small_house: Installation) -> None:
    house = small_house
    house.write(sent_folder="No such folder")
    done = house.command("check")
    assert done.returncode == 1 and "mend sent_folder" in done.stdout
