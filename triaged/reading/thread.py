"""The Message-IDs that a message claims to answer. Which ticket that means is decided against what the tracker knows."""

from __future__ import annotations

from triaged.message.model import Message

MOST_IDS = 50  # of a References field: the last ones are the nearest ancestors


def answered_ids(message: Message) -> tuple[str, ...]:
    """Message-IDs named by In-Reply-To, then References, nearest first, each once (RFC 5322 section 3.6.4)."""
    nearest = (*message.in_reply_to, *reversed(message.references))
    return tuple(dict.fromkeys(nearest))[:MOST_IDS]


def recipients(message: Message) -> tuple[str, ...]:
    """Every address that the message came to or names as recipient, lower-case: the delivery's own word first."""
    named = (address.address.lower() for address in (*message.to, *message.cc))
    return tuple(dict.fromkeys((*message.delivered_to, *named)))
