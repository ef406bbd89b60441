"""winmail.dat: the files within are listed by name, size and hash; whatever the bytes are ([MS-OXTNEF], AT-15, AT-16)."""

from __future__ import annotations

import base64
import hashlib
import struct
import time

import pytest

from triaged.message.model import Limits, Message
from triaged.message.parse import parse
from triaged.message.tnef import SIGNATURE, inner_files

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)


def attribute(level: int, identifier: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, identifier, kind, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*items: bytes) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(items)


def wide(identifier: int, text: str) -> bytes:
    value = text.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x001F, identifier, 1, len(value)) + value + b"\0" * (-len(value) % 4)


NAMED = struct.pack("<HH", 0x0003, 0x8001) + bytes(16) + struct.pack("<III", 0, 7, 42)
NUMBERS = struct.pack("<HHI", 0x1003, 0x3000, 2) + bytes(8)
INSTANT = struct.pack("<HH", 0x0040, 0x3007) + bytes(8)


def file(name: str, content: bytes, long: str = "") -> bytes:
    more = attribute(2, 0x9005, 6, properties(NAMED, NUMBERS, INSTANT, wide(0x3707, long))) if long else b""
    return (
        attribute(2, 0x9002, 6, bytes(14))
        + attribute(2, 0x8010, 1, name.encode("cp1252") + b"\0")
        + attribute(2, 0x800F, 6, content)
        + more
    )


WINMAIL = (
    SIGNATURE
    + b"\x01\x00"
    + attribute(1, 0x8004, 1, b"a subject\0")
    + file("POC~1.TXT", b"proof", "proof of concept ✓.txt")
    + file("../café.png", b"\x89PNG\r\n\x1a\n")
)


def mailed(data: bytes) -> Message:
    head = b"From: noa@example.org\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    return parse(head + base64.encodebytes(data), LIMITS)


def test_the_files_within_are_listed_behind_the_container() -> None:
    container, proof, picture = mailed(WINMAIL).attachments
    assert (container.name, container.detected_type, container.size) == (
        "winmail.dat",
        "application/ms-tnef",
        len(WINMAIL),
    )
    assert (proof.name, proof.detected_type, proof.size) == ("proof of concept ✓.txt", "text/plain", 5)
    assert proof.sha256 == hashlib.sha256(b"proof").hexdigest()
    assert (picture.name, picture.detected_type) == ("../café.png", "image/png")
    assert proof.offset == picture.offset == -1


def test_at16_cut_off_anywhere_it_is_still_read() -> None:
    for end in range(len(WINMAIL)):
        names = [name for name, _ in inner_files(WINMAIL[:end], 10)]
        assert len(names) <= 2


@pytest.mark.parametrize(
    "data",
    [
        SIGNATURE + b"\0\0" + attribute(2, 0x9002, 6, b"") * 90_000,
        SIGNATURE + b"\0\0" + attribute(2, 0x9002, 6, b"") + attribute(2, 0x9005, 6, b"\xff" * 12) * 45_000,
        SIGNATURE
        + b"\0\0"
        + attribute(2, 0x9002, 6, b"")
        + attribute(2, 0x9005, 6, b"\xff\xff\xff\xff" + bytes(1 << 20)),
        SIGNATURE + b"\xff" * (1 << 20),
        SIGNATURE + bytes(1 << 20),
    ],
    ids=["files of nothing", "properties without end", "zeros for properties", "ones", "zeros"],
)
def test_at12_hostile_containers_are_read_within_a_second(data: bytes) -> None:
    start = time.process_time()
    message = mailed(data)
    assert time.process_time() - start < 1
    assert 1 <= len(message.attachments) <= LIMITS.parts + 1
    assert not [defect for defect in message.defects if defect.startswith("unreadable")]
