"""The people of the story: they write by SMTP and read by IMAP, as anybody does, and know nothing of the tracker."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime

from imapclient import IMAPClient

from triaged.demo.configuration import MEMBER, TEAM
from triaged.demo.mailboxes import PASSWORD
from triaged.demo.script import MAILBOXES, RESEARCHERS, Answers, Reports, Researcher
from triaged.demo.server import HOST
from triaged.demo.telling import Told

ELSEWHERE = "bounces@forwarder.example"  # the envelope sender of mail that proves nothing
_SECONDS = 20


class People:
    """Their mailboxes, and what each has read so far. Close it at the end."""

    def __init__(self, smtp_port: int, imap_port: int) -> None:
        self._smtp_port = smtp_port
        addresses = (*(one.address for one in RESEARCHERS.values()), TEAM, MEMBER)
        self._mailboxes = {address: _login(imap_port, address) for address in addresses}
        self._last = dict.fromkeys(addresses, 0)
        self._read: dict[str, list[EmailMessage]] = {address: [] for address in addresses}
        self._written = 0

    def close(self) -> None:
        """Log out."""
        for client in self._mailboxes.values():
            client.logout()

    def new(self, at: datetime) -> Iterator[Told]:
        """What came since the last look, mailbox by mailbox."""
        for address, client in self._mailboxes.items():
            _, said = client.noop()
            if not any(b"EXISTS" in one for one in said):
                continue
            found = [uid for uid in client.search(["UID", f"{self._last[address] + 1}:*"]) if uid > self._last[address]]
            fetched = client.fetch(found, ["BODY.PEEK[]"]) if found else {}
            for uid in sorted(fetched):
                message = message_from_bytes(fetched[uid][b"BODY[]"], policy=policy.default)
                self._read[address].append(message)
                self._last[address] = uid
                yield Told(at, address, message)

    def report(self, deed: Reports, at: datetime) -> Told:
        """The researcher writes to the mailbox, or replies to the last letter."""
        researcher = RESEARCHERS[deed.policy]
        if deed.subject:
            return self._send(researcher, MAILBOXES[deed.policy], deed.subject, deed.text, None, at)
        last = self._read[researcher.address][-1]
        return self._send(researcher, str(last["Reply-To"]), str(last["Subject"]), deed.text, last, at)

    def answer(self, deed: Answers, ref: str, at: datetime) -> Told:
        """The member replies to what the team was told of the report."""
        asked = next(
            m for m in self._read[TEAM] if f"[{ref}]" in str(m["Subject"]) and "TO RESEARCHER" in m["Reply-To"]
        )
        member = Researcher("Dana Levi", MEMBER, True)
        return self._send(member, str(asked["Reply-To"]), f"Re: {asked['Subject']}", deed.text, asked, at)

    def subject_of(self, researcher: Researcher) -> str:
        """Of the first letter that the researcher got."""
        return str(self._read[researcher.address][0]["Subject"])

    def _send(
        self, author: Researcher, to: str, subject: str, text: str, parent: EmailMessage | None, at: datetime
    ) -> Told:
        self._written += 1
        message = EmailMessage()
        message["From"] = f"{author.name} <{author.address}>"
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<story-{self._written}@{author.address.rpartition('@')[2]}>"
        if parent is not None:
            message["In-Reply-To"] = str(parent["Message-ID"])
        message.set_content(text + "\n")
        recipient = message["To"].addresses[0].addr_spec
        with smtplib.SMTP(HOST, self._smtp_port, timeout=_SECONDS) as client:
            client.send_message(message, author.address if author.proven else ELSEWHERE, [recipient])
        return Told(at, recipient, message)


def _login(port: int, address: str) -> IMAPClient:
    client = IMAPClient(HOST, port, ssl=False, timeout=_SECONDS)
    client.login(address, PASSWORD)
    client.select_folder("INBOX", readonly=True)
    return client
