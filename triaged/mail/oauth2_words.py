"""What a token endpoint's refusals mean and what mends them, as tables; nothing here asks one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

_CONTROL = re.compile(r"[^\x20-\x7e]+")
_AADSTS = re.compile(r"AADSTS([0-9]{4,8})")
_LONGEST = 200

_RENEWED = "make a new one and put it into oauth2.client_secret"
_PERMIT = "an administrator must grant the application its mail permissions"
_LOGIN = "log in again with `triaged login {mailbox}`"
# learn.microsoft.com: Microsoft Entra authentication and authorization error codes.
MICROSOFT = {
    "7000222": f"the client secret has expired: {_RENEWED}",
    "7000215": f"the client secret is wrong: copy its value, not its ID, or {_RENEWED}",
    "7000218": "the application wants a client secret: write oauth2.client_secret, or allow public client flows for it",
    "700016": "the tenant knows no application of this client_id: mend oauth2.client_id or oauth2.tenant",
    "700027": "the client's assertion is not accepted: mend the application's certificates",
    "90002": "there is no such tenant: mend oauth2.tenant",
    "900023": "there is no such tenant: mend oauth2.tenant",
    "65001": f"consent is missing: {_PERMIT} in Entra, under API permissions",
    "70011": "the scope is wrong: mend oauth2.scopes, or leave them out",
    "1002012": "the scope is wrong: with client_credentials it must end in /.default; leave oauth2.scopes out",
    "500011": "the scope names a service that the tenant has not: mend oauth2.scopes, or leave them out",
    "650053": "the scope names a permission that there is not: mend oauth2.scopes, or leave them out",
    "700082": f"the login has expired, because it was not used for long: {_LOGIN}",
    "70008": f"the login has expired: {_LOGIN}",
    "50173": f"the login was revoked, by a change of the password for one: {_LOGIN}",
    "50076": f"a second factor is asked for: {_LOGIN}",
    "50079": f"a second factor is asked for: {_LOGIN}",
    "53003": "a Conditional Access policy forbids it: an administrator must let the application through",
    "50057": "the account is disabled: an administrator must enable it",
    "50034": "there is no such account in the tenant: mend the user name or oauth2.tenant",
    "50126": "user name or password are wrong: log in as the mailbox's own account",
    "7000112": "the application is disabled: an administrator must enable it",
    "70020": "the code has expired before somebody used it: run `triaged login {mailbox}` again",
    "70016": "nobody has used the code yet",
}
# RFC 6749 section 5.2, RFC 8628 section 3.5.
GENERAL = {
    "invalid_client": "client_id or client_secret are not accepted: mend oauth2.client_id and oauth2.client_secret",
    "unauthorized_client": "the application may not ask so: allow this flow for it, or the account for the service account",
    "invalid_scope": "the scope is wrong or was not granted: mend oauth2.scopes, or leave them out",
    "access_denied": "the login was refused: run `triaged login {mailbox}` again and agree to it",
    "expired_token": "the code has expired before somebody used it: run `triaged login {mailbox}` again",
    "consent_required": f"consent is missing: {_PERMIT}",
    "interaction_required": f"the provider wants to see a person: {_LOGIN}",
    "unsupported_grant_type": "the endpoint has no such flow: mend oauth2.flow or token_url",
    "invalid_request": "the endpoint does not take what it was asked: mend oauth2.flow, tenant and client_id",
}
# An invalid grant has as many reasons as flows (RFC 6749 section 5.2).
INVALID_GRANT = {
    "device_code": f"the login has expired or was revoked: {_LOGIN}",
    "refresh_token": "the refresh token has expired or was revoked: make a new one and put it into oauth2.refresh_token",
    "service_account": "the service account's word is not accepted: check its key, the user name and this machine's clock",
    "client_credentials": "the client's word is not accepted: mend oauth2.client_secret",
}


def words_of(error: str, description: str, provider: str, flow: str, mailbox: str) -> str:
    """One sentence with its mend, and the endpoint's own words behind it."""
    number = _AADSTS.search(description)
    known = MICROSOFT.get(number[1]) if number else None
    general = INVALID_GRANT.get(flow) if error == "invalid_grant" else GENERAL.get(error)
    sentence = (known or general or "the token endpoint refuses: mend [mailbox.oauth2]").replace("{mailbox}", mailbox)
    said = f"{error}, AADSTS{number[1]}" if number else ", ".join(filter(None, (error, _short(description))))
    return f"{sentence} ({said})"


def _short(description: str) -> str:
    return _CONTROL.sub(" ", description)[:_LONGEST].strip()


def doubts(access: str, provider: str, flow: str) -> Iterator[str]:
    """What Microsoft's own tokens tell of why a server will not have them. Unsigned reading: only ever shown."""
    claims = _claims(access) if provider == "microsoft" else {}
    if not claims:
        return
    audience = str(claims.get("aud", ""))
    if "outlook.office" not in audience and not audience.startswith("00000002-0000-0ff1-ce00"):
        yield "the token is for another service than Exchange: leave oauth2.scopes out"
    granted = claims.get("roles") if flow == "client_credentials" else str(claims.get("scp", "")).split()
    names = granted if isinstance(granted, list) else []
    for wanted in ("IMAP.AccessAsApp", "SMTP.SendAsApp") if flow == "client_credentials" else ("IMAP.", "SMTP."):
        if not any(str(name).startswith(wanted) for name in names):
            yield f"the permission {wanted.rstrip('.')} is missing: {_PERMIT} in Entra, under API permissions"


def _claims(access: str) -> dict[str, object]:
    parts = access.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
