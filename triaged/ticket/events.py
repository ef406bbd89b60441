"""What happened to a ticket: kinds, the salted hash chain over them, and the state that they fold to. Append-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MAILBOX = "mailbox"  # the actor of what people did in the mailbox itself, past triaged
GENESIS = bytes(32)  # the "previous" of a ticket's first event
SALT_BYTES = 16

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]


class EventKind(StrEnum):
    """One word a happening."""

    RECEIVED = "received"  # the ticket was opened by a message
    MESSAGE = "message"  # a further message joined it
    HELD = "held"  # a message came to its address from somebody else; it waits for the team
    SUGGESTED = "suggested"  # a message may belong to another ticket
    UNANSWERED = "unanswered"  # no automatic letter may go out; the promise is the team's work
    MUTED = "muted"  # too many messages in too short a time on one thread (AR-11)
    QUEUED = "queued"  # a letter was queued
    ACCEPTED = "accepted"  # the submission server took a letter
    FAILED = "failed"  # the submission server refused a letter for good
    UNDELIVERED = "undelivered"  # a believed delivery report: a letter did not arrive
    REPORTED_UNDELIVERED = "reported_undelivered"  # a delivery report that nothing proves (NT-1)
    MET = "met"  # a promise was kept
    REOPENED = "reopened"  # a promise that seemed kept was not
    STARTED = "started"  # a further clock runs: the next round of a repeated promise, a date, a legal duty
    WARNED = "warned"  # the team was reminded
    MISSED = "missed"  # a due instant passed unmet
    TOLD = "told"  # the researcher was written to without being asked for it
    UNTOLD = "untold"  # such a letter was due and may not go out: it is the team's work
    WAIVED = "waived"  # a promise need not be kept any more
    PAUSED = "paused"  # a clock stands still while we wait on the researcher
    RESUMED = "resumed"
    EXTENDED = "extended"  # a member moved a date later, with a reason
    SHORTENED = "shortened"  # a date came nearer
    STUDIED = "studied"  # compared with other reports and judged for noise
    BROUGHT = "brought"  # a message brought what the report left out
    RECLASSIFIED = "reclassified"  # a member changed what it is taken for
    WAITING = "waiting"  # on the researcher: promises that pause stand still
    HEARD = "heard"  # the researcher wrote, or need not: they go on
    REHEARSED = "rehearsed"  # the instant was given by hand
    REQUESTED = "requested"  # a researcher asked for something in one line
    CREDITED = "credited"  # they are to be named; by which name stands with the participant, not here
    ANONYMISED = "anonymised"  # they are not to be named
    WITHDRAWN = "withdrawn"  # the researcher took the report back; its state stays, since the weakness may be real
    EXPLOITED = "exploited"  # somebody learned that the problem is used in attacks
    TAKEN_UP = "taken_up"  # closed or declined before, and open again
    ASSIGNED = "assigned"
    ASSESSED = "assessed"  # with what severity and why; the move of the state is an event of its own
    REFUSED = "refused"  # a member's mail with commands that could not all be done; none was
    CANCELLED = "cancelled"  # a letter that waited was dropped
    KEPT_BACK = "kept_back"  # a letter waits for a member's word
    RELEASED = "released"  # a held letter may go
    PROPOSED = "proposed"  # waits for a second member
    CONFIRMED = "confirmed"
    JOINED = "joined"  # a person takes part
    LEFT = "left"
    MERGED = "merged"
    SPLIT = "split"
    BREACHED = "breached"  # a member records that a rule of the policy was broken
    SHOWN = "shown"  # evidence went to a member
    LOOKED = "looked"  # somebody read it at the command line
    DESCRIBED = "described"  # product, versions, CWE: what an assessment adds later
    REWARDED = "rewarded"  # a decision about money, and payment
    ASKED = "asked"  # for a consent
    CONSENTED = "consented"
    REVOKED = "revoked"  # a consent refused or withdrawn
    DRAFTED = "drafted"  # an advisory was written, or its words changed
    DRAFT_SENT = "draft_sent"  # to the researcher, for comment
    REVISED = "revised"  # a published advisory was changed
    HANDED_OVER = "handed_over"  # a bundle for a coordinator was written
    RECEIPTED = "receipted"  # a signed receipt was written
    FORGOTTEN = "forgotten"  # personal data of the ticket was erased
    # Moves of the ticket's state, by people.
    ASSESSING = "assessing"
    VALID = "valid"  # assessed and accepted; "accepted" is what a server says of a letter
    DECLINED = "declined"
    FIXING = "fixing"
    FIXED = "fixed"
    DISCLOSED = "disclosed"
    CLOSED = "closed"


class JournalKind(StrEnum):
    """What happens to a tenant rather than to one ticket: entries of its journal, chained as events are."""

    KNOWN_SEALED = "known_sealed"  # a commitment to an issue that the team knows: a hash alone
    KNOWN_OPENED = "known_opened"  # its salt, so that anybody can see what it was a commitment to
    KNOWN_REMOVED = "known_removed"  # the issue is kept no more; its seal stays in the journal
    PUBLISHED = "published"  # files were written for the world
    TRANSPARENCY_PUBLISHED = "transparency_published"  # the page of numbers
    FORGOTTEN = "forgotten"  # an erasure was done: how much, not whose
    EXPORTED = "exported"  # all that is held of a person was written out
    REWARD_EXPORTED = "reward_exported"  # the ledger of rewards was written out
    HANDED_OVER = "handed_over"  # a bundle for a coordinator was written
    LOOKED = "looked"  # somebody read more than one ticket at the command line


class State(StrEnum):
    """Report states of ISO/IEC 30111 section 7 and the CERT guide."""

    RECEIVED = "received"
    ASSESSING = "assessing"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    FIXING = "fixing"
    FIXED = "fixed"
    DISCLOSED = "disclosed"
    CLOSED = "closed"


# The state that an event leads to. Kinds that are not here change none.
STATE_AFTER = {
    EventKind.RECEIVED: State.RECEIVED,
    EventKind.TAKEN_UP: State.ASSESSING,
    EventKind.ASSESSING: State.ASSESSING,
    EventKind.VALID: State.ACCEPTED,
    EventKind.DECLINED: State.DECLINED,
    EventKind.FIXING: State.FIXING,
    EventKind.FIXED: State.FIXED,
    EventKind.DISCLOSED: State.DISCLOSED,
    EventKind.CLOSED: State.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One happening, before it has its place in the chain. `data` holds JSON values only."""

    kind: EventKind
    actor: str  # "triaged", "researcher", "member:…", "mailbox": who did it
    data: Mapping[str, JSON]


def fold(kinds: Iterable[EventKind]) -> State:
    """The state that a ticket's events amount to."""
    state = State.RECEIVED
    for kind in kinds:
        state = STATE_AFTER.get(kind, state)
    return state


def payload(actor: str, data: Mapping[str, JSON]) -> str:
    """The redactable part of an event as canonical JSON: sorted keys, no spaces."""
    return json.dumps({"actor": actor, "data": data}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def event_of(kind: str, body: str) -> Event:
    """The event again, from its kind and its canonical JSON."""
    return Event(EventKind(kind), *event_body(body))


def event_body(body: str) -> tuple[str, Mapping[str, JSON]]:
    """Actor and data again, from their canonical JSON."""
    kept = json.loads(body)
    return kept["actor"], kept["data"]


def sealed(salt: bytes, body: str) -> bytes:
    """H(salt, data): what stays in the chain when data and salt are gone."""
    return hashlib.sha256(salt + body.encode()).digest()


def link(previous: bytes, kind: str, at: datetime, seal: bytes) -> bytes:
    """H(previous, kind, time, H(salt, data)): the event's hash. Fields are length-prefixed, so none can slide into the next."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    hasher = hashlib.sha256()
    for part in (previous, kind.encode(), instant.encode(), seal):
        hasher.update(len(part).to_bytes(4, "big") + part)
    return hasher.digest()
