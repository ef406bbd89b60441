"""The study's rows: claims what waits, reads what it is compared with, writes what it came to. Ranks and judges nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, or_, select, update

from triaged.reading.likeness import Description, Like
from triaged.reading.noise import Noise
from triaged.ticket.announcing import Studied
from triaged.ticket.letters import TicketName
from triaged.tracker.schema import attachment, fact, likely, message, participant, person, study, ticket

CLAIM = timedelta(minutes=1)
LOGO_BYTES = 10_000  # inline parts below this are decoration, and the same in all of a person's mail
MOST_ELSEWHERE = 5
MOST_FILES = 50  # of one report that are looked up
MOST_AROUND = 2000  # rows of one look around
MOST_OF_ONE = 50  # where there are more than those: rows of one value


@dataclass(frozen=True, slots=True)
class Waiting:
    """One new ticket before its study."""

    ticket_id: int
    name: TicketName
    tenant: str
    mailbox: str
    attempts: int
    announcement: Mapping[str, Any] | None
    noise: Noise
    subject: str
    text: str  # the whole text
    said: str  # without quoted mail and signature; of a forwarded report all of it
    message_id: str
    author: str
    text_hash: str | None
    facts: tuple[tuple[str, str], ...]
    attachments: tuple[str, ...]  # SHA-256 of those that are no decoration

    @property
    def description(self) -> Description:
        """As it is compared with others."""
        files = tuple(("attachment", digest) for digest in self.attachments)
        return Description(self.name.ref, self.subject, self.said, (*files, *self.facts))


def claim(connection: Connection, owner: str, at: datetime, most: int, mailboxes: Sequence[str]) -> list[int]:
    """Tickets to study, oldest first. The attempt is counted here, before it begins.

    What was begun and not ended comes alone, and after all that is fresh.
    """
    fresh = _claim(connection, owner, at, most, and_(study.c.attempts == 0, study.c.mailbox.in_(mailboxes)))
    if fresh:
        return fresh
    lapsed = or_(study.c.claimed_until.is_(None), study.c.claimed_until < at, study.c.claimed_until > at + 2 * CLAIM)
    return _claim(connection, owner, at, 1, and_(study.c.attempts > 0, lapsed, study.c.mailbox.in_(mailboxes)))


def _claim(connection: Connection, owner: str, at: datetime, most: int, which: Any) -> list[int]:
    waiting = select(study.c.ticket_id).where(study.c.studied_at.is_(None), which).order_by(study.c.ticket_id)
    chosen = waiting.limit(most).with_for_update(skip_locked=True)
    values = {"attempts": study.c.attempts + 1, "claimed_by": owner, "claimed_until": at + CLAIM}
    claimed = update(study).where(study.c.ticket_id.in_(chosen)).values(values).returning(study.c.ticket_id)
    return sorted(connection.execute(claimed).scalars())


def release(connection: Connection, owner: str) -> None:
    """Give back what this owner had claimed and not ended."""
    mine = and_(study.c.claimed_by == owner, study.c.studied_at.is_(None))
    connection.execute(update(study).where(mine).values(claimed_by=None, claimed_until=None))


def forget_attempts(connection: Connection, owner: str) -> None:
    """At a clean stop: what this owner had begun was not the fault of a report."""
    mine = and_(study.c.claimed_by == owner, study.c.studied_at.is_(None))
    connection.execute(update(study).where(mine).values(claimed_by=None, claimed_until=None, attempts=0))


def load(connection: Connection, ids: Sequence[int]) -> list[Waiting]:
    """What the study needs to know of each ticket."""
    columns = (study, ticket.c.token, ticket.c.ref, message.c.subject, message.c.text, message.c.new_text)
    more = (message.c.message_id.label("own_id"), message.c.counterpart, message.c.text_hash)
    joined = study.join(ticket, ticket.c.id == study.c.ticket_id).join(message, message.c.id == study.c.message_id)
    found = select(*columns, *more).select_from(joined).where(study.c.ticket_id.in_(ids)).order_by(study.c.ticket_id)
    rows = connection.execute(found).all()
    numbers = [row.message_id for row in rows]
    facts, files = _facts(connection, numbers), _attachments(connection, numbers)
    return [_waiting(row, facts.get(row.message_id, ()), files.get(row.message_id, ())) for row in rows]


def _waiting(row: Any, facts: tuple[tuple[str, str], ...], files: tuple[str, ...]) -> Waiting:
    return Waiting(
        ticket_id=row.ticket_id,
        name=TicketName(row.token, row.ref),
        tenant=row.tenant,
        mailbox=row.mailbox,
        attempts=row.attempts,
        announcement=row.announcement,
        noise=Noise(row.noise, tuple(row.noise_reasons)),
        subject=row.subject,
        text=row.text,
        said=row.text if row.whole else row.new_text,
        message_id=row.own_id,
        author=row.counterpart,
        text_hash=row.text_hash,
        facts=facts,
        attachments=files,
    )


def _facts(connection: Connection, messages: Sequence[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    rows = select(fact.c.message_id, fact.c.kind, fact.c.value).where(fact.c.message_id.in_(messages))
    found: dict[int, list[tuple[str, str]]] = {}
    for row in connection.execute(rows.order_by(fact.c.id)):
        found.setdefault(row.message_id, []).append((row.kind, row.value))
    return {number: tuple(values) for number, values in found.items()}


def _attachments(connection: Connection, messages: Sequence[int]) -> dict[int, tuple[str, ...]]:
    telling = or_(attachment.c.inline.is_(False), attachment.c.size >= LOGO_BYTES)
    rows = select(attachment.c.message_id, attachment.c.sha256).where(attachment.c.message_id.in_(messages), telling)
    found: dict[int, list[str]] = {}
    for row in connection.execute(rows.order_by(attachment.c.id)):
        found.setdefault(row.message_id, []).append(row.sha256)
    return {number: tuple(dict.fromkeys(values)) for number, values in found.items()}


@dataclass(frozen=True, slots=True)
class Around:
    """What else the tenants hold that tickets may have in common."""

    senders: Mapping[tuple[str, str], frozenset[str]]  # (tenant, text hash) -> some addresses that sent those words
    elsewhere: Mapping[tuple[str, str], frozenset[str]]  # (tenant, SHA-256 of a file) -> some tickets that hold it
    again: Mapping[tuple[str, str, str], frozenset[str]]  # (tenant, Message-ID, address) -> tickets with that mail

    def other_senders(self, one: Waiting) -> int:
        """How many other addresses sent the same words."""
        return len(self.senders.get((one.tenant, one.text_hash or ""), frozenset()) - {one.author})

    def same_files(self, one: Waiting) -> dict[str, tuple[str, ...]]:
        """SHA-256 of an attachment -> other tickets that hold the same bytes."""
        held = {d: self.elsewhere.get((one.tenant, d), frozenset()) - {one.name.ref} for d in one.attachments}
        return {digest: tuple(sorted(refs)[:MOST_ELSEWHERE]) for digest, refs in held.items() if refs}

    def sent_again(self, one: Waiting) -> tuple[str, ...]:
        """Other tickets with a message of the same address and Message-ID: a mail sent or posted twice."""
        if not one.message_id or not one.author:
            return ()
        refs = self.again.get((one.tenant, one.message_id, one.author), frozenset()) - {one.name.ref}
        return tuple(sorted(refs)[:MOST_ELSEWHERE])


def around(connection: Connection, waiting: Sequence[Waiting], most: int = MOST_AROUND) -> Around:
    """With one statement each, whatever their number; where one of the values is everywhere, one for each value."""
    came = and_(message.c.tenant.in_({one.tenant for one in waiting}), message.c.direction == "in")
    hashes = [one.text_hash for one in waiting if one.text_hash]
    words = select(message.c.tenant, message.c.text_hash, message.c.counterpart).where(came)
    files = [digest for one in waiting for digest in one.attachments[:MOST_FILES]]
    parts = attachment.join(message, message.c.id == attachment.c.message_id)
    held = select(message.c.tenant, attachment.c.sha256, ticket.c.ref).select_from(
        parts.join(ticket, ticket.c.id == message.c.ticket_id)
    )
    ids = [one.message_id for one in waiting if one.message_id]
    mails = select(message.c.tenant, message.c.message_id, message.c.counterpart, ticket.c.ref).select_from(
        message.join(ticket, ticket.c.id == message.c.ticket_id)
    )
    return Around(
        _gathered(connection, words, message.c.text_hash, hashes, most),
        _gathered(connection, held.where(came), attachment.c.sha256, files, most),
        _gathered(connection, mails.where(came), message.c.message_id, ids, most),
    )


def _gathered(
    connection: Connection, rows: Select[Any], asked: ColumnElement[Any], wanted: Sequence[str], most: int
) -> dict[Any, frozenset[str]]:
    """All but the last column -> the values of the last. No value's flood crowds another out."""
    if not wanted:
        return {}
    found = connection.execute(rows.where(asked.in_(wanted)).distinct().limit(most)).all()
    if len(found) == most:
        each = (rows.where(asked == one).distinct().limit(MOST_OF_ONE) for one in dict.fromkeys(wanted))
        found = [row for statement in each for row in connection.execute(statement)]
    gathered: dict[Any, set[str]] = {}
    for row in found:
        *key, value = row
        gathered.setdefault(tuple(key), set()).add(value)
    return {key: frozenset(values) for key, values in gathered.items()}


def earlier(connection: Connection, likes: Mapping[int, Sequence[str]]) -> dict[int, dict[str, str]]:
    """Ticket row -> those of its references that were opened before it, the oldest first -> their reporter's address, ""
    where there is none.
    """
    reports = and_(participant.c.ticket_id == ticket.c.id, participant.c.role == "reporter")
    joined = ticket.outerjoin(participant, reports).outerjoin(person, person.c.id == participant.c.person_id)
    wanted = {ref for refs in likes.values() for ref in refs}
    rows = select(ticket.c.id, ticket.c.ref, person.c.address).select_from(joined).where(ticket.c.ref.in_(wanted))
    oldest_first = rows.order_by(ticket.c.id)
    known = {row.ref: (row.id, row.address or "") for row in connection.execute(oldest_first)} if wanted else {}
    return {
        own: {ref: address for ref, (number, address) in known.items() if ref in refs and number < own}
        for own, refs in ((own, frozenset(refs)) for own, refs in likes.items())
    }


def letters_before(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, tuple[str, ...]]]:
    """Ticket row -> team address -> Message-IDs of letters that it has of this ticket already."""
    sent = and_(message.c.ticket_id.in_(ids), message.c.direction == "out", message.c.audience == "team")
    rows = select(message.c.ticket_id, message.c.counterpart, message.c.message_id).where(sent).order_by(message.c.id)
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for row in connection.execute(rows):
        ticket_letters = found.setdefault(row.ticket_id, {})
        ticket_letters[row.counterpart] = (*ticket_letters.get(row.counterpart, ()), row.message_id)
    return found


def end(connection: Connection, waiting: Waiting, studied: Studied, at: datetime, owner: str) -> bool:
    """Write what the study came to; whether it was ours to end. False: another process ended it meanwhile."""
    values = {"noise": studied.noise.score, "noise_reasons": list(studied.noise.reasons), "studied_at": at}
    ours = (study.c.ticket_id == waiting.ticket_id, study.c.studied_at.is_(None), study.c.claimed_by == owner)
    ended = connection.execute(
        update(study).where(*ours).values(**values, announcement=None, claimed_by=None, claimed_until=None)
    )
    if ended.rowcount != 1:
        return False
    if studied.likes:
        connection.execute(insert(likely), [_likely(waiting.ticket_id, like) for like in studied.likes])
    return True


def leave_to_digest(connection: Connection, waiting: Waiting, at: datetime, owner: str) -> None:
    """No mail of its own can be made for it: it ends here, and the daily digest names it."""
    if end(connection, waiting, Studied(waiting.noise), at, owner) and waiting.announcement is not None:
        connection.execute(update(ticket).where(ticket.c.id == waiting.ticket_id).values(unannounced=True))


def _likely(ticket_id: int, like: Like) -> dict[str, Any]:
    return {"ticket_id": ticket_id, "name": like.key, "score": like.score, "why": list(like.why)}
