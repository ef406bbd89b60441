"""Ed25519 signatures (RFC 8032) over exact bytes, and the public key as outsiders check them with. Keeps no key."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

SEED_BYTES = 32


def sign(seed: bytes, data: bytes) -> bytes:
    """The detached signature, 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(data)


def public_pem(seed: bytes) -> str:
    """The public key as `openssl pkey -pubin` reads it."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def key_id(pem: str) -> str:
    """A short name of a public key: the first 16 hexadecimal digits of the SHA-256 of its DER form."""
    key = load_pem_public_key(pem.encode("ascii"))
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]


def holds(pem: str, data: bytes, signature: bytes) -> bool:
    """Whether the signature is of this key over these bytes."""
    key = load_pem_public_key(pem.encode("ascii"))
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
