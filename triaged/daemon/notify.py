"""Tells systemd how the service fares (sd_notify(3)). Does nothing where systemd does not listen."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"


def notify(environ: Mapping[str, str], state: str) -> None:
    """Send `state`, such as "READY=1" or "WATCHDOG=1"."""
    address = environ.get(VARIABLE, "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(name)
        channel.sendall(state.encode())
