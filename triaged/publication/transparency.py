"""How promises were kept → the page that the world may read: numbers only. Holds no ticket, no person, no day of a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from triaged.policy.model import Policy
from triaged.publication.values import Kept
from triaged.ticket.performance import Outcome, Round, records

if TYPE_CHECKING:
    from jinja2 import Environment

# A promise that was made to one or two people tells how those two were treated, and whoever published their report is one of
# them. The whole row is left out then: one number that is left out can be had from the others. From three on all numbers
# stand, the small ones too: a miss that is hidden because it was only one would be the miss that the page is for.
FEW = 3


def kept(rounds: Sequence[Round], policy: Policy, at: datetime) -> tuple[Kept, ...]:
    """The policy's own promises, in its order. What was waived was owed to nobody, and counts nowhere."""
    known = {one.promise: one for one in records(rounds, at)}
    return tuple(
        Kept(
            promise=promise.name,
            clause=promise.clause,
            made=record.made - record.counts[Outcome.WAIVED],
            kept=record.counts[Outcome.KEPT] + record.counts[Outcome.KEPT_UNCHANGED],
            late=record.counts[Outcome.LATE],
            missed=record.counts[Outcome.MISSED],
        )
        for promise in policy.promises
        if (record := known.get(promise.name)) is not None
    )


def told(rows: Sequence[Kept]) -> tuple[Kept, ...]:
    """Those that may be told."""
    return tuple(row for row in rows if row.made >= FEW)


def published(
    rows: Sequence[Kept], organisation: str, since: datetime | None, until: datetime | None, at: datetime
) -> dict[str, bytes]:
    """Path → bytes. The same values give the same bytes; the only instant in them is the day of `at`."""
    day = at.astimezone(UTC).date().isoformat()
    span = {"since": _day(since), "until": _day(until)}
    shown = [_row(row) for row in rows]
    values = {"organisation": organisation, "rows": shown, "few": FEW, "day": day, **span}
    document = {"organisation": organisation, "as_of": day, **span, "fewer_than": FEW, "promises": shown}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    page = _templates().get_template("transparency.html.j2").render(values)
    return {"promises.html": page.encode(), "promises.json": text.encode()}


def _row(row: Kept) -> dict[str, object]:
    """Of few, the promise alone."""
    if row.made < FEW:
        return {"promise": row.promise, "clause": row.clause, "made": None}
    numbers = {"made": row.made, "kept": row.kept, "late": row.late, "missed": row.missed}
    running = row.made - row.kept - row.late - row.missed
    return {"promise": row.promise, "clause": row.clause, **numbers, "not_due_yet": running}


def _day(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).date().isoformat()


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("triaged.publication", "templates")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
