"""`triaged policy`: what a policy promises and by when, what is wrong with it, what is published of it, what changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.options import Instant, config_option, json_option, print_json, safe, settings_of, table

if TYPE_CHECKING:
    from triaged.policy.model import Policy

_FILE = click.Path(path_type=Path, dir_okay=False)
_at_option = click.option("--at", type=Instant(), help="The instant to take for now. Default: now.")


@click.group("policy")
def command() -> None:
    """Look at what a policy promises, check it, publish it."""


@command.command("due")
@click.option("--policy", type=_FILE, required=True, help="The policy file.")
@click.option("--received", type=Instant(), required=True, help="When the report was received.")
@json_option
def due(policy: Path, received: datetime, as_json: bool) -> None:
    """Show when each promise of a policy is due for a report received at an instant."""
    from triaged.policy.load import load_policy
    from triaged.policy.preview import preview

    document = preview(load_policy(policy), received)
    if as_json:
        print_json(document)
        return
    rows = [(p["promise"], p["due_local"], p["due_at"], p["clause"]) for p in document["promises"]]
    table(("promise", "due (local)", "due (UTC)", "clause"), rows)


@command.command("lint")
@click.argument("files", type=_FILE, nargs=-1)
@config_option
@_at_option
@json_option
def lint(files: tuple[Path, ...], config: Path | None, at: datetime | None, as_json: bool) -> int:
    """Say what is wrong with policy files and their texts; without FILES, with those of the configuration.

    Exit code 1 if anything is found.
    """
    from triaged.daemon.clock import real
    from triaged.policy import lint as rules
    from triaged.policy.load import load_policy

    now = at or real()
    policies = [(load_policy(path), "") for path in files] if files else _configured(config)
    found = dict.fromkeys(one for policy, mailbox in policies for one in rules.lint(policy, now, mailbox))
    if as_json:
        print_json([{"rule": one.rule, "where": one.where, "text": one.text} for one in found])
    for one in () if as_json else found:
        click.echo(f"{safe(one.where)}: {safe(one.text)} ({one.rule})")
    return 1 if found else 0


def _configured(config: Path | None) -> list[tuple[Policy, str]]:
    """The policy of each mailbox, with the mailbox's address."""
    return [(mailbox.policy, mailbox.address) for mailbox in settings_of(config).mailboxes]
