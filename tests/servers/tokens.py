"""A token server for the tests: token, device and introspection endpoints (RFC 6749, 8628, 7662). Knows nothing of triaged."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.servers.process import HOST

CLIENT, SECRET = "triaged-tests", "a-client-secret-that-nobody-may-see"


@dataclass
class Answer:
    """One scripted answer in the place of the usual one."""

    status: int
    body: object  # bytes as they are, else JSON
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass
class Tokens:
    """Grants tokens to CLIENT with SECRET; every grant is for `user`. The port outlives stop() and start()."""

    user: str = "security@example.test"
    lifetime: float = 3600.0
    rotate: bool = False  # each refresh token is good once
    scheme: str = "http"
    port: int = 0
    refresh_tokens: set[str] = field(default_factory=set)
    spent: list[str] = field(default_factory=list)  # refresh tokens that were used after their rotation
    issued: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)  # forms of the token endpoint, in order
    script: list[Answer] = field(default_factory=list)  # for the next visits of the token endpoint
    agreed: bool = False  # a person has used the device code
    introspected: int = 0
    public_key: Any = None  # of the service account
    _ends: dict[str, float] = field(default_factory=dict)
    _users: dict[str, str] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/{path}"

    def refresh_token(self) -> str:
        """A new one, as a login in a browser would have given."""
        token = "refresh-" + secrets.token_urlsafe(24)
        self.refresh_tokens.add(token)
        return token

    def revoke(self, *access: str) -> None:
        """These access tokens, or all, are good no more."""
        for token in access or tuple(self._ends):
            self._ends.pop(token, None)

    def active(self, access: str) -> bool:
        return self._ends.get(access, 0.0) > time.time()

    def every_secret(self) -> list[str]:
        """What must stand in no log, error or listing."""
        return [
            SECRET,
            *self.issued,
            *self.refresh_tokens,
            *(form.get("refresh_token") or SECRET for form in self.asked),
        ]

    def granted(self, form: dict[str, str]) -> Answer:
        with self._lock:
            self.asked.append(form)
            if self.script:
                return self.script.pop(0)
            how = form.get("grant_type", "").rpartition(":")[2]
            return getattr(self, "_" + how.replace("-", "_"), self._unknown)(form)

    def _unknown(self, form: dict[str, str]) -> Answer:
        return refused("unsupported_grant_type")

    def _client_credentials(self, form: dict[str, str]) -> Answer:
        return self._new(self.user) if known(form) else refused("invalid_client", status=401)

    def _refresh_token(self, form: dict[str, str]) -> Answer:
        if not known(form):
            return refused("invalid_client", status=401)
        old = form.get("refresh_token", "")
        if old not in self.refresh_tokens:
            self.spent.append(old)
            return refused("invalid_grant", f"the refresh token {old} is not known")
        if not self.rotate:
            return self._new(self.user)
        self.refresh_tokens.discard(old)
        return self._new(self.user, self.refresh_token())

    def _device_code(self, form: dict[str, str]) -> Answer:
        return self._new(self.user, self.refresh_token()) if self.agreed else refused("authorization_pending")

    def _jwt_bearer(self, form: dict[str, str]) -> Answer:
        claims = verified(form["assertion"], self.public_key)
        if claims is None or claims["aud"] != self.url("token") or not claims["iat"] <= time.time() + 5 < claims["exp"]:
            return refused("invalid_grant", "Invalid JWT Signature.")
        return self._new(claims["sub"])

    def _new(self, user: str, refresh: str = "") -> Answer:
        access = "access-" + secrets.token_urlsafe(900)  # Microsoft's have 2 KB
        self.issued.append(access)
        self._ends[access], self._users[access] = time.time() + self.lifetime, user
        body = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime}
        return Answer(200, {**body, **({"refresh_token": refresh} if refresh else {})})

    def device(self) -> Answer:
        body = {"device_code": secrets.token_urlsafe(24), "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 1}
        return Answer(200, {**body, "verification_uri": self.url("activate")})

    def introspect(self, access: str) -> Answer:
        self.introspected += 1
        active = self.active(access)
        return Answer(200, {"active": active, "username": self._users.get(access, "")} if active else {"active": False})

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = ThreadingHTTPServer((HOST, self.port), _handler(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def verified(assertion: str, key: Any) -> dict[str, Any] | None:
    """The claims of a JWT (RFC 7519) whose RS256 signature is of that key."""
    text, _, signature = assertion.rpartition(".")
    header, _, claims = text.partition(".")
    try:
        key.verify(_unb64(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return None
    assert json.loads(_unb64(header))["alg"] == "RS256"
    found: dict[str, Any] = json.loads(_unb64(claims))
    return found


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def known(form: dict[str, str]) -> bool:
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)


def refused(error: str, description: str = "", status: int = 400) -> Answer:
    return Answer(status, {"error": error, "error_description": description})


def _handler(tokens: Tokens) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
            if self.path.startswith("/introspect"):
                self.answer(tokens.introspect(form.get("token", "")))
            elif self.path == "/device":
                self.answer(tokens.device())
            else:
                self.answer(tokens.granted(form))

        def answer(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked has left
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: its lines would hold tokens."""

    return Handler


@contextlib.contextmanager
def tokens(tls: ssl.SSLContext | None = None, **settings: Any) -> Iterator[Tokens]:
    """A running one, gone at the end."""
    server = Tokens(**settings)
    server.start(tls)
    try:
        yield server
    finally:
        server.stop()
