"""Takes stored receipts through reading and decision to what they cause. One bad message takes only itself down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from triaged.daemon.clock import Now
from triaged.daemon.isolated import read_isolated
from triaged.daemon.log import log, place
from triaged.daemon.points import reach
from triaged.daemon.reader import LEAST, Reader, ReaderDiedError
from triaged.daemon.tending import desk_of
from triaged.message.content import content_sha256
from triaged.message.model import Kind, Limits, Message, Trust
from triaged.message.parse import unreadable
from triaged.reading.asking import wanted
from triaged.reading.whole import Whole, read, unread
from triaged.ticket.arrival import receive
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.desk import Desk
from triaged.ticket.forwarding import clues_of
from triaged.ticket.known import Arrival, Known
from triaged.ticket.letters import Audience
from triaged.ticket.member_mail import as_a_note
from triaged.ticket.reference import Entropy
from triaged.tracker import blobs, commanding, receipts, returning, tombstones
from triaged.tracker.acting import go_on, take_back, take_up
from triaged.tracker.consequences import write
from triaged.tracker.engine import reading, writing
from triaged.tracker.knowing import ACKNOWLEDGEMENTS, Item, keys_of, load_known
from triaged.tracker.receipts import Claimed
from triaged.tracker.written import Written

LOAD_BYTES = 2 * 1024 * 1024  # raw bytes held at a time, where one message is not larger
# A process may be killed often for reasons that are no message's: a reading alone can't kill it, so this is generous.
CRASHES = 6
WAVE_CHARACTERS = 4 * 1024 * 1024  # of text decided side by side

Read = Callable[[bytes, Limits, Trust, tuple[str, ...]], Whole]


@dataclass(frozen=True, slots=True)
class Intake:
    """What reading and deciding need."""

    engine: Engine
    desks: Mapping[str, Desk]
    trusts: Mapping[str, Trust]  # by tenant
    limits: Limits
    most: int  # receipts claimed at a time
    attempts: int  # readings begun before a message is set aside
    owner: str
    now: Now
    entropy: Entropy
    reader: Reader | None = None  # reads blocks in a child process; without it all is read here


def take_in(intake: Intake) -> int:
    """Settle one batch of waiting receipts; how many. Raises only when the tracker can't be used."""
    with writing(intake.engine) as connection:
        claimed = receipts.claim_fresh(connection, intake.owner, intake.now(), intake.most, list(intake.desks))
    if claimed:
        reach("reading-claimed")
        for mailbox in dict.fromkeys(c.mailbox for c in claimed):
            _settle([c for c in claimed if c.mailbox == mailbox], intake, read)
        return len(claimed)
    return _take_in_failed(intake)


def _take_in_failed(intake: Intake) -> int:
    """A receipt whose reading did not end before: alone, in a limited child process, so that it takes nobody with it."""
    with writing(intake.engine) as connection:
        claimed = receipts.claim_failed(connection, intake.owner, intake.now(), list(intake.desks))
    for one in claimed:
        if one.attempts > CRASHES:
            _set_aside(one, intake, f"the process died {CRASHES} times while reading it")
        else:
            _settle([one], intake, read_isolated)
    return len(claimed)


def _settle(claimed: Sequence[Claimed], intake: Intake, read: Read) -> None:
    desk = intake.desks[claimed[0].mailbox]
    items: list[tuple[Claimed, Item]] = []
    for block in _blocks(claimed, intake):
        items += _read_block(_without_forgotten(block, desk, intake), desk, intake, read)
    for wave in waves(items):
        _decide(wave, desk, intake)


Block = list[tuple[Claimed, bytes]]


def _without_forgotten(block: Block, desk: Desk, intake: Intake) -> Block:
    """What was forgotten and lies in the mailbox still is stored as all is (law 1), and ends here: it is not parsed."""
    contents = {one.id: _content(one, raw) for one, raw in block}
    with reading(intake.engine) as connection:
        known = tombstones.forgotten(connection, desk.tenant, contents)
    if not known:
        return block
    received = {one.id: min(one.internal_date, intake.now()) for one, _ in block}
    with writing(intake.engine) as connection:
        tombstones.settle(connection, sorted(known), received)
    reach("forgotten-again")
    log.info("forgotten messages found again", mailbox=desk.mailbox, messages=len(known))
    return [(one, raw) for one, raw in block if one.id not in known]


def _read_block(block: Block, desk: Desk, intake: Intake, read: Read) -> list[tuple[Claimed, Item]]:
    if intake.reader is not None and len(block) >= LEAST and read is not read_isolated:
        return _read_aside(block, desk, intake, intake.reader)
    items = []
    for one, raw in block:
        try:
            whole = read(raw, intake.limits, intake.trusts[desk.tenant], wanted(desk.policy))
            items.append((one, _item(one, raw, whole, desk, intake)))
        except Exception as error:
            _failed(one, intake, f"reading failed: {type(error).__name__} at {place(error)}")
    return items


def _read_aside(block: Block, desk: Desk, intake: Intake, reader: Reader) -> list[tuple[Claimed, Item]]:
    """Several messages in the child; where that dies, each is read alone later, as after a crash of this process."""
    try:
        wholes = reader.read([(raw, intake.trusts[desk.tenant], wanted(desk.policy)) for _, raw in block])
    except ReaderDiedError as error:
        log.error("reader died", messages=len(block), why=str(error))
        with writing(intake.engine) as connection:
            receipts.give_back(connection, [one.id for one, _ in block], "read beside others when the reader died")
        return []
    return [(one, _item(one, raw, whole, desk, intake)) for (one, raw), whole in zip(block, wholes, strict=True)]


def _blocks(claimed: Sequence[Claimed], intake: Intake) -> Iterator[Block]:
    """The receipts with their bytes, a bounded amount at a time."""
    block: list[Claimed] = []
    held = 0
    for one in (*claimed, None):
        if block and (one is None or held + one.size > LOAD_BYTES):
            with reading(intake.engine) as connection:
                stored = blobs.load(connection, [b.blob_id for b in block if b.blob_id is not None])
            yield [(b, stored[b.blob_id][1] if b.blob_id is not None else b"") for b in block]
            block, held = [], 0
        if one is not None:
            block.append(one)
            held += one.size


def _item(one: Claimed, raw: bytes, whole: Whole, desk: Desk, intake: Intake) -> Item:
    message = whole.message
    arrival = Arrival(
        receipt=one.id,
        received_at=_received_at(one, message, intake.now()),
        folder=one.folder,
        junk=one.junk,
        truncated=one.truncated,
        size=one.size,
        sha256=blobs.digest(raw),
        content_sha256=_content(one, raw),
        message=message,
        findings=whole.findings,
        original=whole.original,
        original_findings=whole.original_findings,
        sent=one.sent,
    )
    return Item(arrival, clues_of(arrival, desk))


_NOTHING = blobs.digest(b"")


def _content(one: Claimed, raw: bytes) -> str:
    """What makes a second one a copy. Messages of which nothing is known are no copies of each other, and of those that
    are too large to be kept whole, only their beginning and their size are known. The sent folder counts by itself: an
    answer that came to the mailbox as well was sent all the same, and a report that was once moved there is a report.
    """
    content = content_sha256(raw)
    if content == _NOTHING:
        return blobs.digest(f"nothing of receipt {one.id}".encode())
    whole = blobs.digest(f"{content} of {one.size}".encode()) if one.truncated else content
    return blobs.digest(f"sent {whole}".encode()) if one.sent else whole


def _received_at(one: Claimed, message: Message, now: datetime) -> datetime:
    """ML-7: the server's own instant, or a trusted host's if that is earlier; never the sender's Date, never to come."""
    known = [one.internal_date, now]
    if message.received_at is not None and not one.sent:  # a sent letter was received by nobody here
        known.append(message.received_at)
    return min(known)


def waves(items: Sequence[tuple[Claimed, Item]]) -> Iterator[list[tuple[Claimed, Item]]]:
    """Cut the items, in order, where one depends on another or where their text grows too large."""
    wave: list[tuple[Claimed, Item]] = []
    keys: set[str] = set()
    characters = 0
    for claimed, item in items:
        own, length = keys_of(item), len(item.arrival.message.text)
        if wave and (keys & own or characters + length > WAVE_CHARACTERS):
            yield wave
            wave, keys, characters = [], set(), 0
        wave.append((claimed, item))
        keys |= own
        characters += length
    if wave:
        yield wave


def _decide(wave: Sequence[tuple[Claimed, Item]], desk: Desk, intake: Intake) -> None:
    """Decide and write a wave in one transaction; where that fails, each message by itself."""
    try:
        _transact(wave, desk, intake, None)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, not a message's
    except Exception as error:
        if len(wave) > 1:
            for one in wave:
                _decide([one], desk, intake)
            return
        _failed(wave[0][0], intake, f"deciding failed: {type(error).__name__} at {place(error)}")


def _transact(wave: Sequence[tuple[Claimed, Item]], desk: Desk, intake: Intake, aside: str | None) -> None:
    at = intake.now()
    with writing(intake.engine) as connection:
        items = returning.named(connection, [item for _, item in wave], desk.tenant)
        known = load_known(connection, items, desk, at)
        caused = _side_by_side(items, known, desk, at, intake.entropy)
        desks = defaultdict(lambda: desk, intake.desks)  # a ticket of a mailbox that is gone is answered from here
        at_desk = partial(desk_of, desks=desks)
        written: list[Written] = []
        deeds: list[commanding.Deed] = []
        for (claimed, _), item, consequence in zip(wave, items, caused, strict=True):
            bounded = _bounded(consequence, claimed, aside)
            settled, done = commanding.ponder(connection, item, bounded, at_desk, at, intake.entropy)
            deeds += done
            written.append(Written(item, settled, quiet=not claimed.sends_letters))
        write(connection, written, desk, at, intake.entropy)
        for deed in deeds:
            commanding.finish(connection, deed, at, intake.entropy)
        take_back(connection, _withdrawn(written), at_desk, at, intake.entropy)
        go_on(connection, _heard(written), at_desk, at, intake.entropy)
        take_up(connection, _heard(written, proven=True), at_desk, at, intake.entropy)
    reach("consequences-written")
    for w in written:
        log.info(
            "message taken in",
            receipt=w.item.arrival.receipt,
            mailbox=desk.mailbox,
            outcome=w.consequence.outcome,
            ticket=w.consequence.ticket.ref if w.consequence.ticket else None,
            letters=len(w.consequence.letters),
        )


def _heard(written: Sequence[Written], *, proven: bool = False) -> set[str]:
    """Tickets that a participant wrote on. What a machine answers is no answer (NT-5), and a one-line request is no word on the
    matter: with `proven`, neither it nor what nothing proves counts.
    """
    joined = [w for w in written if w.consequence.outcome is Outcome.APPENDED and _by_a_participant(w)]
    counted = [w for w in joined if not proven or _proven_words(w)]
    return {w.consequence.ticket.token for w in counted if w.consequence.ticket}


def _proven_words(written: Written) -> bool:
    placed = written.consequence.placed
    return placed is not None and placed.proven and written.item.clues.request is None and not written.quiet


def _withdrawn(written: Sequence[Written]) -> set[str]:
    """Tickets that their researcher took back."""
    caused = (w.consequence for w in written)
    return {c.ticket.token for c in caused if c.ticket and c.asks and c.asks.withdraws}


def _by_a_participant(written: Written) -> bool:
    message, placed = written.item.arrival.message, written.consequence.placed
    person = message.kind is Kind.PERSON and message.answerable and not written.item.arrival.sent
    return person and placed is not None and placed.audience is Audience.RESEARCHER


def _side_by_side(
    items: Sequence[Item], known: Sequence[Known], desk: Desk, at: datetime, entropy: Entropy
) -> list[Consequence]:
    """What each item causes. They share the hour's budgets: what one's acknowledgement takes, the next has not (AR-10)."""
    spent: Counter[bool] = Counter()
    caused = []
    for item, facts in zip(items, known, strict=True):
        left = facts.budget_proven - spent[True], facts.budget_unproven - spent[False]
        shared = replace(facts, budget_proven=left[0], budget_unproven=left[1])
        consequence = receive(item.arrival, item.clues, shared, desk, at, entropy)
        spent.update(letter.proven for letter in consequence.letters if letter.template in ACKNOWLEDGEMENTS)
        caused.append(consequence)
    return caused


def _bounded(consequence: Consequence, claimed: Claimed, aside: str | None) -> Consequence:
    """What was imported quietly starts no clock and sends nothing; what was set aside says so."""
    if not claimed.starts_clocks:
        consequence = replace(consequence, clocks=())
    if not claimed.sends_letters:
        consequence = as_a_note(replace(consequence, letters=()))
    if aside is None or consequence.outcome is Outcome.COPY:
        return consequence
    return replace(consequence, outcome=Outcome.SET_ASIDE, reason=aside)


def _failed(one: Claimed, intake: Intake, why: str) -> None:
    """Seen to fail: once more alone, then set aside."""
    log.error("message failed", receipt=one.id, attempt=one.attempts, why=why)
    if one.attempts >= intake.attempts:
        _set_aside(one, intake, f"could not be read in {one.attempts} attempts; {why}")
        return
    with writing(intake.engine) as connection:
        receipts.give_back(connection, [one.id], why)


def _set_aside(one: Claimed, intake: Intake, why: str) -> None:
    """IM-14: a ticket that the team sees, with the raw bytes kept; its promise runs."""
    desk = intake.desks[one.mailbox]
    try:
        ((_, raw),) = next(_blocks([one], intake))
        nothing = Whole(unreadable(raw, intake.limits, why), unread("set aside"))
        item = _item(one, raw, nothing, desk, intake)
        _transact([(one, item)], desk, intake, why)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("setting aside failed", receipt=one.id, error=type(error).__name__)
        with writing(intake.engine) as connection:
            receipts.set_aside(connection, one.id, f"{why}; no ticket could be opened ({type(error).__name__})")
