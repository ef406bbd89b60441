"""How Gmail and Outlook group the mails of one mailbox into conversations, by what both say of it. For tests alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage

_REPLY = re.compile(r"\A(?:\s*(?:re|fwd?)\s*:)+\s*", re.IGNORECASE)
_PREFIX = re.compile(r"\A\s*[^\W\d_]{1,3}: +")
_ID = re.compile(r"<[^<>\s]+>")


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def gmail(mails: Iterable[EmailMessage]) -> list[list[EmailMessage]]:
    """The Subject must be the same but for Re: and Fwd:, and References or In-Reply-To must name a message of the
    conversation (developers.google.com/gmail/api/guides/threads).
    """
    groups: list[tuple[str, set[str], list[EmailMessage]]] = []
    for one in mails:
        subject = " ".join(_REPLY.sub("", str(one["Subject"])).split()).lower()
        named = set(_ID.findall(f"{one['In-Reply-To'] or ''} {one['References'] or ''}"))
        own = str(one["Message-ID"]).strip()
        found = next((g for g in groups if g[0] == subject and (named | {own}) & g[1]), None)
        if found is None:
            groups.append((subject, {own} | named, [one]))
        else:
            found[1].update(named, {own})
            found[2].append(one)
    return [group for _, _, group in groups]


def outlook(mails: Iterable[EmailMessage]) -> list[list[EmailMessage]]:
    """By the conversation topic, which without Thread-Topic is the Subject without one prefix of at most three letters, a colon
    and a space ([MS-OXCMAIL] 2.2.3.2.6.1 and 2.2.3.2.7). In-Reply-To says nothing there.
    """
    groups: dict[str, list[EmailMessage]] = {}
    for one in mails:
        topic = str(one["Thread-Topic"] or _PREFIX.sub("", str(one["Subject"])))
        groups.setdefault(" ".join(topic.split()).lower(), []).append(one)
    return list(groups.values())
