"""The servers that tests ask for by name. Not installed: skipped in one line; TRIAGED_REQUIRE_SERVERS=1: failed."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from tests.servers import cyrus as cyrus_server
from tests.servers import dovecot as dovecot_server
from tests.servers import postfix as postfix_server
from tests.servers import postgres as postgres_server
from tests.servers import sink as sink_server
from tests.servers import tokens as token_servers
from tests.servers.imap import ImapServer
from tests.servers.process import Missing, binary

T = TypeVar("T")


@contextlib.contextmanager
def required(server: contextlib.AbstractContextManager[T]) -> Iterator[T]:
    """Enter it, or say what is missing."""
    with contextlib.ExitStack() as stack:
        try:
            entered = stack.enter_context(server)
        except Missing as missing:
            without(missing)
        yield entered


def installed(program: str, mend: str) -> None:
    """For tests that run a program themselves: it is there, or the test ends as for a missing server."""
    try:
        binary(program, mend)
    except Missing as missing:
        without(missing)


def without(missing: Missing) -> NoReturn:
    if os.environ.get("TRIAGED_REQUIRE_SERVERS") == "1":
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


@pytest.fixture
def fresh_address() -> str:
    """An address that no other test has: the session's servers keep the mail of all."""
    return f"t{uuid.uuid4().hex[:12]}@example.test"


@pytest.fixture(scope="session")
def dovecot() -> Iterator[dovecot_server.Dovecot]:
    """One Dovecot for the session; use addresses of your own test, the mail of others is there as well."""
    with required(dovecot_server.dovecot()) as server:
        yield server


@pytest.fixture(scope="session")
def token_server() -> Iterator[token_servers.Tokens]:
    """The one that `token_dovecot` asks; a test that changes it puts it back."""
    with token_servers.tokens() as server:
        yield server


@pytest.fixture(scope="session")
def token_dovecot(token_server: token_servers.Tokens) -> Iterator[dovecot_server.Dovecot]:
    """A Dovecot whose passdb asks the token server about every token."""
    with required(dovecot_server.dovecot(token_server.url("introspect"))) as server:
        yield server


@pytest.fixture(scope="session")
def token_postfix(token_dovecot: dovecot_server.Dovecot) -> Iterator[postfix_server.Postfix]:
    """Postfix that leaves logins to that Dovecot; for root only."""
    with required(postfix_server.postfix(token_dovecot)) as server:
        yield server


@pytest.fixture(scope="session")
def cyrus() -> Iterator[cyrus_server.Cyrus]:
    """One Cyrus for the session, the other family of IMAP server."""
    with required(cyrus_server.cyrus()) as server:
        yield server


@pytest.fixture(scope="session", params=["dovecot", "cyrus"])
def imap_server(request: pytest.FixtureRequest) -> ImapServer:
    """Each of the two in turn, for what must hold on any server."""
    server: ImapServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def postfix(dovecot: dovecot_server.Dovecot) -> Iterator[postfix_server.Postfix]:
    """One Postfix for the session before that Dovecot; for root only, see `mail_server`."""
    with required(postfix_server.postfix(dovecot)) as server:
        yield server


@pytest.fixture(scope="session")
def mail_server(dovecot: dovecot_server.Dovecot) -> Iterator[postfix_server.Server]:
    """Postfix, or for who isn't root its stand-in."""
    if os.geteuid() == 0:
        with required(postfix_server.postfix(dovecot)) as server:
            yield server
    else:
        with postfix_server.stand_in(dovecot) as ours:
            yield ours


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Postgres]:
    """One cluster for the session."""
    with required(postgres_server.postgres()) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: postgres_server.Postgres) -> Iterator[str]:
    """An empty database, dropped after the test."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def tracker_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/triaged.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def sink() -> Iterator[sink_server.Sink]:
    """A fresh SMTP sink."""
    with sink_server.sink() as server:
        yield server
