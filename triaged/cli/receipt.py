"""`triaged receipt`: what arrived, and what became of it."""

from __future__ import annotations

from pathlib import Path

import click

from triaged.cli.options import NUMBER, config_option, json_option, print_json, settings_of, table, tracker_of


@click.group("receipt")
def command() -> None:
    """List what arrived and what became of it."""


@command.command("list")
@config_option
@json_option
@click.option("--set-aside", "set_aside", is_flag=True, help="Only what could not be read.")
@click.option("--most", type=NUMBER, default=10_000, show_default=True, help="How many, the newest first.")
def list_(config: Path | None, as_json: bool, set_aside: bool, most: int) -> None:
    """List receipts, the newest first."""
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import receipts

    with reading(tracker_of(settings_of(config))) as connection:
        documents = receipts(connection, "set_aside" if set_aside else None, most)
    if as_json:
        print_json(documents)
        return
    rows = [
        (
            d["id"],
            d["received_at"],
            f"{d['mailbox']}/{d['folder']} {d['uid']}",
            d["size"],
            d["outcome"],
            d["ref"],
            d["reason"],
        )
        for d in documents
    ]
    table(("id", "received", "where", "bytes", "outcome", "ticket", "reason"), rows)
