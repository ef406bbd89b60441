"""Sends each mailbox a mail of its own with a forged result of authentication, and looks at what comes back (AU-3, AU-9)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from triaged.daemon import logins
from triaged.daemon.checks import Item, token_keepers
from triaged.daemon.desks import message_limits
from triaged.mail.imap import ImapError, ImapSession, Refused, connect
from triaged.mail.keeper import Keeper
from triaged.mail.ports import ImapAccount, Outcome, Parcel, Sent, SmtpAccount
from triaged.mail.smtp import Submission
from triaged.message.addresses import a_labels
from triaged.message.authenticity import aligned
from triaged.message.fields import Header, read_header, start_of_header
from triaged.settings.model import MailboxSettings, Settings
from triaged.ticket.probing import new_token, probe_id, write_probe
from triaged.tracker import engine as engines
from triaged.tracker import installation

LOOK_SECONDS = 2.0
HEADER_OCTETS = 262_144
SAID_SECONDS = 10.0  # between words on how long it has been waited
MEND = (
    "your mail server keeps Authentication-Results lines that strangers write with its own name, so anybody can prove to be"
    " anybody: have it remove them (RFC 8601 section 5), or take the name out of trusted_authserv_ids"
)
Places = dict[str, int]  # folder -> the last UID before the probe


def probe(settings: Settings, now: datetime, wait: float, progress: Callable[[str], None]) -> Iterator[Item]:
    """One item for each mailbox, after at most `wait` seconds each."""
    with token_keepers(settings) as keepers:
        yield from _probes(settings, keepers, now, wait, progress)


def _probes(
    settings: Settings, keepers: Mapping[str, Keeper], now: datetime, wait: float, progress: Callable[[str], None]
) -> Iterator[Item]:
    key = _key(settings)
    for mailbox in settings.mailboxes:
        name = f"probe {mailbox.name}"
        imap, smtp = logins.imap(mailbox, keepers), logins.smtp(mailbox, keepers)
        if imap is None or smtp is None:
            yield Item(name, True, note="not tried: it needs both imap and smtp")
        elif key is None:
            yield Item(
                name, False, "it could not be tried: there is no tracker with a key yet; run `triaged run` first"
            )
        else:
            yield _probe(name, mailbox, imap, smtp, settings, key, now, wait, progress)


def _key(settings: Settings) -> bytes | None:
    """The key that signs: the daemon must know the probe again. Looked up, never made here: `check` changes nothing."""
    if settings.keys.address is not None:
        return settings.keys.address.reveal().encode()
    engine = engines.connect(settings.tracker.url)
    try:
        with engines.reading(engine) as connection:
            return installation.kept_key(connection)
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()


def _probe(
    name: str,
    mailbox: MailboxSettings,
    imap: ImapAccount,
    smtp: SmtpAccount,
    settings: Settings,
    key: bytes,
    now: datetime,
    wait: float,
    progress: Callable[[str], None],
) -> Item:
    trusted = settings.tenant(mailbox.tenant).authenticity.trusted_authserv_ids
    token, address = new_token(secrets.token_bytes), mailbox.address.lower()
    data = write_probe(token, address, trusted[0] if trusted else None, key, now)
    try:
        session = connect(imap)
        try:
            places = _places(session, imap.folders)
            said = asyncio.run(_send(smtp, Parcel(address, address, data, "")))
            if not isinstance(said, Sent):
                return Item(name, False, f"the server did not take it: {said.reply}; mend [mailbox.smtp]")
            raw = _await(session, places, probe_id(token, address, key), wait, lambda s: progress(f"{name}: {s}"))
        finally:
            session.logout()
    except ImapError as error:
        return Item(name, False, f"{error}: mend [mailbox.imap] of {mailbox.name!r}")
    if raw is None:
        where = ", ".join(imap.folders)
        return Item(
            name, False, f"it did not come back to {where} in {wait:g} seconds: look where it is, or --wait longer"
        )
    header, _ = read_header(raw, start_of_header(raw), len(raw), message_limits(settings.limits))
    return judged(name, header, token, address, bool(trusted))


async def _send(account: SmtpAccount, parcel: Parcel) -> Outcome:
    submission = Submission(account, 1)
    try:
        return await submission.send(parcel)
    finally:
        await submission.close()


def _places(session: ImapSession, folders: tuple[str, ...]) -> Places:
    places: Places = {}
    for folder in folders:
        with suppress(Refused):  # the item of that folder says so
            state = session.examine(folder)
            places[folder] = state.uidnext - 1 if state.uidnext else max(session.uids_after(0, state), default=0)
    return places


def _await(
    session: ImapSession, places: Places, message_id: str, wait: float, progress: Callable[[str], None]
) -> bytes | None:
    """The header of the probe, from whichever folder it came to; None where it came to none in time."""
    started = said = time.monotonic()
    progress("sent; waiting for it to come back")
    while True:
        for folder, last in places.items():
            state = session.examine(folder)
            for uid in session.uids_after(last, state):
                places[folder] = max(places[folder], uid)
                raw = session.beginning(uid, HEADER_OCTETS, 0)
                if raw and message_id.encode() in raw:
                    return raw
        waited = time.monotonic() - started
        if waited >= wait:
            return None
        if time.monotonic() - said >= SAID_SECONDS:
            said = time.monotonic()
            progress(f"not back after {waited:.0f} seconds")
        time.sleep(min(LOOK_SECONDS, max(0.1, wait - waited)))


def judged(name: str, header: Header, token: str, address: str, trusting: bool) -> Item:
    """What the copy that came back says of the server."""
    survived = any(token in value.lower() for value in header.all("authentication-results"))
    note = _signed(header, address)
    if not trusting:
        return Item(name, True, note="; ".join(filter(None, ("no server is trusted, so nobody is proven", note))))
    return Item(name, not survived, MEND if survived else "", note)


def _signed(header: Header, address: str) -> str:
    """AU-9: what others see of our mail. A warning alone: servers sign on the way out, and a copy to ourselves may not go out."""
    domain = a_labels(address.rpartition("@")[2])
    if any(aligned(a_labels(signer), domain) for signer in map(_signer, header.all("dkim-signature"))):
        return ""
    return f"the copy bears no DKIM signature of {domain}: where your letters go out unsigned, others may refuse them"


def _signer(value: str) -> str:
    """The d= of a DKIM-Signature (RFC 6376 section 3.5)."""
    tags = (tag.partition("=") for tag in value.split(";"))
    return next(("".join(said.split()).lower() for name, _, said in tags if name.strip() == "d"), "")
