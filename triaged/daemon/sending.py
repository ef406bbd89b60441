"""Empties the outbox: claims letters, hands them to submission servers, records what became of them. Writes no letter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from sqlalchemy import Engine

from triaged.daemon.clock import Now
from triaged.daemon.log import log
from triaged.daemon.points import reach
from triaged.mail.ports import Outcome, Permanent, Sent, SmtpAccount, Temporary, Unknown
from triaged.mail.ports import Parcel as Offered
from triaged.mail.retry import hold_until, next_attempt
from triaged.mail.smtp import Submission
from triaged.ticket.desk import Desk
from triaged.ticket.reference import Entropy
from triaged.tracker import failing, outbox
from triaged.tracker.engine import reading, writing
from triaged.tracker.outbox import Parcel, Result
from triaged.tracker.returning import ENVELOPE_ID

AHEAD = 16  # letters claimed for each connection
GATHERING = 0.01  # seconds that a result waits for others to share its commit
LONGEST_WAIT = 30.0  # seconds between looks at the outbox, whatever is said


@dataclass(frozen=True, slots=True)
class Office:
    """What sending needs."""

    engine: Engine
    accounts: Mapping[str, SmtpAccount]  # by mailbox
    desks: Mapping[str, Desk]
    copies: frozenset[str]  # mailboxes that keep a Sent copy
    connections: int
    owner: str
    now: Now
    entropy: Entropy


@dataclass(slots=True)
class Hold:
    """A server that can't be used just now."""

    until: datetime
    failures: int


@dataclass(slots=True)
class _Round:
    """The state of one event loop's sending."""

    submissions: dict[str, Submission]
    holds: dict[str, Hold] = field(default_factory=dict)
    flying: set[asyncio.Task[Result]] = field(default_factory=set)


def serve(office: Office, stop: Event, kicked: Event) -> None:
    """Send until `stop` is set; `kicked` says that something was queued. Letters in hand are finished first."""
    asyncio.run(_serve(office, stop, kicked))


def send_due(office: Office) -> bool:
    """Send all that may go now, once; whether no due letter failed or had to wait."""
    return asyncio.run(_send_due(office))


async def _serve(office: Office, stop: Event, kicked: Event) -> None:
    state = _open(office)
    loop = asyncio.get_running_loop()
    try:
        while not stop.is_set():
            kicked.clear()
            await _fill(office, state)
            if state.flying:
                await _collect(office, state)
                continue
            seconds = await asyncio.to_thread(pause, office, state.holds)
            await loop.run_in_executor(None, kicked.wait, seconds)
        while state.flying:
            await _collect(office, state)
    finally:
        await _close(state)


async def _send_due(office: Office) -> bool:
    state = _open(office)
    well = True
    try:
        while True:
            await _fill(office, state)
            if not state.flying:
                return well and not await asyncio.to_thread(_left, office)
            well &= await _collect(office, state)
    finally:
        await _close(state)


def _left(office: Office) -> bool:
    """Whether a due letter still waits, behind a server that can't be used."""
    with reading(office.engine) as connection:
        due = outbox.next_due(connection, list(office.accounts))
    return due is not None and due <= office.now()


def _open(office: Office) -> _Round:
    return _Round({name: Submission(account, office.connections) for name, account in office.accounts.items()})


async def _close(state: _Round) -> None:
    for submission in state.submissions.values():
        await submission.close()


async def _fill(office: Office, state: _Round) -> None:
    """Claim letters for the servers that can be used, while there is room."""
    now = office.now()
    usable = [m for m in office.accounts if m not in state.holds or state.holds[m].until <= now]
    room = AHEAD * office.connections - len(state.flying)
    if not usable or room <= AHEAD * office.connections // 2:
        return
    # A server that failed before is tried with one letter, not with all.
    fresh = [m for m in usable if m not in state.holds]
    parcels = await asyncio.to_thread(_claim, office, room, fresh) if fresh else []
    for mailbox in set(usable) - set(fresh):
        parcels += await asyncio.to_thread(_claim, office, 1, [mailbox])
    for parcel in parcels:
        state.flying.add(asyncio.create_task(_send(office, state, parcel)))


def _claim(office: Office, most: int, mailboxes: Sequence[str]) -> list[Parcel]:
    with writing(office.engine) as connection:
        claimed = outbox.claim(connection, office.owner, office.now(), most, mailboxes)
    if claimed:
        reach("letters-claimed")
    return claimed


async def _send(office: Office, state: _Round, parcel: Parcel) -> Result:
    offered = Offered(parcel.sender, parcel.recipient, parcel.data, ENVELOPE_ID.format(parcel.id))
    outcome = await state.submissions[parcel.mailbox].send(offered)
    if isinstance(outcome, Sent):
        reach("letter-accepted")
    at = office.now()
    _note_server(state, parcel.mailbox, outcome, at)
    log.info("letter tried", letter=parcel.id, attempt=parcel.attempts, outcome=type(outcome).__name__)
    return result(parcel, outcome, at, state.holds.get(parcel.mailbox))


def _note_server(state: _Round, mailbox: str, outcome: Outcome, at: datetime) -> None:
    """SM-5: an unreachable server or a refused login holds everything for it; any other answer ends the hold."""
    if not isinstance(outcome, Temporary) or outcome.scope == "letter":
        if not isinstance(outcome, Unknown):
            state.holds.pop(mailbox, None)
        return
    held = state.holds.get(mailbox)
    if held is not None and held.until > at:
        return  # letters that were on their way say the same once more
    failures = (held.failures if held else 0) + 1
    state.holds[mailbox] = Hold(hold_until(failures, at, outcome.scope), failures)
    log.warning("outbox held", mailbox=mailbox, scope=outcome.scope, failures=failures)


def result(parcel: Parcel, outcome: Outcome, at: datetime, hold: Hold | None) -> Result:
    """What an attempt came to, as the outbox keeps it: a table of the four outcomes."""
    if isinstance(outcome, Sent):
        return Result(parcel.id, "accepted", outcome.reply, at, at)
    if isinstance(outcome, Permanent):
        return Result(parcel.id, "failed", outcome.reply, at, at)
    if isinstance(outcome, Temporary) and outcome.scope != "letter":
        return Result(parcel.id, "queued", outcome.reply, at, hold.until if hold else at)
    again = next_attempt(parcel.attempts, parcel.first_attempt_at, at)
    if again is None:
        return Result(parcel.id, "failed", outcome.reply, at, at)
    return Result(parcel.id, "unknown" if isinstance(outcome, Unknown) else "queued", outcome.reply, at, again)


async def _collect(office: Office, state: _Round) -> bool:
    """Wait for at least one attempt, record all that are done in one transaction; whether all were accepted."""
    await asyncio.wait(state.flying, return_when=asyncio.FIRST_COMPLETED)
    done, state.flying = await asyncio.wait(state.flying, timeout=GATHERING)
    results = [task.result() for task in done]
    await asyncio.to_thread(_record, office, results)
    return all(r.state == "accepted" for r in results)


def _record(office: Office, results: Sequence[Result]) -> None:
    with writing(office.engine) as connection:
        outbox.record(connection, results, office.entropy, office.copies)
        refused = [r.letter for r in results if r.state == "failed"]
        failing.tell_team(connection, refused, office.desks, office.now(), office.entropy)
    reach("results-recorded")


def pause(office: Office, holds: Mapping[str, Hold]) -> float:
    """Seconds until the next letter may go."""
    now = office.now()
    with reading(office.engine) as connection:
        due = outbox.next_due(connection, [m for m in office.accounts if m not in holds])
        held = {mailbox: outbox.next_due(connection, [mailbox]) for mailbox in holds}
    instants = [due] if due else []
    # A hold that is over stands until a letter ends it: where none is due, its instant is nothing to wake for.
    instants += [max(due, holds[mailbox].until) for mailbox, due in held.items() if due]
    if not instants:
        return LONGEST_WAIT
    return min(LONGEST_WAIT, max(0.01, (min(instants) - now).total_seconds()))
