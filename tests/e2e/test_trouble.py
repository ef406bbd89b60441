"""What operators meet: a wrong password, an unknown host, a full disk. A sentence, an exit code, and nothing lost."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.conftest import without
from tests.e2e.installation import Installation, parsed, until
from tests.servers.dovecot import Dovecot
from tests.servers.imap import PASSWORD
from tests.servers.postfix import Server
from tests.servers.postgres import Postgres
from tests.servers.process import Missing, workdir
from tests.servers.sink import Answer, sink
from triaged.tracker import migrate

pytestmark = pytest.mark.timeout(300)


def says(house: Installation, *signs: str, code: int = 1, words: tuple[str, ...] = ("run", "--once")) -> None:
    """The command fails with that code and says the signs on standard error, without a traceback."""
    done = house.command(*words)
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert all(sign in done.stderr for sign in signs), done.stderr


def mend(house: Installation, item: str) -> str:
    """What `triaged check` says to do about the item that fails."""
    done = house.command("check")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    [at] = [n for n, line in enumerate(lines) if line.startswith("FAIL") and item in line]
    return lines[at + 1].strip()


def goes_its_way(house: Installation, *people: str) -> None:
    """After the mending: every report is acknowledged once."""
    house.once()
    for person in people:
        assert len(house.got(person)) == 1
    assert sorted(t["reporter"]["address"] for t in house.tickets()) == sorted(people)
    house.audit()


def test_a_wrong_password_is_said_and_heals(small_house: Installation) -> None:
    house = small_house
    house.arrives(house.researcher)
    house.write(password="wrong")
    says(house, "AUTHENTICATIONFAILED")
    assert "[mailbox.imap]" in mend(house, "imap")
    house.write(password="demo")
    goes_its_way(house, house.researcher)


def test_a_wrong_submission_password_is_said_and_heals(small_house: Installation) -> None:
    house = small_house
    house.arrives(house.researcher)
    house.write(smtp_password="wrong")
    says(house, "outbox held", '"scope": "login"')
    assert "[mailbox.smtp]" in mend(house, "smtp")
    house.write(smtp_password="demo")
    # A refused login is tried again after a quarter of an hour, or when somebody says so.
    for letter in house.letters():
        assert house.command("outbox", "retry", str(letter["id"])).returncode == 0
    goes_its_way(house, house.researcher)


def test_a_login_that_fails_for_now_is_tried_again_soon(small_house: Installation) -> None:
    """RFC 4954 section 6, SM-5: 454 is the server's trouble and not the password's. The hold is one second, not fifteen minutes."""
    house = small_house
    with sink(login=("", PASSWORD)) as server:
        server.script("auth", *[Answer(code=454, text="4.7.0 Connection lost to authentication server")] * 4)
        house.write(smtp_port=server.port)
        house.arrives(house.researcher)
        says(house, '"scope": "server"')
        # A pass within the second finds nothing due and is content.
        until(lambda: house.command("run", "--once").returncode == 0 and server.count > 0)
        assert len({str(parsed(mail.data)["Message-ID"]) for mail in server.mails}) == server.count == 2
    house.audit()


def test_an_unknown_host_is_said_and_heals(small_house: Installation) -> None:
    house = small_house
    house.arrives(house.researcher)
    port = house.values["smtp_port"]
    house.write(smtp_host="no-such-host.invalid", smtp_port=25)
    says(house, "security", "in the clear", code=2)
    house.write(smtp_security="tls")
    says(house, "outbox held")
    assert "no-such-host.invalid" in mend(house, "smtp")
    house.write(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    until(lambda: house.command("run", "--once").returncode == 0)
    goes_its_way(house, house.researcher)


def test_an_expired_certificate_is_said_and_heals(
    small_house: Installation, dovecot: Dovecot, submission: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IM-9."""
    house = small_house
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificates.ca))
    house.arrives(house.researcher)
    house.write(imap_security="tls", imap_port=dovecot.imaps_port)
    dovecot.use_certificate(dovecot.certificates.expired)
    try:
        says(house, "certificate has expired")
        assert "certificate has expired" in mend(house, "imap")
    finally:
        dovecot.use_certificate(dovecot.certificates.certificate)
        submission.prove()  # Postfix looks for the new Dovecot
    goes_its_way(house, house.researcher)


def test_a_database_that_is_newer_than_the_program_is_left_alone(house: Installation) -> None:
    house.arrives(house.researcher)
    house.once()
    set_revision(house.url, "9999")
    for words in (("run",), ("run", "--once"), ("db", "upgrade")):
        says(house, "newer than this program", "Install the triaged that made it", words=words)
    assert "newer" in mend(house, "database")
    says(house, "database", words=("ticket", "list"))
    set_revision(house.url, migrate.HEAD)
    house.arrives(house.stranger)
    goes_its_way(house, house.researcher, house.stranger)


def set_revision(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = :revision"), {"revision": revision})
    engine.dispose()


def test_a_database_that_can_not_be_written_on_postgresql_is_said_and_heals(
    small_house: Installation, postgres: Postgres, postgres_url: str
) -> None:
    house = small_house
    house.url = postgres_url
    house.write()
    name = make_url(postgres_url).database
    house.arrives(house.researcher)
    house.once()
    house.arrives(house.stranger)
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    says(house, "can't be written")
    postgres.sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    goes_its_way(house, house.researcher, house.stranger)


@pytest.fixture
def small_disk(small_house: Installation) -> Iterator[Path]:
    """The house's database on a disk of its own, of four megabytes."""
    if os.geteuid() != 0:
        without(Missing("no disk is filled: mounting one wants root"))
    with workdir("disk") as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=True)
        try:
            small_house.url = f"sqlite:///{place}/triaged.db"
            small_house.write()
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=True)


@contextlib.contextmanager
def filled(place: Path) -> Iterator[None]:
    filler = place / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        while out.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        filler.unlink()


def test_a_full_disk_is_said_and_heals(small_house: Installation, small_disk: Path) -> None:
    house = small_house
    house.arrives(house.researcher)
    house.once()
    house.arrives(house.stranger)
    with filled(small_disk):
        says(house, "full", "make room")
    goes_its_way(house, house.researcher, house.stranger)


def test_a_daemon_whose_disk_was_full_goes_on_by_itself(small_house: Installation, small_disk: Path) -> None:
    house = small_house
    house.write(poll_seconds=1)
    with house.running():
        with filled(small_disk):
            house.arrives(house.researcher)
            until(lambda: b'"failed"' in house.log.read_bytes() or b"part died" in house.log.read_bytes())
        house.got(house.researcher)
        until(lambda: all(x["state"] == "accepted" for x in house.letters()))
    goes_its_way(house, house.researcher)


def test_a_read_only_database_is_said_and_heals(small_house: Installation, small_disk: Path) -> None:
    house = small_house
    house.arrives(house.researcher)
    house.once()
    house.arrives(house.stranger)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        says(house, "can't be", "mend")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    goes_its_way(house, house.researcher, house.stranger)


def test_a_mistake_in_the_configuration_is_said_with_code_two(small_house: Installation) -> None:
    house = small_house
    house.write(envelope="sideways", poll_seconds="often")
    says(house, "envelope", "poll_seconds", code=2)
    says(house, "--sideways", code=2, words=("run", "--sideways"))
