"""Hands letters to a submission server over a few kept connections (RFC 6409); it never decides whether to send."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from contextlib import suppress
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPHeloError,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from triaged.mail.bearing import NOT_OFFERED, Mechanism, acknowledgement, challenge_of, chosen, initial, without_token
from triaged.mail.ports import Bearer, NoToken, Outcome, Parcel, Permanent, Secret, Sent, SmtpAccount, Temporary
from triaged.mail.transaction import Lost, Timeouts, drop, meaning, reply_line, transact, unfit, what_ended

USUAL = Timeouts()
IDLE_SECONDS = 30.0  # then an unused connection is closed: servers dislike idlers
_QUIT_SECONDS = 5.0
_HELO = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class _NoConnection(Exception):
    """There is no connection to the server, or no login."""

    def __init__(self, outcome: Temporary) -> None:
        super().__init__()
        self.outcome = outcome


class Submission:
    """Up to `connections` reused connections to one account's server, in one event loop; `close` it at the end."""

    def __init__(
        self,
        account: SmtpAccount,
        connections: int,
        timeouts: Timeouts = USUAL,
        tls: ssl.SSLContext | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._account = account
        self._timeouts = timeouts
        self._tls = tls or (ssl.create_default_context() if account.security in ("tls", "starttls") else None)
        self._idle_seconds = idle_seconds
        self._slots = asyncio.Semaphore(connections)
        self._idle: dict[SMTP, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def send(self, parcel: Parcel) -> Outcome:
        """Offer one letter to one recipient. What went wrong is in the outcome; only cancelling raises.

        Unknown: the final dot may have reached the server, and no reply came back (RFC 1047, SM-2).
        """
        why = unfit(parcel)
        if why:
            return Permanent(f"not sent: {why}")
        async with self._slots:
            # A kept connection may have been closed by the server since: then nothing was heard, and a new one serves.
            while self._idle:
                client, timer = self._idle.popitem()
                timer.cancel()
                with suppress(Lost):
                    return await self._over(client, parcel)
            try:
                return await self._over(await self._connect(parcel.sender), parcel)
            except Lost as lost:
                return Temporary(str(lost), "server")
            except _NoConnection as none:
                return none.outcome

    async def check(self) -> Outcome:
        """Connect, log in and leave: Sent with the answer to EHLO, or what went wrong."""
        try:
            client = await self._connect("")
        except _NoConnection as none:
            return none.outcome
        greeting = client.last_ehlo_response
        await _leave(client)
        return Sent(reply_line(greeting) if greeting else "")

    async def accepts(self, sender: str, recipient: str) -> Outcome:
        """Name an envelope and take it back before DATA: Sent where the server would take it. Nothing is delivered."""
        try:
            client = await self._connect(sender)
        except _NoConnection as none:
            return none.outcome
        try:
            await client.mail(sender, timeout=self._timeouts.mail)
            reply = await client.rcpt(recipient, timeout=self._timeouts.rcpt)
            await client.rset(timeout=_QUIT_SECONDS)
            return Sent(reply_line(reply))
        except SMTPResponseException as refused:
            return meaning("rcpt", SMTPResponse(refused.code, refused.message))
        except (SMTPException, OSError) as lost:
            return Temporary(_said(lost), "server")
        finally:
            await _leave(client)

    async def close(self) -> None:
        """Say good-bye on every connection that isn't at work."""
        while self._idle:
            self._dismiss(next(iter(self._idle)))
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _over(self, client: SMTP, parcel: Parcel) -> Outcome:
        kept = False
        try:
            outcome = await transact(client, parcel, self._timeouts)
            kept = isinstance(outcome, Sent) or await self._ready_again(client)
        finally:
            # After a cancelled command the connection still looks well, with somebody else's reply on its way.
            if not kept:
                drop(client)
        if kept:
            self._keep(client)
        return outcome

    async def _ready_again(self, client: SMTP) -> bool:
        if not client.is_connected:
            return False
        with suppress(SMTPException, OSError):
            await client.rset(timeout=min(self._timeouts.mail, _QUIT_SECONDS))
            return True
        return False

    def _keep(self, client: SMTP) -> None:
        loop = asyncio.get_running_loop()
        self._idle[client] = loop.call_later(self._idle_seconds, self._dismiss, client)

    def _dismiss(self, client: SMTP) -> None:
        timer = self._idle.pop(client, None)
        if timer:
            timer.cancel()
            task = asyncio.get_running_loop().create_task(_leave(client))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _connect(self, sender: str) -> SMTP:
        account = self._account
        if account.username and isinstance(account.password, Bearer):
            await _token(account.password)  # before the connection, which would time out beside a slow endpoint
        # Both always said: left open, the library would take TLS or leave it, as the server likes.
        client = SMTP(
            hostname=account.host,
            port=account.port,
            use_tls=account.security == "tls",
            start_tls=account.security == "starttls",
            tls_context=self._tls,
            local_hostname=helo_name(sender or account.username),
            timeout=self._timeouts.greeting,
        )
        try:
            await client.connect()
            await _greet(client)
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise _NoConnection(Temporary(f"connect: {_said(error)}", "server")) from error
        except BaseException:
            client.close()
            raise
        if account.username and account.password is not None:
            await _enter(client, account.username, account.password)
        return client


def helo_name(address: str) -> str:
    """What EHLO says: the sender's domain, never this host's name (AR-18); "localhost" where there is none."""
    domain = address.rpartition("@")[2] if "@" in address else ""
    return domain if _HELO.fullmatch(domain) else "localhost"


async def _greet(client: SMTP) -> None:
    """What the server offers is learnt before the envelope is written, and anew after TLS (RFC 3207 section 4.2)."""
    try:
        await client.ehlo()
    except SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


async def _enter(client: SMTP, username: str, password: Secret | Bearer) -> None:
    """Log in. Raises _NoConnection, and then the connection is closed."""
    try:
        if isinstance(password, Bearer):
            await _login_by_token(client, username, password)
        else:
            await _login(client, username, password.reveal())
    except _NoConnection:
        client.close()
        raise
    except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as error:
        client.close()
        raise _NoConnection(Temporary(f"login: {what_ended(error)}", "server")) from error
    except (SMTPException, ValueError) as error:
        client.close()
        # 4yz is the server's trouble and not the password's (RFC 4954 section 6): 454 while its user database restarts.
        busy = isinstance(error, SMTPResponseException) and 400 <= error.code < 500
        raise _NoConnection(Temporary(f"login: {_said(error)}", "server" if busy else "login")) from error
    except BaseException:
        client.close()
        raise


async def _login(client: SMTP, username: str, password: str) -> None:
    """One method only: a second try with the same password counts as an attack at some servers."""
    methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
    offered = [method for name, method in methods.items() if name in client.server_auth_methods]
    if not offered:
        raise SMTPException("the server offers no login here: use another port, or security with TLS")
    await offered[0](username, password)


async def _login_by_token(client: SMTP, username: str, bearer: Bearer) -> None:
    """A token that the server will not have is renewed once, then the refusal stands (IM-10)."""
    mechanism = chosen(client.server_auth_methods)
    if mechanism is None:
        raise SMTPException(NOT_OFFERED)
    token = await _token(bearer)
    try:
        await _authenticate(client, mechanism, username, token)
    except SMTPAuthenticationError as error:
        if error.code < 500 or not client.is_connected:
            raise
        await asyncio.to_thread(bearer.refuse, token)
        fresh = await _token(bearer)
        if fresh == token:
            raise
        await _authenticate(client, mechanism, username, fresh)


async def _token(bearer: Bearer) -> str:
    try:
        return await asyncio.to_thread(bearer.token)
    except NoToken as error:
        scope: Literal["login", "server"] = "login" if error.refused else "server"
        raise _NoConnection(Temporary(f"login: {error}", scope)) from None


async def _authenticate(client: SMTP, mechanism: Mechanism, username: str, token: str) -> None:
    """By hand, because the library has no OAUTHBEARER and throws the error challenge away (RFC 4954 section 4)."""
    first = base64.b64encode(initial(mechanism, username, token))
    response, words = await client.execute_command(b"AUTH", mechanism.encode(), first), ""
    if response.code == 334:
        words = challenge_of(response.message)
        response = await client.execute_command(base64.b64encode(acknowledgement(mechanism)))
    if response.code != 235:
        text = without_token(response.message, mechanism, username, token)
        raise SMTPAuthenticationError(response.code, f"{text}; {words}" if words else text)


def _said(error: Exception) -> str:
    """A reply with its code, or what the library says."""
    if isinstance(error, SMTPResponseException):
        return reply_line(SMTPResponse(error.code, error.message))
    return what_ended(error)


async def _leave(client: SMTP) -> None:
    with suppress(SMTPException, OSError):
        await client.quit(timeout=_QUIT_SECONDS)
    client.close()
