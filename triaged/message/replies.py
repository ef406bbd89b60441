"""The text that the sender wrote now: without quoted mail and signature. Line by line and linear. `new_text` is careful with
code (AT-27) and loses nothing of a report; `own_words` is careful with quotes, and never takes another's line for the sender's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaged.message.forwarded import LABEL_OF, MARK, header_line
from triaged.message.signature import RULER, without_signature

_LONGEST = 400  # characters of an attribution, its wrapped lines joined
_WRAPPED = 4  # lines that an attribution is wrapped over at most
_WIDE = 60  # characters from which on a line is wrapped by a client rather than ended by its writer

_VERB = re.compile(
    r"\b(?:wrote|writes|said|schrieb|geschrieben|a [eé]crit|escribi[oó]|escrito|ha scritto|scrisse|schreef"
    r"|geschreven|escreveu|napisa[lł](?:\(?a\)?)?|pisze|skrev|kirjoitti"
    r"|írta|nap[ií]?sal(?:a|\(a\))?|scris|yazd[ıi]|написал(?:а|\(а\))?|пишет|писал(?:а|\(а\))?"  # noqa: RUF001
    r"|написав|написа|пише|έγραψε|γράφει|napisao|napisala|rašė|rakstīja|kirjutas|va escriure|ha escrit"
    r"|đã viết|menulis)(?!\w)|写道|寫道|のメール|書きました|작성|썼습니다|님이|כתב|כתבה|كتب|تمت كتابة|نوشت|เขียนว่า|ने लिखा",
    re.I,
)
_OPENER = re.compile(
    r"[\s\u200e\u200f\u202a-\u202e>*-]*(?:on|am|le|el|il|op|em|den|dnia|w dniu|at|in a message dated|på|tors?|la"
    r"|dne|στις|на|vào|pada|в|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}[-/.年]\s?\d{1,2}"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|пн|вт|ср|чт|пт|сб"  # noqa: RUF001
    r"|вс)[a-zа-я]{0,8}[.,]|\d{1,2}(?:-го)? [^\W\d_]{3,10}|‫?בתאריך|ב-?)\b",  # noqa: RUF001
    re.I,
)
_OLD_GMAIL = re.compile(r"\d{4}[-/]\d\d[-/]\d\d \d\d?:\d\d(?: GMT[+-]\d\d:\d\d)? [^\n]{1,200}$")
_ENDING = (":", "：", " ----", "wrote", "schrieb", "écrit", "skrev")  # noqa: RUF001
_ADDRESS = re.compile(r"[\w.+-]@[\w-]|\[mailto:|<mailto:")
_DIGIT = re.compile(r"\d")
_TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
_QUOTED = re.compile(r"[ \t]{0,3}>")
_REQUEST = re.compile(r"[ \t>]*(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND) \S+(?: HTTP/|$)")
# Fields that stand in raw mail and requests, never in the header block that a mail client writes above a quote.
_RAW_FIELD = re.compile(
    r"[ \t>]*(?:host|mime-version|content-(?:type|length|transfer-encoding)|message-id|received|return-path"
    r"|user-agent|x-[\w-]+|authorization|cookie|accept)\s*:",
    re.I,
)
_FIELD = re.compile(r"[ \t>*]{0,40}[^\W\d_][^\n:\uff1a]{0,24}[:\uff1a]\**\s*\S")
_YEAR = re.compile(r"\b(?:19|20|25)\d\d\b|\d{1,2}[./]\d{1,2}[./]\d\d")
_REFERENCE = re.compile(r"\b[A-Z][A-Z0-9]{1,11}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")
_GROUPWISE = re.compile(r"\s{0,3}>>> .{3,200} >>>\s*$")
_DASHED = re.compile(r"\s*(?:[-_=*]{3,}|-{2,}[^\n]{1,120}?-{2,})\s*$")
_COMMAND = re.compile(r"[ \t]*/[A-Za-z]")
_SMTP = re.compile(r"[ \t>]*(?:(?:MAIL FROM|RCPT TO|EHLO|HELO)\b|DATA\s*$)", re.I)


def new_text(text: str, limit: int) -> str:
    """The text without quotes and signature; from `limit` lines on it stays as it is."""
    everything = text.split("\n")
    lines, beyond = everything[:limit], everything[limit:]
    fenced = _fenced(lines)
    dropped, end = _quotes(lines, fenced)
    kept = [line for index, line in enumerate(lines[:end]) if index not in dropped]
    if end == len(lines) and beyond:
        return "\n".join(kept + beyond).strip("\n")
    return "\n".join(without_signature(kept)).strip("\n").rstrip() or _passed_on(lines, end, dropped)


@dataclass(frozen=True, slots=True)
class Own:
    """The sender's own words in two: the lines at the very top that begin with "/", and what else is theirs."""

    top: tuple[str, ...]  # the only lines that may command: nothing, not even a quote, stands above or between them
    text: str
    wrapped: (
        bool  # the last of `top` is as long as a client's lines, and `text` begins right below it: it may go on there
    )


def own_words(text: str, limit: int) -> Own:
    """What is the sender's for certain, of the first `limit` lines. Where that is in doubt a line counts as another's.

    A quote above the words does no harm to `text`, but there are no commands below one: what a client that wraps long lines
    makes of `> ... /close` is a line of its own.
    """
    lines = text.split("\n", limit)[:limit]
    top, start = _top(lines)
    rest = "\n".join(without_signature(_own(lines, start))).strip("\n").rstrip()
    below = lines[start].split(maxsplit=1) if start < len(lines) else []
    wrapped = bool(top and below and lines[start - 1].strip()) and _is_wrapped(lines[start - 1], below[0])
    rest = rest[1:] if rest[:1] == " " != rest[1:2] else rest  # Yahoo's own
    return Own(top, rest, wrapped and rest.lstrip().startswith(below[0]))


def own_text(text: str, limit: int) -> str:
    """The sender's own words with the lines at the top; "" where there are none: nothing that is passed on counts."""
    own = own_words(text, limit)
    return "\n".join([*own.top, *([own.text] if own.text else [])])


def top_lines(text: str, limit: int) -> tuple[str, ...]:
    """The lines that may command; none where the message begins with anything else."""
    return own_words(text, limit).top


def _top(lines: list[str]) -> tuple[tuple[str, ...], int]:
    """The lines at the top that begin with "/" and a letter, and where the first other line stands."""
    top: list[str] = []
    for index, line in enumerate(lines):
        if _COMMAND.match(line):
            top.append(line.strip())
        elif line.strip():
            return tuple(top), index
    return tuple(top), len(lines)


def _own(lines: list[str], start: int) -> list[str]:
    """The lines from `start` on without any quote."""
    kept: list[tuple[int, str]] = []
    index = start
    while index < len(lines):
        if (fence := _own_fence(lines, index)) > index:
            kept += enumerate(lines[index : fence + 1], index)
            index = fence
        elif _begins_quote(lines, index):
            return _above([line for _, line in kept])
        elif _QUOTED.match(lines[index]):
            index = max(index, _tail(lines, index + 1).stop - 1)
        elif (first := _attribution(lines, index)) is not None:
            while kept and kept[-1][0] >= first:
                kept.pop()
            below = next((line for line in lines[index + 1 :] if line and not line.isspace()), ">")
            if not _QUOTED.match(below):  # what follows is unmarked, whether words of the sender's stand above or not
                return [line for _, line in kept]
        else:
            kept.append((index, lines[index]))
        index += 1
    return [line for _, line in kept]


def _own_fence(lines: list[str], index: int) -> int:
    """Where the code fence closes that opens here; here where none does before a quote begins: the sender forgot to close it,
    and the next fence may be another's.
    """
    if not lines[index].startswith("```"):
        return index
    for later in range(index + 1, len(lines)):
        if lines[later].startswith("```"):
            return later
        if _begins_quote(lines, later) or _attribution(lines, later) is not None:
            return index
    return index


def _begins_quote(lines: list[str], index: int) -> bool:
    """Whether all from this line on is another's, whatever it says: what a stranger wrote must not talk us out of it, so code
    is no excuse but where the lines above, which are the sender's, show it.
    """
    line = lines[index]
    if len(line) > _LONGEST or line.isspace() or not line:
        return False
    if _GROUPWISE.match(line) or MARK.match(line) or _notes_block(lines, index):
        return True
    block = index + 1 + (not lines[index + 1].strip()) if RULER.match(line) and index + 1 < len(lines) else index
    return (_labelled(lines, block) or _names_letter(lines, block)) and not _is_raw(lines[max(0, block - 4) : block])


def _names_letter(lines: list[str], index: int) -> bool:
    """A header block in any language: lines with a label each, with an address, an instant and a reference of ours."""
    block: list[str] = []
    for line in lines[index : index + 8]:
        if not _FIELD.match(line[:_LONGEST]):
            break
        block.append(line[:_LONGEST])
    return (
        len(block) >= 3
        and any("@" in line for line in block)
        and any(_YEAR.search(line) and _TIME.search(line) for line in block)
        and any(_REFERENCE.search(line) for line in block)
    )


def _notes_block(lines: list[str], index: int) -> bool:
    """What Lotus Notes writes above a quote: who, below it when, and the labels on lines of their own."""
    instant = lines[index + 1][:_WIDE] if index + 1 < len(lines) else ""
    if not _TIME.search(instant) or not _YEAR.search(instant):
        return False
    alone = {LABEL_OF.get(line[:_WIDE].strip(" \t:").lower()) for line in lines[index + 2 : index + 16]}
    return {"to", "subject"} <= alone


def _above(kept: list[str]) -> list[str]:
    """Without the line that a client draws above a quote."""
    while kept and (not kept[-1].strip() or _DASHED.match(kept[-1][:_LONGEST])):
        kept.pop()
    return kept


def _is_wrapped(line: str, word: str) -> bool:
    """Whether a client that wraps lines at 72 columns or so would have put `word` on a line of its own."""
    return len(line) <= 80 < len(line) + len(word) + 9


def _passed_on(lines: list[str], end: int, dropped: set[int]) -> str:
    """What a sender without a word of their own sends: the forwarded text, or a quote that answers nobody."""
    if end < len(lines):
        forwarded = MARK.match(lines[end]) is not None and "original" not in lines[end].lower()
        return "\n".join(_below_header(lines[end + 1 :])).strip("\n").rstrip() if forwarded else ""
    answering = any(_VERB.search(line[:_LONGEST]) for line in lines if "@" in line or not _QUOTED.match(line))
    return "" if answering else "\n".join(lines).strip("\n").rstrip()


def _below_header(lines: list[str]) -> list[str]:
    """Without the lines that say who wrote the forwarded message, when and about what."""
    start = next((index for index, line in enumerate(lines) if line.strip(" \t>")), len(lines))
    if start < len(lines) and header_line(lines[start]) is not None:
        start = next((index for index in range(start, len(lines)) if not lines[index].strip(" \t>")), len(lines))
    return lines[start:]


def _fenced(lines: list[str]) -> frozenset[int]:
    """Lines within ``` fences: code is never taken for a quote. A fence that nothing closes fences nothing."""
    marks = [index for index, line in enumerate(lines) if line.startswith(("```", "~~~ ", "~~~~", "{{{", "}}}"))]
    return frozenset(
        index for first, last in zip(marks[::2], marks[1::2], strict=False) for index in range(first, last + 1)
    )


def _quotes(lines: list[str], fenced: frozenset[int]) -> tuple[set[int], int]:
    """The lines that are quotes or introduce them, and where the rest is quoted as a whole."""
    dropped: set[int] = set()
    introduced = False
    written = len(lines)  # the first line of the sender's own
    for index, line in enumerate(lines):
        if index in dropped or not line or line.isspace():
            continue
        if index in fenced:
            written = min(written, index)
            continue
        if _QUOTED.match(line) and line.strip() != ">:":  # an address wrapped before its last bracket
            if index == 0 or not _QUOTED.match(lines[index - 1]):
                run = _run(lines, index, introduced)
                dropped.update(run, _tail(lines, run.stop))
            continue
        if _cuts(lines, index):
            return dropped, index
        first = _attribution(lines, index)
        if first is None:
            written = min(written, index)
            continue
        following = next((later for later in lines[index + 1 : index + 6] if later.strip()), None)
        if written < first and following is not None and not _QUOTED.match(following):
            return dropped, first
        dropped.update(range(first, index + 1))
        introduced = True
        written = len(lines) if written >= first else written
    return dropped, len(lines)


def _run(lines: list[str], start: int, introduced: bool) -> range:
    """The quoted lines from `start` on; none where they are a console's ("> GET / HTTP/1.1" of curl, ">>> " of
    Python).
    """
    end = start
    while end < len(lines) and (
        _QUOTED.match(lines[end]) or (not lines[end].strip() and end + 1 < len(lines) and _QUOTED.match(lines[end + 1]))
    ):
        end += 1
    run = lines[start : min(end, start + 50)]
    if not introduced and (
        any(_REQUEST.match(line) for line in run) or all(line.startswith(">>> ") or not line.strip() for line in run)
    ):
        return range(0)
    return range(start, end)


def _tail(lines: list[str], index: int) -> range:
    """The end of a long quoted line that a client wrapped: it goes on in small letters, and the quote goes on below."""
    if not 0 < index < len(lines) - 1 or _QUOTED.match(lines[index]) or not _QUOTED.match(lines[index + 1]):
        return range(0)
    above = lines[index - 1].rstrip()
    wrapped = len(above) >= _WIDE and _QUOTED.match(above) is not None and above[-1] not in ".!?:;"
    return range(index, index + 1) if wrapped and lines[index][:1].islower() else range(0)


def _attribution(lines: list[str], index: int) -> int | None:
    """The first line of an "On ... wrote:" that ends on this line; None where none does."""
    last = lines[index].rstrip()
    if len(last) > _LONGEST or not last.endswith(_ENDING):
        return index if len(last) < 200 and _OLD_GMAIL.match(last) and ("GMT" in last or "<" in last) else None
    joined, likely = "", None
    for first in range(index, max(-1, index - _WRAPPED), -1):
        joined = f"{lines[first].strip()} {joined}".rstrip()
        if not lines[first].strip() or len(joined) > _LONGEST:
            break
        if _introduces(joined, lines[first]):
            return first - _is_name_above(lines, first)
        if likely is None and _names_somebody(joined):
            likely = first
    if likely is None and _VERB.search(last) and _quote_below(lines, index):
        return index if index == 0 or not _wraps(lines[index - 1], last) else index - 1
    return likely


def _is_name_above(lines: list[str], first: int) -> bool:
    """Whether the line above is the name that a client put on a line of its own before "<noa@example.org> ezt írta:"."""
    if first == 0 or not lines[first].startswith("<") or (first > 1 and lines[first - 2].strip()):
        return False
    name = lines[first - 1].strip()
    return 0 < len(name) < _WIDE and len(name.split()) <= 4 and name[-1] not in ".,:;!?"


def _introduces(joined: str, first: str) -> bool:
    """When, who and "wrote" in any of the languages; or when and an address alone, as some clients have it."""
    verb = _VERB.search(joined) is not None
    if verb and _OPENER.match(first) and (_DIGIT.search(joined) or "@" in joined):
        return True
    dated = _TIME.search(joined) is not None and _ADDRESS.search(joined) is not None
    return dated and (verb or joined.endswith((">:", "> :", "):")))


def _names_somebody(joined: str) -> bool:
    """ "Noa <noa@example.org> wrote:" without a date."""
    return (
        len(joined) < 200
        and joined[:1] not in "<>("
        and "<" in joined
        and _ADDRESS.search(joined) is not None
        and _VERB.search(joined) is not None
    )


def _quote_below(lines: list[str], index: int) -> bool:
    return _QUOTED.match(next((line for line in lines[index + 1 : index + 4] if line.strip()), "")) is not None


def _wraps(above: str, line: str) -> bool:
    """Whether the line goes on from the one above: that one is long, or opens an attribution."""
    return bool(above.strip()) and (_OPENER.match(above) is not None or line[:1] in "<(")


def _cuts(lines: list[str], index: int) -> bool:
    """Whether everything from this line on is a quoted or forwarded message."""
    line = lines[index]
    if len(line) > _LONGEST:
        return False
    stripped = line.lstrip(" \t*")
    if stripped[:1] in "-Bb>AaDdIi" and MARK.match(line):
        return not _raw_mail(lines, index)
    if RULER.match(line):
        return index + 1 < len(lines) and _block(lines, index + 1 + (not lines[index + 1].strip()))
    return _block(lines, index)


def _block(lines: list[str], index: int) -> bool:
    """The header block that Outlook and others write above a quote, unless it stands in a proof of concept."""
    return _labelled(lines, index) and not _raw_mail(lines, index)


def _labelled(lines: list[str], index: int) -> bool:
    """Who and when, and to whom or about what."""
    if index >= len(lines) or ":" not in lines[index].replace("：", ":")[:40]:  # noqa: RUF001
        return False
    first = header_line(lines[index])
    if first is None or first[0] not in ("from", "date") or not first[1]:
        return False
    labels: set[str] = set()
    for line in lines[index : index + 12]:
        read = header_line(line)
        if read is not None:
            labels.add(read[0])
        elif not line.strip() and len(labels) > 1:
            break
    return {"from", "date"} <= labels and len(labels) >= 3


def _raw_mail(lines: list[str], index: int) -> bool:
    """A proof of concept may hold a whole message or request: that is text, not a quote."""
    return _is_raw(lines[max(0, index - 4) : index + 12])


def _is_raw(lines: list[str]) -> bool:
    return any(_RAW_FIELD.match(line) or _SMTP.match(line) or _REQUEST.match(line) for line in lines)
