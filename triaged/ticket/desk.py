"""Who answers: one mailbox with its team, policy and keys, as the decisions need them. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from triaged.policy.model import Policy
from triaged.ticket.instants import NEVER_QUIET, Quiet


@dataclass(frozen=True, slots=True)
class Caps:
    """How many automatic acknowledgements may go out, proven and unproven senders apart (AR-10)."""

    proven_per_address_per_day: int
    unproven_per_address_per_day: int
    proven_per_hour: int
    unproven_per_hour: int
    thread_messages_per_10_minutes: int  # AR-11
    full_bytes: int
    minimal_bytes: int
    references_ids: int
    references_bytes: int
    relay_text: int  # characters of a researcher's text in one mail to the team
    request_letters_per_day: int = 3  # of one kind on one ticket, in answer to one-line requests


@dataclass(frozen=True, slots=True)
class Colleague:
    """One member of the team."""

    name: str
    address: str  # as the configuration writes it
    role: str = "triager"  # triager | lead | observer: who may do what stands in ticket/commands.py
    notify: str = "all"  # all | mine | board: what they are mailed


@dataclass(frozen=True, slots=True)
class Desk:
    """One mailbox and the people behind it."""

    tenant: str
    mailbox: str
    address: str  # the mailbox's own address, lower-case
    policy: Policy
    plus_addressing: bool
    acknowledge_unproven: str  # minimal | full | hold
    require_return_path: bool
    envelope: str  # keyed | address | null
    own: frozenset[str]  # every address of ours without detail: mailboxes, team, members
    mailboxes: frozenset[str]  # the mailboxes alone
    notify: tuple[str, ...]
    members: Mapping[str, Colleague]  # by lower-case address
    keys: tuple[bytes, ...]  # the first signs, all are accepted
    caps: Caps
    escalate: tuple[str, ...] = ()  # who hears of a missed promise as well
    quiet: Quiet = NEVER_QUIET  # when the team is not warned
    undo: timedelta = timedelta()  # how long a member's letter waits, and can be taken back
    two_person: bool = False  # whether what can't be taken back waits for a second member
    internal: tuple[str, ...] = ()  # host names and words that no letter to a researcher may hold, lower-case

    def named(self, address: str) -> str:
        """How events and letters to the team call the member of that address; the address itself where there is none."""
        colleague = self.members.get(address.lower())
        return colleague.name if colleague else address

    @property
    def domain(self) -> str:
        """The public domain that our Message-IDs name (AR-18): never the host's name."""
        return self.address.rpartition("@")[2]
