"""All that reading finds in one message by itself: facts, what is missing, its purpose, noise. Compares with nothing."""

from __future__ import annotations

from dataclasses import dataclass

from triaged.message.model import Kind, Message
from triaged.reading.facts import facts
from triaged.reading.facts_model import Fact
from triaged.reading.missing import missing
from triaged.reading.noise import Noise, noise
from triaged.reading.purpose import Purpose, purpose

REPORTS_OF_MACHINES = frozenset({Kind.BOUNCE, Kind.MDN, Kind.FEEDBACK})  # nobody reports a weakness in one


@dataclass(frozen=True, slots=True)
class Findings:
    """What one message says."""

    facts: tuple[Fact, ...]
    missing: tuple[str, ...]  # of what the policy asks for
    purpose: Purpose
    noise: Noise


NOTHING = Findings((), (), Purpose("report", ("not-read",)), Noise(0.0, ()))


def findings(message: Message, wanted: tuple[str, ...]) -> Findings:
    """The findings of a message; of a delivery report and its kin, none."""
    if message.kind in REPORTS_OF_MACHINES:
        return NOTHING
    found = facts(message)
    return Findings(found, missing(message, found, wanted), purpose(message, found), noise(message, found))
