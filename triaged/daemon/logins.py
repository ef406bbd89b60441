"""Mailboxes that log in by tokens: settings -> keepers and accounts, with the tracker as their shelf. Logs no token."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import clock
from triaged.mail.endpoint import post
from triaged.mail.keeper import Keeper, Shelf
from triaged.mail.oauth2 import Client, Token
from triaged.mail.ports import ImapAccount, ImapByToken, NoToken, SmtpAccount, SmtpByToken
from triaged.settings.model import MailboxSettings, OAuth2Settings, Settings
from triaged.tracker import installation, leases, tokens
from triaged.tracker.engine import reading, writing

LEASE = timedelta(seconds=60)  # longer than an endpoint may take
PATIENCE = 30.0  # seconds that another process's renewal is waited for
_LOOK = 0.2
_NONCE = 12
_BY_REFRESHING = ("device_code", "refresh_token")


def keepers(settings: Settings, engine: Engine | None, owner: str) -> dict[str, Keeper]:
    """By mailbox, those that log in by tokens. Without an engine nothing outlives the process."""
    wanted = [(m, m.oauth2) for m in settings.mailboxes if m.oauth2]
    if not wanted:
        return {}
    key = _key(settings, engine) if engine else b""
    made = {}
    for mailbox, oauth2 in wanted:
        client = client_of(mailbox, oauth2)
        shelf: Shelf = Kept(engine, mailbox.name, owner, key, made_for(client)) if engine else Unkept(client.flow)
        made[mailbox.name] = Keeper(client, shelf, post, clock.real, random.random)
    return made


def client_of(mailbox: MailboxSettings, oauth2: OAuth2Settings) -> Client:
    by_token = [s.username for s in (mailbox.imap, mailbox.smtp) if s is not None and s.password is None and s.username]
    return Client(
        flow=oauth2.flow,
        provider=oauth2.provider,
        username=by_token[0] if by_token else mailbox.address,
        client_id=oauth2.client_id,
        client_secret=oauth2.client_secret,
        token_url=oauth2.token_url,
        device_url=oauth2.device_url,
        scopes=oauth2.scopes,
        service_account=oauth2.service_account,
        refresh_token=oauth2.refresh_token,
        mailbox=mailbox.name,
    )


def imap(mailbox: MailboxSettings, known: Mapping[str, Keeper]) -> ImapAccount | None:
    """The account that the mailbox is read by."""
    one, keeper = mailbox.imap, known.get(mailbox.name)
    if one is None or one.password is not None or keeper is None:
        return one
    where = (one.host, one.port, one.security, one.username)
    return ImapByToken(*where, keeper.bearer(), one.folders, one.poll_seconds, one.sent_folder)


def smtp(mailbox: MailboxSettings, known: Mapping[str, Keeper]) -> SmtpAccount | None:
    """The account that its letters are handed in by."""
    one, keeper = mailbox.smtp, known.get(mailbox.name)
    if one is None or one.password is not None or keeper is None or not one.username:
        return one
    return SmtpByToken(one.host, one.port, one.security, one.username, keeper.bearer())


def made_for(client: Client) -> bytes:
    """What a kept token belongs to. With another application, account or refresh token in the settings it is no use."""
    given = client.refresh_token.reveal() if client.refresh_token else ""
    parts = [client.mailbox, client.flow, client.token_url, client.client_id, client.username, *client.scopes]
    return hashlib.sha256(json.dumps([*parts, hashlib.sha256(given.encode()).hexdigest()]).encode()).digest()


def _key(settings: Settings, engine: Engine) -> bytes:
    if settings.keys.tokens is not None:
        return _stretched(settings.keys.tokens.reveal().encode())
    with writing(engine) as connection:
        return _stretched(installation.token_key(connection, clock.real(), secrets.token_bytes))


def _stretched(secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"triaged tokens").derive(secret)


@dataclass(frozen=True, slots=True)
class Unkept:
    """No tracker yet. What may come with a new refresh token is not asked for: it would be lost (RFC 6749 section 6)."""

    flow: str

    def load(self) -> Token | None:
        return None

    def save(self, token: Token) -> None:
        """Nowhere to."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        if self.flow in _BY_REFRESHING:
            raise NoToken("there is no tracker yet to keep its token in: run `triaged db upgrade` first", refused=True)
        yield


@dataclass(frozen=True, slots=True)
class Kept:
    """The tracker as a shelf: a token is sealed for what it was made for, by a key that [keys] may bring."""

    engine: Engine
    mailbox: str
    owner: str
    key: bytes = field(repr=False)
    made_for: bytes = field(repr=False)

    def load(self) -> Token | None:
        with _tracker(), reading(self.engine) as connection:
            sealed = tokens.kept(connection, self.mailbox)
        return self._opened(sealed) if sealed else None

    def save(self, token: Token) -> None:
        with _tracker(), writing(self.engine) as connection:
            tokens.keep(connection, self.mailbox, self._sealed(token), clock.real())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A lease and no lock: the endpoint may take seconds, and SQLite has one writer."""
        end = time.monotonic() + PATIENCE
        while not self._taken():
            if time.monotonic() > end:
                raise NoToken("another process is renewing this token and does not end", refused=False)
            time.sleep(_LOOK)
        try:
            yield
        finally:
            with _tracker(), writing(self.engine) as connection:
                tokens.renewed(connection, self.mailbox, self.owner)

    def _taken(self) -> bool:
        with _tracker(), writing(self.engine) as connection:
            return leases.take(connection, tokens.renewing(self.mailbox), self.owner, clock.real(), LEASE)

    def _sealed(self, token: Token) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        words = [token.access, token.expires_at.isoformat(), token.renew_at.isoformat(), token.refresh]
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, json.dumps(words).encode(), self.made_for)

    def _opened(self, sealed: bytes) -> Token | None:
        """None where the key or the settings are others than they were: then it is as if there were none."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            octets = AESGCM(self.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], self.made_for)
        except (InvalidTag, ValueError):
            return None
        access, expires_at, renew_at, refresh = json.loads(octets)
        return Token(access, datetime.fromisoformat(expires_at), datetime.fromisoformat(renew_at), refresh)


@contextmanager
def _tracker() -> Iterator[None]:
    """A database's error names what was to be written."""
    try:
        yield
    except SQLAlchemyError as error:
        raise NoToken(f"the tracker can't be used for tokens: {type(error).__name__}", refused=False) from None
