"""What a researcher asks for in one line: STATUS, ANONYMOUS, CREDIT AS a name, WITHDRAW, CONFIRM a code. Reads; grants nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from triaged.message.clean import clean_header
from triaged.message.model import Message
from triaged.message.replies import own_words
from triaged.ticket.reference import token_of

NAME_CHARACTERS = 100  # of the name that somebody asks to be named by
_MOST_LINES = 10_000  # that are looked through for the sender's own words
_LONGEST = 400  # characters of a line that may be a request


class Ask(StrEnum):
    """The requests there are."""

    STATUS = "status"
    ANONYMOUS = "anonymous"
    CREDIT = "credit"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Request:
    """What the first line asks for. `value` is a stranger's: the name of CREDIT AS as data, the code of CONFIRM."""

    ask: Ask
    value: str = ""


_WORDS = {"status": Ask.STATUS, "anonymous": Ask.ANONYMOUS, "withdraw": Ask.WITHDRAW}
_MARKS = "*_`'\"\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"  # of bold text, and quotes of any language
_CREDIT = re.compile(r"[*_]{0,2}credit as[*_]{0,2}:?[*_]{0,2} (?P<name>.+)", re.IGNORECASE)
_CONFIRM = re.compile(r"confirm:? ?(?P<code>[0-9a-z]{4}-?[0-9a-z]{4})", re.IGNORECASE | re.ASCII)
_ABBREVIATED = re.compile(r"(?:\b\w|\b(?:inc|ltd|co|corp|jr|sr))\.\Z", re.IGNORECASE)  # the full stop is the name's own


def read_request(message: Message) -> Request | None:
    """The request that the sender's own first line is, as a whole; None where it is none. "Status of my report?" is none."""
    written = message.new_text.lstrip()[: _LONGEST + 1].partition("\n")[0].strip()
    if len(written) > _LONGEST:
        return None
    found = _request(_peeled(clean_header(written)))
    return found if found is not None and _is_own(message, written) else None


def _is_own(message: Message, written: str) -> bool:
    """Whether that line is the sender's for certain: `new_text` gives in doubt what was passed on or quoted without marks."""
    own = own_words(message.text, _MOST_LINES)
    return not own.top and own.text.lstrip().partition("\n")[0].strip() == written


def _request(line: str) -> Request | None:
    word = _bare(line)
    if ask := _WORDS.get(word.casefold()):
        return Request(ask)
    if code := _CONFIRM.fullmatch(word):
        return Request(Ask.CONFIRM, token_of(code["code"]) or "")
    if credit := _CREDIT.fullmatch(line):
        name = _name(credit["name"])
        return Request(Ask.CREDIT, name) if name else None
    return None


def _bare(line: str) -> str:
    """Without what people and clients put around a word: full stop, bold, quotes."""
    for _ in range(3):
        line = _peeled(line.removesuffix("."))
    return line


def _name(written: str) -> str:
    """The name as it will be kept: one line, without controls and bidi controls (AT-11), marks and an ending full stop."""
    name = _peeled(written)
    if name.startswith("<") and name.endswith(">"):  # as the guide writes it
        name = name[1:-1].strip()
    return name if _ABBREVIATED.search(name) else _peeled(name.removesuffix("."))


def _peeled(line: str) -> str:
    """Without marks that stand on both sides."""
    line = line.strip()
    while len(line) > 1 and line[0] in _MARKS and line[-1] in _MARKS:
        line = line[1:-1].strip()
    return line
