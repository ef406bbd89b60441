"""OAuth2 as values: what a token endpoint is asked (RFC 6749, 7523, 8628) and what its answer means. It opens nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from triaged.mail.oauth2_words import words_of
from triaged.mail.ports import NoToken, Secret

Flow = Literal["client_credentials", "device_code", "service_account", "refresh_token"]
Form = dict[str, str]

USUAL_LIFETIME = timedelta(minutes=5)  # where the endpoint does not say (RFC 6749 section 5.1): short is safe
LONGEST_LIFETIME = timedelta(days=1)
AHEAD = timedelta(minutes=5)
JITTER = timedelta(minutes=1)  # many mailboxes of one tenant do not renew in the same second
ASSERTION_LIFETIME = timedelta(minutes=10)  # Google takes up to an hour
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_BUSY = frozenset({"temporarily_unavailable", "server_error"})
LEAST_INTERVAL = 5  # seconds between the questions of the device flow (RFC 8628 section 3.2)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for tokens, for which account, and by what."""

    flow: Flow
    provider: str
    username: str
    client_id: str
    client_secret: Secret | None
    token_url: str
    device_url: str
    scopes: tuple[str, ...]
    service_account: Secret | None  # the JSON of a key
    refresh_token: Secret | None
    mailbox: str  # for the mend


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; with the refresh token that the next is had by, where there is one."""

    access: str = field(repr=False)
    expires_at: datetime
    renew_at: datetime  # before it expires, so that no login waits for the endpoint
    refresh: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the person who logs in is to be told, and what is asked with meanwhile (RFC 8628 section 3.2)."""

    code: str = field(repr=False)
    user_code: str
    address: str
    expires_at: datetime
    interval: int


class Pending(Exception):
    """The person has not decided yet; `slower` says that the endpoint was asked too often."""

    def __init__(self, *, slower: bool) -> None:
        super().__init__()
        self.slower = slower


def token_form(client: Client, refresh: str, now: datetime) -> Form:
    """What the token endpoint is asked. Raises NoToken where there is nothing to ask with."""
    if client.flow == "client_credentials":
        return _with_client(client, {"grant_type": "client_credentials", "scope": " ".join(client.scopes)})
    if client.flow == "service_account":
        return {"grant_type": _JWT_BEARER, "assertion": assertion(client, now)}
    if not refresh:
        mend = f"log in with `triaged login {client.mailbox}`"
        raise NoToken(f"nobody has logged in to this mailbox yet: {mend}", refused=True)
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    # Google refuses a scope here that was not granted as it stands; Microsoft wants to hear it.
    return _with_client(client, form | ({} if client.provider == "google" else {"scope": " ".join(client.scopes)}))


def device_form(client: Client) -> Form:
    return {"client_id": client.client_id, "scope": " ".join(client.scopes)}


def polling_form(client: Client, code: str) -> Form:
    return _with_client(client, {"grant_type": _DEVICE, "device_code": code})


def _with_client(client: Client, form: Form) -> Form:
    secret = {"client_secret": client.client_secret.reveal()} if client.client_secret else {}
    return {**form, "client_id": client.client_id, **secret}


def assertion(client: Client, now: datetime) -> str:
    """The service account's word for whom it acts, signed with its key (RFC 7523 section 3, RS256)."""
    account = service_account(client.service_account.reveal() if client.service_account else "")
    issued = int(now.timestamp())
    header = {
        "alg": "RS256",
        "typ": "JWT",
        **({"kid": account["private_key_id"]} if "private_key_id" in account else {}),
    }
    claims: dict[str, object] = {
        "iss": account["client_email"],
        "sub": client.username,
        "scope": " ".join(client.scopes),
        "aud": client.token_url,
        "iat": issued,
        "exp": issued + int(ASSERTION_LIFETIME.total_seconds()),
    }
    text = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{text}.{_b64(_signature(account['private_key'], text.encode()))}"


def service_account(text: str) -> dict[str, str]:
    """The key file's words. Raises NoToken, without a word of what is in it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(k), str) for k in ("client_email", "private_key")):
        raise NoToken(
            "the service account's key is not the JSON file that Google gives: download it anew", refused=True
        )
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _signature(pem: str, octets: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except Exception:  # its text may hold a part of the key
        raise NoToken("the service account's private_key can't be read: download the key anew", refused=True) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise NoToken("the service account's private_key is no RSA key: download the key anew", refused=True)
    return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def token_of(answer: Answer, client: Client, form: Form, before: str, now: datetime, chance: float = 0.0) -> Token:
    """The token in an answer, renewed the earlier the higher `chance` in [0, 1) is.

    `before` is the refresh token that stays where no new one came (RFC 6749 section 6).
    """
    said = _document(answer, client, form, "token_url")
    access, refresh = _token(said.get("access_token")), _token(said.get("refresh_token")) or before
    if not access or str(said.get("token_type", "bearer")).lower() != "bearer":
        raise NoToken("the token endpoint's answer holds no bearer token: check token_url", refused=True)
    lifetime = _lifetime(said.get("expires_in"))
    ahead = min(AHEAD + JITTER * chance, lifetime / 3)
    return Token(access, now + lifetime, now + lifetime - ahead, refresh)


def _token(word: object) -> str:
    return word if isinstance(word, str) and _TOKEN.fullmatch(word) else ""


def device_code_of(answer: Answer, client: Client, form: Form, now: datetime) -> DeviceCode:
    """Where the person goes and what they type there."""
    said = _document(answer, client, form, "device_url")
    address = said.get("verification_uri", said.get("verification_url"))  # the second is Google's, from before the RFC
    code, user_code, where = map(_token, (said.get("device_code"), said.get("user_code"), address))
    if not (code and user_code and where):
        raise NoToken("the device endpoint's answer holds no code: check device_url", refused=True)
    interval = said.get("interval", LEAST_INTERVAL)
    seconds = min(max(int(interval), 1), 60) if isinstance(interval, int) else LEAST_INTERVAL
    return DeviceCode(code, user_code, where, now + _lifetime(said.get("expires_in")), seconds)


def login_of(answer: Answer, client: Client, form: Form, now: datetime) -> Token:
    """The token that a login ended with. Raises Pending until it has, NoToken when it was refused."""
    error = _error(answer)
    if error in ("authorization_pending", "slow_down"):
        raise Pending(slower=error == "slow_down")
    return token_of(answer, client, form, "", now)


def _lifetime(seconds: object) -> timedelta:
    """`expires_in`, which some send as text."""
    try:
        given = timedelta(seconds=max(0, int(seconds)))  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return USUAL_LIFETIME
    return min(given, LONGEST_LIFETIME)


def _read(answer: Answer) -> Mapping[str, object]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _error(answer: Answer) -> str:
    error = _read(answer).get("error")
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else ""


def _document(answer: Answer, client: Client, form: Form, setting: str) -> Mapping[str, object]:
    said, error = _read(answer), _error(answer)
    if answer.status == 200 and said and "error" not in said:
        return said
    where = getattr(client, setting)
    if answer.status == 429 or answer.status >= 500 or error in _BUSY:
        raise NoToken(f"{where} is busy ({answer.status})", refused=False)
    if 300 <= answer.status < 400:
        raise NoToken(f"{where} sends us elsewhere, which is never followed: mend {setting}", refused=True)
    if not error:
        raise NoToken(f"{where} answers {answer.status} and not as a token endpoint does: mend {setting}", refused=True)
    description = said.get("error_description")
    text = without_secrets(description if isinstance(description, str) else "", client, form)
    raise NoToken(words_of(error, text, client.provider, client.flow, client.mailbox), refused=True)


_SECRET_FIELDS = ("client_secret", "refresh_token", "assertion", "device_code")


def without_secrets(text: str, client: Client, form: Form) -> str:
    """An endpoint may say back what it was told."""
    held = [s.reveal() for s in (client.client_secret, client.refresh_token, client.service_account) if s]
    for secret in sorted({*held, *(form[name] for name in _SECRET_FIELDS if name in form)}, key=len, reverse=True):
        text = text.replace(secret, "(secret)") if secret else text
    return text
