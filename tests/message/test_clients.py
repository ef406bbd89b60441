"""What mail clients make of a member's answer to a hostile letter, and of a forward: the member's words are found, and only they.

The files of mutt and Thunderbird are those programs' own work (python -m tests.message.clients --real); the shapes of the others
are written in tests/message/composing.py.
"""

from __future__ import annotations

import pytest

from tests.conftest import installed
from tests.message.clients import CASES, LETTER, STRANGER, answers, composed
from tests.servers import mutt
from tests.servers.sink import Sink
from tests.ticket.scene import READING, TRUST
from triaged.message.model import Message, Verdict
from triaged.message.parse import parse
from triaged.message.replies import own_text, own_words, top_lines

FILES = sorted(path.name for path in CASES.glob("*.*.eml"))


def written(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def read(name: str) -> Message:
    return parse((CASES / name).read_bytes(), READING, TRUST)


@pytest.mark.parametrize("name", FILES)
def test_at29_commands_and_words_of_the_member_are_found_and_nothing_of_the_quote(name: str) -> None:
    message, wanted = read(name), answers()[name.split(".")[1]]
    own = own_words(message.text, READING.text_lines)
    assert list(own.top) == wanted["top"]
    # Thunderbird's HTML has each line in a paragraph: there is a blank line between them.
    assert written(own.text) == written(str(wanted["text"]))
    assert not own.wrapped
    assert own_text(message.text, READING.text_lines).split() == [*" ".join(own.top).split(), *own.text.split()]
    assert top_lines(message.text, READING.text_lines) == own.top


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_a_proven_members_mail_that_answers_our_letter_or_forwards_a_strangers(name: str) -> None:
    """Thunderbird names what it forwards in In-Reply-To, too: only a reply's says where it belongs."""
    message = read(name)
    assert (message.authenticity.verdict, message.author and message.author.address) == (
        Verdict.PASS,
        "dana@example.test",
    )
    forwarded = bool(answers()[name.split(".")[1]]["forward"])
    answered = parse((STRANGER if forwarded else LETTER).read_bytes(), READING).message_id
    assert message.in_reply_to in ([(), (answered,)] if forwarded else [(answered,)])
    assert "/close" in message.text.replace("> ", "")


def test_the_letters_hold_what_a_stranger_would_write_to_command() -> None:
    for path in (LETTER, STRANGER):
        text = parse(path.read_bytes(), READING).text
        for line in (
            "/close",
            "/disclose 2026-12-01",
            "-----Original Message-----",
            "> /close",
            "wrote:",
            "```",
            "</body></html>",
        ):
            assert line in text


def test_the_files_written_by_hand_are_what_their_maker_writes() -> None:
    """Where the change is meant: `python -m tests.message.clients`."""
    for name, data in composed().items():
        assert (CASES / name).read_bytes() == data, name


@pytest.mark.parametrize("case", answers())
def test_what_the_mutt_of_this_machine_makes_is_read_the_same(case: str, sink: Sink) -> None:
    installed("mutt", mutt.MEND)
    answer = answers()[case]
    if answer["forward"]:
        mutt.forward(
            STRANGER.read_bytes(), str(answer["typed"]), "dana@example.test", "security@example.test", sink.port
        )
    else:
        mutt.reply(LETTER.read_bytes(), str(answer["typed"]), "dana@example.test", sink.port)
    [mail] = sink.wait_for(1)
    own = own_words(parse(mail.data, READING).text, READING.text_lines)
    assert (list(own.top), own.text) == (answer["top"], str(answer["text"]).strip("\n"))
