"""What reading and study found about tickets, as documents: facts, gaps, noise, what they may repeat. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from triaged.tracker.schema import attachment, fact, gap, likely, message, study, ticket

Document = dict[str, Any]
MOST_ELSEWHERE = 20


def found(connection: Connection, ids: Sequence[int]) -> dict[int, Document]:
    """Ticket row -> {"facts", "missing", "noise", "duplicates"}, for each of `ids`."""
    documents: dict[int, Document] = {i: {"facts": [], "missing": [], "noise": None, "duplicates": []} for i in ids}
    for row in connection.execute(select(fact).where(fact.c.ticket_id.in_(ids)).order_by(fact.c.id)):
        documents[row.ticket_id]["facts"].append({"kind": row.kind, "value": row.value, "at": [row.first, row.last]})
    open_gaps = select(gap).where(gap.c.ticket_id.in_(ids), gap.c.brought_at.is_(None)).order_by(gap.c.item)
    for row in connection.execute(open_gaps):
        documents[row.ticket_id]["missing"].append(row.item)
    for row in connection.execute(select(study).where(study.c.ticket_id.in_(ids))):
        documents[row.ticket_id]["noise"] = {"score": row.noise, "reasons": row.noise_reasons}
    ranked = select(likely).where(likely.c.ticket_id.in_(ids)).order_by(likely.c.score.desc(), likely.c.name)
    for row in connection.execute(ranked):
        documents[row.ticket_id]["duplicates"].append({"ref": row.name, "score": row.score, "why": row.why})
    return documents


def attachments_elsewhere(connection: Connection, ticket_id: int, digests: Collection[str]) -> dict[str, list[str]]:
    """SHA-256 -> references of other tickets of the same tenant that hold the same bytes."""
    if not digests:
        return {}
    tenant = select(ticket.c.tenant).where(ticket.c.id == ticket_id).scalar_subquery()
    joined = attachment.join(message, message.c.id == attachment.c.message_id).join(
        ticket, ticket.c.id == message.c.ticket_id
    )
    rows = select(attachment.c.sha256, ticket.c.ref).select_from(joined).distinct()
    others = rows.where(attachment.c.sha256.in_(digests), ticket.c.id != ticket_id, ticket.c.tenant == tenant)
    found: dict[str, list[str]] = {}
    for row in connection.execute(others.order_by(ticket.c.ref).limit(MOST_ELSEWHERE * len(digests))):
        found.setdefault(row.sha256, []).append(row.ref)
    return found
