"""The JSON object of one message with what reading adds: facts, what is missing, noise. Names are a promise to scripts."""

from __future__ import annotations

from triaged.message import document
from triaged.message.model import Message
from triaged.policy.model import Policy
from triaged.reading.facts import facts
from triaged.reading.missing import DEFAULT, missing
from triaged.reading.noise import noise


def as_json(message: Message, policy: Policy | None = None) -> dict[str, object]:
    """What `triaged message read --json` prints. A policy file states no list of its own yet, so all ask for the same."""
    found = facts(message)
    judged = noise(message, found)
    return document.as_json(message) | {
        "facts": [{"kind": fact.kind, "value": fact.value, "at": list(fact.at)} for fact in found],
        "missing": list(missing(message, found, wanted(policy))),
        "noise": {"score": judged.score, "reasons": list(judged.reasons)},
    }


def wanted(policy: Policy | None) -> tuple[str, ...]:
    """What the policy asks a report to hold. One that asks for the tester's addresses gets them asked for (S2-12)."""
    text = (policy.text or "").lower() if policy else ""
    return (*DEFAULT, "tester_addresses") if "ip address" in text and "you were using" in text else DEFAULT
