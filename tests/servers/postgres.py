"""PostgreSQL for the tests: one cluster on a Unix socket, a fresh database for who asks. Nothing in it survives."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import Account, NotStarted, binary, session, start, stop, tail, unprivileged, workdir

MEND = "apt-get install postgresql"
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
FAST = "fsync=off synchronous_commit=off full_page_writes=off max_connections=200 shared_buffers=32MB timezone=UTC"


class Postgres:
    """A running cluster. The user is `postgres`, there is no password, and nothing listens on TCP."""

    def __init__(self, directory: Path, account: Account) -> None:
        self.directory = directory
        self.account = account
        self.log = directory / "postgres.log"
        self.names = (f"t{os.getpid()}_{number}" for number in itertools.count())
        self.process: subprocess.Popen[bytes] | None = None

    def initialise(self) -> None:
        command = [self.program("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self.run([*command, "--locale=C", "--no-sync", "--no-instructions"])

    def start(self) -> None:
        settings = [word for pair in FAST.split() for word in ("-c", pair)]
        place = ["-D", str(self.data), "-k", str(self.directory), "-c", "listen_addresses="]
        command = [self.program("postgres"), *place, *settings]
        self.process = start(command, self.log, self.account, cwd=self.directory)
        end = time.monotonic() + 20
        while not self.ready():
            if time.monotonic() > end or self.process.poll() is not None:
                raise NotStarted(f"postgres: {tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Fast shutdown (SIGINT): sessions are ended, not waited for."""
        if self.process is not None:
            stop(self.process, signal.SIGINT)
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The SQLAlchemy URL of an empty database, dropped afterwards whoever is still connected."""
        name = next(self.names)
        self.sql(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.directory}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run by psql; rows as bare text."""
        return self.run([self.program("psql"), "-X", "-A", "-t", "-q", "-h", str(self.directory), "-U", "postgres",
                         "-v", "ON_ERROR_STOP=1", "-c", statement, database])  # fmt: skip

    def ready(self) -> bool:
        command = [self.program("pg_isready"), "-q", "-h", str(self.directory)]
        return subprocess.run(command, check=False).returncode == 0

    def run(self, command: list[str]) -> str:
        done = subprocess.run(  # type: ignore[call-overload]
            command, capture_output=True, text=True, check=False, cwd=self.directory, **self.account.arguments()
        )
        if done.returncode:
            raise NotStarted(f"{command[0]}: {done.stderr}")
        return str(done.stdout)

    def program(self, name: str) -> str:
        return binary(name, MEND, *PLACES)

    def processes(self) -> set[int]:
        return session(self.process.pid) if self.process is not None else set()

    @property
    def data(self) -> Path:
        return self.directory / "data"


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A running cluster, gone at the end. Raises Missing when PostgreSQL isn't installed."""
    for name in ("initdb", "postgres", "psql", "pg_isready"):
        binary(name, MEND, *PLACES)
    account = unprivileged()
    with workdir("pg", account) as directory:
        server = Postgres(directory, account)
        server.initialise()
        try:
            server.start()
            yield server
        finally:
            server.stop()
