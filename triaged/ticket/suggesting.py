"""A reply that a member may send to a noisy report, quoting the policy. Nothing here is ever sent by itself."""

from __future__ import annotations

from triaged.policy.model import Policy
from triaged.policy.terms import Reply
from triaged.reading.noise import Noise

# Reason of the noise -> name of the policy's `[[reply]]`. The first reason that has a reply decides.
REPLY_FOR = {
    "same-text-before": "template",
    "scanner-dump": "scanner",
    "scanner-name": "scanner",
    "asks-for-money": "beg-bounty",
    "holds-details-back": "beg-bounty",
    "cites-nothing-known": "out-of-scope",
}
OTHERWISE = "beg-bounty"  # what is left speaks of missing best practice
NOT_ANSWERED = frozenset({"marketing", "server-says-spam"})


def suggestion(policy: Policy, noise: Noise) -> str:
    """The text to copy, or "" where the policy has no reply for such noise."""
    if NOT_ANSWERED & {*noise.reasons}:
        return ""
    names = [REPLY_FOR[reason] for reason in REPLY_FOR if reason in noise.reasons]
    replies = (policy.reply(name) for name in (*names, OTHERWISE))
    return next((_worded(reply) for reply in replies if reply), "")


def _worded(reply: Reply) -> str:
    return f'{reply.text}\n\nOur policy says: "{reply.clause}"'
