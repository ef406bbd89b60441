"""`triaged init`: a starter configuration and policy, commented."""

from __future__ import annotations

from pathlib import Path

import click

from triaged.cli.failure import CommandError


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path("."))
def command(directory: Path) -> None:
    """Write triaged.toml and policies/ into DIRECTORY (default: here). Nothing that is there is overwritten."""
    from triaged import resources

    directory.mkdir(parents=True, exist_ok=True)
    sources = {directory / "triaged.toml": resources.starter_configuration()}
    for source in sorted(resources.starter_policies().iterdir()):
        sources[directory / "policies" / source.name] = source
    there = [str(target) for target in sources if target.exists()]
    if there:
        raise CommandError(f"{there[0]} is there already: name another directory, or move it away")
    for target, source in sources.items():
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
        click.echo(f"wrote {target}")
    click.echo(f"\nnext: edit {directory / 'triaged.toml'}, then `triaged --help` and `triaged check`")
