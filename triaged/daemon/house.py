"""One process's surroundings: database, desks, name and clock, made once from the settings. Starts nothing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from triaged import resources
from triaged.daemon import clock, desks, logins
from triaged.daemon.clock import Now
from triaged.daemon.intake import Intake
from triaged.daemon.sending import Office
from triaged.daemon.studying import Studio
from triaged.daemon.tending import Tender
from triaged.mail.keeper import Keeper
from triaged.mail.ports import Cursor, Fetched, FetchLimits, ImapAccount
from triaged.reading.inventory import read_inventory
from triaged.settings.model import MailboxSettings, Settings
from triaged.ticket.desk import Desk
from triaged.tracker import installation, leases, migrate
from triaged.tracker.engine import connect, writing
from triaged.tracker.receipts import Folders


@dataclass(frozen=True, slots=True)
class House:
    """What every part of one process shares."""

    settings: Settings
    engine: Engine
    desks: dict[str, Desk]
    owner: str
    now: Now
    keepers: Mapping[str, Keeper]  # by mailbox, of those that log in by tokens

    def imap(self, mailbox: MailboxSettings) -> ImapAccount | None:
        """The mailbox's account, with its password or its tokens."""
        return logins.imap(mailbox, self.keepers)

    def intake(self) -> Intake:
        limits = self.settings.limits
        return Intake(
            engine=self.engine,
            desks=self.desks,
            trusts={tenant.name: desks.trust(tenant) for tenant in self.settings.tenants},
            limits=desks.message_limits(limits),
            most=limits.fetch_messages,
            attempts=limits.reading_attempts,
            owner=self.owner,
            now=self.now,
            entropy=secrets.token_bytes,
        )

    def studio(self) -> Studio:
        return Studio(
            engine=self.engine,
            desks=self.desks,
            inventories={t.name: read_inventory(t.team.inventory) for t in self.settings.tenants if t.team.inventory},
            owner=self.owner,
            now=self.now,
            entropy=secrets.token_bytes,
        )

    def tender(self) -> Tender:
        boards = {m.name: self.settings.tenant(m.tenant).team.board_at for m in self.settings.mailboxes}
        return Tender(self.engine, self.desks, boards, self.now, secrets.token_bytes)

    def office(self) -> Office:
        boxes = self.settings.mailboxes
        return Office(
            engine=self.engine,
            accounts={m.name: account for m in boxes if (account := logins.smtp(m, self.keepers))},
            desks=self.desks,
            copies=frozenset(m.name for m in boxes if m.imap and m.imap.sent_folder),
            connections=self.settings.limits.smtp_connections,
            owner=self.owner,
            now=self.now,
            entropy=secrets.token_bytes,
        )

    def store(self, mailbox: MailboxSettings) -> Store:
        sent = mailbox.imap.sent_folder if mailbox.imap else ""
        horizon = self.horizon(mailbox.history)
        return Store(Folders(self.engine, mailbox.tenant, mailbox.name, horizon, self.now, sent))

    def horizon(self, history: timedelta) -> datetime:
        """What came before is history. A rehearsal to come makes no history of today's mail."""
        return min(self.now(), clock.real()) - history

    def fetch_limits(self) -> FetchLimits:
        limits = self.settings.limits
        return FetchLimits(
            message_bytes=limits.message_bytes,
            header_block_bytes=limits.header_block_bytes,
            oversize_body_bytes=limits.oversize_body_bytes,
            fetch_messages=limits.fetch_messages,
            fetch_bytes=limits.fetch_bytes,
            literal_bytes=limits.imap_literal_bytes,
        )


@dataclass(frozen=True, slots=True)
class Store:
    """A mailbox's receipts as its watcher sees them (mail.ports.FolderStore)."""

    folders: Folders

    def open(self, folder: str, uidvalidity: int) -> Cursor:
        position = self.folders.open(folder, uidvalidity)
        return Cursor(position.uidvalidity, position.last_uid, position.history_before)

    def keep(self, folder: str, uidvalidity: int, batch: Sequence[Fetched], last_uid: int) -> None:
        from triaged.daemon.points import reach

        self.folders.keep(folder, uidvalidity, batch, last_uid)
        reach("receipts-stored")

    def swept(self, folder: str, at_count: int) -> None:
        self.folders.swept(folder, at_count)


def open_house(settings: Settings, now: Now = clock.real) -> House:
    """Migrate the database, know the policies and the key, take over from the dead. Raises what makes that impossible."""
    engine = connect(settings.tracker.url)
    migrate.upgrade(engine, resources.migrations())
    owner = leases.owner_name(secrets.token_hex(4))
    with writing(engine) as connection:
        leases.beat(connection, owner, clock.real())
        leases.reap(connection, owner, clock.real())
        for mailbox in settings.mailboxes:
            installation.know_policy(connection, mailbox.policy, clock.real())
        known = desks.known_desks(connection, settings, clock.real())
    return House(settings, engine, known, owner, now, logins.keepers(settings, engine, owner))
