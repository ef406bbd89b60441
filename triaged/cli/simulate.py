"""`triaged policy simulate`: every clock and every letter of a report under a policy, on a simulated clock. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.cli.failure import CommandError
from triaged.cli.options import Instant, json_option, print_json, safe, table

if TYPE_CHECKING:
    from triaged.policy.model import Policy
    from triaged.ticket.desk import Desk
    from triaged.ticket.known import Arrival
    from triaged.ticket.reference import Entropy
    from triaged.ticket.simulation import Act, Story

SERVER = "mx.simulated.example"  # whose word on the sender is believed in the simulation
REPORTER = "researcher@simulated.example"
MOST_REPORTS = 1000


@click.command("simulate")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--received", type=Instant(), help="When the report is received.")
@click.option("--mbox", type=click.Path(path_type=Path, exists=True), help="Take these messages for reports instead.")
@click.option("--days", type=click.IntRange(1, 3660), default=120, show_default=True, help="How long to go on.")
@click.option("--answer", "answers", multiple=True, metavar="PROMISE=WHEN", help="A member's letter that keeps it.")
@click.option("--state", "states", multiple=True, metavar="STATE=WHEN", help="A member moves the ticket.")
@click.option("--unproven", is_flag=True, help="Nothing proves the sender of the report.")
@click.option("--letters", is_flag=True, help="Print the letters whole.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw the timeline into this file.")
@json_option
def simulate(
    file: Path,
    received: datetime | None,
    mbox: Path | None,
    days: int,
    answers: tuple[str, ...],
    states: tuple[str, ...],
    unproven: bool,
    letters: bool,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Play a report under the policy in FILE: every clock and every letter, with its date.

    WHEN is an instant, or a time after receipt such as "2 business days". The decisions are those of the daemon; nothing is sent.
    """
    from triaged.policy.load import load_policy
    from triaged.policy.preview import refuse_uncountable
    from triaged.ticket.verbs import VerbError

    if (received is None) == (mbox is None):
        raise click.UsageError("give either --received INSTANT or --mbox FILE")
    policy = load_policy(file)
    desk = simulated_desk(policy)
    if received is not None:
        refuse_uncountable(received)
        arrivals = [arrival(sample(received, desk.address, proven=not unproven), received, policy)]
    else:
        arrivals = list(_arrivals(mbox or file, policy))
    for one in arrivals:
        refuse_uncountable(one.received_at)
    try:
        stories = [
            play_one(one, desk, _acts(answers, states, one.received_at, policy), days, number)
            for number, one in enumerate(arrivals)
        ]
    except VerbError as error:
        raise click.UsageError(f"--state: {error}") from None
    if svg is not None:
        _draw(svg, stories, policy, days)
    if as_json:
        print_json([_document(s, policy) for s in stories] if mbox else _document(stories[0], policy))
        return
    for story in stories:
        _show(story, policy, letters)


def play_one(one: Arrival, desk: Desk, acts: tuple[Act, ...], days: int, number: int = 0) -> Story:
    """One report's story; the same arguments give the same bytes."""
    from triaged.ticket.simulation import play

    seed = f"{desk.policy.name} {one.received_at.isoformat()} {number}"
    return play(one, desk, acts, one.received_at + timedelta(days=days), _entropy(seed))


def _entropy(seed: str) -> Entropy:
    """Bytes that only look random, so that a simulation can be repeated."""
    count = 0

    def take(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed} {count}".encode()).digest(length)

    return take


def simulated_desk(policy: Policy) -> Desk:
    """A mailbox at the policy's contact, with a team beside it."""
    from triaged.settings.limits import Limits
    from triaged.ticket.desk import Caps, Desk

    limits, address = Limits(), policy.contact.lower()
    team = f"security-team@{address.rpartition('@')[2]}"
    caps = Caps(
        proven_per_address_per_day=MOST_REPORTS,
        unproven_per_address_per_day=MOST_REPORTS,
        proven_per_hour=MOST_REPORTS,
        unproven_per_hour=MOST_REPORTS,
        thread_messages_per_10_minutes=limits.thread_messages_per_10_minutes,
        full_bytes=limits.acknowledgement_full_bytes,
        minimal_bytes=limits.acknowledgement_bytes,
        references_ids=limits.references_ids,
        references_bytes=limits.references_bytes,
        relay_text=limits.relay_text_bytes,
    )
    return Desk(
        tenant="simulated",
        mailbox="security",
        address=address,
        policy=policy,
        plus_addressing=True,
        acknowledge_unproven="minimal",
        require_return_path=False,
        envelope="keyed",
        own=frozenset({address, team}),
        mailboxes=frozenset({address}),
        notify=(team,),
        members={},
        keys=(b"the key of simulated reply addresses",),
        caps=caps,
    )


def sample(received: datetime, address: str, *, proven: bool) -> bytes:
    """A report as a mailbox would hold it."""
    verdict = "pass" if proven else "none"
    head = (
        f"Authentication-Results: {SERVER}; dmarc={verdict} header.from={REPORTER.rpartition('@')[2]}",
        f"From: A Researcher <{REPORTER}>",
        f"To: {address}",
        "Subject: Cross-site scripting in the login page",
        f"Date: {format_datetime(received)}",
        "Message-ID: <simulated-report@simulated.example>",
    )
    body = (
        "The login page of https://www.simulated.example/login runs what stands in its parameter next.",
        "Steps to reproduce: 1. Open /login?next=javascript:alert(1). 2. Log in. The script runs.",
    )
    return "\r\n".join([*head, "", *body, ""]).encode()


def arrival(raw: bytes, received: datetime, policy: Policy, number: int = 1) -> Arrival:
    """The message, read as the daemon reads it."""
    from triaged.daemon.desks import message_limits
    from triaged.message.content import content_sha256
    from triaged.message.model import Trust
    from triaged.reading.asking import wanted
    from triaged.reading.whole import read
    from triaged.settings.limits import Limits
    from triaged.ticket.known import Arrival

    whole = read(raw, message_limits(Limits()), Trust(frozenset({SERVER})), wanted(policy))
    sha256 = hashlib.sha256(raw).hexdigest()
    return Arrival(
        receipt=number,
        received_at=received,
        folder="INBOX",
        junk=False,
        truncated=False,
        size=len(raw),
        sha256=sha256,
        content_sha256=content_sha256(raw),
        message=whole.message,
        findings=whole.findings,
    )


def _arrivals(path: Path, policy: Policy) -> Iterator[Arrival]:
    """The messages in the file, oldest first, each received at its own date, and each a report of its own."""
    from itertools import islice

    from triaged.daemon.importing import messages

    found = list(islice(messages(path), MOST_REPORTS + 1))
    if not found:
        raise CommandError(f"there is no message in {path}")
    if len(found) > MOST_REPORTS:
        click.echo(f"only the first {MOST_REPORTS} messages are played", err=True)
    found = sorted(found[:MOST_REPORTS], key=lambda f: f.date)
    for number, one in enumerate(found, start=1):
        yield arrival(one.raw, one.date, policy, number)


def _acts(answers: tuple[str, ...], states: tuple[str, ...], received: datetime, policy: Policy) -> tuple[Act, ...]:
    from triaged.ticket.events import State
    from triaged.ticket.simulation import Act

    acts = []
    for given in answers:
        name, at = _when(given, received, policy)
        if policy.promise(name) is None and name not in ("fix", "disclose"):
            known = ", ".join(p.name for p in policy.promises)
            raise click.UsageError(f"--answer {given!r}: the policy has no promise {name!r}; it has {known}")
        acts.append(Act(at, promise=name))
    for given in states:
        name, at = _when(given, received, policy)
        if name not in tuple(State):
            raise click.UsageError(f"--state {given!r}: the states are {', '.join(State)}")
        acts.append(Act(at, state=State(name)))
    return tuple(acts)


def _when(given: str, received: datetime, policy: Policy) -> tuple[str, datetime]:
    """What is named, and the instant; a period ends an hour before the closing of its last day."""
    from triaged.policy.calendar import due
    from triaged.policy.period import parse_period

    name, _, when = given.partition("=")
    period = parse_period(when.strip().removeprefix("+"))
    if period is not None:
        at = due(received, period, policy.calendar)
        return name.strip(), at if period.unit == "hours" else max(at - timedelta(hours=1), received)
    try:
        at = datetime.fromisoformat(when.strip())
    except ValueError:
        at = received.replace(tzinfo=None)
    if at.tzinfo is None:
        raise click.UsageError(f'{given!r}: write PROMISE=2026-11-24T10:00:00Z or PROMISE="2 business days"')
    return name.strip(), at.astimezone(UTC)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _document(story: Story, policy: Policy) -> dict[str, Any]:
    from triaged.policy.calendar import due_local
    from triaged.ticket.clocks import standing

    clocks = [
        {
            "promise": c.promise,
            "round": c.round,
            "clause": c.clause,
            "started_at": _utc(c.started_at),
            "due_at": _utc(c.due_at),
            "due_local": due_local(c.due_at, policy.calendar),
            "standing": standing(c).value,
            "met_at": _utc(c.met_at),
            "missed_at": _utc(c.missed_at),
        }
        for c in story.clocks
    ]
    letters = [
        {
            "at": _utc(s.at),
            "at_local": due_local(s.at, policy.calendar),
            "audience": s.audience.value,
            "to": s.to,
            "template": s.template,
            "subject": s.letter.subject if s.letter else "",
            "keeps": list(s.keeps),
            "text": s.letter.text if s.letter else "",
        }
        for s in story.sent
    ]
    head = {"ref": story.ref, "received": _utc(story.received_at), "outcome": story.outcome, "reason": story.reason}
    return {**head, "clocks": clocks, "letters": letters}


def _show(story: Story, policy: Policy, whole: bool) -> None:
    document = _document(story, policy)
    click.echo(f"Received {document['received']}: {story.ref or story.outcome} {safe(story.reason)}".rstrip())
    if not story.ref:
        return
    click.echo()
    table(
        ("clock", "round", "started (UTC)", "due (local)", "stands", "met (UTC)"),
        [
            (c["promise"], c["round"], c["started_at"], c["due_local"], c["standing"], c["met_at"])
            for c in document["clocks"]
        ],
    )
    click.echo()
    table(
        ("at (local)", "to", "letter", "keeps"),
        [(x["at_local"], x["audience"], x["template"], ", ".join(x["keeps"])) for x in document["letters"]],
    )
    for letter in document["letters"] if whole else ():
        click.echo(
            f"\n---- {letter['at_local']}  to {safe(letter['to'])}: {safe(letter['subject'] or 'a letter of a member')}"
        )
        click.echo("\n".join(safe(line) for line in letter["text"].rstrip("\n").split("\n")))


def _draw(path: Path, stories: list[Story], policy: Policy, days: int) -> None:
    from triaged.publication.timeline import Lane, draw

    story = next((s for s in stories if s.ref), None)
    if story is None:
        raise CommandError("no message became a ticket: there is nothing to draw")
    lanes = tuple(Lane.of_clock(c) for c in story.clocks)
    marks = tuple((s.at, s.audience.value, s.template) for s in story.sent)
    until = story.received_at + timedelta(days=days)
    title = f"{policy.organisation}: a report received on {story.received_at:%Y-%m-%d}"
    path.write_text(draw(title, lanes, marks, story.received_at, until, policy.calendar.tzinfo), encoding="utf-8")
