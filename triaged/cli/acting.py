"""`triaged ticket VERB REF`: what members do to a ticket and its promises. Each is one transaction, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import config_option, member_of, safe, settings_of, tracker_of

if TYPE_CHECKING:
    from triaged.ticket.desk import Desk
    from triaged.tracker.acting import Deed
    from triaged.tracker.tending import Loaded

as_option = click.option("--as", "member", default="", help="Which member does it; it stands in the ticket's events.")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("fixed")
@click.argument("ref")
@as_option
@config_option
def fixed(ref: str, member: str, config: Path | None) -> None:
    """A fix is available: the promise to fix is kept."""
    _move(ref, "fixed", member, config)


@click.command("close")
@click.argument("ref")
@as_option
@config_option
def close(ref: str, member: str, config: Path | None) -> None:
    """Close a ticket. Promises that only a letter keeps stay open."""
    _move(ref, "closed", member, config)


def _move(ref: str, state: str, member: str, config: Path | None) -> None:
    from triaged.ticket.events import State
    from triaged.ticket.verbs import move

    now = _now()
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: move(ticket, State(state), actor, now))


@click.command("exploited")
@click.argument("ref")
@as_option
@config_option
def exploited(ref: str, member: str, config: Path | None) -> None:
    """The problem is used in attacks: the fix is due sooner, and the policy's legal clocks start."""
    from triaged.ticket.verbs import exploited as seen

    now = _now()
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: seen(ticket, actor, desk, now))


@click.command("extend")
@click.argument("ref")
@click.argument("day", type=DAY)
@click.argument("reason", nargs=-1, required=True)
@click.option("--promise", default="", help="Which promise. Default: the fix, or else the publication.")
@as_option
@config_option
def extend(ref: str, day: datetime, reason: tuple[str, ...], promise: str, member: str, config: Path | None) -> None:
    """Give a promise a later DAY (2027-01-15). The researcher is told of it, with the REASON."""
    from triaged.ticket.verbs import extend as later

    now, why = _now(), " ".join(reason)
    _act(
        ref, member, config, now,
        lambda actor: lambda ticket, desk: later(
            ticket, promise, day.date(), why, actor, desk, now, secrets.token_bytes
        ),
    )  # fmt: skip


@click.command("disclose")
@click.argument("ref")
@click.argument("day", type=DAY)
@as_option
@config_option
def disclose(ref: str, day: datetime, member: str, config: Path | None) -> None:
    """Set the DAY of publication that was agreed with the researcher."""
    from triaged.ticket.verbs import agree

    now = _now()
    _act(
        ref, member, config, now,
        lambda actor: lambda ticket, desk: agree(ticket, day.date(), actor, desk, now, secrets.token_bytes),
    )  # fmt: skip


@click.command("waive")
@click.argument("ref")
@click.argument("promise")
@click.argument("reason", nargs=-1, required=True)
@as_option
@config_option
def waive(ref: str, promise: str, reason: tuple[str, ...], member: str, config: Path | None) -> None:
    """A PROMISE need not be kept, for this REASON. Nobody is told."""
    from triaged.ticket.verbs import waive as over

    now, why = _now(), " ".join(reason)
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: over(ticket, promise, why, actor, now))


@click.command("keep")
@click.argument("ref")
@click.argument("promise")
@as_option
@config_option
def keep(ref: str, promise: str, member: str, config: Path | None) -> None:
    """A PROMISE was kept in a way that triaged can't see, such as a notice to an authority or a call."""
    from triaged.ticket.verbs import met

    now = _now()
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: met(ticket, promise, actor, now))


@click.command("wait")
@click.argument("ref")
@as_option
@config_option
def wait(ref: str, member: str, config: Path | None) -> None:
    """We wait on the researcher: promises that pause stand still until they write."""
    from triaged.ticket.verbs import waits

    now = _now()
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: waits(ticket, actor, now))


@click.command("resume")
@click.argument("ref")
@as_option
@config_option
def resume(ref: str, member: str, config: Path | None) -> None:
    """We wait on the researcher no more: what stood still goes on."""
    from triaged.ticket.verbs import resumed

    now = _now()
    _act(ref, member, config, now, lambda actor: lambda ticket, desk: resumed(ticket, actor, desk, now))


COMMANDS = (fixed, close, exploited, extend, disclose, waive, keep, wait, resume)


def _now() -> datetime:
    from triaged.daemon.clock import real

    return real().astimezone(UTC)


def _act(ref: str, member: str, config: Path | None, now: datetime, deed: Callable[[str], Deed]) -> None:
    from triaged.daemon.desks import known_desks
    from triaged.ticket.reference import token_of
    from triaged.ticket.verbs import VerbError
    from triaged.tracker.acting import act
    from triaged.tracker.engine import writing

    settings = settings_of(config)
    actor, token = member_of(settings, member), token_of(ref)
    try:
        with writing(tracker_of(settings)) as connection:
            desks = known_desks(connection, settings, now)
            ticket = act(connection, token or "", deed(actor), _desk_of(desks), now, secrets.token_bytes)
    except VerbError as error:
        raise CommandError(str(error)) from None
    if ticket is None:
        raise CommandError(f"there is no ticket {safe(ref)}: `triaged ticket list` shows them all")
    from triaged.ticket.clocks import is_open

    running = sorted({c.promise for c in ticket.clocks if is_open(c)})
    click.echo(f"{ticket.name.ref} is {ticket.state.value}; open promises: {', '.join(running) or 'none'}")


def _desk_of(desks: dict[str, Desk]) -> Callable[[Loaded], Desk]:
    def find(loaded: Loaded) -> Desk:
        from triaged.daemon.tending import desk_of

        if loaded.mailbox not in desks:
            raise CommandError(f"the mailbox {loaded.mailbox!r} is not in the configuration: add it again")
        return desk_of(loaded, desks)

    return find
