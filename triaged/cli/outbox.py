"""`triaged outbox`: letters, as they wait and as they went."""

from __future__ import annotations

from pathlib import Path

import click

from triaged.cli.failure import CommandError
from triaged.cli.looking import as_option, looked_at_list, looked_at_ticket
from triaged.cli.options import NUMBER, config_option, json_option, print_json, safe, settings_of, table, tracker_of

STATES = ("queued", "held", "sending", "accepted", "unknown", "failed", "dropped")


@click.group("outbox")
def command() -> None:
    """List, show and retry letters."""


@command.command("list")
@config_option
@json_option
@click.option("--state", type=click.Choice(STATES), help="Only letters in this state.")
@click.option("--most", type=NUMBER, default=10_000, show_default=True, help="How many, the newest first.")
@as_option
def list_(config: Path | None, as_json: bool, state: str | None, most: int, member: str) -> None:
    """List letters, the newest first."""
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import letters

    settings = settings_of(config)
    engine = tracker_of(settings)
    with reading(engine) as connection:
        documents = letters(connection, state, most)
    tenants = {tenant.name for tenant in settings.tenants} if documents else set()
    looked_at_list(engine, settings, tenants, "outbox list", member)
    if as_json:
        print_json(documents)
        return
    rows = [
        (
            d["id"],
            d["ref"],
            d["audience"],
            d["to"],
            d["state"],
            d["attempts"],
            d["accepted_at"] or d["not_before"],
            d["last_reply"],
        )
        for d in documents
    ]
    table(("id", "ticket", "audience", "to", "state", "tries", "accepted / next", "last reply"), rows)


@command.command("show")
@click.argument("letter", type=NUMBER)
@config_option
@json_option
@as_option
def show(letter: int, config: Path | None, as_json: bool, member: str) -> None:
    """Show a letter with its final bytes."""
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import one_letter

    settings = settings_of(config)
    engine = tracker_of(settings)
    with reading(engine) as connection:
        found = one_letter(connection, letter)
    if found is None:
        raise CommandError(f"there is no letter {letter}: `triaged outbox list` shows them all")
    document, data = found
    looked_at_ticket(engine, settings, document["ref"] or "", "outbox show", member)
    if as_json:
        print_json({**document, "data": data.decode("ascii", "replace")})
        return
    for name, value in document.items():
        click.echo(f"{name:18}{safe('' if value is None else value)}")
    click.echo()
    for line in data.decode("utf-8", "replace").split("\r\n"):
        click.echo(safe(line))


@command.command("retry")
@click.argument("letter", type=NUMBER)
@config_option
def retry(letter: int, config: Path | None) -> None:
    """Let a letter that waits, failed or is held go again now, with the same bytes."""
    from triaged.daemon.clock import real
    from triaged.tracker.engine import writing
    from triaged.tracker.outbox import retry as let_go

    with writing(tracker_of(settings_of(config))) as connection:
        if not let_go(connection, letter, real()):
            raise CommandError(f"letter {letter} is not one that can go again: `triaged outbox list` shows its state")
    click.echo(f"letter {letter} goes with the next round")


@command.command("hold")
@click.argument("letter", type=NUMBER)
@config_option
def hold(letter: int, config: Path | None) -> None:
    """Keep a letter that waits back, until `triaged outbox retry`."""
    from triaged.tracker.engine import writing
    from triaged.tracker.outbox import hold as keep_back

    with writing(tracker_of(settings_of(config))) as connection:
        if not keep_back(connection, letter):
            raise CommandError(f"letter {letter} is not one that waits: `triaged outbox list` shows its state")
    click.echo(f"letter {letter} is held; `triaged outbox retry {letter}` lets it go")


@command.command("drop")
@click.argument("letter", type=NUMBER)
@config_option
def drop(letter: int, config: Path | None) -> None:
    """Never send a letter that waits or is held. The promises that it would have kept stay open."""
    from triaged.tracker.engine import writing
    from triaged.tracker.outbox import drop as never_send

    with writing(tracker_of(settings_of(config))) as connection:
        if not never_send(connection, letter):
            raise CommandError(f"letter {letter} has gone or is dropped: `triaged outbox list` shows its state")
    click.echo(f"letter {letter} is dropped; what it would have kept stays open")
