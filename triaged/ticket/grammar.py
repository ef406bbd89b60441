"""A member's own words read as commands and text. Line by line; what can't be read is refused in words, never half read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from triaged.message.replies import Own
from triaged.ticket.commands import VERBS, Text, Verb

MOST_ORDERS = 20
SHOWN = 60
SHOWN_BELOW = 3

_COMMAND = re.compile(r"/([A-Za-z][A-Za-z-]*)(?:[ \t]+(.*))?")


@dataclass(frozen=True, slots=True)
class Order:
    """One command as it was read."""

    verb: Verb
    words: str  # what follows it on its line, white space folded

    def __str__(self) -> str:
        return f"/{self.verb.name} {self.words}".rstrip()


@dataclass(frozen=True, slots=True)
class Orders:
    """All that one mail, or one command line, asks for."""

    orders: tuple[Order, ...]
    text: str
    below: tuple[str, ...] = ()  # lines of the text that begin with /: they are text, and the echo says so


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was done, and the mend."""

    why: str
    mend: str
    misread: bool = False  # the words could not be read; else the ticket does not let it be done


def read_orders(own: Own) -> Orders | Refused:
    """The commands at the top of a member's own words, and the text below them."""
    lines = [line.replace("\N{NO-BREAK SPACE}", " ").strip() for line in own.top]
    orders: list[Order] = []
    for line in lines:
        order = _order(line) if line else None
        if isinstance(order, Refused):
            return order
        orders += [order] if order else []
    if len(orders) > MOST_ORDERS:
        return Refused(f"it has more than {MOST_ORDERS} commands", "send them in several mails", misread=True)
    if own.wrapped:
        return _maybe_wrapped(lines[-1], own.text.lstrip().partition("\n")[0])
    return Orders(tuple(orders), own.text, tuple(_below(own.text)))


def _below(text: str) -> Iterator[str]:
    """Lines of the text that begin with / and a letter, the first few."""
    found = (line.strip()[:SHOWN] for line in text.split("\n") if _COMMAND.match(line.strip()))
    return islice(found, SHOWN_BELOW)


def stray_command(orders: Orders) -> str:
    """A line of the text that may be a command that was meant, where none stood at the top: any of a command's form that the
    text begins with, mistyped ones too, as at the top of a mail; further down a known one. "" where there is none.
    """
    if orders.orders:
        return ""
    lines = [line.strip() for line in orders.text.strip().split("\n")]
    if _COMMAND.fullmatch(lines[0]):
        return lines[0][:SHOWN]
    named = (line for line in lines if (found := _COMMAND.fullmatch(line)) and found[1].lower() in VERBS)
    return next(named, "")[:SHOWN]


def _order(line: str) -> Order | Refused:
    found = _COMMAND.fullmatch(line)
    if found is None:
        return Refused(
            f"the first lines are read as commands, and {line[:SHOWN]!r} is none",
            "put a word before it to make it text, or /help on a line of its own for the commands",
            misread=True,
        )
    name = found[1].lower()
    if name not in VERBS:
        near = get_close_matches(name, VERBS, 1, 0.6)
        meant = f"did you mean /{near[0]}? " if near else ""
        return Refused(f"there is no command /{name}", f"{meant}/help lists them all", misread=True)
    return Order(VERBS[name], " ".join((found[2] or "").split()))


def _maybe_wrapped(command: str, following: str) -> Refused:
    """Clients wrap long lines: a reason that lost its end must not go to anybody, nor its end become text."""
    return Refused(
        f"it can't be told whether {following[:SHOWN]!r} belongs to the long line above it ({command[:SHOWN]!r})",
        "put an empty line between the commands and the text, or make the command shorter",
    )


def takes_text(orders: Orders) -> Order | Refused | None:
    """The one command that the text belongs to; None where none takes it."""
    takers = [order for order in orders.orders if order.verb.text is not Text.NOWHERE]
    if len(takers) > 1:
        named = " and ".join(f"/{order.verb.name}" for order in takers[:2])
        return Refused(f"{named} both take the text", "send them in two mails")
    missing = next((order for order in takers if order.verb.wanted and not orders.text), None)
    if missing:
        return Refused(f"/{missing.verb.name} needs a text", "write it below the command")
    return takers[0] if takers else None
