"""No value from outside makes a header, a line end or a recipient of its own (AT-1, AT-2, ML-2, SM-11, TH-4)."""

import os
import shutil
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.ticket.hostile_headers import faults, letters
from triaged.daemon.desks import message_limits
from triaged.message.parse import parse
from triaged.settings.limits import Limits
from triaged.ticket.filenames import safe_name
from triaged.ticket.wire import (
    NAMES,
    Enclosure,
    UnsafeLetterError,
    chain,
    compose,
    ids_value,
    mailbox_value,
    scan,
    text_value,
)

LIMITS = message_limits(Limits())
ROOT = Path(__file__).resolve().parents[2]
# Seven hostile values each; TRIAGED_HOSTILE_LETTERS=15000 tries a hundred thousand values on each Python.
COUNT = int(os.environ.get("TRIAGED_HOSTILE_LETTERS", "1500"))
CPYTHONS = ("3.11", "3.12", "3.13", "3.14")


def test_ten_thousand_hostile_values_change_no_header() -> None:
    """AT-1, AT-2, ML-2, SM-11: the set of names is constant, and the subject reads as it was meant."""
    for number, (meant, _, data) in enumerate(letters(COUNT)):
        assert list(faults(meant, data)) == [], f"letter {number}: {data[:2000]!r}"


def _others() -> list[str]:
    """Every other CPython here: on the path, and those that pyenv keeps."""
    named = [found for version in CPYTHONS if (found := shutil.which(f"python{version}"))]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [*named, *map(str, sorted(kept.glob("3.1[1-9].*/bin/python")))]
    ours = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    return [python for python in found if ours not in python and _runs(python)]


def _runs(python: str) -> bool:
    """A name on the path may be a shim for a version that is not there."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@pytest.mark.timeout(600)
def test_headers_are_as_safe_on_every_other_cpython_that_is_here() -> None:
    """AT-1: 3.11.7 and 3.12.1 turn an encoded word into a Bcc line where a letter is made with EmailMessage (CVE-2024-6923)."""
    for python in _others():
        command = [python, "-m", "tests.ticket.hostile_headers", str(COUNT // 3)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{python}: {done.stdout}{done.stderr}"


@given(st.text(max_size=300))
@example("=?utf-8?q?ok=0D=0ABcc=3A_x=40evil.test?=")
@example("\r\nBcc: x@evil.test")
@example("a" * 300)
@example("ä" * 300)
@example("")
def test_an_encoded_value_is_folded_ascii_and_no_more(value: str) -> None:
    encoded = text_value(value[:900])
    assert encoded.isascii() and "\0" not in encoded
    assert all(line.startswith(" ") for line in encoded.split("\r\n")[1:])
    assert "\r" not in encoded.replace("\r\n", "") and "\n" not in encoded.replace("\r\n", "")


@given(st.text(max_size=200))
@example('"Dana" <evil@evil.test>, x')
@example("=?utf-8?q?a?= =?utf-8?q?b?=")
@example("Организация " * 12)
def test_a_display_name_never_becomes_an_address(name: str) -> None:
    """AT-2."""
    data = compose([("From", mailbox_value(name, "security@example.test"))], "x")
    read = message_from_bytes(data, policy=policy.default)["From"].addresses
    assert [address.addr_spec for address in read] == ["security@example.test"]


@pytest.mark.parametrize(
    "fields",
    [
        [("Subject", "a\r\nBcc: x@evil.test")],
        [("Subject", "a\nBcc: x@evil.test")],
        [("Subject", "a\rBcc: x@evil.test")],
        [("Subject", "a\r\n\r\nbody")],
        [("Subject", "a\r\nno field")],
        [("Subject", "a\0b")],
        [("Subject", "a" * 990)],
        [("Subject", "a\r\n " + "b" * 998)],
        [("Bcc", "x@evil.test")],
        [("Subject", "a"), ("X-Note", "of the team")],
        [("Sub ject", "a")],
        [("", "a")],
    ],
)
def test_a_letter_that_holds_more_than_was_meant_is_not_made(fields: list[tuple[str, str]]) -> None:
    """AT-1: the last line of defence is a scan of the final bytes."""
    with pytest.raises(UnsafeLetterError):
        compose(fields, "text")


@pytest.mark.parametrize("planted", [b"a\rb", b"a\nb", b"a\0b", b"a" * 999])
def test_a_body_with_what_smtp_may_not_carry_is_found(planted: bytes) -> None:
    """SM-11."""
    with pytest.raises(UnsafeLetterError):
        scan(b"Subject: a\r\n\r\n" + planted + b"\r\n", ["Subject"])


def test_a_field_less_or_in_another_order_is_found() -> None:
    data = b"Subject: a\r\nDate: b\r\n\r\nx\r\n"
    scan(data, ["Subject", "Date"])
    for expected in (["Date", "Subject"], ["Subject"], ["Subject", "Date", "To"]):
        with pytest.raises(UnsafeLetterError):
            scan(data, expected)


def test_nothing_that_asks_for_a_receipt_or_copies_anyone_can_stand_in_a_letter() -> None:
    """NT-3, AT-30."""
    assert NAMES.isdisjoint({"Bcc", "Cc", "Sender", "Disposition-Notification-To", "Return-Receipt-To"})


@given(st.text(max_size=3000))
@example("\n.\n")
@example("a" * 2000)
@example("é" * 2000)
@example("\r\n.\r\nMAIL FROM:<x@evil.test>")
@example("\0\x85\u2028")
@example("trailing \n\n\n")
def test_a_body_is_seven_bit_and_reads_as_it_was_written(text: str) -> None:
    """SM-8, SM-11: whatever a template holds."""
    data = compose([("Subject", "x")], text)
    assert data.isascii()
    read = message_from_bytes(data, policy=policy.default).get_content()
    assert [line.rstrip() for line in read.rstrip("\n").split("\n")] == [
        line.rstrip() for line in _as_stored(text).rstrip("\n").split("\n")
    ]


def _as_stored(text: str) -> str:
    from triaged.message.clean import clean_text

    return clean_text(text)


def test_a_chain_of_ten_thousand_ids_keeps_the_first_and_the_last() -> None:
    """TH-4."""
    ids = [f"<{number}@example.org>" for number in range(10_000)]
    kept = chain(ids, 20, 900)
    assert len(kept) == 20
    assert kept[0] == ids[0] and kept[1:] == tuple(ids[-19:])


@given(st.lists(st.integers(1, 400), max_size=60), st.integers(4, 30), st.integers(256, 2000))
def test_a_chain_stays_within_its_limits_and_always_names_the_parent(
    lengths: list[int], most: int, octets: int
) -> None:
    """TH-4: at most `most` ids and `octets` octets on the wire; ids over 250 octets are left out."""
    ids = [f"<{number}-{'a' * length}@b>" for number, length in enumerate(lengths)]
    sound = [i for i in ids if len(i) <= 250]
    kept = chain(ids, most, octets)
    assert len(kept) <= most
    assert len(ids_value(kept)) <= octets
    assert [i for i in sound if i in kept] == list(kept)
    assert kept[-1:] == tuple(sound[-1:])


def test_a_chain_that_is_too_long_loses_its_middle_first() -> None:
    """TH-4: the first id finds the thread in most clients, the last three its place."""
    ids = [f"<{number}{'a' * 120}@b>" for number in range(10)]
    kept = chain(ids, 20, 600)
    assert kept == (ids[0], *ids[-3:])


def test_an_id_that_is_not_ascii_is_left_out_of_a_chain() -> None:
    """SM-8: one of them would have made the header 8-bit, which a server without SMTPUTF8 must not be given."""
    assert chain(["<a@b>", "<ü@b>", "<\x01@b>", "<a b@c>", "<c@d>"], 20, 900) == ("<a@b>", "<c@d>")


def test_a_repeated_id_stands_once() -> None:
    assert chain(["<a@b>", "<c@d>", "<a@b>"], 20, 900) == ("<a@b>", "<c@d>")


ARCHIVE = bytes(range(256)) * 40


def test_a_letter_carries_several_files_of_text_and_bytes() -> None:
    """AT-1, AT-28: each part is described by what was meant, and comes out as it went in."""
    files = [
        Enclosure("text/calendar; method=PUBLISH", "IMS-7F3K-9QXD.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"),
        Enclosure("application/zip", "evidence.zip", ARCHIVE),
        Enclosure("application/octet-stream", "漏洞 report \u202e.exe", b""),
        Enclosure("application/octet-stream", "../../x" * 40 + ".png", b"\r\n--=_0\r\n\r\n.\r\n"),
    ]
    data = compose([("Subject", "x")], "See the files.\n", files)
    read = message_from_bytes(data, policy=policy.default)
    assert read.defects == [] and all(part.defects == [] for part in read.walk())
    first, *parts = read.iter_parts()
    assert first.get_content_type() == "text/plain" and first.get_content() == "See the files.\r\n"
    assert [(p.get_content_type(), p.get_filename(), p.is_attachment()) for p in parts] == [
        (f.media_type.split(";")[0], safe_name(f.name), True) for f in files
    ]
    assert [p.get_content() for p in parts[1:]] == [f.content for f in files[1:]]
    assert data.isascii() and max(map(len, data.split(b"\r\n"))) <= 78


@given(st.text(max_size=150))
@example('a"\r\nBcc: x@evil.test\r\n\r\n')
@example("=?utf-8?q?ok=0D=0ABcc=3A_x=40evil.test?=")
@example("ä" * 300 + ".zip")
@example("a" * 300)
@example("a'b%00\\")
def test_a_files_name_makes_no_header_and_reads_as_its_safe_form(name: str) -> None:
    """AT-2, AT-24, RFC 2231."""
    data = compose([("Subject", "x")], "x", [Enclosure("application/zip", name, b"PK")])
    _, part = message_from_bytes(data, policy=policy.default).iter_parts()
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    assert part.get_filename() == safe_name(name) and part.defects == []
    assert parse(data, LIMITS).attachments[0].name == safe_name(name), "and so does triaged itself"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/zip\r\nX-Evil: 1", b"x"),
        ("message/rfc822", b"x"),
        ("multipart/mixed", b"x"),
        ("text/html", b"x"),
        ("application/zip", "x"),
        ('application/zip; name="x"', b"x"),
        ("text/plain; charset", "x"),
        ("", b"x"),
    ],
)
def test_a_file_of_another_type_than_a_letter_may_have_is_not_sent(media_type: str, content: str | bytes) -> None:
    with pytest.raises(UnsafeLetterError):
        compose([("Subject", "x")], "x", [Enclosure(media_type, "x", content)])
