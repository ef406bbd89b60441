"""What mail transport asks of its surroundings, and the values it hands back; nothing here opens a connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


class Secret(Protocol):
    """A password or token that never shows itself by accident."""

    def reveal(self) -> str: ...


class NoToken(Exception):
    """There is no access token. The text says why and what mends it, and never holds a secret.

    `refused`: trying again soon is of no use, as with a wrong password; else the token endpoint could not be reached.
    """

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Bearer:
    """Access tokens of one account (RFC 6750), in the place of its password."""

    token: Callable[[], str] = field(repr=False)  # blocks; raises NoToken
    refuse: Callable[[str], None] = field(repr=False)  # a server would not have this one: the next is another


class ImapAccount(Protocol):
    """One mailbox account at an IMAP server (RFC 9051, RFC 3501)."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def security(self) -> str: ...  # tls | starttls | none | none-insecure
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> Secret | Bearer | None: ...
    @property
    def folders(self) -> tuple[str, ...]: ...  # the first is held by IDLE
    @property
    def poll_seconds(self) -> int: ...
    @property
    def sent_folder(self) -> str: ...


class SmtpAccount(Protocol):
    """One account at a submission server (RFC 6409)."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def security(self) -> str: ...  # tls | starttls | none | none-insecure
    @property
    def username(self) -> str: ...  # "" with password None: no login
    @property
    def password(self) -> Secret | Bearer | None: ...


@dataclass(frozen=True, slots=True)
class ImapByToken:
    """An IMAP account whose password is a Bearer."""

    host: str
    port: int
    security: str
    username: str
    password: Bearer
    folders: tuple[str, ...]
    poll_seconds: int
    sent_folder: str


@dataclass(frozen=True, slots=True)
class SmtpByToken:
    """A submission account whose password is a Bearer."""

    host: str
    port: int
    security: str
    username: str
    password: Bearer


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds on what one fetch may bring, in octets unless said otherwise."""

    message_bytes: int  # a larger message is fetched as header and first body octets only
    header_block_bytes: int  # of an oversize message's header
    oversize_body_bytes: int  # of an oversize message's body
    fetch_messages: int  # messages in one FETCH
    fetch_bytes: int  # announced octets in one FETCH; one larger message goes alone
    literal_bytes: int  # a server announcing a larger literal loses the connection


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder has been read under one UIDVALIDITY (RFC 9051 section 2.3.1.1)."""

    uidvalidity: int
    last_uid: int
    history_before: datetime  # aware UTC; what the server received before is history, recorded and not fetched


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as it lies on the server."""

    uid: int
    internal_date: datetime  # aware UTC
    size: int  # RFC822.SIZE as the server announced it
    raw: bytes | None  # None: history, recorded only; b"": the server gave no body
    truncated: bool  # raw is the header and the first octets of the body
    junk: bool  # marked $Junk, or lying in a folder of special use \Junk (RFC 6154)


class FolderStore(Protocol):
    """Receipts and cursors of one account's folders."""

    def open(self, folder: str, uidvalidity: int) -> Cursor:
        """The folder's cursor; a new folder or UIDVALIDITY starts at last_uid 0 and keeps the first history_before."""
        ...

    def keep(self, folder: str, uidvalidity: int, batch: Sequence[Fetched], last_uid: int) -> None:
        """Commit receipts and cursor together, before anything reads them."""
        ...

    def swept(self, folder: str, at_count: int) -> None:
        """A sweep of the folder ended well; at_count messages were in it."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """One letter to one recipient: the envelope and the exact octets (RFC 5321 section 2.3.1)."""

    sender: str  # "" is the null reverse-path
    recipient: str
    data: bytes  # CRLF lines, a whole message
    envelope_id: str  # ENVID, RFC 3461 section 4.4; "" for none


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took the letter after the final dot; it is now the server's to deliver."""

    reply: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """Not taken now: try the same octets again. The scope says what else must wait."""

    reply: str
    scope: Literal["letter", "server", "login"]


@dataclass(frozen=True, slots=True)
class Permanent:
    """Refused for good: a person must look."""

    reply: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No reply came after the final dot: the letter may have been taken (RFC 1047)."""

    reply: str


Outcome = Sent | Temporary | Permanent | Unknown
