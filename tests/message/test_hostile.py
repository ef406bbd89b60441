"""Whatever the bytes are: read within a second of CPU, without an exception, and what was cut is named."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.daemon.desks import message_limits
from triaged.message.model import Message, Trust
from triaged.message.parse import parse
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())
TRUST = Trust(frozenset({"mx.example.test"}), frozenset({"mx.example.test"}))


def plain(body: bytes, content_type: bytes = b"text/plain; charset=utf-8") -> bytes:
    return b"From: noa@example.org\r\nSubject: x\r\nContent-Type: " + content_type + b"\r\n\r\n" + body


def header(line: bytes) -> bytes:
    return line + b"\r\nTo: security@example.test\r\n\r\nbody\r\n"


def nested(depth: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth)
    )
    return b"From: noa@example.org\n" + opened + b"Content-Type: text/plain\n\ndeep\n"


def nested_messages(depth: int) -> bytes:
    return b"From: noa@example.org\n" + b"Content-Type: message/rfc822\n\n" * depth + b"deep\n"


MEGABYTE = 1 << 20
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "one line break": b"\n",
    "mbox line alone": b"From nobody",
    "garbage": bytes(range(256)) * 4096,
    "NULs": b"\x00" * MEGABYTE,
    "NULs in the header": b"Fr\x00om: a@example.org\r\nSubject: \x00x\x00\r\n\r\n\x00body",
    "2,000 nested parts": nested(2000),
    "2,000 nested messages": nested_messages(2000),
    "100,000 parts": b"From: noa@example.org\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "100,000 delimiters of nobody": plain(b"--a\n" * 250_000, b"multipart/mixed; boundary=b"),
    "delimiters that nearly match": plain(b"--bb\n" * 200_000, b"multipart/mixed; boundary=b"),
    "1 MB in one field": header(b"Subject: " + b"x" * MEGABYTE),
    "1 MB of encoded words": header(b"Subject: " + b"=?utf-8?q?x?= " * 75_000),
    "words that never end": header(b"Subject: " + b"=?a?q?" * 2_700),
    "folded for ever": header(b"Subject: x" + b"\r\n x" * 60_000),
    "20,000 addresses": header(b"To: " + b"a@example.org, " * 20_000 + b"b@example.org"),
    "quotes in To": header(b"To: " + b'"' * 16_000),
    "brackets in From": header(b"From: " + b"<" * 16_000),
    "comments in From": header(b"From: " + b"(" * 8_000 + b"a@example.org" + b")" * 8_000),
    "50,000 fields": b"X: y\n" * 50_000 + b"\nbody",
    "one-letter lines for a header": b"x\n" * 500_000,
    "100,000 Received": b"Received: from a by mx.example.test; x\n" * 6_000 + b"\nbody",
    "parameters": header(b"Content-Type: text/plain" + b"; a=b" * 3_000),
    "parameter pieces": header(b"Content-Type: text/plain" + b"".join(b"; name*%d=x" % n for n in range(1_200))),
    "opened quotes in parameters": header(b"Content-Type: text/plain" + b'; a="\\' * 2_500),
    "open brackets in Message-ID": header(b"Message-ID: " + b"<" * 16_000),
    "brackets in Authentication-Results": header(b"Authentication-Results: " + b"(" * 16_000),
    "dots in Authentication-Results": header(
        b"Authentication-Results: mx.example.test; dkim=pass " + b"header.d" * 1_900
    ),
    "broken base64": plain(b"!!!!aGk=*" * 100_000, b"text/plain\r\nContent-Transfer-Encoding: base64"),
    "equals signs": plain(b"=" * MEGABYTE, b"text/plain\r\nContent-Transfer-Encoding: quoted-printable"),
    "uuencode that never ends": plain(b"begin 644 x\n" * 80_000),
    "uuencoded lines": plain(b"begin 644 x\n" + b"#86)C\n" * 150_000),
    "many quotes": plain(b"> > > > \n" * 110_000),
    "one long quote": plain(b"> " * 500_000),
    "On and on": plain(b"On a\n" * 200_000),
    "On ... wrote:": plain(b"On Monday, 1 May 2026 at 10:00, a@example.org wrote:\n" * 20_000),
    "wrote: after wrote:": plain(b"wrote:\n" * 150_000),
    "From: after From:": plain(b"From: a\nDate: b\n" * 60_000),
    "rulers": plain(b"_______________\n" * 60_000),
    "forward marks": plain(b"---------- Forwarded message ----------\n" * 25_000),
    "dashes": plain(b"-" * MEGABYTE),
    "empty lines": plain(b"\n" * MEGABYTE),
    "spaces": plain(b" " * MEGABYTE),
    "armour": plain(b"-----BEGIN PGP MESSAGE-----\n" * 30_000),
    "nested HTML": plain(b"<div>" * 200_000, b"text/html"),
    "unclosed HTML": plain(b"<a href=" * 120_000, b"text/html"),
    "HTML comments": plain(b"<!--" * 250_000, b"text/html"),
    "HTML quotes": plain(b"<blockquote>" * 80_000, b"text/html"),
    "flowed": plain(b"> a \n" * 200_000, b"text/plain; format=flowed"),
    "flowed in one": plain(b"a \n" * 350_000, b"text/plain; format=flowed; delsp=yes"),
    "charset of nobody": plain(b"\xff\xfe" * 400_000, b"text/plain; charset=x-nope"),
    "charset that runs code": plain(b"\\u202e" * 100, b"text/plain; charset=unicode_escape"),
    "500 parts in no charset": b"From: noa@example.org\nContent-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\n\n" + b"\xf0\xd2\xc9\xd7\xc5\xd4 \xb9" * 2000 + b"\n") * 500,
    "2,000 fields in no charset": b"".join(
        b"X%d: " % n + b"\xf0\xd2\xc9\xd7\xc5\xd4 \xb9" * 14 + b"\n" for n in range(2000)
    )
    + b"From: noa@example.org\n\nbody",
    "words in no charset": header(
        b"Subject: " + b"".join(b"=?x-%d?q?%b?=\n " % (n, b"=F0=D2=C9=B9" * 16) for n in range(75))
    ),
    "wrong UTF-8": plain(b"\xc3\x28" * 500_000),
    "wrong UTF-7": plain(b"+AD" * 300_000, b"text/plain; charset=utf-7"),
    "report of nothing": plain(b"\n\n" * 300_000, b"message/delivery-status"),
    "report of thousands": b"From: <>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    + b"--b\nContent-Type: message/delivery-status\n\n"
    + b"\nFinal-Recipient: rfc822; a@example.org\nAction: failed\n" * 15_000,
    "old bounce": b"From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n"
    + b"<a@example.org>:\n550 5.1.1 user unknown\n" * 20_000,
    "old bounce of parameters": b"From: <>\nSubject: failure notice\nContent-Type: text/plain"
    + b";" * 60_000
    + b"\n\n\xff",
    "old bounce of parts with parameters": b"From: <>\nSubject: failure notice\nContent-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\nContent-Type: text/plain" + b"; a" * 200 + b"\n\n\xff\n") * 100,
    **{
        f"old bounce of one line of {piece!r}": b"From: <>\nSubject: failure notice\n\n"
        + piece * (64_000 // len(piece))
        for piece in (b"a", b"a ", b"<", b"@", b"a@b ", b"<a@b> ", b",", b"to ", b"user ", b".", b"550 ", b":")
    },
    "old bounce of dashes": b"From: <>\nSubject: failure notice\n\n" + b"-" * MEGABYTE,
    "old bounce of dots": b"From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n" + b"a.a." * 250_000,
}


def read(raw: bytes) -> Message:
    message = parse(raw, LIMITS, TRUST)
    assert not [defect for defect in message.defects if defect.startswith("unreadable")]
    return message


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_read_within_a_second(name: str) -> None:
    """AT-12 to AT-18, AT-27."""
    parse(
        b"From: <>\nSubject: failure notice\nContent-Type: text/html\n\n<p>\xe4\xf6 \xfc\xdf "
        + b"wie bitte \xe4 \xf6" * 9,
        LIMITS,
    )  # lazy imports
    start = time.process_time()
    message = read(HOSTILE[name])
    assert time.process_time() - start < 1
    assert_clean(message)


def assert_clean(message: Message) -> None:
    strings = [
        message.subject,
        message.text,
        message.new_text,
        *message.defects,
        *(item.name for item in message.attachments),
    ]
    for text in strings:
        text.encode("utf-8")
        assert "\x00" not in text
        assert not any("\ud800" <= character <= "\udfff" for character in text)


@given(st.binary(max_size=4000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_make_a_message(raw: bytes) -> None:
    assert_clean(read(raw))


LINES = st.sampled_from(
    [
        b"From: a@example.org",
        b"From: =?utf-8?b?4pyT?= <a@example.org>",
        b"Subject: =?x?q?=00=0D=0ABcc:x?=",
        b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        b"Content-Type: message/rfc822",
        b"Content-Type: text/html; charset=gb2312",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Disposition: attachment; filename*0*=utf-8''%FF; filename=\"../x\"",
        b"Date: Fri, 99 Foo 99999 99:99:99 +9999",
        b"Received: by mx.example.test with LMTP; x",
        b"Authentication-Results: mx.example.test; dmarc=pass header.from=example.org",
        b"Return-Path: <>",
        b"",
        b"",
        b"--b",
        b"--b--",
        b"aGk=",
        b"> On x wrote:",
        b"On 1 May 2026, a@example.org wrote:",
        b"-----Original Message-----",
        b"-- ",
        b"begin 644 x",
        b"Final-Recipient: rfc822; a@example.org",
        b"Action: failed",
        b"\xff\xfe\x00",
        b"=E2=9C",
        b"From: a",
        b"Sent: b",
        b"To: c",
        b"```",
    ]
)


@given(st.lists(LINES, max_size=40), st.sampled_from([b"\n", b"\r\n", b"\r"]))
@settings(max_examples=300, deadline=None)
def test_any_order_of_mail_like_lines_makes_a_message(lines: list[bytes], line_break: bytes) -> None:
    assert_clean(read(line_break.join(lines)))


def test_at12_depth_and_at13_parts_are_cut_and_said_so() -> None:
    assert "truncated: depth" in read(HOSTILE["2,000 nested parts"]).defects
    many = read(HOSTILE["100,000 parts"])
    assert "truncated: parts" in many.defects
    assert len(many.attachments) <= LIMITS.parts


def test_at14_headers_are_cut_and_said_so() -> None:
    assert "truncated: subject" in read(header(b"Subject: " + b"x" * 20_000)).defects
    assert "truncated: header" in read(HOSTILE["1 MB in one field"]).defects
    addresses = read(header(b"To: " + b"a@example.org, " * 900 + b"b@example.org"))
    assert len(addresses.to) == LIMITS.addresses_per_field
    assert "malformed-to: truncated: addresses" in addresses.defects


def test_at9_two_froms_are_a_defect_and_both_are_shown() -> None:
    message = read(b"From: a@example.org\r\nFrom: b@example.org\r\n\r\nbody")
    assert "duplicate-from" in message.defects
    assert [item.address for item in message.authors] == ["a@example.org", "b@example.org"]


def test_no_from_is_a_defect_and_no_author() -> None:
    message = read(b"Subject: x\r\n\r\nbody")
    assert message.author is None
    assert "no-from" in message.defects


def test_at17_charsets_outside_the_list_are_never_run() -> None:
    message = read(HOSTILE["charset that runs code"])
    assert message.text.startswith("\\u202e")
    assert "unknown-charset: unicode_escape" in message.defects
    for label in (b"x-nope", b"rot13", b"hex", b"idna", b"zlib", b"a\x00b", b"undefined"):
        assert read(plain("é".encode(), b"text/plain; charset=" + label)).text == "é"


def test_at24_names_stay_data() -> None:
    names = {"../../etc/cron.d/x", "/abs/\u00e9", "a\u202etxt.exe"}
    for name in names:
        raw = plain(b"x", b'application/octet-stream; name="' + name.encode() + b'"')
        assert read(raw).attachments[0].name == name.replace("\u202e", "")


def test_at14_no_more_fields_than_allowed_are_kept() -> None:
    message = read(b"From: noa@example.org\n" + b"X: y\n" * 3_000 + b"Subject: too late\n\nbody\n")
    assert "truncated: header-fields" in message.defects
    assert message.subject == ""
    assert message.author is not None


def test_at14_html_and_text_are_cut_and_said_so() -> None:
    assert "truncated: html" in read(plain(b"<p>x</p>" * 200_000, b"text/html")).defects
    message = read(plain(b"x\n" * (2 * MEGABYTE)))
    assert "truncated: text" in message.defects
    assert len(message.text) <= LIMITS.text_bytes


def test_at19_a_line_of_any_length_is_kept_whole() -> None:
    message = read(plain(b"x" * 100_000 + b"\nend"))
    assert message.text.split("\n")[0] == "x" * 100_000
    assert not [defect for defect in message.defects if defect.startswith("truncated")]


def test_ml4_no_more_pieces_of_a_name_than_allowed_are_joined() -> None:
    pieces = b"".join(b"; name*%d=%02d" % (number, number) for number in range(100))
    raw = plain(b"x", b"application/zip" + pieces)
    assert read(raw).attachments[0].name == "".join(f"{number:02}" for number in range(LIMITS.parameter_segments))
