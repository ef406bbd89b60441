"""Copies of accepted letters in the mailbox's Sent folder. Comes after the commit, and never sends mail (IM-15)."""

from __future__ import annotations

from triaged.daemon.house import House
from triaged.daemon.points import reach
from triaged.mail.imap import connect
from triaged.mail.sent import append_once
from triaged.settings.model import MailboxSettings
from triaged.tracker import outbox
from triaged.tracker.engine import reading, writing


def copy_sent(house: House, mailbox: MailboxSettings) -> int:
    """Append what is not there yet; how many letters. Raises ImapError."""
    account = house.imap(mailbox)
    if account is None or not account.sent_folder:
        return 0
    with reading(house.engine) as connection:
        wanted = outbox.copies_wanted(connection, mailbox.name)
    if not wanted:
        return 0
    session = connect(account)
    try:
        for letter, message_id, data in wanted:
            append_once(session, account.sent_folder, message_id, data)
            reach("copy-appended")
            with writing(house.engine) as connection:
                outbox.copied(connection, letter)
    finally:
        session.logout()
    return len(wanted)
