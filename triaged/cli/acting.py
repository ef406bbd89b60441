"""`triaged ticket VERB REF`: the commands of a member's mail on the command line, made from the same table."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, safe, settings_of, tracker_of
from triaged.ticket.commands import VERBS, Text, Verb, help_text

if TYPE_CHECKING:
    from triaged.settings.model import Settings

_WHOM = {Text.RESEARCHER: "to the researcher", Text.TEAM: "to the team", Text.PUBLIC: "that is published"}
NOT_HERE = ("show", "help")  # `triaged ticket show` prints more, and --help is the list


class Verbs(click.Group):
    """A group whose help ends with the list that /help mails."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{help_text()}\n")


def _command(verb: Verb) -> click.Command:
    params: list[click.Parameter] = [
        click.Argument(["ref"]),
        click.Option(["--as", "member"], default="", help="Which member does it; it stands in the ticket's events."),
    ]
    if verb.words:
        params.insert(1, click.Argument(["words"], nargs=-1, metavar=verb.words))
    if verb.text is not Text.NOWHERE:
        whom = _WHOM[verb.text]
        file = click.File("r", encoding="utf-8", errors="replace")
        params.append(click.Option(["--text"], type=file, help=f"A file with the text {whom}; - for standard input."))
    if verb.name == "attach":
        found = click.Path(exists=True, dir_okay=False, path_type=Path)
        params.append(
            click.Option(["--file", "files"], type=found, multiple=True, help="A file to send; as often as needed.")
        )
    about = verb.about[0].upper() + verb.about[1:] + "."
    made = click.Command(verb.name, params=params, callback=_callback(verb), help=about, short_help=about)
    return config_option(made)


def _callback(verb: Verb) -> Any:
    def run(
        ref: str,
        member: str,
        config: Path | None,
        words: tuple[str, ...] = (),
        text: IO[str] | None = None,
        files: tuple[Path, ...] = (),
    ) -> None:
        _act(verb, ref, " ".join(words), member, config, text.read() if text else "", files)

    return run


COMMANDS = tuple(_command(verb) for verb in VERBS.values() if verb.name not in NOT_HERE)


def _act(
    verb: Verb, ref: str, words: str, member: str, config: Path | None, text: str, files: tuple[Path, ...]
) -> None:
    import secrets
    from datetime import UTC

    from triaged.daemon.clock import real
    from triaged.daemon.desks import known_desks
    from triaged.daemon.tending import desk_of
    from triaged.ticket.grammar import Order, Orders, Refused
    from triaged.ticket.reference import token_of
    from triaged.ticket.writing import file_of
    from triaged.tracker.commanding import command
    from triaged.tracker.engine import writing

    settings = settings_of(config)
    by, now = _acts_as(settings, member), real().astimezone(UTC)
    orders = Orders((Order(verb, " ".join(words.split())),), text.strip("\n").rstrip())
    with writing(tracker_of(settings)) as connection:
        desks = known_desks(connection, settings, now)

        def desk_for(loaded: Any) -> Any:
            if loaded.mailbox not in desks:
                raise CommandError(f"the mailbox {loaded.mailbox!r} is not in the configuration: add it again")
            return desk_of(loaded, desks)

        enclosed = tuple(file_of("application/octet-stream", file.name, file.read_bytes()) for file in files)
        done = command(connection, token_of(ref) or "", orders, by, desk_for, now, secrets.token_bytes, enclosed)
    if done is None:
        raise CommandError(f"there is no ticket {safe(ref)}: `triaged ticket list` shows them all")
    if isinstance(done, Refused):
        raise click.UsageError(done.why) if done.misread else CommandError(done.why)
    for line in done.lines:
        click.echo(safe(line))
    _say(done.worked)


def _say(worked: Any) -> None:
    from triaged.ticket.clocks import is_open

    tended = worked.tended
    running = sorted({c.promise for c in tended.clocks if is_open(c)})
    click.echo(f"{tended.name.ref} is {tended.state.value}; open promises: {', '.join(running) or 'none'}")


def _acts_as(settings: Settings, name: str) -> str:
    """The address of the member of that name; "operator" for "". Raises CommandError where no member is called so."""
    if not name:
        return "operator"
    for tenant in settings.tenants:
        for member in tenant.team.members:
            if name.lower() in (member.name.lower(), member.address.lower()):
                return member.address.lower()
    raise CommandError(f"there is no member {name!r} in the configuration: write the name as it stands there")
