"""`triaged policy`: what a policy promises, and by when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from triaged.cli.options import Instant, json_option, print_json, table


@click.group("policy")
def command() -> None:
    """Look at what a policy promises."""


@command.command("due")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The policy file.")
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
