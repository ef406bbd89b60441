"""`triaged handover`: a report for a coordinator, without the people in it, as one signed archive. Sends nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, member_of, safe, settings_of, tracker_of

if TYPE_CHECKING:
    from triaged.ticket.events import JSON
    from triaged.tracker.held import Bundle

WARNING = "the attachments go as they came: nobody has looked whether they name their sender"
WORDS = "what they wrote goes without what is known to name them: read it, whether it names them otherwise"


@click.command("handover")
@click.argument("ref")
@click.option(
    "--to", "third_party", required=True, metavar="NAME", help="Who gets it; consents are to exactly that name."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The archive, FILE.zip.")
@click.option(
    "--attachments", is_flag=True, help="The files of the report too, as they came: they may name their sender."
)
@click.option("--words", is_flag=True, help="Also what was written by those who did not agree: it may name them.")
@click.option("--as", "member", default="", help="Which member does it; it stands in the ticket's events.")
@config_option
def command(
    ref: str, third_party: str, out: Path, attachments: bool, words: bool, member: str, config: Path | None
) -> None:
    """Write a ticket's report for a coordinator. Who reported it is taken out, unless they agreed to be named to that party;
    without that, their own words go with --words alone.
    """
    import secrets
    from datetime import UTC

    from triaged.cli.export import archive
    from triaged.cli.signing import must_be_writable, seed_of, write_whole
    from triaged.daemon.clock import real
    from triaged.ticket.events import Event, EventKind, JournalKind
    from triaged.ticket.reference import token_of
    from triaged.tracker import chaining, held, journal
    from triaged.tracker.engine import writing

    settings, at = settings_of(config), real().astimezone(UTC)
    actor, party = member_of(settings, member), " ".join(third_party.split())
    if not party or len(party) > 200 or not party.isprintable():
        raise CommandError("--to wants the name of who gets it, at most 200 characters")
    must_be_writable(out)
    with writing(tracker_of(settings)) as connection:
        token = token_of(ref)
        wanted = {"attachments": attachments, "words": words}
        bundle = held.for_third_party(connection, token, party, **wanted) if token else None
        if bundle is None:
            raise CommandError(f"there is no ticket {safe(ref)}: `triaged ticket list` shows them all")
        files = signed(contents(bundle), seed_of(connection))
        data: dict[str, JSON] = {
            "to": party,
            "manifest": hashlib.sha256(files["manifest.json"]).hexdigest(),
            "people": len(bundle.people),
        }
        chaining.append(
            connection,
            {bundle.ticket_id: [(at, Event(EventKind.HANDED_OVER, actor, data))]},
            secrets.token_bytes,
        )
        entry: dict[str, JSON] = {**data, "ticket": bundle.ref}
        journal.note(connection, bundle.tenant, JournalKind.HANDED_OVER, actor, entry, at, secrets.token_bytes)
        write_whole(out, archive(files))  # within: what could not be written was not handed over
    click.echo(f"{out}: {', '.join(sorted(files))}")
    click.echo(f"people in it: {', '.join(safe(p['address']) for p in bundle.people) or 'nobody agreed to be named'}")
    if attachments:
        click.echo(WARNING, err=True)
    if words:
        click.echo(WORDS, err=True)


def contents(bundle: Bundle) -> dict[str, bytes]:
    """Name -> bytes."""
    words = [f"{one['at']}  {one['subject']}\n\n{one['text'].strip()}\n" for one in bundle.texts]
    files = {
        "report.json": _json({**bundle.document, "messages": list(bundle.texts)}),
        "report.txt": (f"{bundle.ref}\n\n" + "\n---\n\n".join(words)).encode(),
        **bundle.attachments,
    }
    if bundle.people:
        files["people.json"] = _json({"people": list(bundle.people)})
    return files


def signed(files: dict[str, bytes], seed: bytes) -> dict[str, bytes]:
    """With the manifest, which has each file's hash, its signature, and the key that it is checked with."""
    from triaged.cli.signing import SUFFIX, with_key
    from triaged.ticket.signing import public_pem, sign

    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    manifest = with_key({"form": "triaged-manifest/1", "sha256": hashes}, seed)
    key = public_pem(seed).encode()
    return {**files, "manifest.json": manifest, f"manifest.json{SUFFIX}": sign(seed, manifest), "key.pem": key}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
