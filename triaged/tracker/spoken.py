"""What was said on a ticket and on others lately, loaded for the leak gate. Reads only; decides nothing of what is inside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from triaged.ticket.events import EventKind, event_of
from triaged.ticket.gate import Elsewhere
from triaged.ticket.letters import Audience
from triaged.ticket.spoken import HELD, REASONED, Spoken, elsewhere_of, reasons_of
from triaged.tracker.schema import attachment, event, letter, message, participant, person, ticket

MOST_MESSAGES = 500  # of each conversation, the newest
MOST_ELSEWHERE = 300  # messages of the tenant's other tickets, the newest: what a member has open beside this one
MOST_CHARACTERS = 8_192  # of each of those

_COLUMNS = (
    message.c.id,
    message.c.ticket_id,
    message.c.audience,
    message.c.subject,
    message.c.receipt_id,
    letter.c.template,
    letter.c.state,
)
_ROWS = message.outerjoin(letter, letter.c.message_row == message.c.id)


def spoken_on(connection: Connection, ticket_id: int) -> tuple[Spoken, ...]:
    """Both conversations, the newest of each first."""
    newest = select(*_COLUMNS, message.c.text).select_from(_ROWS).where(message.c.ticket_id == ticket_id)
    newest = newest.order_by(message.c.id.desc()).limit(MOST_MESSAGES)
    became, refused = _became(connection, [ticket_id]), _refused(connection, [ticket_id])
    rows = [r for audience in Audience for r in connection.execute(newest.where(message.c.audience == audience))]
    return tuple(_spoken(r, became, refused, {}) for r in rows)


def reasons_on(connection: Connection, tickets: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Ticket -> why members waived a promise or recorded a breach."""
    told = (event.c.ticket_id.in_(tickets), event.c.kind.in_(REASONED), event.c.body.is_not(None))
    rows = connection.execute(
        select(event.c.ticket_id, event.c.kind, event.c.body).where(*told).order_by(event.c.ticket_id, event.c.seq)
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        found[row.ticket_id] = (*found.get(row.ticket_id, ()), *reasons_of([event_of(row.kind, row.body)]))
    return found


def elsewhere(connection: Connection, tenant: str, ticket_id: int) -> tuple[Elsewhere, ...]:
    """The tenant's other tickets that somebody wrote on lately."""
    rows = _lately(connection, tenant, ticket_id)
    if not rows:
        return ()
    numbers = sorted({row.ticket_id for row in rows})
    became, files = _became(connection, numbers), _files(connection, [row.id for row in rows])
    refused = _refused(connection, numbers)
    people, reasons = _people(connection, numbers), reasons_on(connection, numbers)
    said: dict[int, list[Spoken]] = defaultdict(list)
    for row in rows:
        said[row.ticket_id].append(_spoken(row, became, refused, files))
    refs = connection.execute(select(ticket.c.id, ticket.c.ref).where(ticket.c.id.in_(numbers)).order_by(ticket.c.id))
    return tuple(elsewhere_of(row.ref, said[row.id], reasons.get(row.id, ()), people[row.id]) for row in refs)


def _lately(connection: Connection, tenant: str, ticket_id: int) -> Sequence[Any]:
    """What came by mail, our letters to researchers, and those about a stranger's mail that was held."""
    held = and_(letter.c.template == "relay", message.c.text.startswith(HELD, autoescape=True))
    wanted = or_(message.c.direction == "in", message.c.audience == Audience.RESEARCHER, held)
    here = (message.c.tenant == tenant, message.c.ticket_id != ticket_id, wanted)
    text = func.substr(message.c.text, 1, MOST_CHARACTERS).label("text")
    newest = select(*_COLUMNS, text).select_from(_ROWS).where(*here).order_by(message.c.id.desc())
    return connection.execute(newest.limit(MOST_ELSEWHERE)).all()


def _spoken(
    row: Any,
    became: Mapping[object, tuple[str, ...]],
    refused: Collection[object],
    files: Mapping[int, tuple[str, ...]],
) -> Spoken:
    return Spoken(
        audience=row.audience,
        subject=row.subject,
        text=row.text,
        template=row.template or "",
        state=row.state or "",
        files=files.get(row.id, ()),
        became=became.get(row.receipt_id, ()) if row.receipt_id else (),
        meant=bool(row.receipt_id) and row.receipt_id in refused,
    )


def _became(connection: Connection, tickets: Iterable[int]) -> dict[object, tuple[str, ...]]:
    """Receipts of members' mail -> the texts of the letters that they became."""
    spoke = (event.c.kind == EventKind.MESSAGE, event.c.body.like('%"becomes":[%'))
    bodies = select(event.c.body).where(event.c.ticket_id.in_(tickets), *spoke)
    data = [event_of(EventKind.MESSAGE, body).data for body in connection.execute(bodies).scalars()]
    became = {one["receipt"]: one["becomes"] for one in data}
    ids = [i for letters in became.values() if isinstance(letters, list) for i in letters]
    sent = select(message.c.message_id, message.c.text).where(
        message.c.direction == "out", message.c.message_id.in_(ids)
    )
    texts = {row.message_id: row.text for row in connection.execute(sent)} if ids else {}
    return {r: tuple(texts[i] for i in some if i in texts) for r, some in became.items() if isinstance(some, list)}


def _refused(connection: Connection, tickets: Iterable[int]) -> set[object]:
    """Receipts of members' mail whose own text is no note: refused and meant for the researcher, or the draft of an advisory."""
    meant = and_(event.c.kind == EventKind.REFUSED, event.c.body.like('%"meant_to_go":true%'))
    draft = and_(event.c.kind == EventKind.MESSAGE, event.c.body.like('%"advises":true%'))
    bodies = connection.execute(select(event.c.body).where(event.c.ticket_id.in_(tickets), or_(meant, draft))).scalars()
    return {event_of(EventKind.MESSAGE, body).data.get("receipt") for body in bodies}


def _files(connection: Connection, messages: Collection[int]) -> dict[int, tuple[str, ...]]:
    rows = select(attachment.c.message_id, attachment.c.name).where(attachment.c.message_id.in_(messages))
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(rows.order_by(attachment.c.id)):
        found[row.message_id] = (*found.get(row.message_id, ()), row.name)
    return found


def _people(connection: Connection, tickets: Collection[int]) -> dict[int, list[tuple[str, str]]]:
    rows = (
        select(participant.c.ticket_id, person.c.name, person.c.address)
        .join(person, person.c.id == participant.c.person_id)
        .where(participant.c.ticket_id.in_(tickets))
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in connection.execute(rows.order_by(participant.c.since, person.c.id)):
        found[row.ticket_id].append((row.name, row.address))
    return found
