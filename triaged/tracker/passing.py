"""The rows of a report that a member sent on: the original's words, and the member's remarks as a note. Decides nothing."""

from __future__ import annotations

from typing import Any

from triaged.ticket.letters import Audience
from triaged.tracker.written import Written


def columns(written: Written) -> dict[str, Any]:
    """What the row of the message says: the original's, not what its forwarder's mail does."""
    original = written.consequence.passed_on
    if original is None:
        return {}
    return {
        "message_id": original.message_id,
        "counterpart": original.author,
        "counterpart_name": original.author_name,
        "subject": original.subject,
        "text": original.text,
        "new_text": original.text,
        "text_hash": None,
    }


def remarks(row: dict[str, Any], written: Written) -> dict[str, Any]:
    """The forwarder's own mail as a note of the team, whether it holds a remark or none: what answers it stays inside, and the
    same forward is known again. `row`: that of the original.
    """
    message, placed, original = written.item.arrival.message, written.consequence.placed, written.consequence.passed_on
    assert placed is not None and original is not None  # noqa: S101 - chosen by the caller
    return {
        **row,
        "audience": Audience.TEAM,
        "answers": "t",
        "message_id": message.message_id,
        "counterpart": written.item.clues.author,
        "counterpart_name": message.author.name if message.author else "",
        "subject": message.subject,
        "proven": True,
        "text": original.remarks,
        "new_text": original.remarks,
        "text_hash": placed.text_hash,
        "defects": [],
    }
