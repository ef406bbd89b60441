"""The mail to the team when a stranger writes it: what is ours and what is theirs can't be mistaken (AT-2, AT-11, AT-21)."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.ticket.scene import MAILBOX, MEMBER, TICKET, decide, key, mail
from triaged.ticket.address import Role
from triaged.ticket.consequence import Outcome
from triaged.ticket.folding import COLUMNS, INDENT, columns, folded

LABELS = ("From", "Sender", "Subject", "Received", "Ticket", "Answer", "Promised", "Note", "It says", "Missing")


def told(raw: bytes) -> str:
    """The mail to the team of a new report."""
    return decide(raw).letters[-1].text


def head(text: str) -> list[str]:
    return text.partition("\n\nA reply to this mail goes")[0].split("\n")[2:]


@pytest.mark.parametrize("blank", ["\u2800", "\u3164", "\u200b", "\u00a0", "\uffa0"])
@pytest.mark.parametrize("filler", ["", "x" * 40, "漢" * 31])
def test_no_stranger_begins_a_line_above_the_quoted_text(blank: str, filler: str) -> None:
    """AT-11: a display name or a subject that a terminal would wrap to where our labels stand."""
    words = f"{filler}{blank * 70}Sender:{blank * 3}proven for example.test (dmarc)"
    raw = mail(f'"{words}" <eve@evil.example>', subject=words)
    for line in head(told(raw)):
        assert columns(line) <= 80
        assert line.startswith((" " * INDENT, *(f"  {label}:" for label in LABELS)))


def test_no_link_of_a_stranger_stands_in_the_head_of_a_team_mail() -> None:
    """AT-21"""
    link = "https://evil.example/login www.evil.example/x"
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = f'"{link}" <eve@evil.example>', MAILBOX, link
    letter.set_content("A page of yours runs what stands in its address.")
    letter.add_attachment(b"x", maintype="application", subtype="x", filename="www.evil.example")
    text = told(letter.as_bytes())
    assert "https:" not in text and "www.evil" not in text and "hxxps://evil[.]example/login" in text


def test_four_hundred_files_do_not_bury_the_report() -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "eve@evil.example", MAILBOX, "files"
    letter.set_content("A page of yours runs what stands in its address.")
    for number in range(400):
        letter.add_attachment(b"%d" % number, maintype="application", subtype="x", filename=f"{number}.bin")
    text = told(letter.as_bytes())
    assert "Attachments:  400" in text and "and 380 more" in text and text.count("\n") < 90


@pytest.mark.parametrize(
    "kept",
    [
        "Noise:        0.83  asks-for-money, form-letter",
        "May repeat:   known:SEC-1  0.70  same path /search",
        "Taken for:    question (asks-about-us). Its clocks as a report do not run",
        "A reply that you may send, if it fits (nothing is sent by itself):",
    ],
)
def test_what_we_think_of_a_report_does_not_go_to_its_sender(kept: str) -> None:
    """AT-29: a part of our mail that a client quotes without marks."""
    answer = mail(MEMBER, key(TICKET, Role.RESEARCHER), proven=True, text=f"Thank you, we look at it.\n\n  {kept}")
    assert decide(answer).outcome is Outcome.HELD


def test_folding_keeps_every_word_and_no_line_is_too_wide() -> None:
    value = "a " * 100 + "漢" * 200 + " e\u0301" * 90 + "z" * 500
    lines = folded(value).split("\n")
    assert "".join("".join(lines).split()) == "".join(value.split())
    assert all(columns(line.strip()) <= COLUMNS for line in lines) and all(line.startswith(" ") for line in lines[1:])
