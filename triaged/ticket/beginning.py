"""The clocks that a ticket begins with: promises, dates of disclosure, what its facts mean for them. Moves none later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from triaged.ticket.clocks import start
from triaged.ticket.deadlines import from_facts, start_deadlines
from triaged.ticket.desk import Desk
from triaged.ticket.rounds import Rows
from triaged.ticket.tending import armed


def begin(desk: Desk, received_at: datetime, kind: str, facts: Iterable[tuple[str, str]]) -> Rows:
    """The clocks of what was received then, each with its first wake-up; of what is no report, the acknowledgement alone.

    `facts`: (kind, value) as reading found them. The wake-up may be past where the mail waited: then it is looked at at once.
    """
    if kind != "report":
        return Rows(armed(start(desk.policy, received_at, kind), desk, received_at))
    clocks = (*start(desk.policy, received_at), *start_deadlines(desk.policy, received_at))
    rows = from_facts(clocks, facts, received_at, desk.policy)
    return replace(rows, clocks=armed(rows.clocks, desk, received_at))
