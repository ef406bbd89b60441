"""The mail that tells the team of a new report: settled with the ticket, written after the study. Values in, letters out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from triaged.reading.likeness import Like
from triaged.reading.noise import Noise
from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, EventKind
from triaged.ticket.hearing import NOBODY, hearers
from triaged.ticket.letters import Letter, TicketName
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import to_team
from triaged.ticket.shown import fact_lines, guide, labelled, one_line, quoted, shown_files, shown_subject
from triaged.ticket.suggesting import suggestion

LIKES_SHOWN = 5
SHOWN_NOISE = 0.5  # from here on the reasons are worth a line, and a reply is suggested


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the mail says of the report itself; its text is the message's. JSON values only, so that it can wait in a row."""

    headline: str
    author: str
    proof: str
    subject: str
    received: str
    answer: str
    dates: tuple[tuple[str, str], ...]  # (promise, by)
    warnings: tuple[str, ...]
    attachments: tuple[tuple[str, str, int, str], ...]  # (name, detected type, size, SHA-256)
    facts: tuple[tuple[str, str], ...]  # (kind, value)
    missing: tuple[str, ...]
    asked: bool  # the acknowledgement asked for what is missing
    purpose: str  # report | question | other
    purpose_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Studied:
    """What the second step found. `failed` says why there is nothing."""

    noise: Noise
    likes: tuple[Like, ...] = ()
    elsewhere: Mapping[str, tuple[str, ...]] | None = None  # SHA-256 of an attachment -> other tickets that hold it
    again: tuple[str, ...] = ()  # tickets with a message of the same Message-ID
    failed: str = ""


def document(announcement: Announcement) -> dict[str, Any]:
    """As a JSON object."""
    return asdict(announcement)


def announcement_of(stored: Mapping[str, Any]) -> Announcement:
    """Back from JSON, which knows lists only."""
    return Announcement(**{name: _tuples(value) for name, value in stored.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def studied_event(studied: Studied) -> Event:
    """What the study came to, by reference; no word of the report."""
    data: dict[str, Any] = {
        "noise": studied.noise.score,
        "reasons": list(studied.noise.reasons),
        "likes": [{"ref": like.key, "score": like.score} for like in studied.likes[:LIKES_SHOWN]],
        "again": list(studied.again),
    }
    if studied.failed:
        data["failed"] = studied.failed
    return Event(EventKind.STUDIED, "triaged", data)


def announce(
    name: TicketName,
    told: Announcement,
    text: str,
    studied: Studied,
    earlier: Mapping[str, tuple[str, ...]],
    desk: Desk,
    at: datetime,
    entropy: Entropy,
    away: Collection[str] = NOBODY,
) -> tuple[Letter, ...]:
    """The mail to each who hears of it. `earlier`: team address -> letters that it has of this ticket; `away`: members."""
    values = {
        "headline": told.headline,
        "author": told.author,
        "proof": told.proof,
        "subject": shown_subject(told.subject) or "(none)",
        "received": told.received,
        "ref": name.ref,
        "answer": told.answer,
        "dates": [{"promise": promise, "by": by} for promise, by in told.dates],
        "warnings": told.warnings + _warnings(studied),
        **shown_files([_listed(part, studied) for part in told.attachments]),
        "study": _study_lines(told, studied),
        "reply": suggestion(desk.policy, studied.noise) if studied.noise.score >= SHOWN_NOISE else "",
        "guide": guide(Role.RESEARCHER, name, desk),
        "body": quoted(text, desk.caps.relay_text),
    }
    to = hearers(desk, away=away)  # a new report is nobody's yet
    return to_team("relay", name, told.subject, values, Role.RESEARCHER, desk, at, entropy, earlier, to=to)


def _warnings(studied: Studied) -> tuple[str, ...]:
    warnings = [f"a message with the same Message-ID is on {ref}: maybe sent again" for ref in studied.again[:3]]
    if studied.failed:
        warnings.append(f"it was not compared with other reports: {studied.failed}")
    return tuple(warnings)


def _listed(part: tuple[str, str, int, str], studied: Studied) -> dict[str, object]:
    name, detected_type, size, sha256 = part
    known = (studied.elsewhere or {}).get(sha256, ())
    return {
        "name": one_line(name),
        "detected_type": detected_type,
        "size": size,
        "sha256": sha256,
        "known": ", ".join(known[:5]),
    }


def _study_lines(told: Announcement, studied: Studied) -> list[tuple[str, str]]:
    """(label, text) for the head of the mail."""
    lines = [] if told.purpose == "report" else [("Taken for:", _taken_for(told))]
    lines += [("It says:", line) for line in fact_lines(told.facts)]
    if told.missing:
        asked = "asked for in the acknowledgement" if told.asked else "not asked for yet"
        lines.append(("Missing:", f"{', '.join(told.missing)} ({asked})"))
    lines += [("May repeat:", _like_line(like)) for like in studied.likes[:LIKES_SHOWN]]
    if studied.noise.score >= SHOWN_NOISE:
        lines.append(("Noise:", f"{studied.noise.score:.2f}  {', '.join(studied.noise.reasons)}"))
    return labelled(lines)


def _taken_for(told: Announcement) -> str:
    why = ", ".join(told.purpose_reasons)
    return (
        f"{told.purpose} ({why}). Its clocks as a report do not run: /report, mailed to the team's address, starts them"
    )


def _like_line(like: Like) -> str:
    why = "; ".join(map(one_line, like.why))
    return f"{like.key}  {like.score:.2f}  {why}"
