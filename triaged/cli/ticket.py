"""`triaged ticket`: the tracker's tickets, to look at and to say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli import acting
from triaged.cli.failure import CommandError
from triaged.cli.looking import as_option, looked_at_list, looked_at_ticket
from triaged.cli.options import (
    NUMBER,
    config_option,
    json_option,
    print_json,
    safe,
    settings_of,
    table,
    tracker_of,
)

if TYPE_CHECKING:
    from triaged.settings.model import Settings


@click.group("ticket", cls=acting.Verbs)
def command() -> None:
    """List and show tickets, and work on them: the verbs are the commands of a member's mail."""


@command.command("list")
@config_option
@json_option
@click.option("--most", type=NUMBER, default=1000, show_default=True, help="How many at most.")
@click.option(
    "--queue", "as_queue", is_flag=True, help="Open tickets in the order of work: noise last, then the oldest."
)
@as_option
def list_(config: Path | None, as_json: bool, most: int, as_queue: bool, member: str) -> None:
    """List tickets, the newest first."""
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import queue, tickets

    settings = settings_of(config)
    engine = tracker_of(settings)
    with reading(engine) as connection:
        documents = (queue if as_queue else tickets)(connection, most)
    looked_at_list(engine, settings, {d["tenant"] for d in documents}, "ticket list", member)
    if as_json:
        print_json(documents)
        return
    rows = [(d["ref"], d["received_at"], _kind(d), _next(d), _noise(d), _reporter(d), d["subject"]) for d in documents]
    table(("ticket", "received", "state", "next due", "noise", "reporter", "subject"), rows)


def _kind(document: dict[str, Any]) -> str:
    return document["state"] if document["kind"] == "report" else f"{document['state']}, {document['kind']}"


def _noise(document: dict[str, Any]) -> str:
    return "" if document["noise"] is None else f"{document['noise']['score']:.2f}"


def _next(document: dict[str, Any]) -> str:
    open_clocks = [c for c in document["clocks"] if c["standing"] in ("running", "missed")]
    if not open_clocks:
        return ""
    first = open_clocks[0]
    return f"{first['promise']} {first['due_at']}{' MISSED' if first['standing'] == 'missed' else ''}"


def _standing(clock: dict[str, Any]) -> str:
    """How it stands: "met 2026-11-20T09:12:04Z", "waived: …", "running"."""
    if clock["standing"] in ("met", "late"):
        return f"{clock['standing']} {clock['met_at']}"
    return f"waived: {safe(clock['waived']['why'])}" if clock["waived"] else str(clock["standing"])


def _reporter(document: dict[str, Any]) -> str:
    reporter = document["reporter"]
    return "" if reporter is None else reporter["address"] + ("" if reporter["proven"] else " (unproven)")


@command.command("show")
@click.argument("ref")
@config_option
@json_option
@as_option
def show(ref: str, config: Path | None, as_json: bool, member: str) -> None:
    """Show one ticket whole: messages, attachments, clocks, events. REF as people write it: ims-7f3k-9qxd will do."""
    from triaged.ticket.reference import token_of
    from triaged.tracker.engine import reading
    from triaged.tracker.showing import one_ticket

    token, settings = token_of(ref), settings_of(config)
    engine = tracker_of(settings)
    with reading(engine) as connection:
        document = one_ticket(connection, token) if token else None
    if document is None:
        raise CommandError(f"there is no ticket {safe(ref)}: `triaged ticket list` shows them all")
    looked_at_ticket(engine, settings, document["ref"], "ticket show", member)
    document["forwarded_by"] = _member_name(document["forwarded_by"], settings)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _member_name(address: str | None, settings: Settings) -> str | None:
    """How the settings call the member; the address itself of one who has left."""
    members = (m for tenant in settings.tenants for m in tenant.team.members)
    return next((m.name for m in members if m.address.lower() == address), address)


for _verb in acting.COMMANDS:
    command.add_command(_verb)


def _assessment(d: dict[str, Any]) -> list[str]:
    """What the team says of the problem, as far as it has."""
    from triaged.ticket.cwe import cwe_title
    from triaged.ticket.describing import affected_words

    found = [f"severity   {d['severity']} {d['cvss'] or ''}".rstrip()] if d["severity"] else []
    found += [f"weakness   {d['cwe']} {cwe_title(d['cwe'])}"] if d["cwe"] else []
    found += [f"affected   {affected_words(d['product'], d['affected'] or '')}"] if d["product"] else []
    return found + ([f"fixed in   {d['fixed_in']}"] if d["fixed_in"] else [])


def _show(d: dict[str, Any]) -> None:
    click.echo(f"{d['ref']}  {d['kind']}, {d['state']}  {safe(d['subject'])}")
    click.echo(f"  reporter   {safe(_reporter(d))}")
    if d["forwarded_by"]:
        click.echo(f"  forwarded  by {safe(d['forwarded_by'])}")
    click.echo(
        f"  received   {d['received_at']} in {safe(d['mailbox'])}, policy {d['policy']['name']} {d['policy']['version']}"
    )
    for line in _assessment(d):
        click.echo(f"  {safe(line)}")
    for line in _credit(d):
        click.echo(f"  credit     {safe(line)}")
    if d["reward"]:
        click.echo(f"  reward     {safe(_reward(d['reward']))}")
    for c in d["clocks"]:
        click.echo(f"  promise    {c['promise']} due {c['due_at']}, {_standing(c)}: {safe(c['clause'])}")
    for a in d["attachments"]:
        click.echo(
            f"  attachment {safe(a['name'])}  {safe(a['detected_type'])}  {a['size']} bytes  sha256 {a['sha256']}"
        )
    for fact in d["facts"]:
        click.echo(f"  says       {fact['kind']}: {safe(fact['value'])}")
    if d["missing"]:
        click.echo(f"  missing    {', '.join(d['missing'])}")
    for like in d["duplicates"]:
        click.echo(f"  may repeat {like['ref']}  {like['score']:.2f}  {safe('; '.join(like['why']))}")
    if d["noise"] and d["noise"]["reasons"]:
        click.echo(f"  noise      {d['noise']['score']:.2f}  {', '.join(d['noise']['reasons'])}")
    for m in d["messages"]:
        _show_message(m)
    click.echo()
    table(("event", "at", "actor", "kind"), [(e["seq"], e["at"], e["actor"], e["kind"]) for e in d["events"]])


def _credit(d: dict[str, Any]) -> list[str]:
    """How each who takes part wants to be named, and for what."""
    return [f"{p['address']}: {_wish(p['credit'])}" for p in d["participants"] if p["credit"]]


def _wish(credit: dict[str, Any]) -> str:
    name = "not to be named" if credit["anonymous"] else credit["name"] or "no name chosen"
    waits = " (waits for /credit accept)" if credit["pending"] and not credit["anonymous"] else ""
    said = (f"{p['purpose']} {p['third_party']}".rstrip() + f" {p['state']} {p['at']}" for p in credit["purposes"])
    return "; ".join((name + waits, *said))


def _reward(reward: dict[str, Any]) -> str:
    """How it stands: "approved 500 EUR by dana@…, confirmed by ron@…; proposed by …: …"."""
    said = []
    if "state" in reward:
        amount = f" {reward['amount']:,} {reward['currency']}" if reward.get("amount") else ""
        second = f", confirmed by {reward['second']}" if reward.get("second") else ""
        by = f" by {reward['by']}{second}" if reward.get("by") else ""
        paid = f"; paid {reward['paid_at']}, {reward['reference']}" if reward.get("paid_at") else ""
        said.append(f"{reward['state']}{amount}{by}{paid}")
    if "proposed" in reward:
        said.append(f"proposed by {reward['proposed']['by']}: {reward['proposed']['words']}")
    return "; ".join(said)


def _show_message(m: dict[str, Any]) -> None:
    arrow = "->" if m["direction"] == "out" else "<-"
    other = m["to"][0]["address"] if m["direction"] == "out" and m["to"] else m["from"]["address"]
    proof = "" if m["proven"] else " (unproven)"
    click.echo(f"\n{arrow} {m['at']}  {m['audience']}  {safe(other)}{proof}  {safe(m['subject'])}")
    for line in m["text"].split("\n"):
        click.echo(f"   {safe(line)}".rstrip())
