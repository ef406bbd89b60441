"""`triaged reward`: the ledger of rewards, to read and to hand to whoever pays. Decides nothing: `/reward` does."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import (
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
    from triaged.settings.model import Settings

Document = dict[str, Any]
STATES = ("proposed", "approved", "declined", "paid", "reopened")
_COLUMNS = (
    "ref",
    "tenant",
    "state",
    "severity",
    "quality",
    "amount",
    "currency",
    "by",
    "second",
    "decided_at",
    "reference",
    "paid_by",
    "paid_at",
)


@click.group("reward")
def command() -> None:
    """The ledger of rewards."""


@command.command("list")
@config_option
@json_option
@click.option(
    "--csv", "csv_to", type=click.Path(path_type=Path, allow_dash=True), help="A CSV file; -: standard output."
)
@click.option("--state", type=click.Choice(STATES), help="Those that stand so alone.")
@click.option("--tenant", default="", help="Of this tenant alone.")
@click.option("--reasons", is_flag=True, help="With the team's reasons in the CSV file.")
@click.option("--as", "member", default="", help="The member who exports it; without: an operator.")
def list_(
    config: Path | None,
    as_json: bool,
    csv_to: Path | None,
    state: str | None,
    tenant: str,
    reasons: bool,
    member: str,
) -> None:
    """List what was decided about rewards: one line a ticket. Exports as JSON or CSV stand in the journal."""
    settings = settings_of(config)
    forms = [form for form, wanted in (("json", as_json), ("csv", csv_to is not None)) if wanted]
    found = _ledger(settings, tenant, state, forms, reasons, member_of(settings, member))
    if csv_to is not None:
        _write_csv(csv_to, found, reasons)
    if as_json:
        print_json(found)
    elif csv_to is None:
        _show(found)


def _ledger(
    settings: Settings, tenant: str, state: str | None, forms: list[str], reasons: bool, actor: str
) -> list[Document]:
    """The documents, and what is exported of them noted in each tenant's journal."""
    from triaged.tracker.engine import reading, writing
    from triaged.tracker.rewards import ledger

    tenants = [one.name for one in settings.tenants if tenant in ("", one.name)]
    if not tenants:
        raise CommandError(f"there is no tenant {tenant!r} in the configuration")
    engine = tracker_of(settings)
    found: list[Document] = []
    with writing(engine) if forms else reading(engine) as connection:
        for name in tenants:
            mine = [one for one in ledger(connection, name) if state in (None, one["state"])]
            for form in forms:
                _note(
                    connection, name, actor, {"form": form, "rows": len(mine), "state": state or "", "reasons": reasons}
                )
            found += mine
    return found


def _note(connection: Any, tenant: str, actor: str, data: dict[str, Any]) -> None:
    import secrets
    from datetime import UTC

    from triaged.daemon.clock import real
    from triaged.ticket.events import JournalKind
    from triaged.tracker.journal import note

    at = real().astimezone(UTC)
    note(connection, tenant, JournalKind.REWARD_EXPORTED, actor, data, at, secrets.token_bytes)


def _write_csv(target: Path, found: list[Document], reasons: bool) -> None:
    from triaged.publication.spreadsheet import csv_file

    columns = (*_COLUMNS, "why") if reasons else _COLUMNS
    text = csv_file(columns, [[one[name] for name in columns] for one in found])
    if str(target) == "-":
        click.echo(text, nl=False)
    else:
        target.write_bytes(text.encode())
        click.echo(f"{len(found)} reward(s) written to {target}", err=True)


def _show(found: list[Document]) -> None:
    rows = [
        (d["ref"], d["state"], _money(d), d["severity"], d["quality"], _who(d), d["decided_at"], d["reference"])
        for d in found
    ]
    table(("ticket", "state", "amount", "severity", "quality", "by", "decided", "payment"), rows)
    for (year, currency), sums in sorted(_totals(found).items()):
        said = ", ".join(f"{amount:,} {state}" for state, amount in sorted(sums.items()))
        click.echo(f"{year}  {currency}  {said}")


def _money(d: Document) -> str:
    if d["state"] == "proposed":
        return safe(d["proposed"]["words"])
    return f"{d['amount']:,} {d['currency']}" if d["amount"] else ""


def _who(d: Document) -> str:
    if d["state"] == "proposed":
        return str(d["proposed"]["by"])
    return f"{d['by']}, {d['second']}" if d["second"] else str(d["by"])


def _totals(found: list[Document]) -> dict[tuple[str, str], dict[str, int]]:
    """(year, currency) -> state -> sum: approved and not paid, by the year of the decision; paid, by that of the payment."""
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for d in found:
        if d["state"] in ("approved", "paid"):
            sums[(d["paid_at"] or d["decided_at"])[:4], d["currency"]][d["state"]] += d["amount"]
    return sums
