"""Whatever the message is: every slice lies within the bytes, every new line within the text, and reading it again is the same."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.daemon.desks import message_limits
from triaged.message.document import as_json
from triaged.message.model import Kind, Message
from triaged.message.parse import parse
from triaged.message.transfer import decode_transfer
from triaged.reading.facts import facts
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())

PLAIN = st.text(st.characters(codec="utf-8"), max_size=200)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "From",
                "To",
                "Subject",
                "Content-Type",
                "Content-Disposition",
                "Auto-Submitted",
                "References",
                "Received",
                "X",
            ]
        ),
        PLAIN,
    ),
    max_size=6,
)
TYPES = st.sampled_from(
    [
        "text/plain; charset=utf-8",
        "text/html",
        "application/zip; name=x",
        "message/rfc822",
        "message/delivery-status",
        "text/plain; name=a",
    ]
)
ENCODINGS = st.sampled_from(["7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "x"])
PARTS = st.lists(st.tuples(TYPES, ENCODINGS, PLAIN), max_size=5)
SHAPES = st.sampled_from(["mixed", "alternative", "related", "report; report-type=delivery-status", "signed"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in draw(HEADERS))
    body = "".join(
        f"--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{text}\r\n"
        for kind, encoding, text in draw(PARTS)
    )
    shape, closed = draw(SHAPES), draw(st.sampled_from(["--b--\r\n", "", "--b"]))
    return f"{head}Content-Type: multipart/{shape}; boundary=b\r\n\r\n{body}{closed}".encode("utf-8", "surrogatepass")


def promised(raw: bytes, message: Message) -> None:
    assert not [defect for defect in message.defects if defect.startswith("unreadable")]
    for item in message.attachments:
        if item.offset >= 0:
            assert item.offset + item.length <= len(raw)
            content, _ = decode_transfer(raw[item.offset : item.offset + item.length], item.encoding)
            assert (len(content), hashlib.sha256(content).hexdigest()) == (item.size, item.sha256)
    lines = iter([line.rstrip() for line in message.text.split("\n")])
    assert all(line.rstrip() in lines for line in message.new_text.split("\n") if line.strip())
    for fact in facts(message):
        first, last = fact.at
        assert 0 <= first < last <= len(message.text)
    assert message.answerable == (not message.automatic_reasons)
    assert message.kind is Kind.PERSON or message.kind_reasons
    assert message.bounce is None or message.kind is Kind.BOUNCE
    as_json(message)


@given(messages())
@settings(max_examples=300, deadline=None)
def test_at12_to_at19_what_a_message_is_read_as_holds_whatever_the_message_is(raw: bytes) -> None:
    message = parse(raw, LIMITS)
    promised(raw, message)
    assert parse(raw, LIMITS) == message


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_at12_to_at19_what_any_bytes_are_read_as_holds(raw: bytes) -> None:
    promised(raw, parse(raw, LIMITS))


@given(st.binary(max_size=1000), st.integers(min_value=0, max_value=1000))
@settings(max_examples=200, deadline=None)
def test_a_message_that_is_cut_off_anywhere_is_read(tail: bytes, cut: int) -> None:
    whole = (
        b"From: Noa <noa@example.org>\nSubject: =?utf-8?q?XSS_=E2=9C=93?=\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"<p>caf=E9</p>\n--b\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\nUEsDBA==\n--b--\n"
    )
    raw = whole[: cut % len(whole)] + tail
    promised(raw, parse(raw, LIMITS))
