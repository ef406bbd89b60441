"""A policy → its entry for the disclose.io directory of programs, as JSON. Says nothing that the policy does not."""

from __future__ import annotations

import json
from typing import Any

from triaged.policy.model import Policy


def disclose_io(policy: Policy) -> str:
    """One entry, in the array that the directory's schema wants (disclose/diodb, program-list-schema.json)."""
    return json.dumps([entry(policy)], indent=2, ensure_ascii=False) + "\n"


def entry(policy: Policy) -> dict[str, Any]:
    """The fields of the entry that the policy gives. The directory wants `policy_url`: set publish.policy."""
    terms, days = policy.publish, policy.disclosure.disclose_days
    given = {
        "program_name": policy.organisation,
        "policy_url": terms.policy,
        "contact_email": policy.contact,
        "offers_bounty": "yes" if policy.reward.offered else "no",
        "hall_of_fame": terms.acknowledgments,
        "safe_harbor": policy.safe_harbour.level,
        "public_disclosure": "co-ordinated" if days else "",
        "disclosure_timeline_days": days,
        "pgp_key": next((key for key in terms.encryption if key.startswith("https://")), ""),
        "hiring": terms.hiring,
        "securitytxt_url": terms.canonical[0] if terms.canonical else "",
        "preferred_languages": ", ".join(terms.preferred_languages or policy.languages),
    }
    return {name: value for name, value in given.items() if value or name == "public_disclosure"}
