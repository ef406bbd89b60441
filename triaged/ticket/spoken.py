"""What of a ticket's conversations is inside, and what its researcher knows: for the leak gate. Values; compares nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from triaged.message.replies import own_words
from triaged.ticket.commands import VERBS
from triaged.ticket.events import JSON, Event, EventKind
from triaged.ticket.gate import Elsewhere
from triaged.ticket.letters import Audience

OPERATOR = "operator"  # who works at the command line
HELD = "HELD: "  # how the letter begins that shows the team a stranger's mail
ECHOES = frozenset({"done", "not_sent", "refused"})  # letters that show a member their own words
MOST_LINES = 10_000  # of a member's mail that are read for their own words
UNSENT = frozenset({"dropped", "failed", "held", "queued"})  # states of a letter that has not reached anybody


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of either conversation."""

    audience: str
    subject: str
    text: str
    template: str = ""  # of a letter of ours; "" for mail that came
    state: str = ""  # of a letter of ours
    files: tuple[str, ...] = ()  # names of what is attached to it
    became: tuple[str, ...] = ()  # texts of the letters that a member's mail became: they went, or wait to
    meant: bool = False  # a member's mail that was refused, and whose own words were for the researcher


def notes_of(spoken: Iterable[Spoken]) -> tuple[str, ...]:
    """The team's conversation. What became a letter is left out, with the echoes that show it: a member may write the same again
    after `/cancel`. What else stands in such a mail stays inside: a note beside it, the reason of a waiver, a quote.
    """
    team = (one for one in spoken if one.audience == Audience.TEAM and one.template not in ECHOES)
    return tuple(rest for one in team if (rest := _rest(one)))


REASONED = frozenset({EventKind.WAIVED, EventKind.BREACHED, EventKind.REWARDED, EventKind.PROPOSED})


def reasons_of(events: Iterable[Event]) -> tuple[str, ...]:
    """Why members did what nobody outside is told of: at the command line or on the board it stands in no mail of the ticket."""
    mine = (one for one in events if one.kind in REASONED and one.actor.startswith(("member:", OPERATOR)))
    return tuple(why for one in mine if isinstance(why := _why(one), str) and why)


def _why(event: Event) -> JSON:
    """The words of a proposal are its reason as well, where they are for nobody outside."""
    if event.kind is not EventKind.PROPOSED:
        return event.data.get("why")
    verb = VERBS.get(str(event.data.get("verb")))
    return event.data.get("words") if verb is not None and verb.secret else None


_TO_THE_RESEARCHER = ("/extend", "/split", "/advisory", "/revise")  # commands whose words a letter holds


def _rest(one: Spoken) -> str:
    """The lines that went nowhere. A refused mail's own words are sent again once it is mended; what it quotes is not."""
    became = (*one.became, own_words(one.text, MOST_LINES).text) if one.meant else one.became
    if not became:
        return one.text
    went = f" {_words(' '.join(became))} "
    return "\n".join(line for line in one.text.split("\n") if not _went(line, went))


def _went(line: str, went: str) -> bool:
    words = _words(line)
    return not words or f" {words} " in went or line.lstrip().lower().startswith(_TO_THE_RESEARCHER)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def said_of(spoken: Iterable[Spoken]) -> tuple[str, ...]:
    """The conversation with the researcher. What has not reached them yet is not said to them."""
    theirs = (one for one in spoken if one.audience == Audience.RESEARCHER)
    return tuple(f"{one.subject}\n{one.text}" for one in theirs if one.state not in UNSENT)


def elsewhere_of(
    reference: str, spoken: Sequence[Spoken], reasons: Iterable[str], people: Iterable[tuple[str, str]]
) -> Elsewhere:
    """What came on another ticket by mail, and members' reasons. Our answers there are not in it, nor are they where they are
    quoted: the same words are written to many.
    """
    told = " ".join(_words(one.text) for one in spoken if one.template and _reached(one))
    came = [(one.audience, text) for one in spoken if (text := _came(one, f" {told} "))]
    notes = (*(text for audience, text in came if audience == Audience.TEAM), *reasons)
    heard = tuple(text for audience, text in came if audience != Audience.TEAM)
    return Elsewhere(reference, notes, heard, tuple(people))


def _reached(one: Spoken) -> bool:
    return one.audience == Audience.RESEARCHER and one.state not in UNSENT


def for_reader(to: str, other: Elsewhere) -> Elsewhere:
    """As far as it is secret to the lower-case address `to`: who takes part there knows its people and what they wrote."""
    return replace(other, heard=(), people=()) if takes_part(to, other) else other


def takes_part(to: str, other: Elsewhere) -> bool:
    return any(address == to for _, address in other.people)


def _came(one: Spoken, told: str) -> str:
    """What came by mail. A stranger's mail that was held is no message of the ticket: it stands in our letter about it alone."""
    if one.template:
        held = one.audience == Audience.TEAM and one.text.startswith(HELD)
        return "\n".join(line[1:] for line in one.text.split("\n") if line.startswith(">")) if held else ""
    return "\n".join((*((one.subject,) if not one.became else ()), _without_quotes_of_ours(one, told), *one.files))


def _without_quotes_of_ours(one: Spoken, told: str) -> str:
    """A member's own words stay, also where they were let go to that ticket's researcher."""
    rest = _rest(one)
    own = f" {_words(own_words(one.text, MOST_LINES).text)} " if one.audience == Audience.TEAM else ""
    return "\n".join(line for line in rest.split("\n") if f" {_words(line)} " in own or f" {_words(line)} " not in told)
