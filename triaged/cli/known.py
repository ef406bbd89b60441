"""`triaged known`: the team's list of issues that it knows without a report. New reports are compared with it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import (
    config_option,
    json_option,
    member_of,
    print_json,
    safe,
    settings_of,
    table,
    tracker_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
_FILE = click.Path(path_type=Path, allow_dash=True)
_MOST = 1 << 20  # characters of one issue's text

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose issue it is.")


@click.group("known")
def command() -> None:
    """List, add, seal, open and remove issues that the team knows already.

    A new report is compared with them, and the team's mail says which one it may repeat. A sealed issue can be
    proved later to have been known today, without a word of it being said now.
    """


as_option = click.option("--as", "member", default="", help="The member who does it; without: an operator.")


@command.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List the known issues, and which of them are sealed or opened."""
    from triaged.tracker.engine import reading
    from triaged.tracker.known_issues import issues
    from triaged.tracker.showing import instant

    with reading(tracker_of(settings_of(config))) as connection:
        found = [{**one, **{k: instant(one[k]) for k in _INSTANTS}} for one in issues(connection)]
    if as_json:
        print_json(found)
        return
    rows = [(d["name"], d["tenant"], d["known_at"], _standing(d), d["title"]) for d in found]
    table(("name", "tenant", "since", "seal", "title"), rows)


_INSTANTS = ("known_at", "sealed_at", "opened_at")


def _standing(d: dict[str, Any]) -> str:
    if d["opened_at"]:
        return f"opened {d['opened_at']}"
    return f"sealed {d['sealed_at']}" if d["sealed_at"] else "none"


@command.command("add")
@click.argument("name")
@click.option("--title", required=True, help="One line, as a report's subject would say it.")
@click.option(
    "--text",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    help="A file with the description; -: standard input.",
)
@click.option("--seal", "sealing", is_flag=True, help="Seal it at once.")
@tenant_option
@as_option
@config_option
def add(name: str, title: str, text: Path, sealing: bool, tenant: str, member: str, config: Path | None) -> None:
    """Add an issue under NAME, such as a number of your issue tracker."""
    from triaged.message.clean import clean_header, clean_text
    from triaged.tracker.known_issues import add as keep

    if not _NAME.match(name):
        raise CommandError(f"{name!r} is no name: use letters, digits, dots and dashes, such as SEC-17")
    said = clean_text(sys.stdin.read() if str(text) == "-" else text.read_text(encoding="utf-8", errors="replace"))
    with _working(config, tenant, member) as work:
        if not keep(work.connection, tenant, name, clean_header(title), said[:_MOST], work.at):
            raise CommandError(f"there is a known issue {name} already: remove it first, or take another name")
        seal = _sealed(work, tenant, name) if sealing else ""
    click.echo(f"{name} is known from now on; new reports are compared with it")
    if seal:
        _say_seal(name, seal)


@command.command("seal")
@click.argument("name")
@tenant_option
@as_option
@config_option
def seal_(name: str, tenant: str, member: str, config: Path | None) -> None:
    """Commit to an issue as it stands: a hash of it goes into the journal, and nothing else of it."""
    with _working(config, tenant, member) as work:
        seal = _sealed(work, tenant, name)
    _say_seal(name, seal)


@command.command("open")
@click.argument("name")
@click.option("--to", type=_FILE, help="Where to write it; -: standard output. Default: NAME.json.")
@tenant_option
@as_option
@config_option
def open_(name: str, to: Path | None, tenant: str, member: str, config: Path | None) -> None:
    """Open a seal: writes a small JSON file with which anybody can see what was sealed, and when."""
    from triaged.tracker.known_issues import KnownError
    from triaged.tracker.known_issues import open_ as opened

    target = to or Path(f"{name}.json")
    with _working(config, tenant, member) as work:
        try:
            document = opened(work.connection, tenant, name, work.actor, work.at, work.entropy)
        except KnownError as error:
            raise CommandError(str(error)) from None
        if str(target) != "-":
            _write_new(target, document)
    if str(target) == "-":
        print_json(document)
    else:
        click.echo(f"{name} is open: {target} proves that it was known since {document['sealed_at']}")


@command.command("verify")
@click.argument("file", type=_FILE)
@click.option("--seal", default="", help="The seal as a letter gave it: it must be the one that is opened.")
def verify(file: Path, seal: str) -> int:
    """Whether FILE opens its seal; -: standard input. Needs no configuration: anybody can ask."""
    from triaged.ticket.sealing import faults, issue_of

    said = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8", errors="replace")
    document = _json_of(said)
    found = list(faults(document, seal))
    for fault in found:
        click.echo(safe(fault))
    if found:
        return 1
    issue = issue_of(document["canonical"])
    assert issue is not None  # noqa: S101 - no fault was found
    click.echo(f"the seal {document['seal']} holds: {safe(issue.name)}, {safe(issue.title)}")
    click.echo("that it is as old as the file says is shown by whoever had it then: a letter that gave it, the journal")
    return 0


@command.command("remove")
@click.argument("name")
@tenant_option
@as_option
@config_option
def remove(name: str, tenant: str, member: str, config: Path | None) -> None:
    """Remove a known issue. Tickets that named it keep what they say, and its seal stays in the journal."""
    from triaged.tracker.known_issues import remove as drop

    with _working(config, tenant, member) as work:
        if not drop(work.connection, tenant, name, work.actor, work.at, work.entropy):
            raise CommandError(f"there is no known issue {name}: `triaged known list` shows them all")
    click.echo(f"{name} is removed")


@dataclass(frozen=True)
class _Work:
    """One transaction on the tracker, by somebody, at an instant."""

    connection: Connection
    actor: str
    at: datetime
    entropy: Callable[[int], bytes]


@contextmanager
def _working(config: Path | None, tenant: str, member: str) -> Iterator[_Work]:
    import secrets
    from datetime import UTC

    from triaged.daemon.clock import real
    from triaged.tracker.engine import writing

    settings = settings_of(config)
    if tenant not in {one.name for one in settings.tenants}:
        raise CommandError(f"there is no tenant {tenant!r} in the configuration")
    actor = member_of(settings, member)
    with writing(tracker_of(settings)) as connection:
        yield _Work(connection, actor, real().astimezone(UTC), secrets.token_bytes)


def _sealed(work: _Work, tenant: str, name: str) -> str:
    from triaged.tracker.known_issues import KnownError, seal

    try:
        return seal(work.connection, tenant, name, work.actor, work.at, work.entropy)
    except KnownError as error:
        raise CommandError(str(error)) from None


def _say_seal(name: str, seal: str) -> None:
    click.echo(f"{name} is sealed: {seal}")
    click.echo("the journal holds the seal alone; publish it or give it in a letter, and nobody can say later that you")
    click.echo(f"made it up. `triaged known open {name}` opens it")


def _write_new(target: Path, document: dict[str, object]) -> None:
    """Nobody's file is written over, but one that says the same."""
    said = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if target.exists():
        if target.read_text(encoding="utf-8", errors="replace") != said:
            raise CommandError(f"there is a file {target} already: name another with --to")
        return
    target.write_text(said, encoding="utf-8")


def _json_of(said: str) -> Any:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise CommandError("the file is no JSON: give the one that `triaged known open` wrote") from None
