"""Whether the message is encrypted, and how (RFC 3156, RFC 8551). It decrypts nothing."""

from __future__ import annotations

from triaged.message.model import Attachment
from triaged.message.structure import Part

_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ARMOUR = "-----BEGIN PGP MESSAGE-----"


def encryption(parts: list[Part], text: str, attachments: tuple[Attachment, ...]) -> str | None:
    """pgp, smime or None. A signature alone is no encryption."""
    root = parts[0]
    if root.media_type == "multipart/encrypted" or any(
        part.media_type == "application/pgp-encrypted" for part in parts
    ):
        return "pgp"
    if (
        root.media_type in _SMIME
        and "signed" not in root.parameters.get("smime-type", "")
        and "certs" not in root.parameters.get("smime-type", "")
    ):
        return "smime"
    if _starts_armoured(text) or any(
        item.detected_type == "application/pgp-encrypted" and not text.strip() for item in attachments
    ):
        return "pgp"
    return "pgp" if _mangled(parts) else None


def _starts_armoured(text: str) -> bool:
    """Armour at the start of a line; what is quoted ("> -----BEGIN") was sent by somebody else."""
    return text.startswith(_ARMOUR) or f"\n{_ARMOUR}" in text


def _mangled(parts: list[Part]) -> bool:
    """multipart/encrypted as Exchange rewrites it: mixed, with an empty text, a version part and encrypted.asc."""
    return any(part.name.lower() == "encrypted.asc" for part in parts)
