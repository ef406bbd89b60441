"""Dovecot for the tests: IMAP, IMAPS and LMTP on loopback, a Maildir for every address. Knows nothing of triaged."""

from __future__ import annotations

import contextlib
import grp
import imaplib
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers import certificates
from tests.servers.process import (
    HOST,
    Account,
    binary,
    free_port,
    render,
    session,
    start,
    stop,
    unprivileged,
    wait_for_greeting,
    workdir,
)

PASSWORD = "demo"
MEND = "apt-get install dovecot-imapd dovecot-lmtpd"


class Dovecot:
    """One instance; every address is an account with PASSWORD, and +detail is dropped on delivery.

    Ports and mail outlive stop() and start(). Attributes: host, imap_port (plain and STARTTLS), imaps_port, lmtp_port,
    sasl_port, password, certificates, directory.
    """

    def __init__(self, directory: Path, account: Account, made: certificates.Certificates) -> None:
        self.host = HOST
        self.password = PASSWORD
        self.directory = directory
        self.account = account
        self.certificates = made
        self.certificate = made.certificate
        self.imap_port, self.imaps_port, self.lmtp_port, self.sasl_port = (free_port() for _ in range(4))
        self.passwords: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "dovecot.log"

    def start(self) -> None:
        """Up when IMAP greets."""
        render("dovecot.conf.in", self.configuration, self.values())
        program = binary("dovecot", MEND)
        self.process = start([program, "-F", "-c", self.configuration], self.directory / "stderr.log", self.account)
        wait_for_greeting(self.process, self.imap_port, self.log)
        wait_for_greeting(self.process, self.lmtp_port, self.log)

    def stop(self) -> None:
        """No process is left; every connection is closed."""
        if self.process is not None:
            stop(self.process)
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def use_certificate(self, path: Path) -> None:
        """One of certificates.expired, .other_name, .certificate, from now on."""
        self.certificate = path
        self.restart()

    def set_password(self, user: str, password: str) -> None:
        """This user's is another than the rest's from now on; open connections are closed."""
        self.passwords[user.lower()] = password
        self.restart()

    def kick(self, user: str) -> None:
        """Close this user's IMAP connections from the server's side."""
        self.doveadm("kick", user)

    def connections(self) -> int:
        """Logged-in IMAP connections."""
        rows = self.doveadm("-f", "tab", "who", "-1").splitlines()[1:]
        return sum("\timap\t" in f"\t{row}\t" for row in rows)

    def doveadm(self, *words: str) -> str:
        """Output of doveadm; a failure of the kind 'nobody to kick' is no error."""
        command = [binary("doveadm", MEND), "-c", self.configuration, *words]
        done = subprocess.run(  # type: ignore[call-overload]
            command, capture_output=True, text=True, timeout=20, check=False, **self.account.arguments()
        )
        return str(done.stdout)

    def deliver(self, raw: bytes, to: str, sender: str = "") -> None:
        """By LMTP (RFC 2033), which adds Return-Path, Delivered-To and Received. An empty sender is the null path."""
        with smtplib.LMTP(HOST, self.lmtp_port, timeout=20) as peer:
            refused = peer.sendmail(sender, [to], raw)
        assert not refused, refused

    def deliver_many(self, messages: list[tuple[bytes, str, str]]) -> None:
        """(raw, to, sender) each, over one connection."""
        with smtplib.LMTP(HOST, self.lmtp_port, timeout=60) as peer:
            for raw, to, sender in messages:
                refused = peer.sendmail(sender, [to], raw)
                assert not refused, refused

    @contextlib.contextmanager
    def session(self, user: str, folder: str = "INBOX", *, readonly: bool = True) -> Iterator[imaplib.IMAP4]:
        """A plain imaplib session with the folder selected."""
        with imaplib.IMAP4(HOST, self.imap_port, timeout=20) as peer:
            peer.login(user, self.password)
            peer.select(f'"{folder}"', readonly=readonly)
            yield peer

    def fetch_all(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every message, oldest first, bytes as the server gives them; no flag changes."""
        with self.session(user, folder) as peer:
            if not int(peer.untagged_responses["EXISTS"][-1] or b"0"):  # type: ignore[attr-defined]
                return []
            _, rows = peer.fetch("1:*", "(BODY.PEEK[])")
        return [row[1] for row in rows if isinstance(row, tuple)]

    def count(self, user: str, folder: str = "INBOX") -> int:
        with self.session(user, folder) as peer:
            return int(peer.untagged_responses["EXISTS"][-1] or b"0")  # type: ignore[attr-defined]

    def wait_for(self, user: str, count: int = 1, folder: str = "INBOX", seconds: float = 15) -> list[bytes]:
        """fetch_all as soon as there are this many; AssertionError when there are not in time."""
        end = time.monotonic() + seconds
        while (seen := self.count(user, folder)) < count:
            assert time.monotonic() < end, f"{user} {folder}: {seen} of {count} messages after {seconds} s"
            time.sleep(0.03)
        return self.fetch_all(user, folder)

    def uidvalidity(self, user: str, folder: str = "INBOX") -> int:
        with self.session(user, folder) as peer:
            return int(peer.untagged_responses["UIDVALIDITY"][-1])  # type: ignore[attr-defined]

    def append(self, raw: bytes, user: str, folder: str = "INBOX", flags: str = "") -> None:
        """As a client files a copy: no Return-Path, no Received."""
        with self.session(user) as peer:
            kind, answer = peer.append(f'"{folder}"', flags, "", raw)
        assert kind == "OK", answer

    def flag(self, user: str, flags: str = r"\Seen", folder: str = "INBOX", uids: str = "1:*") -> None:
        """As a colleague does who reads the shared mailbox."""
        with self.session(user, folder, readonly=False) as peer:
            peer.uid("STORE", uids, "+FLAGS", f"({flags})")

    def expunge(self, user: str, folder: str = "INBOX", uids: str = "1:*") -> None:
        with self.session(user, folder, readonly=False) as peer:
            peer.uid("STORE", uids, "+FLAGS", r"(\Deleted)")
            peer.expunge()

    def create_folder(self, user: str, folder: str) -> None:
        with self.session(user) as peer:
            peer.create(f'"{folder}"')

    def renumber(self, user: str, folder: str = "INBOX") -> None:
        """The same messages under a new UIDVALIDITY and new UIDs, as after a restore (RFC 3501 section 2.3.1.1)."""
        before = self.uidvalidity(user, folder)
        maildir = self.maildir(user, folder)
        time.sleep(max(0.0, before + 1 - time.time()))  # Dovecot takes the second of the day for the new one
        self.kick(user)
        for path in [*maildir.glob("dovecot-uidlist*"), *maildir.glob("dovecot.index*")]:
            path.unlink()
        for path in self.home(user).glob("Maildir/dovecot.list.index*"):
            path.unlink()
        assert self.uidvalidity(user, folder) != before

    def forget(self, user: str) -> None:
        """All mail of this user is gone."""
        self.kick(user)
        shutil.rmtree(self.home(user), ignore_errors=True)

    def home(self, user: str) -> Path:
        return self.directory / "mail" / user.lower()

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        root = self.home(user) / "Maildir"
        return root if folder == "INBOX" else root / ("." + folder.replace("/", "."))

    def processes(self) -> set[int]:
        return session(self.process.pid) if self.process is not None else set()

    @property
    def configuration(self) -> Path:
        return self.directory / "dovecot.conf"

    def values(self) -> dict[str, object]:
        return {
            "dir": self.directory,
            "user": self.account.name,
            "group": grp.getgrgid(self.account.gid).gr_name,
            "uid": self.account.uid,
            "gid": self.account.gid,
            "passwords": "\n".join(passdbs(self.passwords)),
            "imap_port": self.imap_port,
            "imaps_port": self.imaps_port,
            "lmtp_port": self.lmtp_port,
            "sasl_port": self.sasl_port,
            "certificate": self.certificate,
            "key": self.certificates.key,
        }


def passdbs(passwords: dict[str, str]) -> list[str]:
    """Configuration blocks: one for each user with a password of their own, one for all others."""
    block = "passdb {{\n  driver = static\n  args = password={}\n  username_filter = {}\n}}"
    others = " ".join(["*", *(f"!{user}" for user in passwords)])
    return [*(block.format(password, user) for user, password in passwords.items()), block.format(PASSWORD, others)]


@contextlib.contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A running instance, gone with all its mail at the end. Raises Missing when it isn't installed."""
    binary("dovecot", MEND)
    binary("lmtp", MEND, "/usr/lib/dovecot", "/usr/libexec/dovecot")
    account = unprivileged()
    with workdir("dovecot", account) as directory:
        server = Dovecot(directory, account, certificates.make(directory / "certificates"))
        try:
            server.start()
            yield server
        finally:
            server.stop()
