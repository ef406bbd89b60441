"""Writes a document with its signature beside it. Asks no one and prints nothing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triaged.cli.failure import CommandError

if TYPE_CHECKING:
    from sqlalchemy import Connection

SUFFIX = ".sig"  # of the detached signature: 64 bytes over exactly the bytes of the file


def seed_of(connection: Connection) -> bytes:
    """The installation's signing key, made when it is first needed."""
    import secrets

    from triaged.daemon.clock import real
    from triaged.tracker.installation import signing_key

    return signing_key(connection, real(), secrets.token_bytes)


def with_key(document: dict[str, Any], seed: bytes) -> bytes:
    """The document's bytes; it names the key that signs it."""
    from triaged.ticket.signing import key_id, public_pem

    named = {**document, "key": key_id(public_pem(seed))}
    return (json.dumps(named, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def write_signed(path: Path, data: bytes, seed: bytes) -> None:
    """The file and its signature, each whole or not at all."""
    from triaged.ticket.signing import sign

    write_whole(path, data)
    write_whole(path.with_name(path.name + SUFFIX), sign(seed, data))


def write_whole(path: Path, data: bytes, *, readable: bool = False) -> None:
    """Written beside and renamed; for nobody else's eyes, unless it is for the world."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if readable:
            Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror}") from None


def must_be_writable(path: Path) -> None:
    """Before something is done that its file has to tell of."""
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK) or path.is_dir():
        raise CommandError(f"{path} can't be written: name a file in a folder that is there")
