"""Settings that can't stand together, as a table of small rules over the values read. What is missing breaks none."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from triaged.policy.address import without_detail
from triaged.policy.problem import Path, shown
from triaged.settings.tokens import flows_are_whole, imap_logins_are_whole, one_account_acts, tokens_are_used

Values = dict[str, Any]
Found = Iterator[tuple[Path, str]]

# TH-7: security+REF.ROLE.MAC: a plus, 8 characters, a dot, one, a dot, 16 (RFC 5321 section 4.5.3.1.1: 64 octets).
KEYED_LENGTH = 1 + 8 + 1 + 1 + 1 + 16
_LONGEST_LOCAL = 64 - KEYED_LENGTH


def is_loopback(host: str) -> bool:
    """Whether mail to that host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def teams(values: Values) -> Iterator[tuple[Path, str, Values]]:
    """Each team: its key, its tenant's name, its values."""
    yield ("team",), "default", values["team"]
    for index, tenant in enumerate(values["tenant"]):
        if "team" in tenant:
            yield ("tenant", index, "team"), tenant.get("name", ""), tenant["team"]


def some_mailbox(values: Values) -> Found:
    if not values["mailbox"]:
        yield ("mailbox",), "is missing: write [[mailbox]] with name, address and policy"


def tenants_are_known(values: Values) -> Found:
    known = ["default", *(tenant.get("name", "") for tenant in values["tenant"])]
    for index, mailbox in enumerate(values["mailbox"]):
        if mailbox.get("tenant", "default") not in known:
            mend = f"write [[tenant]] with that name, or one of {', '.join(filter(None, known))}"
            yield ("mailbox", index, "tenant"), f"{shown(mailbox['tenant'])} is no tenant: {mend}"


def names_are_unique(values: Values) -> Found:
    yield from _twice(values["mailbox"], "name", ("mailbox",), "mailboxes")
    yield from _twice([{"name": "default"}, *values["tenant"]], "name", ("tenant",), "tenants", first=-1)
    for at, _, team in teams(values):
        for key in ("name", "address"):
            yield from _twice(team.get("member", []), key, (*at, "member"), "members")


def _twice(entries: list[Values], key: str, at: Path, what: str, first: int = 0) -> Found:
    seen: set[str] = set()
    for index, entry in enumerate(entries, first):
        value = entry.get(key, "").lower()
        if value and value in seen:
            yield (*at, index, key), f"{shown(entry[key])} is the {key} of two {what}: change one"
        seen.add(value)


def addresses_are_unique(values: Values) -> Found:
    seen: set[str] = set()
    for index, mailbox in enumerate(values["mailbox"]):
        address = without_detail(mailbox.get("address", ""))
        if address != "@" and address in seen:
            yield ("mailbox", index, "address"), f"{shown(address)} is the address of two mailboxes: remove one"
        seen.add(address)


def own_addresses_hear_nothing(values: Values) -> Found:
    """AR-3: mail to one of our own addresses would come back as a report."""
    own = {without_detail(mailbox["address"]) for mailbox in values["mailbox"] if "address" in mailbox}
    for at, address in _listeners(values):
        if without_detail(address) in own:
            yield (
                at,
                f"{shown(address)} is a mailbox of this configuration, so it would be a loop: name a person's address",
            )


def _listeners(values: Values) -> Iterator[tuple[Path, str]]:
    for at, _, team in teams(values):
        for key in ("notify", "escalate"):
            yield from (((*at, key), address) for address in team.get(key, ()))
        for index, member in enumerate(team.get("member", [])):
            yield (*at, "member", index, "address"), member.get("address", "")
    yield from ((("ops", "alarm"), address) for address in values["ops"].get("alarm", ()))


def keyed_addresses_fit(values: Values) -> Found:
    """TH-7: the local part of a keyed address stays within 64 octets."""
    for index, mailbox in enumerate(values["mailbox"]):
        local = mailbox.get("address", "").rpartition("@")[0]
        if not mailbox.get("plus_addressing"):
            continue
        mend = "use another address, or write plus_addressing = false"
        if len(local) > _LONGEST_LOCAL:
            yield (
                ("mailbox", index, "address"),
                f"leaves no room for reply keys: at most {_LONGEST_LOCAL} characters before the @; {mend}",
            )
        if "+" in local:
            yield ("mailbox", index, "address"), f"has a + of its own, where reply keys go: {mend}"


def keyed_envelope_needs_plus(values: Values) -> Found:
    """AR-15."""
    for index, mailbox in enumerate(values["mailbox"]):
        smtp = mailbox.get("smtp") or {}
        if smtp.get("envelope") == "keyed" and mailbox.get("plus_addressing") is False:
            yield (
                ("mailbox", index, "smtp", "envelope"),
                '"keyed" needs plus-addressing: write "address" or "null", or plus_addressing = true',
            )


def _servers(values: Values, *kinds: str) -> Iterator[tuple[Path, Values]]:
    """Each server of those kinds: its key, its values."""
    for index, mailbox in enumerate(values["mailbox"]):
        yield from ((("mailbox", index, kind), mailbox.get(kind) or {}) for kind in kinds)
    yield ("ops", "smtp"), values["ops"].get("smtp") or {}


def plain_text_stays_on_loopback(values: Values) -> Found:
    for at, found in _servers(values, "imap", "smtp"):
        if found.get("security") == "none" and "host" in found and not is_loopback(found["host"]):
            yield (
                (*at, "security"),
                f'"none" would send mail and password in the clear to {shown(found["host"])}: write "tls" or'
                ' "starttls", or "none-insecure" if that network is yours',
            )


def logins_are_whole(values: Values) -> Found:
    for at, smtp in _servers(values, "smtp"):
        if not {"username", "password"} <= smtp.keys():
            continue
        by_token = at[0] == "mailbox" and values["mailbox"][at[1]].get("oauth2")
        if smtp["username"] and smtp["password"] is None and not by_token:
            other = " or [mailbox.oauth2]" if at[0] == "mailbox" else ""
            yield (*at, "password"), f"is missing: write it{other}, or remove username for no login"
        if not smtp["username"] and smtp["password"] is not None:
            yield (*at, "username"), "is missing: write it, or remove password for no login"


def folders_are_watched_once(values: Values) -> Found:
    """Two watchers of one folder would make two tickets of each report."""
    watched: dict[tuple[str, object, str, str], int] = {}
    sent: dict[tuple[str, object, str, str], int] = {}
    for index, mailbox in enumerate(values["mailbox"]):
        imap = mailbox.get("imap") or {}
        if not {"host", "username", "folders", "sent_folder"} <= imap.keys():
            continue
        at: Path = ("mailbox", index, "imap")
        if _folder(imap["sent_folder"]) in map(_folder, imap["folders"]):
            yield (
                (*at, "sent_folder"),
                "is one of folders, so our own letters would be reports: name it in one place only",
            )
        account = (imap["host"].lower(), imap.get("port"), imap["username"])
        for folder in imap["folders"]:
            place = (*account, _folder(folder))
            if place in watched:
                yield (*at, "folders"), f"{shown(folder)} of this account is watched twice: remove one"
            watched[place] = index
        sent[(*account, _folder(imap["sent_folder"]))] = index
    for place in (found for found, index in sent.items() if watched.get(found, index) != index):
        yield (
            ("mailbox", sent[place], "imap", "sent_folder"),
            "is one of folders of another mailbox of this account, so our own letters would be reports: remove one",
        )


def _folder(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name  # RFC 9051 section 5.1: INBOX alone ignores case


def limits_fit_together(values: Values) -> Found:
    limits = values["limits"]
    for small, large in _ORDERED_LIMITS:
        if small in limits and large in limits and limits[small] > limits[large]:
            yield ("limits", small), f"is over limits.{large} ({limits[large]}): lower it, or raise the other"


_ORDERED_LIMITS = (
    ("header_bytes", "header_block_bytes"),
    ("header_block_bytes", "message_bytes"),
    ("oversize_body_bytes", "message_bytes"),
    ("message_bytes", "imap_literal_bytes"),
    ("acknowledgement_bytes", "acknowledgement_full_bytes"),
)

RULES: tuple[Callable[[Values], Found], ...] = (
    some_mailbox,
    tenants_are_known,
    names_are_unique,
    addresses_are_unique,
    own_addresses_hear_nothing,
    keyed_addresses_fit,
    keyed_envelope_needs_plus,
    plain_text_stays_on_loopback,
    logins_are_whole,
    imap_logins_are_whole,
    flows_are_whole,
    tokens_are_used,
    one_account_acts,
    folders_are_watched_once,
    limits_fit_together,
)
