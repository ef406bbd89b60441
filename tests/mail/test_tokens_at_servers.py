"""Logins by access token at a real Dovecot and a real Postfix that ask a token server about each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.mail.accounts import LIMITS, Imap, Smtp, Store, Word, now, stopped_after, until
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.tokens import CLIENT, SECRET, Answer, Tokens, refused
from triaged.mail import bearing
from triaged.mail.endpoint import post
from triaged.mail.imap import ConnectionLost, LoginRefused, connect
from triaged.mail.keeper import Keeper, Memory
from triaged.mail.oauth2 import Client
from triaged.mail.ports import Parcel, Sent, Temporary
from triaged.mail.smtp import Submission
from triaged.mail.watcher import WatchEvent, watch

RAW = b"Subject: hi\r\n\r\nhello\r\n"


@pytest.fixture
def keeper(token_server: Tokens, fresh_address: str) -> Iterator[Keeper]:
    token_server.user, token_server.lifetime, token_server.rotate = fresh_address, 3600.0, False
    token_server.script.clear()
    yield keeper_of(token_server, fresh_address)


def keeper_of(server: Tokens, username: str, flow: str = "client_credentials", **more: object) -> Keeper:
    values: dict[str, object] = {
        "flow": flow,
        "provider": "generic",
        "username": username,
        "client_id": CLIENT,
        "client_secret": Word(SECRET),
        "token_url": server.url("token"),
        "device_url": server.url("device"),
        "scopes": ("mail",),
        "service_account": None,
        "refresh_token": None,
        "mailbox": "security",
    }
    return Keeper(Client(**{**values, **more}), Memory(), post, lambda: datetime.now(UTC), lambda: 0.0)  # type: ignore[arg-type]


def imap(server: Dovecot, keeper: Keeper) -> Imap:
    return Imap(server.imap_port, username=keeper.client.username, password=keeper.bearer())  # type: ignore[arg-type]


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_token_opens_the_mailbox_by_either_mechanism(
    mechanism: str, token_dovecot: Dovecot, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bearing, "MECHANISMS", (mechanism,))
    session = connect(imap(token_dovecot, keeper))
    assert session.examine("INBOX").exists == 0
    session.logout()


def test_a_token_of_another_account_opens_nothing(token_dovecot: Dovecot, token_server: Tokens, keeper: Keeper) -> None:
    token_server.user = "somebody-else@example.test"
    with pytest.raises(LoginRefused) as refusal:
        connect(imap(token_dovecot, keeper))
    assert not any(secret in str(refusal.value) for secret in token_server.every_secret())


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_revoked_token_is_renewed_once_and_the_same_connection_goes_on(
    mechanism: str,
    token_dovecot: Dovecot,
    token_server: Tokens,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bearing, "MECHANISMS", (mechanism,))
    first = keeper.token()
    token_server.revoke(first)
    asked = len(token_server.asked)
    session = connect(imap(token_dovecot, keeper))
    assert session.examine("INBOX").exists == 0
    session.logout()
    assert len(token_server.asked) == asked + 1
    assert keeper.token() != first


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_token_that_is_never_good_is_asked_for_twice_and_the_challenge_is_said_in_words(
    mechanism: str,
    token_dovecot: Dovecot,
    token_server: Tokens,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bearing, "MECHANISMS", (mechanism,))
    token_server.lifetime = 0.0
    asked = len(token_server.asked)
    with pytest.raises(LoginRefused, match=r"the server says (invalid_|401)") as refusal:
        connect(imap(token_dovecot, keeper))
    assert len(token_server.asked) <= asked + 3
    assert not any(secret in str(refusal.value) for secret in token_server.every_secret())


def test_an_endpoint_that_is_away_is_a_lost_connection_and_a_refusing_one_a_refused_login(
    token_dovecot: Dovecot, token_server: Tokens, keeper: Keeper
) -> None:
    token_server.script.append(refused("invalid_client", f"your secret {SECRET} is wrong", 401))
    with pytest.raises(LoginRefused, match=r"client_secret.*invalid_client") as refusal:
        connect(imap(token_dovecot, keeper))
    assert SECRET not in str(refusal.value)
    token_server.stop()
    try:
        with pytest.raises(ConnectionLost, match="can't be reached"):
            connect(imap(token_dovecot, keeper_of(token_server, keeper.client.username)))
    finally:
        token_server.start()


def test_a_watcher_goes_on_when_its_token_expired_during_idle(
    token_dovecot: Dovecot, token_server: Tokens, keeper: Keeper
) -> None:
    token_server.lifetime = 3.0
    store, events, stop = Store(), list[WatchEvent](), threading.Event()
    account = imap(token_dovecot, keeper)
    arguments = {"now": now, "stop": stop, "arrived": lambda: None, "report": events.append, "random": lambda: 0.5}
    watching = threading.Thread(target=watch, args=(account, store, LIMITS), kwargs=arguments, daemon=True)
    watching.start()
    try:
        until(lambda: store.sweeps, what="the first sweep")
        first = keeper._token
        time.sleep(3.2)  # the token is over, and IDLE still stands
        token_dovecot.kick(keeper.client.username)  # as Microsoft does, some time after the end of a token
        token_dovecot.deliver(RAW, keeper.client.username)
        until(lambda: store.kept, 30, "the mail that came after the token's end")
        assert keeper._token != first
        assert not [event for event in events if event.kind == "login_refused"]
    finally:
        stop.set()
    assert stopped_after(15, watching)


async def _once(account: Smtp, parcel: Parcel) -> object:
    submission = Submission(account, 1)
    try:
        return await submission.send(parcel)
    finally:
        await submission.close()


def submitted(postfix: Postfix, keeper: Keeper) -> object:
    name = keeper.client.username
    account = replace(Smtp(postfix.submission_port), username=name, password=keeper.bearer())  # type: ignore[arg-type]
    return asyncio.run(_once(account, Parcel(name, name, RAW, "")))


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_letter_is_handed_in_by_token(
    mechanism: str,
    token_postfix: Postfix,
    token_dovecot: Dovecot,
    token_server: Tokens,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bearing, "MECHANISMS", (mechanism,))
    token_server.revoke(keeper.token())  # the first is refused, and renewed on the same connection
    assert isinstance(submitted(token_postfix, keeper), Sent)
    token_dovecot.wait_for(keeper.client.username)


def test_a_refused_token_holds_the_outbox_as_a_wrong_password_does(
    token_postfix: Postfix, token_server: Tokens, keeper: Keeper
) -> None:
    token_server.lifetime = 0.0
    outcome = submitted(token_postfix, keeper)
    assert isinstance(outcome, Temporary)
    assert outcome.scope == "login"
    assert not any(secret in outcome.reply for secret in token_server.every_secret())


def test_an_endpoint_that_is_busy_holds_the_outbox_as_a_server_that_is_away(
    token_postfix: Postfix, token_server: Tokens, keeper: Keeper
) -> None:
    token_server.script.append(Answer(503, b"<html>later</html>"))
    outcome = submitted(token_postfix, keeper)
    assert isinstance(outcome, Temporary)
    assert outcome.scope == "server"
