"""The story that `triaged demo` plays: who writes what, and when, as data. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from triaged.ticket.events import State

BEGINS = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
DAYS = 120

IMS, RD, GFR = "ims-network", "responsible-disclosure", "good-faith-rules"  # policies, and the mailboxes under them
MAILBOXES = {
    IMS: "security@ims-network.test",
    RD: "security@responsible-disclosure.test",
    GFR: "security@good-faith.test",
}


@dataclass(frozen=True, slots=True)
class Researcher:
    """Somebody who reports under one policy."""

    name: str
    address: str
    proven: bool  # whether the mail server says that the address is really theirs


RESEARCHERS = {
    IMS: Researcher("Noa", "noa@example.org", True),
    RD: Researcher("Femke", "femke@example.net", True),
    GFR: Researcher("Luca", "luca@example.com", False),
}


@dataclass(frozen=True, slots=True)
class Reports:
    """The researcher's first mail, or a further one as a reply to the last letter."""

    policy: str
    text: str
    subject: str = ""  # empty: a reply


@dataclass(frozen=True, slots=True)
class Answers:
    """The member replies to the mail that told the team of the report: it goes to the researcher, below its commands."""

    policy: str
    text: str


@dataclass(frozen=True, slots=True)
class Moves:
    """A member moves the ticket on."""

    policy: str
    state: State


@dataclass(frozen=True, slots=True)
class Extends:
    """A member moves a date later, with a reason that the researcher is told."""

    policy: str
    promise: str  # fix | disclose
    day: date
    why: str


@dataclass(frozen=True, slots=True)
class Looks:
    """Nobody does anything: it is time for the board."""

    policy: str = ""


Deed = Reports | Answers | Moves | Extends | Looks


def _on(day: int, hour: str, deed: Deed) -> tuple[datetime, Deed]:
    hours, minutes = map(int, hour.split(":"))
    midnight = BEGINS.replace(hour=0, minute=0) + timedelta(days=day)
    return midnight + timedelta(hours=hours, minutes=minutes), deed


# Under the first policy the team is quick, then silent over the holidays; under the second all goes well; under the third
# the first assessment is late, and the fix takes longer than was promised.
SCRIPT: tuple[tuple[datetime, Deed], ...] = (
    _on(
        0,
        "09:12",
        Reports(
            IMS,
            "The login page of https://play.ims-network.test/login runs what stands in its parameter next.\n"
            "Steps to reproduce: 1. Open /login?next=javascript:alert(1). 2. Log in. The script runs.\n"
            "Somebody could take over an account with it. I tested with my own account only.\n\nNoa",
            "Cross-site scripting in the login page",
        ),
    ),
    _on(
        2,
        "14:30",
        Reports(
            RD,
            "Anybody who is logged in can read the orders of other customers by counting up the number in the\n"
            "address. I looked at one order that is not mine, by accident, and stopped there.\n\nFemke",
            "Orders of other customers can be read",
        ),
    ),
    _on(
        2,
        "08:05",
        Answers(IMS, "/assess accepted high CWE-79\n\nThank you, Noa. We see it too, and expect a fix in January."),
    ),
    _on(
        4,
        "20:40",
        Reports(
            GFR,
            "Your page /out sends people to any site that is in its parameter url, for example\n"
            "https://www.good-faith.test/out?url=https://evil.example. Good for phishing. Tested from 192.0.2.7.\n\nLuca",
            "Open redirect",
        ),
    ),
    _on(
        4,
        "09:20",
        Answers(
            RD,
            "/assess accepted high CWE-639 fix-by 14 December\n\nThank you, Femke. We can see it ourselves, and are at it.",
        ),
    ),
    _on(
        5, "07:50", Reports(RD, "Good. It is https://shop.responsible-disclosure.test/order/1234 by the way.\n\nFemke")
    ),
    _on(10, "12:00", Moves(IMS, State.FIXING)),
    _on(12, "22:59", Looks()),
    _on(
        13,
        "10:15",
        Answers(
            GFR,
            "/assess accepted medium CWE-601\n\nWe are sorry for the wait, Luca. You are right, and we will take the page down.",
        ),
    ),
    _on(18, "15:00", Moves(RD, State.FIXING)),
    _on(23, "11:30", Moves(RD, State.FIXED)),
    _on(23, "11:35", Answers(RD, "It is fixed since this morning. Would you try again, and may we name you?")),
    _on(24, "18:10", Reports(RD, "It is fixed, thank you for being so quick. You may name me as Femke.\n\nFemke")),
    _on(26, "09:00", Answers(GFR, "A short word: the page is used by a partner, who needs some time.")),
    _on(30, "10:00", Moves(RD, State.DISCLOSED)),
    _on(30, "10:05", Moves(RD, State.CLOSED)),
    _on(39, "09:30", Answers(GFR, "Our partner agreed. We are building a list of addresses that are allowed.")),
    _on(40, "09:00", Answers(IMS, "Forgive our silence over the holidays. The fix is being tested.")),
    _on(45, "13:00", Moves(IMS, State.FIXED)),
    _on(50, "10:00", Moves(GFR, State.FIXING)),
    _on(52, "08:00", Answers(IMS, "The fix is out. Under what name may we thank you in our Hall of Fame?")),
    _on(52, "16:45", Reports(IMS, "As Noa, please. I tried it again: it is fixed.\n\nNoa")),
    _on(55, "08:00", Moves(IMS, State.CLOSED)),
    _on(63, "09:00", Answers(GFR, "The list is half done.")),
    _on(76, "09:00", Answers(GFR, "The list is done, and our partner tests it.")),
    _on(84, "09:30", Extends(GFR, "fix", date(2027, 3, 5), "Links in printed letters must go on working.")),
    _on(84, "09:35", Extends(GFR, "disclose", date(2027, 3, 15), "Nobody should read of it before it is fixed.")),
    _on(97, "09:00", Answers(GFR, "The printed links work with the list. It goes out next week.")),
    _on(103, "14:00", Moves(GFR, State.FIXED)),
    _on(104, "09:00", Answers(GFR, "It is out. Would you like to be named as the discoverer?")),
    _on(112, "10:00", Moves(GFR, State.DISCLOSED)),
    _on(113, "10:00", Moves(GFR, State.CLOSED)),
)
