"""One IMAP connection that reads without leaving a trace (RFC 9051, RFC 3501); it never sets a flag or deletes."""

from __future__ import annotations

import imaplib
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from imapclient.exceptions import ProtocolError

from triaged.mail.bearing import NOT_OFFERED, Mechanism, acknowledgement, challenge, chosen, initial, without_token
from triaged.mail.ports import Bearer, ImapAccount, NoToken
from triaged.mail.wire import COMMAND_OCTETS, LINE_OCTETS, LiteralTooLarge, Meter, MeteredClient

LITERAL_OCTETS = 134_217_728
_LAST_UID = 2**32 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CODE = re.compile(r"\[([A-Z][A-Z0-9-]*)[^\]]*\]")  # RFC 9051 section 7.1, RFC 5530
_BUSY = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA"})  # not the token's doing (RFC 5530)
_JUNK_FLAGS = frozenset({b"$junk", b"junk", b"\\junk"})
_JUNK_NAMES = frozenset({"junk", "spam", "junk e-mail", "junk email", "bulk mail"})
_SLOWEST = 20_000  # octets a second that a fetch must reach to stay under its deadline


class ImapError(Exception):
    """What the server or the connection said; `code` is the response code (RFC 5530), or empty."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ConnectionLost(ImapError):
    """The connection can't be used any more: make a new one."""


class TooLarge(ConnectionLost):
    """The connection was given up because a literal over the cap was announced."""


class LoginRefused(ImapError):
    """The server wants no login, or not this one."""


class Refused(ImapError):
    """The server said NO or BAD to one command; the connection stands."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. A command's own deadline grows with the octets that it asks for."""

    connect: float = 30.0
    read: float = 60.0  # without a single octet
    command: float = 120.0


USUAL = Timeouts()


@dataclass(frozen=True, slots=True)
class FolderState:
    """What EXAMINE says of a folder; uidnext is 0 where the server doesn't tell."""

    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True, slots=True)
class Announced:
    """What the server says of a message before its octets are asked for."""

    size: int
    internal_date: datetime | None  # aware UTC; None where the server's date can't be read
    junk: bool


@contextmanager
def _spoken() -> Iterator[None]:
    """Turn the library's many exceptions into ours. What isn't a plain NO or BAD costs the connection."""
    try:
        yield
    except ImapError:
        raise
    except (imaplib.IMAP4.abort, ProtocolError) as error:
        # imaplib raises its own in place of what a read raised.
        large = isinstance(error, LiteralTooLarge) or isinstance(error.__context__, LiteralTooLarge)
        raise (TooLarge if large else ConnectionLost)(_text(error), _code(error)) from error
    except imaplib.IMAP4.error as error:
        raise Refused(_text(error), _code(error)) from error
    except Exception as error:
        raise ConnectionLost(_text(error)) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {_CONTROL.sub(' ', str(error))[:500]}"


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _plain(value: str) -> str:
    """The library sends what it is given as it is, and a line end in it would be a command of its own."""
    if _CONTROL.search(value):
        raise Refused("a name with a control character is never sent to the server")
    return value


class ImapSession:
    """One logged-in connection. Methods raise ConnectionLost or Refused; other threads may only call `close`."""

    def __init__(self, client: MeteredClient, meter: Meter, timeouts: Timeouts) -> None:
        self._client = client
        self._meter = meter
        self._timeouts = timeouts
        self._junk: dict[str, bool] = {}
        self.can_idle = False

    def examine(self, folder: str) -> FolderState:
        """Open the folder read-only, so that nothing done here shows in it (IM-1)."""
        name = _plain(folder)
        with self._command():
            answer = self._client.select_folder(name, readonly=True)
        uidvalidity = answer.get(b"UIDVALIDITY")
        if not isinstance(uidvalidity, int):
            raise Refused(f"folder {folder!r} has no UIDVALIDITY, so its messages can't be told apart")
        return FolderState(uidvalidity, _number(answer.get(b"UIDNEXT")), _number(answer.get(b"EXISTS")))

    def uids_after(self, last: int, state: FolderState) -> list[int]:
        """The UIDs over `last`, ascending. "N:*" always names the last message too, which is dropped here (IM-2)."""
        if last >= _LAST_UID:
            return []
        line = LINE_OCTETS + 12 * min(state.exists, LITERAL_OCTETS // 12)
        with self._command(octets=line + COMMAND_OCTETS, line_octets=line):
            found = self._client.search(["UID", f"{last + 1}:*"])
        return sorted({uid for uid in found if last < uid <= _LAST_UID})

    def present(self, uids: Sequence[int]) -> set[int]:
        """Those of the UIDs that the folder still holds (IM-5)."""
        with self._command():
            found = self._client.search(["UID", ",".join(str(int(uid)) for uid in uids)])
        return set(found) & set(uids)

    def announce(self, uids: Sequence[int]) -> dict[int, Announced]:
        """Size, INTERNALDATE and junk mark of each message that is still there."""
        with self._command():
            answer = self._client.fetch(_numbers(uids), ["RFC822.SIZE", "INTERNALDATE", "FLAGS"])
        return {uid: _announced(items) for uid, items in answer.items() if b"RFC822.SIZE" in items}

    def bodies(self, uids: Sequence[int], announced_octets: int) -> dict[int, bytes]:
        """The whole messages that are still there, b"" for one without octets. PEEK, or it would set \\Seen (IM-1)."""
        octets = max(2 * announced_octets, self._meter.literal_octets) + COMMAND_OCTETS
        with self._command(self._seconds(announced_octets), octets):
            answer = self._client.fetch(_numbers(uids), ["BODY.PEEK[]"])
        return {uid: items[b"BODY[]"] or b"" for uid, items in answer.items() if b"BODY[]" in items}

    def beginning(self, uid: int, header_octets: int, body_octets: int) -> bytes | None:
        """The header and the first octets of the body, each cut at its number; None when it is gone (IM-12)."""
        parts = [f"BODY.PEEK[HEADER]<0.{int(header_octets)}>", f"BODY.PEEK[TEXT]<0.{int(body_octets)}>"]
        with self._command(self._seconds(header_octets + body_octets)):
            items = self._client.fetch([int(uid)], parts).get(uid)
        if items is None:
            return None
        header = items.get(b"BODY[HEADER]<0>") or b""
        body = items.get(b"BODY[TEXT]<0>") or b""
        separator = b"" if header.endswith(b"\r\n\r\n") or not header else b"\r\n\r\n"
        return bytes(header[:header_octets] + separator + body[:body_octets])

    def count_before(self, day: date) -> int:
        """How many messages of the open folder the server received before the day (RFC 9051 section 6.4.4, BEFORE)."""
        octets = LITERAL_OCTETS
        with self._command(octets=octets, line_octets=octets):
            return len(self._client.search(["BEFORE", day]))

    def is_junk(self, folder: str) -> bool:
        """Whether the folder is the account's junk folder, by special use (RFC 6154) or by a usual name."""
        if folder not in self._junk:
            leaf = re.split(r"[/.\\]", folder)[-1].casefold()
            self._junk[folder] = leaf in _JUNK_NAMES or self._marked_junk(folder)
        return self._junk[folder]

    def _marked_junk(self, folder: str) -> bool:
        with suppress(Refused), self._command():
            listed = self._client.list_folders("", _plain(folder))
            return any(name == folder and b"\\junk" in {flag.lower() for flag in flags} for flags, _, name in listed)
        return False

    def holds_message(self, message_id: str) -> bool:
        """Whether the open folder has a message with that Message-ID."""
        with self._command():
            return bool(self._client.search(["HEADER", "Message-ID", _plain(message_id)]))

    def append(self, folder: str, data: bytes) -> None:
        """Add a message, already read (RFC 9051 section 6.3.12)."""
        with self._command(self._seconds(len(data))):
            self._client.append(_plain(folder), data, flags=(rb"\Seen",))

    def noop(self) -> None:
        with self._command():
            self._client.noop()

    def idle(self, seconds: float, stop: threading.Event) -> bool:
        """Wait in IDLE (RFC 2177) until the server says anything, the time is over or `stop` is set; whether it spoke.

        What it says is never believed: it is a hint to look, and half a line of it does no harm (IM-4).
        """
        with self._command():
            tag = self._idle_start()
            heard = "EXISTS" in self._client.wire.untagged_responses or self._readable(seconds, stop)
            self._meter.start(self._timeouts.command)
            self._client.wire.send(b"DONE\r\n")
            kind, data = self._client.wire._command_complete("IDLE", tag)
            if kind != "OK":
                raise ConnectionLost(f"IDLE ended with {kind} {data!r}")
        return heard

    def _idle_start(self) -> str:
        wire = self._client.wire
        tag: str = wire._command("IDLE")
        # A server may announce a message before it says "+".
        while wire._get_response() is not None:
            if wire.tagged_commands.get(tag):
                raise Refused(f"IDLE refused: {wire.tagged_commands.pop(tag)!r}")
        return tag

    def _readable(self, seconds: float, stop: threading.Event) -> bool:
        poller = select.poll()
        poller.register(self._client.wire.sock.fileno(), select.POLLIN)
        end = time.monotonic() + seconds
        while not self._waiting():
            left = end - time.monotonic()
            if left <= 0 or stop.is_set():
                return False
            if poller.poll(min(left, 1.0) * 1000) and self._waiting(at_end=True):
                return True
        return True

    def _waiting(self, at_end: bool = False) -> bool:
        """Whether a read would give something now: octets that came with the last answer are in no poll's sight."""
        wire = self._client.wire
        wire.sock.settimeout(0)
        try:
            return bool(wire.file.peek(1)) or at_end
        except (ssl.SSLWantReadError, BlockingIOError):
            return False  # a TLS record without data for us
        finally:
            wire.sock.settimeout(self._timeouts.read)

    def logout(self) -> None:
        """Say good-bye and close."""
        with suppress(ImapError), _spoken():
            self._meter.start(min(5.0, self._timeouts.command))
            self._client.logout()
        self.close()

    def close(self) -> None:
        """Cut the connection; a read that another thread is blocked in ends at once."""
        # First the socket itself: closing the file waits for the lock that a blocked read holds.
        with suppress(OSError):
            socket.socket.shutdown(self._client.wire.sock, socket.SHUT_RDWR)
        with suppress(OSError, imaplib.IMAP4.error):
            self._client.shutdown()

    def _seconds(self, octets: int) -> float:
        return self._timeouts.command + octets / _SLOWEST

    @contextmanager
    def _command(
        self, seconds: float | None = None, octets: int = COMMAND_OCTETS, line_octets: int = LINE_OCTETS
    ) -> Iterator[None]:
        self._meter.start(self._timeouts.command if seconds is None else seconds, octets, line_octets)
        self._client.wire.untagged_responses.clear()  # else a long connection would gather them all
        with _spoken():
            yield


ENCRYPTED = ("tls", "starttls")


def connect(
    account: ImapAccount,
    timeouts: Timeouts = USUAL,
    literal_octets: int = LITERAL_OCTETS,
    tls: ssl.SSLContext | None = None,
) -> ImapSession:
    """Connect and log in. Certificates are verified, by the system's authorities unless a context is given (IM-9)."""
    if isinstance(account.password, Bearer):
        _token(account.password)  # now, because a slow endpoint would use up the server's patience
    meter = Meter(min(timeouts.read, timeouts.command), literal_octets)
    meter.start(timeouts.connect + timeouts.command)
    context = tls or (ssl.create_default_context() if account.security in ENCRYPTED else None)
    with _spoken():
        direct = context if account.security == "tls" else None
        try:
            client = MeteredClient(account.host, account.port, direct, timeouts.connect, meter)
        except imaplib.IMAP4.error as error:  # a greeting of BYE, or none that is IMAP
            raise ConnectionLost(_text(error), _code(error)) from error
    session = ImapSession(client, meter, timeouts)
    try:
        with _spoken():
            _enter(client, account, context)
            session.can_idle = client.has_capability("IDLE")
    except BaseException:
        session.close()
        raise
    return session


def _enter(client: MeteredClient, account: ImapAccount, context: ssl.SSLContext | None) -> None:
    if account.security == "starttls" and context is not None:
        _start_tls(client, context)
    if client.wire.state != "NONAUTH":
        return  # PREAUTH: the connection itself is the login
    try:
        _login(client, account)
    except ImapError:
        raise
    except (imaplib.IMAP4.abort, ProtocolError):
        raise
    except imaplib.IMAP4.error as error:
        raise _login_ended(client, error) from error


def _login_ended(client: MeteredClient, error: Exception) -> ImapError:
    """Refused or lost: the library makes the same LoginError of both. A BYE with a code is an answer all the same."""
    farewell = b" ".join(client.wire.untagged_responses.get("BYE") or []).decode("ascii", "replace")
    code = _code(error) or _code(ImapError(farewell))
    if isinstance(error.__context__, imaplib.IMAP4.abort) and not code:
        return ConnectionLost(f"login: {_text(error.__context__)}")
    text = str(error) if farewell in str(error) else f"{error} {farewell}"
    return LoginRefused(_CONTROL.sub(" ", text)[:500], code)


def _start_tls(client: MeteredClient, context: ssl.SSLContext) -> None:
    if client.wire.state != "NONAUTH":
        raise LoginRefused('the server greets with PREAUTH, which leaves no way to STARTTLS: use security = "tls"')
    if not client.has_capability("STARTTLS"):
        raise LoginRefused('the server offers no STARTTLS: use security = "tls", or the port that has it')
    client.starttls(context)
    client.wire.untagged_responses.clear()  # said before TLS, so said by anybody


def _login(client: MeteredClient, account: ImapAccount) -> None:
    """AUTHENTICATE PLAIN where offered, because LOGIN has no way to say what isn't ASCII."""
    if isinstance(account.password, Bearer):
        _login_by_token(client, account.username, account.password)
    else:
        _login_by_password(client, account)
    client._cached_capabilities = None  # they change with the login (IM-9)


def _login_by_password(client: MeteredClient, account: ImapAccount) -> None:
    if account.password is None or isinstance(account.password, Bearer):
        raise LoginRefused("there is no password: write it, or [mailbox.oauth2]")
    if client.has_capability("LOGINDISABLED"):
        mend = 'use security = "tls" or "starttls"'
        raise LoginRefused(f"the server forbids login on this connection (LOGINDISABLED): {mend}")
    username, password = _plain(account.username), _plain(account.password.reveal())
    if client.has_capability("AUTH=PLAIN"):
        client.plain_login(username, password)
    elif (username + password).isascii():
        # The library quotes the password only.
        client.login('"' + username.replace("\\", "\\\\").replace('"', '\\"') + '"', password)
    else:
        raise LoginRefused("the server has no AUTH=PLAIN, and its LOGIN takes ASCII only: choose an ASCII password")


def _login_by_token(client: MeteredClient, username: str, bearer: Bearer) -> None:
    """A token that was revoked looks well until a server says otherwise: it is renewed once, then the refusal stands (IM-10)."""
    offered = [name.decode("ascii", "replace") for name in client.capabilities() if name.upper().startswith(b"AUTH=")]
    mechanism = chosen([name[5:] for name in offered])
    if mechanism is None:
        raise LoginRefused(NOT_OFFERED)
    token = _token(bearer)
    try:
        _authenticate(client, mechanism, username, token)
    except LoginRefused as refused:
        if refused.code in _BUSY:
            raise
        bearer.refuse(token)
        fresh = _token(bearer)
        if fresh == token:
            raise
        _authenticate(client, mechanism, username, fresh)


def _token(bearer: Bearer) -> str:
    try:
        return bearer.token()
    except NoToken as error:
        raise (LoginRefused if error.refused else ConnectionLost)(str(error)) from None


def _authenticate(client: MeteredClient, mechanism: Mechanism, username: str, token: str) -> None:
    """What the error challenge says comes with the refusal, which alone says little."""
    said: list[str] = []
    answers = iter((initial(mechanism, username, token), acknowledgement(mechanism)))

    def answer(octets: bytes) -> bytes | None:
        said.append(challenge(octets))
        return next(answers, None)

    try:
        client.sasl_login(mechanism, answer)
    except (imaplib.IMAP4.abort, ProtocolError):
        raise
    except imaplib.IMAP4.error as error:
        ended = _login_ended(client, error)
        text = without_token(str(ended), mechanism, username, token)
        if isinstance(ended, ConnectionLost):
            raise ConnectionLost(text, ended.code) from None
        words = next(filter(None, said), "")
        raise LoginRefused(f"{text}; {words}" if words else text, ended.code) from None


def _numbers(uids: Sequence[int]) -> list[int]:
    """Only numbers: a range given as text makes the library fail after the command ran."""
    return [int(uid) for uid in uids]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _announced(items: dict[bytes, object]) -> Announced:
    internal = items.get(b"INTERNALDATE")
    flags = items.get(b"FLAGS") or ()
    named = {flag.lower() for flag in flags if isinstance(flag, bytes)} if isinstance(flags, tuple) else set()
    when = internal.astimezone(UTC) if isinstance(internal, datetime) else None
    return Announced(_number(items[b"RFC822.SIZE"]), when, bool(named & _JUNK_FLAGS))
