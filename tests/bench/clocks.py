"""What finding and handling one due clock costs among many tickets, beside the same among few. `python -m tests.bench.clocks`."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time as local_time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, select, text, update
from sqlalchemy.engine import make_url

from tests.bench.run import database
from tests.servers.process import workdir
from tests.ticket.scene import AT, mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged import resources
from triaged.daemon.tending import Tender, next_wake, tend_due
from triaged.tracker import migrate
from triaged.tracker.engine import connect, writing
from triaged.tracker.schema import clock, event, letter, message, participant, ticket

BASE = 500  # tickets opened through the intake; the others are their copies, row for row
CLOCKS = 4  # of each ticket, its legal or added ones included
RATIO = 1.3
T0 = AT + timedelta(days=30)
FAR = AT + timedelta(days=4000)
STEP = timedelta(minutes=1)

_OWN = {  # what must differ from copy to copy, as SQL over the copied row; {k} is the copy's number
    "ticket": {"token": "'c' || {k} || '-' || id", "ref": "'C-' || {k} || '-' || id"},
    "letter": {"message_id": "'<' || {k} || '.' || id || '@copies.test>'"},
}
_TABLES: tuple[Table, ...] = (ticket, participant, message, event, clock, letter)


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds for one due clock, in the order of their turns."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


@dataclass
class Crowd:
    """A tracker with so many open tickets, of which one is due at each turn."""

    tickets: int
    tender: Tender
    clock: list[object]

    def turn(self, number: int) -> tuple[float, float]:
        """Look up what is due, handle it, ask for the next wake-up."""
        self.clock[0] = T0 + number * STEP
        wall, cpu = time.perf_counter(), time.process_time()
        letters = tend_due(self.tender)
        next_wake(self.tender)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        assert letters == 2, f"turn {number} sent {letters} letters, not one to the team and one to the researcher"
        return spent


def fill(engine: Engine, tickets: int) -> Tracked:
    """Open some tickets as mail opens them, and copy their rows."""
    tracked = open_tracker(engine)
    tracked.most = 50
    base = min(BASE, tickets)
    tracked.receive(*[mail(f"r{n}@proven.org", proven=True, text=f"report {n} in its own words") for n in range(base)])
    tracked.send_all()
    _fourth_clock(engine)
    spans = {table.name: _largest(engine, table) for table in _TABLES}
    for k in range(1, tickets // base):
        with writing(engine) as connection:
            for table in _TABLES:
                connection.execute(text(_copied(table, k, spans)))
    _number_on(engine)
    return tracked


def _number_on(engine: Engine) -> None:
    """PostgreSQL numbers new rows by itself, and does not look at the copies."""
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            for name in (table.name for table in _TABLES if "id" in table.c):
                last = f"(select max(id) from {name})"
                connection.execute(text(f"select setval(pg_get_serial_sequence('{name}', 'id'), {last})"))


def _fourth_clock(engine: Engine) -> None:
    """The example's policy promises three things; one more each, as an agreed day of publication is."""
    names = ", ".join(c.name for c in clock.columns if c.name not in ("id", "promise", "wake_at"))
    with writing(engine) as connection:
        rows = f"insert into clock ({names}, promise, wake_at) select {names}, 'disclose', wake_at from clock"
        connection.execute(text(f"{rows} where promise = 'update'"))


def _largest(engine: Engine, table: Table) -> int:
    if "id" not in table.c:
        return 0
    with engine.connect() as connection:
        return int(connection.execute(select(func.max(table.c.id))).scalar() or 0)


def _copied(table: Table, k: int, spans: dict[str, int]) -> str:
    """All rows of the first tickets once more, under ids further on."""
    base = spans["ticket"]
    values = {c.name: c.name for c in table.columns}
    if "id" in values:
        values["id"] = f"id + {k * spans[table.name]}"
    if "ticket_id" in values:
        values["ticket_id"] = f"ticket_id + {k * base}"
    if table is letter:
        values["message_row"] = f"message_row + {k * spans['message']}"
    values |= {name: sql.format(k=k) for name, sql in _OWN.get(table.name, {}).items()}
    first = f"id <= {spans[table.name]}" if "id" in values else f"ticket_id <= {base}"
    names, taken = ", ".join(values), ", ".join(values.values())
    return f"insert into {table.name} ({names}) select {taken} from {table.name} where {first}"


def crowd(engine: Engine, tickets: int, turns: int) -> Crowd:
    """`tickets` open tickets; at each of the turns the assessment of one, from all over the table, falls due."""
    tracked = fill(engine, tickets)
    with writing(engine) as connection:
        connection.execute(update(clock).where(clock.c.wake_at.is_not(None)).values(wake_at=FAR))
        connection.execute(update(clock).where(clock.c.met_at.is_not(None)).values(wake_at=FAR, met_at=None))
        _due_by_turns(connection, turns)
        running = connection.execute(select(func.count()).where(clock.c.wake_at.is_not(None))).scalar_one()
        assert running == tickets * CLOCKS, f"{running} clocks run"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
    now: list[object] = [T0]
    boards = {"security": local_time(8, 30)}
    return Crowd(tickets, Tender(engine, tracked.desks, boards, lambda: now[0], tracked.entropy), now)  # type: ignore[arg-type,return-value]


def _due_by_turns(connection: Connection, turns: int) -> None:
    numbers = list(connection.execute(select(ticket.c.id).order_by(ticket.c.id)).scalars())
    chosen = [numbers[(i * len(numbers)) // turns] for i in range(turns)]
    order = sorted(range(turns), key=lambda i: (i * 7919) % turns)
    for turn, place in enumerate(order):
        at = T0 + turn * STEP
        mine = clock.c.ticket_id == chosen[place]
        others = (mine, clock.c.promise != "assess")
        connection.execute(update(clock).where(*others).values(due_at=FAR, warned_at=FAR, told_at=FAR))
        values = {"due_at": at, "wake_at": at, "warned_at": at - STEP}
        connection.execute(update(clock).where(mine, clock.c.promise == "assess").values(**values))


def measure(few: Crowd, many: Crowd, turns: int) -> tuple[Costs, Costs]:
    """Turn by turn, one after the other, so that what else the machine does falls on both."""
    found: dict[int, list[tuple[float, float]]] = {few.tickets: [], many.tickets: []}
    for number in range(turns):
        for one in (few, many) if number % 2 else (many, few):
            found[one.tickets].append(one.turn(number))
    costs = [Costs(tuple(w for w, _ in found[n]), tuple(c for _, c in found[n])) for n in (few.tickets, many.tickets)]
    return costs[0], costs[1]


@contextmanager
def engines(directory: Path, on_postgres: bool) -> Iterator[Callable[[str], Engine]]:
    """Empty databases of one kind, at one server."""
    made: list[Engine] = []
    with database(directory, "few", on_postgres) as first, database(directory, "many", on_postgres) as second:
        urls = {"few": first, "many": second}

        def one(name: str) -> Engine:
            engine = connect(urls[name])
            migrate.upgrade(engine, resources.migrations())
            made.append(engine)
            return engine

        yield one
        for engine in made:
            engine.dispose()


def row(label: str, costs: Costs, first: int) -> str:
    wall, cpu = sorted(costs.wall[first:]), sorted(costs.cpu[first:])
    cells = (statistics.median(wall), wall[int(len(wall) * 0.95)], statistics.median(cpu))
    return f"| {label} | " + " | ".join(f"{value * 1000:.2f}" for value in cells) + " |"


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; 1 where many tickets cost more than 1.3 times what few cost."""
    parser = argparse.ArgumentParser(description="The cost of one due clock among many tickets.")
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args(words)
    first = chosen.turns // 10  # caches and plans are warm after these
    with workdir("clocks") as directory, engines(directory, chosen.postgres) as engine:
        crowds = [crowd(engine("few"), chosen.few, chosen.turns), crowd(engine("many"), chosen.many, chosen.turns)]
        few, many = measure(crowds[0], crowds[1], chosen.turns)
        size = _size(crowds[1].tender.engine)
    print(
        f"{'PostgreSQL' if chosen.postgres else 'SQLite'}, {chosen.turns - first} due clocks each, {size} MB at most\n"
    )
    print("| open tickets (clocks) | median ms | 95th percentile | CPU of this process |")
    print("| --- | ---: | ---: | ---: |")
    print(row(f"{chosen.few:,} ({CLOCKS * chosen.few:,})", few, first))
    print(row(f"{chosen.many:,} ({CLOCKS * chosen.many:,})", many, first))
    ratio = statistics.median(many.wall[first:]) / statistics.median(few.wall[first:])
    print(f"\nratio {ratio:.2f}")
    return int(ratio > RATIO)


def _size(engine: Engine) -> int:
    if engine.dialect.name == "sqlite":
        return Path(make_url(engine.url).database or "").stat().st_size // 1_000_000
    with engine.connect() as connection:
        return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one()) // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
