"""One raw message read whole: parsed, and what it says. Never raises for what stands in the message."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triaged.message.model import Limits, Message, Trust, Verdict
from triaged.message.parse import parse
from triaged.reading.findings import NOTHING, Findings, findings
from triaged.reading.original import Original, original
from triaged.reading.purpose import Purpose


@dataclass(frozen=True, slots=True)
class Whole:
    """A message and what it says."""

    message: Message
    findings: Findings
    original: Original | None = None  # of a proven sender's forward: what was forwarded, with its own findings
    original_findings: Findings = NOTHING


def read(raw: bytes, limits: Limits, trust: Trust, wanted: tuple[str, ...]) -> Whole:
    """Parse `raw` and find what it says; `wanted`: the items that its policy asks for."""
    message = parse(raw, limits, trust)
    found = _findings(message, wanted)
    if message.forwarded is None or message.authenticity.verdict is not Verdict.PASS:
        return Whole(message, found)
    try:
        sent_on = original(raw, message, limits)
    except Exception:  # then it is the forwarder's own mail
        sent_on = None
    return Whole(message, found, sent_on, _findings(sent_on.message, wanted) if sent_on else NOTHING)


def _findings(message: Message, wanted: tuple[str, ...]) -> Findings:
    try:
        return findings(message, wanted)
    except Exception as error:  # facts are a help: a report is a report without them, and says so
        return unread(type(error).__name__)


def unread(why: str) -> Findings:
    """The findings of what could not be read for facts: in doubt it is a report."""
    return replace(NOTHING, purpose=Purpose("report", ("not-read", why)))
