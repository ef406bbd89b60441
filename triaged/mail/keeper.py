"""Keeps one account in access tokens: renewed ahead, one renewal at a time, kept where a restart finds them. Logs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from triaged.mail.oauth2 import Answer, Client, Form, Token, token_form, token_of
from triaged.mail.ports import Bearer, NoToken
from triaged.mail.retry import LOGIN_HOLD

_WORN = timedelta(seconds=10)  # a login takes some seconds, and clocks differ by a few
# The endpoint is not asked more often while it can't be reached: each login has a delay of its own beside.
_UNREACHABLE_HOLD = timedelta(seconds=5)


class Shelf(Protocol):
    """Where a token is kept between processes."""

    def load(self) -> Token | None: ...
    def save(self, token: Token) -> None: ...
    def alone(self) -> AbstractContextManager[None]:
        """While it is held nobody else renews this mailbox's token. Raises NoToken when it can't be had."""
        ...


@dataclass(slots=True)
class Memory:
    """A shelf that is forgotten with the process, for `check` before there is a tracker."""

    token: Token | None = None

    def load(self) -> Token | None:
        return self.token

    def save(self, token: Token) -> None:
        self.token = token

    @contextmanager
    def alone(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class _Held:
    """After a failure: until when the endpoint is left alone, and with which refresh token it failed."""

    until: datetime
    error: NoToken
    refresh: str = field(repr=False)


@dataclass(slots=True)
class Keeper:
    """The tokens of one mailbox; any thread may ask."""

    client: Client
    shelf: Shelf
    post: Callable[[str, Form], Answer]
    now: Callable[[], datetime]
    chance: Callable[[], float]  # in [0, 1)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _token: Token | None = field(default=None, repr=False)
    _held: _Held | None = None

    def bearer(self) -> Bearer:
        return Bearer(self.token, self.refuse)

    def token(self) -> str:
        """An access token that is good for some minutes yet. Raises NoToken."""
        with self._lock:
            if not self._lasts(self._token):
                self._token = self._shelved() or self._renewed_if_needed()
            return self._token.access if self._token else ""

    def refuse(self, access: str) -> None:
        """A server would not have it, though its time is not over: revoked, or the permissions have changed."""
        with self._lock:
            if self._token is not None and self._token.access == access:
                self._token = None
            kept = self.shelf.load()
            if kept is not None and kept.access == access:
                self.shelf.save(replace(kept, expires_at=self.now(), renew_at=self.now()))

    def due_at(self) -> datetime | None:
        """When the token in hand is renewed; None where there is none."""
        with self._lock:
            return self._token.renew_at if self._token else None

    def _lasts(self, token: Token | None) -> bool:
        return token is not None and self.now() < token.renew_at

    def _shelved(self) -> Token | None:
        """Another process may have renewed it."""
        kept = self.shelf.load()
        return kept if self._lasts(kept) else None

    def _renewed_if_needed(self) -> Token:
        try:
            return self._renewed()
        except NoToken as error:
            kept = self._token or self.shelf.load()
            if not error.refused and kept is not None and kept.expires_at - self.now() > _WORN:
                return kept  # it has minutes left, and the endpoint may be back by then
            raise

    def _renewed(self) -> Token:
        refresh = self._refresh(self.shelf.load())
        held = self._held
        if held is not None and held.until > self.now() and held.refresh == refresh:
            raise held.error
        try:
            with self.shelf.alone():
                token = self._shelved() or self._fetched()
        except NoToken as error:
            until = self.now() + (LOGIN_HOLD if error.refused else _UNREACHABLE_HOLD)
            self._held = _Held(until, error, refresh)
            raise
        self._held = None
        return token

    def _fetched(self) -> Token:
        refresh = self._refresh(self.shelf.load())
        now = self.now()
        form = token_form(self.client, refresh, now)
        token = token_of(self.post(self.client.token_url, form), self.client, form, refresh, now, self.chance())
        self.shelf.save(token)  # before it is used: a rotated refresh token that is lost locks us out
        return token

    def _refresh(self, kept: Token | None) -> str:
        given = self.client.refresh_token
        if self.client.flow not in ("device_code", "refresh_token"):
            return ""
        return (kept.refresh if kept else "") or (given.reveal() if given else "")
