"""`triaged import`: mail from files, as if it had arrived."""

from __future__ import annotations

from pathlib import Path

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, json_option, print_json, settings_of


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--mailbox", required=True, help="The mailbox that the mail came to, by its name in the configuration.")
@click.option("--clocks", is_flag=True, help="Start the policy's clocks for what is imported.")
@click.option("--letters", is_flag=True, help="Send what would have been sent.")
@config_option
@json_option
def command(path: Path, mailbox: str, clocks: bool, letters: bool, config: Path | None, as_json: bool) -> None:
    """Take in PATH: an mbox, a Maildir, one message or a folder of messages.

    By itself it starts no clock and sends nothing to anyone. Importing again what is there already does nothing.
    """
    settings = settings_of(config)
    if settings.mailbox(mailbox) is None:
        names = ", ".join(m.name for m in settings.mailboxes)
        raise CommandError(f"there is no mailbox {mailbox!r} in the configuration: it has {names}")
    from triaged.daemon.importing import import_path
    from triaged.daemon.log import configure

    configure(level=30)
    outcomes = import_path(settings, mailbox, path, clocks=clocks, letters=letters, progress=_progress)
    if as_json:
        print_json({"messages": sum(outcomes.values()), "outcomes": outcomes})
        return
    for outcome, count in sorted(outcomes.items()):
        click.echo(f"{count:8}  {outcome}")
    click.echo(f"{sum(outcomes.values()):8}  messages")


def _progress(count: int) -> None:
    if count and count % 500 == 0:
        click.echo(f"{count} messages read", err=True)
