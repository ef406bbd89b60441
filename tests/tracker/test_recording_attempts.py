"""What became of letters is recorded together, as if it were one by one: promises, events, chain. On both databases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from triaged import resources
from triaged.ticket.events import GENESIS
from triaged.tracker import blobs, chaining, migrate, outbox
from triaged.tracker.engine import connect, writing
from triaged.tracker.outbox import Result
from triaged.tracker.schema import clock, event, letter, policy_text, ticket

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
numbers = itertools.count(1)


def entropy(count: int) -> bytes:
    return next(numbers).to_bytes(count, "big")


@pytest.fixture
def engine(tracker_url: str) -> Iterator[Engine]:
    made = connect(tracker_url)
    migrate.upgrade(made, resources.migrations())
    with writing(made) as connection:
        texts = {"name": "p", "version": "1", "organisation": "o", "source": ""}
        connection.execute(policy_text.insert().values(sha256="0" * 64, seen_at=NOW, **texts))
    yield made
    made.dispose()


def opened(connection: Connection, *promises: str) -> int:
    """A ticket on which these promises run."""
    name = f"t{next(numbers)}"
    texts = {"token": name, "ref": name, "tenant": "t", "mailbox": "m", "kind": "report", "state": "received"}
    row = ticket.insert().values(
        **texts, subject="", received_at=NOW, since=NOW, opened_at=NOW, policy_sha256="0" * 64, head=GENESIS
    )
    number: int = connection.execute(row.returning(ticket.c.id)).scalar_one()
    for promise in promises:
        times = {"started_at": NOW, "due_at": NOW + timedelta(days=1)}
        named = {"ticket_id": number, "mailbox": "m", "promise": promise, "clause": ""}
        connection.execute(clock.insert().values(**named, pauses=False, **times))
    return number


def queued(connection: Connection, on: int, *meets: str, audience: str = "researcher") -> int:
    name = f"<{next(numbers)}@example.test>"
    blob = blobs.keep(connection, [name.encode()]).popitem()[1]
    texts = {"tenant": "t", "mailbox": "m", "to_address": "a@b.test", "to_lower": "a@b.test", "envelope_from": ""}
    row = letter.insert().values(
        **texts, ticket_id=on, audience=audience, message_id=name, blob_id=blob, template="x", template_version="1",
        language="en", meets=list(meets), proven=True, state="sending", queued_at=NOW, not_before=NOW,
    )  # fmt: skip
    number: int = connection.execute(row.returning(letter.c.id)).scalar_one()
    return number


def accepted(number: int, at: datetime) -> Result:
    return Result(number, "accepted", "250 ok", at, at)


def happened(connection: Connection, on: int) -> list[tuple[str, datetime]]:
    rows = connection.execute(select(event.c.kind, event.c.at).where(event.c.ticket_id == on).order_by(event.c.seq))
    return [(kind, at) for kind, at in rows]


def test_a_promise_is_kept_once_at_the_instant_of_the_first_acceptance(engine: Engine) -> None:
    """SM-10, where two letters of one ticket are recorded together."""
    with writing(engine) as connection:
        on = opened(connection, "acknowledge", "assess")
        first, second = queued(connection, on, "acknowledge"), queued(connection, on, "acknowledge")
        results = [accepted(first, NOW + SECOND), accepted(second, NOW + 2 * SECOND)]
        outbox.record(connection, results, entropy, frozenset())
    with writing(engine) as connection:
        met = dict(connection.execute(select(clock.c.promise, clock.c.met_at)).all())
        assert met == {"acknowledge": NOW + SECOND, "assess": None}
        kinds = [("accepted", NOW + SECOND), ("met", NOW + SECOND), ("accepted", NOW + 2 * SECOND)]
        assert happened(connection, on) == kinds
        assert list(chaining.broken(connection)) == []


def test_each_letter_keeps_its_own_outcome(engine: Engine) -> None:
    with writing(engine) as connection:
        on, other = opened(connection, "acknowledge"), opened(connection, "acknowledge")
        numbered = [queued(connection, on, "acknowledge"), queued(connection, other, "acknowledge")]
        again, team = queued(connection, on), queued(connection, on, audience="team")
        results = [
            accepted(team, NOW),
            Result(again, "queued", "451 later", NOW, NOW + timedelta(minutes=5)),
            Result(numbered[1], "failed", "550 nobody", NOW, NOW),
            accepted(numbered[0], NOW),
        ]
        outbox.record(connection, results, entropy, frozenset({"m"}))
    with writing(engine) as connection:
        columns = (letter.c.id, letter.c.state, letter.c.last_reply, letter.c.accepted_at, letter.c.sent_copy)
        rows = {number: rest for number, *rest in connection.execute(select(*columns))}
        assert rows == {
            numbered[0]: ["accepted", "250 ok", NOW, "wanted"],
            numbered[1]: ["failed", "550 nobody", None, None],
            again: ["queued", "451 later", None, None],
            team: ["accepted", "250 ok", NOW, "wanted"],
        }
        assert [kind for kind, _ in happened(connection, on)] == ["accepted", "met"]
        assert [kind for kind, _ in happened(connection, other)] == ["failed"]
        assert list(chaining.broken(connection)) == []


def test_nothing_to_record_writes_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        outbox.record(connection, [], entropy, frozenset())
        assert connection.execute(select(event)).all() == []
