"""The time in which a member's letter can be taken back, by mail: what was taken back never leaves."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.attacks import TEAM_KEY
from tests.e2e.installation import Installation, parsed, report, until, unusual
from tests.e2e.watched import Mail, Seen, Watch, post

pytestmark = pytest.mark.timeout(300)

UNDO = 120  # seconds


def passes(watch: Watch, at: datetime, *mails: Mail) -> list[Seen]:
    """The mail arrives, and the program runs once at that instant; all that has been seen since."""
    house = watch.house
    watch.arrive(mails)
    done = house.command("run", "--once", "--at", at.isoformat())
    assert done.returncode == 0, unusual(done.stderr)
    watch.settled()
    return watch.seen()


def keys(seen: list[Seen], ref: str) -> tuple[str, str]:
    """To the researcher and to the team."""
    relay = next(one for one in seen if one.ref == ref and one.template == "relay")
    team = TEAM_KEY.search(relay.text)
    assert team
    return str(parsed(relay.raw)["Reply-To"].addresses[0].addr_spec), team[1]


def by(house: Installation, to: str, text: str) -> Mail:
    return Mail(report(house.member, to, "Re: it", text), house.member, to)


def test_a_cancel_that_comes_as_the_letter_falls_due_stops_it(small_house: Installation) -> None:
    """Both wait for the same pass: what a member takes back goes before what may go. A held letter waits for /send."""
    house, watch, at = small_house, Watch(small_house), datetime.now(UTC)
    house.write(undo_seconds=UNDO)
    minute, people = timedelta(minutes=1), [f"{who}.{house.researcher}" for who in ("back", "held", "split")]
    seen = passes(watch, at, *(Mail(report(one, house.address), one, house.address) for one in people))
    first = {one.mailbox: one for one in seen if one.mailbox in people}
    back, held, split = (keys(seen, first[one].ref) for one in people)
    passes(watch, at + minute, by(house, back[0], "This is taken back."), by(house, held[0], "This is held."),
           by(house, split[1], "/split CSRF in the profile"))  # fmt: skip
    passes(watch, at + 2 * minute, by(house, held[1], "/hold"))
    due = at + minute + timedelta(seconds=UNDO + 1)
    passes(watch, due, by(house, back[1], "/cancel"), by(house, split[1], "/cancel"))
    seen = passes(watch, at + 20 * minute, by(house, held[1], "/send"))
    assert [(one.mailbox, one.text) for one in seen if one.mailbox in people and one not in first.values()] == [
        (people[1], "This is held.\n")
    ]
    seen = passes(watch, at + 21 * minute, by(house, held[1], "/cancel"))
    assert "gone" in seen[-1].text and seen[-1].mailbox == house.member
    assert "dropped: the letter" in next(one.text for one in reversed(seen) if one.ref == first[people[2]].ref)
    house.audit()


def test_a_cancel_that_races_with_the_letter_ends_in_one_of_two_ways(house: Installation) -> None:
    """With the daemon: either the letter stays and the echo says that it was dropped, or it goes and the echo says so."""
    house.write(undo_seconds=2)
    watch, people = Watch(house), [f"n{n}.{house.researcher}" for n in range(6)]
    with house.running():
        post(house.mx_port, [Mail(report(one, house.address), one, house.address) for one in people])
        until(lambda: len(watch.seen()) >= 2 * len(people), what="reports are taken in")
        seen = watch.seen()
        refs = [next(s.ref for s in seen if s.mailbox == one) for one in people]
        posted = [keys(seen, ref) for ref in refs]
        post(
            house.mx_port,
            [by(house, to, f"The answer about {ref}.") for (to, _), ref in zip(posted, refs, strict=True)],
        )
        until(lambda: sum(s.template == "done" and s.mailbox == house.member for s in watch.seen()) >= len(people))
        for _, team in posted:
            post(house.mx_port, [by(house, team, "/cancel")])
            time.sleep(0.25)
        told = 2 * len(people)
        until(lambda: sum(s.mailbox == house.member for s in watch.seen()) >= told, what="each cancel is echoed")
        time.sleep(3)
    seen = watch.seen()
    for one, ref in zip(people, refs, strict=True):
        went = [s for s in seen if s.mailbox == one and s.template == "answer"]
        echoed = [s.text for s in seen if s.mailbox == house.member and s.ref == ref]
        assert len(went) == any("can't be taken back" in text for text in echoed)
        assert (not went) == any("dropped: the letter" in text for text in echoed)
