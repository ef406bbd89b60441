"""Every mailbox of the mail server, whoever's: what came to it, and which of our letters it is. Sends and decides nothing."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from sqlalchemy import select

from tests.e2e.installation import PATIENCE, Installation, until
from tests.servers.dovecot import Dovecot
from tests.servers.process import HOST
from triaged.tracker.engine import connect, reading
from triaged.tracker.schema import blob, letter, receipt, ticket

Known = tuple[str, str, str, str, str]  # of a letter: mailbox, template, ref, audience, state


@dataclass(frozen=True, slots=True)
class Mail:
    """One message on its way to us: raw bytes, envelope sender, envelope recipient."""

    raw: bytes
    sender: str
    to: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One message in somebody's mailbox."""

    mailbox: str  # the account that it lies in, lower-case
    raw: bytes
    message_id: str
    template: str = ""  # of the letter that it is; "" where it is none of ours
    ref: str = ""
    audience: str = ""

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def plain(self) -> str:
        """All of it with every transfer encoding and encoded word undone, header and parts: what any reader may see."""
        parts = [part for part in self.message.walk() if not part.is_multipart()]
        bodies = [(part.get_payload(decode=True) or b"").decode("utf-8", "replace") for part in parts]
        head = "\n".join(f"{name}: {value}" for part in self.message.walk() for name, value in part.items())
        return "\n".join([head, *bodies, self.raw.decode("utf-8", "replace")])

    @property
    def text(self) -> str:
        """The text alone."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()).replace("\r\n", "\n") if body else ""


@dataclass(frozen=True, slots=True)
class Took:
    """One message that was taken in."""

    outcome: str
    reason: str
    ref: str


def post(port: int, mails: Iterable[Mail]) -> None:
    """Through the port of the world, over one connection."""
    with smtplib.SMTP(HOST, port, timeout=60) as peer:
        for mail in mails:
            refused = peer.sendmail(mail.sender, [mail.to], mail.raw)
            assert not refused, refused


class Watch:
    """What an installation was sent, and all that lies in all mailboxes of the server since the watch began."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self.before = set(_files(house.dovecot))
        self.posted: Counter[str] = Counter()  # by mailbox
        self.read: dict[str, Seen] = {}

    def pass_of(self, mails: Iterable[Mail]) -> None:
        """The mail arrives, the program runs once, and what it sent has been delivered."""
        self.arrive(mails)
        self.house.once()
        self.settled()

    def arrive(self, mails: Iterable[Mail]) -> None:
        """Until all of it lies in the mailboxes that it was sent to."""
        arriving = list(mails)
        post(self.house.mx_port, arriving)
        boxes = Counter(_mailbox(mail.to) for mail in arriving)
        self.posted += boxes
        for box in boxes:
            until(partial(self._has, box), PATIENCE, f"mail arrives in {box}")

    def _has(self, box: str) -> bool:
        return self.house.dovecot.count(box) >= self.posted[box]

    def settled(self) -> None:
        """Each letter that the submission server took lies in its mailbox."""
        accepted = {(to, name) for name, (to, *_, state) in self._letters().items() if state == "accepted"}
        until(lambda: accepted <= self._there(), PATIENCE, "letters arrive")

    def _there(self) -> set[tuple[str, str]]:
        self._look()
        return {(one.mailbox, one.message_id) for one in self.read.values()}

    def seen(self) -> list[Seen]:
        """All mail in all mailboxes, and of the house's own what it sent to itself, in the order in which it came."""
        known = self._letters()
        self._look()
        found = [self._named(one, known) for _, one in sorted(self.read.items())]
        return [one for one in found if one.mailbox != self.house.address or one.template]

    def _look(self) -> None:
        """Read what is new on the disk; a message never changes."""
        for name, path in _files(self.house.dovecot).items():
            if name not in self.before and name not in self.read and (one := _seen(path)) is not None:
                self.read[name] = one

    def _named(self, one: Seen, known: Mapping[str, Known]) -> Seen:
        _, template, ref, audience, _ = known.get(one.message_id, ("", "", "", "", ""))
        return replace(one, template=template, ref=ref, audience=audience)

    def _letters(self) -> Mapping[str, Known]:
        """Message-ID -> mailbox, template, ref, audience, state."""
        columns = (letter.c.message_id, letter.c.to_lower, letter.c.template, letter.c.audience, letter.c.state)
        rows = select(*columns, ticket.c.ref).outerjoin(ticket, ticket.c.id == letter.c.ticket_id)
        return {
            r.message_id: (_mailbox(r.to_lower), r.template, r.ref or "", r.audience, r.state) for r in self._rows(rows)
        }

    def took(self) -> Mapping[str, list[Took]]:
        """Message-ID -> what became of each message of that id, in the order in which they were taken in."""
        columns = (receipt.c.outcome, receipt.c.reason, ticket.c.ref, blob.c.data)
        rows = select(*columns).join(blob, blob.c.id == receipt.c.blob_id)
        joined = rows.outerjoin(ticket, ticket.c.id == receipt.c.ticket_id).order_by(receipt.c.id)
        found: dict[str, list[Took]] = {}
        for row in self._rows(joined):
            found.setdefault(_message_id(row.data), []).append(Took(row.outcome, row.reason or "", row.ref or ""))
        return found

    def _rows(self, statement):  # type: ignore[no-untyped-def]
        engine = connect(self.house.url)
        try:
            with reading(engine) as connection:
                return connection.execute(statement).all()
        finally:
            engine.dispose()


def _files(dovecot: Dovecot) -> dict[str, Path]:
    """Unique name -> file, of every message in every folder of every account; read from the disk, so that none is left out."""
    found = {}
    for folder in ("new", "cur"):
        for path in (dovecot.directory / "mail").glob(f"*/Maildir/**/{folder}/*"):
            found[path.name.partition(":")[0]] = path
    return found


def _seen(path: Path) -> Seen | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:  # moved from new to cur while we looked
        return None
    home = next(parent for parent in path.parents if parent.name == "Maildir").parent.name
    return Seen(home, raw, _message_id(raw))


def _message_id(raw: bytes) -> str:
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = [line for line in head.split(b"\n") if line.lower().startswith(b"message-id:")]
    return found[0].partition(b":")[2].strip().decode("utf-8", "replace") if found else ""


def _mailbox(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
