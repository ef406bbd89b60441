"""`triaged export`: everything that is held of one person, for that person (GDPR Article 15). Erases nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, member_of, safe, settings_of, tracker_of

if TYPE_CHECKING:
    from triaged.ticket.events import JSON


@click.command("export")
@click.argument("person", metavar="PERSON")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A new folder, or a file whose name ends in .zip."
)
@click.option("--as", "member", default="", help="Which member does it; it stands in the journal.")
@click.option("--tenant", default="", help="Whose tracker, where several hold something of the person.")
@config_option
def command(person: str, out: Path, member: str, tenant: str, config: Path | None) -> None:
    """Write out all that is held of a person, by address: what they sent, what they were sent, and what was made of it.

    No note of the team is in it, and what names other people is taken out.
    """
    import secrets
    from datetime import UTC

    from triaged.daemon.clock import real
    from triaged.ticket.events import JournalKind
    from triaged.tracker import held, journal
    from triaged.tracker.engine import writing
    from triaged.tracker.scope import Subject, tenants_with

    settings, address = settings_of(config), person.strip().lower()
    actor, engine = member_of(settings, member), tracker_of(settings)
    with writing(engine) as connection:
        found = [one for one in tenants_with(connection, address) if tenant in ("", one)]
        if len(found) > 1:
            raise CommandError(f"several trackers hold something of them ({', '.join(found)}): say which with --tenant")
        given = held.of_person(connection, Subject(found[0], address)) if found else None
        if given is None:
            raise CommandError(f"nothing is held of {safe(address)}")
        document = json.dumps(given.document, indent=2, ensure_ascii=False).encode() + b"\n"
        files = {"export.json": document, **given.files}
        write_files(out, files)  # within: what could not be written was not given
        data: dict[str, JSON] = {"tickets": list(given.tickets), "files": len(files)}
        journal.note(
            connection, found[0], JournalKind.EXPORTED, actor, data, real().astimezone(UTC), secrets.token_bytes
        )
    click.echo(f"{out}: {len(given.tickets)} ticket(s), {len(files)} file(s)")


def write_files(out: Path, files: dict[str, bytes]) -> None:
    """Into one archive, or a folder that is new or empty."""
    from triaged.cli.signing import must_be_writable, write_whole

    if out.suffix.lower() == ".zip":
        must_be_writable(out)
        write_whole(out, archive(files))
        return
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CommandError(f"{out} is there already: name a new folder, or a file that ends in .zip")
        for name, data in files.items():
            place = out / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{out} could not be written: {error.strerror}") from None


def archive(files: dict[str, bytes]) -> bytes:
    """A zip file: the same files give the same bytes."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            into.writestr(entry, data)
    return made.getvalue()
