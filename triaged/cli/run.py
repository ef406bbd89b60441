"""`triaged run`: the daemon, or one pass of it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from triaged.cli.options import Instant, config_option, settings_of
from triaged.settings.model import Settings


@click.command("run")
@config_option
@click.option(
    "--once", is_flag=True, help="Take in all that waits, do all that is due, send all that may go, and exit."
)
@click.option("--at", type=Instant(), help="With --once, for rehearsals: the instant to take for now.")
def command(config: Path | None, once: bool, at: datetime | None) -> int:
    """Run the daemon in the foreground until SIGTERM or SIGINT.

    Logs are JSON lines on standard error; they hold ids, never report text. With --once the exit code is 1
    when a sweep or a due letter failed; letters that wait for their time stay queued.
    """
    if at is not None and not once:
        raise click.UsageError("--at goes with --once")
    settings = settings_of(config)
    from triaged.daemon.log import configure

    configure()
    return _once(settings, at) if once else _serve(settings)


def _serve(settings: Settings) -> int:
    from triaged.daemon.run import serve

    return serve(settings, ready=lambda: print("ready", file=sys.stderr, flush=True))


def _once(settings: Settings, at: datetime | None) -> int:
    from triaged.cli.failure import CommandError
    from triaged.daemon.once import RehearsalError, run_once

    try:
        return 0 if run_once(settings, at) else 1
    except RehearsalError as error:
        raise CommandError(str(error)) from None
