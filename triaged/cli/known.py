"""`triaged known`: the team's list of issues that it knows without a report. New reports are compared with it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, json_option, print_json, settings_of, table, tracker_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
_FILE = click.Path(path_type=Path, allow_dash=True)
_MOST = 1 << 20  # characters of one issue's text

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose issue it is.")


@click.group("known")
def command() -> None:
    """List, add and remove issues that the team knows already.

    A new report is compared with them, and the team's mail says which one it may repeat.
    """


@command.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List the known issues."""
    from triaged.tracker.engine import reading
    from triaged.tracker.known_issues import issues
    from triaged.tracker.showing import instant

    with reading(tracker_of(settings_of(config))) as connection:
        found = [{**one, "known_at": instant(one["known_at"])} for one in issues(connection)]
    if as_json:
        print_json(found)
    else:
        table(
            ("name", "tenant", "since", "title"), [(d["name"], d["tenant"], d["known_at"], d["title"]) for d in found]
        )


@command.command("add")
@click.argument("name")
@click.option("--title", required=True, help="One line, as a report's subject would say it.")
@click.option(
    "--text",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    help="A file with the description; -: standard input.",
)
@tenant_option
@config_option
def add(name: str, title: str, text: Path, tenant: str, config: Path | None) -> None:
    """Add an issue under NAME, such as a number of your issue tracker."""
    from triaged.daemon.clock import real
    from triaged.message.clean import clean_header, clean_text
    from triaged.tracker.engine import writing
    from triaged.tracker.known_issues import add as keep

    if not _NAME.match(name):
        raise CommandError(f"{name!r} is no name: use letters, digits, dots and dashes, such as SEC-17")
    settings = settings_of(config)
    if tenant not in {one.name for one in settings.tenants}:
        raise CommandError(f"there is no tenant {tenant!r} in the configuration")
    said = clean_text(sys.stdin.read() if str(text) == "-" else text.read_text(encoding="utf-8", errors="replace"))
    with writing(tracker_of(settings)) as connection:
        if not keep(connection, tenant, name, clean_header(title), said[:_MOST], real()):
            raise CommandError(f"there is a known issue {name} already: remove it first, or take another name")
    click.echo(f"{name} is known from now on; new reports are compared with it")


@command.command("remove")
@click.argument("name")
@tenant_option
@config_option
def remove(name: str, tenant: str, config: Path | None) -> None:
    """Remove a known issue. Tickets that named it keep what they say."""
    from triaged.tracker.engine import writing
    from triaged.tracker.known_issues import remove as drop

    with writing(tracker_of(settings_of(config))) as connection:
        if not drop(connection, tenant, name):
            raise CommandError(f"there is no known issue {name}: `triaged known list` shows them all")
    click.echo(f"{name} is removed")
