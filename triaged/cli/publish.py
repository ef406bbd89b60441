"""`triaged publish`: advisories whose day it is, the Hall of Fame, the policy and the numbers, as files of a static site."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import (
    Instant,
    config_option,
    json_option,
    print_json,
    safe,
    settings_of,
    tracker_of,
    write_whole,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from triaged.settings.model import MailboxSettings, Settings
    from triaged.tracker.advisories import Candidate

LIST = ".triaged-published.json"  # in the directory: the files that are ours, so that what is gone is taken away
_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command("publish")
@click.argument("directory", type=_DIRECTORY)
@click.option("--mailbox", metavar="NAME", help="Whose policy stands on the site; needed where there are several.")
@click.option("--dry-run", is_flag=True, help="Say what would be published and written; change nothing.")
@click.option("--at", type=Instant(), help="The instant to take for now, with --dry-run or in rehearsals.")
@config_option
@json_option
def command(
    directory: Path, mailbox: str | None, dry_run: bool, at: datetime | None, config: Path | None, as_json: bool
) -> None:
    """Write the site of a mailbox's tenant below DIRECTORY, a web root.

    Hall of Fame, advisories (pages, Markdown, CSAF, OSV, CVE, an Atom feed), the policy, how its promises were kept, and
    .well-known/security.txt. An advisory whose agreed day it is becomes public now; on any other day it does not. Every
    document is checked against its official schema first, and nothing is written where one fails. Run it from cron, once
    an hour: where nothing changed, no byte changes.
    """
    settings = settings_of(config)
    chosen = _mailbox(settings, mailbox)
    done = _publish(settings, chosen, directory, at, dry_run)
    changes = _compared(directory, done.files)
    if not dry_run:
        _write(directory, done.files, changes)
    if as_json:
        print_json({"published": list(done.names), "waiting": [_row(one) for one in done.waiting], **changes})
    else:
        _say(done, changes, dry_run)


@dataclass(frozen=True, slots=True)
class Done:
    """What a publication came to."""

    names: tuple[str, ...]  # advisories that became public
    waiting: tuple[Candidate, ...]  # drafts that did not, and why
    files: Mapping[str, bytes]


class _DryRun(Exception):
    """Ends the transaction without its effect."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


def _mailbox(settings: Settings, name: str | None) -> MailboxSettings:
    found = [one for one in settings.mailboxes if name in (None, one.name)]
    if not found:
        raise CommandError(f"there is no mailbox {name!r} in the configuration")
    if len(found) > 1:
        raise CommandError(f"say which with --mailbox: {', '.join(one.name for one in found)}")
    return found[0]


def _publish(settings: Settings, mailbox: MailboxSettings, directory: Path, at: datetime | None, dry_run: bool) -> Done:
    """One transaction: what becomes public and what is written of it agree, or nothing of either happens."""
    from triaged.daemon.once import RehearsalError
    from triaged.publication.advisory import InvalidDocument
    from triaged.tracker.engine import writing

    engine = tracker_of(settings)
    try:
        if at is not None:
            _played(engine, at, dry_run)
        with writing(engine) as connection:
            done = _published(connection, settings, mailbox, at)
            if dry_run:
                raise _DryRun(done)
            _must_take_files(directory)
            return done
    except _DryRun as dry:
        return dry.done
    except RehearsalError as error:
        raise CommandError(str(error)) from None
    except InvalidDocument as error:
        raise CommandError(f"nothing was published or written: {error}") from None


def _played(engine: Engine, at: datetime, dry_run: bool) -> None:
    """An instant given by hand publishes nothing to the world: what is under embargo stays so until its day has come."""
    from triaged.daemon.once import lives_in_played_time, may_be_played, rehearse

    may_be_played(engine, at)
    if not dry_run:
        lives_in_played_time(engine)
        rehearse(engine, at)


def _published(connection: Connection, settings: Settings, mailbox: MailboxSettings, at: datetime | None) -> Done:
    import secrets
    from datetime import UTC

    from triaged.daemon import publishing
    from triaged.daemon.clock import real
    from triaged.daemon.desks import known_desks
    from triaged.daemon.tending import desk_of
    from triaged.publication.site import site_files
    from triaged.tracker import advisories
    from triaged.tracker.disclosing import disclose_due

    now = (at or real()).astimezone(UTC)
    desks, policy = known_desks(connection, settings, now), mailbox.policy
    found = advisories.candidates(connection, mailbox.tenant, desks, now)
    base = policy.publish.site.rstrip("/")
    names = disclose_due(connection, found, lambda one: desk_of(one, desks), base, now, secrets.token_bytes)
    publishing.revise(connection, mailbox.tenant, policy, now)
    values = publishing.site_of(connection, mailbox.tenant, mailbox.name, policy, _public_key(connection, now), now)
    files = site_files(values)
    _noted(connection, mailbox.tenant, names, files, now)
    waiting = tuple(one for one in found if one.when != "now")
    return Done(names, waiting, files)


def _public_key(connection: Connection, now: datetime) -> str:
    """With which signed receipts are verified: it stands on the site."""
    import secrets

    from triaged.ticket.signing import public_pem
    from triaged.tracker import installation

    return public_pem(installation.signing_key(connection, now, secrets.token_bytes))


def _noted(
    connection: Connection, tenant: str, names: tuple[str, ...], files: Mapping[str, bytes], at: datetime
) -> None:
    """The journal says what was published, where that is not what was published last."""
    import secrets

    from triaged.ticket.events import JournalKind
    from triaged.tracker import journal

    digest = _digest(files)
    last = journal.entries(connection, tenant, JournalKind.PUBLISHED)[-1:]
    if not last or last[0].data.get("sha256") != digest:
        data = {"files": len(files), "sha256": digest, "advisories": list(names)}
        journal.note(connection, tenant, JournalKind.PUBLISHED, "operator", data, at, secrets.token_bytes)  # type: ignore[arg-type]


def _digest(files: Mapping[str, bytes]) -> str:
    hasher = hashlib.sha256()
    for path in sorted(files):
        hasher.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    return hasher.hexdigest()


# --- files -------------------------------------------------------------------------------------------------------------------


def _compared(directory: Path, files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Paths that are new or changed, and those of an earlier publication that are no more."""
    changed = [path for path, octets in sorted(files.items()) if _held(directory / path) != octets]
    removed = [path for path in _ours(directory) if path not in files and (directory / path).is_file()]
    return {"written": changed, "removed": removed}


def _held(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _ours(directory: Path) -> Iterator[str]:
    """What an earlier publication wrote there. A list that somebody else wrote can't name a file outside of it."""
    held = _held(directory / LIST)
    try:
        listed = json.loads(held) if held else []
    except ValueError:
        raise CommandError(
            f"{directory / LIST} can't be read: remove it, and files of old publications by hand"
        ) from None
    for path in listed if isinstance(listed, list) else []:
        parts = PurePosixPath(str(path)).parts
        if parts and ".." not in parts and not PurePosixPath(str(path)).is_absolute():
            yield str(path)


def _must_take_files(directory: Path) -> None:
    """Raises OSError before anything becomes public: else its researcher reads of a page that is not there."""
    write_whole(directory / f"{LIST}.try", b"")
    (directory / f"{LIST}.try").unlink()


def _write(directory: Path, files: Mapping[str, bytes], changes: Mapping[str, list[str]]) -> None:
    """Each file whole or not at all, for a web server may be reading it; what is no more goes last."""
    for path in changes["written"]:
        write_whole(directory / path, files[path])
    listed = json.dumps(sorted(files), indent=1) + "\n"
    if _held(directory / LIST) != listed.encode():
        write_whole(directory / LIST, listed.encode())
    for path in changes["removed"]:
        (directory / path).unlink()


def _row(one: Candidate) -> dict[str, str]:
    return {"ref": one.ref, "title": one.title, "when": str(one.when), "why": one.why}


def _say(done: Done, changes: Mapping[str, list[str]], dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for name in done.names:
        click.echo(f"{name} {would or 'is '}published")
    for one in done.waiting:
        click.echo(safe(f"{one.ref} is not published: {one.why}"))
    for what, paths in changes.items():
        for path in paths:
            click.echo(safe(f"{would}{what}: {path}"))
    if not any(changes.values()):
        click.echo("no file has changed since the last publication")
