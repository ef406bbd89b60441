"""What a ticket is taken for, changed by a member: which clocks start, stop or go on. A pure function of values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triaged.policy.model import Policy
from triaged.ticket.clocks import ACKNOWLEDGE, Clock, start
from triaged.ticket.deadlines import start_deadlines
from triaged.ticket.events import Event, EventKind

KINDS = ("report", "question", "other")
TAKEN_FOR = "taken for a "  # how a waiver of ours begins


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What follows. The clocks of a report count from its receipt, whenever it is recognised as one."""

    event: Event
    starts: tuple[Clock, ...]
    resumes: tuple[str, ...]  # promises waived before because it was taken for no report
    waives: tuple[str, ...]
    why: str


def reclassify(
    was: str, kind: str, known: frozenset[str], received_at: datetime, policy: Policy, actor: str
) -> Reclassified:
    """`known`: promises that have a clock on the ticket already. Raises ValueError for a kind that there is not."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is none of {', '.join(KINDS)}")
    report = kind == "report"
    whole = (*start(policy, received_at, kind), *start_deadlines(policy, received_at)) if report else ()
    starts = tuple(c for c in whole if c.promise not in known)
    others = tuple(sorted(known - {ACKNOWLEDGE}))
    clocks: dict[str, str] = {c.promise: c.due_at.isoformat() for c in starts}
    event = Event(EventKind.RECLASSIFIED, actor, {"from": was, "to": kind, "clocks": dict(clocks)})
    return Reclassified(event, starts, others if report else (), () if report else others, f"{TAKEN_FOR}{kind}")
