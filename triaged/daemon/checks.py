"""Tries everything that the daemon will need, item by item. Changes nothing but an empty transaction."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from triaged import resources
from triaged.daemon import logins, status
from triaged.daemon.web import split
from triaged.mail.imap import ImapError
from triaged.mail.keeper import Keeper
from triaged.mail.oauth2_words import doubts as doubts_of_token
from triaged.mail.ports import ImapAccount, NoToken, Permanent, Sent, SmtpAccount
from triaged.mail.smtp import Submission
from triaged.mail.transaction import Timeouts
from triaged.mail.watcher import FolderLook, look
from triaged.policy.calendar import doubts
from triaged.policy.publishing import expiring
from triaged.settings.contradictions import is_loopback
from triaged.settings.model import MailboxSettings, Settings
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.wire import UnsafeLetterError, compose, text_value
from triaged.tracker import installation, leases, migrate, standing
from triaged.tracker.engine import connect, file_of, reading

SKEW = timedelta(seconds=30)
_QUICK = Timeouts(greeting=15.0, mail=15.0, rcpt=15.0)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was tried. `mend` says what to do where it is not ok; `note` what is worth knowing where it is."""

    item: str
    ok: bool
    mend: str = ""
    note: str = ""


def check(settings: Settings, now: datetime) -> Iterator[Item]:
    """Every item, as it is tried."""
    yield Item("configuration", True, note=str(settings.path or ""))
    yield _letters_are_safe()
    for mailbox in settings.mailboxes:
        yield _policy(mailbox, now)
        yield _proof(mailbox, settings)
        yield _team(mailbox, settings)
    yield from _tracker(settings, now)
    yield from _http(settings, now)
    yield from _alarms(settings)
    with token_keepers(settings) as keepers:
        for mailbox in settings.mailboxes:
            yield from _token(mailbox, keepers)
            yield from _mailbox(mailbox, keepers, now)


@contextmanager
def token_keepers(settings: Settings) -> Iterator[Mapping[str, Keeper]]:
    """Those who log in by tokens, with the tracker where there is one: a renewed refresh token must be kept."""
    if not any(mailbox.oauth2 for mailbox in settings.mailboxes):
        yield {}
        return
    engine = connect(settings.tracker.url)
    try:
        yield logins.keepers(settings, _usable(engine, settings.tracker.url), leases.owner_name(secrets.token_hex(4)))
    finally:
        engine.dispose()


def _usable(engine: Engine, url: str) -> Engine | None:
    try:
        return engine if _holds_a_tracker(engine, url) else None
    except (SQLAlchemyError, migrate.DatabaseError):
        return None


def _token(mailbox: MailboxSettings, keepers: Mapping[str, Keeper]) -> Iterator[Item]:
    keeper = keepers.get(mailbox.name)
    if keeper is None:
        return
    try:
        access = keeper.token()
    except NoToken as error:
        yield Item(f"token {mailbox.name}", False, str(error))
        return
    found = "; ".join(doubts_of_token(access, keeper.client.provider, keeper.client.flow))
    yield Item(f"token {mailbox.name}", not found, found)


def _letters_are_safe() -> Item:
    """AT-1: some CPythons turn an encoded word into a header line of its own; ours must not come out so."""
    hostile = "=?utf-8?q?ok=0D=0ABcc=3A_x=40evil.test?= \r\nBcc: y@evil.test"
    try:
        data = compose([("Subject", text_value(hostile))], "text")
    except UnsafeLetterError as error:
        return Item("letters", False, f"this Python can't make safe headers ({error}): use another Python")
    injected = any(line.lower().startswith(b"bcc:") for line in data.split(b"\r\n"))
    return Item("letters", not injected, "this Python makes unsafe headers: use another" if injected else "")


def _policy(mailbox: MailboxSettings, now: datetime) -> Item:
    found = doubts(mailbox.policy.calendar, range(now.year, now.year + 2))
    ends = expiring(mailbox.policy, now)
    return Item(f"policy {mailbox.policy.name}", True, note="; ".join((*found, *ends)))


def _proof(mailbox: MailboxSettings, settings: Settings) -> Item:
    """AU-1: without a trusted server, nobody is proven."""
    trusted = settings.tenant(mailbox.tenant).authenticity.trusted_authserv_ids
    note = "" if trusted else "nobody is proven: name your mail server in [authenticity] trusted_authserv_ids"
    return Item(f"authenticity {mailbox.name}", True, note=note)


def _team(mailbox: MailboxSettings, settings: Settings) -> Item:
    team = settings.tenant(mailbox.tenant).team
    told = team.notify or team.members
    mend = "" if told else "nobody hears of its reports: name the team's address in [team] notify"
    return Item(f"team {mailbox.name}", bool(told), mend)


def _tracker(settings: Settings, now: datetime) -> Iterator[Item]:
    url = settings.tracker.url
    yield from _disk(url, settings.ops.disk_free_mib)
    engine = connect(url)
    try:
        yield _database(engine, url)
        if _holds_a_tracker(engine, url):
            yield from _clock(engine, now)
            yield from _parts(engine, now)
            yield from _standing(engine, settings, now)
    except SQLAlchemyError as error:
        yield Item("database", False, migrate.mend(error))
    finally:
        engine.dispose()


def _disk(url: str, least: int) -> Iterator[Item]:
    file = file_of(url)
    if file is None:
        return
    if not file.parent.is_dir():
        yield Item("disk", False, f"there is no folder {file.parent}: make it, or mend [tracker] url")
        return
    free = shutil.disk_usage(file.parent).free // 2**20
    mend = f"only {free} MiB are free in {file.parent}: make room" if free < least else ""
    yield Item("disk", not mend, mend)


def _holds_a_tracker(engine: Engine, url: str) -> bool:
    file = file_of(url)
    return (file is None or file.exists()) and migrate.current(engine) == migrate.HEAD


def _database(engine: Engine, url: str) -> Item:
    file = file_of(url)
    if file is not None and not file.exists():
        return Item("database", True, note="there is none yet: `triaged run` makes it")
    try:
        revision = migrate.current(engine)
        if revision is None:
            return Item("database", True, note="it is empty: `triaged run` fills it")
        migrate.refuse_newer(revision, resources.migrations())
        with engine.begin() as connection:  # takes the write lock on SQLite: a read-only file shows here
            connection.execute(text("update installation set at = at where name = ''"))
    except migrate.DatabaseError as error:
        return Item("database", False, str(error))
    if revision != migrate.HEAD:
        return Item("database", True, note=f"at revision {revision}: `triaged run` brings it to {migrate.HEAD}")
    return Item("database", True)


def _clock(engine: Engine, now: datetime) -> Iterator[Item]:
    with reading(engine) as connection:
        last = installation.last_event_at(connection)
        server = connection.execute(text("select now()")).scalar() if engine.dialect.name == "postgresql" else now
    if last is not None and last > now + SKEW:
        note = f"the last event is of {last:%Y-%m-%d %H:%M} UTC, which is to come: a rehearsal, or this clock is slow"
        yield Item("clock", True, note=note)
    elif server is None or abs(server - now) > SKEW:
        yield Item("clock", False, "this machine's clock and the database's disagree: mend them, by NTP for one")
    else:
        yield Item("clock", True)


def _parts(engine: Engine, now: datetime) -> Iterator[Item]:
    with reading(engine) as connection:
        alive = set(leases.others(connection, "", now))
        parts = leases.parts(connection)
    for part in parts:
        if part.owner in alive:
            failing = part.state == "failing"
            yield Item(f"part {part.name}", not failing, part.reason if failing else "", "" if failing else part.reason)
    if not alive:
        yield Item("daemon", True, note="no daemon runs now")


def _standing(engine: Engine, settings: Settings, now: datetime) -> Iterator[Item]:
    """A mailbox that was renamed leaves its mail behind; a mistyped team address leaves the team in the dark."""
    names = [mailbox.name for mailbox in settings.mailboxes]
    with reading(engine) as connection:
        left = standing.orphaned(connection, names)
        refused = {name: standing.untold(connection, name, now) for name in names}
    for name, count in sorted(left.items()):
        mend = (
            f"{count} message(s) and letter(s) wait for it, and it is not in the configuration: name a mailbox so again"
        )
        yield Item(f"mailbox {name}", False, mend)
    for name, count in refused.items():
        if count:
            mend = (
                f"{count} letter(s) to the team were refused: see `triaged outbox list --state failed`, and mend [team]"
            )
            yield Item(f"letters to the team {name}", False, mend)


def _http(settings: Settings, now: datetime) -> Iterator[Item]:
    """Whether the port is free, or ours already; and who else can ask."""
    listen = settings.http.listen
    if not listen:
        yield Item("http", True, note="off: no metrics and no health pages")
        return
    error = status.taken(listen)
    if error is None:
        open_to_others = "" if is_loopback(split(listen)[0]) else "other machines can ask, and no password is wanted"
        yield Item("http", True, note=open_to_others)
    elif running(settings, now).ok:
        yield Item("http", True, note=f"{listen} is in use, as it should be while the daemon runs")
    else:
        yield Item("http", False, status.mend(listen, error))


def _alarms(settings: Settings) -> Iterator[Item]:
    """Who hears of what stands still, and whether the second server takes their mail."""
    ops = settings.ops
    yield Item("alarms", True, note="" if ops.alarm else "nobody hears when it stands still: name them in [ops] alarm")
    if ops.smtp is not None:
        said = asyncio.run(Submission(ops.smtp, 1, _QUICK).check())
        mend = "" if isinstance(said, Sent) else f"{said.reply} ({ops.smtp.host}:{ops.smtp.port}): mend [ops.smtp]"
        yield Item("smtp of ops", not mend, mend)


def running(settings: Settings, now: datetime) -> Item:
    """Whether a daemon on this tracker lives: what a container's health check asks."""
    engine = connect(settings.tracker.url)
    try:
        with reading(engine) as connection:
            alive = leases.others(connection, "", now)
    except SQLAlchemyError as error:
        return Item("daemon", False, migrate.mend(error))
    finally:
        engine.dispose()
    return Item("daemon", bool(alive), "" if alive else "no daemon runs: start `triaged run`")


def _mailbox(mailbox: MailboxSettings, keepers: Mapping[str, Keeper], now: datetime) -> Iterator[Item]:
    imap, smtp = logins.imap(mailbox, keepers), logins.smtp(mailbox, keepers)
    if imap is None:
        yield Item(f"imap {mailbox.name}", True, note="not configured: mail comes in by `triaged import` only")
    else:
        yield from _imap(mailbox, imap, now)
    if mailbox.smtp is None or smtp is None:
        yield Item(f"smtp {mailbox.name}", True, note="not configured: letters stay in the outbox")
    else:
        yield from asyncio.run(_smtp(mailbox, smtp, mailbox.smtp.envelope))


def _imap(mailbox: MailboxSettings, account: ImapAccount, now: datetime) -> Iterator[Item]:
    try:
        looks = look(account, (now - mailbox.history).date())
    except ImapError as error:
        where = f"{account.host}:{account.port}"
        yield Item(f"imap {mailbox.name}", False, f"{error} ({where}): mend [mailbox.imap] of {mailbox.name!r}")
        return
    yield Item(f"imap {mailbox.name}", True)
    for folder in looks:
        yield _folder(mailbox, folder)


def _folder(mailbox: MailboxSettings, folder: FolderLook) -> Item:
    name = f"folder {mailbox.name}/{folder.folder}"
    if folder.error:
        sent = mailbox.imap is not None and folder.folder == mailbox.imap.sent_folder
        return Item(
            name, False, f"{folder.error}: make it, or {'mend sent_folder' if sent else 'take it out of folders'}"
        )
    days = mailbox.history / timedelta(days=1)
    old = f", {folder.older:,} of them older than {days:g} days" if folder.older else ""
    return Item(name, True, note=f"{folder.exists:,} messages{old}")


async def _smtp(mailbox: MailboxSettings, account: SmtpAccount, envelope: str) -> list[Item]:
    submission = Submission(account, 1, _QUICK)
    said = await submission.check()
    if not isinstance(said, Sent):
        where = f"{account.host}:{account.port}"
        return [Item(f"smtp {mailbox.name}", False, f"{said.reply} ({where}): mend [mailbox.smtp] of {mailbox.name!r}")]
    return [Item(f"smtp {mailbox.name}", True), await _plus(mailbox, envelope, submission)]


async def _plus(mailbox: MailboxSettings, envelope: str, submission: Submission) -> Item:
    """A keyed address of no ticket, named as recipient and taken back: the server must take it."""
    name = f"plus-addressing {mailbox.name}"
    if not mailbox.plus_addressing:
        return Item(name, True, note="off: replies are threaded by their Message-IDs alone")
    probe = keyed_address(mailbox.address, "00000000", Role.BOUNCE, secrets.token_bytes(32))
    sender = {"keyed": probe, "address": mailbox.address}.get(envelope, "")
    said = await submission.accepts(sender, probe)
    if isinstance(said, Permanent):
        mend = (
            f"the server refuses {probe.replace('00000000', 'TOKEN')[:40]}…: {said.reply}; have it take + addresses, or"
        )
        return Item(name, False, f'{mend} set plus_addressing = false and envelope = "address"')
    return Item(name, isinstance(said, Sent), "" if isinstance(said, Sent) else f"it could not be tried: {said.reply}")
