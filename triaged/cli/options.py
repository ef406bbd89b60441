"""What the commands share: the configuration, --json, instants as people type them, text that is safe for a terminal."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from triaged.settings.model import Settings

F = TypeVar("F", bound=Callable[..., Any])

config_option: Callable[[F], F] = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file. Default: $TRIAGED_CONFIG, ./triaged.toml, /etc/triaged/triaged.toml.",
)
NUMBER = click.IntRange(1, 2**31 - 1)  # of rows, and of a row
json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def settings_of(config: Path | None) -> Settings:
    """The settings that this command line means. Raises SettingsError."""
    from triaged.settings.load import find, load

    return load(find(config, os.environ, Path.cwd()), os.environ)


def member_of(settings: Settings, name: str) -> str:
    """Who acts, as events name them; "operator" for "". Raises CommandError where no member is called so."""
    from triaged.cli.failure import CommandError

    names = {member.name for tenant in settings.tenants for member in tenant.team.members}
    if name and name not in names:
        raise CommandError(f"there is no member {name!r} in the configuration: write the name as it stands there")
    return f"member:{name}" if name else "operator"


def tracker_of(settings: Settings) -> Engine:
    """The tracker, which must be there and of this version."""
    from triaged import resources
    from triaged.cli.failure import CommandError
    from triaged.tracker import migrate
    from triaged.tracker.engine import connect

    engine = connect(settings.tracker.url)
    _refuse_to_make_a_file(settings.tracker.url)
    revision = migrate.current(engine)
    migrate.refuse_newer(revision, resources.migrations())
    if revision != migrate.HEAD:
        raise CommandError("the tracker's database is not of this version: run `triaged db upgrade`")
    return engine


def _refuse_to_make_a_file(url: str) -> None:
    from sqlalchemy.engine import make_url

    from triaged.cli.failure import CommandError

    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database and not Path(made.database).exists():
        raise CommandError(f"there is no tracker at {made.database} yet: run `triaged db upgrade` or `triaged run`")


class Instant(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """An RFC 3339 instant with its zone; a bare date is its midnight in UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-11-20T09:12:00Z", param, ctx)
        if instant.tzinfo is None and len(str(value)) > 10:
            self.fail(f"{value!r} has no zone: write 2026-11-20T09:12:00Z or …+02:00", param, ctx)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(_UNSAFE.sub(lambda m: f"\\u{ord(m.group()):04x}", text))  # all of these stand within JSON strings


_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def safe(text: object) -> str:
    """Text that a terminal shows and does not obey (AT-26): control and bidi characters as \\x1b."""
    return _UNSAFE.sub(lambda m: f"\\x{ord(m.group()):02x}", str(text))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], widest: int = 60) -> None:
    """Columns as wide as they need to be; cells cut at `widest`."""
    cells = [[_cell(value, widest) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) if cells else len(name) for i, name in enumerate(head)]
    for line in [list(head), *cells]:
        click.echo("  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object, widest: int) -> str:
    text = safe("" if value is None else value).replace("\n", " ")
    return text if len(text) <= widest else text[: widest - 1] + "…"


def write_whole(target: Path, octets: bytes) -> Path:
    """Whole or not at all: a web server may be reading the file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = target.with_name(f".{target.name}.new")
    written.write_bytes(octets)
    written.replace(target)
    return target
