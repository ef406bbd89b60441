"""Settings -> desks: what the decisions need to know of each mailbox. Reads the settings, and the tracker's own key."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection

from triaged.message.model import Limits as MessageLimits
from triaged.message.model import Trust
from triaged.settings.limits import Limits
from triaged.settings.model import MailboxSettings, Settings, TeamSettings, TenantSettings
from triaged.ticket.address import bare
from triaged.ticket.desk import Caps, Colleague, Desk
from triaged.ticket.instants import Quiet
from triaged.tracker import installation


def known_desks(connection: Connection, settings: Settings, now: datetime) -> dict[str, Desk]:
    """Mailbox name -> desk, with the keys that the settings bring and the one that the tracker keeps."""
    made = installation.address_key(connection, now, secrets.token_bytes)
    given = settings.keys.address
    return desks(settings, (given.reveal().encode(), made) if given else (made,))


def desks(settings: Settings, keys: tuple[bytes, ...]) -> dict[str, Desk]:
    """Mailbox name -> desk."""
    return {mailbox.name: _desk(mailbox, settings, keys) for mailbox in settings.mailboxes}


def _desk(mailbox: MailboxSettings, settings: Settings, keys: tuple[bytes, ...]) -> Desk:
    tenant = settings.tenant(mailbox.tenant)
    mailboxes = frozenset(bare(m.address) for m in settings.mailboxes)
    return Desk(
        tenant=mailbox.tenant,
        mailbox=mailbox.name,
        address=mailbox.address.lower(),
        policy=mailbox.policy,
        plus_addressing=mailbox.plus_addressing,
        acknowledge_unproven=mailbox.acknowledge_unproven,
        require_return_path=mailbox.require_return_path,
        envelope=mailbox.smtp.envelope if mailbox.smtp else "address",
        own=mailboxes | _people(tenant),
        mailboxes=mailboxes,
        notify=tenant.team.notify,
        members={m.address.lower(): Colleague(m.name, m.address, m.role, m.notify) for m in tenant.team.members},
        keys=keys,
        caps=_caps(settings.limits),
        escalate=tenant.team.escalate,
        quiet=_quiet(tenant.team),
        undo=timedelta(seconds=tenant.team.undo_seconds),
        two_person=tenant.team.two_person,
        internal=tenant.team.internal,
    )


def _quiet(team: TeamSettings) -> Quiet:
    begins, ends = team.quiet or (None, None)
    return Quiet(begins, ends, team.business_days)


def _people(tenant: TenantSettings) -> frozenset[str]:
    """Addresses of the team: never answered automatically (AR-3)."""
    team = tenant.team
    return frozenset(bare(a) for a in (*team.notify, *team.escalate, *(m.address for m in team.members)))


def _caps(limits: Limits) -> Caps:
    return Caps(
        proven_per_address_per_day=limits.acknowledgements_proven_per_address_per_day,
        unproven_per_address_per_day=limits.acknowledgements_unproven_per_address_per_day,
        proven_per_hour=limits.acknowledgements_proven_per_hour,
        unproven_per_hour=limits.acknowledgements_unproven_per_hour,
        thread_messages_per_10_minutes=limits.thread_messages_per_10_minutes,
        full_bytes=limits.acknowledgement_full_bytes,
        minimal_bytes=limits.acknowledgement_bytes,
        references_ids=limits.references_ids,
        references_bytes=limits.references_bytes,
        relay_text=limits.relay_text_bytes,
        request_letters_per_day=limits.request_letters_per_ticket_per_day,
    )


def message_limits(limits: Limits) -> MessageLimits:
    """The limits that bound the reading of one message."""
    return MessageLimits(**{name: getattr(limits, name) for name in MessageLimits.__slots__})


def trust(tenant: TenantSettings) -> Trust:
    """Whose trace fields count for this tenant."""
    known = tenant.authenticity
    return Trust(frozenset(known.trusted_authserv_ids), frozenset(known.trusted_hosts))
