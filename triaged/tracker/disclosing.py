"""Tickets that become public on their agreed day: state, promise, number and letter in the caller's transaction. Writes no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from triaged.ticket.desk import Desk
from triaged.ticket.draft import When
from triaged.ticket.grammar import Orders
from triaged.ticket.publishing import disclosed
from triaged.ticket.reference import Entropy
from triaged.ticket.worked import OPERATOR, case_of
from triaged.tracker import advisories, working
from triaged.tracker.advisories import Candidate
from triaged.tracker.tending import Loaded

DeskOf = Callable[[Loaded], Desk]


def disclose_due(
    connection: Connection, found: list[Candidate], desk_of: DeskOf, base: str, at: datetime, entropy: Entropy
) -> tuple[str, ...]:
    """Publish each whose day it is; their names, such as IMS-2026-0001."""
    return tuple(_disclose(connection, one, desk_of, base, at, entropy) for one in found if one.when is When.NOW)


def _disclose(
    connection: Connection, one: Candidate, desk_of: DeskOf, base: str, at: datetime, entropy: Entropy
) -> str:
    bench = working.load(connection, one.token, Orders((), ""), desk_of)
    assert bench is not None, "tickets are never deleted"  # noqa: S101
    name = advisories.number(connection, one.ticket_id, bench.desk, at)
    published = replace(bench, worked=replace(bench.worked, draft=advisories.of(connection, one.ticket_id)))
    case = case_of(OPERATOR, bench.desk, at, entropy)
    working.write(connection, published, disclosed(published.worked, name, base, case), (), (), at, entropy)
    return name
