"""`triaged login`: a person agrees once, in a browser, that a mailbox is read (RFC 8628). Shows no token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.options import config_option, safe, settings_of, tracker_of

if TYPE_CHECKING:
    from triaged.mail.keeper import Keeper
    from triaged.settings.model import Settings


@click.command("login")
@config_option
@click.argument("mailbox")
def command(config: Path | None, mailbox: str) -> None:
    """Log MAILBOX in by OAuth2's device flow: prints an address and a code, waits, and keeps what it is given.

    For mailboxes with [mailbox.oauth2] flow = "device_code". A running daemon goes on with it within 15 minutes.
    """
    from triaged.cli.failure import CommandError
    from triaged.daemon.loggingin import log_in
    from triaged.mail.ports import NoToken

    keeper = _keeper(settings_of(config), mailbox)
    try:
        log_in(keeper, lambda address, code: click.echo(_told(address, code)))
    except NoToken as error:
        raise CommandError(str(error)) from None
    click.echo(f"mailbox {mailbox!r} is logged in; `triaged check` tries it")


def _told(address: str, code: str) -> str:
    return f"Open {safe(address)} in a browser and type the code {safe(code)}\nLog in there as the mailbox, and agree."


def _keeper(settings: Settings, name: str) -> Keeper:
    import secrets

    from triaged.cli.failure import CommandError
    from triaged.daemon.logins import keepers
    from triaged.tracker.leases import owner_name

    mailbox = settings.mailbox(name)
    if mailbox is None:
        known = ", ".join(m.name for m in settings.mailboxes)
        raise CommandError(f"there is no mailbox {name!r} in the configuration: name one of {known}")
    if mailbox.oauth2 is None or mailbox.oauth2.flow != "device_code":
        mend = 'write [mailbox.oauth2] with flow = "device_code", or run `triaged check`'
        raise CommandError(f"mailbox {name!r} needs no login by a person: {mend}")
    return keepers(settings, tracker_of(settings), owner_name(secrets.token_hex(4)))[name]
