"""`triaged demo`: a story on an embedded mail server, from three reports to the last promise. Needs no account and no network."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

import click

from triaged.cli.failure import CommandError


@click.command("demo")
@click.option("--full", is_flag=True, help="Show each letter whole.")
@click.option(
    "--speed", type=click.FloatRange(0), default=0, metavar="DAYS", help="Days of the story a second; 0: no waiting."
)
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the story's tracker in this new directory."
)
def command(full: bool, speed: float, keep: Path | None) -> None:
    """Play a story: three reports under three policies, the team that answers, and 120 days of promises.

    Everything is real but the time and the mail server, which is embedded: each letter is written, sent, delivered
    and read back. Times are UTC.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise CommandError(f"{keep} is not empty: name a new directory")
    directory = keep or Path(tempfile.mkdtemp(prefix="triaged-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        _play(directory, full, speed)
        _tell_more(keep)
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)


def _play(directory: Path, full: bool, speed: float) -> None:
    try:
        from triaged.demo.story import ENDS, Style, play
    except ImportError as error:
        raise CommandError(f"the demo needs its mail server ({error.name}): pip install 'triaged[demo]'") from None
    from triaged.cli.promises import show
    from triaged.daemon.log import configure
    from triaged.tracker.engine import connect, reading
    from triaged.tracker.promises import Span, reports, rounds, unchanged_letters

    configure(level=logging.ERROR)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd: addresses at INFO, its own plans at WARNING
    columns = shutil.get_terminal_size((180, 24)).columns
    settings = play(directory, click.echo, Style(full, max(columns, 100), speed))
    engine, span = connect(settings.tracker.url), Span()
    with reading(engine) as connection:
        found = rounds(connection, span), reports(connection, span), len(unchanged_letters(connection, span))
    engine.dispose()
    click.echo(f"\nHow the promises were kept, as `triaged promises` tells it, on {ENDS:%Y-%m-%d}:\n")
    show(*found, ENDS)


def _tell_more(keep: Path | None) -> None:
    click.echo()
    if keep is None:
        click.echo("`triaged demo --full` shows the letters whole, `--keep DIR` keeps the tracker to look into.")
    else:
        config = f"--config {keep / 'triaged.toml'}"
        click.echo(f"Look further: `triaged ticket list {config}`, `triaged ticket show REF {config}`,")
        click.echo(f"`triaged promises --svg promises.svg {config}`, `triaged audit --offline {config}`.")
    click.echo("`make run` starts a daemon with a mailbox to write to; docs/clocks.md says what clocks do and why.")
