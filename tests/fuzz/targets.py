"""What is fuzzed: functions of bytes that must return, soon and in little memory, whatever the bytes are."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from triaged.cli.message import command
from triaged.message.model import Limits, Message, Trust
from triaged.message.parse import parse
from triaged.message.replies import new_text, own_words
from triaged.reading.document import as_json
from triaged.settings.limits import Limits as Settings
from triaged.ticket.grammar import Orders, Refused, read_orders, takes_text
from triaged.ticket.requests import read_request

LIMITS = Limits(**{name: getattr(Settings(), name) for name in Limits.__slots__})
_UNCLEAN = re.compile("[\x00\x1b\ud800-\udfff]")
_PRINTED = io.StringIO()  # one for all cases: click keeps every stream that it ever wrote to
_TRUST = Trust(frozenset({"mx.example.test"}), frozenset({"mx.example.test"}))


class Wrong(Exception):
    """The target returned, but with what it promises never to return."""


def read_message(data: bytes) -> None:
    """Bytes -> Message -> JSON object with its facts and judgements, every string of it fit for a database and a terminal."""
    message = parse(data, LIMITS, _TRUST)
    if unread := [defect for defect in message.defects if defect.startswith("unreadable")]:
        raise Wrong(unread[0])
    for text in _strings(message):
        if not _is_clean(text):
            raise Wrong(f"unclean text: {text[:80]!r}")
    if sum(item.size for item in message.attachments) > 4 * len(data) + 4096:
        raise Wrong("attachments larger than what holds them")
    document: dict[str, Any] = as_json(message)
    if any(not 0 <= fact["at"][0] < fact["at"][1] <= len(message.text) for fact in document["facts"]):
        raise Wrong("a fact that points at nothing")


def _strings(message: Message) -> Iterator[str]:
    yield from (message.subject, message.text, message.new_text, message.message_id, *message.defects)
    yield from message.references
    for person in (*message.authors, *message.to, *message.cc, *message.reply_to):
        yield from (person.name, person.address)
    for item in message.attachments:
        yield from (item.name, item.media_type)
    for recipient in message.bounce.recipients if message.bounce else ():
        yield from (recipient.address, recipient.action, recipient.status, recipient.reason)


def _is_clean(text: str) -> bool:
    return _UNCLEAN.search(text) is None


def read_reply(data: bytes) -> None:
    """Text -> the new text: every line of it is one of the lines that came in."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x00", "")
    lines = {line.rstrip() for line in text.split("\n")}
    if any(line.rstrip() not in lines for line in new_text(text, LIMITS.text_lines).split("\n") if line.strip()):
        raise Wrong("a line that nobody wrote")


def read_member(data: bytes) -> None:
    """Text -> a member's own words -> orders, or why there are none: no line that nobody wrote, no command from below the top."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x00", "")
    own = own_words(text, LIMITS.text_lines)
    lines = [line.strip() for line in text.split("\n")]
    first = next((number for number, line in enumerate(lines) if line and not line.startswith("/")), len(lines))
    if any(line.strip() not in lines[:first] for line in own.top if line.strip()):
        raise Wrong("a command that stands below other words")
    if any(line.strip() not in lines for line in own.text.split("\n")[1:]):
        raise Wrong("a line that nobody wrote")
    read = read_orders(own)
    if isinstance(read, Refused) and not (read.why and read.mend):
        raise Wrong("a refusal without its mend")
    if isinstance(read, Orders):
        takes_text(read)


def read_researcher(data: bytes) -> None:
    """Bytes -> the request that a researcher's first line is, if any: of one line, clean, and no longer than a name may be."""
    found = read_request(parse(data, LIMITS, _TRUST))
    if found is not None and ("\n" in found.value or not _is_clean(found.value)):
        raise Wrong("an unclean request")


@contextmanager
def _standard_input(data: bytes) -> Iterator[None]:
    terminal, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
    try:
        yield
    finally:
        sys.stdin = terminal


def read_on_the_command_line(data: bytes) -> None:
    """`triaged message read -`, with and without --json, in this process."""
    for arguments in (["read", "-"], ["read", "--json", "-"]):
        _PRINTED.seek(0)
        _PRINTED.truncate()
        with _standard_input(data), redirect_stdout(_PRINTED):
            command.main(arguments, prog_name="triaged message", standalone_mode=False)
        if not _is_clean(_PRINTED.getvalue()):
            raise Wrong("control characters on the terminal")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": read_message,
    "reply": read_reply,
    "command": read_on_the_command_line,
    "member": read_member,
    "request": read_researcher,
}
