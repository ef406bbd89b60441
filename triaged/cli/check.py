"""`triaged check`: everything that the daemon will need, tried item by item, with the mend for each that fails."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.options import config_option, json_option, print_json, safe, settings_of

if TYPE_CHECKING:
    from triaged.daemon.checks import Item
    from triaged.settings.model import Settings


@click.command("check")
@config_option
@json_option
@click.option(
    "--probe", is_flag=True, help="Also mail each mailbox a forged proof, and see whether the server removes it."
)
@click.option(
    "--wait", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds that a probe may take."
)
@click.option("--running", is_flag=True, help="Only ask whether a daemon lives on this tracker (health checks).")
def command(config: Path | None, as_json: bool, probe: bool, wait: float, running: bool) -> int:
    """Try everything the daemon needs: configuration, policy, database, IMAP, SMTP, plus-addressing, clock.

    Without --probe nothing is sent, and nothing is changed. Exit code 1 if an item fails; each says what to do.
    """
    settings = settings_of(config)
    from triaged.daemon import checks
    from triaged.daemon.clock import real

    items: list[Item] = []
    tried = iter([checks.running(settings, real())]) if running else checks.check(settings, real())
    for item in chain(tried, _probes(settings, wait) if probe else ()):
        items.append(item)
        if not as_json:
            _show(item)
    if as_json:
        print_json([{"item": i.item, "ok": i.ok, "mend": i.mend, "note": i.note} for i in items])
    return 0 if all(item.ok for item in items) else 1


def _probes(settings: Settings, wait: float) -> Iterator[Item]:
    from triaged.daemon.clock import real
    from triaged.daemon.probe import probe

    return probe(settings, real(), wait, lambda words: click.echo(safe(words), err=True))


def _show(item: Item) -> None:
    click.echo(f"{'ok  ' if item.ok else 'FAIL'}  {safe(item.item)}" + (f"  ({safe(item.note)})" if item.note else ""))
    if item.mend:
        click.echo(f"      {safe(item.mend)}")
