"""Records that somebody reads personal data at the command line, before it is shown. Showing never fails because of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from triaged.settings.model import Settings

as_option = click.option(
    "--as", "member", default="", help="Which member reads it; otherwise the login stands in the event."
)


def looked_at_ticket(engine: Engine, settings: Settings, ref: str, command: str, member: str) -> None:
    """One event a person, ticket, command and hour."""

    def note(connection: Connection, actor: str, at: datetime, entropy: Any) -> None:
        from triaged.tracker.looking import at_ticket

        at_ticket(connection, ref, command, actor, at, entropy)

    _record(engine, settings, member, note)


def looked_at_list(engine: Engine, settings: Settings, tenants: set[str], command: str, member: str) -> None:
    """One entry a person, tenant, command and hour."""

    def note(connection: Connection, actor: str, at: datetime, entropy: Any) -> None:
        from triaged.tracker.looking import at_lists

        at_lists(connection, tenants, command, actor, at, entropy)

    _record(engine, settings, member, note)


def _record(
    engine: Engine, settings: Settings, member: str, note: Callable[[Connection, str, datetime, Any], None]
) -> None:
    import secrets
    from datetime import UTC

    from sqlalchemy.exc import SQLAlchemyError

    from triaged.cli.options import member_of
    from triaged.daemon.clock import real
    from triaged.tracker.engine import writing

    actor = f"operator:{member_of(settings, member).removeprefix('member:')}" if member else f"operator:{_login()}"
    try:
        with writing(engine) as connection:
            note(connection, actor, real().astimezone(UTC), secrets.token_bytes)
    except SQLAlchemyError as error:
        click.echo(
            f"that this was read could not be recorded ({type(error).__name__}): is the tracker read-only?", err=True
        )


def _login() -> str:
    """The account that runs this, whatever the environment says."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container without a name for its user
        return str(os.getuid())
