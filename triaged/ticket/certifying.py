"""The certificate of an erasure: what went, by whose word, and what it could not reach. Names nobody whose data it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FORM = "triaged-certificate-of-erasure/1"
MOST_SHOWN = 200  # places in the text; the document has all


@dataclass(frozen=True, slots=True)
class Words:
    """By whose word it was done: a member's name and address, or "operator"."""

    by: str
    at: datetime
    second: str = ""


def document(
    number: int,
    tenant: str,
    of: str,
    words: Words,
    done_at: datetime,
    removed: Mapping[str, int],
    size: int,
    tombstones: int,
    chains: Sequence[Mapping[str, Any]],
    left: Mapping[str, Any],
) -> dict[str, Any]:
    """As JSON values. `of`: person or ticket."""
    return {
        "form": FORM,
        "erasure": number,
        "tenant": tenant,
        "of": of,
        "proposed": {"by": words.by, "at": _instant(words.at)},
        "confirmed": {"by": words.second or words.by, "at": _instant(done_at)},
        "removed": {"rows": dict(sorted(removed.items())), "bytes": size},
        "tombstones": tombstones,
        "chains": list(chains),
        "not_reached": dict(left),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(document: Mapping[str, Any]) -> str:
    """The certificate for people to read."""
    lines = [
        f"Certificate of erasure {document['erasure']}, {document['tenant']}",
        "",
        f"Everything that was held of one {document['of']} was erased at {document['confirmed']['at']}",
        f"by the word of {document['proposed']['by']} ({document['proposed']['at']})"
        f" and of {document['confirmed']['by']}, in one transaction.",
        "",
        *_removed(document),
        "",
        *_chains(document["chains"]),
        "",
        *_not_reached(document["not_reached"]),
    ]
    return "\n".join(lines) + "\n"


def _removed(document: Mapping[str, Any]) -> list[str]:
    rows = document["removed"]["rows"]
    return [
        "Rows erased or blanked, by table:",
        *(f"  {name:14}{count}" for name, count in rows.items()),
        f"  raw bytes      {document['removed']['bytes']}",
        f"Keyed hashes kept, so that the mailbox does not bring it back: {document['tombstones']}",
    ]


def _chains(chains: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["Event chains, which hold as before (`triaged audit`):"]
    for one in chains:
        scope = "all of it" if one["whole"] else "what is of the person; others take part"
        lines += [f"  {one['ref']}  {scope}", f"    before {one['head_before']}", f"    after  {one['head_after']}"]
    return lines


def _not_reached(left: Mapping[str, Any]) -> list[str]:
    """What the operator has to see to."""
    places = left["mailbox"]
    shown = [f"    {p['mailbox']}/{p['folder']}  UIDVALIDITY {p['uidvalidity']}  UID {p['uid']}" for p in places]
    more = [f"    and {len(places) - MOST_SHOWN} more, in the JSON"] if len(places) > MOST_SHOWN else []
    copies = [f"  copies of {c['letters']} letter(s) in the sent folder of {c['mailbox']}" for c in left["sent_copies"]]
    published = [f"  {name}: published; run `triaged publish` again" for name in left["published"]]
    return [
        "What this could not reach:",
        f"  the mailbox's own messages ({len(places)}), to be deleted there by hand:",
        *shown[:MOST_SHOWN],
        *more,
        *copies,
        f"  backups of the tracker made between {left['backups_since']} and the erasure",
        f"  {left['letters_sent']} letter(s) that left for their recipients before",
        "  members' own mailboxes, where the team's mail about it went",
        "  files that were written out: exports, hand-overs, published sites",
        *published,
        *(f"  {words}" for words in left["storage"]),
    ]
