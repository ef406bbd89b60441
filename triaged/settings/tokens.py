"""[mailbox.oauth2]: what each provider and flow needs, as tables, and rules over them. Reads nothing and asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from triaged.policy.problem import Path

Values = dict[str, Any]
Found = Iterator[tuple[Path, str]]

_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/"
TOKEN_URLS = {"microsoft": _MICROSOFT + "token", "google": "https://oauth2.googleapis.com/token"}
DEVICE_URLS = {"microsoft": _MICROSOFT + "devicecode"}
_AS_USER = (
    "https://outlook.office.com/IMAP.AccessAsUser.All",
    "https://outlook.office.com/SMTP.Send",
    "offline_access",
)
SCOPES = {
    ("microsoft", "client_credentials"): ("https://outlook.office365.com/.default",),
    ("microsoft", "device_code"): _AS_USER,
    ("microsoft", "refresh_token"): _AS_USER,
    ("google", "service_account"): ("https://mail.google.com/",),
    ("google", "refresh_token"): ("https://mail.google.com/",),
}
# What a provider does not have, and what is meant instead.
_WITHOUT = {
    ("google", "device_code"): "Google gives no mail permission to devices: use service_account or refresh_token",
    ("google", "client_credentials"): "Google has no such flow: use service_account or refresh_token",
    ("microsoft", "service_account"): "Microsoft has no such flow: use client_credentials or device_code",
}
# The keys that a flow needs beside provider and flow.
_NEEDS = {
    "client_credentials": ("client_id", "client_secret"),
    "device_code": ("client_id",),
    "service_account": ("service_account",),
    "refresh_token": ("client_id", "refresh_token"),
}
_ANY_TENANT = ("common", "organizations", "consumers")


def complete(one: Values) -> Values:
    """The values with the provider's own where the file has none."""
    key = (one["provider"], one["flow"])
    tenant = one["tenant"] or "organizations"
    filled = {
        "token_url": one["token_url"] or TOKEN_URLS.get(one["provider"], "").replace("{tenant}", tenant),
        "device_url": one["device_url"] or DEVICE_URLS.get(one["provider"], "").replace("{tenant}", tenant),
        "scopes": one["scopes"] or SCOPES.get(key, ()),
    }
    return {name: value for name, value in {**one, **filled}.items() if name != "tenant"}


def is_key_file(text: str) -> bool:
    """Whether it is what Google gives: who the account is, and its private key. The key itself is tried when it signs."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    words = [found.get(key) if isinstance(found, dict) else None for key in ("client_email", "private_key")]
    return all(isinstance(word, str) for word in words) and "PRIVATE KEY" in str(words[1])


def flows_are_whole(values: Values) -> Found:
    for index, mailbox in enumerate(values["mailbox"]):
        one = mailbox.get("oauth2")
        if one and {"provider", "flow"} <= one.keys():
            yield from ((("mailbox", index, "oauth2", key), text) for key, text in _missing(one))


def _missing(one: Values) -> Iterator[tuple[str, str]]:
    provider, flow = one["provider"], one["flow"]
    if (provider, flow) in _WITHOUT:
        yield "flow", f'is "{flow}", but {_WITHOUT[provider, flow]}'
        return
    for key in _NEEDS[flow]:
        if key in one and not one[key]:
            yield key, f'is missing: the flow "{flow}" needs it'
    if provider == "generic":
        for key in ("token_url", "scopes", *(("device_url",) if flow == "device_code" else ())):
            if key in one and not one[key]:
                yield key, "is missing: a generic provider has no default for it"
    if provider == "microsoft" and flow == "client_credentials" and one.get("tenant", "x") in ("", *_ANY_TENANT):
        yield "tenant", "is missing: client_credentials belong to one tenant; write its ID or domain"
    if provider != "microsoft" and one.get("tenant"):
        yield "tenant", "is Microsoft's alone: remove it"


def imap_logins_are_whole(values: Values) -> Found:
    for index, mailbox in enumerate(values["mailbox"]):
        imap = mailbox.get("imap") or {}
        if "password" in imap and imap["password"] is None and mailbox.get("oauth2", {}) is None:
            yield ("mailbox", index, "imap", "password"), "is missing: write password = …, or [mailbox.oauth2]"


def tokens_are_used(values: Values) -> Found:
    for index, mailbox in enumerate(values["mailbox"]):
        servers = [mailbox.get(name) for name in ("imap", "smtp")]
        waiting = [s for s in servers if s and s.get("password", "") is None and s.get("username", "x")]
        broken = any(s is not None and not {"username", "password"} <= s.keys() for s in servers)
        if mailbox.get("oauth2") and not waiting and not broken:
            mend = "remove the password of imap or smtp, or this table"
            yield (
                ("mailbox", index, "oauth2"),
                f"has nothing to do: both servers have passwords, or no user name: {mend}",
            )


def one_account_acts(values: Values) -> Found:
    """A service account's token is for one user (RFC 7523 section 3): it opens no second account."""
    for index, mailbox in enumerate(values["mailbox"]):
        if (mailbox.get("oauth2") or {}).get("flow") != "service_account":
            continue
        servers = [mailbox.get(name) or {} for name in ("imap", "smtp")]
        names = {s["username"] for s in servers if s.get("username") and s.get("password", "") is None}
        if len(names) > 1:
            mend = "write one user name in both, or a password for one of them"
            yield (
                ("mailbox", index, "smtp", "username"),
                f"is another than imap.username, and a token is for one: {mend}",
            )
