"""What tests do to the mailboxes of a real IMAP server, whatever its make. Uses imaplib alone, none of triaged."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import subprocess
import time
from collections.abc import Iterator, Sequence

from tests.servers.process import HOST, session

PASSWORD = "demo"


class ImapServer:
    """A server with IMAP and LMTP on loopback where every address is an account with PASSWORD. Base of both makes."""

    host = HOST
    password = PASSWORD
    imap_port: int
    lmtp_port: int
    process: subprocess.Popen[bytes] | None

    def deliver(self, raw: bytes, to: str, sender: str = "") -> None:
        """By LMTP (RFC 2033), which adds Return-Path and Received. An empty sender is the null path."""
        self.deliver_many([(raw, to, sender)])

    def deliver_many(self, messages: Sequence[tuple[bytes, str, str]]) -> None:
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
            kind, answer = peer.select(f'"{folder}"', readonly=readonly)
            assert kind == "OK", answer
            yield peer

    def fetch_all(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every message, oldest first, bytes as the server gives them; no flag changes."""
        with self.session(user, folder) as peer:
            if not selected(peer, "EXISTS"):
                return []
            _, rows = peer.fetch("1:*", "(BODY.PEEK[])")
        return [row[1] for row in rows if isinstance(row, tuple)]

    def count(self, user: str, folder: str = "INBOX") -> int:
        with self.session(user, folder) as peer:
            return selected(peer, "EXISTS")

    def wait_for(self, user: str, count: int = 1, folder: str = "INBOX", seconds: float = 60) -> list[bytes]:
        """fetch_all as soon as there are this many; AssertionError when there are not in time."""
        end = time.monotonic() + seconds
        while (seen := self.count(user, folder)) < count:
            assert time.monotonic() < end, f"{user} {folder}: {seen} of {count} messages after {seconds} s"
            time.sleep(0.03)
        return self.fetch_all(user, folder)

    def uidvalidity(self, user: str, folder: str = "INBOX") -> int:
        with self.session(user, folder) as peer:
            return selected(peer, "UIDVALIDITY")

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
            kind, answer = peer.create(f'"{folder}"')
        assert kind == "OK", answer

    def delete_folder(self, user: str, folder: str) -> None:
        with self.session(user) as peer:
            kind, answer = peer.delete(f'"{folder}"')
        assert kind == "OK", answer

    def processes(self) -> set[int]:
        return session(self.process.pid) if self.process is not None else set()


def selected(peer: imaplib.IMAP4, name: str) -> int:
    """A number that SELECT gave: EXISTS, UIDVALIDITY, UIDNEXT."""
    _, [value] = peer.response(name)
    return int(value or b"0")
