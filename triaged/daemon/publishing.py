"""What a site is made of, gathered from rows: advisories, numbers, and names that the ledger of consents gives. Decides no name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection

from triaged.policy.model import Policy
from triaged.publication.transparency import kept, told
from triaged.publication.values import Advisory, Kept, Site
from triaged.ticket.consent import Purpose
from triaged.ticket.cwe import catalogue, cwe_title
from triaged.tracker import advisories, consents, promises
from triaged.tracker.advisories import Public


def revise(connection: Connection, tenant: str, policy: Policy, at: datetime) -> int:
    """What changed after a publication makes a new version of it: who is named, or a fact of the problem. How many there were."""
    zone = policy.calendar.tzinfo
    changed = [
        one
        for one in advisories.public(connection, tenant, zone)
        if _changed(connection, one, one.draft.changed_at or at)
    ]
    for one in changed:
        advisories.revise(connection, one.ticket_id, one.draft.revised(at))
    return len(changed)


def _changed(connection: Connection, one: Public, since: datetime) -> bool:
    """CSAF and OSV know a document by its version: two that differ have two."""
    said = consents.changed_since(connection, one.ticket_id, since)
    return said or advisories.facts_since(connection, one.ticket_id, since)


def site_of(connection: Connection, tenant: str, mailbox: str, policy: Policy, public_key: str, at: datetime) -> Site:
    """The values of the site of a tenant under the policy of one of its mailboxes."""
    zone = policy.calendar.tzinfo
    credits = consents.names_for(connection, tenant, Purpose.ADVISORY)
    found = tuple(_advisory(one, credits, zone) for one in advisories.public(connection, tenant, zone))
    return Site(
        policy=policy,
        base=policy.publish.site.rstrip("/"),
        at=_newest(found, at),
        issued=_month(at),
        years=consents.hall(connection, tenant, zone),
        advisories=found,
        kept=_kept(connection, mailbox, policy, at),
        public_key=public_key,
        titles={one.cwe: cwe_title(one.cwe) for one in found if one.cwe},
        catalogue=catalogue(),
    )


def _advisory(one: Public, credits: Mapping[int, tuple[str, ...]], zone: object) -> Advisory:
    draft = one.draft
    return Advisory(
        name=one.name,
        title=draft.title,
        text=draft.text,
        product=one.product,
        affected=one.affected,
        fixed_in=one.fixed_in,
        severity=one.severity,
        cvss=one.cvss,
        cwe=one.cwe,
        cve=draft.cve,
        credits=credits.get(one.ticket_id, ()),
        received_on=one.received_at.astimezone(zone).date(),  # type: ignore[arg-type]
        fixed_on=one.fixed_on,
        published_at=draft.published_at,
        revised_at=draft.revisions[-1] if draft.revisions else None,
        version=draft.version,
        revisions=draft.revisions,
    )


def _newest(found: tuple[Advisory, ...], at: datetime) -> datetime:
    """The instant that files hold: of the newest advisory, so that nothing of a site changes from day to day."""
    instants = (one.revised_at or one.published_at for one in found)
    return max((instant for instant in instants if instant is not None), default=_month(at))


def _month(at: datetime) -> datetime:
    """From when `security.txt` counts: it is written anew once a month, and never runs out between two publications."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _kept(connection: Connection, mailbox: str, policy: Policy, at: datetime) -> tuple[Kept, ...]:
    """How each promise of the policy fared on all tickets of the mailbox, as far as numbers tell of nobody."""
    return told(kept(promises.rounds(connection, promises.Span(mailbox=mailbox)), policy, at))
