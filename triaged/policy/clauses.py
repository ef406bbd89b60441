"""Every sentence that a policy file quotes or adds, with the key where it stands. Reads nothing, judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triaged.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence and where the file holds it."""

    table: str  # promise, ask, rule, statement, reply, safe_harbour, …
    key: str  # promise[acknowledge]
    text: str
    source: str  # text | added
    kind: str = ""  # of a rule or statement


def clauses(policy: Policy) -> Iterator[Clause]:
    """In the file's order of tables: arrays first."""
    for promise in policy.promises:
        yield Clause("promise", f"promise[{promise.name}]", promise.clause, promise.source)
    for ask in policy.asks:
        yield Clause("ask", f"ask[{ask.item}]", ask.clause, ask.source)
    for rule in policy.rules:
        yield Clause("rule", f"rule[{rule.name}]", rule.clause, rule.source, rule.kind)
    for statement in policy.statements:
        yield Clause("statement", f"statement[{statement.name}]", statement.clause, statement.source, statement.kind)
    for reply in policy.replies:
        yield Clause("reply", f"reply[{reply.name}]", reply.clause, reply.source)
    for name in (
        "safe_harbour",
        "confidentiality",
        "credit",
        "reward",
        "publication",
        "disclosure",
        "scope",
        "retention",
    ):
        table = getattr(policy, name)
        yield from (Clause(name, name, text, table.source) for text in table.clauses)
