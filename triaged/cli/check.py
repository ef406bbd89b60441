"""`triaged check`: everything that the daemon will need, tried item by item, with the mend for each that fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.options import config_option, json_option, print_json, safe, settings_of

if TYPE_CHECKING:
    from triaged.daemon.checks import Item


@click.command("check")
@config_option
@json_option
@click.option("--running", is_flag=True, help="Only ask whether a daemon lives on this tracker (health checks).")
def command(config: Path | None, as_json: bool, running: bool) -> int:
    """Try everything the daemon needs: configuration, policy, database, IMAP, SMTP, plus-addressing, clock.

    Nothing is sent and nothing is changed. Exit code 1 if an item fails; each says what to do.
    """
    settings = settings_of(config)
    from triaged.daemon import checks
    from triaged.daemon.clock import real

    items: list[Item] = []
    for item in [checks.running(settings, real())] if running else checks.check(settings, real()):
        items.append(item)
        if not as_json:
            _show(item)
    if as_json:
        print_json([{"item": i.item, "ok": i.ok, "mend": i.mend, "note": i.note} for i in items])
    return 0 if all(item.ok for item in items) else 1


def _show(item: Item) -> None:
    click.echo(f"{'ok  ' if item.ok else 'FAIL'}  {safe(item.item)}" + (f"  ({safe(item.note)})" if item.note else ""))
    if item.mend:
        click.echo(f"      {safe(item.mend)}")
