"""A policy → all files that publish it, by their path below the web root. Writes none."""

from __future__ import annotations

from datetime import datetime

from triaged.policy.model import Policy
from triaged.publication.disclose_io import disclose_io
from triaged.publication.page import html, markdown
from triaged.publication.security_txt import WELL_KNOWN, security_txt


def published(policy: Policy, at: datetime) -> dict[str, bytes]:
    """Path → bytes in UTF-8. The same policy and instant give the same bytes."""
    texts = {
        WELL_KNOWN: security_txt(policy, at),
        "security-policy.html": html(policy),
        "security-policy.md": markdown(policy),
        "disclose-io.json": disclose_io(policy),
    }
    return {path: text.encode() for path, text in texts.items()}
