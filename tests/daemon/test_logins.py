"""Tokens in the tracker: sealed, for one login alone, renewed by one process at a time. On SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, text

from tests.mail.accounts import until
from tests.servers.tokens import CLIENT, SECRET, Tokens, refused, tokens
from triaged.daemon import logins
from triaged.daemon.loggingin import log_in
from triaged.daemon.renewing import renew_ahead
from triaged.mail.oauth2 import Token
from triaged.mail.ports import NoToken
from triaged.settings.load import load
from triaged.settings.model import Settings
from triaged.settings.secret import Secret
from triaged.tracker import tokens as kept
from triaged.tracker.engine import reading

POLICY = """
[policy]
organisation = "Example"
prefix = "EX"
contact = "security@example.test"
version = "1"
[calendar]
zone = "UTC"
country = "NL"
"""
CONFIGURATION = """
[[mailbox]]
name = "security"
address = "security@example.test"
policy = "policy.toml"
[mailbox.imap]
host = "127.0.0.1"
security = "none"
username = "security@example.test"
[mailbox.smtp]
host = "127.0.0.1"
security = "none"
username = "security@example.test"
[mailbox.oauth2]
provider = "generic"
client_id = "{client}"
client_secret = "{secret}"
token_url = "{token}"
device_url = "{device}"
scopes = ["mail"]
{rest}
"""


@pytest.fixture
def server() -> Iterator[Tokens]:
    with tokens(rotate=True) as one:
        yield one


def settings(folder: Path, server: Tokens, *rest: str) -> Settings:
    (folder / "policy.toml").write_text(POLICY)
    words = {"client": CLIENT, "secret": SECRET, "token": server.url("token"), "device": server.url("device")}
    (folder / "triaged.toml").write_text(CONFIGURATION.format(rest="\n".join(rest), **words))
    return load(folder / "triaged.toml", {})


def refreshing(folder: Path, server: Tokens, refresh: str) -> Settings:
    return settings(folder, server, 'flow = "refresh_token"', f'refresh_token = "{refresh}"')


def keeper(settings: Settings, engine: Engine, owner: str = "host:1:a"):
    return logins.keepers(settings, engine, owner)["security"]


def test_a_rotated_refresh_token_survives_a_restart(engine: Engine, tmp_path: Path, server: Tokens) -> None:
    known = refreshing(tmp_path, server, server.refresh_token())
    server.lifetime = 0.0  # each process needs a new one
    had = {keeper(known, engine, f"host:{n}:a").token() for n in range(5)}
    assert len(had) == 5
    assert server.spent == []


def test_ten_processes_renew_a_token_once(engine: Engine, tmp_path: Path, server: Tokens) -> None:
    known = refreshing(tmp_path, server, server.refresh_token())
    keepers = [keeper(known, engine, f"host:{n}:a") for n in range(10)]
    had, failed = list[str](), list[str]()

    def ask(one: int) -> None:
        try:
            had.append(keepers[one].token())
        except NoToken as error:
            failed.append(str(error))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert (len(had), len(set(had)), len(server.asked), server.spent) == (10, 1, 1, [])


def test_what_is_kept_is_sealed_and_holds_no_secret_in_the_clear(
    engine: Engine, tmp_path: Path, server: Tokens
) -> None:
    access = keeper(refreshing(tmp_path, server, server.refresh_token()), engine).token()
    with reading(engine) as connection:
        sealed = kept.kept(connection, "security") or b""
        everything = b"".join(bytes(v) for (v,) in connection.execute(text("select value from installation")))
    assert sealed
    for secret in (access, *server.refresh_tokens, SECRET):
        assert secret.encode() not in everything


def test_a_key_of_the_settings_opens_what_it_sealed_and_no_other_does(
    engine: Engine, tmp_path: Path, server: Tokens
) -> None:
    known = refreshing(tmp_path, server, server.refresh_token())
    given = replace(known, keys=replace(known.keys, tokens=Secret("of the operator")))
    access = keeper(given, engine).token()
    assert keeper(given, engine).token() == access
    with reading(engine) as connection:
        assert connection.execute(text("select count(*) from installation where name = 'token_key'")).scalar() == 0
    assert keeper(known, engine).shelf.load() is None
    other = replace(known, keys=replace(known.keys, tokens=Secret("another")))
    assert keeper(other, engine).shelf.load() is None


def test_a_new_refresh_token_in_the_settings_beats_the_kept_one(engine: Engine, tmp_path: Path, server: Tokens) -> None:
    keeper(refreshing(tmp_path, server, server.refresh_token()), engine).token()
    pasted = server.refresh_token()
    keeper(refreshing(tmp_path, server, pasted), engine).token()
    assert server.asked[-1]["refresh_token"] == pasted


def test_a_login_by_a_person_is_kept_and_a_daemon_that_waited_goes_on_with_it(
    engine: Engine, tmp_path: Path, server: Tokens
) -> None:
    known = settings(tmp_path, server, 'flow = "device_code"')
    daemons = keeper(known, engine, "host:1:daemon")
    with pytest.raises(NoToken, match="triaged login security"):
        daemons.token()
    told = list[tuple[str, str]]()
    waits = list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        server.agreed = len(waits) >= 3

    server.script.append(refused("slow_down"))
    log_in(keeper(known, engine, "host:2:cli"), lambda *words: told.append(words), sleep)
    assert told == [(server.url("activate"), "WDJB-MJHT")]
    assert waits == [1, 6, 6]
    access = daemons.token()
    assert server.active(access)
    server.revoke(access)
    daemons.refuse(access)
    assert server.active(daemons.token())  # by the refresh token that the login gave


def test_a_login_that_is_refused_or_gives_nothing_lasting_is_a_sentence(
    engine: Engine, tmp_path: Path, server: Tokens
) -> None:
    one = keeper(settings(tmp_path, server, 'flow = "device_code"'), engine)
    for answer, wanted in (
        (refused("access_denied"), "agree to it"),
        (refused("expired_token"), "the code has expired"),
    ):
        server.script.append(answer)
        with pytest.raises(NoToken, match=wanted):
            log_in(one, lambda *words: None, lambda seconds: None)
    server.agreed = True
    server.refresh_token = lambda: ""  # type: ignore[method-assign]
    with pytest.raises(NoToken, match="offline_access"):
        log_in(one, lambda *words: None, lambda seconds: None)
    assert one.shelf.load() is None


def test_another_processs_renewal_that_does_not_end_is_waited_for_and_then_said(
    engine: Engine, tmp_path: Path, server: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "PATIENCE", 0.5)
    known = refreshing(tmp_path, server, server.refresh_token())
    with keeper(known, engine, "host:1:a").shelf.alone(), pytest.raises(NoToken, match="another process") as error:
        keeper(known, engine, "host:2:b").token()
    assert not error.value.refused
    assert keeper(known, engine, "host:3:c").token()


def test_a_tracker_that_can_not_be_used_is_said_without_what_was_to_be_written(
    sqlite_engine: Engine, tmp_path: Path, server: Tokens
) -> None:
    one = keeper(refreshing(tmp_path, server, server.refresh_token()), sqlite_engine)
    with sqlite_engine.begin() as connection:
        connection.execute(text("alter table installation rename to gone"))
    with pytest.raises(NoToken, match="the tracker can't be used") as error:
        one.shelf.save(Token("secret-access", datetime.now(UTC), datetime.now(UTC)))
    assert "secret" not in str(error.value)


def test_the_daemon_renews_ahead_and_says_once_what_is_wrong(engine: Engine, tmp_path: Path, server: Tokens) -> None:
    known = refreshing(tmp_path, server, "not-known-to-anybody")
    said, stop = list[tuple[str, str]](), Event()
    arguments = (keeper(known, engine), lambda *words: said.append(words), stop)
    thread = threading.Thread(target=renew_ahead, args=arguments, daemon=True)
    thread.start()
    until(lambda: said, what="the reason")
    stop.set()
    thread.join(5)
    ((state, reason),) = said
    assert state == "failing"
    assert "make a new one and put it into oauth2.refresh_token" in reason
    assert "not-known-to-anybody" not in reason


def test_without_a_tracker_no_refresh_token_is_used_up(tmp_path: Path, server: Tokens) -> None:
    one = logins.keepers(refreshing(tmp_path, server, server.refresh_token()), None, "host:1:a")["security"]
    with pytest.raises(NoToken, match="triaged db upgrade"):
        one.token()
    assert server.asked == []


def test_the_accounts_take_tokens_where_they_have_no_password(engine: Engine, tmp_path: Path, server: Tokens) -> None:
    known = refreshing(tmp_path, server, server.refresh_token())
    keepers = logins.keepers(known, engine, "host:1:a")
    (mailbox,) = known.mailboxes
    reads, sends = logins.imap(mailbox, keepers), logins.smtp(mailbox, keepers)
    assert reads is not None
    assert sends is not None
    assert reads.password == sends.password == keepers["security"].bearer()
