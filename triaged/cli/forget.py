"""`triaged forget`: shows what an erasure would take, proposes it, has it done, and writes its certificate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import NUMBER, config_option, json_option, print_json, safe, settings_of, table, tracker_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from triaged.settings.model import Member, Settings, TeamSettings
    from triaged.tracker.erasures import Looked
    from triaged.tracker.scope import Subject

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("forget")
@click.argument("whom", required=False, metavar="[PERSON|REF]")
@click.option("--as", "member", default="", help="Which member proposes it, or with --confirm has it done.")
@click.option("--confirm", is_flag=True, help="Do it. Where the team has two members, another one proposed it.")
@click.option("--certificate", type=_FILE, help="Write the signed certificate into this file, its signature beside it.")
@click.option("--tenant", default="", help="Whose tracker, where several hold something of the person.")
@click.option("--number", type=NUMBER, help="Write the certificate of this erasure, which was done, again.")
@click.option("--due", is_flag=True, help="List closed tickets that the policy keeps no longer.")
@click.option("--compact", "only_compact", is_flag=True, help="Rewrite the database's files alone.")
@config_option
@json_option
def command(
    whom: str | None,
    member: str,
    confirm: bool,
    certificate: Path | None,
    tenant: str,
    number: int | None,
    due: bool,
    only_compact: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Forget a person, by address, or a ticket, by reference. Without more it shows what would go and what can't be reached.

    What is forgotten is erased from every table; the event chains stay whole. The mailbox's own messages stay there until
    somebody deletes them: they are not read again.
    """
    settings = settings_of(config)
    engine = tracker_of(settings)
    if due:
        return _due(engine, settings, as_json)
    if only_compact:
        return _compact(engine)
    if number is not None:
        return _again(engine, number, certificate, as_json)
    if not whom:
        raise click.UsageError("say whom: an address, or a ticket's reference")
    subject = _subject(engine, settings, whom, tenant)
    by = _member(settings, subject, member)
    if confirm:
        return _confirm(engine, settings, subject, by, certificate, as_json)
    _look(engine, settings, subject, by, as_json)
    return None


def _subject(engine: Engine, settings: Settings, whom: str, tenant: str) -> Subject:
    from triaged.ticket.forgetting import cannot_be_forgotten
    from triaged.ticket.reference import token_of
    from triaged.tracker.engine import reading
    from triaged.tracker.knowing import tenant_of
    from triaged.tracker.scope import Subject, tenants_with

    address, token = whom.strip().lower(), token_of(whom)
    if "@" not in address:
        with reading(engine) as connection:
            own = tenant_of(connection, token) if token else None
        if own is None or token is None or tenant not in ("", own):
            raise CommandError(f"there is no ticket {safe(whom)}: `triaged ticket list` shows them all")
        return Subject(own, token=token)
    boxes = {mailbox.address.lower() for mailbox in settings.mailboxes}
    if why := cannot_be_forgotten(
        address, boxes, {m.address.lower() for t in settings.tenants for m in t.team.members}
    ):
        raise CommandError(why)
    with reading(engine) as connection:
        found = tenants_with(connection, address)
    chosen = [one for one in found if tenant in ("", one)]
    if not chosen:  # who never wrote may be named by others
        known = [one.name for one in settings.tenants if tenant in ("", one.name)]
        if len(known) != 1:
            raise CommandError(
                f"nothing came from or went to {safe(address)}: say whose tracker is meant with --tenant"
            )
        return Subject(known[0], address)
    if len(chosen) > 1:
        raise CommandError(f"several trackers hold something of them ({', '.join(chosen)}): say which with --tenant")
    return Subject(chosen[0], address)


def _member(settings: Settings, subject: Subject, name: str) -> str:
    """The member's address; "operator" where none is named."""
    if not name:
        return "operator"
    found = next(
        (m for m in _team(settings, subject).members if name.lower() in (m.name.lower(), m.address.lower())), None
    )
    if found is None:
        raise CommandError(
            f"there is no member {name!r} in the team of {subject.tenant!r}: write the name as it stands there"
        )
    if found.role == "observer":
        raise CommandError(f"{found.name} is an observer: a triager or a lead has things forgotten")
    return found.address.lower()


def _team(settings: Settings, subject: Subject) -> TeamSettings:
    try:
        return settings.tenant(subject.tenant).team
    except KeyError:
        raise CommandError(f"the tenant {subject.tenant!r} is not in the configuration: add it again") from None


def _may_confirm(settings: Settings, subject: Subject) -> list[Member]:
    return [member for member in _team(settings, subject).members if member.role != "observer"]


def never_of(settings: Settings) -> frozenset[str]:
    """Names and addresses that no report makes anybody's: the team's, the mailboxes', the organisations'."""
    team = {word for t in settings.tenants for m in t.team.members for word in (m.name, m.address.lower())}
    boxes = {word for m in settings.mailboxes for word in (m.address.lower(), m.name, m.policy.organisation)}
    notified = {a.lower() for t in settings.tenants for a in (*t.team.notify, *t.team.escalate)}
    return frozenset(team | boxes | notified)


def _look(engine: Engine, settings: Settings, subject: Subject, by: str, as_json: bool) -> None:
    import secrets

    from triaged.daemon.clock import real
    from triaged.tracker.engine import writing
    from triaged.tracker.erasures import look, open_proposal, propose

    now = real()
    looked = look(engine, subject, never_of(settings), now, secrets.token_bytes)
    if looked is None:
        raise CommandError("nothing is held of it")
    with writing(engine) as connection:
        waiting = open_proposal(connection, subject, now)
        proposed = propose(connection, subject, by, now) if by != "operator" and waiting is None else None
    number = proposed or (waiting.number if waiting else None)
    if as_json:
        print_json({**_document(looked), "proposal": number})
        return
    _show(looked)
    _say_next(settings, subject, number, proposed is not None, now)


def _say_next(settings: Settings, subject: Subject, number: int | None, new: bool, now: datetime) -> None:
    from triaged.tracker.erasures import LAPSE

    if len(_may_confirm(settings, subject)) < 2 or not _team(settings, subject).two_person:
        click.echo("\nNothing has been erased. --confirm does it.")
    elif number is None:
        click.echo(
            "\nNothing has been erased. --as MEMBER proposes it, and another member's --as OTHER --confirm does it."
        )
    else:
        until = f", until {now + LAPSE:%Y-%m-%d}" if new else ""
        click.echo(
            f"\nNothing has been erased. Proposal {number} waits for another member's --as OTHER --confirm{until}."
        )


def _document(looked: Looked) -> dict[str, Any]:
    erased = looked.erased
    return {
        "rows": dict(erased.counts),
        "bytes": erased.bytes,
        "tickets": [{"ref": c.ref, "whole": c.whole, "events": c.events} for c in erased.chains],
        "looked_for": sorted({*looked.scope.outside.strings, *looked.scope.subjects.strings}),
        "not_reached": {
            "mailbox": [
                {"mailbox": p.mailbox, "folder": p.folder, "uidvalidity": p.uidvalidity, "uid": p.uid}
                for p in erased.places
            ],
            "letters_sent": erased.letters_gone,
            "sent_copies": [{"mailbox": mailbox, "letters": count} for mailbox, count in erased.copies],
            "published": list(erased.published),
        },
    }


def _show(looked: Looked) -> None:
    erased = looked.erased
    click.echo("This would be erased:")
    for one in erased.chains:
        scope = "all of it" if one.whole else "what is of the person; others take part, and their words stay"
        click.echo(f"  {one.ref}  {scope}")
    for name, count in erased.counts.items():
        click.echo(f"  {name:14}{count}")
    click.echo(f"  raw bytes     {erased.bytes}")
    click.echo(
        "On the tenant's other tickets and in others' mail these would be taken out; raw mail that holds them goes whole:"
    )
    for string in sorted(looked.scope.outside.strings):
        click.echo(f"  {safe(string)}")
    click.echo("What this can't reach:")
    click.echo(f"  {len(erased.places)} message(s) in the mailbox itself; the certificate names their UIDs")
    click.echo(
        f"  {erased.letters_gone} letter(s) that left, their copies in a sent folder, and members' own mailboxes"
    )
    click.echo("  backups, and files that were written out")
    for name in erased.published:
        click.echo(f"  {name} is published: run `triaged publish` again afterwards")


def _confirm(engine: Engine, settings: Settings, subject: Subject, by: str, path: Path | None, as_json: bool) -> None:
    import secrets

    from triaged.cli.signing import must_be_writable
    from triaged.daemon.clock import real
    from triaged.daemon.points import arm, reach
    from triaged.ticket.forgetting import may_not_confirm
    from triaged.tracker.compacting import compact
    from triaged.tracker.engine import writing
    from triaged.tracker.erasures import NotNowError, open_proposal, perform

    now = real()
    arm(os.environ)
    if path is not None:
        must_be_writable(path)
    with writing(engine) as connection:
        waiting = open_proposal(connection, subject, now)
    two = _team(settings, subject).two_person
    if why := may_not_confirm(by, waiting.by if waiting else "", len(_may_confirm(settings, subject)), two):
        raise CommandError(why)
    names = {m.address.lower(): f"member:{m.name}" for m in _team(settings, subject).members}
    try:
        done = perform(
            engine, subject, never_of(settings), by, now, secrets.token_bytes, lambda a: names.get(a, a), reach
        )
    except NotNowError as error:
        raise CommandError(str(error)) from None
    if done is None:
        raise CommandError("nothing is held of it")
    done["not_reached"]["storage"] = left = compact(engine)
    _certify(engine, done, path, as_json)
    for words in left:
        click.echo(f"not reached: {words}", err=True)


def _certify(engine: Engine, done: dict[str, Any], path: Path | None, as_json: bool) -> None:
    from triaged.cli.signing import seed_of, with_key, write_signed
    from triaged.ticket.certifying import text
    from triaged.tracker.engine import writing

    words = text(done)
    if path is not None:
        with writing(engine) as connection:
            seed = seed_of(connection)
        write_signed(path, with_key({**done, "text": words}, seed), seed)
    if as_json:
        print_json(done)
    else:
        click.echo(words, nl=False)


def _again(engine: Engine, number: int, path: Path | None, as_json: bool) -> None:
    from triaged.tracker.engine import reading
    from triaged.tracker.erasures import certificate_of

    with reading(engine) as connection:
        done = certificate_of(connection, number)
    if done is None:
        raise CommandError(f"there is no erasure {number} that was done")
    _certify(engine, done, path, as_json)


def _compact(engine: Engine) -> None:
    from triaged.tracker.compacting import compact

    left = compact(engine)
    for words in left:
        click.echo(f"not reached: {words}")
    if not left:
        click.echo("the database's files are rewritten")


def _due(engine: Engine, settings: Settings, as_json: bool) -> None:
    from triaged.daemon.clock import real
    from triaged.tracker.engine import reading
    from triaged.tracker.retention import due
    from triaged.tracker.showing import instant

    now = real()
    with reading(engine) as connection:
        found = [one for box in settings.mailboxes for one in due(connection, box.name, box.policy, now)]
    documents = [
        {"ref": d.ref, "closed_at": instant(d.closed_at), "due_at": instant(d.due_at), "clause": d.clause or None}
        for d in found
    ]
    if as_json:
        print_json(documents)
        return
    table(
        ("ticket", "closed", "kept until", "clause"),
        [(d["ref"], d["closed_at"], d["due_at"], d["clause"]) for d in documents],
    )
    click.echo(f"{len(documents)} closed ticket(s) are kept longer than the policy says")
