"""The embedded server's mailboxes, in memory: one for every address, made when first needed; never writes a file."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from typing import Final

from pymap.backend.dict import Config, DictBackend, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.concurrent import Subsystem
from pymap.exceptions import AuthorizationFailure, InvalidAuth
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import Cleartext

PASSWORD: Final = "demo"  # noqa: S105 - of every mailbox on the loopback, printed at start
FOLDERS: Final = ("Junk", "Sent")  # beside INBOX


def mailbox_of(address: str) -> str:
    """The mailbox that mail to `address` reaches: lower-cased, without the +detail (RFC 5233)."""
    local, at, domain = address.strip().lower().rpartition("@")
    return local.partition("+")[0] + at + domain if local else domain


class EveryAddress(Login):
    """Logs in any address with PASSWORD and makes its mailbox on the way."""

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        """The identity of the mailbox that the user name, read as an address, reaches; InvalidAuth otherwise."""
        name = credentials.authcid
        claimed = UserMetadata(self.config, name, password=PASSWORD)
        if "@" not in name or not credentials.verify(claimed):
            raise InvalidAuth
        return await self.identity(name)

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        """Only as oneself."""
        if mailbox_of(authzid) != authenticated.name:
            raise AuthorizationFailure
        return await self.identity(authzid)

    async def identity(self, address: str) -> Identity:
        """The owner of the mailbox of `address`, made with its folders if this is the first that is heard of it."""
        name = mailbox_of(address)
        if name not in self.users_dict:
            self.users_dict[name] = UserMetadata(self.config, name, password=PASSWORD)
            folders = MailboxSet()
            for folder in FOLDERS:
                await folders.add_mailbox(folder)
            self.config.set_cache[name] = (folders, FilterSet())
        return Identity(name, self, None, frozenset())


class Mailboxes:
    """Every address's mail. Belongs to the event loop that opened it."""

    def __init__(self, login: EveryAddress, config: Config) -> None:
        self._login = login
        self.serve = IMAPServer(login, config)

    @classmethod
    async def open(cls) -> Mailboxes:
        """Empty mailboxes, ready to serve in the current context."""
        # Cleartext, in the loop: the default hash costs 130 ms at each start and threads that outlive the server,
        # for a password that everyone knows.
        _, config = await DictBackend.init(_OPTIONS, hash_context=Cleartext(), cpu_subsystem=Subsystem.for_asyncio())
        config.apply_context()
        return cls(EveryAddress(config), config)

    async def deliver(self, recipient: str, content: bytes, at: datetime) -> None:
        """Put one message into the recipient's INBOX; whoever is in IDLE on it hears of it."""
        identity = await self._login.identity(recipient)
        async with identity.new_session() as session:
            await session.append_messages("INBOX", [AppendMessage(content, at, frozenset())])


_OPTIONS = Namespace(
    debug=False,
    host=None,
    port="0",
    cert=None,
    key=None,
    tls=False,
    proxy_protocol=None,
    inherited_sockets=None,
    passlib_cfg=None,
    demo_data=False,
    demo_user="postmaster@example.test",
    demo_password=PASSWORD,
)
