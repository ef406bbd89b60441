"""Whether two messages say the same: a hash over the words of the new text, blind to case, spacing and punctuation."""

from __future__ import annotations

import hashlib
import re

_WORDS = re.compile(r"\w+")
LEAST_WORDS = 5  # shorter texts ("hello", "see attachment") are the same by accident


def text_hash(new_text: str, attachment_hashes: tuple[str, ...]) -> str | None:
    """SHA-256 of the text's words and the attachments' hashes; None where there is too little to compare (AR-10)."""
    words = _WORDS.findall(new_text.casefold())
    if len(words) < LEAST_WORDS:
        return None
    hasher = hashlib.sha256(" ".join(words).encode(errors="replace"))
    for digest in sorted(attachment_hashes):
        hasher.update(digest.encode())
    return hasher.hexdigest()
