"""`triaged audit`: every message has its receipt, every receipt its outcome, every chain is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.options import config_option, json_option, print_json, settings_of, tracker_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from triaged.mail.ports import ImapAccount
    from triaged.settings.model import MailboxSettings, Settings


@click.command("audit")
@config_option
@json_option
@click.option("--offline", is_flag=True, help="Look at the tracker alone, not at the mailboxes.")
def command(config: Path | None, as_json: bool, offline: bool) -> int:
    """Prove that nothing is missing; exit code 1 if something is."""
    from triaged.daemon.clock import real
    from triaged.tracker.auditing import counts, findings
    from triaged.tracker.engine import reading

    settings = settings_of(config)
    engine = tracker_of(settings)
    with reading(engine) as connection:
        looked_at = counts(connection)
        found = list(findings(connection, real(), _progress(looked_at["events"])))
    if not offline:
        found += _mailboxes(settings, engine)
    if as_json:
        print_json({"ok": not found, "looked_at": looked_at, "findings": found})
    else:
        _show(found, looked_at)
    return 1 if found else 0


SILENT, EVERY = 3.0, 2.0  # seconds before the first word, and between two


def _progress(events: int) -> Callable[[int], None]:
    """Words on standard error, where it takes long."""
    from time import monotonic

    next_at = monotonic() + SILENT

    def tell(done: int) -> None:
        nonlocal next_at
        if monotonic() >= next_at:
            next_at = monotonic() + EVERY
            click.echo(f"{done} of {events} events looked at", err=True)

    return tell


def _show(found: list[str], looked_at: dict[str, int]) -> None:
    for finding in found:
        click.echo(finding)
    click.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in looked_at.items()) + " looked at")
    click.echo(f"{len(found)} thing(s) do not hold" if found else "all holds")


def _mailboxes(settings: Settings, engine: Engine) -> Iterator[str]:
    import secrets

    from triaged.daemon import logins
    from triaged.tracker.leases import owner_name

    keepers = logins.keepers(settings, engine, owner_name(secrets.token_hex(4)))
    for mailbox in settings.mailboxes:
        account = logins.imap(mailbox, keepers)
        if account is not None:
            yield from _mailbox(mailbox, account, engine)


def _mailbox(mailbox: MailboxSettings, account: ImapAccount, engine: Engine) -> Iterator[str]:
    from triaged.mail.imap import ImapError, connect
    from triaged.mail.watcher import listing, swept_folders
    from triaged.tracker.auditing import receipts_of
    from triaged.tracker.engine import reading

    try:
        session = connect(account)
        try:
            for folder in swept_folders(account):
                uidvalidity, uids = listing(session, folder)
                with reading(engine) as connection:
                    known = receipts_of(connection, mailbox.name, folder, uidvalidity)
                yield from (f"{mailbox.name}/{folder}: message {u} has no receipt" for u in uids if u not in known)
        finally:
            session.logout()
    except ImapError as error:
        yield f"{mailbox.name}: the mailbox could not be looked at: {error}"
