"""What a policy asks a report to hold, and in which words the acknowledgement asks for what is missing. Reads no message."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triaged.policy.model import Policy
from triaged.reading.missing import DEFAULT

# Asked where the policy gives no words of its own.
QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "description": "What is the weakness, and what could somebody do with it?",
        "steps": "How can we see it ourselves? The steps, one by one, help us most.",
        "affected": "Which system is it: an address, a host, or a product with its version?",
        "evidence": "Is there a log, a screenshot or a request that shows it?",
        "contact": "How can we reach you with questions?",
        "tester_addresses": "From which IP addresses did you test?",
    }
)


def wanted(policy: Policy | None) -> tuple[str, ...]:
    """The items that a report under this policy should hold, in the policy's order."""
    return tuple(ask.item for ask in policy.asks) if policy and policy.asks else DEFAULT


def question(policy: Policy, item: str) -> str:
    """One sentence that asks for the item."""
    ask = policy.ask(item)
    return ask.question if ask else QUESTIONS[item]
