"""What a report cites that is not among the things known to exist: hosts, files, functions, versions. Looks nothing up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import islice

from triaged.reading.facts_model import Fact

MOST_CITED = 100
MOST_TEXT = 65_536
WEIGHT = 1.2  # of a report that cites, and nothing of it is known
_SYSTEMS = ("host", "ip_address", "product")
_FILE = re.compile(
    r"(?<![\w./-])(?:[\w-]{1,60}/){0,8}[\w-]{1,60}\.(?:c|cc|cpp|h|hpp|py|js|ts|go|rs|java|php|rb|cs|kt|swift)\b"
)
_FUNCTION = re.compile(r"(?<![\w.])[A-Za-z_][\w:.]{2,80}(?=\(\))")
_HOST = re.compile(r"\Ahttps?://(?:[^/@\s]{1,200}@)?([^/:?#\s]{1,253})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is known to exist. A host pattern *.example.test holds example.test and all below it."""

    names: frozenset[str]  # hosts, products with or without a version, files, functions; casefolded
    suffixes: tuple[str, ...]  # ".example.test"
    networks: tuple[str, ...]  # CIDR

    def __bool__(self) -> bool:
        return bool(self.names or self.suffixes or self.networks)


def read_inventory(text: str) -> Inventory:
    """One name a line: a host, *.domain, an address or network, a product with or without its version, a file, a function().

    "#" starts a comment.
    """
    lines = [line for raw in text.split("\n") if (line := raw.partition("#")[0].strip().casefold())]
    networks = tuple(str(ip_network(line, strict=False)) for line in lines if _is_network(line))
    suffixes = tuple(line[1:] for line in lines if line.startswith("*."))
    plain = {line.removesuffix("()") for line in lines if not line.startswith("*.") and not _is_network(line)}
    return Inventory(frozenset(plain), suffixes, networks)


def _is_network(line: str) -> bool:
    try:
        ip_network(line, strict=False)
    except ValueError:
        return False
    return True


def cites_nothing_known(text: str, facts: Iterable[tuple[str, str]], inventory: Inventory) -> tuple[str, ...]:
    """What the report cites, where none of it is known; nothing where something is, or where it cites nothing."""
    cited = tuple(dict.fromkeys(islice(_cited(text[:MOST_TEXT], facts), MOST_CITED)))
    return () if any(_known(one, inventory) for one in cited) else cited


def _cited(text: str, facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for kind, value in facts:
        if kind in _SYSTEMS:
            yield value
        elif kind == "url" and (found := _HOST.match(value)):
            yield found.group(1)
    yield from (found.group() for found in _FILE.finditer(text))
    yield from (found.group() for found in _FUNCTION.finditer(text))


def _known(cited: str, inventory: Inventory) -> bool:
    name = cited.casefold()
    if name in inventory.names or any(name.endswith(s) or name == s[1:] for s in inventory.suffixes):
        return True
    if _in_network(name, inventory.networks):
        return True
    last = name.rpartition("/")[2]  # src/parse.c is known where parse.c is, and the other way round
    parts = {name, last, name.partition(" ")[0]}
    return any(part in inventory.names for part in parts) or any(k.endswith(f"/{last}") for k in inventory.names)


def _in_network(name: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return any(address in ip_network(network) for network in networks)


def pairs(facts: Iterable[Fact]) -> tuple[tuple[str, str], ...]:
    """Facts as (kind, value): how they are kept."""
    return tuple((fact.kind, fact.value) for fact in facts)
