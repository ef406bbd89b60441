"""`triaged receipt`: what arrived, what became of it, and signed receipts of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import (
    NUMBER,
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

    from triaged.tracker.receipting import Received

_FILE = click.Path(path_type=Path, dir_okay=False)
SUFFIX = ".sig"  # of the detached signature


@click.group("receipt")
def command() -> None:
    """List what arrived and what became of it; sign receipts of it."""


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


@command.command("sign")
@click.argument("which", metavar="REF|ID")
@click.option("--out", type=_FILE, required=True, help="Write the receipt into this file, its signature beside it.")
@click.option("--as", "member", default="", help="Which member gives it; it stands in the ticket's events.")
@config_option
def sign(which: str, out: Path, member: str, config: Path | None) -> None:
    """Sign that a message was received: the hash of its exact bytes, and when.

    REF: the report that opened the ticket; ID: any receipt on a ticket, by the number of `triaged receipt list`.
    """
    import secrets
    from datetime import UTC

    from triaged.cli.signing import must_be_writable, seed_of, with_key, write_signed
    from triaged.daemon.clock import real
    from triaged.ticket.reference import token_of
    from triaged.ticket.signing import key_id, public_pem
    from triaged.tracker import receipting
    from triaged.tracker.engine import writing

    settings, at = settings_of(config), real().astimezone(UTC)
    actor = member_of(settings, member)
    must_be_writable(out)
    token = token_of(which)
    with writing(tracker_of(settings)) as connection:
        seed = seed_of(connection)
        if which.isdecimal() and len(which) < 19:
            received = receipting.of_receipt(connection, int(which))
        else:
            received = receipting.of_ticket(connection, token) if token else None
        if received is None or not received.ref:
            raise CommandError(f"no bytes are held of {safe(which)}: `triaged receipt list` shows what is")
        data = with_key(_signed(received, at), seed)
        receipting.given(connection, received, actor, key_id(public_pem(seed)), at, secrets.token_bytes)
        write_signed(out, data, seed)  # within: what could not be written was not given
    click.echo(f"{out} and {out}{SUFFIX} are written; `triaged receipt key` gives the key that they are checked with")


def _signed(received: Received, at: datetime) -> dict[str, object]:
    from triaged.tracker.showing import instant

    return {
        "form": "triaged-receipt/1",
        "organisation": received.organisation,
        "reference": received.ref,
        "sha256": received.sha256,
        "size": received.size,
        "whole": received.whole,
        "received_at": instant(received.received_at),
        "signed_at": instant(at),
    }


@command.command("key")
@config_option
def key(config: Path | None) -> None:
    """Print the public key that signed files are checked with. Publish it where researchers look."""
    from triaged.cli.signing import seed_of
    from triaged.ticket.signing import public_pem
    from triaged.tracker.engine import writing

    with writing(tracker_of(settings_of(config))) as connection:
        click.echo(public_pem(seed_of(connection)), nl=False)


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--key",
    "pem",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The public key; by itself this installation's own.",
)
@config_option
def verify(file: Path, pem: Path | None, config: Path | None) -> int:
    """Say whether a signed file is as it was signed: exit code 0 for yes, 1 for no. With --key it needs no tracker."""
    from triaged.ticket.signing import holds

    beside = file.with_name(file.name + SUFFIX)
    if not beside.is_file():
        raise CommandError(f"there is no {beside}: the signature has to lie beside the file")
    known = pem.read_text(encoding="utf-8", errors="replace") if pem else _own_key(config)
    try:
        yes = holds(known, file.read_bytes(), beside.read_bytes())
    except (ValueError, UnicodeEncodeError):
        raise CommandError(f"{pem} is no public key in PEM form") from None
    click.echo("yes: it is as it was signed" if yes else "no: this key did not sign these bytes")
    return 0 if yes else 1


def _own_key(config: Path | None) -> str:
    from triaged.ticket.signing import public_pem
    from triaged.tracker.engine import reading
    from triaged.tracker.installation import kept_signing_key

    with reading(tracker_of(settings_of(config))) as connection:
        seed = kept_signing_key(connection)
    if seed is None:
        raise CommandError("this installation has signed nothing yet: give the key with --key FILE")
    return public_pem(seed)
