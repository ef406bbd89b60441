"""Who of the team is mailed: of a happening on a ticket, and of the daily board. Knows settings and absences; sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from triaged.message.clean import clean_header
from triaged.ticket.desk import Colleague, Desk

NOBODY: frozenset[str] = frozenset()


def hearers(
    desk: Desk, assigned: str = "", away: Collection[str] = NOBODY, but: Collection[str] = NOBODY
) -> tuple[str, ...]:
    """Who is mailed of a happening on a ticket: addresses as the configuration writes them, each once.

    `assigned`, `away` and `but` (who has it already: who did it, or was written to) are lower-case addresses.
    """
    heard = _without(_usual(desk, assigned), away)
    if is_gone(assigned, away, desk) or not heard:  # law 8: nothing goes to nobody
        heard = _everybody(desk, assigned, away)
    return _without(heard, but)


def board_hearers(desk: Desk, away: Collection[str] = NOBODY) -> tuple[str, ...]:
    """Who gets the daily board: the team's addresses and every member, whatever their setting, who is not away."""
    everybody = _once((*desk.notify, *(m.address for m in desk.members.values())))
    return _without(everybody, away) or everybody


def is_gone(assigned: str, away: Collection[str], desk: Desk) -> bool:
    """Whose the ticket is does not read mail now, or is no member any more."""
    return bool(assigned) and (assigned in away or assigned not in desk.members)


def gone_lines(assigned: str, away: Collection[str], desk: Desk) -> tuple[str, ...]:
    """What a mail to the team notes where that is so."""
    if not is_gone(assigned, away, desk):
        return ()
    why = "is away" if assigned in desk.members else "is no member any more"
    return (f"it is assigned to {shown_member(assigned, desk)}, who {why}",)


def shown_member(address: str, desk: Desk) -> str:
    """A member's name within a line of ours."""
    return clean_header(desk.named(address))


def _usual(desk: Desk, assigned: str) -> tuple[str, ...]:
    """The team's addresses, and the members who want to hear of this ticket."""
    wanting = (m.address for address, m in desk.members.items() if _wants(m, address == assigned))
    return _once((*desk.notify, *wanting))


def _wants(member: Colleague, theirs: bool) -> bool:
    return member.notify == "all" or (member.notify == "mine" and theirs)


def _everybody(desk: Desk, assigned: str, away: Collection[str]) -> tuple[str, ...]:
    """Every member who works on tickets as well; who is away, or only looks on, where nobody else is left."""
    members = desk.members.values()
    working = (m.address for m in members if m.role != "observer")
    everybody = _once((*_usual(desk, assigned), *working))
    return _without(everybody, away) or everybody or _once(m.address for m in members)


def _once(addresses: Iterable[str]) -> tuple[str, ...]:
    """In the spelling that comes first."""
    spelt: dict[str, str] = {}
    for address in addresses:
        spelt.setdefault(address.lower(), address)
    return tuple(spelt.values())


def _without(addresses: Iterable[str], others: Collection[str]) -> tuple[str, ...]:
    return tuple(address for address in addresses if address.lower() not in others)
