"""`triaged db`: the tracker's database."""

from __future__ import annotations

from pathlib import Path

import click

from triaged.cli.options import config_option, settings_of


@click.group("db")
def command() -> None:
    """Migrate the tracker's database."""


@command.command("upgrade")
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the database to this program's schema. `run` does it by itself."""
    from triaged import resources
    from triaged.tracker import migrate
    from triaged.tracker.engine import connect

    engine = connect(settings_of(config).tracker.url)
    before = migrate.current(engine)
    reached = migrate.upgrade(engine, resources.migrations())
    click.echo(f"the database is at revision {reached}" + ("" if before != reached else ", as it was"))
