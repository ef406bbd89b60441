"""Dovecot for the tests: IMAP, IMAPS and LMTP on loopback, a Maildir for every address. Knows nothing of triaged."""

from __future__ import annotations

import contextlib
import grp
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers import certificates
from tests.servers.imap import PASSWORD, ImapServer
from tests.servers.process import (
    Account,
    binary,
    free_port,
    render,
    start,
    stop,
    unprivileged,
    wait_for_greeting,
    workdir,
)

MEND = "apt-get install dovecot-imapd dovecot-lmtpd"


class Dovecot(ImapServer):
    """One instance; every address is an account with PASSWORD, and +detail is dropped on delivery.

    Ports and mail outlive stop() and start(). Attributes: host, imap_port (plain and STARTTLS), imaps_port, lmtp_port,
    sasl_port, password, certificates, directory.
    """

    def __init__(
        self, directory: Path, account: Account, made: certificates.Certificates, introspection: str = ""
    ) -> None:
        self.introspection = introspection
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

    def tokens(self) -> str:
        """A passdb that asks the token server about each token (RFC 7662)."""
        if not self.introspection:
            return ""
        asked = self.directory / "oauth2.conf"
        asked.write_text(
            f"introspection_mode = post\nintrospection_url = {self.introspection}\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
            "force_introspection = yes\n"
        )
        return f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {asked}\n}}"

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
            "mechanisms": "xoauth2 oauthbearer plain login" if self.introspection else "plain login",
            "tokens": self.tokens(),
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
def dovecot(introspection: str = "") -> Iterator[Dovecot]:
    """A running instance, gone with all its mail at the end. Raises Missing when it isn't installed.

    With the URL of a token server's introspection, tokens of that server are good logins beside the passwords.
    """
    binary("dovecot", MEND)
    binary("lmtp", MEND, "/usr/lib/dovecot", "/usr/libexec/dovecot")
    account = unprivileged()
    with workdir("dovecot", account) as directory:
        server = Dovecot(directory, account, certificates.make(directory / "certificates"), introspection)
        try:
            server.start()
            yield server
        finally:
            server.stop()
