"""The bare loop: the same input and output with the same libraries and none of the rest. What triaged is a ratio to.

Fetches in batches of 50 with imapclient, parses with mail-parser, writes receipt, ticket, message and letters with
SQLAlchemy in one transaction a batch, writes two letters a report from string templates and sends them with aiosmtplib.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiosmtplib
import mailparser
import sqlalchemy
from imapclient import IMAPClient
from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, MetaData, String, Table, Text, select, update

from tests.bench.mails import MAILBOX

BATCH = 50
TEAM = "team@example.test"
LETTER = (
    "From: Security <{mailbox}>\r\nTo: {to}\r\nSubject: {subject} [{ref}]\r\nMessage-ID: {message_id}\r\n"
    "In-Reply-To: {answered}\r\nReferences: {answered}\r\nAuto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
)

metadata = MetaData()
receipt = Table(
    "receipt", metadata, Column("id", Integer, primary_key=True), Column("uid", Integer, unique=True),
    Column("sha256", String(64), unique=True), Column("raw", LargeBinary),
)  # fmt: skip
ticket = Table("ticket", metadata, Column("id", Integer, primary_key=True), Column("ref", String(40), unique=True))
message = Table(
    "message", metadata, Column("id", Integer, primary_key=True), Column("ticket_id", Integer, index=True),
    Column("message_id", String(998), index=True), Column("author", String(320)), Column("subject", Text),
    Column("text", Text),
)  # fmt: skip
letter = Table(
    "letter", metadata, Column("id", Integer, primary_key=True), Column("ticket_id", Integer, index=True),
    Column("to_address", String(320)), Column("data", LargeBinary), Column("state", String(10), index=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One message as the loop needs it."""

    uid: int
    raw: bytes
    message_id: str
    answered: str
    author: str
    subject: str
    text: str
    machine: bool
    report_about_mail: bool


def read(uid: int, raw: bytes) -> Read:
    """By mail-parser."""
    parsed = mailparser.parse_from_bytes(raw)
    headers = {name.lower(): value for name, value in parsed.headers.items()}
    return Read(
        uid=uid,
        raw=raw,
        message_id=parsed.message_id,
        answered=str(headers.get("in-reply-to", "")),
        author=parsed.from_[0][1] if parsed.from_ else "",
        subject=parsed.subject,
        text="\n".join(parsed.text_plain or parsed.text_html),
        machine="auto-submitted" in headers,
        report_about_mail="multipart/report" in str(headers.get("content-type", "")),
    )


def write(connection: Connection, batch: Sequence[Read], seen: dict[str, int]) -> list[dict[str, Any]]:
    """The batch's rows; the letters to send. `seen`: Message-ID -> ticket."""
    connection.execute(receipt.insert(), [_receipt(one) for one in batch])
    placed = [one for one in batch if not one.report_about_mail]
    known = seen.keys() | {one.message_id for one in placed}
    opening = [one for one in placed if one.answered not in known]
    refs = [{"ref": f"IMS-{secrets.token_hex(5)}"} for _ in opening]
    opened = connection.execute(ticket.insert().returning(ticket.c.id, sort_by_parameter_order=True), refs)
    tickets = {one.uid: number for one, number in zip(opening, opened.scalars(), strict=True)}
    seen.update({one.message_id: tickets[one.uid] for one in opening})
    numbers = {one.uid: tickets.get(one.uid) or seen[one.answered] for one in placed}
    connection.execute(message.insert(), [_message(one, numbers[one.uid]) for one in placed])
    rows = [row for one in placed for row in _letters(one, numbers[one.uid], one.uid in tickets)]
    inserted = connection.execute(letter.insert().returning(letter.c.id, sort_by_parameter_order=True), rows).scalars()
    return [{**row, "id": number} for row, number in zip(rows, inserted, strict=True)]


def _receipt(one: Read) -> dict[str, Any]:
    return {"uid": one.uid, "sha256": hashlib.sha256(one.raw).hexdigest(), "raw": one.raw}


def _message(one: Read, number: int) -> dict[str, Any]:
    named = {"message_id": one.message_id, "author": one.author, "subject": one.subject}
    return {"ticket_id": number, "text": one.text, **named}


def _letters(one: Read, number: int, opens: bool) -> Iterator[dict[str, Any]]:
    if opens and not one.machine:
        yield _letter(one, number, one.author, "We received your report and will answer it in time.")
    yield _letter(one, number, TEAM, one.text)


def _letter(one: Read, number: int, to: str, text: str) -> dict[str, Any]:
    data = LETTER.format(
        mailbox=MAILBOX, to=to, subject=one.subject, ref=number, answered=one.message_id, text=text.replace("\n", "\r\n"),
        message_id=f"<{secrets.token_hex(16)}@example.test>",
    )  # fmt: skip
    return {"ticket_id": number, "to_address": to, "data": data.encode(), "state": "queued"}


async def send(clients: Sequence[aiosmtplib.SMTP], letters: Sequence[dict[str, Any]]) -> None:
    """Over all connections at once."""
    waiting = iter(letters)

    async def empty(client: aiosmtplib.SMTP) -> None:
        for one in waiting:
            await client.sendmail(MAILBOX, [one["to_address"]], one["data"])

    await asyncio.gather(*(empty(client) for client in clients))


def open_database(url: str) -> Engine:
    """SQLite as triaged opens it: WAL, synchronous=FULL."""
    if not url.startswith("sqlite"):
        engine = sqlalchemy.create_engine(url)
    else:
        engine = sqlalchemy.create_engine(url, connect_args={"isolation_level": None})
        sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr]
        sqlalchemy.event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous=FULL"))
        engine.dispose()
    metadata.create_all(engine)
    return engine


async def loop(user: str, imap_port: int, smtp_port: int, url: str, connections: int) -> None:
    """Take in the whole INBOX, batch by batch."""
    engine = open_database(url)
    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port, start_tls=False) for _ in range(connections)]
    for client in clients:
        await client.connect()
    seen: dict[str, int] = {}
    with IMAPClient("127.0.0.1", imap_port, ssl=False) as imap:
        imap.login(user, "demo")
        imap.select_folder("INBOX", readonly=True)
        uids = imap.search("ALL")
        for start in range(0, len(uids), BATCH):
            fetched = imap.fetch(uids[start : start + BATCH], ["BODY.PEEK[]", "INTERNALDATE"])
            batch = [read(uid, one[b"BODY[]"]) for uid, one in sorted(fetched.items())]
            with engine.begin() as connection:
                letters = write(connection, batch, seen)
            await send(clients, letters)
            done = update(letter).where(letter.c.id == sqlalchemy.bindparam("b_id")).values(state="accepted")
            with engine.begin() as connection:
                connection.execute(done, [{"b_id": one["id"]} for one in letters])
    with engine.connect() as connection:
        assert not connection.execute(select(letter.c.id).where(letter.c.state != "accepted")).all()
    print("done", flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # stays, so that its memory can be read


if __name__ == "__main__":
    asyncio.run(loop(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
