"""The text that the sender wrote now: without quoted mail and signature. Line by line, linear, and careful with code
(AT-27).
"""

from __future__ import annotations

import re
from itertools import pairwise

from triaged.message.forwarded import MARK, header_line

_LONGEST = 400  # characters of an attribution, its wrapped lines joined
_WRAPPED = 4  # lines that an attribution is wrapped over at most
_SIGNATURE_LINES = 20
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
_RULER = re.compile(r"\s*(?:_{10,}|-{20,}|={20,})\s*$")
_SENT_FROM = re.compile(
    r"[\s*_<\[(]*(?:sent (?:from|via|using|with) (?:my |a |the )?[\w<]|get (?:outlook|boxer|bluemail) for "
    r"|von meinem \S+ gesendet|gesendet (?:von|mit)|envoy[eé] (?:de|depuis|à partir)"
    r"|enviado (?:desde|do|de|via)|inviato da|verzonden (?:vanaf|met|via)|sendt fra|skickat från|l[aä]hetetty"
    r"|wys[lł]ano z|отправлено (?:с|из)|发自|iphoneから|나의 \S+에서)[^\n]{0,150}$",  # noqa: RUF001
    re.I,
)
_DECORATION = re.compile(r"[\s\-_*=~#+ᐧ—–.•|]*$")  # noqa: RUF001
_REQUEST = re.compile(r"[ \t>]*(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND) \S+(?: HTTP/|$)")
# Fields that stand in raw mail and requests, never in the header block that a mail client writes above a quote.
_RAW_FIELD = re.compile(
    r"[ \t>]*(?:host|mime-version|content-(?:type|length|transfer-encoding)|message-id|received|return-path"
    r"|user-agent|x-[\w-]+|authorization|cookie|accept)\s*:",
    re.I,
)
_SMTP = re.compile(r"[ \t>]*(?:(?:MAIL FROM|RCPT TO|EHLO|HELO)\b|DATA\s*$)", re.I)


def own_text(text: str, limit: int) -> str:
    """Stub until merged."""
    lines = text.split("\n")[:limit]
    dropped, end = _quotes(lines, _fenced(lines))
    kept = [line for index, line in enumerate(lines[:end]) if index not in dropped]
    return "\n".join(_without_signature(kept)).strip("\n").rstrip()


def new_text(text: str, limit: int) -> str:
    """The text without quotes and signature; from `limit` lines on it stays as it is."""
    everything = text.split("\n")
    lines, beyond = everything[:limit], everything[limit:]
    fenced = _fenced(lines)
    dropped, end = _quotes(lines, fenced)
    kept = [line for index, line in enumerate(lines[:end]) if index not in dropped]
    if end == len(lines) and beyond:
        return "\n".join(kept + beyond).strip("\n")
    return "\n".join(_without_signature(kept)).strip("\n").rstrip() or _passed_on(lines, end, dropped)


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
    if _RULER.match(line):
        return index + 1 < len(lines) and _block(lines, index + 1 + (not lines[index + 1].strip()))
    return _block(lines, index)


def _block(lines: list[str], index: int) -> bool:
    """The header block that Outlook and others write above a quote: who and when, and to whom or about what."""
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
    return {"from", "date"} <= labels and len(labels) >= 3 and not _raw_mail(lines, index)


def _raw_mail(lines: list[str], index: int) -> bool:
    """A proof of concept may hold a whole message or request: that is text, not a quote."""
    around = lines[max(0, index - 4) : index + 12]
    return any(_RAW_FIELD.match(line) or _SMTP.match(line) or _REQUEST.match(line) for line in around)


def _without_signature(lines: list[str]) -> list[str]:
    """Without what follows "-- " (RFC 3676 section 4.3), a phone's own line and a decoration at the end."""
    end = len(lines)
    for index in range(max(0, len(lines) - _SIGNATURE_LINES), len(lines)):
        footer = _RULER.match(lines[index]) and any(
            "mailing list" in line.lower() for line in lines[index + 1 : index + 3]
        )
        if footer or (lines[index] in ("-- ", "--", "—", "– ", "--\u00a0") and not _sql(lines, index)):  # noqa: RUF001
            end = index
            break
    while end and (
        _DECORATION.match(lines[end - 1]) or (len(lines[end - 1]) < 200 and _SENT_FROM.match(lines[end - 1]))
    ):
        end -= 1
    return lines[:end]


def _sql(lines: list[str], index: int) -> bool:
    """A comment mark among other comment lines is code."""
    return any(later.startswith("-- ") and len(later) > 3 for line, later in pairwise(lines[index : index + 3]))
