"""The JSON object of one message with what reading adds: facts, what is missing, noise, purpose. Names are a promise to scripts."""

from __future__ import annotations

from triaged.message import document
from triaged.message.model import Message
from triaged.policy.model import Policy
from triaged.reading.asking import wanted
from triaged.reading.facts import facts
from triaged.reading.missing import missing
from triaged.reading.noise import noise
from triaged.reading.purpose import purpose


def as_json(message: Message, policy: Policy | None = None) -> dict[str, object]:
    """What `triaged message read --json` prints."""
    found = facts(message)
    judged, wrote = noise(message, found), purpose(message, found)
    return document.as_json(message) | {
        "facts": [{"kind": fact.kind, "value": fact.value, "at": list(fact.at)} for fact in found],
        "missing": list(missing(message, found, wanted(policy))),
        "noise": {"score": judged.score, "reasons": list(judged.reasons)},
        "purpose": {"kind": wrote.kind, "reasons": list(wrote.reasons)},
    }
