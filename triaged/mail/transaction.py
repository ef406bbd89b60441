"""One mail transaction on an open SMTP connection (RFC 5321 section 3.3); it opens none and chooses no retry."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Literal

from aiosmtplib import SMTP, SMTPException, SMTPResponse
from aiosmtplib.protocol import SMTPProtocol

from triaged.mail.ports import Outcome, Parcel, Permanent, Sent, Temporary, Unknown

Phase = Literal["mail", "rcpt", "data", "dot"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]{1,256}@[^\s<>@\x00-\x1f\x7f]{1,255}")
_LINE_OCTETS = 998
_LEADING_DOT = re.compile(rb"(?m)^\.")
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_TOO_MANY_RECIPIENTS = 552  # temporary on RCPT (RFC 5321 section 4.5.3.1.10)
_ENVID_OCTETS = 100  # RFC 3461 section 5.4
_BLOCK_OCTETS = 65_536
_REPLY_LENGTH = 500
_LAST_WORDS_SECONDS = 1.0  # for a reply that came just before the connection ended


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds, by command (RFC 5321 section 4.5.3.2, SM-3)."""

    greeting: float = 300.0  # the connection, TLS, EHLO and the login as well
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    final_dot: float = 600.0


class Lost(Exception):
    """The connection ended, or a reply didn't come or wasn't one, while the server had said nothing of this letter."""


class _Refusal(Exception):
    """The transaction ended before the final dot."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


async def transact(client: SMTP, parcel: Parcel, timeouts: Timeouts) -> Outcome:
    """Offer the letter. Raises Lost when the connection turns out dead at MAIL: then nothing of it was heard."""
    try:
        mail, rcpt = _envelope(client, parcel)
        await _say(client, "mail", timeouts.mail, *mail)
        try:
            await _say(client, "rcpt", timeouts.rcpt, *rcpt)
        except Lost as lost:
            return Temporary(str(lost), "server")
        try:
            await _say(client, "data", timeouts.data, b"DATA")
        except Lost as lost:
            return Temporary(str(lost), "letter")
    except _Refusal as refusal:
        return refusal.outcome
    return await _content(client, _LEADING_DOT.sub(b"..", parcel.data), timeouts)


def unfit(parcel: Parcel) -> str:
    """Why the letter can't go to any server; empty when it can."""
    if parcel.sender and not _ADDRESS.fullmatch(parcel.sender):
        return "the return path is no address"
    if not _ADDRESS.fullmatch(parcel.recipient):
        return "the recipient is no address"
    if not parcel.data.endswith(b"\r\n"):
        return "its last line has no end"
    # A lone CR or LF is what smuggles a second message past a server (SM-11).
    ends = parcel.data.count(b"\r\n")
    if ends != parcel.data.count(b"\r") or ends != parcel.data.count(b"\n") or b"\0" in parcel.data:
        return "it holds a lone CR or LF, or a NUL"
    if max(map(len, parcel.data.split(b"\r\n"))) > _LINE_OCTETS:
        return f"it has a line over {_LINE_OCTETS} octets"
    return ""


def xtext(value: str) -> str:
    """RFC 3461 section 4: what is not printable ASCII, and "+" and "=", as "+" and two hexadecimal digits."""
    octets = value.encode()
    return "".join(chr(o) if 33 <= o <= 126 and o not in b"+=" else f"+{o:02X}" for o in octets)


def reply_line(response: SMTPResponse) -> str:
    """The reply on one line, cut, without control characters."""
    return f"{response.code} {_CONTROL.sub(' ', response.message)}"[:_REPLY_LENGTH]


def _envelope(client: SMTP, parcel: Parcel) -> tuple[list[bytes], list[bytes]]:
    """MAIL and RCPT with the parameters offered. Raises _Refusal where the server lacks what the letter needs."""
    sender, recipient = _domain_in_ascii(parcel.sender), _domain_in_ascii(parcel.recipient)
    mail, rcpt = [f"FROM:<{sender}>"], [f"TO:<{recipient}>"]
    octets = len(parcel.data)
    if client.supports_extension("size"):  # RFC 1870
        most = client.esmtp_extensions["size"].strip()
        if most.isascii() and most.isdigit() and 0 < int(most[:19]) < octets:
            raise _Refusal(Permanent(f"not sent: {octets} octets, and the server takes {most[:19]} (SIZE)"))
        mail.append(f"SIZE={octets}")
    if not (sender + recipient).isascii():  # RFC 6531 section 3.2
        if not client.supports_extension("smtputf8"):
            raise _Refusal(Permanent("not sent: the address is not ASCII and the server has no SMTPUTF8"))
        mail.append("SMTPUTF8")
    if not parcel.data.isascii():  # RFC 6152
        if not client.supports_extension("8bitmime"):
            raise _Refusal(Permanent("not sent: the letter is not 7-bit and the server has no 8BITMIME"))
        mail.append("BODY=8BITMIME")
    if client.supports_extension("dsn"):  # RFC 3461
        mail.append("RET=HDRS")
        if parcel.envelope_id and len(identifier := xtext(parcel.envelope_id)) <= _ENVID_OCTETS:
            mail.append(f"ENVID={identifier}")
        rcpt.append("NOTIFY=FAILURE")
    return [b"MAIL", *(word.encode() for word in mail)], [b"RCPT", *(word.encode() for word in rcpt)]


def _domain_in_ascii(address: str) -> str:
    """Only the local part may need SMTPUTF8: a domain always has an A-label form (RFC 5890)."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + domain.encode("idna").decode()
    except UnicodeError:
        raise _Refusal(Permanent("not sent: the address has a domain that can't be one")) from None


async def _say(client: SMTP, phase: Phase, seconds: float, *words: bytes) -> None:
    try:
        response = await client.execute_command(*words, timeout=seconds)
    except (SMTPException, OSError) as error:
        raise Lost(f"{phase}: {what_ended(error)}") from error
    wanted = 3 if phase == "data" else 2
    if response.code // 100 != wanted:
        raise _Refusal(meaning(phase, response))


def meaning(phase: Phase, response: SMTPResponse) -> Outcome:
    """What a reply that isn't the wanted one means: its first digit decides (RFC 5321 section 4.2.1, SM-4)."""
    code, line = response.code, reply_line(response)
    if code == 421:
        return Temporary(line, "server")
    if code in _LOGIN_CODES and phase != "dot":
        return Temporary(line, "login")
    if phase == "rcpt" and code == _TOO_MANY_RECIPIENTS:
        return Temporary(line, "letter")
    if code // 100 == 5:
        return Permanent(line)
    if code // 100 == 4:
        return Temporary(line, "letter")
    return Unknown(line) if phase == "dot" else Temporary(line, "server")


async def _content(client: SMTP, content: bytes, timeouts: Timeouts) -> Outcome:
    """The message and the final dot. Until the dot is written a loss is harmless; after it nobody knows (RFC 1047)."""
    protocol = client.protocol
    if protocol is None:
        return Temporary("data: the connection ended", "letter")
    if len(content) > _BLOCK_OCTETS:
        return await _long_content(client, protocol, content, timeouts)
    try:
        protocol.write(content + b".\r\n")
        response = await protocol.read_response(timeouts.final_dot)
    except (SMTPException, OSError) as error:
        drop(client)
        return Unknown(f"final dot: {what_ended(error)}")
    return _taken(response)


async def _long_content(client: SMTP, protocol: SMTPProtocol, content: bytes, timeouts: Timeouts) -> Outcome:
    """Block by block, listening meanwhile: a server that has enough says so before the end and hangs up."""
    reply = asyncio.ensure_future(protocol.read_response(None))
    dotted = False
    try:
        for start in range(0, len(content), _BLOCK_OCTETS):
            protocol.write(content[start : start + _BLOCK_OCTETS])
            await asyncio.wait_for(protocol._drain_helper(), timeouts.block)
            if reply.done():
                return await _before_the_dot(client, reply, "a reply before the end")
        protocol.write(b".\r\n")
        dotted = True
        return _taken(await asyncio.wait_for(reply, timeouts.final_dot))
    except (SMTPException, OSError) as error:
        if not dotted:
            return await _before_the_dot(client, reply, what_ended(error))
        drop(client)
        return Unknown(f"final dot: {what_ended(error)}")
    finally:
        reply.cancel()


async def _before_the_dot(client: SMTP, reply: asyncio.Future[SMTPResponse], why: str) -> Outcome:
    """The server can't have taken a message that didn't end. What it said, where it said something, tells more."""
    await asyncio.wait({reply}, timeout=_LAST_WORDS_SECONDS)
    drop(client)
    if not reply.done() or reply.exception() or reply.result().code < 400:
        return Temporary(f"data: {why}", "letter")
    return meaning("data", reply.result())


def _taken(response: SMTPResponse) -> Outcome:
    return Sent(reply_line(response)) if response.code // 100 == 2 else meaning("dot", response)


def drop(client: SMTP) -> None:
    """End the connection now. Closing alone waits for a stuck server to take what is still to be written, for ever."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


def what_ended(error: Exception) -> str:
    """An exception of the library or of the network, in one line."""
    return f"{type(error).__name__}: {_CONTROL.sub(' ', str(error))}"[:_REPLY_LENGTH]
