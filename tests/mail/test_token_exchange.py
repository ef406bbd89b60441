"""What is said line by line when a server will not have a token (IM-10), to servers that do as they like."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.mail.accounts import Imap, Smtp
from tests.mail.scripted_imap import Connection, Hangup, ScriptedImap, scripted
from triaged.mail.imap import ConnectionLost, LoginRefused, connect
from triaged.mail.ports import Bearer, NoToken, Parcel, Sent, Temporary
from triaged.mail.smtp import Submission

NAME = "security@example.test"
JSON = base64.b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}')
FIRST = {
    "OAUTHBEARER": base64.b64encode(f"n,a={NAME},\1auth=Bearer token-1\1\1".encode()),
    "XOAUTH2": base64.b64encode(f"user={NAME}\1auth=Bearer token-1\1\1".encode()),
}
SECOND = {name: base64.b64encode(base64.b64decode(said).replace(b"-1", b"-2")) for name, said in FIRST.items()}
LAST = {"OAUTHBEARER": b"AQ==", "XOAUTH2": b""}


@dataclass
class Purse:
    """token-1, and after each refusal the next, up to `most`."""

    most: int = 2
    number: int = 1
    refused: list[str] = field(default_factory=list)

    def bearer(self) -> Bearer:
        return Bearer(lambda: f"token-{self.number}", self.refuse)

    def refuse(self, token: str) -> None:
        self.refused.append(token)
        self.number = min(self.number + 1, self.most)


def imap(port: int, purse: Purse) -> Imap:
    return Imap(port, username=NAME, password=purse.bearer())  # type: ignore[arg-type]


Act = Callable[[Connection, bytes, bytes], None]


def taking(act: Act, mechanism: str = "XOAUTH2") -> contextlib.AbstractContextManager[ScriptedImap]:
    """A server of that mechanism, which does so at AUTHENTICATE."""
    return scripted(act={b"AUTHENTICATE": act}, capabilities=b"IMAP4rev1 LOGINDISABLED AUTH=" + mechanism.encode())


def refusing(heard: list[bytes], times: int, no: bytes = b"NO [AUTHENTICATIONFAILED] no") -> Act:
    """AUTHENTICATE with the error challenge, that many times, then OK."""
    left = [times]

    def act(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(b"+ ")
        heard.append(next(connection.lines).rstrip(b"\r\n"))
        if not left[0]:
            connection.say(tag + b" OK in")
            return
        left[0] -= 1
        connection.say(b"+ " + JSON)
        heard.append(next(connection.lines).rstrip(b"\r\n"))
        connection.say(tag + b" " + no)

    return act


@pytest.mark.parametrize("mechanism", list(FIRST))
def test_the_error_challenge_is_answered_and_the_next_token_tried_on_the_same_connection(mechanism: str) -> None:
    heard = list[bytes]()
    with taking(refusing(heard, 1), mechanism) as server:
        connect(imap(server.port, Purse())).logout()
    assert heard == [FIRST[mechanism], LAST[mechanism], SECOND[mechanism]]


def test_a_second_refusal_stands_and_says_what_the_challenge_said() -> None:
    heard, purse = list[bytes](), Purse()
    with (
        taking(refusing(heard, 9)) as server,
        pytest.raises(LoginRefused, match=r"says 400, the scope it wants is https://mail"),
    ):
        connect(imap(server.port, purse))
    assert len(heard) == 4
    assert purse.refused == ["token-1"]


def test_where_there_is_no_other_token_one_refusal_is_enough() -> None:
    heard = list[bytes]()
    with taking(refusing(heard, 9)) as server, pytest.raises(LoginRefused):
        connect(imap(server.port, Purse(most=1)))
    assert len(heard) == 2


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INUSE", "LIMIT"])
def test_a_server_that_is_busy_costs_no_token(code: str) -> None:
    heard, purse = list[bytes](), Purse()
    act = refusing(heard, 9, f"NO [{code}] later".encode())
    with taking(act) as server, pytest.raises(LoginRefused) as error:
        connect(imap(server.port, purse))
    assert (error.value.code, purse.refused) == (code, [])


def test_a_server_that_says_the_token_back_gets_it_into_no_error() -> None:
    def act(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(b"+ ")
        said = next(connection.lines).rstrip(b"\r\n")
        connection.say(tag + b" BAD what is " + said + b" or " + base64.b64decode(said).split(b"Bearer ")[1][:7])

    with taking(act) as server, pytest.raises(LoginRefused, match=r"what is \(token\) or \(token\)") as error:
        connect(imap(server.port, Purse()))
    assert error.value.__cause__ is None


def test_a_server_that_asks_on_and_on_is_left() -> None:
    def act(connection: Connection, tag: bytes, rest: bytes) -> None:
        while True:
            connection.say(b"+ " + JSON)
            if next(connection.lines).rstrip(b"\r\n") == b"*":
                connection.say(tag + b" BAD cancelled")
                return

    with taking(act) as server, pytest.raises(LoginRefused):
        connect(imap(server.port, Purse()))


def test_a_connection_that_ends_within_the_exchange_is_lost_and_its_token_stays() -> None:
    def act(connection: Connection, tag: bytes, rest: bytes) -> None:
        connection.say(b"+ ")
        next(connection.lines)
        raise Hangup

    purse = Purse()
    with taking(act) as server, pytest.raises(ConnectionLost):
        connect(imap(server.port, purse))
    assert purse.refused == []


def test_a_server_without_tokens_is_told_none() -> None:
    with scripted(capabilities=b"IMAP4rev1 AUTH=PLAIN") as server:
        with pytest.raises(LoginRefused, match="neither OAUTHBEARER nor XOAUTH2"):
            connect(imap(server.port, Purse()))
        assert not any(b"token" in line or b"AUTHENTICATE" in line for line in server.commands)


def test_without_a_token_no_connection_is_made() -> None:
    def none() -> str:
        raise NoToken("gone: mend it", refused=True)

    with scripted(capabilities=b"IMAP4rev1 AUTH=XOAUTH2") as server:
        with pytest.raises(LoginRefused, match="gone: mend it"):
            connect(Imap(server.port, password=Bearer(none, lambda token: None)))  # type: ignore[arg-type]
        assert server.commands == []


@contextlib.contextmanager
def smtp(mechanism: str, refusals: int, heard: list[bytes]) -> Iterator[int]:
    """A submission server that refuses that many tokens by the error challenge, and takes one letter."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, mechanism, refusals, heard), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket, mechanism: str, refusals: int, heard: list[bytes]) -> None:
    with contextlib.suppress(OSError, StopIteration):
        peer, _ = listening.accept()
        with peer:
            lines = (line.rstrip(b"\r\n") for line in peer.makefile("rb"))
            peer.sendall(b"220 hi\r\n")
            for line in lines:
                word = line.split(b" ")[0].upper()
                if word == b"EHLO":
                    peer.sendall(b"250-hi\r\n250 AUTH " + mechanism.encode() + b"\r\n")
                elif word == b"AUTH" and refusals:
                    refusals -= 1
                    peer.sendall(b"334 " + JSON + b"\r\n")
                    heard += [line, next(lines)]
                    peer.sendall(b"535 5.7.3 no " + line + b"\r\n")
                elif word == b"AUTH":
                    heard.append(line)
                    peer.sendall(b"235 in\r\n")
                elif word == b"DATA":
                    peer.sendall(b"354 go\r\n")
                    while next(lines) != b".":
                        pass
                    peer.sendall(b"250 taken\r\n")
                else:
                    peer.sendall(b"250 ok\r\n")


def hand_in(port: int, purse: Purse) -> object:
    async def once() -> object:
        submission = Submission(Smtp(port, username=NAME, password=purse.bearer()), 1)  # type: ignore[arg-type]
        try:
            return await submission.send(Parcel(NAME, NAME, b"Subject: hi\r\n\r\nhello\r\n", ""))
        finally:
            await submission.close()

    return asyncio.run(once())


@pytest.mark.parametrize("mechanism", list(FIRST))
def test_a_submission_servers_challenge_is_answered_and_the_next_token_tried(mechanism: str) -> None:
    heard = list[bytes]()
    with smtp(mechanism, 1, heard) as port:
        assert isinstance(hand_in(port, Purse()), Sent)
    auth = b"AUTH " + mechanism.encode() + b" "
    assert heard == [auth + FIRST[mechanism], LAST[mechanism], auth + SECOND[mechanism]]


def test_a_submission_servers_refusal_says_the_challenge_and_never_the_token() -> None:
    heard, purse = list[bytes](), Purse()
    with smtp("XOAUTH2", 9, heard) as port:
        outcome = hand_in(port, purse)
    assert isinstance(outcome, Temporary)
    assert outcome.scope == "login"
    assert "the server says 400" in outcome.reply
    assert FIRST["XOAUTH2"].decode() not in outcome.reply
    assert SECOND["XOAUTH2"].decode() not in outcome.reply
    assert purse.refused == ["token-1"]
