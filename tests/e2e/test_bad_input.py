"""Mail that is broken by accident or on purpose: each is a receipt that the team sees, and the good report goes its way."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation, report, until
from tests.servers.postfix import Server

pytestmark = pytest.mark.timeout(300)

HEAD = b"From: %s.bad@elsewhere.test\r\nTo: security@example.test\r\nSubject: It is %s\r\n"


def nested(depth: int) -> bytes:
    """Multiparts within multiparts."""
    opened = [
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    ]
    closed = [b"\r\n--b%d--\r\n" % level for level in reversed(range(depth))]
    return (
        HEAD % (b"nested", b"nested")
        + b"MIME-Version: 1.0\r\n"
        + b"".join([*opened, b"Content-Type: text/plain\r\n\r\nin the middle\r\n", *closed])
    )


def side_by_side(count: int) -> bytes:
    head = HEAD % (b"many", b"many") + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"".join(b"--b\r\n\r\npart %d\r\n" % number for number in range(count)) + b"--b--\r\n"


BAD = {
    "garbage": bytes(range(14, 256)) * 40,
    "no header": b"\r\njust words, of which there are enough to be a text\r\n",
    "nested parts": nested(2000),
    "many parts": side_by_side(2000),
    "no From": b"To: security@example.test\r\nSubject: from nobody at all\r\n\r\nthe gate of the field is open\r\n",
    "two Froms": b"From: a@elsewhere.test\r\nFrom: b@elsewhere.test\r\nSubject: two\r\n\r\nwhich of us has written?\r\n",
    "unknown charset": HEAD % (b"charset", b"=?x-nope?q?=FF=FE?=")
    + b"Content-Type: text/plain; charset=x-nope\r\n\r\n\xff\xfe is what it says\r\n",
    "NULs": HEAD % (b"nul", b"N\0L") + b"\r\none \0 two \0 three four five\r\n",
}


def test_broken_messages_are_tickets_and_a_good_report_among_them_is_acknowledged(house: Installation) -> None:
    """P3, AT-9, AT-12, AT-13, AT-17, AT-18, IM-14."""
    for number, raw in enumerate(BAD.values()):
        house.append_or_deliver(raw)
        if number == len(BAD) // 2:
            house.deliver(report(house.researcher, house.address), house.researcher)
    house.once()
    receipts = house.receipts()
    assert len(receipts) == len(BAD) + 1
    assert {r["outcome"] for r in receipts} == {"ticket"}
    assert len(house.tickets()) == len(BAD) + 1
    assert len(house.got(house.researcher)) == 1
    announced = [str(m.get_content()) for m in house.got(house.team, len(BAD) + 1)]
    assert all(any(t["ref"] in text for text in announced) for t in house.tickets())
    house.audit()
    assert house.command("ticket", "show", receipts[-1]["ref"]).returncode == 0


@pytest.mark.parametrize("raw", [b"", b"\r\n"], ids=["nothing", "an empty line"])
def test_an_empty_message_is_a_ticket(small_house: Installation, raw: bytes) -> None:
    small_house.append_or_deliver(raw)
    small_house.once()
    assert [r["outcome"] for r in small_house.receipts()] == ["ticket"]
    assert "no usable From" in str(small_house.got(small_house.team)[0].get_content())
    small_house.audit()


def test_sixty_megabytes_are_kept_by_their_beginning_and_acknowledged(house: Installation, mail_server: Server) -> None:
    """IM-12: through Postfix and LMTP; the rest of it stays in the mailbox, and the team is told so."""
    big = report(house.researcher, house.address, body="It is all in the film, which is very long indeed.\n")
    raw = big + (b"A" * 76 + b"\r\n") * (60 * 1024 * 1024 // 78)
    mail_server.send(raw, house.researcher, house.address)
    until(lambda: house.dovecot.count(house.address) == 1)
    house.deliver(report(house.stranger, house.address), house.stranger)
    house.once()
    receipts = house.receipts()
    assert [(r["outcome"], r["truncated"]) for r in reversed(receipts)] == [("ticket", True), ("ticket", False)]
    assert receipts[1]["size"] > 60_000_000
    assert len(house.got(house.researcher)) == len(house.got(house.stranger)) == 1
    assert any("too large" in str(m.get_content()) for m in house.got(house.team, 2))
    house.audit()
