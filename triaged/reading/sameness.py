"""Whether two messages say the same: a hash over the words of subject and new text, blind to case, spacing and punctuation."""

from __future__ import annotations

import hashlib
import re

_WORDS = re.compile(r"\w+")
LEAST_WORDS = 5  # shorter texts ("hello", "see attachment") are the same by accident


_PREFIXES = re.compile(r"\A(?:\s*(?:re|aw|sv|antw|fwd?|wg|tr|rif)\s*:){1,8}", re.IGNORECASE)


def text_hash(subject: str, new_text: str, attachment_hashes: tuple[str, ...]) -> str | None:
    """SHA-256 of the words of subject and text and of the attachments' hashes; None where the text is too short (AR-10).

    "Details at my page, regards" under two subjects is two reports.
    """
    words = _WORDS.findall(new_text.casefold())
    if len(words) < LEAST_WORDS:
        return None
    about = _WORDS.findall(_PREFIXES.sub("", subject).casefold())
    hasher = hashlib.sha256(f"{' '.join(about)}\n{' '.join(words)}".encode(errors="replace"))
    for digest in sorted(attachment_hashes):
        hasher.update(digest.encode())
    return hasher.hexdigest()
