"""`triaged policy`: what a policy promises and by when, what is wrong with it, what is published of it, what changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.options import (
    Instant,
    config_option,
    json_option,
    print_json,
    safe,
    settings_of,
    table,
    tracker_of,
    write_whole,
)
from triaged.cli.simulate import simulate

if TYPE_CHECKING:
    from triaged.policy.model import Policy

_FILE = click.Path(path_type=Path, dir_okay=False)
_at_option = click.option("--at", type=Instant(), help="The instant to take for now. Default: now.")


@click.group("policy")
def command() -> None:
    """Look at what a policy promises, check it, publish it."""


command.add_command(simulate)


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


@command.command("publish")
@click.argument("file", type=_FILE)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@_at_option
def publish(file: Path, directory: Path, at: datetime | None) -> None:
    """Write what the policy in FILE publishes below DIRECTORY, a web root.

    The page as HTML and Markdown, .well-known/security.txt (RFC 9116) and the entry for the disclose.io directory.
    """
    from triaged.cli.failure import CommandError
    from triaged.daemon.clock import real
    from triaged.policy.load import load_policy
    from triaged.policy.publishing import expires_at
    from triaged.publication.files import published

    policy, now = load_policy(file), at or real()
    if not now < expires_at(policy, now) <= now + timedelta(days=365):
        raise CommandError(
            "publish.expires must lie within the year to come: write a later or nearer day, or remove it"
        )
    for path, octets in published(policy, now).items():
        click.echo(safe(write_whole(directory / path, octets)))
    if not policy.publish.policy:
        click.echo('the disclose.io directory wants policy_url: set policy = "https://…" in [publish]', err=True)


@command.command("diff")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--received", type=Instant(), multiple=True, help="Show what moves for a report received then.")
@click.option("--tickets", is_flag=True, help="Show what moves for the open tickets that came in under OLD.")
@config_option
@json_option
def diff(
    old: Path, new: Path, received: tuple[datetime, ...], tickets: bool, config: Path | None, as_json: bool
) -> None:
    """Show what changes from the policy file OLD to NEW: promises, clauses, calendar, terms.

    With --received, which due dates of such a report would move; with --tickets, which of the open tickets. Nothing is
    moved: a ticket keeps the policy that it came in under, and a person moves a date with `triaged ticket extend`. With
    the same file twice, --tickets shows what newer holiday or zone data would move.
    """
    from triaged.policy.difference import as_if, document, moved
    from triaged.policy.load import load_policy
    from triaged.policy.preview import refuse_uncountable

    before, after = load_policy(old), load_policy(new)
    for instant in received:
        refuse_uncountable(instant)
    shifted = [one for at in received for one in moved(before, after, as_if(before, at))]
    found: dict[str, Any] = document(before, after, shifted)
    if tickets:
        found["tickets"] = _of_tickets(before, after, config)
    if as_json:
        print_json(found)
        return
    table(("", "where", "before", "after"), [tuple(change.values()) for change in found["changes"]])
    if shifted:
        click.echo("")
        table(("promise", "started", "was due", "due", ""), [tuple(one.values()) for one in found["moved"]])
    if tickets:
        click.echo("")
        table(("ticket", "promise", "started", "was due", "due", ""), [tuple(one.values()) for one in found["tickets"]])


def _of_tickets(old: Policy, new: Policy, config: Path | None) -> list[dict[str, Any]]:
    from triaged.policy.difference import document
    from triaged.tracker.engine import reading
    from triaged.tracker.moving import drifted, moves, running

    with reading(tracker_of(settings_of(config))) as connection:
        clocks = running(connection, old)
    shifted = drifted(old, clocks) if old.sha256 == new.sha256 else moves(old, new, clocks)
    return [{"ref": ref, **document(old, new, [one])["moved"][0]} for ref, one in shifted]
