"""`triaged ticket`: the tracker's tickets, to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import NUMBER, config_option, json_option, print_json, safe, settings_of, table, tracker_of


@click.group("ticket")
def command() -> None:
    """List and show tickets."""


@command.command("list")
@config_option
@json_option
@click.option("--most", type=NUMBER, default=1000, show_default=True, help="How many, the newest first.")
def list_(config: Path | None, as_json: bool, most: int) -> None:
    """List tickets, the newest first."""
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import tickets

    with reading(tracker_of(settings_of(config))) as connection:
        documents = tickets(connection, most)
    if as_json:
        print_json(documents)
        return
    rows = [(d["ref"], d["received_at"], d["state"], _next(d), _reporter(d), d["subject"]) for d in documents]
    table(("ticket", "received", "state", "next due", "reporter", "subject"), rows)


def _next(document: dict[str, Any]) -> str:
    open_clocks = [c for c in document["clocks"] if c["met_at"] is None and c["waived"] is None]
    return f"{open_clocks[0]['promise']} {open_clocks[0]['due_at']}" if open_clocks else ""


def _reporter(document: dict[str, Any]) -> str:
    reporter = document["reporter"]
    return "" if reporter is None else reporter["address"] + ("" if reporter["proven"] else " (unproven)")


@command.command("show")
@click.argument("ref")
@config_option
@json_option
def show(ref: str, config: Path | None, as_json: bool) -> None:
    """Show one ticket whole: messages, attachments, clocks, events. REF as people write it: ims-7f3k-9qxd will do."""
    from triaged.ticket.reference import token_of
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import one_ticket

    token = token_of(ref)
    with reading(tracker_of(settings_of(config))) as connection:
        document = one_ticket(connection, token) if token else None
    if document is None:
        raise CommandError(f"there is no ticket {safe(ref)}: `triaged ticket list` shows them all")
    if as_json:
        print_json(document)
    else:
        _show(document)


def _show(d: dict[str, Any]) -> None:
    click.echo(f"{d['ref']}  {d['kind']}, {d['state']}  {safe(d['subject'])}")
    click.echo(f"  reporter   {safe(_reporter(d))}")
    click.echo(
        f"  received   {d['received_at']} in {safe(d['mailbox'])}, policy {d['policy']['name']} {d['policy']['version']}"
    )
    for c in d["clocks"]:
        kept = f"met {c['met_at']}" if c["met_at"] else "open"
        click.echo(f"  promise    {c['promise']} due {c['due_at']}, {kept}: {safe(c['clause'])}")
    for a in d["attachments"]:
        click.echo(
            f"  attachment {safe(a['name'])}  {safe(a['detected_type'])}  {a['size']} bytes  sha256 {a['sha256']}"
        )
    for m in d["messages"]:
        _show_message(m)
    click.echo()
    table(("event", "at", "actor", "kind"), [(e["seq"], e["at"], e["actor"], e["kind"]) for e in d["events"]])


def _show_message(m: dict[str, Any]) -> None:
    arrow = "->" if m["direction"] == "out" else "<-"
    other = m["to"][0]["address"] if m["direction"] == "out" and m["to"] else m["from"]["address"]
    proof = "" if m["proven"] else " (unproven)"
    click.echo(f"\n{arrow} {m['at']}  {m['audience']}  {safe(other)}{proof}  {safe(m['subject'])}")
    for line in m["text"].split("\n"):
        click.echo(f"   {safe(line)}".rstrip())
