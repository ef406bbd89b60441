"""`triaged promises`: how each promise was kept, as a table, JSON, CSV and a picture. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import Instant, config_option, json_option, print_json, settings_of, table, tracker_of

if TYPE_CHECKING:
    from triaged.settings.model import Settings
    from triaged.ticket.events import JSON
    from triaged.ticket.performance import Measure, Record, Report, Round
    from triaged.tracker.promises import Span

_FILE = click.Path(path_type=Path, dir_okay=False)
ROUND_COLUMNS = (
    *("ref", "mailbox", "policy", "version", "promise", "round"),
    *("started_at", "due_at", "met_at", "outcome", "seconds_to_keep"),
)


@click.command("promises")
@click.option("--since", type=Instant(), help="Only tickets received from then on.")
@click.option("--until", type=Instant(), help="Only tickets received before then.")
@click.option("--mailbox", metavar="NAME", help="Only this mailbox.")
@click.option("--at", type=Instant(), help="The instant to take for now: what is open, missed, and how old.")
@click.option("--csv", "csv_path", type=_FILE, help="Write every promise, round by round, into this file.")
@click.option("--svg", type=_FILE, help="Draw the picture into this file.")
@click.option("--publish", type=click.Path(path_type=Path, file_okay=False), help="Write the page for the world here.")
@config_option
@json_option
def command(
    since: datetime | None,
    until: datetime | None,
    mailbox: str | None,
    at: datetime | None,
    csv_path: Path | None,
    svg: Path | None,
    publish: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Tell how each promise was kept: made, kept, late, missed, and how long it took.

    A promise is missed when its due instant passed and nothing has kept it, and late when it was kept after that.
    The ten measures of CISA BOD 20-01 come with it; what cannot be known is empty, with the reason.
    """
    from triaged.daemon.clock import real
    from triaged.tracker.promises import Span

    settings = settings_of(config)
    if mailbox is not None and mailbox not in {one.name for one in settings.mailboxes}:
        raise CommandError(f"there is no mailbox {mailbox!r} in the configuration")
    span, at = Span(since, until, mailbox), at or real()
    rounds, reports, unchanged = _read(settings, span)
    if csv_path is not None:
        _write(csv_path, _csv(rounds, at))
    if svg is not None:
        _write(svg, _svg(rounds, span, at))
    if publish is not None:
        _publish(publish, settings, rounds, span, at)
    if as_json:
        print_json(document(rounds, reports, unchanged, span, at))
    else:
        show(rounds, reports, unchanged, at)


def _read(settings: Settings, span: Span) -> tuple[list[Round], list[Report], int]:
    from triaged.tracker.engine import reading
    from triaged.tracker.promises import reports, rounds, unchanged_letters

    with reading(tracker_of(settings)) as connection:
        return rounds(connection, span), reports(connection, span), len(unchanged_letters(connection, span))


def _publish(directory: Path, settings: Settings, rounds: Sequence[Round], span: Span, at: datetime) -> None:
    """The page and its JSON, for one mailbox's policy; that it was written stands in the tenant's journal."""
    import secrets
    from datetime import UTC

    from triaged.cli.signing import write_whole
    from triaged.daemon.clock import real
    from triaged.publication.transparency import kept, published, told
    from triaged.ticket.events import JournalKind
    from triaged.tracker import journal
    from triaged.tracker.engine import writing

    boxes = [one for one in settings.mailboxes if span.mailbox in (None, one.name)]
    if len({(box.tenant, box.policy.sha256) for box in boxes}) != 1:
        raise CommandError("there are several policies: say whose promises are published with --mailbox NAME")
    rows = kept(rounds, boxes[0].policy, at)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{directory} could not be written: {error.strerror}") from None
    for name, data in published(rows, boxes[0].policy.organisation, span.since, span.until, at).items():
        write_whole(directory / name, data, readable=True)
    with writing(tracker_of(settings)) as connection:
        noted: dict[str, JSON] = {"promises": len(told(rows)), "mailbox": boxes[0].name}
        now = real().astimezone(UTC)
        kind = JournalKind.TRANSPARENCY_PUBLISHED
        journal.note(connection, boxes[0].tenant, kind, "operator", noted, now, secrets.token_bytes)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror}") from None


def document(
    rounds: Sequence[Round], reports: Sequence[Report], unchanged: int, span: Span, at: datetime
) -> dict[str, Any]:
    """What --json prints. Lengths of time are whole seconds."""
    from triaged.ticket.performance import by_version, measures, records
    from triaged.tracker.showing import instant

    return {
        "at": instant(at),
        "since": instant(span.since),
        "until": instant(span.until),
        "mailbox": span.mailbox,
        "promises": [_record(one) for one in records(rounds, at)],
        "by_policy": [
            {"policy": {"name": name, "version": version}, "promises": [_record(one) for one in kept]}
            for name, version, kept in by_version(rounds, at)
        ],
        "letters_unchanged": unchanged,
        "bod_20_01": [_measure(one) for one in measures(reports, at)],
    }


def _record(one: Record) -> dict[str, Any]:
    spans = {"median": one.times.median, "p90": one.times.p90, "worst": one.times.worst}
    seconds = {f"{name}_seconds": _seconds(span) for name, span in spans.items()}
    counts = {kind.value: count for kind, count in one.counts.items()}
    return {"promise": one.promise, "made": one.made, **counts, **seconds}


def _measure(one: Measure) -> dict[str, Any]:
    value = _seconds(one.value) if isinstance(one.value, timedelta) else one.value
    unit = "seconds" if "median" in one.name else "reports"
    return {"measure": one.name, "value": value, "unit": unit, "why": one.why or None}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())


def _csv(rounds: Sequence[Round], at: datetime) -> str:
    from triaged.publication.spreadsheet import csv_file
    from triaged.ticket.performance import outcome
    from triaged.tracker.showing import instant

    rows = []
    for one in rounds:
        names = (one.ref, one.mailbox, one.policy, one.version, one.promise, one.number)
        instants = (instant(one.started_at), instant(one.due_at), instant(one.met_at))
        took = _seconds(one.met_at - one.started_at) if one.met_at else None
        rows.append((*names, *instants, outcome(one, at).value, took))
    return csv_file(ROUND_COLUMNS, rows)


def _svg(rounds: Sequence[Round], span: Span, at: datetime) -> str:
    from triaged.publication.promises_chart import draw
    from triaged.ticket.performance import records

    bounds = [f"from {span.since:%Y-%m-%d}"] if span.since else []
    bounds += [f"before {span.until:%Y-%m-%d}"] if span.until else []
    received = f", received {' and '.join(bounds)}" if bounds else ""
    return draw(f"How promises were kept{received}, as of {at:%Y-%m-%d}", records(rounds, at))


def show(rounds: Sequence[Round], reports: Sequence[Report], unchanged: int, at: datetime) -> None:
    """The tables, for people."""
    from triaged.publication.promises_chart import shown_span
    from triaged.ticket.performance import by_version, measures, records

    _table(records(rounds, at))
    versions = by_version(rounds, at)
    for name, version, kept in versions if len(versions) > 1 else ():
        click.echo(f"\nUnder {name}, version {version}:")
        _table(kept)
    click.echo(f"\nLetters that told a researcher that nothing had changed: {unchanged}\n")
    click.echo("CISA BOD 20-01:")
    rows = []
    for one in measures(reports, at):
        value = shown_span(one.value) if isinstance(one.value, timedelta) else one.value
        rows.append((one.words, "-" if value is None else value, one.why))
    table(("measure", "value", "why not"), rows)


def _table(kept: Sequence[Record]) -> None:
    from triaged.publication.promises_chart import shown_span
    from triaged.ticket.performance import Outcome

    head = ("promise", "made", "kept", "unchanged", "late", "missed", "open", "waived", "median", "90%", "worst")
    rows = []
    for one in kept:
        spans = (one.times.median, one.times.p90, one.times.worst)
        rows.append((one.promise, one.made, *(one.counts[kind] for kind in Outcome), *map(shown_span, spans)))
    table(head, rows)
