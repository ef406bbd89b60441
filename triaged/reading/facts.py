"""What a report states: systems, identifiers, people, dates, each with the words it came from. Believes and checks nothing."""

from __future__ import annotations

import re
from collections import Counter

from triaged.message.model import Message
from triaged.reading.cues import Text
from triaged.reading.facts_dates import disclosure_dates
from triaged.reading.facts_exploited import exploitation
from triaged.reading.facts_identifiers import identifiers
from triaged.reading.facts_model import Fact as Fact
from triaged.reading.facts_model import written
from triaged.reading.facts_network import links, systems, without_links
from triaged.reading.facts_people import anonymity, contacts, credits, other_parties
from triaged.reading.facts_products import products
from triaged.reading.facts_weakness import weaknesses

_RANGE = re.compile(r"\s?(?:-|\u2013|to|through|and|,|&)\s?$")
MOST_TEXT = 65_536  # characters read for facts: what follows is a dump, and stays in the message
MOST_OF_A_KIND = 200  # facts; a scanner's list of ten thousand addresses is an attachment, not facts


def facts(message: Message) -> tuple[Fact, ...]:
    """The facts of the sender's own text (a forwarded report's whole text), each kind and value once, in its order."""
    own = frozenset(address.address.lower() for address in (*message.authors, *message.reply_to))
    ours = frozenset(address.address.lower() for address in message.to) | {*message.delivered_to}
    found = facts_of(written(message), own)
    return tuple(fact for fact in found if fact.kind != "contact" or fact.value not in ours - own)


def facts_of(text: str, own_addresses: frozenset[str] = frozenset()) -> tuple[Fact, ...]:
    """The same for any text; offsets are into it."""
    read = Text.of(text[:MOST_TEXT])
    urls = links(read)
    prose = without_links(read, urls)
    versions = products(prose)
    found = [
        *urls,
        *(fact for fact in systems(prose) if fact.kind != "ip_address" or not _follows(fact, versions, read.text)),
        *identifiers(read),
        *weaknesses(prose),
        *versions,
        *credits(read),
        *anonymity(read),
        *disclosure_dates(prose),
        *exploitation(prose),
        *contacts(read, own_addresses),
        *other_parties(prose),
    ]
    return _each_once(sorted(found, key=lambda fact: fact.at))


def _follows(address: Fact, versions: list[Fact], text: str) -> bool:
    """Whether four numbers belong to a product: within its version, or the other end of a range of versions."""
    for version in versions:
        gap = address.at[0] - version.at[1]
        if gap <= 0 < address.at[1] - version.at[0] or (
            0 < gap < 8 and _RANGE.match(text[version.at[1] : address.at[0]])
        ):
            return True
    return False


def _each_once(found: list[Fact]) -> tuple[Fact, ...]:
    seen: set[tuple[str, str]] = set()
    counts: Counter[str] = Counter()
    kept = []
    for fact in found:
        if (fact.kind, fact.value) not in seen and counts[fact.kind] < MOST_OF_A_KIND:
            seen.add((fact.kind, fact.value))
            counts[fact.kind] += 1
            kept.append(fact)
    return tuple(kept)
