"""The ledger of consents: words appended, and read as wishes and names. What they amount to is decided in `ticket/consent.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from triaged.ticket import hall as of_fame
from triaged.ticket.consent import Answer, Purpose, Wishes, Word, key, may_share, named, standing
from triaged.ticket.events import EventKind, State
from triaged.tracker.schema import consent, event, letter, participant, person, ticket

ASKING = "consent"  # the template of the letter that asks
# What changes whom an advisory names, beside the ledger itself.
_CHANGES = (
    EventKind.CREDITED,
    EventKind.ANONYMISED,
    EventKind.CONSENTED,
    EventKind.REVOKED,
    EventKind.LEFT,
    EventKind.FORGOTTEN,
)
_VALID = (EventKind.VALID, EventKind.FIXING, EventKind.FIXED, EventKind.DISCLOSED)
_STANDS = (State.ACCEPTED, State.FIXING, State.FIXED, State.DISCLOSED)


# What is mailed to a merged ticket goes to the other one, ANONYMOUS and REFUSE as well: the old one names nobody any more.
_BY_ITSELF = ticket.c.merged_into.is_(None)


class OvertakenError(Exception):
    """What was agreed to is not asked any more: another process kept a word meanwhile, and the message is to be decided again."""


# --- words ---


def speak(connection: Connection, ticket_id: int, address: str, words: Sequence[Word]) -> None:
    """Append what a participant said. Their row is locked, so that nothing comes between what was asked and AGREE."""
    if not words:
        return
    of_address = select(person.c.id).where(person.c.address == address)
    mine = select(participant.c.person_id).where(participant.c.ticket_id == ticket_id)
    number = connection.execute(mine.where(participant.c.person_id.in_(of_address)).with_for_update()).scalar()
    if number is not None:
        _still_open(connection, ticket_id, number, words)
        append(connection, ticket_id, number, words)


def _still_open(connection: Connection, ticket_id: int, number: int, words: Sequence[Word]) -> None:
    """What a code agrees to must be asked still, also where somebody else decided at the same time."""
    agreed = [word for word in words if word.state is Answer.GIVEN and word.code]
    if agreed:
        now = standing(words_on(connection, [ticket_id]).get((ticket_id, number), ()))
        if not all(found.open for word in agreed if (found := now.get(key(word.purpose, word.third_party)))):
            raise OvertakenError(f"ticket {ticket_id}")


def append(connection: Connection, ticket_id: int, number: int, words: Sequence[Word]) -> None:
    """Rows, in the order of the words: the ledger is read by it."""
    for word in words:
        row = {
            "ticket_id": ticket_id,
            "person_id": number,
            "purpose": word.purpose,
            "third_party": word.third_party,
            "state": word.state,
            "code": word.code,
            "proven": word.proven,
            "at": word.at,
        }
        connection.execute(consent.insert().values(row))


def changed(connection: Connection, ticket_id: int, before: Mapping[str, Wishes], after: Mapping[str, Wishes]) -> None:
    """Write what a member's command added: words, and that a name may stand."""
    for address, wishes in after.items():
        known = before.get(address, Wishes())
        speak(connection, ticket_id, address, wishes.words[len(known.words) :])
        if wishes.pending != known.pending:
            of_address = select(person.c.id).where(person.c.address == address)
            here = (participant.c.ticket_id == ticket_id, participant.c.person_id.in_(of_address))
            connection.execute(update(participant).where(*here).values(credit_pending=wishes.pending))


def words_on(connection: Connection, ids: Sequence[int]) -> dict[tuple[int, int], list[Word]]:
    """(ticket row, person row) -> their words there, in the order of the ledger."""
    rows = select(consent).where(consent.c.ticket_id.in_(ids)).order_by(consent.c.id)
    found: dict[tuple[int, int], list[Word]] = defaultdict(list)
    for row in connection.execute(rows):
        found[row.ticket_id, row.person_id].append(_word(row))
    return found


def _word(row: Any) -> Word:
    return Word(Purpose(row.purpose), Answer(row.state), row.at, row.third_party, row.code, row.proven)


# --- wishes ---


def wishes_on(connection: Connection, ticket_id: int) -> dict[str, Wishes]:
    """Address -> what each who takes part in the ticket said."""
    return {row.address: wishes for row, wishes in _people(connection, participant.c.ticket_id == ticket_id)}


def wishes_of(connection: Connection, ticket_id: int, address: str) -> Wishes:
    """What one of them said."""
    return wishes_on(connection, ticket_id).get(address, Wishes())


def withdrawn(connection: Connection, ticket_id: int) -> bool:
    """Whether the researcher took the report back: then nothing more is asked of them."""
    kinds = select(event.c.kind).where(event.c.ticket_id == ticket_id, event.c.kind == EventKind.WITHDRAWN)
    return connection.execute(kinds.limit(1)).first() is not None


def sharing(connection: Connection, ticket_id: int, third_party: str) -> tuple[str, ...] | None:
    """The names that go to that third party with the report; None where one who takes part did not agree to it."""
    wishes = [one for _, one in _people(connection, and_(ticket.c.id == ticket_id, _BY_ITSELF))]
    if not wishes or not all(may_share(one, third_party) for one in wishes):
        return None
    return tuple(sorted(name for one in wishes if (name := named(Purpose.SHARE, one, third_party))))


def changed_since(connection: Connection, ticket_id: int, at: datetime) -> bool:
    """Whether anything was said after that instant that may change who is named on the ticket."""
    words = (consent.c.ticket_id == ticket_id, consent.c.at > at, consent.c.state != Answer.ASKED)
    happened = (event.c.ticket_id == ticket_id, event.c.at > at, event.c.kind.in_(_CHANGES))
    either = or_(exists().where(*words), exists().where(*happened))
    return bool(connection.execute(select(either)).scalar())


# --- names ---


def names_for(
    connection: Connection, tenant: str, purpose: Purpose, third_party: str = ""
) -> dict[int, tuple[str, ...]]:
    """Ticket row -> the names to render for that purpose, by receipt and then by name. What is rendered comes from here alone."""
    found: dict[int, list[str]] = {}
    for row, wishes in _people(connection, and_(ticket.c.tenant == tenant, _BY_ITSELF)):
        if name := named(purpose, wishes, third_party):
            found.setdefault(row.ticket_id, []).append(name)
    return {number: tuple(sorted(names)) for number, names in found.items()}


def hall(connection: Connection, tenant: str, zone: tzinfo) -> tuple[of_fame.Year, ...]:
    """The Hall of Fame: reports that were found valid and not declined since, each under the year of its receipt."""
    valid = _valid(connection, tenant)
    found: dict[int, list[of_fame.Finder]] = {number: [] for number in valid}
    for row, wishes in _people(connection, ticket.c.tenant == tenant):
        if row.ticket_id in found:
            reporter = row.role == "reporter"
            found[row.ticket_id].append(of_fame.Finder(row.person_id, named(Purpose.HALL, wishes), reporter))
    return of_fame.years((of_fame.Valid(valid[n], tuple(finders)) for n, finders in found.items()), zone)


def _valid(connection: Connection, tenant: str) -> dict[int, datetime]:
    """Ticket row -> receipt. A report that was closed, or is looked at again, is what it was last found to be."""
    here = (ticket.c.tenant == tenant, _BY_ITSELF)
    rows = select(ticket.c.id, ticket.c.received_at, ticket.c.state).where(*here)
    standing_ones = connection.execute(rows.where(ticket.c.state.in_(_STANDS)))
    found = {row.id: row.received_at for row in standing_ones}
    judged = select(ticket.c.id, ticket.c.received_at, event.c.kind).join(event, event.c.ticket_id == ticket.c.id)
    verdicts = event.c.kind.in_((*_VALID, EventKind.DECLINED))
    later = judged.where(*here, ticket.c.state.in_((State.ASSESSING, State.CLOSED)), verdicts)
    last = {row.id: row for row in connection.execute(later.order_by(ticket.c.id, event.c.seq))}
    found |= {number: row.received_at for number, row in last.items() if row.kind in _VALID}
    return found


def _people(connection: Connection, where: ColumnElement[bool]) -> Iterator[tuple[Any, Wishes]]:
    """Everybody who takes part, with all that they said, by the ticket's receipt."""
    mine = and_(consent.c.ticket_id == participant.c.ticket_id, consent.c.person_id == participant.c.person_id)
    joined = (
        participant.join(person, person.c.id == participant.c.person_id)
        .join(ticket, ticket.c.id == participant.c.ticket_id)
        .outerjoin(consent, mine)
    )
    theirs = [column for column in participant.c if column.name != "proven"]
    words = [column for column in consent.c if column.name not in ("id", "ticket_id", "person_id")]
    rows = select(*theirs, person.c.address, consent.c.id.label("row"), *words).select_from(joined).where(where)
    order = (ticket.c.received_at, participant.c.ticket_id, participant.c.person_id, consent.c.id)
    yield from _grouped(connection.execute(rows.order_by(*order)))


def _grouped(rows: Iterable[Any]) -> Iterator[tuple[Any, Wishes]]:
    last: Any = None
    words: list[Word] = []
    for row in rows:
        if last is not None and (row.ticket_id, row.person_id) != (last.ticket_id, last.person_id):
            yield last, _wishes(last, words)
            words = []
        last = row
        if row.row is not None:
            words.append(_word(row))
    if last is not None:
        yield last, _wishes(last, words)


def _wishes(row: Any, words: Sequence[Word]) -> Wishes:
    return Wishes(row.credit, row.anonymous, row.credit_pending, tuple(words))


# --- what is still to be asked ---


def unasked(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Of those tickets, the accepted ones whose people neither said how they want to be named nor were asked."""
    said = exists().where(consent.c.ticket_id == ticket.c.id, consent.c.state != Answer.ASKED)
    went = letter.c.state.not_in(("dropped", "failed"))
    asked = exists().where(letter.c.ticket_id == ticket.c.id, letter.c.template == ASKING, went)
    took_back = exists().where(event.c.ticket_id == ticket.c.id, event.c.kind == EventKind.WITHDRAWN)
    rows = select(ticket.c.id).where(ticket.c.id.in_(ids), ticket.c.state.in_(_STANDS))
    return set(connection.execute(rows.where(~said, ~asked, ~took_back)).scalars())
