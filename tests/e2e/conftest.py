"""Installations of the real program for the tests that go the whole way."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, installation
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Server


@pytest.fixture(scope="session")
def seen_by_postfix() -> set[int]:
    """Process ids of the Dovecots that Postfix has been told of."""
    return set()


@pytest.fixture
def submission(dovecot: Dovecot, mail_server: Server, seen_by_postfix: set[int]) -> Server:
    """Ready for logins. Postfix keeps its lines to a Dovecot that another test has restarted, and says 454 at first."""
    assert dovecot.process is not None
    if dovecot.process.pid not in seen_by_postfix:
        seen_by_postfix.add(dovecot.process.pid)
        mail_server.prove()  # reads everything anew
    return mail_server


@pytest.fixture
def house(tmp_path: Path, tracker_url: str, dovecot: Dovecot, submission: Server) -> Installation:
    """On SQLite and on PostgreSQL, before Dovecot and Postfix."""
    ports = (submission.mx_port, submission.submission_port)
    return installation(tmp_path, tracker_url, dovecot, *ports, uuid.uuid4().hex[:10])


@pytest.fixture
def small_house(tmp_path: Path, dovecot: Dovecot, submission: Server) -> Installation:
    """On SQLite alone, for what has nothing to do with the database."""
    url = f"sqlite:///{tmp_path}/triaged.db"
    ports = (submission.mx_port, submission.submission_port)
    return installation(tmp_path, url, dovecot, *ports, uuid.uuid4().hex[:10])
