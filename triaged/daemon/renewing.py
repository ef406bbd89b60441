"""Renews a mailbox's token before anything needs it, and says how that goes. Never logs one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from triaged.daemon.log import log
from triaged.mail.keeper import Keeper
from triaged.mail.ports import NoToken

LOOK_SECONDS = 30.0


def renew_ahead(keeper: Keeper, say: Callable[[str, str], None], stop: Event) -> None:
    """Until `stop`. `say` hears "running" or "failing" with the reason, when it changes."""
    last = ""
    while not stop.is_set():
        reason = _reason(keeper)
        if reason != last:
            log.info("token", mailbox=keeper.client.mailbox, said=reason or "renewed")
            say("failing" if reason else "running", reason)
            last = reason
        stop.wait(LOOK_SECONDS)


def _reason(keeper: Keeper) -> str:
    try:
        keeper.token()
    except NoToken as error:
        return str(error)
    return ""
