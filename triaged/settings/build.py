"""Checked values → frozen settings. Reads nothing and refuses nothing: that was done before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from triaged.policy.model import Policy
from triaged.settings.kinds import SecretSource
from triaged.settings.limits import Limits
from triaged.settings.model import (
    AuthenticitySettings,
    HttpSettings,
    ImapSettings,
    KeySettings,
    MailboxSettings,
    Member,
    OAuth2Settings,
    OpsSettings,
    Settings,
    SmtpSettings,
    TeamSettings,
    TenantSettings,
    TrackerSettings,
)
from triaged.settings.secret import Secret
from triaged.settings.tokens import complete

Values = dict[str, Any]
IMAP_PORTS = {"tls": 993}
SMTP_PORTS = {"tls": 465, "starttls": 587}


def settings(
    values: Values,
    path: Path,
    policies: dict[int, Policy],
    secret: Callable[..., Secret | None],
    inventories: Mapping[str, str],
) -> Settings:
    """`policies` by the mailbox's place in the file, `inventories` by file name; `secret(source)` gives what it names."""
    mailboxes = [_mailbox(one, policies[index], secret) for index, one in enumerate(values["mailbox"])]
    main = {"name": "default", "team": values["team"], "authenticity": values["authenticity"]}
    return Settings(
        path=path,
        tracker=TrackerSettings(_beside(values["tracker"]["url"], path)),
        mailboxes=tuple(mailboxes),
        tenants=tuple(_tenant(one, inventories) for one in (main, *values["tenant"])),
        limits=Limits(**values["limits"]),
        keys=KeySettings(secret(values["keys"]["address"]), secret(values["keys"]["tokens"])),
        http=HttpSettings(**values["http"]),
        ops=_ops(values["ops"], secret),
    )


def _mailbox(one: Values, policy: Policy, secret: Callable[[SecretSource], Secret | None]) -> MailboxSettings:
    imap = one["imap"] and _imap(one["imap"], secret)
    smtp = one["smtp"] and _smtp(one["smtp"], one["plus_addressing"], secret)
    oauth2 = one["oauth2"] and _oauth2(one["oauth2"], secret)
    return MailboxSettings(**{**one, "policy": policy, "imap": imap, "smtp": smtp, "oauth2": oauth2})


def _imap(one: Values, secret: Callable[[SecretSource], Secret | None]) -> ImapSettings:
    port = one["port"] or IMAP_PORTS.get(one["security"], 143)
    return ImapSettings(**{**one, "port": port, "password": one["password"] and secret(one["password"])})


def _oauth2(one: Values, secret: Callable[[SecretSource], Secret | None]) -> OAuth2Settings:
    secrets = {key: one[key] and secret(one[key]) for key in ("client_secret", "service_account", "refresh_token")}
    return OAuth2Settings(**{**complete(one), **secrets})


def _smtp(one: Values, plus_addressing: bool, secret: Callable[[SecretSource], Secret | None]) -> SmtpSettings:
    port = one["port"] or SMTP_PORTS.get(one["security"], 25)
    envelope = one["envelope"] or ("keyed" if plus_addressing else "address")
    password = one["password"] and secret(one["password"])
    return SmtpSettings(**{**one, "port": port, "envelope": envelope, "password": password})


def _ops(one: Values, secret: Callable[[SecretSource], Secret | None]) -> OpsSettings:
    return OpsSettings(**{**one, "smtp": one["smtp"] and _smtp(one["smtp"], False, secret)})


def _tenant(one: Values, inventories: Mapping[str, str]) -> TenantSettings:
    team = _team(one["team"], inventories)
    return TenantSettings(one["name"], AuthenticitySettings(**one["authenticity"]), team)


def _team(one: Values, inventories: Mapping[str, str]) -> TeamSettings:
    members = tuple(Member(**member) for member in one["member"])
    two_person = len(members) >= 2 if one["two_person"] is None else one["two_person"]
    rest = {key: value for key, value in one.items() if key not in ("member", "inventory")}
    rest["inventory"] = inventories.get(one["inventory"], "")
    return TeamSettings(**{**rest, "two_person": two_person, "members": members})


def _beside(url: str, path: Path) -> str:
    """SQLite's relative paths are relative to the configuration file: three slashes, then the path."""
    scheme, slashes, file = url.partition("sqlite:///")
    return url if not slashes else f"{scheme}{slashes}{path.parent.absolute() / file}"
