"""The copy of a sent letter in the mailbox's own folder, once; it never sends mail and never makes a folder."""

from __future__ import annotations

import re

from triaged.mail.imap import ImapSession, Refused

# Our own Message-IDs have this form. Anything else never reaches a SEARCH command.
_OWN_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._=+-]{1,200}@[A-Za-z0-9.-]{1,255}>")


def append_once(session: ImapSession, folder: str, message_id: str, data: bytes) -> bool:
    """Keep one copy, marked \\Seen; False when the folder has it already (IM-15). Raises ImapError."""
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
