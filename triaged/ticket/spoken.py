"""What of a ticket's two conversations is inside, and what its researcher knows: for the leak gate. Values only; compares nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triaged.ticket.letters import Audience

ECHOES = frozenset({"done", "not_sent"})  # letters that show a member their own words
UNSENT = frozenset({"dropped", "failed", "held", "queued"})  # states of a letter that has not reached anybody


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of either conversation."""

    audience: str
    subject: str
    text: str
    template: str = ""  # of a letter of ours; "" for mail that came
    state: str = ""  # of a letter of ours
    became: bool = False  # a member's mail whose words went to the researcher, or wait to


def notes_of(spoken: Iterable[Spoken]) -> tuple[str, ...]:
    """The team's conversation. What became a letter is left out, with the echoes that show it: a member may write the same again
    after `/cancel`.
    """
    team = (one for one in spoken if one.audience == Audience.TEAM)
    return tuple(one.text for one in team if one.template not in ECHOES and not one.became)


def said_of(spoken: Iterable[Spoken]) -> tuple[str, ...]:
    """The conversation with the researcher. What has not reached them yet is not said to them."""
    theirs = (one for one in spoken if one.audience == Audience.RESEARCHER)
    return tuple(f"{one.subject}\n{one.text}" for one in theirs if one.state not in UNSENT)
