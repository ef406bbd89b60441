"""The copy of a sent letter in the mailbox's own folder, once; it never sends mail and never makes a folder."""

from __future__ import annotations

import re
import ssl

from triaged.mail.imap import USUAL, ImapSession, Refused, Timeouts, connect
from triaged.mail.ports import ImapAccount

# Our own Message-IDs have this form. Anything else never reaches a SEARCH command.
_OWN_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._=+-]{1,200}@[A-Za-z0-9.-]{1,255}>")


def append_sent(
    account: ImapAccount,
    folder: str,
    message_id: str,
    data: bytes,
    timeouts: Timeouts = USUAL,
    tls: ssl.SSLContext | None = None,
) -> bool:
    """Keep one copy, marked \\Seen; False when the folder has it already (IM-15). Raises ImapError."""
    session = connect(account, timeouts, tls=tls)
    try:
        return append_once(session, folder, message_id, data)
    finally:
        session.logout()


def append_once(session: ImapSession, folder: str, message_id: str, data: bytes) -> bool:
    """The same on an open session, for many copies at a time."""
    if not _OWN_MESSAGE_ID.fullmatch(message_id):
        raise ValueError("only a Message-ID that we made can be searched for")
    try:
        session.examine(folder)
    except Refused as error:
        mend = f"folder {folder!r} can't be opened: create it, or name the account's sent folder in sent_folder"
        raise Refused(f"{mend} ({error})", error.code) from error
    if session.holds_message(message_id):
        return False
    session.append(folder, data)
    return True
