"""Adds to a message's noise what is known only beside other messages: who else sent the same, what it cites and is not there."""

from __future__ import annotations

import math

from triaged.reading.noise import Noise

_LEAST = 0.0005  # a rounded score's distance from none and all, so that evidence still moves it


def weighed(noise: Noise, *evidence: tuple[str, float]) -> Noise:
    """The noise with further (reason, weight in log-odds); below zero, the weight speaks against noise."""
    score = min(max(noise.score, _LEAST), 1 - _LEAST)
    odds = math.log(score / (1 - score)) + sum(weight for _, weight in evidence)
    words = tuple(word if weight > 0 else f"against: {word}" for word, weight in evidence)
    return Noise(round(1 / (1 + math.exp(-odds)), 3), noise.reasons + words)


def seen_before(times: int) -> tuple[tuple[str, float], ...]:
    """The evidence of the same words from `times` other senders: a mass-mailed template."""
    return (("same-text-before", 1.5 + min(times, 10) / 5),) if times else ()
