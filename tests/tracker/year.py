"""A mailbox's year in one process that may be killed: reports, answers and moves by a plan, clocks, letters. Started again, it
goes on where it was. `python -m tests.tracker.year URL FOLDER REPORTS DAYS` goes to the end of the plan, or dies on the way.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from tests.ticket.scene import DESK, MEMBER, POLICY, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged import resources
from triaged.daemon import points
from triaged.daemon.tending import send_boards, tend_due
from triaged.mail.ports import Fetched
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.events import State
from triaged.ticket.verbs import move
from triaged.tracker import migrate, outbox, receipts, studying
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.schema import ticket

BEGIN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUSE = replace(DESK, caps=replace(DESK.caps, proven_per_hour=10_000))


@dataclass(frozen=True, slots=True)
class Deed:
    """What people do at an instant: a report by `who`, an answer to it, or a move of its ticket."""

    at: datetime
    who: int
    what: str  # report | assess | answer | a state


def plan(reports: int, days: int, seed: int = 1) -> list[Deed]:
    """The same for the same arguments: most reports are answered, fixed and closed, some wait in silence for weeks."""
    chance = random.Random(seed)
    deeds: list[Deed] = []
    for who in range(reports):
        at = BEGIN + chance.random() * max(days - 90, days // 3) * DAY
        deeds.append(Deed(at, who, "report"))
        at += chance.uniform(0.1, 10) * DAY
        deeds += [Deed(at, who, "assess"), Deed(at + DAY / 7, who, "fixing")]
        for _ in range(chance.randrange(4)):
            at += chance.choice((5, 10, 13, 13, 13, 25)) * DAY + chance.random() * DAY
            deeds.append(Deed(at, who, chance.choice(("answer", "answer", "fixing"))))
        deeds += [Deed(at + 2 * DAY, who, "fixed"), Deed(at + 9 * DAY, who, "closed")]
    end = BEGIN + days * DAY
    whole = {replace(d, at=d.at.replace(microsecond=0)) for d in deeds if d.at < end}
    return sorted(whole, key=lambda d: (d.at, d.who, d.what))


class Year:
    """The process."""

    def __init__(self, url: str, folder: Path, reports: int, days: int) -> None:
        self.deeds = plan(reports, days)
        self.end = BEGIN + days * DAY
        self.progress = folder / "instant"
        engine = connect(url)
        migrate.upgrade(engine, resources.migrations())
        self.tracked: Tracked = open_tracker(engine, HOUSE)
        self.tracked.entropy = os.urandom  # type: ignore[assignment]
        self._take_over()

    def _take_over(self) -> None:
        """What the dead process had in hand, as the daemon takes it over."""
        with writing(self.tracked.engine) as connection:
            receipts.forget_attempts(connection, self.tracked.owner)
            studying.forget_attempts(connection, self.tracked.owner)
            outbox.release(connection, self.tracked.owner, BEGIN)

    def live(self) -> None:
        at = datetime.fromisoformat(self.progress.read_text()) if self.progress.exists() else BEGIN
        while at <= self.end:
            self.pass_at(at)
            at = self.following(at)
            beside = self.progress.with_suffix(".new")
            beside.write_text(at.isoformat())
            beside.replace(self.progress)

    def pass_at(self, at: datetime) -> None:
        """As `run --once --at` goes: mail, study, clocks, boards, letters."""
        tracked = self.tracked
        tracked.at = at
        for number, deed in enumerate(self.deeds, start=1):
            if deed.at == at:
                self.do(number, deed)
        tracked.take_in()
        self.tend()
        for deed in self.deeds:
            if deed.at == at and deed.what not in ("report", "assess", "answer"):
                self.do_move(deed)
        send_boards(tracked.tender())
        self.tend()

    def tend(self) -> None:
        tend_due(self.tracked.tender())
        while self.send():
            tend_due(self.tracked.tender())

    def send(self) -> bool:
        parcels = self.tracked.claim()
        if parcels:
            points.reach("letters-claimed")
            self.tracked.record(parcels)
            points.reach("results-recorded")
        return bool(parcels)

    def following(self, at: datetime) -> datetime:
        """The next deed, wake-up or board."""
        deed = next((d.at for d in self.deeds if d.at > at), None)
        wake = self.tracked.wake_at()
        later = [i for i in (deed, wake, _board_after(at)) if i is not None]
        return max(min(later), at + timedelta(microseconds=1))

    def do(self, number: int, deed: Deed) -> None:
        """Mail arrives: once, by its UID."""
        if deed.what not in ("report", "assess", "answer"):
            return
        folders = self.tracked.folders()
        if number <= folders.open("INBOX", 1).last_uid:
            return
        raw = self.report(deed) if deed.what == "report" else self.answer(number, deed)
        one = Fetched(uid=number, internal_date=deed.at, size=len(raw), raw=raw, truncated=False, junk=False)
        folders.keep("INBOX", 1, [one], number)
        points.reach("receipts-stored")

    def report(self, deed: Deed) -> bytes:
        words = random.Random(deed.who)
        text = " ".join(f"{words.choice(('login', 'form', 'page', 'cookie', 'token'))}{deed.who}" for _ in range(30))
        return mail(
            f"r{deed.who}@proven.org", proven=True, subject=_subject(deed.who), text=f"The server shows {text}.",
            message_id=f"<report.{deed.who}@proven.org>",
        )  # fmt: skip

    def answer(self, number: int, deed: Deed) -> bytes:
        to = keyed_address(HOUSE.address, self.ticket(deed.who)[0], Role.RESEARCHER, HOUSE.keys[0])
        words = f"We are at it, report {deed.who}, letter {number}."
        if deed.what == "assess":
            words = f"/assess accepted\n\n{words}"
        return mail(MEMBER, to, proven=True, text=words, message_id=f"<answer.{number}@example.test>")

    def do_move(self, deed: Deed) -> None:
        _, ref, state = self.ticket(deed.who)
        if state == deed.what:
            return
        at = self.tracked.at
        self.tracked.act(ref, lambda one, _: move(one, State(deed.what), "member:Dana Levi", at))

    def ticket(self, who: int) -> tuple[str, str, str]:
        with reading(self.tracked.engine) as connection:
            columns = (ticket.c.token, ticket.c.ref, ticket.c.state)
            token, ref, state = connection.execute(select(*columns).where(ticket.c.subject == _subject(who))).one()
        return token, ref, state


def _subject(who: int) -> str:
    return f"report number {who}"


def _board_after(at: datetime) -> datetime:
    zone = POLICY.calendar.tzinfo
    day = at.astimezone(zone).date()
    boards = (datetime(d.year, d.month, d.day, 8, 30, tzinfo=zone) for d in (day, day + DAY))
    return next(i for i in boards if i > at).astimezone(UTC)


def main(words: Sequence[str]) -> None:
    points.arm(os.environ)
    url, folder, reports, days = words
    Year(url, Path(folder), int(reports), int(days)).live()


if __name__ == "__main__":
    main(sys.argv[1:])
