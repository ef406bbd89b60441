"""Keeps what descriptions are compared by, and finds those that share rare terms with a new one. Ranks nothing, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from triaged.reading.likeness import Collection, Profile

MOST_CANDIDATES = 40  # with 200 the right one came no more often among the first five: docs/measured.md
FEW_CANDIDATES = 8
RARE = 0.05  # a term that fewer than this share of the descriptions hold tells them apart
MOST_KNOWN = 10  # of the team's own list, beside those: no flood of reports crowds it out
MOST_QUERY_TERMS = 32
MOST_POSTINGS = 3_000  # entries of the index read for one query: its cost, however large the collection
COMMON = 0.25  # a term that more than this share of the descriptions hold is looked up only where there are few others
LEAST_COMMON = 20  # descriptions; among fewer, nothing is common
LEAST_QUERY_TERMS = 12
LEAST_TELLING = (
    0.03  # of the most telling term's weight; what most descriptions hold is looked up in the first 12 terms only
)
KNOWN = "known:"  # how the name of one of the team's own list begins: no reference does
ALL = ""  # the term that every description of a tenant holds: their number

metadata = MetaData()
Key = BigInteger().with_variant(Integer, "sqlite")

# One description: a ticket's report, or one of the team's known issues.
likeness = Table(
    "likeness",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("tenant", String(128), nullable=False),
    Column("name", String(128), nullable=False),  # the ticket's reference, or the known issue's name
    Column("terms", Text, nullable=False),  # JSON: term -> weight
    Column("marks", Text, nullable=False),  # JSON: facts as "kind:value"
)

# In how many of a tenant's descriptions a term stands. The token is a hash of tenant and term.
likeness_term = Table(
    "likeness_term",
    metadata,
    Column("token", Key, primary_key=True, autoincrement=False),
    Column("descriptions", Integer, nullable=False),
)

# The index, token -> descriptions, is FTS5 on SQLite and an array under GIN on PostgreSQL: the migration makes it. Terms never
# reach the databases' own languages of queries: only hashes do, and those differ by tenant, so that no tenant's query reads
# another's entries. A tenant is compared by its name all the same.


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be like a description, and how common its terms are."""

    profiles: tuple[Profile, ...]
    collection: Collection


@lru_cache(maxsize=32_768)
def token(tenant: str, term: str) -> int:
    """64 bits that stand for a tenant's term, as a signed integer."""
    digest = blake2b(f"{tenant}\0{term}".encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def index(connection: Connection, tenant: str, profile: Profile) -> None:
    """Keep a description under its key, in place of what was kept under it."""
    _alone(connection)
    forget(connection, tenant, profile.key)
    row = {"tenant": tenant, "name": profile.key, **_written(profile)}
    number = connection.execute(insert(likeness).values(row).returning(likeness.c.id)).scalar_one()
    tokens = _tokens(tenant, profile)
    _index_add(connection, number, tokens)
    _count(connection, [*tokens, token(tenant, ALL)])


def forget(connection: Connection, tenant: str, key: str) -> None:
    """Keep nothing of a description any more."""
    _alone(connection)
    found = select(likeness).where(likeness.c.tenant == tenant, likeness.c.name == key).with_for_update()
    row = connection.execute(found).one_or_none()
    if row is None:
        return
    tokens = _tokens(tenant, _read(row))
    _index_remove(connection, row.id, tokens)
    connection.execute(delete(likeness).where(likeness.c.id == row.id))
    less = update(likeness_term).where(likeness_term.c.token == bindparam("one"))
    less = less.values(descriptions=likeness_term.c.descriptions - 1)
    connection.execute(less, [{"one": one} for one in sorted([*tokens, token(tenant, ALL)])])


def _alone(connection: Connection) -> None:
    """One writer at a time, to the end of its transaction. Each counts terms up, several descriptions' one after the other,
    and two that share terms in another order would lock each other out. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7311831)")


def candidates(
    connection: Connection,
    tenant: str,
    query: Profile,
    most: int = MOST_CANDIDATES,
    postings: int = MOST_POSTINGS,
) -> Candidates:
    """The descriptions that share the query's rare terms and facts, those with the most first, of the like the oldest."""
    common = _collection(connection, tenant, [*query.terms, *query.marks])
    telling = _telling(tenant, query, common, postings)
    # Where nothing in it is rare, one of a flood is as good as another: the first few show what it repeats.
    found = _search(connection, tenant, telling, most if _tells(query, common) else min(most, FEW_CANDIDATES))
    profiles = tuple(profile for profile in found if profile.key != query.key)
    held = {term for profile in profiles for term in (*profile.terms, *profile.marks)}
    missing = _collection(connection, tenant, held - common.holding.keys())
    return Candidates(profiles, Collection(common.size, {**missing.holding, **common.holding}))


def _tells(query: Profile, common: Collection) -> bool:
    """Whether some others, and only few of them, hold a term or mark of the query."""
    few = max(LEAST_COMMON, RARE * common.size)
    return any(1 < common.holding.get(term, 0) < few for term in (*query.terms, *query.marks))


def _telling(tenant: str, query: Profile, common: Collection, postings: int) -> dict[int, float]:
    """The query's tokens that are worth looking up, with their weights: the most telling, up to a bounded number of entries."""
    weights = dict.fromkeys(query.marks, 2.0) | dict(query.terms)
    most_holding = max(LEAST_COMMON, COMMON * common.size)
    held = {term: weight for term, weight in weights.items() if common.holding.get(term, 0) > 0}
    scored = {term: weight * common.rarity(term) ** 2 for term, weight in held.items()}
    chosen: dict[int, float] = {}
    entries, most_telling = 0, max(scored.values(), default=0.0)
    for term in sorted(scored, key=lambda term: (-scored[term], term)):
        entries += common.holding[term]
        everywhere = common.holding[term] > most_holding or scored[term] < LEAST_TELLING * most_telling
        dull = everywhere and len(chosen) >= LEAST_QUERY_TERMS
        if chosen and (dull or entries > postings or len(chosen) == MOST_QUERY_TERMS):
            break
        chosen[token(tenant, term)] = scored[term]
    return chosen


def _collection(connection: Connection, tenant: str, wanted: Iterable[str]) -> Collection:
    by_token = {token(tenant, term): term for term in (*wanted, ALL)}
    statement, given = _COUNTS[connection.dialect.name]
    rows = connection.execute(text(statement), {"tokens": given(list(by_token))})
    holding = {by_token[key]: descriptions for key, descriptions in rows.all()}
    return Collection(holding.pop(ALL, 0), holding)


# All tokens as one value: thousands of parameters would take longer to write down than to look up.
_COUNTS: dict[str, tuple[str, Callable[[list[int]], Any]]] = {
    "sqlite": (
        "SELECT token, descriptions FROM likeness_term WHERE token IN (SELECT value FROM json_each(:tokens))",
        json.dumps,
    ),
    "postgresql": ("SELECT token, descriptions FROM likeness_term WHERE token = ANY(CAST(:tokens AS bigint[]))", list),
}


def _search(connection: Connection, tenant: str, telling: Mapping[int, float], most: int) -> list[Profile]:
    if not telling:
        return []
    statement, parameters = _SEARCH[connection.dialect.name](telling)
    wanted = {"tenant": tenant, "most": most, "known": f"{KNOWN}%", "most_known": MOST_KNOWN}
    rows = connection.execute(text(statement), {**parameters, **wanted})
    return [_read(row) for row in rows]


def _sqlite_search(telling: Mapping[int, float]) -> tuple[str, dict[str, Any]]:
    one = "SELECT rowid AS id, :w{n} AS weight FROM likeness_index WHERE likeness_index MATCH :t{n}"
    entries = " UNION ALL ".join(one.format(n=n) for n in range(len(telling)))
    parameters: dict[str, Any] = {f"t{n}": _word(key) for n, key in enumerate(telling)}
    parameters |= {f"w{n}": weight for n, weight in enumerate(telling.values())}
    return _BEST.format(entries=entries), parameters


def _postgres_search(telling: Mapping[int, float]) -> tuple[str, dict[str, Any]]:
    entries = (
        "SELECT i.id, q.weight FROM unnest(CAST(:tokens AS bigint[]), CAST(:weights AS float8[])) AS q(token, weight) "
        "CROSS JOIN LATERAL (SELECT id FROM likeness_index WHERE tokens @> ARRAY[q.token]) AS i"
    )
    return _BEST.format(entries=entries), {"tokens": list(telling), "weights": list(telling.values())}


# The weights are added up over the index alone; the rows are read for the best only. Copies weigh the same: the first of
# them is what the others repeat.
_BEST = (
    "WITH best AS MATERIALIZED (SELECT e.id, SUM(e.weight) AS weight FROM ({entries}) AS e GROUP BY e.id) "
    "SELECT * FROM (SELECT l.name, l.terms, l.marks FROM best JOIN likeness AS l ON l.id = best.id WHERE l.tenant = :tenant "
    "AND l.name NOT LIKE :known ORDER BY best.weight DESC, l.id LIMIT :most) AS reported "
    "UNION ALL SELECT * FROM (SELECT l.name, l.terms, l.marks FROM best JOIN likeness AS l ON l.id = best.id "
    "WHERE l.tenant = :tenant AND l.name LIKE :known ORDER BY best.weight DESC, l.id LIMIT :most_known) AS listed"
)
_SEARCH = {"sqlite": _sqlite_search, "postgresql": _postgres_search}


def _index_add(connection: Connection, number: int, tokens: Sequence[int]) -> None:
    if connection.dialect.name == "sqlite":
        words = {"id": number, "tokens": " ".join(map(_word, tokens))}
        connection.execute(text("INSERT INTO likeness_index (rowid, tokens) VALUES (:id, :tokens)"), words)
    else:
        statement = text("INSERT INTO likeness_index (id, tokens) VALUES (:id, :tokens)")
        connection.execute(statement, {"id": number, "tokens": list(tokens)})


def _index_remove(connection: Connection, number: int, tokens: Sequence[int]) -> None:
    """On PostgreSQL the row goes with its description."""
    if connection.dialect.name == "sqlite":
        # A contentless table forgets only what it is told that it holds.
        statement = "INSERT INTO likeness_index (likeness_index, rowid, tokens) VALUES ('delete', :id, :tokens)"
        connection.execute(text(statement), {"id": number, "tokens": " ".join(map(_word, tokens))})


def _count(connection: Connection, tokens: Sequence[int]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [{"token": one, "descriptions": 1} for one in sorted(tokens)]
    more = dialect.insert(likeness_term).on_conflict_do_update(
        index_elements=["token"], set_={"descriptions": likeness_term.c.descriptions + 1}
    )
    connection.execute(more, rows)


def _word(number: int) -> str:
    """A token as FTS5 takes it: letters and digits only."""
    return f"{number & 0xFFFFFFFFFFFFFFFF:016x}"


def _tokens(tenant: str, profile: Profile) -> list[int]:
    return sorted({token(tenant, term) for term in (*profile.terms, *profile.marks)})


def _written(profile: Profile) -> dict[str, str]:
    return {
        "terms": json.dumps(dict(profile.terms), separators=(",", ":")),
        "marks": json.dumps(sorted(profile.marks), separators=(",", ":")),
    }


def _read(row: Any) -> Profile:
    return Profile(row.name, json.loads(row.terms), frozenset(json.loads(row.marks)))
