"""The token endpoint: what it is asked, what its answers mean, when it is left alone, and that no secret comes out of it."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.mail.accounts import Word
from tests.servers import certificates
from tests.servers.tokens import CLIENT, SECRET, Answer, Tokens, refused, tokens
from triaged.mail.bearing import acknowledgement, challenge, challenge_of, initial
from triaged.mail.endpoint import LARGEST, post
from triaged.mail.keeper import Keeper, Memory
from triaged.mail.oauth2 import AHEAD, JITTER, Client, Token
from triaged.mail.oauth2_words import GENERAL, INVALID_GRANT, MICROSOFT, doubts, words_of
from triaged.mail.ports import NoToken
from triaged.mail.retry import LOGIN_HOLD

MISSING = (
    "the permission {} is missing: an administrator must grant the application its mail permissions"
    " in Entra, under API permissions"
)
START = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Scene:
    """A keeper before a token server, at an instant of ours."""

    server: Tokens
    clock: Clock = field(default_factory=Clock)
    shelf: Memory = field(default_factory=Memory)

    def keeper(self, flow: str = "client_credentials", chance: float = 0.0, **more: object) -> Keeper:
        values: dict[str, object] = {
            "flow": flow,
            "provider": "generic",
            "username": self.server.user,
            "client_id": CLIENT,
            "client_secret": Word(SECRET),
            "token_url": self.server.url("token"),
            "device_url": self.server.url("device"),
            "scopes": ("mail",),
            "service_account": None,
            "refresh_token": None,
            "mailbox": "security",
        }
        client = Client(**{**values, **more})  # type: ignore[arg-type]
        return Keeper(client, self.shelf, post, self.clock, lambda: chance)

    def answers(self, *answers: Answer) -> None:
        self.server.script.extend(answers)

    @property
    def asked(self) -> int:
        return len(self.server.asked)


@pytest.fixture
def scene():
    with tokens() as server:
        yield Scene(server)


def test_a_token_is_asked_for_once_and_used_until_five_minutes_before_its_end(scene: Scene) -> None:
    keeper = scene.keeper()
    first = keeper.token()
    scene.clock.move(timedelta(hours=1) - AHEAD - timedelta(seconds=1))
    assert keeper.token() == first
    scene.clock.move(timedelta(seconds=1))
    assert keeper.token() != first
    assert scene.asked == 2


def test_chance_moves_the_renewal_up_to_a_minute_further_ahead(scene: Scene) -> None:
    keeper = scene.keeper(chance=0.5)
    first = keeper.token()
    scene.clock.move(timedelta(hours=1) - AHEAD - JITTER / 2)
    assert keeper.token() != first


def test_a_token_of_a_minute_is_used_for_two_thirds_of_it(scene: Scene) -> None:
    scene.server.lifetime = 60
    keeper = scene.keeper()
    first = keeper.token()
    scene.clock.move(timedelta(seconds=39))
    assert keeper.token() == first


def test_twenty_threads_that_need_a_token_ask_for_one(scene: Scene) -> None:
    keeper, had = scene.keeper(), list[str]()
    threads = [threading.Thread(target=lambda: had.append(keeper.token())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(had), len(set(had)), scene.asked) == (20, 1, 1)


def test_while_the_endpoint_is_away_what_is_left_of_a_token_is_used(scene: Scene) -> None:
    keeper = scene.keeper()
    first = keeper.token()
    scene.server.stop()
    scene.clock.move(timedelta(minutes=57))
    assert keeper.token() == first
    scene.clock.move(timedelta(minutes=3))
    with pytest.raises(NoToken, match="can't be reached") as error:
        keeper.token()
    assert not error.value.refused
    scene.server.start()
    scene.clock.move(timedelta(seconds=5))
    assert keeper.token() != first


def test_a_refusal_is_held_for_as_long_as_a_wrong_password(scene: Scene) -> None:
    keeper = scene.keeper(client_secret=Word("wrong"))
    for _ in range(3):
        with pytest.raises(NoToken, match="client_secret") as error:
            keeper.token()
        assert error.value.refused
    assert scene.asked == 1
    scene.clock.move(LOGIN_HOLD)
    with pytest.raises(NoToken):
        keeper.token()
    assert scene.asked == 2


def test_a_new_login_ends_the_hold_at_once(scene: Scene) -> None:
    keeper = scene.keeper("device_code")
    with pytest.raises(NoToken, match="triaged login security"):
        keeper.token()
    other = scene.keeper("refresh_token", refresh_token=Word(scene.server.refresh_token()))
    other.token()  # as `triaged login` leaves it, in another process
    assert keeper.token() == other.token()


def test_a_new_login_whose_access_token_is_over_ends_the_hold_too(scene: Scene) -> None:
    keeper = scene.keeper("device_code")
    with pytest.raises(NoToken):
        keeper.token()
    scene.shelf.token = Token("over", START, START, scene.server.refresh_token())
    assert scene.server.active(keeper.token())


def test_a_rotated_refresh_token_is_kept_before_its_access_token_is_used(scene: Scene) -> None:
    scene.server.rotate = True
    first = scene.server.refresh_token()
    keeper = scene.keeper("refresh_token", refresh_token=Word(first))
    keeper.token()
    assert scene.shelf.token is not None
    assert scene.shelf.token.refresh not in ("", first)
    again = scene.keeper("refresh_token", refresh_token=Word(first))  # another process
    scene.clock.move(timedelta(hours=1))
    again.token()
    assert scene.server.spent == []


def test_a_token_that_a_server_refused_is_not_given_again_even_while_the_endpoint_is_away(scene: Scene) -> None:
    keeper = scene.keeper()
    keeper.refuse(keeper.token())
    scene.server.stop()
    with pytest.raises(NoToken, match="can't be reached"):
        keeper.token()


def test_google_hears_no_scope_with_a_refresh_token_and_microsoft_does(scene: Scene) -> None:
    for provider in ("google", "microsoft"):
        scene.shelf.token = None
        scene.keeper("refresh_token", provider=provider, refresh_token=Word(scene.server.refresh_token())).token()
    google, microsoft = scene.server.asked
    assert "scope" not in google
    assert microsoft["scope"] == "mail"


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def key_file(key: rsa.RSAPrivateKey) -> Word:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return Word(json.dumps({"client_email": "bot@project.iam.test", "private_key": pem, "private_key_id": "k1"}))


def test_a_service_accounts_word_is_signed_and_names_the_mailbox_that_it_acts_for(
    scene: Scene, rsa_key: rsa.RSAPrivateKey
) -> None:
    scene.server.public_key = rsa_key.public_key()
    scene.clock.at = datetime.now(UTC)
    access = scene.keeper("service_account", service_account=key_file(rsa_key)).token()
    assert scene.server.active(access)
    assert scene.server._users[access] == scene.server.user
    other = rsa.generate_private_key(65537, 2048)
    scene.shelf.token = None
    with pytest.raises(NoToken, match="check its key"):
        scene.keeper("service_account", service_account=key_file(other)).token()


@pytest.mark.parametrize("key", ["no key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_can_not_be_read_is_a_mend_without_a_word_of_it(scene: Scene, key: str) -> None:
    account = Word(json.dumps({"client_email": "a@b", "private_key": key}))
    with pytest.raises(NoToken, match="download the key anew") as error:
        scene.keeper("service_account", service_account=account).token()
    assert "c2VjcmV0" not in str(error.value)
    assert error.value.__cause__ is None


ANSWERS = {
    "a redirect is not followed": (Answer(302, {}, {"Location": "http://127.0.0.1:1/"}), True, "never followed"),
    "a page": (Answer(200, b"<html>"), True, "not as a token endpoint does"),
    "nothing": (Answer(200, b""), True, "not as a token endpoint does"),
    "a list": (Answer(200, []), True, "not as a token endpoint does"),
    "deep": (Answer(200, b"[" * 60_000), True, "not as a token endpoint does"),
    "no token": (Answer(200, {"token_type": "Bearer"}), True, "holds no bearer token"),
    "a number": (Answer(200, {"access_token": 5}), True, "holds no bearer token"),
    "another kind": (Answer(200, {"access_token": "a", "token_type": "mac"}), True, "holds no bearer token"),
    "two lines": (Answer(200, {"access_token": "a\r\nA1 LOGOUT", "token_type": "Bearer"}), True, "no bearer token"),
    "a separator": (Answer(200, {"access_token": "a\1auth=b", "token_type": "Bearer"}), True, "no bearer token"),
    "not there": (Answer(404, b"no"), True, "mend token_url"),
    "busy": (Answer(429, {"error": "slow_down"}), False, "busy"),
    "ill": (Answer(500, {"error": "server_error"}), False, "busy"),
    "ill and polite": (Answer(400, {"error": "temporarily_unavailable"}), False, "busy"),
    "too large": (Answer(200, b" " * (LARGEST + 1)), False, "not an answer of HTTP"),
    "scope": (refused("invalid_scope"), True, "oauth2.scopes"),
    "unknown": (refused("odd_error", "some\x1b[31m words"), True, r"odd_error, some \[31m words"),
    "an error that is none": (Answer(400, {"error": {"a": SECRET}}), True, "not as a token endpoint does"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_no_token_is_a_sentence_and_no_secret(scene: Scene, case: str) -> None:
    answer, refuses, wanted = ANSWERS[case]
    scene.answers(answer)
    with pytest.raises(NoToken, match=wanted) as error:
        scene.keeper().token()
    assert error.value.refused == refuses
    assert SECRET not in str(error.value)
    assert str(error.value).isprintable()


def test_what_an_endpoint_says_back_is_taken_out(scene: Scene) -> None:
    refresh = scene.server.refresh_token()
    scene.answers(refused("odd", f"you sent {SECRET} and {refresh}"))
    with pytest.raises(NoToken) as error:
        scene.keeper("refresh_token", refresh_token=Word(refresh)).token()
    assert "you sent (secret) and (secret)" in str(error.value)


@pytest.mark.parametrize("seconds", [5, "5", 5.7])
def test_a_lifetime_may_be_text_or_a_fraction(scene: Scene, seconds: object) -> None:
    scene.answers(Answer(200, {"access_token": "a", "token_type": "bearer", "expires_in": seconds}))
    scene.keeper().token()
    assert scene.shelf.token is not None
    assert scene.shelf.token.expires_at == START + timedelta(seconds=5)


@pytest.mark.parametrize("seconds", [None, "soon", [], 1e400, "9" * 5000])
def test_a_lifetime_that_is_none_is_a_short_one(scene: Scene, seconds: object) -> None:
    body = json.dumps({"access_token": "a", "token_type": "bearer", "expires_in": seconds}).encode()
    scene.answers(Answer(200, body))
    scene.keeper().token()
    assert scene.shelf.token is not None
    assert scene.shelf.token.expires_at - START <= timedelta(days=1)


def test_an_endpoint_that_drips_its_header_is_given_up(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        began = time.monotonic()
        with pytest.raises(NoToken, match="can't be reached"):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/token", {}, seconds=0.5)
        assert time.monotonic() - began < 3


def drip(server: socket.socket) -> None:
    peer, _ = server.accept()
    with peer, contextlib.suppress(OSError):
        peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(200):
            peer.sendall(b"a")
            time.sleep(0.05)


def test_an_endpoint_that_says_nothing_is_given_up(scene: Scene) -> None:
    scene.answers(Answer(200, {}, delay=1))
    with pytest.raises(NoToken, match="can't be reached") as error:
        post(scene.server.url("token"), {"grant_type": "client_credentials"}, seconds=0.3)
    assert not error.value.refused


def test_the_endpoints_certificate_is_verified(tmp_path: Path) -> None:
    made = certificates.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.other_name, made.key)
    with tokens(context) as server:
        with pytest.raises(NoToken, match="certificate verify failed"):
            post(server.url("token"), {})
        with pytest.raises(NoToken, match="not valid for"):
            post(server.url("token"), {}, ssl.create_default_context(cafile=str(made.ca)))
        assert server.asked == []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with tokens(context) as server:
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        assert post(server.url("token"), form, ssl.create_default_context(cafile=str(made.ca))).status == 200


def test_nothing_shows_a_secret(scene: Scene) -> None:
    refresh = scene.server.refresh_token()
    keeper = scene.keeper("refresh_token", refresh_token=Word(refresh))
    access = keeper.token()
    shown = repr((keeper._token, keeper.shelf, keeper.bearer(), post(scene.server.url("token"), {})))
    assert not any(secret in shown for secret in (access, refresh, SECRET))


@pytest.mark.parametrize("number", MICROSOFT)
def test_what_microsoft_says_has_a_mend(number: str) -> None:
    said = words_of(
        "invalid_client", f"AADSTS{number}: long. Trace ID: 1\r\nTimestamp: 2", "microsoft", "device_code", "box"
    )
    assert f"AADSTS{number}" in said
    assert "Trace" not in said
    assert "{" not in said


@pytest.mark.parametrize("error", [*GENERAL, "invalid_grant", "else"])
@pytest.mark.parametrize("flow", INVALID_GRANT)
def test_every_refusal_has_a_mend(error: str, flow: str) -> None:
    said = words_of(error, "", "generic", flow, "box")
    assert said.endswith(f"({error})")
    assert "{" not in said


def jwt(claims: object) -> str:
    return "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c2ln"


def test_a_token_of_microsofts_without_its_permissions_is_seen_before_a_server_refuses_it() -> None:
    good = {"aud": "https://outlook.office365.com", "roles": ["IMAP.AccessAsApp", "SMTP.SendAsApp"]}
    assert list(doubts(jwt(good), "microsoft", "client_credentials")) == []
    assert "IMAP.AccessAsApp is missing" in next(doubts(jwt({**good, "roles": []}), "microsoft", "client_credentials"))
    assert "another service" in next(doubts(jwt({**good, "aud": "graph"}), "microsoft", "client_credentials"))
    user = {"aud": "https://outlook.office.com", "scp": "IMAP.AccessAsUser.All"}
    assert list(doubts(jwt(user), "microsoft", "device_code")) == [MISSING.format("SMTP")]
    for opaque in ("", "a.b.c", jwt([]), jwt({"roles": 5})):
        assert SECRET not in "".join(doubts(opaque, "microsoft", "client_credentials"))


def test_the_standards_own_exchange() -> None:
    """RFC 7628 section 4.1 and 4.3, without the port and host that it says may be left out."""
    said = initial("OAUTHBEARER", "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")
    assert said == b"n,a=user@example.com,\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"
    refusal = "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIn0="
    assert challenge_of(refusal) == "the server says invalid_token, the scope it wants is example_scope"
    assert (acknowledgement("OAUTHBEARER"), acknowledgement("XOAUTH2")) == (b"\1", b"")
    assert initial("OAUTHBEARER", "a,b=c@d", "t").startswith(b"n,a=a=2Cb=3Dc@d,\1")


@pytest.mark.parametrize(("name", "token"), [("a\1b", "t"), ("a\r\nb", "t"), ("a", "t\1"), ("a", "t u"), ("a", "\xe9")])
def test_a_name_or_token_that_would_end_the_exchange_is_never_sent(name: str, token: str) -> None:
    with pytest.raises(ValueError, match="never sent"):
        initial("XOAUTH2", name, token)


@pytest.mark.parametrize(
    "octets", [b"", b"\xff", b"[]", b"{", b'{"status": 5}', b'{"status": "a\\u001b[0m"}', b"[" * 9000]
)
def test_a_challenge_that_says_nothing_is_no_words(octets: bytes) -> None:
    assert challenge(octets) == ""
    assert challenge_of(octets) == ""
