"""Whatever is killed, cut, restarted or renumbered: one ticket and one acknowledgement for each report."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.installation import Installation, end_well, parsed, until, without_trace
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.process import stop
from tests.servers.proxy import Proxy, proxy
from triaged.daemon.points import PASSED

pytestmark = pytest.mark.timeout(900)  # each wait of a test may be as long as the daemon holds a letter back

# From the claim to our commit nobody can tell what the server has (RFC 1047): what goes then is counted as a repeat.
WITH_LETTERS_IN_HAND = {"letters-claimed", "letter-accepted", "results-recorded"}


def senders(house: Installation, count: int = 3) -> list[str]:
    return [f"r{number}.{house.researcher}" for number in range(count)]


def each_has_one(house: Installation, people: list[str], repeats: bool = False) -> None:
    """One ticket each, one acknowledgement each in their mailbox, one announcement each for the team; the audit agrees.

    `repeats`: further copies are allowed where the bytes are the same and the outbox has counted them (law 4).
    """
    tickets, letters = house.tickets(), house.letters()
    assert Counter(t["reporter"]["address"] for t in tickets) == Counter(people)
    assert {x["state"] for x in letters} == {"accepted"}
    assert Counter(x["to"] for x in letters if x["audience"] == "researcher") == Counter(people)
    counted = {x["message_id"]: x["repeats"] for x in letters}
    copies = {p: arrived(house, p) for p in people}
    copies[house.team] = arrived(house, house.team)
    for person, mails in copies.items():
        assert len(set(mails)) == (len(people) if person == house.team else 1)
        for raw, count in Counter(mails).items():
            more = counted[str(parsed(raw)["Message-ID"])]
            assert count <= 1 + more, (person, count, more)
            assert more == 0 or repeats, (person, more)
    house.audit()


def arrived(house: Installation, address: str) -> list[bytes]:
    """What lies there, once Postfix has nothing more on its way, without what the servers wrote on top."""
    return [without_trace(raw.replace(b"\r\n", b"\n")) for raw in house.dovecot.wait_for(address)]


def settled(house: Installation, people: list[str]) -> None:
    """All letters are with their readers."""
    for person in people:
        house.got(person)
    house.got(house.team, len(people))


def rested(house: Installation, people: list[str]) -> None:
    """All letters are with their readers, and the outbox knows: nothing is left to try again."""
    settled(house, people)
    until(lambda: [x["state"] for x in house.letters()] == ["accepted"] * (2 * len(people)))


POINTS = [name for name in PASSED if not name.startswith("clocks-")]  # for a clock to be due, days have to pass


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_costs_nothing_and_doubles_nothing(house: Installation, point: str) -> None:
    killed_and_gone_on(house, f"{point}:1")


# Several letters or tickets are claimed, and results recorded, at a time: there may be no second time.
TOGETHER = frozenset({"letters-claimed", "results-recorded", "study-claimed", "study-indexed", "study-written"})


@pytest.mark.parametrize("point", [name for name in POINTS if name not in TOGETHER])
def test_a_kill_between_two_messages_costs_nothing_and_doubles_nothing(small_house: Installation, point: str) -> None:
    small_house.write(fetch_messages=1)
    killed_and_gone_on(small_house, f"{point}:2")


def killed_and_gone_on(house: Installation, point: str) -> None:
    house.write(sent_folder="Sent")
    people = senders(house)
    house.arrives(*people)
    house.killed_at(point)
    house.once()
    house.once()
    settled(house, people)
    each_has_one(house, people, repeats=point.partition(":")[0] in WITH_LETTERS_IN_HAND)
    sent = [str(parsed(raw)["Message-ID"]) for raw in house.dovecot.fetch_all(house.address, "Sent")]
    assert sorted(sent) == sorted(x["message_id"] for x in house.letters())  # IM-15


def test_a_kill_after_the_server_took_a_letter_repeats_it_byte_for_byte_and_says_so(small_house: Installation) -> None:
    """SM-2."""
    house = small_house
    house.arrives(house.researcher)
    house.killed_at("letter-accepted")
    house.once()
    until(lambda: len(house.inbox(house.researcher)) + len(house.inbox(house.team)) >= 3)
    repeated = [x for x in house.letters() if x["repeats"]]
    assert {x["to"] for x in repeated} <= {house.researcher, house.team}
    twice = house.researcher if len(house.inbox(house.researcher)) == 2 else house.team
    first, second = arrived(house, twice)
    assert first == second
    assert twice in {x["to"] for x in repeated}
    each_has_one(house, [house.researcher], repeats=True)


def test_a_second_pass_does_nothing_more(house: Installation) -> None:
    people = senders(house)
    house.arrives(*people)
    house.once()
    before = house.letters(), house.receipts()
    house.once()
    assert (house.letters(), house.receipts()) == before
    settled(house, people)
    each_has_one(house, people)


def test_a_new_uidvalidity_makes_no_second_ticket_and_sends_nothing(house: Installation) -> None:
    """IM-3."""
    people = senders(house)
    house.arrives(*people[:2])
    house.once()
    house.dovecot.renumber(house.address)
    house.arrives(people[2])
    house.once()
    assert Counter(r["outcome"] for r in house.receipts()) == {"ticket": 3, "copy": 2}
    settled(house, people)
    each_has_one(house, people)


def test_what_a_colleague_has_read_is_taken_in_all_the_same(house: Installation) -> None:
    """IM-1, law 3."""
    people = senders(house)
    house.arrives(*people)
    house.dovecot.flag(house.address, r"\Seen \Flagged")
    house.once()
    settled(house, people)
    each_has_one(house, people)


def test_sweeping_changes_no_flag(small_house: Installation) -> None:
    """IM-1."""
    house = small_house
    house.arrives(*senders(house))
    house.once()
    with house.dovecot.session(house.address) as peer:
        _, rows = peer.fetch("1:*", "(FLAGS)")
    assert not [row for row in rows if b"Seen" in bytes(row)]  # type: ignore[arg-type]


def test_what_is_expunged_between_two_passes_keeps_its_ticket(house: Installation) -> None:
    """IM-5, IM-8."""
    people = senders(house)
    house.arrives(*people[:2])
    house.once()
    house.dovecot.expunge(house.address)
    house.arrives(people[2])
    house.once()
    settled(house, people)
    each_has_one(house, people)


def test_what_is_expunged_after_a_killed_pass_is_not_lost(house: Installation) -> None:
    """Law 1: the receipt holds the bytes before anything reads them."""
    people = senders(house)
    house.arrives(*people)
    house.killed_at("receipts-stored")
    house.dovecot.expunge(house.address)
    house.once()
    settled(house, people)
    each_has_one(house, people)


@pytest.fixture
def lines(small_house: Installation) -> Iterator[tuple[Proxy, Proxy]]:
    """The house behind two lines that can be cut: to IMAP and to SMTP."""
    house = small_house
    with proxy(house.dovecot.imap_port) as imap, proxy(house.values["smtp_port"]) as smtp:  # type: ignore[arg-type]
        house.write(imap_port=imap.port, smtp_port=smtp.port, poll_seconds=2)
        yield imap, smtp


CUTS: dict[str, Callable[[Proxy], None]] = {"cut": Proxy.cut, "reset": Proxy.reset, "half_close": Proxy.half_close}


def test_a_daemon_whose_lines_are_cut_goes_on_by_itself(small_house: Installation, lines: tuple[Proxy, Proxy]) -> None:
    house = small_house
    imap, smtp = lines
    people = senders(house, 2 * len(CUTS))
    with house.running():
        for number, cut in enumerate(CUTS.values()):
            before, after = people[2 * number : 2 * number + 2]
            house.arrives(before)
            cut(imap)
            cut(smtp)
            house.arrives(after)
            # No letter meets a second fault: the wait after that is five minutes.
            rested(house, people[: 2 * number + 2])
    house.write(imap_port=house.dovecot.imap_port)
    each_has_one(house, people, repeats=True)


def test_letters_wait_while_the_submission_server_is_away(
    small_house: Installation, lines: tuple[Proxy, Proxy]
) -> None:
    """SM-5."""
    house = small_house
    _, smtp = lines
    people = senders(house)
    with house.running():
        smtp.refuse()
        smtp.cut()
        house.arrives(*people)
        until(lambda: len(house.tickets()) == 3)
        assert "accepted" not in {x["state"] for x in house.letters()}
        smtp.forward()
        rested(house, people)
    each_has_one(house, people)


def test_a_pass_without_a_submission_server_says_no_and_loses_nothing(
    small_house: Installation, lines: tuple[Proxy, Proxy]
) -> None:
    house = small_house
    _, smtp = lines
    smtp.refuse()
    people = senders(house)
    house.arrives(*people)
    assert house.command("run", "--once").returncode == 1
    smtp.forward()
    time.sleep(1.1)  # the first hold
    house.once()
    settled(house, people)
    each_has_one(house, people)


def test_a_restarted_dovecot_is_found_again(small_house: Installation, dovecot: Dovecot) -> None:
    house = small_house
    house.write(poll_seconds=2)
    people = senders(house, 2)
    with house.running():
        house.arrives(people[0])
        house.got(people[0])
        dovecot.restart()
        house.arrives(people[1])
        rested(house, people)
    each_has_one(house, people)


def test_a_postfix_that_was_away_gets_every_letter_once(small_house: Installation, postfix: Postfix) -> None:
    house = small_house
    house.write(smtp_port=postfix.submission_port)
    people = senders(house)
    with house.running():
        postfix.stop()
        try:
            house.arrives(*people)
            until(lambda: len(house.tickets()) == 3)
        finally:
            postfix.start()
        rested(house, people)
    each_has_one(house, people)


def test_sigterm_while_busy_ends_well_and_leaves_the_rest_for_later(house: Installation) -> None:
    people = senders(house, 60)
    house.arrives(*people)
    process = house.start()
    try:
        until(lambda: b"message taken in" in house.log.read_bytes())
        end_well(process, house.log, 10)
    finally:
        stop(process)
    house.once()
    settled(house, people)
    each_has_one(house, people)


def test_kills_at_random_times_lose_and_double_nothing(house: Installation) -> None:
    chance = random.Random(house.url.partition(":")[0])
    people = senders(house, 25)
    for number in range(5):
        house.arrives(*people[5 * number : 5 * number + 5])
        process = house.start()
        time.sleep(chance.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop(process)
    house.once()
    house.once()
    settled(house, people)
    each_has_one(house, people, repeats=True)
