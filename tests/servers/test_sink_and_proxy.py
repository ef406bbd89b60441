"""What the sink and the proxy promise the other tests."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import certificates
from tests.servers.process import HOST
from tests.servers.proxy import Proxy, proxy
from tests.servers.sink import Answer, Sink, sink, sink_process

RAW = b"Subject: dots\r\n\r\n.one\r\n..two\r\n"


def send(port: int, raw: bytes = RAW, *to: str) -> None:
    with smtplib.SMTP(HOST, port, timeout=5) as peer:
        peer.sendmail("a@sender.test", to or ["b@receiver.test"], raw)


def test_a_mail_is_kept_with_its_envelope_and_its_dots(sink: Sink) -> None:
    send(sink.port, RAW, "b@receiver.test", "c@receiver.test")
    [mail] = sink.mails
    assert (mail.sender, mail.recipients, mail.data) == ("a@sender.test", ("b@receiver.test", "c@receiver.test"), RAW)


@pytest.mark.parametrize(
    ("phase", "error"),
    [
        ("mail", smtplib.SMTPSenderRefused),
        ("rcpt", smtplib.SMTPRecipientsRefused),
        ("data", smtplib.SMTPDataError),
        ("dot", smtplib.SMTPDataError),
        ("greeting", smtplib.SMTPConnectError),
    ],
)
def test_a_scripted_refusal_happens_once(sink: Sink, phase: str, error: type[Exception]) -> None:
    sink.script(phase, Answer(451))  # type: ignore[arg-type]
    with pytest.raises(error):
        send(sink.port)
    send(sink.port)
    assert sink.count == 1


def test_always_lasts_until_it_is_taken_back(sink: Sink) -> None:
    sink.always("rcpt", Answer(550))
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(sink.port)
    sink.always("rcpt", None)
    send(sink.port)
    assert sink.count == 1


@pytest.mark.parametrize(("keep", "count"), [(True, 1), (False, 0)])
def test_a_drop_at_the_final_dot_takes_the_mail_or_not_as_told(sink: Sink, keep: bool, count: int) -> None:
    sink.script("dot", Answer(drop=True, keep=keep))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink.port)
    assert sink.count == count


def test_login_is_asked_for_and_checked() -> None:
    with sink(login=("me", "secret")) as server, smtplib.SMTP(HOST, server.port, timeout=5) as peer:
        with pytest.raises(smtplib.SMTPSenderRefused):
            peer.sendmail("a@b.test", ["c@d.test"], RAW)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            peer.login("me", "wrong")
        peer.login("me", "secret")
        peer.sendmail("a@b.test", ["c@d.test"], RAW)
        assert server.mails[0].username == "me"


def test_starttls_and_implicit_tls_with_a_certificate_of_the_tests(tmp_path: Path) -> None:
    made = certificates.make(tmp_path)
    client = ssl.create_default_context(cafile=str(made.ca))
    with sink(starttls=context(made.certificate, made.key)) as server, smtplib.SMTP("localhost", server.port) as peer:
        peer.starttls(context=client)
        peer.sendmail("a@b.test", ["c@d.test"], RAW)
        assert server.count == 1
    with sink(tls=context(made.certificate, made.key)) as server:
        with smtplib.SMTP_SSL("localhost", server.port, context=client) as peer:
            peer.sendmail("a@b.test", ["c@d.test"], RAW)
        assert server.count == 1


@pytest.mark.parametrize("name", ["expired", "other_name"])
def test_bad_certificates_are_bad(tmp_path: Path, name: str) -> None:
    made = certificates.make(tmp_path)
    client = ssl.create_default_context(cafile=str(made.ca))
    with (
        sink(tls=context(getattr(made, name), made.key)) as server,
        pytest.raises(ssl.SSLCertVerificationError),
        smtplib.SMTP_SSL("localhost", server.port, context=client),
    ):
        pass


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


def test_a_stopped_sink_refuses_and_comes_back_on_its_port(sink: Sink) -> None:
    port = sink.port
    sink.stop()
    with pytest.raises(ConnectionRefusedError):
        send(port)
    sink.start()
    send(port)


def test_the_sink_of_another_process_counts() -> None:
    with sink_process() as server:
        send(server.port)
        assert server.ask()["count"] == 1
        process = server.process
    assert process.returncode is not None


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that gives back what it gets; its port."""
    with contextlib.closing(socket.create_server((HOST, 0))) as listener:
        threading.Thread(target=echo_all, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def echo_all(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=echo_one, args=(peer,), daemon=True).start()


def echo_one(peer: socket.socket) -> None:
    with peer, contextlib.suppress(OSError):
        while data := peer.recv(65536):
            peer.sendall(data)


@pytest.fixture
def line(echo: int) -> Iterator[Proxy]:
    with proxy(echo) as server:
        yield server


@contextlib.contextmanager
def client(line: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, line.port), 2) as peer:
        peer.settimeout(2)
        yield peer


def said(peer: socket.socket, data: bytes = b"hello") -> bytes:
    peer.sendall(data)
    return peer.recv(65536)


def test_forward_carries_both_ways(line: Proxy) -> None:
    with client(line) as peer:
        assert said(peer) == b"hello"


def test_delay_slows_each_chunk(line: Proxy) -> None:
    with client(line) as peer:
        line.delay(0.2)
        start = time.monotonic()
        assert said(peer) == b"hello"
        assert time.monotonic() - start >= 0.4


def test_drop_closes_old_and_new(line: Proxy) -> None:
    with client(line) as peer:
        assert said(peer) == b"hello"
        line.drop()
        assert peer.recv(10) == b""
        with client(line) as late:
            assert late.recv(10) == b""
        line.forward()
        with client(line) as later:
            assert said(later) == b"hello"


def test_cut_closes_old_only(line: Proxy) -> None:
    with client(line) as peer, client(line) as other:
        assert said(peer) == said(other) == b"hello"
        line.cut()
        assert peer.recv(10) == other.recv(10) == b""
        with client(line) as later:
            assert said(later) == b"hello"


def test_reset_is_an_error_and_not_an_end(line: Proxy) -> None:
    with client(line) as peer:
        assert said(peer) == b"hello"
        line.reset()
        with pytest.raises(ConnectionResetError):
            peer.recv(10)


def test_half_close_ends_reading_alone(line: Proxy) -> None:
    with client(line) as peer:
        assert said(peer) == b"hello"
        line.half_close()
        assert peer.recv(10) == b""
        peer.sendall(b"still writable")


def test_blackhole_is_silent_for_old_and_new_and_heals(line: Proxy) -> None:
    with client(line) as peer:
        assert said(peer) == b"hello"
        line.blackhole()
        peer.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said(peer, b"frozen")
        with client(line) as late:
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                said(late)
            line.forward()
            assert late.recv(10) == b"hello"
        assert peer.recv(10) == b"frozen"


def test_truncate_ends_in_the_middle_of_an_answer(line: Proxy) -> None:
    with client(line) as peer:
        line.truncate(3)
        assert said(peer) == b"hel"
        assert peer.recv(10) == b""
        with client(line) as later:
            assert said(later) == b"hello"


def test_refuse_is_what_a_stopped_server_looks_like(line: Proxy) -> None:
    line.refuse()
    with pytest.raises(ConnectionRefusedError), client(line):
        pass
    line.forward()
    with client(line) as peer:
        assert said(peer) == b"hello"
