"""What a researcher asks for in one line: STATUS, ANONYMOUS, CREDIT AS a name, WITHDRAW, and CONFIRM, AGREE or REFUSE with a code.

Reads; grants nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from triaged.message.clean import clean_header
from triaged.message.model import Message
from triaged.message.replies import own_words
from triaged.ticket.reference import token_of

_MOST_LINES = 10_000  # that are looked through for the sender's own words
_LONGEST = 400  # characters of a line that may be a request; a longer name than that is read as far as this


class Ask(StrEnum):
    """The requests there are."""

    STATUS = "status"
    ANONYMOUS = "anonymous"
    CREDIT = "credit"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    AGREE = "agree"  # to what the letter with that code asks for
    REFUSE = "refuse"  # it, or take it back


@dataclass(frozen=True, slots=True)
class Request:
    """What the first line asks for. `value` is a stranger's: the name of CREDIT AS as data, and as it was
    written; the code of the others."""

    ask: Ask
    value: str = ""


_WORDS = {"status": Ask.STATUS, "anonymous": Ask.ANONYMOUS, "withdraw": Ask.WITHDRAW}
_MARKS = "*_`'\"\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"  # of bold text, and quotes of any language
_CREDIT = re.compile(r"[*_]{0,2}credit as[*_]{0,2}:?[*_]{0,2} (?P<name>.+)", re.IGNORECASE)
_CODED = re.compile(r"(?P<ask>confirm|agree|refuse):? ?(?P<code>[0-9a-z]{4}-?[0-9a-z]{4})", re.IGNORECASE | re.ASCII)
_AS = re.compile(r"as[*_]{0,2}:?[*_]{0,2}\s+(?P<name>.+)", re.IGNORECASE | re.DOTALL)
_ABBREVIATED = re.compile(r"(?:\b\w|\b(?:inc|ltd|co|corp|jr|sr))\.\Z", re.IGNORECASE)  # the full stop is the name's own


def read_request(message: Message) -> Request | None:
    """The request that the sender's own first line is, as a whole; None where it is none. "Status of my report?" is none."""
    written = message.new_text.lstrip().partition("\n")[0].strip()
    found = _request(_peeled(clean_header(written[:_LONGEST])), written[:_LONGEST])
    if found is not None and len(written) > _LONGEST and found.ask is not Ask.CREDIT:
        return None
    return found if found is not None and _is_own(message, written) else None


def _is_own(message: Message, written: str) -> bool:
    """Whether that line is the sender's for certain: `new_text` gives in doubt what was passed on or quoted without marks."""
    own = own_words(message.text, _MOST_LINES)
    return not own.top and own.text.lstrip().partition("\n")[0].strip() == written


def _request(line: str, written: str) -> Request | None:
    word = _bare(line)
    if ask := _WORDS.get(word.casefold()):
        return Request(ask)
    if coded := _CODED.fullmatch(word):
        return Request(Ask(coded["ask"].lower()), token_of(coded["code"]) or "")
    if credit := _CREDIT.fullmatch(line):
        name = _name(credit["name"])
        return Request(Ask.CREDIT, _as_written(name, written)) if name else None
    return None


def _bare(line: str) -> str:
    """Without what people and clients put around a word: full stop, bold, quotes."""
    for _ in range(3):
        line = _peeled(line.removesuffix("."))
    return line


def _as_written(name: str, written: str) -> str:
    """With the controls that were left out to read the line (AT-11): they are refused in words, and not taken out unseen."""
    if found := _AS.search(written):
        whole = _name(_peeled(found["name"]))
        shown = " ".join(unicodedata.normalize("NFC", whole).split())
        return name if clean_header(whole) == shown else whole
    return name


def _name(written: str) -> str:
    """Without the marks around it and an ending full stop."""
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
