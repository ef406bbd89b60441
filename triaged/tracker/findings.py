"""Writes what messages say beside their text: facts, gaps, and what waits for the study. Part of one message's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from triaged.ticket.desk import Desk
from triaged.tracker.schema import fact, gap, study
from triaged.tracker.written import Written

MOST_FACTS = 200  # rows of one message
VALUE_CHARACTERS = 2000


def write(
    connection: Connection,
    batch: Sequence[Written],
    messages: Mapping[int, int],
    desk: Desk,
    at: datetime,
    ids: Mapping[str, int],
) -> None:
    """`messages`: receipt -> message row; `ids`: token -> ticket row."""
    told = [(w, _row(w, ids), messages[w.item.arrival.receipt]) for w in batch if w.item.arrival.receipt in messages]
    for table, rows in (
        (fact, [row for w, ticket_id, number in told for row in _facts(w, ticket_id, number)]),
        (gap, [row for w, ticket_id, _ in told for row in _gaps(w, ticket_id, at)]),
        (study, [row for w, ticket_id, number in told for row in _study(w, ticket_id, number, desk)]),
    ):
        if rows:
            connection.execute(table.insert(), rows)
    for w, ticket_id, _ in told:
        if w.consequence.brought:
            filled = (gap.c.ticket_id == ticket_id, gap.c.item.in_(w.consequence.brought))
            connection.execute(update(gap).where(*filled).values(brought_at=at))


def _row(written: Written, ids: Mapping[str, int]) -> int:
    name = written.consequence.ticket
    assert name is not None  # noqa: S101 - a message that has a row stands on a ticket
    return ids[name.token]


def _facts(written: Written, ticket_id: int, message_row: int) -> Iterator[dict[str, Any]]:
    for one in written.consequence.facts[:MOST_FACTS]:
        value = one.value[:VALUE_CHARACTERS]
        place = {"first": one.at[0], "last": one.at[1]}
        yield {"ticket_id": ticket_id, "message_id": message_row, "kind": one.kind, "value": value, **place}


def _gaps(written: Written, ticket_id: int, at: datetime) -> Iterator[dict[str, Any]]:
    gaps = written.consequence.gaps
    for item in gaps.items if gaps else ():
        yield {"ticket_id": ticket_id, "item": item, "asked_at": at if gaps and _asks(written) else None}


def _asks(written: Written) -> bool:
    gaps = written.consequence.gaps
    return bool(gaps and gaps.asked and written.consequence.letters)


def _study(written: Written, ticket_id: int, message_row: int, desk: Desk) -> Iterator[dict[str, Any]]:
    waits = written.consequence.study
    if waits is None:
        return
    yield {
        "ticket_id": ticket_id,
        "message_id": message_row,
        "tenant": desk.tenant,
        "mailbox": desk.mailbox,
        "announcement": None if written.quiet else waits.announcement,
        "whole": written.item.arrival.message.forwarded is not None,
        "noise": waits.noise.score,
        "noise_reasons": list(waits.noise.reasons),
    }
