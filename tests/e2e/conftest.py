"""Installations of the real program for the tests that go the whole way."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, installation
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Server


@pytest.fixture
def house(tmp_path: Path, tracker_url: str, dovecot: Dovecot, mail_server: Server) -> Installation:
    """On SQLite and on PostgreSQL, before Dovecot and Postfix."""
    ports = (mail_server.mx_port, mail_server.submission_port)
    return installation(tmp_path, tracker_url, dovecot, *ports, uuid.uuid4().hex[:10])


@pytest.fixture
def small_house(tmp_path: Path, dovecot: Dovecot, mail_server: Server) -> Installation:
    """On SQLite alone, for what has nothing to do with the database."""
    url = f"sqlite:///{tmp_path}/triaged.db"
    ports = (mail_server.mx_port, mail_server.submission_port)
    return installation(tmp_path, url, dovecot, *ports, uuid.uuid4().hex[:10])
