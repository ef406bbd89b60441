"""The settings as values. Nothing here reads a file or the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Literal

from triaged.policy.model import Policy
from triaged.settings.limits import Limits
from triaged.settings.secret import Secret

Security = Literal["tls", "starttls", "none", "none-insecure"]


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Where tickets are kept."""

    url: str = field(repr=False)  # an SQLAlchemy URL, file paths absolute; may hold a password


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where a mailbox is read."""

    host: str
    port: int
    security: Security
    username: str
    password: Secret | None  # None: by the mailbox's oauth2
    folders: tuple[str, ...]  # the first is held by IDLE, the others are swept
    poll_seconds: int
    sent_folder: str  # "" for none


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where letters are handed in."""

    host: str
    port: int
    security: Security
    username: str  # "": no login
    password: Secret | None  # None with a username: by the mailbox's oauth2
    envelope: Literal["keyed", "address", "null"]


@dataclass(frozen=True, slots=True)
class OAuth2Settings:
    """How access tokens are had, for the servers of a mailbox that have no password."""

    provider: Literal["microsoft", "google", "generic"]
    flow: Literal["client_credentials", "device_code", "service_account", "refresh_token"]
    client_id: str
    client_secret: Secret | None
    token_url: str
    device_url: str  # "" where the flow needs none
    scopes: tuple[str, ...]
    service_account: Secret | None  # the JSON of a key
    refresh_token: Secret | None


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One address that reports come to."""

    name: str
    tenant: str
    address: str  # domain in lower case
    policy: Policy
    plus_addressing: bool
    acknowledge_unproven: Literal["minimal", "full", "hold"]
    require_return_path: bool
    history: timedelta  # older than this at the first sweep: recorded only
    imap: ImapSettings | None
    smtp: SmtpSettings | None
    oauth2: OAuth2Settings | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a team."""

    name: str
    address: str
    role: Literal["triager", "lead", "observer"]
    notify: Literal["all", "mine", "board"]


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """Who works on a tenant's tickets, and who hears of them."""

    notify: tuple[str, ...]
    escalate: tuple[str, ...]
    undo_seconds: int
    two_person: bool
    internal: tuple[str, ...]  # host names and words that stay inside, lower case
    inventory: str  # the text of the file that names what exists; "" for none
    quiet: tuple[time, time] | None  # no warnings from the one to the other, local time of the policy's zone
    business_days: bool  # warnings and the board on days only that the organisation works
    board_at: time  # local time of the policy's zone
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class AuthenticitySettings:
    """Whose trace fields are believed; empty: nobody's."""

    trusted_authserv_ids: tuple[str, ...]  # lower case
    trusted_hosts: tuple[str, ...]  # lower case


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """Whose mail it is."""

    name: str
    authenticity: AuthenticitySettings
    team: TeamSettings


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Keys that the operator brings."""

    address: Secret | None  # None: made once and kept in the tracker
    tokens: Secret | None = None  # the same


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Metrics and health."""

    listen: str  # host:port; "" for none


@dataclass(frozen=True, slots=True)
class OpsSettings:
    """Who hears when something stands still."""

    alarm: tuple[str, ...]
    unswept_minutes: int
    outbox_minutes: int
    disk_free_mib: int
    smtp: SmtpSettings | None  # a second server, for alarms alone


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, checked: every mailbox's tenant exists."""

    path: Path | None  # the file that it came from
    tracker: TrackerSettings
    mailboxes: tuple[MailboxSettings, ...]
    tenants: tuple[TenantSettings, ...]
    limits: Limits
    keys: KeySettings
    http: HttpSettings
    ops: OpsSettings

    def tenant(self, name: str) -> TenantSettings:
        """The tenant of that name. Raises KeyError where there is none."""
        found = next((tenant for tenant in self.tenants if tenant.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def mailbox(self, name: str) -> MailboxSettings | None:
        return next((mailbox for mailbox in self.mailboxes if mailbox.name == name), None)
