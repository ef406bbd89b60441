"""`triaged message read`: what triaged reads in one raw message. Touches no database, needs no configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from triaged.cli.options import json_option, print_json, safe


@click.group("message")
def command() -> None:
    """Show what triaged reads in a raw message."""


@command.command("read")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--trust", multiple=True, metavar="AUTHSERV_ID", help="Believe this server's Authentication-Results.")
@click.option("--policy", type=click.Path(path_type=Path, exists=True), help="Say what is missing under this policy.")
@json_option
def read(file: Path, trust: tuple[str, ...], policy: Path | None, as_json: bool) -> None:
    """Read one raw message from FILE (-: standard input) and show what triaged makes of it.

    Whatever the bytes are, the exit code is 0; what could not be read stands under "defects".
    """
    from triaged.daemon.desks import message_limits
    from triaged.message.model import Trust
    from triaged.message.parse import parse
    from triaged.policy.load import load_policy
    from triaged.reading.document import as_json as document_of
    from triaged.settings.limits import Limits

    raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    asked = None if policy is None else load_policy(policy)
    believed = Trust(frozenset(name.lower() for name in trust))
    document = document_of(parse(raw, message_limits(Limits()), believed), asked)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _show(document: dict[str, Any]) -> None:
    author = document["from"]
    lines = [
        ("kind", document["kind"]),
        ("from", f'{author["address"]}  "{author["name"]}"'.removesuffix('  ""') if author else "(none)"),  # AT-11
        ("subject", document["subject"]),
        ("date", document["date"]),
        ("message-id", document["message_id"]),
        ("authenticity", document["authenticity"]["verdict"]),
        ("answerable", "yes" if document["automatic"]["answerable"] else _reasons(document)),
        *[("attachment", f"{a['name']} {a['detected_type']} {a['size']} bytes") for a in document["attachments"]],
        *[("defect", d) for d in document["defects"]],
    ]
    for name, value in lines:
        click.echo(f"{name:14}{safe(value)}")
    click.echo("\n" + "\n".join(safe(line) for line in document["new_text"].split("\n")))


def _reasons(document: dict[str, Any]) -> str:
    return "no: " + ", ".join(r["word"] for r in document["automatic"]["reasons"])
