"""One POST to a token endpoint: verified TLS, bounded in time and octets, no redirect followed, no proxy, no header kept."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from contextlib import closing, suppress
from urllib.parse import urlencode, urlsplit

from triaged.mail.oauth2 import Answer, Form
from triaged.mail.ports import NoToken

CONNECT_SECONDS = 10.0
WHOLE_SECONDS = 30.0  # a peer that sends an octet a second is given up at this
LARGEST = 65_536  # octets of an answer
_CONTROL = re.compile(r"[^\x20-\x7e]+")


def post(url: str, form: Form, tls: ssl.SSLContext | None = None, seconds: float = WHOLE_SECONDS) -> Answer:
    """The answer, whatever its status. Raises NoToken where there is none; never with a word of what was sent."""
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, tls, min(seconds, CONNECT_SECONDS))
        # A timeout is for each octet: one that drips its header would never come to an end.
        late = threading.Event()
        cut = threading.Timer(seconds, _cut, (connection, late))
        cut.daemon = True
        cut.start()
        try:
            answer = _exchange(connection, parts.path or "/", parts.query, form)
            if late.is_set():
                raise TimeoutError("the answer takes too long")
            return answer
        finally:
            cut.cancel()
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _CONTROL.sub(" ", str(error))[:200] if isinstance(error, OSError) else "not an answer of HTTP"
        raise NoToken(f"{url} can't be reached: {type(error).__name__}: {why}", refused=False) from None


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    with suppress(OSError, AttributeError):
        # The plain one below TLS: a shutdown there is no part of its protocol, and ends a read at once.
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _connection(
    scheme: str, host: str, port: int | None, tls: ssl.SSLContext | None, seconds: float
) -> http.client.HTTPConnection:
    if scheme == "http":  # settings allow it on loopback alone
        return http.client.HTTPConnection(host, port, timeout=seconds)
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=tls or ssl.create_default_context())


def _exchange(connection: http.client.HTTPConnection, path: str, query: str, form: Form) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    connection.request("POST", path + (f"?{query}" if query else ""), urlencode(form), headers)
    with closing(connection.getresponse()) as response:
        body = response.read(LARGEST + 1)
        if response.length and len(body) <= LARGEST:  # octets that were announced and did not come
            raise http.client.IncompleteRead(b"")
    if len(body) > LARGEST:
        raise ValueError("too large")
    return Answer(response.status, body)
