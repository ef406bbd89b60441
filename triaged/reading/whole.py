"""One raw message read whole: parsed, and what it says. Never raises for what stands in the message."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triaged.message.model import Limits, Message, Trust
from triaged.message.parse import parse
from triaged.reading.findings import NOTHING, Findings, findings
from triaged.reading.purpose import Purpose


@dataclass(frozen=True, slots=True)
class Whole:
    """A message and what it says."""

    message: Message
    findings: Findings


def read(raw: bytes, limits: Limits, trust: Trust, wanted: tuple[str, ...]) -> Whole:
    """Parse `raw` and find what it says; `wanted`: the items that its policy asks for."""
    message = parse(raw, limits, trust)
    try:
        return Whole(message, findings(message, wanted))
    except Exception as error:  # facts are a help: a report is a report without them, and says so
        return Whole(message, unread(type(error).__name__))


def unread(why: str) -> Findings:
    """The findings of what could not be read for facts: in doubt it is a report."""
    return replace(NOTHING, purpose=Purpose("report", ("not-read", why)))
